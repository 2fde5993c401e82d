//! Add, start, stop, remove, unload, children, interfaces.

use core::ffi::c_void;

use carillon_core::adapter::{Adapter, Settings};
use carillon_core::error::{Error, Result};
use carillon_core::handle::AdapterOrdinal;
use carillon_core::irql::Passive;
use carillon_core::surface::{FeatureState, Surface};
use carillon_ddi::{
    DXGK_CHILD_DESCRIPTOR, DXGK_FEATURE_ID, DXGK_START_INFO, DXGK_SURPRISE_REMOVAL_TYPE,
    DXGKRNL_INTERFACE, NTSTATUS, PVOID, QUERY_INTERFACE,
};

use super::arguments::{answer, in_out, input};
use super::feature;
use crate::adapter::{Added, Running, Started};
use crate::dxgkrnl::Dxgkrnl;
use crate::irql;
use crate::platform::Kernel;
use crate::pool::try_box_with;
use crate::registry;

/// The version of every feature that the driver has.
const FEATURE_VERSION: u16 = 1;

/// `DxgkDdiAddDevice`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_add_device`.
pub(crate) unsafe extern "win64" fn add_device(
    _physical_device: PVOID,
    context: *mut PVOID,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an output of dxgkrnl's for the driver's context (`ddi` module).
    let output = match unsafe { in_out(context) } {
        Ok(output) => output,
        Err(error) => return error.status(),
    };
    answer(Added::claim().map(|added| *output = added.context()))
}

/// `DxgkDdiStartDevice`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_start_device`.
///
/// A render-only adapter: no video present sources, no children.
pub(crate) unsafe extern "win64" fn start_device(
    context: PVOID,
    _start_info: *mut DXGK_START_INFO,
    interface: *mut DXGKRNL_INTERFACE,
    sources: *mut u32,
    children: *mut u32,
) -> NTSTATUS {
    let passive = irql::passive();
    // SAFETY: the page: outputs of dxgkrnl's, two different ones (`ddi` module).
    let outputs = unsafe { in_out(sources) }.and_then(|sources| {
        // SAFETY: as above.
        let children = unsafe { in_out(children) }?;
        Ok((sources, children))
    });
    let (sources, children) = match outputs {
        Ok(outputs) => outputs,
        Err(error) => return error.status(),
    };
    // SAFETY: the page: dxgkrnl's interface, whose callbacks are good until stop returns; `stop`
    // drops everything that holds them.
    let dxgkrnl = unsafe { Dxgkrnl::new(interface) };
    let started = Added::of_context(context).and_then(|added| start(passive, added, dxgkrnl?));
    answer(started.map(|()| {
        *sources = 0;
        *children = 0;
    }))
}

/// Brings the hardware up and lets entry points in, or undoes everything.
#[inline(never)]
fn start(passive: Passive<'_>, added: Added, dxgkrnl: Dxgkrnl) -> Result {
    if added.running().is_ok() {
        return Err(Error::InvalidState);
    }
    let kernel = Kernel::map(passive, dxgkrnl)?;
    let features = enabled_features(passive, &dxgkrnl);
    let settings = registry::settings(passive, &dxgkrnl);
    let started = try_box_with(|| {
        let core = try_box_with(|| start_adapter(passive, added.ordinal(), kernel, &settings))?;
        if core.platform().doorbell_pages() < core.facts().doorbell_bar_pages() {
            core.stop(passive);
            return Err(Error::BadHardware);
        }
        let surface = Surface::new(core.facts(), features);
        Ok(Started { core, surface })
    })?;
    added.publish(passive, started)
}

/// The core's adapter. A function of its own because the adapter passes over its stack.
#[inline(never)]
fn start_adapter(
    passive: Passive<'_>,
    ordinal: AdapterOrdinal,
    kernel: Kernel,
    settings: &Settings,
) -> Result<Adapter<Kernel>> {
    Adapter::start(passive, ordinal, kernel, settings)
}

/// What the OS has switched on. Without the callback that takes a doorbell back there is no
/// user-mode submission, whatever the OS says.
fn enabled_features(passive: Passive<'_>, dxgkrnl: &Dxgkrnl) -> FeatureState {
    let Ok(features) = dxgkrnl.features(passive) else {
        return FeatureState::default();
    };
    let is_on = |feature| features.enabled(passive, feature) == Some(FEATURE_VERSION);
    FeatureState {
        hwsch: is_on(DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH),
        native_fence: is_on(DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE),
        user_mode_submission: is_on(DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION)
            && dxgkrnl.can_disconnect_doorbells(),
    }
}

/// `DxgkDdiStopDevice`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_stop_device`.
pub(crate) unsafe extern "win64" fn stop_device(context: PVOID) -> NTSTATUS {
    let passive = irql::passive();
    answer(Added::of_context(context).map(|added| stop(passive, added)))
}

/// Quietens the hardware while entry points, the DPC above all, still find the adapter; then takes
/// it away from them and frees it.
fn stop(passive: Passive<'_>, added: Added) {
    if let Ok(running) = added.running() {
        running.stop(passive);
    }
    drop(added.retire(passive));
}

/// `DxgkDdiRemoveDevice`. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_remove_device`.
pub(crate) unsafe extern "win64" fn remove_device(context: PVOID) -> NTSTATUS {
    let passive = irql::passive();
    answer(Added::of_context(context).map(|added| {
        // A start that failed half-way is removed without a stop.
        stop(passive, added);
        added.release();
    }))
}

/// `DxgkDdiUnload`: `DriverEntry` made nothing that outlives the adapters. IRQL: PASSIVE_LEVEL.
/// Page `nc-dispmprt-dxgkddi_unload`.
pub(crate) unsafe extern "win64" fn unload() {
    let _passive = irql::passive();
}

/// `DxgkDdiQueryChildRelations`: no children; the array's zeroed terminator is dxgkrnl's already.
/// IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_query_child_relations`.
pub(crate) unsafe extern "win64" fn query_child_relations(
    context: PVOID,
    _relations: *mut DXGK_CHILD_DESCRIPTOR,
    _size: u32,
) -> NTSTATUS {
    let _passive = irql::passive();
    answer(Added::of_context(context).map(drop))
}

/// `DxgkDdiNotifySurpriseRemoval`: from here on nothing touches the hardware. IRQL:
/// PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_notify_surprise_removal`; anything but success would
/// cost a bug check.
pub(crate) unsafe extern "win64" fn notify_surprise_removal(
    context: PVOID,
    _kind: DXGK_SURPRISE_REMOVAL_TYPE,
) -> NTSTATUS {
    let passive = irql::passive();
    if let Ok(running) = Running::of_context(context) {
        running.surprise_removed(passive);
    }
    NTSTATUS::STATUS_SUCCESS
}

/// `DxgkDdiQueryInterface`: the feature interface is the only one. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_interface`.
pub(crate) unsafe extern "win64" fn query_interface(
    context: PVOID,
    query: *mut QUERY_INTERFACE,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: a request of dxgkrnl's (`ddi` module).
    let query = unsafe { input(query.cast_const()) };
    answer(Added::of_context(context).and_then(|added| {
        let query = query?;
        // SAFETY: the page: NULL or the identifier of the interface.
        let kind = unsafe { input(query.InterfaceType) }?;
        if !feature::is_offered(&kind, query.Version) {
            return Err(Error::NotSupported);
        }
        if usize::from(query.Size) < size_of::<carillon_ddi::DXGKDDI_FEATURE_INTERFACE>() {
            return Err(Error::BufferTooSmall);
        }
        let interface: *mut c_void = query.Interface.cast();
        // SAFETY: the page: `Interface` has `Size` bytes, which are enough, for this call.
        let output = unsafe { in_out(interface.cast()) }?;
        feature::offer(added, output);
        Ok(())
    }))
}
