//! Callbacks: the table that the graphics kernel hands to `DxgkDdiStartDevice`, and the
//! callback types in it.

use crate::base::{
    BOOLEAN, DXGKDDI_PROTECTED_CALLBACK, GUID, HANDLE, INTERFACE, MEMORY_CACHING_TYPE,
    PHYSICAL_ADDRESS, PKSYNCHRONIZE_ROUTINE, PVOID,
};
use crate::callback::{
    DXGK_DIAGNOSTIC_HEADER, DXGKCB_ACQUIREHANDLEDATA, DXGKCB_CREATECONTEXTALLOCATION,
    DXGKCB_ENUMHANDLECHILDREN, DXGKCB_GETHANDLEDATA, DXGKCB_INVALIDATEHWCONTEXT,
    DXGKCB_MAPCONTEXTALLOCATION, DXGKCB_RELEASEHANDLEDATA, DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE,
    DXGKCB_SAVEMEMORYFORHOTUPDATE, DXGKCB_SETPROTECTEDSESSIONSTATUS, DXGKCB_SIGNALEVENT,
    DXGKCB_UPDATECONTEXTALLOCATION,
};
use crate::child::DXGK_CHILD_STATUS;
use crate::doorbell::DXGKCB_DISCONNECTDOORBELL;
use crate::feature::{DXGKCB_ISFEATUREENABLED, DXGKCB_QUERYFEATURESUPPORT};
use crate::interrupt::DXGKCB_NOTIFY_INTERRUPT;
use crate::ntstatus::NTSTATUS;
use crate::pnp::{DXGK_DEVICE_INFO, DXGK_DISPLAY_INFORMATION};
use crate::segment::DXGK_QUERYSEGMENTMEMORYSTATE;
use crate::service::DXGK_SERVICES;
use crate::sysmem::{
    DXGKCB_ALLOCATEADL, DXGKCB_ALLOCATECONTIGUOUSMEMORY, DXGKCB_ALLOCATEPAGESFORMDL,
    DXGKCB_CLOSEPHYSICALMEMORYOBJECT, DXGKCB_CREATEPHYSICALMEMORYOBJECT,
    DXGKCB_DESTROYPHYSICALMEMORYOBJECT, DXGKCB_FREEADL, DXGKCB_FREECONTIGUOUSMEMORY,
    DXGKCB_FREEPAGESFROMMDL, DXGKCB_MAPFRAMEBUFFERPOINTER, DXGKCB_MAPMDLTOIOMMU,
    DXGKCB_MAPPHYSICALMEMORY, DXGKCB_OPENPHYSICALMEMORYOBJECT, DXGKCB_PINFRAMEBUFFERFORSAVE,
    DXGKCB_PINFRAMEBUFFERFORSAVE2, DXGKCB_UNMAPFRAMEBUFFERPOINTER, DXGKCB_UNMAPMDLFROMIOMMU,
    DXGKCB_UNMAPPHYSICALMEMORY, DXGKCB_UNPINFRAMEBUFFERFORSAVE,
};

/// The graphics kernel's callbacks. The driver keeps a copy of what `DxgkDdiStartDevice` shows it;
/// `DeviceHandle` is the adapter handle that most callbacks want first. Page
/// `ns-dispmprt-_dxgkrnl_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKRNL_INTERFACE {
    pub Size: u32,
    pub Version: u32,
    pub DeviceHandle: HANDLE,
    pub DxgkCbEvalAcpiMethod: Option<DXGKCB_EVAL_ACPI_METHOD>,
    pub DxgkCbGetDeviceInformation: Option<DXGKCB_GET_DEVICE_INFORMATION>,
    pub DxgkCbIndicateChildStatus: Option<DXGKCB_INDICATE_CHILD_STATUS>,
    pub DxgkCbMapMemory: Option<DXGKCB_MAP_MEMORY>,
    pub DxgkCbQueueDpc: Option<DXGKCB_QUEUE_DPC>,
    pub DxgkCbQueryServices: Option<DXGKCB_QUERY_SERVICES>,
    pub DxgkCbReadDeviceSpace: Option<DXGKCB_READ_DEVICE_SPACE>,
    pub DxgkCbSynchronizeExecution: Option<DXGKCB_SYNCHRONIZE_EXECUTION>,
    pub DxgkCbUnmapMemory: Option<DXGKCB_UNMAP_MEMORY>,
    pub DxgkCbWriteDeviceSpace: Option<DXGKCB_WRITE_DEVICE_SPACE>,
    pub DxgkCbIsDevicePresent: Option<DXGKCB_IS_DEVICE_PRESENT>,
    pub DxgkCbGetHandleData: Option<DXGKCB_GETHANDLEDATA>,
    pub DxgkCbGetHandleParent: Option<DXGKCB_GETHANDLEPARENT>,
    pub DxgkCbEnumHandleChildren: Option<DXGKCB_ENUMHANDLECHILDREN>,
    pub DxgkCbNotifyInterrupt: Option<DXGKCB_NOTIFY_INTERRUPT>,
    pub DxgkCbNotifyDpc: Option<DXGKCB_NOTIFY_DPC>,
    pub DxgkCbQueryVidPnInterface: Option<DXGKCB_QUERYVIDPNINTERFACE>,
    pub DxgkCbQueryMonitorInterface: Option<DXGKCB_QUERYMONITORINTERFACE>,
    pub DxgkCbGetCaptureAddress: Option<DXGKCB_GETCAPTUREADDRESS>,
    pub DxgkCbLogEtwEvent: Option<DXGKCB_LOG_ETW_EVENT>,
    pub DxgkCbExcludeAdapterAccess: Option<DXGKCB_EXCLUDE_ADAPTER_ACCESS>,
    pub DxgkCbCreateContextAllocation: Option<DXGKCB_CREATECONTEXTALLOCATION>,
    pub DxgkCbDestroyContextAllocation: Option<DXGKCB_DESTROYCONTEXTALLOCATION>,
    pub DxgkCbSetPowerComponentActive: Option<DXGKCB_SETPOWERCOMPONENTACTIVE>,
    pub DxgkCbSetPowerComponentIdle: Option<DXGKCB_SETPOWERCOMPONENTIDLE>,
    pub DxgkCbAcquirePostDisplayOwnership: Option<DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP>,
    pub DxgkCbPowerRuntimeControlRequest: Option<DXGKCB_POWERRUNTIMECONTROLREQUEST>,
    pub DxgkCbSetPowerComponentLatency: Option<DXGKCB_SETPOWERCOMPONENTLATENCY>,
    pub DxgkCbSetPowerComponentResidency: Option<DXGKCB_SETPOWERCOMPONENTRESIDENCY>,
    pub DxgkCbCompleteFStateTransition: Option<DXGKCB_COMPLETEFSTATETRANSITION>,
    pub DxgkCbCompletePStateTransition: Option<DXGKCB_COMPLETEPSTATETRANSITION>,
    pub DxgkCbMapContextAllocation: Option<DXGKCB_MAPCONTEXTALLOCATION>,
    pub DxgkCbUpdateContextAllocation: Option<DXGKCB_UPDATECONTEXTALLOCATION>,
    pub DxgkCbReserveGpuVirtualAddressRange: Option<DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE>,
    pub DxgkCbAcquireHandleData: Option<DXGKCB_ACQUIREHANDLEDATA>,
    pub DxgkCbReleaseHandleData: Option<DXGKCB_RELEASEHANDLEDATA>,
    pub DxgkCbHardwareContentProtectionTeardown: Option<DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN>,
    pub DxgkCbMultiPlaneOverlayDisabled: Option<DXGKCB_MULTIPLANEOVERLAYDISABLED>,
    pub DxgkCbMitigatedRangeUpdate: Option<DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE>,
    pub DxgkCbInvalidateHwContext: Option<DXGKCB_INVALIDATEHWCONTEXT>,
    pub DxgkCbIndicateConnectorChange: Option<DXGKCB_INDICATE_CONNECTOR_CHANGE>,
    pub DxgkCbUnblockUEFIFrameBufferRanges: Option<DXGKCB_UNBLOCKUEFIFRAMEBUFFERRANGES>,
    pub DxgkCbAcquirePostDisplayOwnership2: Option<DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2>,
    pub DxgkCbSetProtectedSessionStatus: Option<DXGKCB_SETPROTECTEDSESSIONSTATUS>,
    pub DxgkCbAllocateContiguousMemory: Option<DXGKCB_ALLOCATECONTIGUOUSMEMORY>,
    pub DxgkCbFreeContiguousMemory: Option<DXGKCB_FREECONTIGUOUSMEMORY>,
    pub DxgkCbAllocatePagesForMdl: Option<DXGKCB_ALLOCATEPAGESFORMDL>,
    pub DxgkCbFreePagesFromMdl: Option<DXGKCB_FREEPAGESFROMMDL>,
    pub DxgkCbPinFrameBufferForSave: Option<DXGKCB_PINFRAMEBUFFERFORSAVE>,
    pub DxgkCbUnpinFrameBufferForSave: Option<DXGKCB_UNPINFRAMEBUFFERFORSAVE>,
    pub DxgkCbMapFrameBufferPointer: Option<DXGKCB_MAPFRAMEBUFFERPOINTER>,
    pub DxgkCbUnmapFrameBufferPointer: Option<DXGKCB_UNMAPFRAMEBUFFERPOINTER>,
    pub DxgkCbMapMdlToIoMmu: Option<DXGKCB_MAPMDLTOIOMMU>,
    pub DxgkCbUnmapMdlFromIoMmu: Option<DXGKCB_UNMAPMDLFROMIOMMU>,
    pub DxgkCbReportDiagnostic: Option<DXGKCB_REPORT_DIAGNOSTIC>,
    pub DxgkCbSignalEvent: Option<DXGKCB_SIGNALEVENT>,
    pub DxgkCbIsFeatureEnabled: Option<DXGKCB_ISFEATUREENABLED>,
    pub DxgkCbSaveMemoryForHotUpdate: Option<DXGKCB_SAVEMEMORYFORHOTUPDATE>,
    pub DxgkCbNotifyCursorSupportChange: Option<DXGKCB_NOTIFYCURSORSUPPORTCHANGE>,
    pub DxgkCbQueryFeatureSupport: Option<DXGKCB_QUERYFEATURESUPPORT>,
    pub DxgkCbCreatePhysicalMemoryObject: Option<DXGKCB_CREATEPHYSICALMEMORYOBJECT>,
    pub DxgkCbDestroyPhysicalMemoryObject: Option<DXGKCB_DESTROYPHYSICALMEMORYOBJECT>,
    pub DxgkCbMapPhysicalMemory: Option<DXGKCB_MAPPHYSICALMEMORY>,
    pub DxgkCbUnmapPhysicalMemory: Option<DXGKCB_UNMAPPHYSICALMEMORY>,
    pub DxgkCbAllocateAdl: Option<DXGKCB_ALLOCATEADL>,
    pub DxgkCbFreeAdl: Option<DXGKCB_FREEADL>,
    pub DxgkCbOpenPhysicalMemoryObject: Option<DXGKCB_OPENPHYSICALMEMORYOBJECT>,
    pub DxgkCbClosePhysicalMemoryObject: Option<DXGKCB_CLOSEPHYSICALMEMORYOBJECT>,
    pub DxgkCbPinFrameBufferForSave2: Option<DXGKCB_PINFRAMEBUFFERFORSAVE2>,
    pub DxgkCbDisconnectDoorbell: Option<DXGKCB_DISCONNECTDOORBELL>,
}

/// `DxgkCbEvalAcpiMethod`: Evaluates an ACPI method of the adapter or a child. Page
/// `nc-dispmprt-dxgkcb_eval_acpi_method`.
pub type DXGKCB_EVAL_ACPI_METHOD = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DeviceUid: u32,
    AcpiInputBuffer: PVOID,
    AcpiInputSize: u32,
    AcpiOutputBuffer: PVOID,
    AcpiOutputSize: u32,
) -> NTSTATUS;

/// `DxgkCbGetDeviceInformation`: Describes the device: registry path and translated resources.
/// IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkcb_get_device_information`.
pub type DXGKCB_GET_DEVICE_INFORMATION =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, DeviceInfo: *mut DXGK_DEVICE_INFO) -> NTSTATUS;

/// `DxgkCbIndicateChildStatus`: Reports a change at a child. Page
/// `nc-dispmprt-dxgkcb_indicate_child_status`.
pub type DXGKCB_INDICATE_CHILD_STATUS =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, ChildStatus: *mut DXGK_CHILD_STATUS) -> NTSTATUS;

/// `DxgkCbMapMemory`: Maps a translated memory or port resource. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkcb_map_memory`.
pub type DXGKCB_MAP_MEMORY = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    TranslatedAddress: PHYSICAL_ADDRESS,
    Length: u32,
    InIoSpace: BOOLEAN,
    MapToUserMode: BOOLEAN,
    CacheType: MEMORY_CACHING_TYPE,
    VirtualAddress: *mut PVOID,
) -> NTSTATUS;

/// `DxgkCbQueueDpc`: Queues the driver's DPC; false when it was queued already. IRQL: any. Page
/// `nc-dispmprt-dxgkcb_queue_dpc`.
pub type DXGKCB_QUEUE_DPC = unsafe extern "win64" fn(DeviceHandle: HANDLE) -> BOOLEAN;

/// `DxgkCbQueryServices`: Gets one of the sub-interfaces. Page `nc-dispmprt-dxgkcb_query_services`.
pub type DXGKCB_QUERY_SERVICES = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    ServicesType: DXGK_SERVICES,
    Interface: *mut INTERFACE,
) -> NTSTATUS;

/// `DxgkCbReadDeviceSpace`: Reads configuration space or ROM. Page
/// `nc-dispmprt-dxgkcb_read_device_space`.
pub type DXGKCB_READ_DEVICE_SPACE = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DataType: u32,
    Buffer: PVOID,
    Offset: u32,
    Length: u32,
    BytesRead: *mut u32,
) -> NTSTATUS;

/// `DxgkCbSynchronizeExecution`: Runs a routine under the interrupt's lock, at device IRQL. IRQL:
/// at most DISPATCH_LEVEL. Page `nc-dispmprt-dxgkcb_synchronize_execution`.
pub type DXGKCB_SYNCHRONIZE_EXECUTION = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    SynchronizeRoutine: Option<PKSYNCHRONIZE_ROUTINE>,
    Context: PVOID,
    MessageNumber: u32,
    ReturnValue: *mut u8,
) -> NTSTATUS;

/// `DxgkCbUnmapMemory`: Undoes the mapping of a resource. Page `nc-dispmprt-dxgkcb_unmap_memory`.
pub type DXGKCB_UNMAP_MEMORY =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, VirtualAddress: PVOID) -> NTSTATUS;

/// `DxgkCbWriteDeviceSpace`: Writes configuration space. Page
/// `nc-dispmprt-dxgkcb_write_device_space`.
pub type DXGKCB_WRITE_DEVICE_SPACE = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DataType: u32,
    Buffer: PVOID,
    Offset: u32,
    Length: u32,
    BytesWritten: *mut u32,
) -> NTSTATUS;

/// `DxgkCbIsDevicePresent`: Looks for a PCI device. Page `nc-dispmprt-dxgkcb_is_device_present`.
pub type DXGKCB_IS_DEVICE_PRESENT = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DevicePresenceParameters: PVOID,
    DevicePresent: *mut u8,
) -> NTSTATUS;

/// `DxgkCbGetHandleParent`: Resolves an allocation's handle to its resource's. Page
/// `nc-d3dkmddi-dxgkcb_gethandleparent`.
pub type DXGKCB_GETHANDLEPARENT = unsafe extern "win64" fn(hAllocation: u32) -> u32;

/// `DxgkCbNotifyDpc`: Lets the OS act on what was reported at interrupt time, from the DPC. IRQL:
/// DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkcb_notify_dpc`.
pub type DXGKCB_NOTIFY_DPC = unsafe extern "win64" fn(hAdapter: HANDLE);

/// A callback whose arguments this crate does not describe.
pub type DXGKCB_QUERYVIDPNINTERFACE = unsafe extern "win64" fn();

/// A callback whose arguments this crate does not describe.
pub type DXGKCB_QUERYMONITORINTERFACE = unsafe extern "win64" fn();

/// `DxgkCbGetCaptureAddress`: Asks for the address of a captured allocation. Page
/// `nc-d3dkmddi-dxgkcb_getcaptureaddress`.
pub type DXGKCB_GETCAPTUREADDRESS = unsafe extern "win64" fn(PVOID) -> NTSTATUS;

/// `DxgkCbLogEtwEvent`: Writes an event to the event log. Page `nc-dispmprt-dxgkcb_log_etw_event`.
pub type DXGKCB_LOG_ETW_EVENT = unsafe extern "win64" fn(
    EventGuid: *const GUID,
    Type: BOOLEAN,
    EventBufferSize: u16,
    EventBuffer: PVOID,
);

/// `DxgkCbExcludeAdapterAccess`: Keeps everybody away from the adapter while a routine of the
/// driver runs. Page `nc-dispmprt-dxgkcb_exclude_adapter_access`.
pub type DXGKCB_EXCLUDE_ADAPTER_ACCESS = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    Attributes: u32,
    DxgkProtectedCallback: Option<DXGKDDI_PROTECTED_CALLBACK>,
    ProtectedCallbackContext: PVOID,
) -> NTSTATUS;

/// `DxgkCbDestroyContextAllocation`: Gives context memory back. Page
/// `nc-d3dkmddi-dxgkcb_destroycontextallocation`.
pub type DXGKCB_DESTROYCONTEXTALLOCATION =
    unsafe extern "win64" fn(hAdapter: HANDLE, hAllocation: HANDLE) -> NTSTATUS;

/// `DxgkCbSetPowerComponentActive`: Takes an activity reference on a power component. IRQL:
/// PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkcb_setpowercomponentactive`.
pub type DXGKCB_SETPOWERCOMPONENTACTIVE =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// `DxgkCbSetPowerComponentIdle`: Drops an activity reference on a power component. Page
/// `nc-d3dkmddi-dxgkcb_setpowercomponentidle`.
pub type DXGKCB_SETPOWERCOMPONENTIDLE =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// `DxgkCbAcquirePostDisplayOwnership`: Takes over the display that firmware has set up. Page
/// `nc-dispmprt-dxgkcb_acquire_post_display_ownership`.
pub type DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
) -> NTSTATUS;

/// `DxgkCbPowerRuntimeControlRequest`: Passes a request to the platform's power extension. Page
/// `nc-d3dkmddi-dxgkcb_powerruntimecontrolrequest`.
pub type DXGKCB_POWERRUNTIMECONTROLREQUEST = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    PowerControlCode: *const GUID,
    InBuffer: PVOID,
    InBufferSize: u64,
    OutBuffer: PVOID,
    OutBufferSize: u64,
    BytesReturned: *mut u64,
) -> NTSTATUS;

/// `DxgkCbSetPowerComponentLatency`: States how long the component may take to become active, in
/// 100 ns units. Page `nc-d3dkmddi-dxgkcb_setpowercomponentlatency`.
pub type DXGKCB_SETPOWERCOMPONENTLATENCY =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, Latency: u64);

/// `DxgkCbSetPowerComponentResidency`: States how long the component is expected to stay idle, in
/// 100 ns units. Page `nc-d3dkmddi-dxgkcb_setpowercomponentresidency`.
pub type DXGKCB_SETPOWERCOMPONENTRESIDENCY =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, Residency: u64);

/// `DxgkCbCompleteFStateTransition`: Ends an F-state transition of a power component. IRQL: at most
/// DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkcb_completefstatetransition`.
pub type DXGKCB_COMPLETEFSTATETRANSITION =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// `DxgkCbCompletePStateTransition`: Ends a P-state transition of a power component. Page
/// `nc-d3dkmddi-dxgkcb_completepstatetransition`.
pub type DXGKCB_COMPLETEPSTATETRANSITION =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, CompletedPState: u32);

/// `DxgkCbHardwareContentProtectionTeardown`: Announces that protected content is gone. Page
/// `nc-d3dkmddi-dxgkcb_hardwarecontentprotectionteardown`.
pub type DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN =
    unsafe extern "win64" fn(hAdapter: HANDLE, Flags: u32);

/// `DxgkCbMultiPlaneOverlayDisabled`: Announces that overlay planes are off. Page
/// `nc-d3dkmddi-dxgkcb_multiplaneoverlaydisabled`.
pub type DXGKCB_MULTIPLANEOVERLAYDISABLED =
    unsafe extern "win64" fn(hAdapter: HANDLE, VidPnSourceId: u32);

/// `DxgkCbMitigatedRangeUpdate`: Announces that a virtual function's mitigated ranges have changed.
/// Page `nc-d3dkmddi-dxgkcb_dxgkcb_mitigatedrangeupdate`.
pub type DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE =
    unsafe extern "win64" fn(hAdapter: HANDLE, VirtualFunctionIndex: u32);

/// `DxgkCbIndicateConnectorChange`: Reports that connection changes wait to be queried. Page
/// `nc-dispmprt-dxgkcb_indicate_connector_change`.
pub type DXGKCB_INDICATE_CONNECTOR_CHANGE = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// `DxgkCbUnblockUEFIFrameBufferRanges`: Releases the ranges that held the firmware's frame buffer.
/// Page `nc-d3dkmddi-dxgkcb_unblockuefiframebufferranges`.
pub type DXGKCB_UNBLOCKUEFIFRAMEBUFFERRANGES = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSegmentMemoryState: *const DXGK_QUERYSEGMENTMEMORYSTATE,
) -> NTSTATUS;

/// `DxgkCbAcquirePostDisplayOwnership2`: Takes over the display that firmware or another driver has
/// set up. Page `nc-dispmprt-dxgkcb_acquire_post_display_ownership2`.
pub type DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    Flags: PVOID,
) -> NTSTATUS;

/// `DxgkCbReportDiagnostic`: Hands in a diagnostic report. Page
/// `nc-dispmprt-dxgkcb_report_diagnostic`.
pub type DXGKCB_REPORT_DIAGNOSTIC = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    pDiagnostic: *mut DXGK_DIAGNOSTIC_HEADER,
) -> NTSTATUS;

/// `DxgkCbNotifyCursorSupportChange`: Announces a change of hardware cursor support. Page
/// `nc-d3dkmddi-dxgkcb_notifycursorsupportchange`.
pub type DXGKCB_NOTIFYCURSORSUPPORTCHANGE = unsafe extern "win64" fn(pArgs: PVOID) -> NTSTATUS;

layouts! {
    DXGKRNL_INTERFACE = 576 {
        Size: 0,
        Version: 4,
        DeviceHandle: 8,
        DxgkCbEvalAcpiMethod: 16,
        DxgkCbGetDeviceInformation: 24,
        DxgkCbIndicateChildStatus: 32,
        DxgkCbMapMemory: 40,
        DxgkCbQueueDpc: 48,
        DxgkCbQueryServices: 56,
        DxgkCbReadDeviceSpace: 64,
        DxgkCbSynchronizeExecution: 72,
        DxgkCbUnmapMemory: 80,
        DxgkCbWriteDeviceSpace: 88,
        DxgkCbIsDevicePresent: 96,
        DxgkCbGetHandleData: 104,
        DxgkCbGetHandleParent: 112,
        DxgkCbEnumHandleChildren: 120,
        DxgkCbNotifyInterrupt: 128,
        DxgkCbNotifyDpc: 136,
        DxgkCbQueryVidPnInterface: 144,
        DxgkCbQueryMonitorInterface: 152,
        DxgkCbGetCaptureAddress: 160,
        DxgkCbLogEtwEvent: 168,
        DxgkCbExcludeAdapterAccess: 176,
        DxgkCbCreateContextAllocation: 184,
        DxgkCbDestroyContextAllocation: 192,
        DxgkCbSetPowerComponentActive: 200,
        DxgkCbSetPowerComponentIdle: 208,
        DxgkCbAcquirePostDisplayOwnership: 216,
        DxgkCbPowerRuntimeControlRequest: 224,
        DxgkCbSetPowerComponentLatency: 232,
        DxgkCbSetPowerComponentResidency: 240,
        DxgkCbCompleteFStateTransition: 248,
        DxgkCbCompletePStateTransition: 256,
        DxgkCbMapContextAllocation: 264,
        DxgkCbUpdateContextAllocation: 272,
        DxgkCbReserveGpuVirtualAddressRange: 280,
        DxgkCbAcquireHandleData: 288,
        DxgkCbReleaseHandleData: 296,
        DxgkCbHardwareContentProtectionTeardown: 304,
        DxgkCbMultiPlaneOverlayDisabled: 312,
        DxgkCbMitigatedRangeUpdate: 320,
        DxgkCbInvalidateHwContext: 328,
        DxgkCbIndicateConnectorChange: 336,
        DxgkCbUnblockUEFIFrameBufferRanges: 344,
        DxgkCbAcquirePostDisplayOwnership2: 352,
        DxgkCbSetProtectedSessionStatus: 360,
        DxgkCbAllocateContiguousMemory: 368,
        DxgkCbFreeContiguousMemory: 376,
        DxgkCbAllocatePagesForMdl: 384,
        DxgkCbFreePagesFromMdl: 392,
        DxgkCbPinFrameBufferForSave: 400,
        DxgkCbUnpinFrameBufferForSave: 408,
        DxgkCbMapFrameBufferPointer: 416,
        DxgkCbUnmapFrameBufferPointer: 424,
        DxgkCbMapMdlToIoMmu: 432,
        DxgkCbUnmapMdlFromIoMmu: 440,
        DxgkCbReportDiagnostic: 448,
        DxgkCbSignalEvent: 456,
        DxgkCbIsFeatureEnabled: 464,
        DxgkCbSaveMemoryForHotUpdate: 472,
        DxgkCbNotifyCursorSupportChange: 480,
        DxgkCbQueryFeatureSupport: 488,
        DxgkCbCreatePhysicalMemoryObject: 496,
        DxgkCbDestroyPhysicalMemoryObject: 504,
        DxgkCbMapPhysicalMemory: 512,
        DxgkCbUnmapPhysicalMemory: 520,
        DxgkCbAllocateAdl: 528,
        DxgkCbFreeAdl: 536,
        DxgkCbOpenPhysicalMemoryObject: 544,
        DxgkCbClosePhysicalMemoryObject: 552,
        DxgkCbPinFrameBufferForSave2: 560,
        DxgkCbDisconnectDoorbell: 568,
    }
}
