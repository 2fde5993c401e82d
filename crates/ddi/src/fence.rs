//! Native fences and their logs.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Whether a native fence is seen by other GPUs. Page `ne-d3dukmdt-d3dddi_nativefence_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_NATIVEFENCE_TYPE(pub i32);

impl D3DDDI_NATIVEFENCE_TYPE {
    pub const D3DDDI_NATIVEFENCE_TYPE_DEFAULT: Self = Self(0);
    pub const D3DDDI_NATIVEFENCE_TYPE_INTRA_GPU: Self = Self(1);
}

/// Whether a log holds waits or signals. Page `ne-d3dukmdt-dxgk_native_fence_log_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_NATIVE_FENCE_LOG_TYPE(pub i32);

impl DXGK_NATIVE_FENCE_LOG_TYPE {
    pub const DXGK_NATIVE_FENCE_LOG_TYPE_WAITS: Self = Self(1);
    pub const DXGK_NATIVE_FENCE_LOG_TYPE_SIGNALS: Self = Self(2);
}

/// Flags of [`DXGKARG_CREATENATIVEFENCE`]. Page `ns-d3dkmddi-dxgkarg_createnativefence_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_CREATENATIVEFENCE_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Creates the driver's half of a native fence. Page `ns-d3dkmddi-dxgkarg_createnativefence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATENATIVEFENCE {
    pub hGlobalNativeFence: HANDLE,
    pub Type: D3DDDI_NATIVEFENCE_TYPE,
    pub CurrentValueSystemProcessGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub MonitoredValueSystemProcessGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub pPrivateDriverData: [u8; 64],
    pub Flags: DXGKARG_CREATENATIVEFENCE_FLAGS,
    pub Reserved: [u8; 32],
}

/// How a native fence is destroyed. Page `ns-d3dkmddi-dxgk_destroynativefence_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DESTROYNATIVEFENCE_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Destroys the driver's half of a native fence. Page `ns-d3dkmddi-dxgkarg_destroynativefence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DESTROYNATIVEFENCE {
    pub hGlobalNativeFence: HANDLE,
    pub Flags: DXGK_DESTROYNATIVEFENCE_FLAGS,
    pub Reserved: [u8; 32],
}

/// How a native fence is opened. Page `ns-d3dkmddi-dxgk_opennativefence_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_OPENNATIVEFENCE_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Opens a native fence in another process. Page `ns-d3dkmddi-dxgkarg_opennativefence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_OPENNATIVEFENCE {
    pub hGlobalNativeFence: HANDLE,
    pub hLocalNativeFence: HANDLE,
    pub hDevice: HANDLE,
    pub CurrentValueGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub MonitoredValueGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub Flags: DXGK_OPENNATIVEFENCE_FLAGS,
    pub pPrivateDriverData: [u8; 64],
    pub Reserved: [u8; 32],
}

/// How an opened native fence is closed. Page `ns-d3dkmddi-dxgk_closenativefence_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CLOSENATIVEFENCE_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Closes an opened native fence. Page `ns-d3dkmddi-dxgkarg_closenativefence`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CLOSENATIVEFENCE {
    pub hLocalNativeFence: HANDLE,
    pub Flags: DXGK_CLOSENATIVEFENCE_FLAGS,
    pub Reserved: [u8; 32],
}

/// Flags of [`DXGKARG_UPDATEMONITOREDVALUES`]. Page
/// `ns-d3dkmddi-dxgkarg_updatemonitoredvalues_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_UPDATEMONITOREDVALUES_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// New values that the GPU is to compare fences with. Page
/// `ns-d3dkmddi-dxgkarg_updatemonitoredvalues`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_UPDATEMONITOREDVALUES {
    pub NativeFenceArray: *mut HANDLE,
    pub UpdatedValueArray: *mut u64,
    pub MonitoredValueKernelCpuVa: *mut PVOID,
    pub NumFences: u32,
    pub Flags: DXGKARG_UPDATEMONITOREDVALUES_FLAGS,
    pub Reserved: [u8; 28],
}

/// How current values are updated. Page `ns-d3dkmddi-dxgk_updatecurrentvaluesfromcpu_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_UPDATECURRENTVALUESFROMCPU_FLAGS {
    pub AlwaysSignaled: bool,
    pub NotificationOnly: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// New current values that the CPU has signalled. Page
/// `ns-d3dkmddi-dxgkarg_updatecurrentvaluesfromcpu`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_UPDATECURRENTVALUESFROMCPU {
    pub NativeFenceArray: *mut HANDLE,
    pub UpdatedValueArray: *mut u64,
    pub CurrentValueKernelCpuVa: *mut PVOID,
    pub NumFences: u32,
    pub Flags: DXGK_UPDATECURRENTVALUESFROMCPU_FLAGS,
    pub Reserved: [u8; 28],
}

/// Flags of [`DXGKARG_SETNATIVEFENCELOGBUFFER`]. Page
/// `ns-d3dkmddi-dxgkarg_setnativefencelogbuffer_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_SETNATIVEFENCELOGBUFFER_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Where a hardware queue logs its waits or signals. Page
/// `ns-d3dkmddi-dxgkarg_setnativefencelogbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETNATIVEFENCELOGBUFFER {
    pub hHwQueue: HANDLE,
    pub NumberOfEntries: u32,
    pub LogBufferCpuVa: *mut DXGK_NATIVE_FENCE_LOG_BUFFER,
    pub LogBufferGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub LogBufferSystemProcessGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub Flags: DXGKARG_SETNATIVEFENCELOGBUFFER_FLAGS,
    pub Reserved: [u8; 32],
}

/// Flags of [`DXGKARG_UPDATENATIVEFENCELOGS`]. Page
/// `ns-d3dkmddi-dxgkarg_updatenativefencelogs_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_UPDATENATIVEFENCELOGS_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Asks for the logs of hardware queues to be brought up to date. Page
/// `ns-d3dkmddi-dxgkarg_updatenativefencelogs`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_UPDATENATIVEFENCELOGS {
    pub NumberOfQueues: u32,
    pub hHWQueue: *mut HANDLE,
    pub Flags: DXGKARG_UPDATENATIVEFENCELOGS_FLAGS,
    pub Reserved: [u8; 32],
}

/// Write position and type of a native fence log. Page `ns-d3dukmdt-dxgk_native_fence_log_header`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NATIVE_FENCE_LOG_HEADER {
    pub Anonymous: DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous,
    pub Type: DXGK_NATIVE_FENCE_LOG_TYPE,
    pub NumberOfEntries: u64,
    pub Reserved: [u64; 2],
}

/// The unnamed union of [`DXGK_NATIVE_FENCE_LOG_HEADER`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous {
    pub Anonymous: DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous_Anonymous,
    pub AtomicWraparoundAndEntryIndex: u64,
}

/// One reading of the unnamed union of [`DXGK_NATIVE_FENCE_LOG_HEADER`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous_Anonymous {
    pub FirstFreeEntryIndex: u32,
    pub WraparoundCount: u32,
}

/// One wait or signal in a native fence log. Page `ns-d3dukmdt-dxgk_native_fence_log_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NATIVE_FENCE_LOG_ENTRY {
    pub FenceValue: u64,
    pub hNativeFence: D3DKMT_HANDLE,
    pub OperationType: u32,
    pub Reserved0: u64,
    pub FenceObservedGpuTimestamp: u64,
    pub Reserved1: u64,
    pub FenceEndGpuTimestamp: u64,
}

/// A native fence log: header and a ring of entries. Page
/// `ns-d3dukmdt-dxgk_native_fence_log_buffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_NATIVE_FENCE_LOG_BUFFER {
    pub Header: DXGK_NATIVE_FENCE_LOG_HEADER,
    pub Entries: [DXGK_NATIVE_FENCE_LOG_ENTRY; 1],
}

/// What the OS can do with native fences. Page `ns-d3dkmddi-dxgkargcb_feature_nativefence_caps_1`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1 {
    pub SupportOptimizedDefaultFenceType: bool,
    pub SupportIntraGpuFenceType: bool,
    #[bits(30)]
    __: u32,
}

/// The OS's half of the native fence feature. Page `ns-d3dkmddi-dxgkcbint_feature_nativefence_1`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKCBINT_FEATURE_NATIVEFENCE_1 {
    pub GetOSCaps: Option<DXGKCB_FEATURE_NATIVEFENCE_GETOSCAPS_1>,
}

/// Sharing and signalling properties of a synchronization object. Page
/// `ns-d3dukmdt-d3dddi_synchronizationobject_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_SYNCHRONIZATIONOBJECT_FLAGS {
    pub Shared: bool,
    pub NtSecuritySharing: bool,
    pub CrossAdapter: bool,
    pub TopOfPipeline: bool,
    pub NoSignal: bool,
    pub NoWait: bool,
    pub NoSignalMaxValueOnTdr: bool,
    pub NoGPUAccess: bool,
    pub SignalByKmd: bool,
    pub Unused: bool,
    pub UnwaitCpuWaitersOnlyOnDestroy: bool,
    #[bits(20)]
    pub Reserved: u32,
    pub Reserved0: bool,
}

/// Where the values of a native fence appear in CPU and GPU address space. Page
/// `ns-d3dukmdt-d3dddi_nativefencemapping`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_NATIVEFENCEMAPPING {
    pub CurrentValueCpuVa: PVOID,
    pub CurrentValueGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub MonitoredValueGpuVa: D3DGPU_VIRTUAL_ADDRESS,
    pub Reserved: [u8; 32],
}

/// Initial value, kind and mapping of a native fence. Page `ns-d3dukmdt-d3dddi_nativefenceinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_NATIVEFENCEINFO {
    pub InitialFenceValue: u64,
    pub EngineAffinity: u32,
    pub Type: D3DDDI_NATIVEFENCE_TYPE,
    pub Flags: D3DDDI_SYNCHRONIZATIONOBJECT_FLAGS,
    pub NativeFenceMapping: D3DDDI_NATIVEFENCEMAPPING,
    pub Reserved: [u8; 28],
}

/// `DxgkDdiCreateNativeFence` with [`DXGKARG_CREATENATIVEFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createnativefence`.
pub type DXGKDDI_CREATENATIVEFENCE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCreateNativeFence: *mut DXGKARG_CREATENATIVEFENCE,
) -> NTSTATUS;

/// `DxgkDdiDestroyNativeFence` with [`DXGKARG_DESTROYNATIVEFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroynativefence`.
pub type DXGKDDI_DESTROYNATIVEFENCE =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_DESTROYNATIVEFENCE) -> NTSTATUS;

/// `DxgkDdiUpdateMonitoredValues` with [`DXGKARG_UPDATEMONITOREDVALUES`]. IRQL: device IRQL. Page
/// `nc-d3dkmddi-dxgkddi_updatemonitoredvalues`.
pub type DXGKDDI_UPDATEMONITOREDVALUES = unsafe extern "win64" fn(
    pUpdateMonitoredValues: *const DXGKARG_UPDATEMONITOREDVALUES,
) -> NTSTATUS;

/// `DxgkDdiUpdateCurrentValuesFromCpu` with [`DXGKARG_UPDATECURRENTVALUESFROMCPU`]. IRQL:
/// DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddi_updatecurrentvaluesfromcpu`.
pub type DXGKDDI_UPDATECURRENTVALUESFROMCPU = unsafe extern "win64" fn(
    pUpdateCurrentValuesFromCpu: *const DXGKARG_UPDATECURRENTVALUESFROMCPU,
) -> NTSTATUS;

/// `DxgkDdiOpenNativeFence` with [`DXGKARG_OPENNATIVEFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_opennativefence`.
pub type DXGKDDI_OPENNATIVEFENCE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pOpenNativeFence: *mut DXGKARG_OPENNATIVEFENCE,
) -> NTSTATUS;

/// `DxgkDdiCloseNativeFence` with [`DXGKARG_CLOSENATIVEFENCE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_closenativefence`.
pub type DXGKDDI_CLOSENATIVEFENCE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCloseNativeFence: *mut DXGKARG_CLOSENATIVEFENCE,
) -> NTSTATUS;

/// `DxgkDdiSetNativeFenceLogBuffer` with [`DXGKARG_SETNATIVEFENCELOGBUFFER`]. IRQL: DISPATCH_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_setnativefencelogbuffer`.
pub type DXGKDDI_SETNATIVEFENCELOGBUFFER =
    unsafe extern "win64" fn(pArgs: *const DXGKARG_SETNATIVEFENCELOGBUFFER) -> NTSTATUS;

/// `DxgkDdiUpdateNativeFenceLogs` with [`DXGKARG_UPDATENATIVEFENCELOGS`]. IRQL: DISPATCH_LEVEL.
/// Page `nc-d3dkmddi-dxgkddi_updatenativefencelogs`.
pub type DXGKDDI_UPDATENATIVEFENCELOGS =
    unsafe extern "win64" fn(pArgs: *const DXGKARG_UPDATENATIVEFENCELOGS) -> NTSTATUS;

/// Asks what the OS can do with native fences. Page
/// `nc-d3dkmddi-dxgkcb_feature_nativefence_getoscaps_1`.
pub type DXGKCB_FEATURE_NATIVEFENCE_GETOSCAPS_1 =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1) -> NTSTATUS;

opaque_debug! {
    DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous,
}

layouts! {
    DXGKARG_CREATENATIVEFENCE_FLAGS = 4 {
    }
    DXGKARG_CREATENATIVEFENCE = 136 {
        hGlobalNativeFence: 0,
        Type: 8,
        CurrentValueSystemProcessGpuVa: 16,
        MonitoredValueSystemProcessGpuVa: 24,
        pPrivateDriverData: 32,
        Flags: 96,
        Reserved: 100,
    }
    DXGK_DESTROYNATIVEFENCE_FLAGS = 4 {
    }
    DXGKARG_DESTROYNATIVEFENCE = 48 {
        hGlobalNativeFence: 0,
        Flags: 8,
        Reserved: 12,
    }
    DXGK_OPENNATIVEFENCE_FLAGS = 4 {
    }
    DXGKARG_OPENNATIVEFENCE = 144 {
        hGlobalNativeFence: 0,
        hLocalNativeFence: 8,
        hDevice: 16,
        CurrentValueGpuVa: 24,
        MonitoredValueGpuVa: 32,
        Flags: 40,
        pPrivateDriverData: 44,
        Reserved: 108,
    }
    DXGK_CLOSENATIVEFENCE_FLAGS = 4 {
    }
    DXGKARG_CLOSENATIVEFENCE = 48 {
        hLocalNativeFence: 0,
        Flags: 8,
        Reserved: 12,
    }
    DXGKARG_UPDATEMONITOREDVALUES_FLAGS = 4 {
    }
    DXGKARG_UPDATEMONITOREDVALUES = 64 {
        NativeFenceArray: 0,
        UpdatedValueArray: 8,
        MonitoredValueKernelCpuVa: 16,
        NumFences: 24,
        Flags: 28,
        Reserved: 32,
    }
    DXGK_UPDATECURRENTVALUESFROMCPU_FLAGS = 4 {
    }
    DXGKARG_UPDATECURRENTVALUESFROMCPU = 64 {
        NativeFenceArray: 0,
        UpdatedValueArray: 8,
        CurrentValueKernelCpuVa: 16,
        NumFences: 24,
        Flags: 28,
        Reserved: 32,
    }
    DXGKARG_SETNATIVEFENCELOGBUFFER_FLAGS = 4 {
    }
    DXGKARG_SETNATIVEFENCELOGBUFFER = 80 {
        hHwQueue: 0,
        NumberOfEntries: 8,
        LogBufferCpuVa: 16,
        LogBufferGpuVa: 24,
        LogBufferSystemProcessGpuVa: 32,
        Flags: 40,
        Reserved: 44,
    }
    DXGKARG_UPDATENATIVEFENCELOGS_FLAGS = 4 {
    }
    DXGKARG_UPDATENATIVEFENCELOGS = 56 {
        NumberOfQueues: 0,
        hHWQueue: 8,
        Flags: 16,
        Reserved: 20,
    }
    DXGK_NATIVE_FENCE_LOG_HEADER = 40 {
        Anonymous: 0,
        Anonymous.Anonymous: 0,
        Anonymous.Anonymous.FirstFreeEntryIndex: 0,
        Anonymous.Anonymous.WraparoundCount: 4,
        Anonymous.AtomicWraparoundAndEntryIndex: 0,
        Type: 8,
        NumberOfEntries: 16,
        Reserved: 24,
    }
    DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous = 8 {
    }
    DXGK_NATIVE_FENCE_LOG_HEADER_Anonymous_Anonymous = 8 {
    }
    DXGK_NATIVE_FENCE_LOG_ENTRY = 48 {
        FenceValue: 0,
        hNativeFence: 8,
        OperationType: 12,
        Reserved0: 16,
        FenceObservedGpuTimestamp: 24,
        Reserved1: 32,
        FenceEndGpuTimestamp: 40,
    }
    DXGK_NATIVE_FENCE_LOG_BUFFER = 88 {
        Header: 0,
        Entries: 40,
    }
    DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1 = 4 {
    }
    DXGKCBINT_FEATURE_NATIVEFENCE_1 = 8 {
        GetOSCaps: 0,
    }
    D3DDDI_SYNCHRONIZATIONOBJECT_FLAGS = 4 {
    }
    D3DDDI_NATIVEFENCEMAPPING = 56 {
        CurrentValueCpuVa: 0,
        CurrentValueGpuVa: 8,
        MonitoredValueGpuVa: 16,
        Reserved: 24,
    }
    D3DDDI_NATIVEFENCEINFO = 112 {
        InitialFenceValue: 0,
        EngineAffinity: 8,
        Type: 12,
        Flags: 16,
        NativeFenceMapping: 24,
        Reserved: 80,
    }
}
