//! What the driver reports from its interrupt routine.

use bitfield_struct::bitfield;

use crate::base::{
    BOOLEAN, D3DDDI_VIDEO_PRESENT_SOURCE_ID, D3DDDI_VIDEO_PRESENT_TARGET_ID,
    D3DGPU_VIRTUAL_ADDRESS, HANDLE, PHYSICAL_ADDRESS, PVOID,
};
use crate::display::{DXGK_MIRACAST_CHUNK_INFO, DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS};
use crate::fault::{DXGK_FAULT_ERROR_CODE, DXGK_PAGE_FAULT_FLAGS, DXGK_RENDER_PIPELINE_STAGE};
use crate::ntstatus::NTSTATUS;

/// Whether the vertical sync interrupt is to be on, and keep its phase. Page
/// `ne-d3dkmddi-dxgk_crtc_vsync_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_CRTC_VSYNC_STATE(pub i32);

impl DXGK_CRTC_VSYNC_STATE {
    pub const DXGK_VSYNC_ENABLE: Self = Self(0);
    pub const DXGK_VSYNC_DISABLE_KEEP_PHASE: Self = Self(1);
    pub const DXGK_VSYNC_DISABLE_NO_PHASE: Self = Self(2);
}

/// What an engine reports of itself by a state change interrupt. Page
/// `ne-d3dkmddi-dxgk_engine_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_ENGINE_STATE(pub i32);

impl DXGK_ENGINE_STATE {
    pub const DXGK_ENGINE_STATE_ACTIVE: Self = Self(0);
    pub const DXGK_ENGINE_STATE_TRANSITION_TO_F1: Self = Self(1);
    pub const DXGK_ENGINE_STATE_HUNG: Self = Self(2);
}

/// Whether an interrupt is to be on. Page `ne-d3dkmddi-dxgk_interrupt_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_INTERRUPT_STATE(pub i32);

impl DXGK_INTERRUPT_STATE {
    pub const DXGK_INTERRUPT_ENABLE: Self = Self(0);
    pub const DXGK_INTERRUPT_DISABLE: Self = Self(1);
}

/// Kinds of interrupts that a driver reports. Page `ne-d3dkmddi-dxgk_interrupt_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_INTERRUPT_TYPE(pub i32);

impl DXGK_INTERRUPT_TYPE {
    pub const DXGK_INTERRUPT_DMA_COMPLETED: Self = Self(1);
    pub const DXGK_INTERRUPT_DMA_PREEMPTED: Self = Self(2);
    pub const DXGK_INTERRUPT_CRTC_VSYNC: Self = Self(3);
    pub const DXGK_INTERRUPT_DMA_FAULTED: Self = Self(4);
    pub const DXGK_INTERRUPT_DISPLAYONLY_VSYNC: Self = Self(5);
    pub const DXGK_INTERRUPT_DISPLAYONLY_PRESENT_PROGRESS: Self = Self(6);
    pub const DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY: Self = Self(7);
    pub const DXGK_INTERRUPT_MICACAST_CHUNK_PROCESSING_COMPLETE: Self = Self(8);
    pub const DXGK_INTERRUPT_DMA_PAGE_FAULTED: Self = Self(9);
    pub const DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY2: Self = Self(10);
    pub const DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED: Self = Self(11);
    pub const DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED: Self = Self(12);
    pub const DXGK_INTERRUPT_HWCONTEXTLIST_SWITCH_COMPLETED: Self = Self(13);
    pub const DXGK_INTERRUPT_PERIODIC_MONITORED_FENCE_SIGNALED: Self = Self(14);
    pub const DXGK_INTERRUPT_SCHEDULING_LOG_INTERRUPT: Self = Self(15);
    pub const DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT: Self = Self(16);
    pub const DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED: Self = Self(17);
    pub const DXGK_INTERRUPT_CRTC_VSYNC_WITH_MULTIPLANE_OVERLAY3: Self = Self(18);
    pub const DXGK_INTERRUPT_NATIVE_FENCE_SIGNALED: Self = Self(19);
    pub const DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE: Self = Self(20);
}

/// How the OS is to read an interrupt report. Page
/// `ns-d3dkmddi-dxgkcb_notify_interrupt_data_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKCB_NOTIFY_INTERRUPT_DATA_FLAGS {
    pub ValidPhysicalAdapterMask: bool,
    pub HsyncFlipCompletion: bool,
    pub EvaluateLegacyMonitoredFences: bool,
    #[bits(29)]
    pub Reserved: u32,
}

/// What an interrupt means; `InterruptType` says which arm of the union holds. Page
/// `ns-d3dkmddi-_dxgkargcb_notify_interrupt_data`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA {
    pub InterruptType: DXGK_INTERRUPT_TYPE,
    pub Anonymous: DXGKARGCB_NOTIFY_INTERRUPT_DATA_Anonymous,
    pub Flags: DXGKCB_NOTIFY_INTERRUPT_DATA_FLAGS,
}

/// The unnamed union of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARGCB_NOTIFY_INTERRUPT_DATA_Anonymous {
    pub DmaCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted,
    pub DmaPreempted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted,
    pub DmaFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted,
    pub CrtcVsync: DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsync,
    pub DisplayOnlyVsync: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DisplayOnlyVsync,
    pub CrtcVsyncWithMultiPlaneOverlay:
        DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay,
    pub DisplayOnlyPresentProgress: DXGKARGCB_PRESENT_DISPLAYONLY_PROGRESS,
    pub MiracastEncodeChunkCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_MiracastEncodeChunkCompleted,
    pub DmaPageFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPageFaulted,
    pub CrtcVsyncWithMultiPlaneOverlay2:
        DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay2,
    pub MonitoredFenceSignaled: DXGKARGCB_NOTIFY_INTERRUPT_DATA_MonitoredFenceSignaled,
    pub HwContextListSwitchCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwContextListSwitchCompleted,
    pub HwQueuePageFaulted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted,
    pub PeriodicMonitoredFenceSignaled:
        DXGKARGCB_NOTIFY_INTERRUPT_DATA_PeriodicMonitoredFenceSignaled,
    pub SchedulingLogInterrupt: DXGKARGCB_NOTIFY_INTERRUPT_DATA_SchedulingLogInterrupt,
    pub GpuEngineTimeout: DXGKARGCB_NOTIFY_INTERRUPT_DATA_GpuEngineTimeout,
    pub SuspendContextCompleted: DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted,
    pub CrtcVsyncWithMultiPlaneOverlay3:
        DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay3,
    pub NativeFenceSignaled: DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled,
    pub EngineStateChange: DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange,
    pub Reserved: DXGKARGCB_NOTIFY_INTERRUPT_DATA_Reserved,
}

/// The `Reserved` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_Reserved {
    pub Reserved: [u32; 16],
}

/// The `EngineStateChange` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub NewState: DXGK_ENGINE_STATE,
}

/// The `NativeFenceSignaled` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub SignaledNativeFenceCount: u32,
    pub pSignaledNativeFenceArray: *mut HANDLE,
    pub hHWQueue: HANDLE,
}

/// The `CrtcVsyncWithMultiPlaneOverlay3` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay3 {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub PhysicalAdapterMask: u32,
    pub MultiPlaneOverlayVsyncInfoCount: u32,
    pub pMultiPlaneOverlayVsyncInfo: PVOID,
    pub GpuFrequency: u64,
    pub GpuClockCounter: u64,
}

/// The `SuspendContextCompleted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted {
    pub hContext: HANDLE,
    pub ContextSuspendFence: u64,
}

/// The `GpuEngineTimeout` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_GpuEngineTimeout {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// The `SchedulingLogInterrupt` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_SchedulingLogInterrupt {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// The `PeriodicMonitoredFenceSignaled` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_PeriodicMonitoredFenceSignaled {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub NotificationID: u32,
}

/// The `HwQueuePageFaulted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted {
    pub FaultedFenceId: u64,
    pub FaultedVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub FaultedPrimitiveAPISequenceNumber: u64,
    pub Anonymous: DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub FaultedPipelineStage: DXGK_RENDER_PIPELINE_STAGE,
    pub FaultedBindTableEntry: u32,
    pub PageFaultFlags: DXGK_PAGE_FAULT_FLAGS,
    pub PageTableLevel: u32,
    pub FaultErrorCode: DXGK_FAULT_ERROR_CODE,
}

/// The unnamed union of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`] at offset 32.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous {
    pub FaultedHwQueue: HANDLE,
    pub FaultedHwContext: HANDLE,
    pub FaultedProcessHandle: HANDLE,
}

/// The `HwContextListSwitchCompleted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwContextListSwitchCompleted {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub ContextSwitchFence: u64,
}

/// The `MonitoredFenceSignaled` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_MonitoredFenceSignaled {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// The `CrtcVsyncWithMultiPlaneOverlay2` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay2 {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub PhysicalAdapterMask: u32,
    pub MultiPlaneOverlayVsyncInfoCount: u32,
    pub pMultiPlaneOverlayVsyncInfo: PVOID,
    pub GpuFrequency: u64,
    pub GpuClockCounter: u64,
}

/// The `DmaPageFaulted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPageFaulted {
    pub FaultedFenceId: u32,
    pub FaultedPrimitiveAPISequenceNumber: u64,
    pub FaultedPipelineStage: DXGK_RENDER_PIPELINE_STAGE,
    pub FaultedBindTableEntry: u32,
    pub PageFaultFlags: DXGK_PAGE_FAULT_FLAGS,
    pub FaultedVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub PageTableLevel: u32,
    pub FaultErrorCode: DXGK_FAULT_ERROR_CODE,
    pub FaultedProcessHandle: HANDLE,
}

/// The `MiracastEncodeChunkCompleted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_MiracastEncodeChunkCompleted {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub ChunkInfo: DXGK_MIRACAST_CHUNK_INFO,
    pub pPrivateDriverData: PVOID,
    pub PrivateDataDriverSize: u32,
    pub Status: NTSTATUS,
}

/// The `CrtcVsyncWithMultiPlaneOverlay` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub PhysicalAdapterMask: u32,
    pub MultiPlaneOverlayVsyncInfoCount: u32,
    pub pMultiPlaneOverlayVsyncInfo: PVOID,
}

/// The `DisplayOnlyVsync` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DisplayOnlyVsync {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
}

/// The `CrtcVsync` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsync {
    pub VidPnTargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub PhysicalAddress: PHYSICAL_ADDRESS,
    pub PhysicalAdapterMask: u32,
}

/// The `DmaFaulted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted {
    pub FaultedFenceId: u32,
    pub Status: NTSTATUS,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// The `DmaPreempted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted {
    pub PreemptionFenceId: u32,
    pub LastCompletedFenceId: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// The `DmaCompleted` member of [`DXGKARGCB_NOTIFY_INTERRUPT_DATA`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted {
    pub SubmissionFenceId: u32,
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// Turns an interrupt on or off, by type. Page `ns-d3dkmddi-dxgkarg_controlinterrupt2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CONTROLINTERRUPT2 {
    pub InterruptType: DXGK_INTERRUPT_TYPE,
    pub Anonymous: DXGKARG_CONTROLINTERRUPT2_Anonymous,
}

/// The unnamed union of [`DXGKARG_CONTROLINTERRUPT2`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_CONTROLINTERRUPT2_Anonymous {
    pub InterruptState: DXGK_INTERRUPT_STATE,
    pub CrtcVsyncState: DXGK_CRTC_VSYNC_STATE,
}

/// Turns an interrupt of one source on or off, by type. Page
/// `ns-d3dkmddi-dxgkarg_controlinterrupt3`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CONTROLINTERRUPT3 {
    pub InterruptType: DXGK_INTERRUPT_TYPE,
    pub Anonymous: DXGKARG_CONTROLINTERRUPT3_Anonymous,
    pub VidPnSourceId: D3DDDI_VIDEO_PRESENT_SOURCE_ID,
}

/// The unnamed union of [`DXGKARG_CONTROLINTERRUPT3`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_CONTROLINTERRUPT3_Anonymous {
    pub InterruptState: DXGK_INTERRUPT_STATE,
    pub CrtcVsyncState: DXGK_CRTC_VSYNC_STATE,
}

/// `DxgkDdiControlInterrupt`: Turns an interrupt on or off. Page
/// `nc-d3dkmddi-dxgkddi_controlinterrupt`.
pub type DXGKDDI_CONTROLINTERRUPT = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    InterruptType: DXGK_INTERRUPT_TYPE,
    EnableInterrupt: BOOLEAN,
) -> NTSTATUS;

/// `DxgkDdiControlInterrupt2`: Turns an interrupt on or off, with the vertical sync's phase kept.
/// Page `nc-d3dkmddi-dxgkddi_controlinterrupt2`.
pub type DXGKDDI_CONTROLINTERRUPT2 = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    InterruptControl: DXGKARG_CONTROLINTERRUPT2,
) -> NTSTATUS;

/// `DxgkDdiControlInterrupt3` with [`DXGKARG_CONTROLINTERRUPT3`]. Page
/// `nc-d3dkmddi-dxgkddi_controlinterrupt3`.
pub type DXGKDDI_CONTROLINTERRUPT3 = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    InterruptControl: *const DXGKARG_CONTROLINTERRUPT3,
) -> NTSTATUS;

/// `DxgkCbNotifyInterrupt`: Reports what an interrupt means. IRQL: DIRQL. Page
/// `nc-d3dkmddi-dxgkcb_notify_interrupt`.
pub type DXGKCB_NOTIFY_INTERRUPT =
    unsafe extern "win64" fn(hAdapter: HANDLE, *mut DXGKARGCB_NOTIFY_INTERRUPT_DATA);

opaque_debug! {
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_Anonymous,
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous,
    DXGKARG_CONTROLINTERRUPT2_Anonymous,
    DXGKARG_CONTROLINTERRUPT3_Anonymous,
}

layouts! {
    DXGKCB_NOTIFY_INTERRUPT_DATA_FLAGS = 4 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA = 80 {
        InterruptType: 0,
        Anonymous: 8,
        Anonymous.DmaCompleted: 8,
        Anonymous.DmaCompleted.SubmissionFenceId: 8,
        Anonymous.DmaCompleted.NodeOrdinal: 12,
        Anonymous.DmaCompleted.EngineOrdinal: 16,
        Anonymous.DmaPreempted: 8,
        Anonymous.DmaPreempted.PreemptionFenceId: 8,
        Anonymous.DmaPreempted.LastCompletedFenceId: 12,
        Anonymous.DmaPreempted.NodeOrdinal: 16,
        Anonymous.DmaPreempted.EngineOrdinal: 20,
        Anonymous.DmaFaulted: 8,
        Anonymous.DmaFaulted.FaultedFenceId: 8,
        Anonymous.DmaFaulted.Status: 12,
        Anonymous.DmaFaulted.NodeOrdinal: 16,
        Anonymous.DmaFaulted.EngineOrdinal: 20,
        Anonymous.CrtcVsync: 8,
        Anonymous.CrtcVsync.VidPnTargetId: 8,
        Anonymous.CrtcVsync.PhysicalAddress: 16,
        Anonymous.CrtcVsync.PhysicalAdapterMask: 24,
        Anonymous.DisplayOnlyVsync: 8,
        Anonymous.DisplayOnlyVsync.VidPnTargetId: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay.VidPnTargetId: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay.PhysicalAdapterMask: 12,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay.MultiPlaneOverlayVsyncInfoCount: 16,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay.pMultiPlaneOverlayVsyncInfo: 24,
        Anonymous.DisplayOnlyPresentProgress: 8,
        Anonymous.MiracastEncodeChunkCompleted: 8,
        Anonymous.MiracastEncodeChunkCompleted.VidPnTargetId: 8,
        Anonymous.MiracastEncodeChunkCompleted.ChunkInfo: 16,
        Anonymous.MiracastEncodeChunkCompleted.pPrivateDriverData: 40,
        Anonymous.MiracastEncodeChunkCompleted.PrivateDataDriverSize: 48,
        Anonymous.MiracastEncodeChunkCompleted.Status: 52,
        Anonymous.DmaPageFaulted: 8,
        Anonymous.DmaPageFaulted.FaultedFenceId: 8,
        Anonymous.DmaPageFaulted.FaultedPrimitiveAPISequenceNumber: 16,
        Anonymous.DmaPageFaulted.FaultedPipelineStage: 24,
        Anonymous.DmaPageFaulted.FaultedBindTableEntry: 28,
        Anonymous.DmaPageFaulted.PageFaultFlags: 32,
        Anonymous.DmaPageFaulted.FaultedVirtualAddress: 40,
        Anonymous.DmaPageFaulted.NodeOrdinal: 48,
        Anonymous.DmaPageFaulted.EngineOrdinal: 52,
        Anonymous.DmaPageFaulted.PageTableLevel: 56,
        Anonymous.DmaPageFaulted.FaultErrorCode: 60,
        Anonymous.DmaPageFaulted.FaultedProcessHandle: 64,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.VidPnTargetId: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.PhysicalAdapterMask: 12,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.MultiPlaneOverlayVsyncInfoCount: 16,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.pMultiPlaneOverlayVsyncInfo: 24,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.GpuFrequency: 32,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay2.GpuClockCounter: 40,
        Anonymous.MonitoredFenceSignaled: 8,
        Anonymous.MonitoredFenceSignaled.NodeOrdinal: 8,
        Anonymous.MonitoredFenceSignaled.EngineOrdinal: 12,
        Anonymous.HwContextListSwitchCompleted: 8,
        Anonymous.HwContextListSwitchCompleted.NodeOrdinal: 8,
        Anonymous.HwContextListSwitchCompleted.EngineOrdinal: 12,
        Anonymous.HwContextListSwitchCompleted.ContextSwitchFence: 16,
        Anonymous.HwQueuePageFaulted: 8,
        Anonymous.HwQueuePageFaulted.FaultedFenceId: 8,
        Anonymous.HwQueuePageFaulted.FaultedVirtualAddress: 16,
        Anonymous.HwQueuePageFaulted.FaultedPrimitiveAPISequenceNumber: 24,
        Anonymous.HwQueuePageFaulted.Anonymous: 32,
        Anonymous.HwQueuePageFaulted.Anonymous.FaultedHwQueue: 32,
        Anonymous.HwQueuePageFaulted.Anonymous.FaultedHwContext: 32,
        Anonymous.HwQueuePageFaulted.Anonymous.FaultedProcessHandle: 32,
        Anonymous.HwQueuePageFaulted.NodeOrdinal: 40,
        Anonymous.HwQueuePageFaulted.EngineOrdinal: 44,
        Anonymous.HwQueuePageFaulted.FaultedPipelineStage: 48,
        Anonymous.HwQueuePageFaulted.FaultedBindTableEntry: 52,
        Anonymous.HwQueuePageFaulted.PageFaultFlags: 56,
        Anonymous.HwQueuePageFaulted.PageTableLevel: 60,
        Anonymous.HwQueuePageFaulted.FaultErrorCode: 64,
        Anonymous.PeriodicMonitoredFenceSignaled: 8,
        Anonymous.PeriodicMonitoredFenceSignaled.VidPnTargetId: 8,
        Anonymous.PeriodicMonitoredFenceSignaled.NotificationID: 12,
        Anonymous.SchedulingLogInterrupt: 8,
        Anonymous.SchedulingLogInterrupt.NodeOrdinal: 8,
        Anonymous.SchedulingLogInterrupt.EngineOrdinal: 12,
        Anonymous.GpuEngineTimeout: 8,
        Anonymous.GpuEngineTimeout.NodeOrdinal: 8,
        Anonymous.GpuEngineTimeout.EngineOrdinal: 12,
        Anonymous.SuspendContextCompleted: 8,
        Anonymous.SuspendContextCompleted.hContext: 8,
        Anonymous.SuspendContextCompleted.ContextSuspendFence: 16,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.VidPnTargetId: 8,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.PhysicalAdapterMask: 12,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.MultiPlaneOverlayVsyncInfoCount: 16,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.pMultiPlaneOverlayVsyncInfo: 24,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.GpuFrequency: 32,
        Anonymous.CrtcVsyncWithMultiPlaneOverlay3.GpuClockCounter: 40,
        Anonymous.NativeFenceSignaled: 8,
        Anonymous.NativeFenceSignaled.NodeOrdinal: 8,
        Anonymous.NativeFenceSignaled.EngineOrdinal: 12,
        Anonymous.NativeFenceSignaled.SignaledNativeFenceCount: 16,
        Anonymous.NativeFenceSignaled.pSignaledNativeFenceArray: 24,
        Anonymous.NativeFenceSignaled.hHWQueue: 32,
        Anonymous.EngineStateChange: 8,
        Anonymous.EngineStateChange.NodeOrdinal: 8,
        Anonymous.EngineStateChange.EngineOrdinal: 12,
        Anonymous.EngineStateChange.NewState: 16,
        Anonymous.Reserved: 8,
        Anonymous.Reserved.Reserved: 8,
        Flags: 72,
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_Anonymous = 64 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_Reserved = 64 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_EngineStateChange = 12 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_NativeFenceSignaled = 32 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay3 = 40 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_SuspendContextCompleted = 16 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_GpuEngineTimeout = 8 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_SchedulingLogInterrupt = 8 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_PeriodicMonitoredFenceSignaled = 8 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted = 64 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwQueuePageFaulted_Anonymous = 8 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_HwContextListSwitchCompleted = 16 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_MonitoredFenceSignaled = 8 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay2 = 40 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPageFaulted = 64 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_MiracastEncodeChunkCompleted = 48 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsyncWithMultiPlaneOverlay = 24 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DisplayOnlyVsync = 4 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_CrtcVsync = 24 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaFaulted = 16 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaPreempted = 16 {
    }
    DXGKARGCB_NOTIFY_INTERRUPT_DATA_DmaCompleted = 12 {
    }
    DXGKARG_CONTROLINTERRUPT2 = 8 {
        InterruptType: 0,
        Anonymous: 4,
        Anonymous.InterruptState: 4,
        Anonymous.CrtcVsyncState: 4,
    }
    DXGKARG_CONTROLINTERRUPT2_Anonymous = 4 {
    }
    DXGKARG_CONTROLINTERRUPT3 = 12 {
        InterruptType: 0,
        Anonymous: 4,
        Anonymous.InterruptState: 4,
        Anonymous.CrtcVsyncState: 4,
        VidPnSourceId: 8,
    }
    DXGKARG_CONTROLINTERRUPT3_Anonymous = 4 {
    }
}
