//! The doorbell DDIs. None of them carries an adapter: the handle leads to it.

use carillon_core::adapter::CreateDoorbell;
use carillon_core::doorbell::Locations;
use carillon_core::error::{Error, Result};
use carillon_ddi::{
    D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1, D3DDDI_DOORBELLSTATUS, DXGKARG_CONNECTDOORBELL,
    DXGKARG_CREATEDOORBELL, DXGKARG_DESTROYDOORBELL, DXGKARG_DISCONNECTDOORBELL,
    DXGKARG_NOTIFYWORKSUBMISSION, NTSTATUS,
};

use zerocopy::IntoBytes as _;

use super::arguments::{PrivateData, answer, give, in_out, input, os, own};
use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiCreateDoorbell`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_createdoorbell`.
///
/// `hDoorbell` comes in as the OS's handle, which the disconnect callback wants, and goes out as
/// ours.
pub(crate) unsafe extern "win64" fn create_doorbell(
    arguments: *mut DXGKARG_CREATEDOORBELL,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        let flags = arguments.Flags;
        if flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: the page: NULL or `PrivateDriverDataSize` bytes, which dxgkrnl has captured.
        let private_data = unsafe {
            PrivateData::<D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1>::copy(
                arguments.PrivateDriverData,
                arguments.PrivateDriverDataSize,
            )
        }?;
        let adapter = Running::of_object(arguments.hHwQueue)?;
        let doorbell = adapter.create_doorbell(
            passive,
            &CreateDoorbell {
                queue: own(arguments.hHwQueue)?,
                os: os(arguments.hDoorbell),
                private_data: private_data.as_slice(),
                ring: arguments.hRingBuffer.addr() as u64,
                control: arguments.hRingBufferControl.addr() as u64,
                resize: flags.ResizeRingBufferOperation(),
            },
        )?;
        // SAFETY: the page: `PrivateDriverDataSize` bytes that go back to the client, as many as
        // were read above.
        unsafe { reply(arguments, doorbell.reply.as_bytes()) };
        arguments.hDoorbell = give(doorbell.handle);
        Ok(())
    }))
}

/// Writes private data back, as much of it as there is room for.
///
/// # Safety
/// `PrivateDriverData` is NULL or starts `PrivateDriverDataSize` writable bytes.
unsafe fn reply(arguments: &DXGKARG_CREATEDOORBELL, bytes: &[u8]) {
    let room = arguments.PrivateDriverDataSize as usize;
    if arguments.PrivateDriverData.is_null() {
        return;
    }
    let output = arguments.PrivateDriverData.cast::<u8>();
    // SAFETY: no more bytes than the reply has and the caller vouches for.
    unsafe { output.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len().min(room)) };
}

/// `DxgkDdiConnectDoorbell`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_connectdoorbell`.
pub(crate) unsafe extern "win64" fn connect_doorbell(
    arguments: *mut DXGKARG_CONNECTDOORBELL,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        if arguments.Flags.Reserved() != 0 {
            return Err(Error::InvalidParameter);
        }
        let adapter = Running::of_object(arguments.hDoorbell)?;
        let locations = if arguments.Flags.RequireSecondaryAddress() {
            Locations::Both
        } else {
            Locations::Primary
        };
        let doorbell = own(arguments.hDoorbell)?;
        let connection = adapter.connect_doorbell(passive, doorbell, locations)?;
        let page = connection.page;
        let kernel = adapter.platform();
        let address = kernel.doorbell_address(page.bar_offset());
        let secondary = match connection.locations {
            Locations::Primary => core::ptr::null_mut(),
            Locations::Both => {
                let pages = adapter.facts().doorbell_caps.pages();
                kernel.doorbell_address(page.secondary_bar_offset(pages))
            }
        };
        if address.is_null() || (secondary.is_null() && connection.locations == Locations::Both) {
            return Err(Error::BadHardware);
        }
        arguments.KernelCpuVirtualAddress = address.cast();
        arguments.SecondaryKernelCpuVirtualAddress = secondary.cast();
        arguments.Status = if connection.notify {
            D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD
        } else {
            D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_CONNECTED
        };
        Ok(())
    }))
}

/// `DxgkDdiDisconnectDoorbell`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_disconnectdoorbell`: must succeed, whatever the state of the hardware.
pub(crate) unsafe extern "win64" fn disconnect_doorbell(
    arguments: *mut DXGKARG_DISCONNECTDOORBELL,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    always(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hDoorbell)?;
        adapter.disconnect_doorbell(passive, own(arguments.hDoorbell)?);
        Ok(())
    }))
}

/// `DxgkDdiDestroyDoorbell`. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_destroydoorbell`: must
/// succeed.
pub(crate) unsafe extern "win64" fn destroy_doorbell(
    arguments: *mut DXGKARG_DESTROYDOORBELL,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    always(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hDoorbell)?;
        adapter.destroy_doorbell(passive, own(arguments.hDoorbell)?);
        Ok(())
    }))
}

/// `DxgkDdiNotifyWorkSubmission`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_notifyworksubmission`: must succeed; the queue may be idle or suspended.
pub(crate) unsafe extern "win64" fn notify_work_submission(
    arguments: *mut DXGKARG_NOTIFYWORKSUBMISSION,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: an input structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { input(arguments.cast_const()) };
    always(arguments.and_then(|arguments| {
        let adapter = Running::of_object(arguments.hHwQueue)?;
        adapter.notify_work_submission(passive, own(arguments.hHwQueue)?);
        Ok(())
    }))
}

/// The answer of a DDI that may not fail: a handle that leads nowhere means that what was asked
/// for is the case already. Only arguments that cannot be read are an error.
fn always(result: Result) -> NTSTATUS {
    match result {
        Err(Error::InvalidParameter) => NTSTATUS::STATUS_INVALID_PARAMETER,
        _ => NTSTATUS::STATUS_SUCCESS,
    }
}
