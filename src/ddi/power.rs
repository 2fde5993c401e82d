//! Device power.

use carillon_ddi::{DEVICE_POWER_STATE, NTSTATUS, POWER_ACTION, PVOID};

use crate::irql;

/// `DxgkDdiSetPowerState`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_set_power_state`: never
/// fails.
///
/// Nothing is saved and nothing set up again: a device that loses its state in D3 comes back unusable,
/// and no runtime power is reported that would put it there.
pub(crate) unsafe extern "win64" fn set_power_state(
    _context: PVOID,
    _device: u32,
    _state: DEVICE_POWER_STATE,
    _action: POWER_ACTION,
) -> NTSTATUS {
    let _passive = irql::passive();
    NTSTATUS::STATUS_SUCCESS
}
