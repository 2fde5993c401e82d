//! Callbacks about doorbells, contexts and handles.

use std::mem::offset_of;
use std::sync::Arc;

use carillon_ddi::{
    D3DDDI_DOORBELLSTATUS, DXGK_HANDLE_TYPE, DXGK_INVALIDATEHWCONTEXTFLAGS,
    DXGKARGCB_DISCONNECTDOORBELL, DXGKARGCB_GETHANDLEDATA, DXGKARGCB_INVALIDATEHWCONTEXT,
    DXGKCB_GETHANDLEDATAFLAGS, NTSTATUS,
};

use super::{Objects, adapters_of_session, breach, with_adapter};
use crate::dxgk::handle::OsHandle;
use crate::nt::DriverAddr;

fn handle_at(args: DriverAddr, offset: usize) -> OsHandle {
    let value = args.offset(offset as u64).read::<u64>();
    OsHandle::claimed(usize::try_from(value).unwrap_or(0))
}

/// Who keeps the objects of the session's adapters.
fn keepers() -> Vec<Arc<dyn Objects>> {
    adapters_of_session()
        .iter()
        .filter_map(|adapter| adapter.objects())
        .collect()
}

/// contract: VIC-006, VIC-012
pub(super) extern "win64" fn disconnect_doorbell(args: DriverAddr) -> NTSTATUS {
    type Args = DXGKARGCB_DISCONNECTDOORBELL;
    const CALLBACK: &str = "DxgkCbDisconnectDoorbell";
    let queue = handle_at(args, offset_of!(Args, hHwQueue));
    let doorbell = handle_at(args, offset_of!(Args, hDoorbell));
    let flags = args.offset(offset_of!(Args, Flags) as u64).read::<u32>();
    let reason = args
        .offset(offset_of!(Args, DisconnectReason) as u64)
        .read::<i32>();
    let reason = D3DDDI_DOORBELLSTATUS(reason);
    let disconnects = reason == D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY
        || reason == D3DDDI_DOORBELLSTATUS::D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT;
    if flags != 0 || !disconnects {
        breach(format!(
            "{CALLBACK} with Flags {flags:#x}, DisconnectReason {}",
            reason.0
        ));
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    for keeper in keepers() {
        let status = keeper.disconnect_doorbell(queue, doorbell, reason);
        if status != NTSTATUS::STATUS_INVALID_PARAMETER {
            return status;
        }
    }
    NTSTATUS::STATUS_INVALID_PARAMETER
}

pub(super) extern "win64" fn invalidate_hw_context(args: DriverAddr) -> NTSTATUS {
    type Args = DXGKARGCB_INVALIDATEHWCONTEXT;
    const CALLBACK: &str = "DxgkCbInvalidateHwContext";
    let adapter = args.offset(offset_of!(Args, hAdapter) as u64).read_addr();
    let context = handle_at(args, offset_of!(Args, hHwContext));
    let flags = args.offset(offset_of!(Args, Flags) as u64).read::<u32>();
    let flags = DXGK_INVALIDATEHWCONTEXTFLAGS::from_bits(flags);
    if flags.Reserved() != 0 {
        breach(format!("{CALLBACK}: reserved bits in {flags:?}"));
    }
    let keeper = with_adapter(CALLBACK, adapter, |adapter| adapter.objects()).flatten();
    let status =
        keeper.map(|keeper| keeper.invalidate_hw_context(context, flags.CollateralDamage()));
    status.unwrap_or(NTSTATUS::STATUS_INVALID_PARAMETER)
}

/// The driver's handle behind the thunk handle in `args`, or 0.
fn data(args: DriverAddr) -> u64 {
    type Args = DXGKARGCB_GETHANDLEDATA;
    let object = args.offset(offset_of!(Args, hObject) as u64).read::<u32>();
    let kind = args.offset(offset_of!(Args, Type) as u64).read::<i32>();
    let flags = args.offset(offset_of!(Args, Flags) as u64).read::<u32>();
    let specific = DXGKCB_GETHANDLEDATAFLAGS::from_bits(flags).DeviceSpecific();
    let kind = DXGK_HANDLE_TYPE(kind);
    let found = keepers()
        .iter()
        .find_map(|keeper| keeper.handle_data(object, kind, specific));
    found.map_or(0, |handle| handle.value() as u64)
}

pub(super) extern "win64" fn get_handle_data(args: DriverAddr) -> u64 {
    data(args)
}

pub(super) extern "win64" fn acquire_handle_data(args: DriverAddr, release: DriverAddr) -> u64 {
    let found = data(args);
    release.write(found);
    found
}

pub(super) extern "win64" fn release_handle_data(_args: DriverAddr) {}

pub(super) extern "win64" fn get_handle_parent(_allocation: u32) -> u64 {
    0
}

pub(super) extern "win64" fn enum_handle_children(_args: DriverAddr) -> u64 {
    0
}
