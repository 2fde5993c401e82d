//! Callbacks that allocate system memory for the driver.

use std::mem::offset_of;

use carillon_ddi::{DXGKARGCB_ALLOCATECONTIGUOUSMEMORY, DXGKARGCB_FREECONTIGUOUSMEMORY, NTSTATUS};

use super::{breach, with_adapter};
use crate::dxgk::handle::OsHandle;
use crate::nt::DriverAddr;
use crate::nt::physical::{Owner, PhysicalAddress};
use crate::trap::PAGE_SIZE;

type Allocate = DXGKARGCB_ALLOCATECONTIGUOUSMEMORY;

pub(super) extern "win64" fn allocate_contiguous_memory(
    adapter: DriverAddr,
    args: DriverAddr,
) -> NTSTATUS {
    let bytes = args
        .offset(offset_of!(Allocate, NumberOfBytes) as u64)
        .read::<u64>();
    let lowest = args
        .offset(offset_of!(Allocate, LowestAcceptableAddress) as u64)
        .read::<u64>();
    let highest = args
        .offset(offset_of!(Allocate, HighestAcceptableAddress) as u64)
        .read::<u64>();
    let allocated = with_adapter("DxgkCbAllocateContiguousMemory", adapter, |adapter| {
        let nt = adapter.driver().nt();
        if nt.verifier.count_allocation() {
            return None;
        }
        let pages = bytes.div_ceil(PAGE_SIZE as u64);
        let memory = &nt.memory;
        let address = memory.allocate_for(Owner::Driver, pages, 1, PhysicalAddress(highest))?;
        if address.0 < lowest {
            memory.free(address);
            return None;
        }
        let host = memory.host_ptr(address, bytes)?;
        let handle = OsHandle::fresh();
        adapter.contiguous().insert(handle, address);
        Some((handle, host))
    });
    match allocated {
        Some(Some((handle, host))) => {
            let handle_at = args.offset(offset_of!(Allocate, hMemoryHandle) as u64);
            handle_at.write(handle.value() as u64);
            args.offset(offset_of!(Allocate, pMemory) as u64)
                .write(host.addr() as u64);
            NTSTATUS::STATUS_SUCCESS
        }
        Some(None) => NTSTATUS::STATUS_NO_MEMORY,
        None => NTSTATUS::STATUS_INVALID_PARAMETER,
    }
}

pub(super) extern "win64" fn free_contiguous_memory(
    adapter: DriverAddr,
    args: DriverAddr,
) -> NTSTATUS {
    const CALLBACK: &str = "DxgkCbFreeContiguousMemory";
    let at = offset_of!(DXGKARGCB_FREECONTIGUOUSMEMORY, hMemoryHandle) as u64;
    let value = args.offset(at).read::<u64>();
    let handle = OsHandle::claimed(usize::try_from(value).unwrap_or(0));
    let freed = with_adapter(CALLBACK, adapter, |adapter| {
        let address = adapter.contiguous().remove(&handle)?;
        Some(adapter.driver().nt().memory.free(address))
    });
    if freed == Some(Some(true)) {
        return NTSTATUS::STATUS_SUCCESS;
    }
    breach(format!(
        "{CALLBACK}: {handle} is no handle of allocated memory"
    ));
    NTSTATUS::STATUS_INVALID_PARAMETER
}
