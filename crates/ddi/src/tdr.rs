//! Timeout detection and recovery: engine status, resets, debug reports.

use bitfield_struct::bitfield;

use crate::base::{HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Kinds of timeouts. Page `ne-d3dkmddi-dxgk_tdr_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_TDR_TYPE(pub i32);

impl DXGK_TDR_TYPE {
    pub const DXGK_TDR_TYPE_UNKNOWN: Self = Self(0);
    pub const DXGK_TDR_TYPE_FORCED: Self = Self(1);
    pub const DXGK_TDR_TYPE_PREEMPT_TIMEOUT: Self = Self(2);
    pub const DXGK_TDR_TYPE_VSYNC_TIMEOUT: Self = Self(3);
    pub const DXGK_TDR_TYPE_DOD_PRESENT_FORCED: Self = Self(4);
    pub const DXGK_TDR_TYPE_DOD_PRESENT_TIMEOUT: Self = Self(5);
    pub const DXGK_TDR_TYPE_ENGINE_TIMEOUT: Self = Self(6);
    pub const DXGK_TDR_TYPE_DOD_VSYNC_FORCED: Self = Self(7);
    pub const DXGK_TDR_TYPE_DOD_VSYNC_TIMEOUT: Self = Self(8);
    pub const DXGK_TDR_TYPE_ENGINE_TIMEOUT_PROMOTED: Self = Self(9);
    pub const DXGK_TDR_TYPE_PAGE_FAULT: Self = Self(10);
    pub const DXGK_TDR_TYPE_INVALID_FENCE: Self = Self(11);
    pub const DXGK_TDR_TYPE_ENGINE_PAGE_FAULT: Self = Self(12);
    pub const DXGK_TDR_TYPE_DISPLAY_ENGINE_FAULT: Self = Self(13);
}

/// Asks for one engine to be reset; the driver answers the last fence it aborted. Page
/// `ns-d3dkmddi-dxgkarg_resetengine`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RESETENGINE {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub LastAbortedFenceId: u32,
}

/// Whether an engine still answers. Page `ns-d3dkmddi-dxgk_enginestatus`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ENGINESTATUS {
    pub Responsive: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Asks whether an engine still answers. Page `ns-d3dkmddi-dxgkarg_queryenginestatus`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYENGINESTATUS {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub EngineStatus: DXGK_ENGINESTATUS,
}

/// Asks which engines a reset takes along. Page `ns-d3dkmddi-dxgkarg_querydependentenginegroup`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYDEPENDENTENGINEGROUP {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub DependentNodeOrdinalMask: u64,
}

/// Asks for an engine of a hardware-scheduled node to be reset. Page
/// `ns-d3dkmddi-dxgkarg_resethwengine`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RESETHWENGINE {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// Lets an engine run again after its reset. Page `ns-d3dkmddi-dxgkarg_resumehwengine`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_RESUMEHWENGINE {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
}

/// Asks for debug information for a report. Page `ns-d3dkmddi-dxgkarg_collectdbginfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_COLLECTDBGINFO {
    pub Reason: u32,
    pub pBuffer: PVOID,
    pub BufferSize: usize,
    pub pExtension: *mut DXGKARG_COLLECTDBGINFO_EXT,
}

/// Bucketing key and current buffer offset of a debug report. Page
/// `ns-d3dkmddi-dxgkarg_collectdbginfo_ext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_COLLECTDBGINFO_EXT {
    pub BucketingKey: u32,
    pub CurrentDmaBufferOffset: u32,
    pub Reserved2: u32,
    pub Reserved3: u32,
    pub Reserved4: u32,
    pub Reserved5: u32,
    pub Reserved6: u32,
    pub Reserved7: u32,
}

/// Asks for debug information about one kind of timeout. Page
/// `ns-d3dkmddi-dxgkarg_collectdbginfo2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_COLLECTDBGINFO2 {
    pub Reason: u32,
    pub pBuffer: PVOID,
    pub BufferSize: usize,
    pub pExtension: *mut DXGKARG_COLLECTDBGINFO_EXT,
    pub TdrType: DXGK_TDR_TYPE,
    pub TdrPayloadSize: u32,
    pub TdrPayload: PVOID,
}

/// The engine that has timed out and the work that waits on it. Page
/// `ns-d3dkmddi-dxgk_tdr_payload_engine_timeout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_TDR_PAYLOAD_ENGINE_TIMEOUT {
    pub NodeOrdinal: u32,
    pub EngineOrdinal: u32,
    pub LastHwCompletedFenceId: u64,
    pub LastHwSubmittedFenceId: u64,
    pub NumberOfPendingSuspendRequests: u32,
    pub NumberOfReadyInteractiveHwQueues: u32,
    pub hContext: HANDLE,
}

/// The source and layer whose vertical sync has timed out. Page
/// `ns-d3dkmddi-dxgk_tdr_payload_vsync_timeout`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_TDR_PAYLOAD_VSYNC_TIMEOUT {
    pub VidPnSourceId: u32,
    pub LayerIndex: u32,
    pub PresentId: u64,
}

/// Asks for diagnostic data of the driver. Page `ns-dispmprt-dxgkarg_collectdiagnosticinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_COLLECTDIAGNOSTICINFO {
    pub hAdapter: HANDLE,
    pub Type: u32,
    pub BucketingString: [i8; 64],
    pub DescriptionString: [i8; 128],
    pub pReserved: PVOID,
    pub BufferSizeIn: u32,
    pub BufferSizeOut: u32,
    pub pBuffer: PVOID,
}

/// `DxgkDdiResetFromTimeout`: Resets the whole adapter after a timeout; afterwards nothing touches
/// memory. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_resetfromtimeout`.
pub type DXGKDDI_RESETFROMTIMEOUT = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// `DxgkDdiRestartFromTimeout`: Lets the adapter run again after its reset. IRQL: PASSIVE_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_restartfromtimeout`.
pub type DXGKDDI_RESTARTFROMTIMEOUT = unsafe extern "win64" fn(hAdapter: HANDLE) -> NTSTATUS;

/// `DxgkDdiCollectDbgInfo` with [`DXGKARG_COLLECTDBGINFO`]. Page
/// `nc-d3dkmddi-dxgkddi_collectdbginfo`.
pub type DXGKDDI_COLLECTDBGINFO = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCollectDbgInfo: *const DXGKARG_COLLECTDBGINFO,
) -> NTSTATUS;

/// `DxgkDdiQueryDependentEngineGroup` with [`DXGKARG_QUERYDEPENDENTENGINEGROUP`]. IRQL:
/// PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_querydependentenginegroup`.
pub type DXGKDDI_QUERYDEPENDENTENGINEGROUP = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pQueryDependentEngineGroup: *mut DXGKARG_QUERYDEPENDENTENGINEGROUP,
) -> NTSTATUS;

/// `DxgkDdiQueryEngineStatus` with [`DXGKARG_QUERYENGINESTATUS`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_queryenginestatus`.
pub type DXGKDDI_QUERYENGINESTATUS = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pQueryEngineStatus: *mut DXGKARG_QUERYENGINESTATUS,
) -> NTSTATUS;

/// `DxgkDdiResetEngine` with [`DXGKARG_RESETENGINE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_resetengine`.
pub type DXGKDDI_RESETENGINE =
    unsafe extern "win64" fn(hAdapter: HANDLE, pResetEngine: *mut DXGKARG_RESETENGINE) -> NTSTATUS;

/// `DxgkDdiResetHwEngine` with [`DXGKARG_RESETHWENGINE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_resethwengine`.
pub type DXGKDDI_RESETHWENGINE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pResetHwEngine: *mut DXGKARG_RESETHWENGINE,
) -> NTSTATUS;

/// `DxgkDdiResumeHwEngine` with [`DXGKARG_RESUMEHWENGINE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_resumehwengine`.
pub type DXGKDDI_RESUMEHWENGINE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pResumeHwEngine: *mut DXGKARG_RESUMEHWENGINE,
) -> NTSTATUS;

/// `DxgkDdiCollectDiagnosticInfo` with [`DXGKARG_COLLECTDIAGNOSTICINFO`]. Page
/// `nc-d3dkmddi-dxgkddi_collectdiagnosticinfo`.
pub type DXGKDDI_COLLECTDIAGNOSTICINFO = unsafe extern "win64" fn(
    PhysicalDeviceObject: PVOID,
    pCollectDiagnosticInfo: *mut DXGKARG_COLLECTDIAGNOSTICINFO,
) -> NTSTATUS;

/// `DxgkDdiCollectDbgInfo2` with [`DXGKARG_COLLECTDBGINFO2`]. Page
/// `nc-d3dkmddi-dxgkddi_collectdbginfo2`.
pub type DXGKDDI_COLLECTDBGINFO2 = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCollectDbgInfo2: *mut DXGKARG_COLLECTDBGINFO2,
) -> NTSTATUS;

layouts! {
    DXGKARG_RESETENGINE = 12 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        LastAbortedFenceId: 8,
    }
    DXGK_ENGINESTATUS = 4 {
    }
    DXGKARG_QUERYENGINESTATUS = 12 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        EngineStatus: 8,
    }
    DXGKARG_QUERYDEPENDENTENGINEGROUP = 16 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        DependentNodeOrdinalMask: 8,
    }
    DXGKARG_RESETHWENGINE = 8 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
    }
    DXGKARG_RESUMEHWENGINE = 8 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
    }
    DXGKARG_COLLECTDBGINFO = 32 {
        Reason: 0,
        pBuffer: 8,
        BufferSize: 16,
        pExtension: 24,
    }
    DXGKARG_COLLECTDBGINFO_EXT = 32 {
        BucketingKey: 0,
        CurrentDmaBufferOffset: 4,
        Reserved2: 8,
        Reserved3: 12,
        Reserved4: 16,
        Reserved5: 20,
        Reserved6: 24,
        Reserved7: 28,
    }
    DXGKARG_COLLECTDBGINFO2 = 48 {
        Reason: 0,
        pBuffer: 8,
        BufferSize: 16,
        pExtension: 24,
        TdrType: 32,
        TdrPayloadSize: 36,
        TdrPayload: 40,
    }
    DXGK_TDR_PAYLOAD_ENGINE_TIMEOUT = 40 {
        NodeOrdinal: 0,
        EngineOrdinal: 4,
        LastHwCompletedFenceId: 8,
        LastHwSubmittedFenceId: 16,
        NumberOfPendingSuspendRequests: 24,
        NumberOfReadyInteractiveHwQueues: 28,
        hContext: 32,
    }
    DXGK_TDR_PAYLOAD_VSYNC_TIMEOUT = 16 {
        VidPnSourceId: 0,
        LayerIndex: 4,
        PresentId: 8,
    }
    DXGKARG_COLLECTDIAGNOSTICINFO = 232 {
        hAdapter: 0,
        Type: 8,
        BucketingString: 12,
        DescriptionString: 76,
        pReserved: 208,
        BufferSizeIn: 216,
        BufferSizeOut: 220,
        pBuffer: 224,
    }
}
