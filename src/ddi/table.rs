//! The table of entry points that `DriverEntry` registers.
//!
//! Every slot of the base block is filled, since Windows refuses a NULL there. Above it a slot is
//! filled if its function does its job, or if a feature that does makes the slot mandatory: the
//! function then refuses as its page provides.

use core::cell::UnsafeCell;

use carillon_core::surface::INTERFACE_VERSION;
use carillon_ddi::DRIVER_INITIALIZATION_DATA;

use super::refused::{
    INVALID_PARAMETER, INVALID_VIDPN, NO_RECOMMENDED_VIDPN, NO_VIDPN_MODALITY, NOT_SUPPORTED,
    NOTHING_TO_DO,
};
use super::{
    allocation, context, doorbell, escape, fence, interrupt, node, paging, pnp, power, process,
    query, queue, refused, submit, tdr,
};

/// The table, in writable memory: the registration routine's parameter is no pointer to constant.
struct Table(UnsafeCell<DRIVER_INITIALIZATION_DATA>);

// SAFETY: the driver never reads or writes the table; dxgkrnl does during registration, which is
// one call on one thread.
unsafe impl Sync for Table {}

static TABLE: Table = Table(UnsafeCell::new(ENTRIES));

/// The table, for registration.
pub(crate) const fn pointer() -> *mut DRIVER_INITIALIZATION_DATA {
    TABLE.0.get()
}

/// The entries. The version decides how much of the table dxgkrnl takes: a lower one would
/// silently leave the doorbells out.
const ENTRIES: DRIVER_INITIALIZATION_DATA = DRIVER_INITIALIZATION_DATA {
    // Base block: start, stop, children, interfaces.
    DxgkDdiAddDevice: Some(pnp::add_device),
    DxgkDdiStartDevice: Some(pnp::start_device),
    DxgkDdiStopDevice: Some(pnp::stop_device),
    DxgkDdiRemoveDevice: Some(pnp::remove_device),
    DxgkDdiDispatchIoRequest: Some(refused::dispatch_io_request),
    DxgkDdiInterruptRoutine: Some(interrupt::interrupt_routine),
    DxgkDdiDpcRoutine: Some(interrupt::dpc_routine),
    DxgkDdiQueryChildRelations: Some(pnp::query_child_relations),
    DxgkDdiQueryChildStatus: Some(refused::query_child_status),
    DxgkDdiQueryDeviceDescriptor: Some(refused::query_device_descriptor),
    DxgkDdiSetPowerState: Some(power::set_power_state),
    DxgkDdiNotifyAcpiEvent: Some(refused::notify_acpi_event),
    DxgkDdiResetDevice: Some(refused::reset_device),
    DxgkDdiUnload: Some(pnp::unload),
    DxgkDdiQueryInterface: Some(pnp::query_interface),
    DxgkDdiControlEtwLogging: Some(refused::control_etw_logging),
    // Base block: adapter, memory, submission.
    DxgkDdiQueryAdapterInfo: Some(query::query_adapter_info),
    DxgkDdiCreateDevice: Some(process::create_device),
    DxgkDdiCreateAllocation: Some(allocation::create_allocation),
    DxgkDdiDestroyAllocation: Some(allocation::destroy_allocation),
    DxgkDdiDescribeAllocation: Some(allocation::describe_allocation),
    DxgkDdiGetStandardAllocationDriverData: Some(allocation::get_standard_allocation_driver_data),
    DxgkDdiAcquireSwizzlingRange: Some(NOT_SUPPORTED),
    DxgkDdiReleaseSwizzlingRange: Some(NOT_SUPPORTED),
    DxgkDdiPatch: Some(refused::patch),
    DxgkDdiSubmitCommand: Some(submit::submit_command),
    DxgkDdiPreemptCommand: Some(submit::preempt_command),
    DxgkDdiBuildPagingBuffer: Some(paging::build_paging_buffer),
    DxgkDdiSetPalette: Some(NOT_SUPPORTED),
    DxgkDdiSetPointerPosition: Some(NOTHING_TO_DO),
    DxgkDdiSetPointerShape: Some(NOT_SUPPORTED),
    DxgkDdiResetFromTimeout: Some(tdr::reset_from_timeout),
    DxgkDdiRestartFromTimeout: Some(tdr::restart_from_timeout),
    DxgkDdiEscape: Some(escape::escape),
    DxgkDdiCollectDbgInfo: Some(tdr::collect_dbg_info),
    DxgkDdiQueryCurrentFence: Some(submit::query_current_fence),
    // Base block: display.
    DxgkDdiIsSupportedVidPn: Some(INVALID_VIDPN),
    DxgkDdiRecommendFunctionalVidPn: Some(NO_RECOMMENDED_VIDPN),
    DxgkDdiEnumVidPnCofuncModality: Some(NOTHING_TO_DO),
    DxgkDdiSetVidPnSourceAddress: Some(NOTHING_TO_DO),
    DxgkDdiSetVidPnSourceVisibility: Some(NOTHING_TO_DO),
    DxgkDdiCommitVidPn: Some(NOTHING_TO_DO),
    DxgkDdiUpdateActiveVidPnPresentPath: Some(NO_VIDPN_MODALITY),
    DxgkDdiRecommendMonitorModes: Some(NOTHING_TO_DO),
    DxgkDdiRecommendVidPnTopology: Some(NO_RECOMMENDED_VIDPN),
    DxgkDdiGetScanLine: Some(NOT_SUPPORTED),
    DxgkDdiStopCapture: Some(NOTHING_TO_DO),
    DxgkDdiControlInterrupt: Some(refused::control_interrupt),
    DxgkDdiCreateOverlay: Some(NOT_SUPPORTED),
    // Base block: devices, contexts, rendering.
    DxgkDdiDestroyDevice: Some(process::destroy_device),
    DxgkDdiOpenAllocation: Some(allocation::open_allocation),
    DxgkDdiCloseAllocation: Some(allocation::close_allocation),
    DxgkDdiRender: Some(refused::render),
    DxgkDdiPresent: Some(INVALID_PARAMETER),
    DxgkDdiUpdateOverlay: Some(NOT_SUPPORTED),
    DxgkDdiFlipOverlay: Some(NOT_SUPPORTED),
    DxgkDdiDestroyOverlay: Some(refused::destroy_overlay),
    DxgkDdiCreateContext: Some(context::create_context),
    DxgkDdiDestroyContext: Some(context::destroy_context),
    DxgkDdiLinkDevice: Some(refused::link_device),
    DxgkDdiSetDisplayPrivateDriverFormat: Some(INVALID_PARAMETER),
    // Timeouts of one engine, removal (1.2), nodes and clocks (1.3).
    DxgkDdiQueryDependentEngineGroup: Some(tdr::query_dependent_engine_group),
    DxgkDdiQueryEngineStatus: Some(tdr::query_engine_status),
    DxgkDdiResetEngine: Some(tdr::reset_engine),
    DxgkDdiNotifySurpriseRemoval: Some(pnp::notify_surprise_removal),
    DxgkDdiGetNodeMetadata: Some(node::get_node_metadata),
    DxgkDdiCalibrateGpuClock: Some(node::calibrate_gpu_clock),
    // Power of single engines (1.2).
    DxgkDdiSetPowerComponentFState: Some(power::set_power_component_f_state),
    DxgkDdiPowerRuntimeControlRequest: Some(power::power_runtime_control_request),
    // GPU virtual addressing (2.0).
    DxgkDdiSubmitCommandVirtual: Some(submit::submit_command_virtual),
    DxgkDdiSetRootPageTable: Some(paging::set_root_page_table),
    DxgkDdiGetRootPageTableSize: Some(paging::get_root_page_table_size),
    DxgkDdiCreateProcess: Some(process::create_process),
    DxgkDdiDestroyProcess: Some(process::destroy_process),
    // Hardware scheduling (2.2, 2.4).
    DxgkDdiCreateHwContext: Some(context::create_hw_context),
    DxgkDdiDestroyHwContext: Some(context::destroy_hw_context),
    DxgkDdiCreateHwQueue: Some(queue::create_hw_queue),
    DxgkDdiDestroyHwQueue: Some(queue::destroy_hw_queue),
    DxgkDdiSubmitCommandToHwQueue: Some(queue::submit_command_to_hw_queue),
    DxgkDdiResetHwEngine: Some(tdr::reset_hw_engine),
    DxgkDdiResumeHwEngine: Some(tdr::resume_hw_engine),
    DxgkDdiSetSchedulingLogBuffer: Some(context::set_scheduling_log_buffer),
    DxgkDdiSetupPriorityBands: Some(context::setup_priority_bands),
    DxgkDdiSetContextSchedulingProperties: Some(context::set_context_scheduling_properties),
    DxgkDdiSuspendContext: Some(context::suspend_context),
    DxgkDdiResumeContext: Some(context::resume_context),
    // Native fences and doorbells (3.1, 3.2).
    DxgkDdiCreateNativeFence: Some(fence::create_native_fence),
    DxgkDdiDestroyNativeFence: Some(fence::destroy_native_fence),
    DxgkDdiUpdateMonitoredValues: Some(fence::update_monitored_values),
    DxgkDdiUpdateCurrentValuesFromCpu: Some(fence::update_current_values_from_cpu),
    DxgkDdiCreateDoorbell: Some(doorbell::create_doorbell),
    DxgkDdiConnectDoorbell: Some(doorbell::connect_doorbell),
    DxgkDdiDisconnectDoorbell: Some(doorbell::disconnect_doorbell),
    DxgkDdiDestroyDoorbell: Some(doorbell::destroy_doorbell),
    DxgkDdiNotifyWorkSubmission: Some(doorbell::notify_work_submission),
    DxgkDdiOpenNativeFence: Some(fence::open_native_fence),
    DxgkDdiCloseNativeFence: Some(fence::close_native_fence),
    DxgkDdiSetNativeFenceLogBuffer: Some(fence::set_native_fence_log_buffer),
    DxgkDdiUpdateNativeFenceLogs: Some(fence::update_native_fence_logs),
    ..DRIVER_INITIALIZATION_DATA::empty(INTERFACE_VERSION)
};
