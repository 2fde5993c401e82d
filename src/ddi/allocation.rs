//! Allocations: create, open, close, destroy, and what the OS needs to make its own.

use carillon_core::allocation::{self, Plan, Standard};
use carillon_core::error::{Error, Result};
use carillon_core::irql::Passive;
use carillon_ddi::{
    D3DKMDT_STANDARDALLOCATION_TYPE, DXGK_ALLOCATIONINFO, DXGK_OPENALLOCATIONINFO,
    DXGKARG_CLOSEALLOCATION, DXGKARG_CREATEALLOCATION, DXGKARG_DESCRIBEALLOCATION,
    DXGKARG_DESTROYALLOCATION, DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA, DXGKARG_OPENALLOCATION,
    HANDLE, NTSTATUS,
};
use carillon_hw::allocation::AllocationPrivateData;
use zerocopy::IntoBytes as _;

use super::arguments::{PrivateData, answer, bytes_mut, give, in_out, input, list, list_mut, own};
use crate::adapter::Running;
use crate::irql;

/// Most bytes of an allocation's private data.
const PRIVATE_BYTES: usize = AllocationPrivateData::BYTES;
/// The same, for the OS.
#[expect(clippy::cast_possible_truncation, reason = "16")]
const PRIVATE_SIZE: u32 = PRIVATE_BYTES as u32;

/// `DxgkDdiCreateAllocation`: all or none. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createallocation`.
///
/// A resource is nothing to the driver beyond its allocations, so `hResource` stays as it is.
pub(crate) unsafe extern "win64" fn create_allocation(
    adapter: HANDLE,
    arguments: *mut DXGKARG_CREATEALLOCATION,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an argument structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        if arguments.Flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: the page: an array of `NumAllocations` elements with outputs.
        let infos = unsafe { list_mut(arguments.pAllocationInfo, arguments.NumAllocations) }?;
        let mut made = 0;
        let result = infos.iter_mut().try_for_each(|info| {
            create_one(passive, &adapter, info)?;
            made += 1;
            Ok(())
        });
        if result.is_err() {
            for info in infos.iter_mut().take(made) {
                let _: Result = own(info.hAllocation)
                    .and_then(|handle| adapter.destroy_allocation(passive, handle));
                info.hAllocation = core::ptr::null_mut();
            }
        }
        result
    }))
}

fn create_one(passive: Passive<'_>, adapter: &Running, info: &mut DXGK_ALLOCATIONINFO) -> Result {
    // SAFETY: the page: NULL or `PrivateDriverDataSize` bytes, which dxgkrnl has captured.
    let private = unsafe {
        PrivateData::<PRIVATE_BYTES>::copy(info.pPrivateDriverData, info.PrivateDriverDataSize)
    }?;
    let plan = Plan::parse(private.as_slice())?;
    plan.describe(info)?;
    info.hAllocation = give(adapter.create_allocation(passive, plan.bytes())?);
    Ok(())
}

/// `DxgkDdiDestroyAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroyallocation`.
///
/// Goes through the whole list whatever it meets.
pub(crate) unsafe extern "win64" fn destroy_allocation(
    adapter: HANDLE,
    arguments: *const DXGKARG_DESTROYALLOCATION,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Running::of_context(adapter).and_then(|adapter| {
        let arguments = arguments?;
        // SAFETY: the page: an array of `NumAllocations` handles.
        let handles = unsafe { list(arguments.pAllocationList, arguments.NumAllocations) }?;
        let mut result = Ok(());
        for handle in handles {
            let one = own(*handle).and_then(|handle| adapter.destroy_allocation(passive, handle));
            result = result.and(one);
        }
        result
    }))
}

/// `DxgkDdiDescribeAllocation`: size and format matter for presentation only, and the driver keeps
/// neither. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_describeallocation`.
pub(crate) unsafe extern "win64" fn describe_allocation(
    _adapter: HANDLE,
    _arguments: *mut DXGKARG_DESCRIBEALLOCATION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_INVALID_PARAMETER
}

/// `DxgkDdiOpenAllocation`: all or none. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_openallocationinfo`.
pub(crate) unsafe extern "win64" fn open_allocation(
    device: HANDLE,
    arguments: *const DXGKARG_OPENALLOCATION,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an argument structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Running::of_object(device).and_then(|adapter| {
        let arguments = arguments?;
        // SAFETY: the page: an array of `NumAllocations` elements with outputs.
        let infos = unsafe { list_mut(arguments.pOpenAllocation, arguments.NumAllocations) }?;
        let mut made = 0;
        let result = infos.iter_mut().try_for_each(|info| {
            open_one(passive, &adapter, device, info)?;
            made += 1;
            Ok(())
        });
        if result.is_err() {
            for info in infos.iter_mut().take(made) {
                let _: Result = own(info.hDeviceSpecificAllocation)
                    .and_then(|handle| adapter.close_allocation(passive, handle));
                info.hDeviceSpecificAllocation = core::ptr::null_mut();
            }
        }
        result
    }))
}

/// The OS names the allocation by its own handle, behind which it keeps ours.
fn open_one(
    passive: Passive<'_>,
    adapter: &Running,
    device: HANDLE,
    info: &mut DXGK_OPENALLOCATIONINFO,
) -> Result {
    let allocation = adapter
        .platform()
        .dxgkrnl()
        .allocation_of(passive, info.hAllocation)?;
    let view = adapter.open_allocation(passive, own(device)?, own(allocation)?)?;
    info.hDeviceSpecificAllocation = give(view);
    Ok(())
}

/// `DxgkDdiCloseAllocation`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_closeallocation`.
///
/// Goes through the whole list whatever it meets.
pub(crate) unsafe extern "win64" fn close_allocation(
    device: HANDLE,
    arguments: *const DXGKARG_CLOSEALLOCATION,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments) };
    answer(Running::of_object(device).and_then(|adapter| {
        let arguments = arguments?;
        // SAFETY: the page: an array of `NumAllocations` handles.
        let handles = unsafe { list(arguments.pOpenHandleList, arguments.NumAllocations) }?;
        let mut result = Ok(());
        for handle in handles {
            let one = own(*handle).and_then(|handle| adapter.close_allocation(passive, handle));
            result = result.and(one);
        }
        result
    }))
}

/// `DxgkDdiGetStandardAllocationDriverData`: the private data's size first, its contents on the
/// second call. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_getstandardallocationdriverdata`.
pub(crate) unsafe extern "win64" fn get_standard_allocation_driver_data(
    adapter: HANDLE,
    arguments: *mut DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(Running::of_context(adapter).and_then(|_| {
        let arguments = arguments?;
        // SAFETY: the page: the union's pointer is the one that the type names.
        let private = unsafe { standard(arguments) }?;
        if !arguments.pAllocationPrivateDriverData.is_null() {
            if arguments.AllocationPrivateDriverDataSize < PRIVATE_SIZE {
                return Err(Error::BufferTooSmall);
            }
            // SAFETY: the page: `AllocationPrivateDriverDataSize` bytes, which are enough.
            let output =
                unsafe { bytes_mut(arguments.pAllocationPrivateDriverData, PRIVATE_SIZE) }?;
            for (place, byte) in output.iter_mut().zip(private.as_bytes()) {
                *place = *byte;
            }
        }
        arguments.AllocationPrivateDriverDataSize = PRIVATE_SIZE;
        arguments.ResourcePrivateDriverDataSize = 0;
        Ok(())
    }))
}

/// Private data for a standard allocation; the pitch goes into the OS's description.
///
/// # Safety
/// The pointer that `StandardAllocationType` names is NULL or leads to a structure of its type
/// that belongs to the call.
unsafe fn standard(
    arguments: &DXGKARG_GETSTANDARDALLOCATIONDRIVERDATA,
) -> Result<AllocationPrivateData> {
    type Type = D3DKMDT_STANDARDALLOCATION_TYPE;
    match arguments.StandardAllocationType {
        Type::D3DKMDT_STANDARDALLOCATION_SHADOWSURFACE => {
            // SAFETY: every arm of the union is a pointer.
            let surface = unsafe { arguments.Anonymous.pCreateShadowSurfaceData };
            // SAFETY: the caller's contract.
            let surface = unsafe { in_out(surface) }?;
            let data = allocation::standard(Standard::Shadow {
                width: surface.Width,
                height: surface.Height,
                format: surface.Format,
            })?;
            surface.Pitch = data.pitch;
            Ok(data.private)
        }
        Type::D3DKMDT_STANDARDALLOCATION_STAGINGSURFACE => {
            // SAFETY: every arm of the union is a pointer.
            let surface = unsafe { arguments.Anonymous.pCreateStagingSurfaceData };
            // SAFETY: the caller's contract.
            let surface = unsafe { in_out(surface) }?;
            let data = allocation::standard(Standard::Staging {
                width: surface.Width,
                height: surface.Height,
            })?;
            surface.Pitch = data.pitch;
            Ok(data.private)
        }
        Type::D3DKMDT_STANDARDALLOCATION_GDISURFACE => {
            // SAFETY: every arm of the union is a pointer.
            let surface = unsafe { arguments.Anonymous.pCreateGdiSurfaceData };
            // SAFETY: the caller's contract.
            let surface = unsafe { in_out(surface) }?;
            let data = allocation::standard(Standard::Gdi {
                width: surface.Width,
                height: surface.Height,
                format: surface.Format,
                kind: surface.Type,
            })?;
            surface.Pitch = data.pitch;
            Ok(data.private)
        }
        Type::D3DKMDT_STANDARDALLOCATION_FENCESTORAGE => {
            // SAFETY: every arm of the union is a pointer.
            let storage = unsafe { arguments.Anonymous.pCreateFenceStorageData };
            // SAFETY: the caller's contract.
            let storage = unsafe { in_out(storage) }?;
            let data = allocation::standard(Standard::FenceStorage {
                bytes: storage.AllocationInfo.Size as u64,
            })?;
            Plan::parse(data.private.as_bytes())?.describe(&mut storage.AllocationInfo)?;
            Ok(data.private)
        }
        _ => Err(Error::InvalidParameter),
    }
}
