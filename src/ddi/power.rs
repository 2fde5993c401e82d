//! Power of the device and of its engines.

use carillon_core::error::{Error, Result};
use carillon_core::irql::Dispatch;
use carillon_core::power::{FState, Notice};
use carillon_ddi::{DEVICE_POWER_STATE, GUID, HANDLE, NTSTATUS, POWER_ACTION, PVOID};

use super::arguments::{answer, in_out, input};
use crate::adapter::{Added, Running};
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

/// `DxgkDdiSetPowerComponentFState`. IRQL: at most DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddisetpowercomponentfstate`, which knows one failure: a component or a state that
/// was not reported. An adapter that is not started has reported none.
pub(crate) unsafe extern "win64" fn set_power_component_f_state(
    context: HANDLE,
    component: u32,
    state: u32,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    let done = set_f_state(dispatch, context, component, state);
    answer(done.map_err(|_| Error::InvalidParameter))
}

fn set_f_state(dispatch: Dispatch<'_>, context: HANDLE, component: u32, state: u32) -> Result {
    let state = FState::from_number(state)?;
    let adapter = Running::of_context(context)?;
    adapter.set_f_state(dispatch, adapter.surface.component(component)?, state);
    Ok(())
}

/// `DxgkDdiPowerRuntimeControlRequest`. IRQL: at most DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddipowerruntimecontrolrequest`: dxgkrnl's own notices have no data, and the
/// platform's power extension is told that its requests are not known.
pub(crate) unsafe extern "win64" fn power_runtime_control_request(
    context: HANDLE,
    code: *const GUID,
    _input: PVOID,
    _input_bytes: u64,
    _output: PVOID,
    _output_bytes: u64,
    returned: *mut u64,
) -> NTSTATUS {
    let dispatch = irql::dispatch();
    // SAFETY: the page: a code of the caller's (`ddi` module).
    let notice = unsafe { input(code) }.and_then(|code| Notice::from_code(&code));
    let taken = notice.and_then(|notice| {
        // Before a start and after a stop there is nobody to tell, and no harm in that.
        if let Ok(adapter) = Added::of_context(context)?.running() {
            adapter.power_notice(dispatch, &adapter.surface, notice);
        }
        Ok(())
    });
    if taken.is_ok() && !returned.is_null() {
        // SAFETY: the page: not NULL, so an output of the caller's for this call.
        if let Ok(returned) = unsafe { in_out(returned) } {
            *returned = 0;
        }
    }
    answer(taken)
}
