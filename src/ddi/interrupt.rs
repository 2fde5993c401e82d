//! The interrupt routine and what follows it.

use carillon_ddi::{BOOLEAN, PVOID};

use crate::adapter::Running;
use crate::irql;

/// `DxgkDdiInterruptRoutine`. IRQL: DIRQL. Page `nc-dispmprt-dxgkddi_interrupt_routine`.
///
/// The message number says nothing: the device has one vector, and its status register tells
/// whether it has interrupted.
pub(crate) unsafe extern "win64" fn interrupt_routine(context: PVOID, _message: u32) -> BOOLEAN {
    BOOLEAN::from(Running::of_context(context).is_ok_and(|adapter| adapter.interrupt()))
}

/// `DxgkDdiDpcRoutine`. IRQL: DISPATCH_LEVEL. Page `nc-dispmprt-dxgkddi_dpc_routine`.
pub(crate) unsafe extern "win64" fn dpc_routine(context: PVOID) {
    let dispatch = irql::dispatch();
    if let Ok(adapter) = Running::of_context(context) {
        adapter.dpc(dispatch);
        adapter.platform().dxgkrnl().notify_dpc(dispatch);
    }
}
