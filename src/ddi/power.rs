//! Device power.

use carillon_ddi::{DEVICE_POWER_STATE, NTSTATUS, POWER_ACTION, PVOID};

use crate::adapter::Running;
use crate::irql;

/// `DISPLAY_ADAPTER_HW_ID`: the adapter itself and no child. Page
/// `nc-dispmprt-dxgkddi_set_power_state`.
const ADAPTER: u32 = u32::MAX;

/// `DxgkDdiSetPowerState`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_set_power_state`: never
/// fails, children may be gone (there are none), and the action counts for nothing on the way to D0.
pub(crate) unsafe extern "win64" fn set_power_state(
    context: PVOID,
    device: u32,
    state: DEVICE_POWER_STATE,
    _action: POWER_ACTION,
) -> NTSTATUS {
    let passive = irql::passive();
    if let (ADAPTER, Ok(adapter)) = (device, Running::of_context(context)) {
        match state {
            DEVICE_POWER_STATE::PowerDeviceD0 => adapter.wake(passive),
            DEVICE_POWER_STATE::PowerDeviceD1
            | DEVICE_POWER_STATE::PowerDeviceD2
            | DEVICE_POWER_STATE::PowerDeviceD3 => adapter.sleep(passive),
            _ => {}
        }
    }
    NTSTATUS::STATUS_SUCCESS
}
