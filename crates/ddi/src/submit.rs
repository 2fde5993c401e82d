//! Submission, preemption, suspension and priorities.

use core::ffi::c_void;

use bitfield_struct::bitfield;

use crate::allocation::{D3DDDI_PATCHLOCATIONLIST, DXGK_ALLOCATIONLIST};
use crate::base::{
    D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID,
};
use crate::ntstatus::NTSTATUS;

/// How many vertical syncs a flip waits for. Page `ne-d3dukmdt-d3dddi_flipinterval_type`.
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

/// What the kernel submits by itself. Page `ne-d3dkmddi-dxgk_kernel_submission_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_KERNEL_SUBMISSION_TYPE(pub i32);

impl DXGK_KERNEL_SUBMISSION_TYPE {
    pub const DXGK_KERNEL_SUBMISSION_BUILD_PAGING_BUFFER: Self = Self(0);
    pub const DXGK_KERNEL_SUBMISSION_RENDERGDI: Self = Self(1);
    pub const DXGK_KERNEL_SUBMISSION_PRESENTBLT: Self = Self(2);
}

/// What a DMA buffer is: paging, presentation, a null submission. Page
/// `ns-d3dkmddi-dxgk_submitcommandflags`.
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

/// Queues a DMA buffer by physical address. Page `ns-d3dkmddi-dxgkarg_submitcommand`.
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

/// Queues a DMA buffer by GPU virtual address on a context. Page
/// `ns-d3dkmddi-dxgkarg_submitcommandvirtual`.
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

/// Queues a DMA buffer on a hardware queue. Page `ns-d3dkmddi-_dxgkarg_submitcommandtohwqueue`.
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

/// Asks for the last fence that an engine has completed. Page
/// `ns-d3dkmddi-dxgkarg_querycurrentfence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYCURRENTFENCE {
    pub CurrentFence: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// What a DMA buffer is that gets patched. Page `ns-d3dkmddi-dxgk_patchflags`.
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

/// Asks for a DMA buffer's allocation addresses to be filled in. Page `ns-d3dkmddi-dxgkarg_patch`.
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

/// Asks for a command buffer to be turned into a DMA buffer. Page `ns-d3dkmddi-dxgkarg_render`.
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

/// What kind of submission is validated. Page `ns-d3dkmddi-dxgk_validatesubmitcommandflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_VALIDATESUBMITCOMMANDFLAGS {
    pub HardwareQueueSubmission: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Asks whether a submission is one that the driver accepts. Page
/// `ns-d3dkmddi-dxgkarg_validatesubmitcommand`.
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

/// Asks for commands that write a fence. Page `ns-d3dkmddi-dxgkarg_signalmonitoredfence`.
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

/// `DxgkDdiPatch` with [`DXGKARG_PATCH`]. Page `nc-d3dkmddi-dxgkddi_patch`.
pub type DXGKDDI_PATCH =
    unsafe extern "win64" fn(hAdapter: HANDLE, pPatch: *const DXGKARG_PATCH) -> NTSTATUS;

/// `DxgkDdiSubmitCommand` with [`DXGKARG_SUBMITCOMMAND`]. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_submitcommand`.
pub type DXGKDDI_SUBMITCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommand: *const DXGKARG_SUBMITCOMMAND,
) -> NTSTATUS;

/// `DxgkDdiQueryCurrentFence` with [`DXGKARG_QUERYCURRENTFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_querycurrentfence`.
pub type DXGKDDI_QUERYCURRENTFENCE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCurrentFence: *mut DXGKARG_QUERYCURRENTFENCE,
) -> NTSTATUS;

/// `DxgkDdiRenderKm` with [`DXGKARG_RENDER`]. Page `nc-d3dkmddi-dxgkddi_render`.
pub type DXGKDDI_RENDER =
    unsafe extern "win64" fn(hContext: HANDLE, pRender: *mut DXGKARG_RENDER) -> NTSTATUS;

/// `DxgkDdiSubmitCommandVirtual` with [`DXGKARG_SUBMITCOMMANDVIRTUAL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_submitcommandvirtual`.
pub type DXGKDDI_SUBMITCOMMANDVIRTUAL = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommand: *const DXGKARG_SUBMITCOMMANDVIRTUAL,
) -> NTSTATUS;

/// `DxgkDdiSubmitCommandToHwQueue` with [`DXGKARG_SUBMITCOMMANDTOHWQUEUE`]. IRQL: at most
/// DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddi_submitcommandtohwqueue`.
pub type DXGKDDI_SUBMITCOMMANDTOHWQUEUE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSubmitCommandToHwQueue: *const DXGKARG_SUBMITCOMMANDTOHWQUEUE,
) -> NTSTATUS;

/// `DxgkDdiNotifyFocusPresent`: Announces presentation by the context in focus. Page
/// `nc-d3dkmddi-dxgkddi_notifyfocuspresent`.
pub type DXGKDDI_NOTIFYFOCUSPRESENT = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// `DxgkDdiSignalMonitoredFence` with [`DXGKARG_SIGNALMONITOREDFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_signalmonitoredfence`.
pub type DXGKDDI_SIGNALMONITOREDFENCE = unsafe extern "win64" fn(
    hContext: HANDLE,
    pSignalMonitoredFence: *mut DXGKARG_SIGNALMONITOREDFENCE,
) -> NTSTATUS;

/// `DxgkDdiValidateSubmitCommand` with [`DXGKARG_VALIDATESUBMITCOMMAND`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_validatesubmitcommand`.
pub type DXGKDDI_VALIDATESUBMITCOMMAND = unsafe extern "win64" fn(
    hContext: HANDLE,
    pArgs: *mut DXGKARG_VALIDATESUBMITCOMMAND,
) -> NTSTATUS;

/// `DxgkDdiDestroyCpuEvent`: Destroys a CPU event. Page `nc-d3dkmddi-dxgkddi_destroycpuevent`.
pub type DXGKDDI_DESTROYCPUEVENT =
    unsafe extern "win64" fn(hAdapter: HANDLE, hKmdCpuEvent: HANDLE) -> NTSTATUS;

opaque_debug! {
    DXGKARG_SUBMITCOMMAND_Anonymous,
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
