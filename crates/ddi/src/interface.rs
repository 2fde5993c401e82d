//! interface

use bitfield_struct::bitfield;

use crate::allocation::DXGK_ALLOCATIONINFOFLAGS;
use crate::base::{
    BOOLEAN, D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DDDI_VIDEO_PRESENT_TARGET_ID,
    D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, DXGKDDI_PROTECTED_CALLBACK, GUID, HANDLE, INTERFACE,
    LARGE_INTEGER, MDL, PHYSICAL_ADDRESS, PKSYNCHRONIZE_ROUTINE, PVOID,
};
use crate::doorbell::DXGKARGCB_DISCONNECTDOORBELL;
use crate::feature::{DXGKARGCB_ISFEATUREENABLED, DXGKARGCB_QUERYFEATURESUPPORT};
use crate::interrupt::DXGKARGCB_NOTIFY_INTERRUPT_DATA;
use crate::ntstatus::NTSTATUS;
use crate::pnp::{DXGK_CHILD_STATUS, DXGK_DEVICE_INFO, DXGK_DISPLAY_INFORMATION};
use crate::segment::DXGK_QUERYSEGMENTMEMORYSTATE;

/// An enumeration of the DDI. Page `ne-dispmprt-memory_caching_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MEMORY_CACHING_TYPE(pub i32);

impl MEMORY_CACHING_TYPE {
    pub const MmNonCached: Self = Self(0);
    pub const MmCached: Self = Self(1);
    pub const MmWriteCombined: Self = Self(2);
    pub const MmHardwareCoherentCached: Self = Self(3);
    pub const MmNonCachedUnordered: Self = Self(4);
    pub const MmUSWCCached: Self = Self(5);
    pub const MmMaximumCacheType: Self = Self(6);
    pub const MmNotMapped: Self = Self(-1);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_services`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SERVICES(pub i32);

impl DXGK_SERVICES {
    pub const DxgkServicesAgp: Self = Self(0);
    pub const DxgkServicesDebugReport: Self = Self(1);
    pub const DxgkServicesTimedOperation: Self = Self(2);
    pub const DxgkServicesSPB: Self = Self(3);
    pub const DxgkServicesBDD: Self = Self(4);
    pub const DxgkServicesFirmwareTable: Self = Self(5);
    pub const DxgkServicesIDD: Self = Self(6);
    pub const DxgkServicesFeature: Self = Self(7);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_physical_memory_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PHYSICAL_MEMORY_TYPE(pub i32);

impl DXGK_PHYSICAL_MEMORY_TYPE {
    pub const DXGK_PHYSICAL_MEMORY_TYPE_MDL: Self = Self(0);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY: Self = Self(1);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_SECTION: Self = Self(2);
    pub const DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_access_mode`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_ACCESS_MODE(pub i32);

impl DXGK_ACCESS_MODE {
    pub const DXGK_ACCESS_MODE_KERNEL_MODE: Self = Self(0);
    pub const DXGK_ACCESS_MODE_USER_MODE: Self = Self(1);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_memory_caching_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_MEMORY_CACHING_TYPE(pub i32);

impl DXGK_MEMORY_CACHING_TYPE {
    pub const DXGK_MEMORY_CACHING_TYPE_NON_CACHED: Self = Self(0);
    pub const DXGK_MEMORY_CACHING_TYPE_CACHED: Self = Self(1);
    pub const DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED: Self = Self(2);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_handle_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_HANDLE_TYPE(pub i32);

impl DXGK_HANDLE_TYPE {
    pub const DXGK_HANDLE_ALLOCATION: Self = Self(1);
    pub const DXGK_HANDLE_RESOURCE: Self = Self(2);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_protected_session_status`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_PROTECTED_SESSION_STATUS(pub i32);

impl DXGK_PROTECTED_SESSION_STATUS {
    pub const DXGK_PROTECTED_SESSION_STATUS_OK: Self = Self(0);
    pub const DXGK_PROTECTED_SESSION_STATUS_INVALID: Self = Self(1);
}

/// A structure of the DDI. Page `ns-dispmprt-_dxgkrnl_interface`.
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

/// A structure of the DDI. Page `ns-d3dkmddi-dxgkcb_gethandledataflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKCB_GETHANDLEDATAFLAGS {
    pub DeviceSpecific: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_gethandledata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_GETHANDLEDATA {
    pub hObject: D3DKMT_HANDLE,
    pub Type: DXGK_HANDLE_TYPE,
    pub Flags: DXGKCB_GETHANDLEDATAFLAGS,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_enumhandlechildren`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ENUMHANDLECHILDREN {
    pub hObject: D3DKMT_HANDLE,
    pub Index: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_releasehandledata`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_RELEASEHANDLEDATA {
    pub ReleaseHandle: PVOID,
    pub Type: DXGK_HANDLE_TYPE,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_createcontextallocationflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATECONTEXTALLOCATIONFLAGS {
    pub SharedAcrossContexts: bool,
    pub MapGpuVirtualAddress: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_segmentpreference`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SEGMENTPREFERENCE {
    #[bits(5)]
    pub SegmentId0: u8,
    pub Direction0: bool,
    #[bits(5)]
    pub SegmentId1: u8,
    pub Direction1: bool,
    #[bits(5)]
    pub SegmentId2: u8,
    pub Direction2: bool,
    #[bits(5)]
    pub SegmentId3: u8,
    pub Direction3: bool,
    #[bits(5)]
    pub SegmentId4: u8,
    pub Direction4: bool,
    #[bits(2)]
    pub Reserved: u8,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_segmentbankpreference`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SEGMENTBANKPREFERENCE {
    #[bits(7)]
    pub Bank0: u8,
    pub Direction0: bool,
    #[bits(7)]
    pub Bank1: u8,
    pub Direction1: bool,
    #[bits(7)]
    pub Bank2: u8,
    pub Direction2: bool,
    #[bits(7)]
    pub Bank3: u8,
    pub Direction3: bool,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_createcontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATECONTEXTALLOCATION {
    pub ContextAllocationFlags: DXGK_CREATECONTEXTALLOCATIONFLAGS,
    pub hAdapter: HANDLE,
    pub hDevice: HANDLE,
    pub hContext: HANDLE,
    pub hDriverAllocation: HANDLE,
    pub Size: usize,
    pub Alignment: u32,
    pub SupportedSegmentSet: u32,
    pub EvictionSegmentSet: u32,
    pub PreferredSegment: DXGK_SEGMENTPREFERENCE,
    pub HintedBank: DXGK_SEGMENTBANKPREFERENCE,
    pub Flags: DXGK_ALLOCATIONINFOFLAGS,
    pub hAllocation: HANDLE,
    pub PhysicalAdapterIndex: u32,
}

/// A structure of the DDI. Page `ns-d3dukmdt-d3dddigpuvirtualaddress_protection_type`.
#[bitfield(u64)]
#[derive(PartialEq, Eq)]
pub struct D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE {
    pub Write: bool,
    pub Execute: bool,
    pub Zero: bool,
    pub NoAccess: bool,
    pub SystemUseOnly: bool,
    #[bits(59)]
    pub Reserved: u64,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_mapcontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPCONTEXTALLOCATION {
    pub BaseAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MinimumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub MaximumAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub hAllocation: HANDLE,
    pub OffsetInPages: u64,
    pub SizeInPages: u64,
    pub Protection: D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE,
    pub DriverProtection: u64,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_updatecontextallocation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UPDATECONTEXTALLOCATION {
    pub hAllocation: HANDLE,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_reservegpuvirtualaddressrange`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE {
    pub hDxgkProcess: HANDLE,
    pub SizeInBytes: u64,
    pub Alignment: u32,
    pub StartVirtualAddress: u64,
    pub BaseAddress: u64,
    pub Anonymous: DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous,
}

/// The bits of [`DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE`] that its page lists without a name of
/// their own for the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous {
    pub AllowUserModeMapping: bool,
    #[bits(31)]
    __: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-_dxgk_invalidatehwcontextflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_INVALIDATEHWCONTEXTFLAGS {
    pub CollateralDamage: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-_dxgkargcb_invalidatehwcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_INVALIDATEHWCONTEXT {
    pub hAdapter: HANDLE,
    pub hHwContext: HANDLE,
    pub Flags: DXGK_INVALIDATEHWCONTEXTFLAGS,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_allocatecontiguousmemory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATECONTIGUOUSMEMORY {
    pub NumberOfBytes: usize,
    pub LowestAcceptableAddress: PHYSICAL_ADDRESS,
    pub HighestAcceptableAddress: PHYSICAL_ADDRESS,
    pub BoundaryAddressMultiple: PHYSICAL_ADDRESS,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub hMemoryHandle: HANDLE,
    pub pMemory: PVOID,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_freecontiguousmemory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREECONTIGUOUSMEMORY {
    pub hMemoryHandle: HANDLE,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_allocatepagesformdl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATEPAGESFORMDL {
    pub LowAddress: PHYSICAL_ADDRESS,
    pub HighAddress: PHYSICAL_ADDRESS,
    pub SkipBytes: PHYSICAL_ADDRESS,
    pub TotalBytes: usize,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub Flags: u32,
    pub hMemoryHandle: HANDLE,
    pub pMdl: *mut MDL,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_freepagesfrommdl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREEPAGESFROMMDL {
    pub hMemoryHandle: HANDLE,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_pinframebufferforsave`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE {
    pub PhysicalAdapterIndex: u32,
    pub CommitSize: usize,
    pub pMdl: *mut MDL,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_unpinframebufferforsave`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNPINFRAMEBUFFERFORSAVE {
    pub PhysicalAdapterIndex: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_pinframebufferforsave2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2 {
    pub PhysicalAdapterIndex: u32,
    pub CommitSize: usize,
    pub Flags: DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags,
    pub pAdl: *mut DXGK_ADL,
}

/// The `Flags` member of [`DXGKARGCB_PINFRAMEBUFFERFORSAVE2`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags {
    pub PreferContiguous: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_mapframebufferpointer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPFRAMEBUFFERPOINTER {
    pub PhysicalAdapterIndex: u32,
    pub Size: usize,
    pub Offset: usize,
    pub pBaseAddress: PVOID,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_unmapframebufferpointer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAPFRAMEBUFFERPOINTER {
    pub PhysicalAdapterIndex: u32,
    pub pBaseAddress: PVOID,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_mapmdltoiommu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAPMDLTOIOMMU {
    pub pMdl: *mut MDL,
    pub hMemoryHandle: HANDLE,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_unmapmdlfromiommu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAPMDLFROMIOMMU {
    pub hMemoryHandle: HANDLE,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_signalevent`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_SIGNALEVENT {
    pub hDxgkProcess: HANDLE,
    pub hEvent: HANDLE,
    pub Anonymous: DXGKARGCB_SIGNALEVENT_Anonymous,
}

/// The bits of [`DXGKARGCB_SIGNALEVENT`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_SIGNALEVENT_Anonymous {
    pub CpuEventObject: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_create_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT {
    pub hAdapter: HANDLE,
    pub Size: usize,
    pub Context: usize,
    pub Type: DXGK_PHYSICAL_MEMORY_TYPE,
    pub CacheType: DXGK_MEMORY_CACHING_TYPE,
    pub Anonymous: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous,
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// The unnamed union of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`] at offset 32.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous {
    pub Mdl: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl,
    pub ContiguousMemory: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory,
    pub Section: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section,
    pub IOSpace: DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace,
}

/// The `IOSpace` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace {
    pub BaseAddress: PHYSICAL_ADDRESS,
}

/// The `Section` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section {
    pub DesiredAccess: u32,
    pub ObjectAttributes: PVOID,
    pub PageProtection: u32,
    pub AllocationAttributes: u32,
}

/// The `ContiguousMemory` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory {
    pub LowestAcceptableAddress: PHYSICAL_ADDRESS,
    pub HighestAcceptableAddress: PHYSICAL_ADDRESS,
    pub BoundaryAddressMultiple: PHYSICAL_ADDRESS,
}

/// The `Mdl` member of [`DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl {
    pub LowAddress: PHYSICAL_ADDRESS,
    pub HighAddress: PHYSICAL_ADDRESS,
    pub SkipBytes: PHYSICAL_ADDRESS,
    pub Flags: u32,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_destroy_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT {
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_open_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT {
    pub hPhysicalMemoryObject: HANDLE,
    pub hAdapter: HANDLE,
    pub hAdapterMemoryObject: HANDLE,
}

/// Arguments of the callback of the same name. Page
/// `ns-d3dkmddi-dxgkargcb_close_physical_memory_object`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT {
    pub hAdapterMemoryObject: HANDLE,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_map_physical_memory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_MAP_PHYSICAL_MEMORY {
    pub hPhysicalMemoryObject: HANDLE,
    pub AccessMode: DXGK_ACCESS_MODE,
    pub Offset: usize,
    pub Size: usize,
    pub pMappedAddress: PVOID,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_unmap_physical_memory`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_UNMAP_PHYSICAL_MEMORY {
    pub hPhysicalMemoryObject: HANDLE,
    pub pBaseAddress: PVOID,
    pub Size: usize,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_allocate_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ALLOCATE_ADL {
    pub hAdapterMemoryObject: HANDLE,
    pub Offset: usize,
    pub Size: usize,
    pub Flags: DXGKARGCB_ALLOCATE_ADL_Flags,
    pub pAdl: *mut DXGK_ADL,
}

/// The `Flags` member of [`DXGKARGCB_ALLOCATE_ADL`].
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_ALLOCATE_ADL_Flags {
    pub RequireContiguous: bool,
    pub PreferContiguous: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_free_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_FREE_ADL {
    pub hAdapterMemoryObject: HANDLE,
    pub pAdl: *mut DXGK_ADL,
}

/// Flags of [`DXGK_ADL`]. Page `ns-d3dkmddi-dxgk_adl_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ADL_FLAGS {
    pub Contiguous: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_adl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ADL {
    pub PageCount: u32,
    pub Flags: DXGK_ADL_FLAGS,
    pub Anonymous: DXGK_ADL_Anonymous,
}

/// The unnamed union of [`DXGK_ADL`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_ADL_Anonymous {
    pub BasePageNumber: usize,
    pub Pages: *const usize,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_protectedsessionstatus`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_PROTECTEDSESSIONSTATUS {
    pub hProtectedSession: HANDLE,
    pub Status: DXGK_PROTECTED_SESSION_STATUS,
}

/// Arguments of the callback of the same name. Page `ns-d3dkmddi-dxgkargcb_savememoryforhotupdate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_SAVEMEMORYFORHOTUPDATE {
    pub NumDataMemoryRanges: u32,
    pub pDataMemoryRanges: PVOID,
    pub pDataMdl: *mut MDL,
    pub DataSize: u32,
    pub pData: PVOID,
    pub MetaDataSize: u32,
    pub pMetaData: *mut u8,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_diagnostic_categories`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGNOSTIC_CATEGORIES {
    pub Notifications: bool,
    pub Progressions: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_diagtype_notifications`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGTYPE_NOTIFICATIONS {
    pub PanelSelfRefreshSoftware: bool,
    pub PanelSelfRefreshHardware: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_diagtype_progressions`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGTYPE_PROGRESSIONS {
    pub SyncLockEnableSync: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_diagnostic_types`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_DIAGNOSTIC_TYPES {
    pub Notifications: DXGK_DIAGTYPE_NOTIFICATIONS,
    pub Progressions: DXGK_DIAGTYPE_PROGRESSIONS,
    pub Value: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_diagnostic_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DIAGNOSTIC_HEADER {
    pub Category: DXGK_DIAGNOSTIC_CATEGORIES,
    pub Type: DXGK_DIAGNOSTIC_TYPES,
    pub Anonymous: DXGK_DIAGNOSTIC_HEADER_Anonymous,
    pub SequenceNumber: u32,
    pub Anonymous2: DXGK_DIAGNOSTIC_HEADER_Anonymous2,
}

/// The unnamed union of [`DXGK_DIAGNOSTIC_HEADER`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_DIAGNOSTIC_HEADER_Anonymous2 {
    pub TargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub SourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
    pub Id: u32,
}

/// The bits of [`DXGK_DIAGNOSTIC_HEADER`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DIAGNOSTIC_HEADER_Anonymous {
    #[bits(16)]
    pub Size: u16,
    #[bits(16)]
    pub Reserved: u16,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_timed_operation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_TIMED_OPERATION {
    pub Size: u16,
    pub OwnerTag: usize,
    pub OsHandled: BOOLEAN,
    pub TimeoutTriggered: BOOLEAN,
    pub Timeout: LARGE_INTEGER,
    pub StartTick: LARGE_INTEGER,
}

/// The callback `DxgkCbEvalAcpiMethod`. Page `nc-dispmprt-dxgkcb_eval_acpi_method`.
pub type DXGKCB_EVAL_ACPI_METHOD = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DeviceUid: u32,
    AcpiInputBuffer: PVOID,
    AcpiInputSize: u32,
    AcpiOutputBuffer: PVOID,
    AcpiOutputSize: u32,
) -> NTSTATUS;

/// The callback `DxgkCbGetDeviceInformation`. Page `nc-dispmprt-dxgkcb_get_device_information`.
pub type DXGKCB_GET_DEVICE_INFORMATION =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, DeviceInfo: *mut DXGK_DEVICE_INFO) -> NTSTATUS;

/// The callback `DxgkCbIndicateChildStatus`. Page `nc-dispmprt-dxgkcb_indicate_child_status`.
pub type DXGKCB_INDICATE_CHILD_STATUS =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, ChildStatus: *mut DXGK_CHILD_STATUS) -> NTSTATUS;

/// The callback `DxgkCbMapMemory`. Page `nc-dispmprt-dxgkcb_map_memory`.
pub type DXGKCB_MAP_MEMORY = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    TranslatedAddress: PHYSICAL_ADDRESS,
    Length: u32,
    InIoSpace: BOOLEAN,
    MapToUserMode: BOOLEAN,
    CacheType: MEMORY_CACHING_TYPE,
    VirtualAddress: *mut PVOID,
) -> NTSTATUS;

/// The callback `DxgkCbQueueDpc`. Page `nc-dispmprt-dxgkcb_queue_dpc`.
pub type DXGKCB_QUEUE_DPC = unsafe extern "win64" fn(DeviceHandle: HANDLE) -> BOOLEAN;

/// The callback `DxgkCbQueryServices`. Page `nc-dispmprt-dxgkcb_query_services`.
pub type DXGKCB_QUERY_SERVICES = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    ServicesType: DXGK_SERVICES,
    Interface: *mut INTERFACE,
) -> NTSTATUS;

/// The callback `DxgkCbReadDeviceSpace`. Page `nc-dispmprt-dxgkcb_read_device_space`.
pub type DXGKCB_READ_DEVICE_SPACE = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DataType: u32,
    Buffer: PVOID,
    Offset: u32,
    Length: u32,
    BytesRead: *mut u32,
) -> NTSTATUS;

/// The callback `DxgkCbSynchronizeExecution`. Page `nc-dispmprt-dxgkcb_synchronize_execution`.
pub type DXGKCB_SYNCHRONIZE_EXECUTION = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    SynchronizeRoutine: Option<PKSYNCHRONIZE_ROUTINE>,
    Context: PVOID,
    MessageNumber: u32,
    ReturnValue: *mut u8,
) -> NTSTATUS;

/// The callback `DxgkCbUnmapMemory`. Page `nc-dispmprt-dxgkcb_unmap_memory`.
pub type DXGKCB_UNMAP_MEMORY =
    unsafe extern "win64" fn(DeviceHandle: HANDLE, VirtualAddress: PVOID) -> NTSTATUS;

/// The callback `DxgkCbWriteDeviceSpace`. Page `nc-dispmprt-dxgkcb_write_device_space`.
pub type DXGKCB_WRITE_DEVICE_SPACE = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DataType: u32,
    Buffer: PVOID,
    Offset: u32,
    Length: u32,
    BytesWritten: *mut u32,
) -> NTSTATUS;

/// The callback `DxgkCbIsDevicePresent`. Page `nc-dispmprt-dxgkcb_is_device_present`.
pub type DXGKCB_IS_DEVICE_PRESENT = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DevicePresenceParameters: PVOID,
    DevicePresent: *mut u8,
) -> NTSTATUS;

/// The callback `DxgkCbGetHandleData`. Page `nc-d3dkmddi-dxgkcb_gethandledata`.
pub type DXGKCB_GETHANDLEDATA = unsafe extern "win64" fn(*const DXGKARGCB_GETHANDLEDATA) -> PVOID;

/// The callback `DxgkCbGetHandleParent`. Page `nc-d3dkmddi-dxgkcb_gethandleparent`.
pub type DXGKCB_GETHANDLEPARENT = unsafe extern "win64" fn(hAllocation: u32) -> u32;

/// The callback `DxgkCbEnumHandleChildren`. Page `nc-d3dkmddi-dxgkcb_enumhandlechildren`.
pub type DXGKCB_ENUMHANDLECHILDREN =
    unsafe extern "win64" fn(*const DXGKARGCB_ENUMHANDLECHILDREN) -> u32;

/// The callback `DxgkCbNotifyInterrupt`. Page `nc-d3dkmddi-dxgkcb_notify_interrupt`.
pub type DXGKCB_NOTIFY_INTERRUPT =
    unsafe extern "win64" fn(hAdapter: HANDLE, *mut DXGKARGCB_NOTIFY_INTERRUPT_DATA);

/// The callback `DxgkCbNotifyDpc`. Page `nc-d3dkmddi-dxgkcb_notify_dpc`.
pub type DXGKCB_NOTIFY_DPC = unsafe extern "win64" fn(hAdapter: HANDLE);

/// A callback whose arguments this crate does not describe.
pub type DXGKCB_QUERYVIDPNINTERFACE = unsafe extern "win64" fn();

/// A callback whose arguments this crate does not describe.
pub type DXGKCB_QUERYMONITORINTERFACE = unsafe extern "win64" fn();

/// The callback `DxgkCbGetCaptureAddress`. Page `nc-d3dkmddi-dxgkcb_getcaptureaddress`.
pub type DXGKCB_GETCAPTUREADDRESS = unsafe extern "win64" fn(PVOID) -> NTSTATUS;

/// The callback `DxgkCbLogEtwEvent`. Page `nc-dispmprt-dxgkcb_log_etw_event`.
pub type DXGKCB_LOG_ETW_EVENT = unsafe extern "win64" fn(
    EventGuid: *const GUID,
    Type: BOOLEAN,
    EventBufferSize: u16,
    EventBuffer: PVOID,
);

/// The callback `DxgkCbExcludeAdapterAccess`. Page `nc-dispmprt-dxgkcb_exclude_adapter_access`.
pub type DXGKCB_EXCLUDE_ADAPTER_ACCESS = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    Attributes: u32,
    DxgkProtectedCallback: Option<DXGKDDI_PROTECTED_CALLBACK>,
    ProtectedCallbackContext: PVOID,
) -> NTSTATUS;

/// The callback `DxgkCbCreateContextAllocation`. Page `nc-d3dkmddi-dxgkcb_createcontextallocation`.
pub type DXGKCB_CREATECONTEXTALLOCATION =
    unsafe extern "win64" fn(*mut DXGKARGCB_CREATECONTEXTALLOCATION) -> NTSTATUS;

/// The callback `DxgkCbDestroyContextAllocation`. Page
/// `nc-d3dkmddi-dxgkcb_destroycontextallocation`.
pub type DXGKCB_DESTROYCONTEXTALLOCATION =
    unsafe extern "win64" fn(hAdapter: HANDLE, hAllocation: HANDLE) -> NTSTATUS;

/// The callback `DxgkCbSetPowerComponentActive`. Page `nc-d3dkmddi-dxgkcb_setpowercomponentactive`.
pub type DXGKCB_SETPOWERCOMPONENTACTIVE =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// The callback `DxgkCbSetPowerComponentIdle`. Page `nc-d3dkmddi-dxgkcb_setpowercomponentidle`.
pub type DXGKCB_SETPOWERCOMPONENTIDLE =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// The callback `DxgkCbAcquirePostDisplayOwnership`. Page
/// `nc-dispmprt-dxgkcb_acquire_post_display_ownership`.
pub type DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
) -> NTSTATUS;

/// The callback `DxgkCbPowerRuntimeControlRequest`. Page
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

/// The callback `DxgkCbSetPowerComponentLatency`. Page
/// `nc-d3dkmddi-dxgkcb_setpowercomponentlatency`.
pub type DXGKCB_SETPOWERCOMPONENTLATENCY =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, Latency: u64);

/// The callback `DxgkCbSetPowerComponentResidency`. Page
/// `nc-d3dkmddi-dxgkcb_setpowercomponentresidency`.
pub type DXGKCB_SETPOWERCOMPONENTRESIDENCY =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, Residency: u64);

/// The callback `DxgkCbCompleteFStateTransition`. Page
/// `nc-d3dkmddi-dxgkcb_completefstatetransition`.
pub type DXGKCB_COMPLETEFSTATETRANSITION =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32);

/// The callback `DxgkCbCompletePStateTransition`. Page
/// `nc-d3dkmddi-dxgkcb_completepstatetransition`.
pub type DXGKCB_COMPLETEPSTATETRANSITION =
    unsafe extern "win64" fn(hAdapter: HANDLE, ComponentIndex: u32, CompletedPState: u32);

/// The callback `DxgkCbMapContextAllocation`. Page `nc-d3dkmddi-dxgkcb_mapcontextallocation`.
pub type DXGKCB_MAPCONTEXTALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_MAPCONTEXTALLOCATION,
) -> usize;

/// The callback `DxgkCbUpdateContextAllocation`. Page `nc-d3dkmddi-dxgkcb_updatecontextallocation`.
pub type DXGKCB_UPDATECONTEXTALLOCATION = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_UPDATECONTEXTALLOCATION,
) -> NTSTATUS;

/// The callback `DxgkCbReserveGpuVirtualAddressRange`. Page
/// `nc-d3dkmddi-dxgkcb_reservegpuvirtualaddressrange`.
pub type DXGKCB_RESERVEGPUVIRTUALADDRESSRANGE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *mut DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE,
) -> NTSTATUS;

/// The callback `DxgkCbAcquireHandleData`. Page `nc-d3dkmddi-dxgkcb_acquirehandledata`.
pub type DXGKCB_ACQUIREHANDLEDATA =
    unsafe extern "win64" fn(*const DXGKARGCB_GETHANDLEDATA, *mut PVOID) -> PVOID;

/// The callback `DxgkCbReleaseHandleData`. Page `nc-d3dkmddi-dxgkcb_releasehandledata`.
pub type DXGKCB_RELEASEHANDLEDATA = unsafe extern "win64" fn(DXGKARGCB_RELEASEHANDLEDATA);

/// The callback `DxgkCbHardwareContentProtectionTeardown`. Page
/// `nc-d3dkmddi-dxgkcb_hardwarecontentprotectionteardown`.
pub type DXGKCB_HARDWARECONTENTPROTECTIONTEARDOWN =
    unsafe extern "win64" fn(hAdapter: HANDLE, Flags: u32);

/// The callback `DxgkCbMultiPlaneOverlayDisabled`. Page
/// `nc-d3dkmddi-dxgkcb_multiplaneoverlaydisabled`.
pub type DXGKCB_MULTIPLANEOVERLAYDISABLED =
    unsafe extern "win64" fn(hAdapter: HANDLE, VidPnSourceId: u32);

/// The callback `DxgkCbMitigatedRangeUpdate`. Page
/// `nc-d3dkmddi-dxgkcb_dxgkcb_mitigatedrangeupdate`.
pub type DXGKCB_DXGKCB_MITIGATEDRANGEUPDATE =
    unsafe extern "win64" fn(hAdapter: HANDLE, VirtualFunctionIndex: u32);

/// The callback `DxgkCbInvalidateHwContext`. Page `nc-d3dkmddi-dxgkcb_invalidatehwcontext`.
pub type DXGKCB_INVALIDATEHWCONTEXT =
    unsafe extern "win64" fn(*const DXGKARGCB_INVALIDATEHWCONTEXT) -> NTSTATUS;

/// The callback `DxgkCbIndicateConnectorChange`. Page
/// `nc-dispmprt-dxgkcb_indicate_connector_change`.
pub type DXGKCB_INDICATE_CONNECTOR_CHANGE = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// The callback `DxgkCbUnblockUEFIFrameBufferRanges`. Page
/// `nc-d3dkmddi-dxgkcb_unblockuefiframebufferranges`.
pub type DXGKCB_UNBLOCKUEFIFRAMEBUFFERRANGES = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSegmentMemoryState: *const DXGK_QUERYSEGMENTMEMORYSTATE,
) -> NTSTATUS;

/// The callback `DxgkCbAcquirePostDisplayOwnership2`. Page
/// `nc-dispmprt-dxgkcb_acquire_post_display_ownership2`.
pub type DXGKCB_ACQUIRE_POST_DISPLAY_OWNERSHIP2 = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    Flags: PVOID,
) -> NTSTATUS;

/// The callback `DxgkCbSetProtectedSessionStatus`. Page
/// `nc-d3dkmddi-dxgkcb_setprotectedsessionstatus`.
pub type DXGKCB_SETPROTECTEDSESSIONSTATUS = unsafe extern "win64" fn(
    pProtectedSessionStatus: *const DXGKARGCB_PROTECTEDSESSIONSTATUS,
) -> NTSTATUS;

/// The callback `DxgkCbAllocateContiguousMemory`. Page
/// `nc-d3dkmddi-dxgkcb_allocatecontiguousmemory`.
pub type DXGKCB_ALLOCATECONTIGUOUSMEMORY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pAllocateContiguousMemory: *mut DXGKARGCB_ALLOCATECONTIGUOUSMEMORY,
) -> NTSTATUS;

/// The callback `DxgkCbFreeContiguousMemory`. Page `nc-d3dkmddi-dxgkcb_freecontiguousmemory`.
pub type DXGKCB_FREECONTIGUOUSMEMORY = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pFreeContiguousMemory: *const DXGKARGCB_FREECONTIGUOUSMEMORY,
) -> NTSTATUS;

/// The callback `DxgkCbAllocatePagesForMdl`. Page `nc-d3dkmddi-dxgkcb_allocatepagesformdl`.
pub type DXGKCB_ALLOCATEPAGESFORMDL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pAllocatePagesForMdl: *mut DXGKARGCB_ALLOCATEPAGESFORMDL,
) -> NTSTATUS;

/// The callback `DxgkCbFreePagesFromMdl`. Page `nc-d3dkmddi-dxgkcb_freepagesfrommdl`.
pub type DXGKCB_FREEPAGESFROMMDL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pFreePagesFromMdl: *const DXGKARGCB_FREEPAGESFROMMDL,
) -> NTSTATUS;

/// The callback `DxgkCbPinFrameBufferForSave`. Page `nc-d3dkmddi-dxgkcb_pinframebufferforsave`.
pub type DXGKCB_PINFRAMEBUFFERFORSAVE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPinFrameBufferForSave: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE,
) -> NTSTATUS;

/// The callback `DxgkCbUnpinFrameBufferForSave`. Page `nc-d3dkmddi-dxgkcb_unpinframebufferforsave`.
pub type DXGKCB_UNPINFRAMEBUFFERFORSAVE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnpinFrameBufferForSave: *const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE,
) -> NTSTATUS;

/// The callback `DxgkCbMapFrameBufferPointer`. Page `nc-d3dkmddi-dxgkcb_mapframebufferpointer`.
pub type DXGKCB_MAPFRAMEBUFFERPOINTER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pMapFrameBufferPointer: *mut DXGKARGCB_MAPFRAMEBUFFERPOINTER,
) -> NTSTATUS;

/// The callback `DxgkCbUnmapFrameBufferPointer`. Page `nc-d3dkmddi-dxgkcb_unmapframebufferpointer`.
pub type DXGKCB_UNMAPFRAMEBUFFERPOINTER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnmapFrameBufferPointer: *const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER,
) -> NTSTATUS;

/// The callback `DxgkCbMapMdlToIoMmu`. Page `nc-d3dkmddi-dxgkcb_mapmdltoiommu`.
pub type DXGKCB_MAPMDLTOIOMMU = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pMapMdlToIoMmu: *mut DXGKARGCB_MAPMDLTOIOMMU,
) -> NTSTATUS;

/// The callback `DxgkCbUnmapMdlFromIoMmu`. Page `nc-d3dkmddi-dxgkcb_unmapmdlfromiommu`.
pub type DXGKCB_UNMAPMDLFROMIOMMU = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUnmapMdlFromIoMmu: *const DXGKARGCB_UNMAPMDLFROMIOMMU,
);

/// The callback `DxgkCbReportDiagnostic`. Page `nc-dispmprt-dxgkcb_report_diagnostic`.
pub type DXGKCB_REPORT_DIAGNOSTIC = unsafe extern "win64" fn(
    DeviceHandle: HANDLE,
    pDiagnostic: *mut DXGK_DIAGNOSTIC_HEADER,
) -> NTSTATUS;

/// The callback `DxgkCbSignalEvent`. Page `nc-d3dkmddi-dxgkcb_signalevent`.
pub type DXGKCB_SIGNALEVENT = unsafe extern "win64" fn(*const DXGKARGCB_SIGNALEVENT) -> NTSTATUS;

/// The callback `DxgkCbIsFeatureEnabled`. Page `nc-d3dkmddi-dxgkcb_isfeatureenabled`.
pub type DXGKCB_ISFEATUREENABLED =
    unsafe extern "win64" fn(*mut DXGKARGCB_ISFEATUREENABLED) -> NTSTATUS;

/// The callback `DxgkCbSaveMemoryForHotUpdate`. Page `nc-d3dkmddi-dxgkcb_savememoryforhotupdate`.
pub type DXGKCB_SAVEMEMORYFORHOTUPDATE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *const DXGKARGCB_SAVEMEMORYFORHOTUPDATE,
) -> NTSTATUS;

/// The callback `DxgkCbNotifyCursorSupportChange`. Page
/// `nc-d3dkmddi-dxgkcb_notifycursorsupportchange`.
pub type DXGKCB_NOTIFYCURSORSUPPORTCHANGE = unsafe extern "win64" fn(pArgs: PVOID) -> NTSTATUS;

/// The callback `DxgkCbQueryFeatureSupport`. Page `nc-d3dkmddi-dxgkcb_queryfeaturesupport`.
pub type DXGKCB_QUERYFEATURESUPPORT =
    unsafe extern "win64" fn(*mut DXGKARGCB_QUERYFEATURESUPPORT) -> NTSTATUS;

/// The callback `DxgkCbCreatePhysicalMemoryObject`. Page
/// `nc-d3dkmddi-dxgkcb_createphysicalmemoryobject`.
pub type DXGKCB_CREATEPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT) -> NTSTATUS;

/// The callback `DxgkCbDestroyPhysicalMemoryObject`. Page
/// `nc-d3dkmddi-dxgkcb_destroyphysicalmemoryobject`.
pub type DXGKCB_DESTROYPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT);

/// The callback `DxgkCbMapPhysicalMemory`. Page `nc-d3dkmddi-dxgkcb_mapphysicalmemory`.
pub type DXGKCB_MAPPHYSICALMEMORY =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_MAP_PHYSICAL_MEMORY) -> NTSTATUS;

/// The callback `DxgkCbUnmapPhysicalMemory`. Page `nc-d3dkmddi-dxgkcb_unmapphysicalmemory`.
pub type DXGKCB_UNMAPPHYSICALMEMORY =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_UNMAP_PHYSICAL_MEMORY);

/// The callback `DxgkCbAllocateAdl`. Page `nc-d3dkmddi-dxgkcb_allocateadl`.
pub type DXGKCB_ALLOCATEADL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_ALLOCATE_ADL) -> NTSTATUS;

/// The callback `DxgkCbFreeAdl`. Page `nc-d3dkmddi-dxgkcb_freeadl`.
pub type DXGKCB_FREEADL = unsafe extern "win64" fn(pArgs: *const DXGKARGCB_FREE_ADL);

/// The callback `DxgkCbOpenPhysicalMemoryObject`. Page
/// `nc-d3dkmddi-dxgkcb_openphysicalmemoryobject`.
pub type DXGKCB_OPENPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT) -> NTSTATUS;

/// The callback `DxgkCbClosePhysicalMemoryObject`. Page
/// `nc-d3dkmddi-dxgkcb_closephysicalmemoryobject`.
pub type DXGKCB_CLOSEPHYSICALMEMORYOBJECT =
    unsafe extern "win64" fn(pArgs: *const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT);

/// The callback `DxgkCbPinFrameBufferForSave2`. Page `nc-d3dkmddi-dxgkcb_pinframebufferforsave2`.
pub type DXGKCB_PINFRAMEBUFFERFORSAVE2 = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPinFrameBufferForSave2: *mut DXGKARGCB_PINFRAMEBUFFERFORSAVE2,
) -> NTSTATUS;

/// The callback `DxgkCbDisconnectDoorbell`. Page `nc-d3dkmddi-dxgkcb_disconnectdoorbell`.
pub type DXGKCB_DISCONNECTDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_DISCONNECTDOORBELL) -> NTSTATUS;

opaque_debug! {
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous,
    DXGK_ADL_Anonymous,
    DXGK_DIAGNOSTIC_TYPES,
    DXGK_DIAGNOSTIC_HEADER_Anonymous2,
}

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
    DXGKCB_GETHANDLEDATAFLAGS = 4 {
    }
    DXGKARGCB_GETHANDLEDATA = 12 {
        hObject: 0,
        Type: 4,
        Flags: 8,
    }
    DXGKARGCB_ENUMHANDLECHILDREN = 8 {
        hObject: 0,
        Index: 4,
    }
    DXGKARGCB_RELEASEHANDLEDATA = 16 {
        ReleaseHandle: 0,
        Type: 8,
    }
    DXGK_CREATECONTEXTALLOCATIONFLAGS = 4 {
    }
    DXGK_SEGMENTPREFERENCE = 4 {
    }
    DXGK_SEGMENTBANKPREFERENCE = 4 {
    }
    DXGKARGCB_CREATECONTEXTALLOCATION = 88 {
        ContextAllocationFlags: 0,
        hAdapter: 8,
        hDevice: 16,
        hContext: 24,
        hDriverAllocation: 32,
        Size: 40,
        Alignment: 48,
        SupportedSegmentSet: 52,
        EvictionSegmentSet: 56,
        PreferredSegment: 60,
        HintedBank: 64,
        Flags: 68,
        hAllocation: 72,
        PhysicalAdapterIndex: 80,
    }
    D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE = 8 {
    }
    DXGKARGCB_MAPCONTEXTALLOCATION = 64 {
        BaseAddress: 0,
        MinimumAddress: 8,
        MaximumAddress: 16,
        hAllocation: 24,
        OffsetInPages: 32,
        SizeInPages: 40,
        Protection: 48,
        DriverProtection: 56,
    }
    DXGKARGCB_UPDATECONTEXTALLOCATION = 24 {
        hAllocation: 0,
        pPrivateDriverData: 8,
        PrivateDriverDataSize: 16,
    }
    DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE = 48 {
        hDxgkProcess: 0,
        SizeInBytes: 8,
        Alignment: 16,
        StartVirtualAddress: 24,
        BaseAddress: 32,
        Anonymous: 40,
    }
    DXGKARGCB_RESERVEGPUVIRTUALADDRESSRANGE_Anonymous = 4 {
    }
    DXGK_INVALIDATEHWCONTEXTFLAGS = 4 {
    }
    DXGKARGCB_INVALIDATEHWCONTEXT = 24 {
        hAdapter: 0,
        hHwContext: 8,
        Flags: 16,
    }
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY = 56 {
        NumberOfBytes: 0,
        LowestAcceptableAddress: 8,
        HighestAcceptableAddress: 16,
        BoundaryAddressMultiple: 24,
        CacheType: 32,
        hMemoryHandle: 40,
        pMemory: 48,
    }
    DXGKARGCB_FREECONTIGUOUSMEMORY = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_ALLOCATEPAGESFORMDL = 56 {
        LowAddress: 0,
        HighAddress: 8,
        SkipBytes: 16,
        TotalBytes: 24,
        CacheType: 32,
        Flags: 36,
        hMemoryHandle: 40,
        pMdl: 48,
    }
    DXGKARGCB_FREEPAGESFROMMDL = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE = 24 {
        PhysicalAdapterIndex: 0,
        CommitSize: 8,
        pMdl: 16,
    }
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE = 4 {
        PhysicalAdapterIndex: 0,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 = 32 {
        PhysicalAdapterIndex: 0,
        CommitSize: 8,
        Flags: 16,
        pAdl: 24,
    }
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2_Flags = 4 {
    }
    DXGKARGCB_MAPFRAMEBUFFERPOINTER = 32 {
        PhysicalAdapterIndex: 0,
        Size: 8,
        Offset: 16,
        pBaseAddress: 24,
    }
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER = 16 {
        PhysicalAdapterIndex: 0,
        pBaseAddress: 8,
    }
    DXGKARGCB_MAPMDLTOIOMMU = 16 {
        pMdl: 0,
        hMemoryHandle: 8,
    }
    DXGKARGCB_UNMAPMDLFROMIOMMU = 8 {
        hMemoryHandle: 0,
    }
    DXGKARGCB_SIGNALEVENT = 24 {
        hDxgkProcess: 0,
        hEvent: 8,
        Anonymous: 16,
    }
    DXGKARGCB_SIGNALEVENT_Anonymous = 4 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT = 80 {
        hAdapter: 0,
        Size: 8,
        Context: 16,
        Type: 24,
        CacheType: 28,
        Anonymous: 32,
        Anonymous.Mdl: 32,
        Anonymous.Mdl.LowAddress: 32,
        Anonymous.Mdl.HighAddress: 40,
        Anonymous.Mdl.SkipBytes: 48,
        Anonymous.Mdl.Flags: 56,
        Anonymous.ContiguousMemory: 32,
        Anonymous.ContiguousMemory.LowestAcceptableAddress: 32,
        Anonymous.ContiguousMemory.HighestAcceptableAddress: 40,
        Anonymous.ContiguousMemory.BoundaryAddressMultiple: 48,
        Anonymous.Section: 32,
        Anonymous.Section.DesiredAccess: 32,
        Anonymous.Section.ObjectAttributes: 40,
        Anonymous.Section.PageProtection: 48,
        Anonymous.Section.AllocationAttributes: 52,
        Anonymous.IOSpace: 32,
        Anonymous.IOSpace.BaseAddress: 32,
        hPhysicalMemoryObject: 64,
        hAdapterMemoryObject: 72,
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Anonymous = 32 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_IOSpace = 8 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Section = 24 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_ContiguousMemory = 24 {
    }
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT_Mdl = 32 {
    }
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT = 16 {
        hPhysicalMemoryObject: 0,
        hAdapterMemoryObject: 8,
    }
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT = 24 {
        hPhysicalMemoryObject: 0,
        hAdapter: 8,
        hAdapterMemoryObject: 16,
    }
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT = 8 {
        hAdapterMemoryObject: 0,
    }
    DXGKARGCB_MAP_PHYSICAL_MEMORY = 40 {
        hPhysicalMemoryObject: 0,
        AccessMode: 8,
        Offset: 16,
        Size: 24,
        pMappedAddress: 32,
    }
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY = 24 {
        hPhysicalMemoryObject: 0,
        pBaseAddress: 8,
        Size: 16,
    }
    DXGKARGCB_ALLOCATE_ADL = 40 {
        hAdapterMemoryObject: 0,
        Offset: 8,
        Size: 16,
        Flags: 24,
        pAdl: 32,
    }
    DXGKARGCB_ALLOCATE_ADL_Flags = 4 {
    }
    DXGKARGCB_FREE_ADL = 16 {
        hAdapterMemoryObject: 0,
        pAdl: 8,
    }
    DXGK_ADL_FLAGS = 4 {
    }
    DXGK_ADL = 16 {
        PageCount: 0,
        Flags: 4,
        Anonymous: 8,
        Anonymous.BasePageNumber: 8,
        Anonymous.Pages: 8,
    }
    DXGK_ADL_Anonymous = 8 {
    }
    DXGKARGCB_PROTECTEDSESSIONSTATUS = 16 {
        hProtectedSession: 0,
        Status: 8,
    }
    DXGKARGCB_SAVEMEMORYFORHOTUPDATE = 56 {
        NumDataMemoryRanges: 0,
        pDataMemoryRanges: 8,
        pDataMdl: 16,
        DataSize: 24,
        pData: 32,
        MetaDataSize: 40,
        pMetaData: 48,
    }
    DXGK_DIAGNOSTIC_CATEGORIES = 4 {
    }
    DXGK_DIAGTYPE_NOTIFICATIONS = 4 {
    }
    DXGK_DIAGTYPE_PROGRESSIONS = 4 {
    }
    DXGK_DIAGNOSTIC_TYPES = 4 {
        Notifications: 0,
        Progressions: 0,
        Value: 0,
    }
    DXGK_DIAGNOSTIC_HEADER = 20 {
        Category: 0,
        Type: 4,
        Anonymous: 8,
        SequenceNumber: 12,
        Anonymous2: 16,
        Anonymous2.TargetId: 16,
        Anonymous2.SourceId: 16,
        Anonymous2.Id: 16,
    }
    DXGK_DIAGNOSTIC_HEADER_Anonymous2 = 4 {
    }
    DXGK_DIAGNOSTIC_HEADER_Anonymous = 4 {
    }
    DXGK_TIMED_OPERATION = 40 {
        Size: 0,
        OwnerTag: 8,
        OsHandled: 16,
        TimeoutTriggered: 17,
        Timeout: 24,
        StartTick: 32,
    }
}
