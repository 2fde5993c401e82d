//! submit

use core::ffi::c_void;

use bitfield_struct::bitfield;

use crate::allocation::{D3DDDI_PATCHLOCATIONLIST, DXGK_ALLOCATIONLIST};
use crate::base::{
    D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID,
};
use crate::ntstatus::NTSTATUS;

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_scheduling_log_context_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_CONTEXT_STATE(pub i32);

impl DXGK_SCHEDULING_LOG_CONTEXT_STATE {
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_IDLE: Self = Self(0);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_RUNNING: Self = Self(1);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY: Self = Self(2);
    pub const DXGK_SCHEDULING_LOG_CONTEXT_STATE_READY_STANDBY: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_scheduling_priority_band`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SCHEDULING_PRIORITY_BAND(pub i32);

impl DXGK_SCHEDULING_PRIORITY_BAND {
    pub const DXGK_SCHEDULING_PRIORITY_BAND_IDLE: Self = Self(0);
    pub const DXGK_SCHEDULING_PRIORITY_BAND_NORMAL: Self = Self(1);
    pub const DXGK_SCHEDULING_PRIORITY_BAND_FOCUS: Self = Self(2);
    pub const DXGK_SCHEDULING_PRIORITY_BAND_REALTIME: Self = Self(3);
    pub const DXGK_SCHEDULING_PRIORITY_BAND_COUNT: Self = Self(4);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_kernel_submission_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_KERNEL_SUBMISSION_TYPE(pub i32);

impl DXGK_KERNEL_SUBMISSION_TYPE {
    pub const DXGK_KERNEL_SUBMISSION_BUILD_PAGING_BUFFER: Self = Self(0);
    pub const DXGK_KERNEL_SUBMISSION_RENDERGDI: Self = Self(1);
    pub const DXGK_KERNEL_SUBMISSION_PRESENTBLT: Self = Self(2);
}

/// An enumeration of the DDI. Page `ne-d3dukmdt-d3dddi_flipinterval_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_FLIPINTERVAL_TYPE(pub i32);

impl D3DDDI_FLIPINTERVAL_TYPE {
    pub const D3DDDI_FLIPINTERVAL_IMMEDIATE: Self = Self(0);
    pub const D3DDDI_FLIPINTERVAL_ONE: Self = Self(1);
    pub const D3DDDI_FLIPINTERVAL_TWO: Self = Self(2);
    pub const D3DDDI_FLIPINTERVAL_THREE: Self = Self(3);
    pub const D3DDDI_FLIPINTERVAL_FOUR: Self = Self(4);
    pub const D3DDDI_FLIPINTERVAL_IMMEDIATE_ALLOW_TEARING: Self = Self(5);
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_submitcommandflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SUBMITCOMMANDFLAGS {
    pub Paging: bool,
    pub Present: bool,
    pub RedirectedPresent: bool,
    pub NullRendering: bool,
    pub Flip: bool,
    pub FlipWithNoWait: bool,
    pub ContextSwitch: bool,
    pub Resubmission: bool,
    pub VirtualMachineData: bool,
    #[bits(23)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_submitcommand`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SUBMITCOMMAND {
    pub Anonymous: DXGKARG_SUBMITCOMMAND_Anonymous,
    pub DmaBufferSegmentId: u32,
    pub DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
    pub DmaBufferSize: u32,
    pub DmaBufferSubmissionStartOffset: u32,
    pub DmaBufferSubmissionEndOffset: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub DmaBufferPrivateDataSubmissionStartOffset: u32,
    pub DmaBufferPrivateDataSubmissionEndOffset: u32,
    pub SubmissionFenceId: u32,
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
    pub FlipInterval: D3DDDI_FLIPINTERVAL_TYPE,
    pub Flags: DXGK_SUBMITCOMMANDFLAGS,
    pub EngineOrdinal: u32,
    pub DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub NodeOrdinal: u32,
}

/// The unnamed union of [`DXGKARG_SUBMITCOMMAND`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_SUBMITCOMMAND_Anonymous {
    pub hDevice: HANDLE,
    pub hContext: HANDLE,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_submitcommandvirtual`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SUBMITCOMMANDVIRTUAL {
    pub hContext: HANDLE,
    pub DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DmaBufferSize: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub DmaBufferUmdPrivateDataSize: u32,
    pub SubmissionFenceId: u32,
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
    pub FlipInterval: D3DDDI_FLIPINTERVAL_TYPE,
    pub Flags: DXGK_SUBMITCOMMANDFLAGS,
    pub EngineOrdinal: u32,
    pub NodeOrdinal: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-_dxgkarg_submitcommandtohwqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SUBMITCOMMANDTOHWQUEUE {
    pub hHwQueue: HANDLE,
    pub HwQueueProgressFenceId: u64,
    pub DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DmaBufferSize: u32,
    pub DmaBufferPrivateDataSize: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub Flags: DXGK_SUBMITCOMMANDFLAGS,
    pub HwQueueProgressFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub HwQueueProgressFenceCpuVa: PVOID,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_preemptcommandflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PREEMPTCOMMANDFLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_preemptcommand`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_PREEMPTCOMMAND {
    pub PreemptionFenceId: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub Flags: DXGK_PREEMPTCOMMANDFLAGS,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_cancelcommand`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CANCELCOMMAND {
    pub hContext: HANDLE,
    pub pDmaBuffer: PVOID,
    pub DmaBufferSize: u32,
    pub DmaBufferSubmissionStartOffset: u32,
    pub DmaBufferSubmissionEndOffset: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub DmaBufferPrivateDataSubmissionStartOffset: u32,
    pub DmaBufferPrivateDataSubmissionEndOffset: u32,
    pub pAllocationList: *const DXGK_ALLOCATIONLIST,
    pub AllocationListSize: u32,
    pub pPatchLocationList: *const D3DDDI_PATCHLOCATIONLIST,
    pub PatchLocationListSize: u32,
    pub PatchLocationListSubmissionStart: u32,
    pub PatchLocationListSubmissionLength: u32,
    pub DmaBufferVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DmaBufferUmdPrivateDataSize: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_suspendcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SUSPENDCONTEXT {
    pub hContext: HANDLE,
    pub contextSuspendFence: u64,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_resumecontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RESUMECONTEXT {
    pub hContext: HANDLE,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-_dxgkarg_setupprioritybands`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETUPPRIORITYBANDS {
    pub gracePeriodForBand: [u64; 4],
    pub processQuantumForBand: [u64; 4],
    pub processGracePeriodForBand: [u64; 4],
    pub targetNormalBandPercentage: u32,
}

/// Arguments of the DDI of the same name. Page
/// `ns-d3dkmddi-_dxgkarg_setcontextschedulingproperties`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES {
    pub hContext: HANDLE,
    pub priorityBand: DXGK_SCHEDULING_PRIORITY_BAND,
    pub realtimeBandPriorityLevel: i32,
    pub inProcessPriority: i32,
    pub quantum: u64,
    pub gracePeriodSamePriority: u64,
    pub gracePeriodLowerPriority: u64,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-_dxgkarg_setschedulinglogbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETSCHEDULINGLOGBUFFER {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub NumberOfEntries: u32,
    pub LogBufferCpuVa: *mut DXGK_SCHEDULING_LOG_BUFFER,
    pub LogBufferGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub InterruptEntry: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_scheduling_log_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_HEADER {
    pub Anonymous: DXGK_SCHEDULING_LOG_HEADER_Anonymous,
    pub NumberOfEntries: u64,
    pub Reserved: [u64; 2],
}

/// The unnamed union of [`DXGK_SCHEDULING_LOG_HEADER`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SCHEDULING_LOG_HEADER_Anonymous {
    pub Anonymous: DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous,
    pub AtomicWraparoundAndEntryIndex: u64,
}

/// One reading of the unnamed union of [`DXGK_SCHEDULING_LOG_HEADER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous {
    pub FirstFreeEntryIndex: u32,
    pub WraparoundCount: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_scheduling_log_context_state_change`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE {
    pub hKmdContext: HANDLE,
    pub newContextState: DXGK_SCHEDULING_LOG_CONTEXT_STATE,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_scheduling_log_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_ENTRY {
    pub GpuTimeStamp: u64,
    pub Anonymous: DXGK_SCHEDULING_LOG_ENTRY_Anonymous,
    pub Anonymous2: DXGK_SCHEDULING_LOG_ENTRY_Anonymous2,
    pub Anonymous3: DXGK_SCHEDULING_LOG_ENTRY_Anonymous3,
}

/// The unnamed union of [`DXGK_SCHEDULING_LOG_ENTRY`] at offset 16.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_SCHEDULING_LOG_ENTRY_Anonymous3 {
    pub ContextStateChange: DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE,
    pub ReservedOperationData: [u64; 2],
}

/// The bits of [`DXGK_SCHEDULING_LOG_ENTRY`] that its page lists without a name of their own for
/// the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_ENTRY_Anonymous2 {
    #[bits(32)]
    pub ReservedOperationTypeBits: u32,
}

/// The bits of [`DXGK_SCHEDULING_LOG_ENTRY`] that its page lists without a name of their own for
/// the word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_SCHEDULING_LOG_ENTRY_Anonymous {
    #[bits(32)]
    pub OperationType: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_scheduling_log_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_SCHEDULING_LOG_BUFFER {
    pub Header: DXGK_SCHEDULING_LOG_HEADER,
    pub Entries: [DXGK_SCHEDULING_LOG_ENTRY; 1],
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_switchtohwcontextlist`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SWITCHTOHWCONTEXTLIST {
    pub hHwContextFirst: HANDLE,
    pub hHwContextSecond: HANDLE,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_querycurrentfence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYCURRENTFENCE {
    pub CurrentFence: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_patchflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PATCHFLAGS {
    pub Paging: bool,
    pub Present: bool,
    pub RedirectedPresent: bool,
    pub NullRendering: bool,
    #[bits(28)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_patch`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_PATCH {
    pub Anonymous: DXGKARG_PATCH_Anonymous,
    pub DmaBufferSegmentId: u32,
    pub DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
    pub pDmaBuffer: PVOID,
    pub DmaBufferSize: u32,
    pub DmaBufferSubmissionStartOffset: u32,
    pub DmaBufferSubmissionEndOffset: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub DmaBufferPrivateDataSubmissionStartOffset: u32,
    pub DmaBufferPrivateDataSubmissionEndOffset: u32,
    pub pAllocationList: *const DXGK_ALLOCATIONLIST,
    pub AllocationListSize: u32,
    pub pPatchLocationList: *const D3DDDI_PATCHLOCATIONLIST,
    pub PatchLocationListSize: u32,
    pub PatchLocationListSubmissionStart: u32,
    pub PatchLocationListSubmissionLength: u32,
    pub SubmissionFenceId: u32,
    pub Flags: DXGK_PATCHFLAGS,
    pub EngineOrdinal: u32,
}

/// The unnamed union of [`DXGKARG_PATCH`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_PATCH_Anonymous {
    pub hDevice: HANDLE,
    pub hContext: HANDLE,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_render`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RENDER {
    pub pCommand: *const c_void,
    pub CommandLength: u32,
    pub pDmaBuffer: PVOID,
    pub DmaSize: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub pAllocationList: *mut DXGK_ALLOCATIONLIST,
    pub AllocationListSize: u32,
    pub pPatchLocationListIn: *mut D3DDDI_PATCHLOCATIONLIST,
    pub PatchLocationListInSize: u32,
    pub pPatchLocationListOut: *mut D3DDDI_PATCHLOCATIONLIST,
    pub PatchLocationListOutSize: u32,
    pub MultipassOffset: u32,
    pub DmaBufferSegmentId: u32,
    pub DmaBufferPhysicalAddress: PHYSICAL_ADDRESS,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_validatesubmitcommandflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_VALIDATESUBMITCOMMANDFLAGS {
    pub HardwareQueueSubmission: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_validatesubmitcommand`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_VALIDATESUBMITCOMMAND {
    pub Commands: D3DGPU_VIRTUAL_ADDRESS,
    pub CommandLength: u32,
    pub Flags: DXGK_VALIDATESUBMITCOMMANDFLAGS,
    pub ContextCount: u32,
    pub Context: [HANDLE; 64],
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub UmdPrivateDataSize: u32,
    pub HwQueueProgressFenceId: u64,
}

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_signalmonitoredfence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SIGNALMONITOREDFENCE {
    pub KernelSubmissionType: DXGK_KERNEL_SUBMISSION_TYPE,
    pub pDmaBuffer: PVOID,
    pub DmaBufferGpuVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DmaSize: u32,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferPrivateDataSize: u32,
    pub MultipassOffset: u32,
    pub MonitoredFenceGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub MonitoredFenceValue: u64,
    pub MonitoredFenceCpuVa: PVOID,
    pub hHwQueue: HANDLE,
}

/// The entry point `DxgkDdiPatch`. Page `nc-d3dkmddi-dxgkddi_patch`.
pub type DXGKDDI_PATCH =
    unsafe extern "win64" fn(hAdapter: HANDLE, pPatch: *const DXGKARG_PATCH) -> NTSTATUS;

/// The entry point `DxgkDdiSubmitCommand`. Page `nc-d3dkmddi-dxgkddi_submitcommand`.
pub type DXGKDDI_SUBMITCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommand: *const DXGKARG_SUBMITCOMMAND,
) -> NTSTATUS;

/// The entry point `DxgkDdiPreemptCommand`. Page `nc-d3dkmddi-dxgkddi_preemptcommand`.
pub type DXGKDDI_PREEMPTCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPreemptCommand: *const DXGKARG_PREEMPTCOMMAND,
) -> NTSTATUS;

/// The entry point `DxgkDdiQueryCurrentFence`. Page `nc-d3dkmddi-dxgkddi_querycurrentfence`.
pub type DXGKDDI_QUERYCURRENTFENCE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCurrentFence: *mut DXGKARG_QUERYCURRENTFENCE,
) -> NTSTATUS;

/// The entry point `DxgkDdiRenderKm`. Page `nc-d3dkmddi-dxgkddi_render`.
pub type DXGKDDI_RENDER =
    unsafe extern "win64" fn(hContext: HANDLE, pRender: *mut DXGKARG_RENDER) -> NTSTATUS;

/// The entry point `DxgkDdiCancelCommand`. Page `nc-d3dkmddi-dxgkddi_cancelcommand`.
pub type DXGKDDI_CANCELCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCancelCommand: *const DXGKARG_CANCELCOMMAND,
) -> NTSTATUS;

/// The entry point `DxgkDdiSubmitCommandVirtual`. Page `nc-d3dkmddi-dxgkddi_submitcommandvirtual`.
pub type DXGKDDI_SUBMITCOMMANDVIRTUAL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommand: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
) -> NTSTATUS;

/// The entry point `DxgkDdiSubmitCommandToHwQueue`. Page
/// `nc-d3dkmddi-dxgkddi_submitcommandtohwqueue`.
pub type DXGKDDI_SUBMITCOMMANDTOHWQUEUE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommandToHwQueue: *const DXGKARG_SUBMITCOMMANDTOHWQUEUE,
) -> NTSTATUS;

/// The entry point `DxgkDdiSwitchToHwContextList`. Page
/// `nc-d3dkmddi-dxgkddi_switchtohwcontextlist`.
pub type DXGKDDI_SWITCHTOHWCONTEXTLIST = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pHwContextList: *const DXGKARG_SWITCHTOHWCONTEXTLIST,
) -> NTSTATUS;

/// The entry point `DxgkDdiSetSchedulingLogBuffer`. Page
/// `nc-d3dkmddi-dxgkddi_setschedulinglogbuffer`.
pub type DXGKDDI_SETSCHEDULINGLOGBUFFER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetSchedulingLogBuffer: *const DXGKARG_SETSCHEDULINGLOGBUFFER,
) -> NTSTATUS;

/// The entry point `DxgkDdiSetupPriorityBands`. Page `nc-d3dkmddi-dxgkddi_setupprioritybands`.
pub type DXGKDDI_SETUPPRIORITYBANDS = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetupPriorityBands: *const DXGKARG_SETUPPRIORITYBANDS,
) -> NTSTATUS;

/// The entry point `DxgkDdiNotifyFocusPresent`. Page `nc-d3dkmddi-dxgkddi_notifyfocuspresent`.
pub type DXGKDDI_NOTIFYFOCUSPRESENT = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// The entry point `DxgkDdiSetContextSchedulingProperties`. Page
/// `nc-d3dkmddi-dxgkddi_setcontextschedulingproperties`.
pub type DXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetContextSchedulingProperties: *const DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
) -> NTSTATUS;

/// The entry point `DxgkDdiSuspendContext`. Page `nc-d3dkmddi-dxgkddi_suspendcontext`.
pub type DXGKDDI_SUSPENDCONTEXT = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSuspendContext: *const DXGKARG_SUSPENDCONTEXT,
) -> NTSTATUS;

/// The entry point `DxgkDdiResumeContext`. Page `nc-d3dkmddi-dxgkddi_resumecontext`.
pub type DXGKDDI_RESUMECONTEXT = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pResumeContext: *const DXGKARG_RESUMECONTEXT,
) -> NTSTATUS;

/// The entry point `DxgkDdiSignalMonitoredFence`. Page `nc-d3dkmddi-dxgkddi_signalmonitoredfence`.
pub type DXGKDDI_SIGNALMONITOREDFENCE = unsafe extern "win64" fn(
    hContext: HANDLE,
    pSignalMonitoredFence: *mut DXGKARG_SIGNALMONITOREDFENCE,
) -> NTSTATUS;

/// The entry point `DxgkDdiValidateSubmitCommand`. Page
/// `nc-d3dkmddi-dxgkddi_validatesubmitcommand`.
pub type DXGKDDI_VALIDATESUBMITCOMMAND = unsafe extern "win64" fn(
    hContext: HANDLE,
    pArgs: *mut DXGKARG_VALIDATESUBMITCOMMAND,
) -> NTSTATUS;

/// The entry point `DxgkDdiDestroyCpuEvent`. Page `nc-d3dkmddi-dxgkddi_destroycpuevent`.
pub type DXGKDDI_DESTROYCPUEVENT =
    unsafe extern "win64" fn(hAdapter: HANDLE, hKmdCpuEvent: HANDLE) -> NTSTATUS;

opaque_debug! {
    DXGKARG_SUBMITCOMMAND_Anonymous,
    DXGK_SCHEDULING_LOG_HEADER_Anonymous,
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous3,
    DXGKARG_PATCH_Anonymous,
}

layouts! {
    DXGK_SUBMITCOMMANDFLAGS = 4 {
    }
    DXGKARG_SUBMITCOMMAND = 96 {
        Anonymous: 0,
        Anonymous.hDevice: 0,
        Anonymous.hContext: 0,
        DmaBufferSegmentId: 8,
        DmaBufferPhysicalAddress: 16,
        DmaBufferSize: 24,
        DmaBufferSubmissionStartOffset: 28,
        DmaBufferSubmissionEndOffset: 32,
        pDmaBufferPrivateData: 40,
        DmaBufferPrivateDataSize: 48,
        DmaBufferPrivateDataSubmissionStartOffset: 52,
        DmaBufferPrivateDataSubmissionEndOffset: 56,
        SubmissionFenceId: 60,
        VidPnSourceId: 64,
        FlipInterval: 68,
        Flags: 72,
        EngineOrdinal: 76,
        DmaBufferVirtualAddress: 80,
        NodeOrdinal: 88,
    }
    DXGKARG_SUBMITCOMMAND_Anonymous = 8 {
    }
    DXGKARG_SUBMITCOMMANDVIRTUAL = 64 {
        hContext: 0,
        DmaBufferVirtualAddress: 8,
        DmaBufferSize: 16,
        pDmaBufferPrivateData: 24,
        DmaBufferPrivateDataSize: 32,
        DmaBufferUmdPrivateDataSize: 36,
        SubmissionFenceId: 40,
        VidPnSourceId: 44,
        FlipInterval: 48,
        Flags: 52,
        EngineOrdinal: 56,
        NodeOrdinal: 60,
    }
    DXGKARG_SUBMITCOMMANDTOHWQUEUE = 64 {
        hHwQueue: 0,
        HwQueueProgressFenceId: 8,
        DmaBufferVirtualAddress: 16,
        DmaBufferSize: 24,
        DmaBufferPrivateDataSize: 28,
        pDmaBufferPrivateData: 32,
        Flags: 40,
        HwQueueProgressFenceGpuVa: 48,
        HwQueueProgressFenceCpuVa: 56,
    }
    DXGK_PREEMPTCOMMANDFLAGS = 4 {
    }
    DXGKARG_PREEMPTCOMMAND = 16 {
        PreemptionFenceId: 0,
        NodeOrdinal: 4,
        EngineOrdinal: 8,
        Flags: 12,
    }
    DXGKARG_CANCELCOMMAND = 112 {
        hContext: 0,
        pDmaBuffer: 8,
        DmaBufferSize: 16,
        DmaBufferSubmissionStartOffset: 20,
        DmaBufferSubmissionEndOffset: 24,
        pDmaBufferPrivateData: 32,
        DmaBufferPrivateDataSize: 40,
        DmaBufferPrivateDataSubmissionStartOffset: 44,
        DmaBufferPrivateDataSubmissionEndOffset: 48,
        pAllocationList: 56,
        AllocationListSize: 64,
        pPatchLocationList: 72,
        PatchLocationListSize: 80,
        PatchLocationListSubmissionStart: 84,
        PatchLocationListSubmissionLength: 88,
        DmaBufferVirtualAddress: 96,
        DmaBufferUmdPrivateDataSize: 104,
    }
    DXGKARG_SUSPENDCONTEXT = 16 {
        hContext: 0,
        contextSuspendFence: 8,
    }
    DXGKARG_RESUMECONTEXT = 8 {
        hContext: 0,
    }
    DXGKARG_SETUPPRIORITYBANDS = 104 {
        gracePeriodForBand: 0,
        processQuantumForBand: 32,
        processGracePeriodForBand: 64,
        targetNormalBandPercentage: 96,
    }
    DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES = 48 {
        hContext: 0,
        priorityBand: 8,
        realtimeBandPriorityLevel: 12,
        inProcessPriority: 16,
        quantum: 24,
        gracePeriodSamePriority: 32,
        gracePeriodLowerPriority: 40,
    }
    DXGKARG_SETSCHEDULINGLOGBUFFER = 40 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        NumberOfEntries: 8,
        LogBufferCpuVa: 16,
        LogBufferGpuVa: 24,
        InterruptEntry: 32,
    }
    DXGK_SCHEDULING_LOG_HEADER = 32 {
        Anonymous: 0,
        Anonymous.Anonymous: 0,
        Anonymous.Anonymous.FirstFreeEntryIndex: 0,
        Anonymous.Anonymous.WraparoundCount: 4,
        Anonymous.AtomicWraparoundAndEntryIndex: 0,
        NumberOfEntries: 8,
        Reserved: 16,
    }
    DXGK_SCHEDULING_LOG_HEADER_Anonymous = 8 {
    }
    DXGK_SCHEDULING_LOG_HEADER_Anonymous_Anonymous = 8 {
    }
    DXGK_SCHEDULING_LOG_CONTEXT_STATE_CHANGE = 16 {
        hKmdContext: 0,
        newContextState: 8,
    }
    DXGK_SCHEDULING_LOG_ENTRY = 32 {
        GpuTimeStamp: 0,
        Anonymous: 8,
        Anonymous2: 12,
        Anonymous3: 16,
        Anonymous3.ContextStateChange: 16,
        Anonymous3.ReservedOperationData: 16,
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous3 = 16 {
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous2 = 4 {
    }
    DXGK_SCHEDULING_LOG_ENTRY_Anonymous = 4 {
    }
    DXGK_SCHEDULING_LOG_BUFFER = 64 {
        Header: 0,
        Entries: 32,
    }
    DXGKARG_SWITCHTOHWCONTEXTLIST = 24 {
        hHwContextFirst: 0,
        hHwContextSecond: 8,
        NodeOrdinal: 16,
        EngineOrdinal: 20,
    }
    DXGKARG_QUERYCURRENTFENCE = 12 {
        CurrentFence: 0,
        NodeOrdinal: 4,
        EngineOrdinal: 8,
    }
    DXGK_PATCHFLAGS = 4 {
    }
    DXGKARG_PATCH = 120 {
        Anonymous: 0,
        Anonymous.hDevice: 0,
        Anonymous.hContext: 0,
        DmaBufferSegmentId: 8,
        DmaBufferPhysicalAddress: 16,
        pDmaBuffer: 24,
        DmaBufferSize: 32,
        DmaBufferSubmissionStartOffset: 36,
        DmaBufferSubmissionEndOffset: 40,
        pDmaBufferPrivateData: 48,
        DmaBufferPrivateDataSize: 56,
        DmaBufferPrivateDataSubmissionStartOffset: 60,
        DmaBufferPrivateDataSubmissionEndOffset: 64,
        pAllocationList: 72,
        AllocationListSize: 80,
        pPatchLocationList: 88,
        PatchLocationListSize: 96,
        PatchLocationListSubmissionStart: 100,
        PatchLocationListSubmissionLength: 104,
        SubmissionFenceId: 108,
        Flags: 112,
        EngineOrdinal: 116,
    }
    DXGKARG_PATCH_Anonymous = 8 {
    }
    DXGKARG_RENDER = 112 {
        pCommand: 0,
        CommandLength: 8,
        pDmaBuffer: 16,
        DmaSize: 24,
        pDmaBufferPrivateData: 32,
        DmaBufferPrivateDataSize: 40,
        pAllocationList: 48,
        AllocationListSize: 56,
        pPatchLocationListIn: 64,
        PatchLocationListInSize: 72,
        pPatchLocationListOut: 80,
        PatchLocationListOutSize: 88,
        MultipassOffset: 92,
        DmaBufferSegmentId: 96,
        DmaBufferPhysicalAddress: 104,
    }
    DXGK_VALIDATESUBMITCOMMANDFLAGS = 4 {
    }
    DXGKARG_VALIDATESUBMITCOMMAND = 560 {
        Commands: 0,
        CommandLength: 8,
        Flags: 12,
        ContextCount: 16,
        Context: 24,
        pPrivateDriverData: 536,
        PrivateDriverDataSize: 544,
        UmdPrivateDataSize: 548,
        HwQueueProgressFenceId: 552,
    }
    DXGKARG_SIGNALMONITOREDFENCE = 80 {
        KernelSubmissionType: 0,
        pDmaBuffer: 8,
        DmaBufferGpuVirtualAddress: 16,
        DmaSize: 24,
        pDmaBufferPrivateData: 32,
        DmaBufferPrivateDataSize: 40,
        MultipassOffset: 44,
        MonitoredFenceGpuVa: 48,
        MonitoredFenceValue: 56,
        MonitoredFenceCpuVa: 64,
        hHwQueue: 72,
    }
}
