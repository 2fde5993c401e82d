//! Callbacks of the power framework.

use carillon_ddi::NTSTATUS;

use super::{breach, with_adapter};
use crate::dxgk::adapter::power::Activity;
use crate::nt::DriverAddr;
use crate::verifier::irql::{self, Irql};

fn component(callback: &'static str, adapter: DriverAddr, index: u32, activity: Activity) {
    let known = with_adapter(callback, adapter, |adapter| {
        adapter.power().record(index, activity)
    });
    if known == Some(false) {
        breach(format!(
            "{callback}: power component {index} was not reported"
        ));
    }
}

pub(super) extern "win64" fn set_active(adapter: DriverAddr, index: u32) {
    component(
        "DxgkCbSetPowerComponentActive",
        adapter,
        index,
        Activity::Active,
    );
}

pub(super) extern "win64" fn set_idle(adapter: DriverAddr, index: u32) {
    component(
        "DxgkCbSetPowerComponentIdle",
        adapter,
        index,
        Activity::Idle,
    );
}

pub(super) extern "win64" fn set_latency(adapter: DriverAddr, index: u32, latency: u64) {
    component(
        "DxgkCbSetPowerComponentLatency",
        adapter,
        index,
        Activity::Latency(latency),
    );
}

pub(super) extern "win64" fn set_residency(adapter: DriverAddr, index: u32, residency: u64) {
    component(
        "DxgkCbSetPowerComponentResidency",
        adapter,
        index,
        Activity::Residency(residency),
    );
}

pub(super) extern "win64" fn complete_f_state(adapter: DriverAddr, index: u32) {
    component(
        "DxgkCbCompleteFStateTransition",
        adapter,
        index,
        Activity::TransitionDone,
    );
}

pub(super) extern "win64" fn control_request(
    adapter: DriverAddr,
    _code: DriverAddr,
    _input: DriverAddr,
    _input_bytes: u64,
    _output: DriverAddr,
    _output_bytes: u64,
    _returned: DriverAddr,
) -> NTSTATUS {
    with_adapter("DxgkCbPowerRuntimeControlRequest", adapter, |_| ());
    // No power engine plug-in is installed.
    NTSTATUS::STATUS_NOT_SUPPORTED
}

/// `DxgkCbLogEtwEvent` may be called anywhere; above DISPATCH_LEVEL its data has to be resident,
/// which everything is here.
pub(super) extern "win64" fn log_etw_event(
    event: DriverAddr,
    _kind: u8,
    bytes: u16,
    buffer: DriverAddr,
) {
    if event.is_null() || (bytes != 0 && buffer.is_null()) {
        let above = if irql::current() > Irql::DISPATCH {
            "above DISPATCH_LEVEL"
        } else {
            ""
        };
        breach(format!("DxgkCbLogEtwEvent with NULL data {above}"));
    }
}
