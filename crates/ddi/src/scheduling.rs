//! Suspension, preemption, priorities and context lists.

use bitfield_struct::bitfield;

use crate::allocation::{D3DDDI_PATCHLOCATIONLIST, DXGK_ALLOCATIONLIST};
use crate::base::{D3DGPU_VIRTUAL_ADDRESS, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Priority bands, lowest first. Page `ne-d3dkmddi-dxgk_scheduling_priority_band`.
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

/// Takes a hardware context off the hardware; the interrupt that reports it carries the fence
/// value. Page `ns-d3dkmddi-dxgkarg_suspendcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SUSPENDCONTEXT {
    pub hContext: HANDLE,
    pub contextSuspendFence: u64,
}

/// Lets a suspended hardware context run again. Page `ns-d3dkmddi-dxgkarg_resumecontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RESUMECONTEXT {
    pub hContext: HANDLE,
}

/// Quanta and grace periods of the priority bands. Page `ns-d3dkmddi-_dxgkarg_setupprioritybands`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETUPPRIORITYBANDS {
    pub gracePeriodForBand: [u64; 4],
    pub processQuantumForBand: [u64; 4],
    pub processGracePeriodForBand: [u64; 4],
    pub targetNormalBandPercentage: u32,
}

/// Band, priority and quantum of a hardware context. Page
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

/// The hardware contexts that are to run next on an engine. Page
/// `ns-d3dkmddi-dxgkarg_switchtohwcontextlist`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SWITCHTOHWCONTEXTLIST {
    pub hHwContextFirst: HANDLE,
    pub hHwContextSecond: HANDLE,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// Flags of a preemption request, all reserved. Page `ns-d3dkmddi-dxgk_preemptcommandflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PREEMPTCOMMANDFLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Asks a node to stop what it runs. Page `ns-d3dkmddi-dxgkarg_preemptcommand`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_PREEMPTCOMMAND {
    pub PreemptionFenceId: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub Flags: DXGK_PREEMPTCOMMANDFLAGS,
}

/// Takes back a DMA buffer that was patched and not submitted. Page
/// `ns-d3dkmddi-dxgkarg_cancelcommand`.
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

/// `DxgkDdiPreemptCommand` with [`DXGKARG_PREEMPTCOMMAND`]. IRQL: DISPATCH_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_preemptcommand`.
pub type DXGKDDI_PREEMPTCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pPreemptCommand: *const DXGKARG_PREEMPTCOMMAND,
) -> NTSTATUS;

/// `DxgkDdiCancelCommand` with [`DXGKARG_CANCELCOMMAND`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_cancelcommand`.
pub type DXGKDDI_CANCELCOMMAND = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCancelCommand: *const DXGKARG_CANCELCOMMAND,
) -> NTSTATUS;

/// `DxgkDdiSwitchToHwContextList` with [`DXGKARG_SWITCHTOHWCONTEXTLIST`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_switchtohwcontextlist`.
pub type DXGKDDI_SWITCHTOHWCONTEXTLIST = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pHwContextList: *const DXGKARG_SWITCHTOHWCONTEXTLIST,
) -> NTSTATUS;

/// `DxgkDdiSetupPriorityBands` with [`DXGKARG_SETUPPRIORITYBANDS`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_setupprioritybands`.
pub type DXGKDDI_SETUPPRIORITYBANDS = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetupPriorityBands: *const DXGKARG_SETUPPRIORITYBANDS,
) -> NTSTATUS;

/// `DxgkDdiSetContextSchedulingProperties` with [`DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES`]. IRQL:
/// PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_setcontextschedulingproperties`.
pub type DXGKDDI_SETCONTEXTSCHEDULINGPROPERTIES = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSetContextSchedulingProperties: *const DXGKARG_SETCONTEXTSCHEDULINGPROPERTIES,
) -> NTSTATUS;

/// `DxgkDdiSuspendContext` with [`DXGKARG_SUSPENDCONTEXT`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_suspendcontext`.
pub type DXGKDDI_SUSPENDCONTEXT = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pSuspendContext: *const DXGKARG_SUSPENDCONTEXT,
) -> NTSTATUS;

/// `DxgkDdiResumeContext` with [`DXGKARG_RESUMECONTEXT`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_resumecontext`.
pub type DXGKDDI_RESUMECONTEXT = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pResumeContext: *const DXGKARG_RESUMECONTEXT,
) -> NTSTATUS;

layouts! {
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
    DXGKARG_SWITCHTOHWCONTEXTLIST = 24 {
        hHwContextFirst: 0,
        hHwContextSecond: 8,
        NodeOrdinal: 16,
        EngineOrdinal: 20,
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
}
