//! Device power.

use carillon_ddi::{DEVICE_POWER_STATE, NTSTATUS, POWER_ACTION, PVOID};

use crate::irql;

/// `DxgkDdiSetPowerState`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_set_power_state`: never
/// fails.
///
/// The device keeps its state in every power state that it can be put to.
pub(crate) unsafe extern "win64" fn set_power_state(
    _context: PVOID,
    _device: u32,
    _state: DEVICE_POWER_STATE,
    _action: POWER_ACTION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_SUCCESS
}
