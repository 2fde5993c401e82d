//! Devices, contexts, hardware contexts and hardware queues.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Whether the device is the system's or GDI's. Page `ns-d3dkmddi-dxgk_createdeviceflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATEDEVICEFLAGS {
    pub SystemDevice: bool,
    pub GdiDevice: bool,
    #[bits(29)]
    pub Reserved: u32,
    pub Reserved0: bool,
}

/// Creates a device of a process; the driver answers its handle and list sizes. Page
/// `ns-d3dkmddi-dxgkarg_createdevice`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEDEVICE {
    pub hDevice: HANDLE,
    pub Anonymous: DXGKARG_CREATEDEVICE_Anonymous,
    pub Pasid: u32,
    pub hKmdProcess: HANDLE,
}

/// The unnamed union of [`DXGKARG_CREATEDEVICE`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGKARG_CREATEDEVICE_Anonymous {
    pub Flags: DXGK_CREATEDEVICEFLAGS,
    pub pInfo: *mut DXGK_DEVICEINFO,
}

/// Flags of [`DXGK_DEVICEINFO`]. Page `ns-d3dkmddi-dxgk_deviceinfoflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_DEVICEINFOFLAGS {
    pub GuaranteedDmaBufferContract: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Sizes that the driver wants for a device's buffers and lists. Page
/// `ns-d3dkmddi-dxgk_deviceinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DEVICEINFO {
    pub DmaBufferSize: u32,
    pub DmaBufferSegmentSet: u32,
    pub DmaBufferPrivateDataSize: u32,
    pub AllocationListSize: u32,
    pub PatchLocationListSize: u32,
    pub Flags: DXGK_DEVICEINFOFLAGS,
}

/// What a context is for and how it addresses memory. Page `ns-d3dkmddi-_dxgk_createcontextflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CREATECONTEXTFLAGS {
    pub SystemContext: bool,
    pub GdiContext: bool,
    pub VirtualAddressing: bool,
    pub SystemProtectedContext: bool,
    pub HwQueueSupported: bool,
    pub TestContext: bool,
    #[bits(26)]
    pub Reserved: u32,
}

/// Special needs of a context. Page `ns-d3dkmddi-dxgk_contextinfo_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_CONTEXTINFO_CAPS {
    pub NoPatchingRequired: bool,
    pub DriverManagesResidency: bool,
    pub UseIoMmu: bool,
    #[bits(29)]
    pub Reserved: u32,
}

/// DMA buffer and list sizes that the driver wants for a context. Page
/// `ns-d3dkmddi-dxgk_contextinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CONTEXTINFO {
    pub DmaBufferSize: u32,
    pub DmaBufferSegmentSet: u32,
    pub DmaBufferPrivateDataSize: u32,
    pub AllocationListSize: u32,
    pub PatchLocationListSize: u32,
    pub Reserved: u32,
    pub Caps: DXGK_CONTEXTINFO_CAPS,
    pub PagingCompanionNodeId: u32,
}

/// Creates a context on a node; the driver answers its handle and buffer sizes. Page
/// `ns-d3dkmddi-dxgkarg_createcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATECONTEXT {
    pub hContext: HANDLE,
    pub NodeOrdinal: u32,
    pub EngineAffinity: u32,
    pub Flags: DXGK_CREATECONTEXTFLAGS,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub ContextInfo: DXGK_CONTEXTINFO,
}

/// How a client wants its hardware context made. Page `ns-d3dukmdt-d3dddi_createhwcontextflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_CREATEHWCONTEXTFLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Special needs of a hardware context. Page `ns-d3dkmddi-dxgk_hwcontext_caps`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_HWCONTEXT_CAPS {
    pub UseIoMmu: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Creates a hardware context on a node; the driver answers its handle. Page
/// `ns-d3dkmddi-dxgkarg_createhwcontext`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEHWCONTEXT {
    pub hHwContext: HANDLE,
    pub NodeOrdinal: u32,
    pub EngineAffinity: u32,
    pub Flags: D3DDDI_CREATEHWCONTEXTFLAGS,
    pub PrivateDriverDataSize: u32,
    pub pPrivateDriverData: PVOID,
    pub ContextCaps: DXGK_HWCONTEXT_CAPS,
}

/// How a client wants its hardware queue made: user-mode submission is bit 4, a native progress
/// fence bit 5. Page `ns-d3dukmdt-_d3dddi_createhwqueueflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_CREATEHWQUEUEFLAGS {
    pub DisableGpuTimeout: bool,
    pub NoBroadcastSignal: bool,
    pub NoBroadcastWait: bool,
    pub NoKmdAccess: bool,
    pub UserModeSubmission: bool,
    pub NativeProgressFence: bool,
    pub TestQueue: bool,
    #[bits(25)]
    pub Reserved: u32,
}

/// Creates a hardware queue in a hardware context and tells the driver the queue's progress fence.
/// Page `ns-d3dkmddi-dxgkarg_createhwqueue`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEHWQUEUE {
    pub hHwQueue: HANDLE,
    pub Flags: D3DDDI_CREATEHWQUEUEFLAGS,
    pub PrivateDriverDataSize: u32,
    pub pPrivateDriverData: PVOID,
    pub hHwQueueProgressFence: D3DKMT_HANDLE,
    pub HwQueueProgressFenceCPUVirtualAddress: PVOID,
    pub HwQueueProgressFenceGPUVirtualAddress: D3DGPU_VIRTUAL_ADDRESS,
}

/// How a client wants its context made. Page `ns-d3dukmdt-d3dddi_createcontextflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_CREATECONTEXTFLAGS {
    pub NullRendering: bool,
    pub InitialData: bool,
    pub DisableGpuTimeout: bool,
    pub SynchronizationOnly: bool,
    pub HwQueueSupported: bool,
    pub NoKmdAccess: bool,
    pub TestContext: bool,
    #[bits(25)]
    pub Reserved: u32,
}

/// Whether a hardware context is suspended and an interrupt reports the switch. Page
/// `ns-d3dkmddi-dxgk_updatehwcontextstate_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_UPDATEHWCONTEXTSTATE_FLAGS {
    pub Suspended: bool,
    pub InterruptOnSwitchCompletion: bool,
    #[bits(30)]
    pub Reserved: u32,
}

/// Changes priority or suspension of a hardware context. Page
/// `ns-d3dkmddi-dxgkarg_updatehwcontextstate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_UPDATEHWCONTEXTSTATE {
    pub hHwContext: HANDLE,
    pub ContextSwitchFence: u64,
    pub Priority: u32,
    pub Flags: DXGK_UPDATEHWCONTEXTSTATE_FLAGS,
}

/// A context's priority has changed. Page `ns-d3dkmddi-dxgkarg_notifycontextprioritychange`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_NOTIFYCONTEXTPRIORITYCHANGE {
    pub hContext: HANDLE,
    pub SchedulingPriority: i32,
    pub InProcessPriority: i32,
}

/// How an escape is carried out. Page `ns-d3dukmdt-d3dddi_escapeflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_ESCAPEFLAGS {
    pub HardwareAccess: bool,
    pub DeviceStatusQuery: bool,
    pub ChangeFrameLatency: bool,
    pub NoAdapterSynchronization: bool,
    pub Reserved: bool,
    pub VirtualMachineData: bool,
    pub DriverKnownEscape: bool,
    pub DriverCommonEscape: bool,
    #[bits(24)]
    pub Reserved2: u32,
}

/// Private request of the user-mode driver, or a shared one when the header says so. Page
/// `ns-d3dkmddi-dxgkarg_escape`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_ESCAPE {
    pub hDevice: HANDLE,
    pub Flags: D3DDDI_ESCAPEFLAGS,
    pub pPrivateDriverData: PVOID,
    pub PrivateDriverDataSize: u32,
    pub hContext: HANDLE,
    pub hKmdProcessHandle: HANDLE,
}

/// `DxgkDdiCreateDevice` with [`DXGKARG_CREATEDEVICE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createdevice`.
pub type DXGKDDI_CREATEDEVICE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pCreateDevice: *mut DXGKARG_CREATEDEVICE,
) -> NTSTATUS;

/// `DxgkDdiEscape` with [`DXGKARG_ESCAPE`]. IRQL: PASSIVE_LEVEL. Page `nc-d3dkmddi-dxgkddi_escape`.
pub type DXGKDDI_ESCAPE =
    unsafe extern "win64" fn(hAdapter: HANDLE, pEscape: *const DXGKARG_ESCAPE) -> NTSTATUS;

/// `DxgkDdiDestroyDevice`: Destroys a device. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroydevice`.
pub type DXGKDDI_DESTROYDEVICE = unsafe extern "win64" fn(hDevice: HANDLE) -> NTSTATUS;

/// `DxgkDdiDestroyOverlay`: Destroys an overlay. Page `nc-d3dkmddi-dxgkddi_destroyoverlay`.
pub type DXGKDDI_DESTROYOVERLAY = unsafe extern "win64" fn(hOverlay: HANDLE) -> NTSTATUS;

/// `DxgkDdiCreateContext` with [`DXGKARG_CREATECONTEXT`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createcontext`.
pub type DXGKDDI_CREATECONTEXT = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pCreateContext: *mut DXGKARG_CREATECONTEXT,
) -> NTSTATUS;

/// `DxgkDdiDestroyContext`: Destroys a context. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroycontext`.
pub type DXGKDDI_DESTROYCONTEXT = unsafe extern "win64" fn(hContext: HANDLE) -> NTSTATUS;

/// `DxgkDdiCreateHwContext` with [`DXGKARG_CREATEHWCONTEXT`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createhwcontext`.
pub type DXGKDDI_CREATEHWCONTEXT = unsafe extern "win64" fn(
    hDevice: HANDLE,
    pCreateContext: *mut DXGKARG_CREATEHWCONTEXT,
) -> NTSTATUS;

/// `DxgkDdiDestroyHwContext`: Destroys a hardware context. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroyhwcontext`.
pub type DXGKDDI_DESTROYHWCONTEXT = unsafe extern "win64" fn(hHwContext: HANDLE) -> NTSTATUS;

/// `DxgkDdiCreateHwQueue` with [`DXGKARG_CREATEHWQUEUE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createhwqueue`.
pub type DXGKDDI_CREATEHWQUEUE = unsafe extern "win64" fn(
    hHwContext: HANDLE,
    pCreateHwQueue: *mut DXGKARG_CREATEHWQUEUE,
) -> NTSTATUS;

/// `DxgkDdiDestroyHwQueue`: Destroys a hardware queue. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroyhwqueue`.
pub type DXGKDDI_DESTROYHWQUEUE = unsafe extern "win64" fn(hHwQueue: HANDLE) -> NTSTATUS;

/// `DxgkDdiUpdateHwContextState` with [`DXGKARG_UPDATEHWCONTEXTSTATE`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_updatehwcontextstate`.
pub type DXGKDDI_UPDATEHWCONTEXTSTATE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pUpdateHwContextState: *const DXGKARG_UPDATEHWCONTEXTSTATE,
) -> NTSTATUS;

/// `DxgkDdiDestroyProtectedSession`: Destroys a protected session. Page
/// `nc-d3dkmddi-dxgkddi_destroyprotectedsession`.
pub type DXGKDDI_DESTROYPROTECTEDSESSION =
    unsafe extern "win64" fn(hAdapter: HANDLE, hProtectedSession: HANDLE) -> NTSTATUS;

opaque_debug! {
    DXGKARG_CREATEDEVICE_Anonymous,
}

layouts! {
    DXGK_CREATEDEVICEFLAGS = 4 {
    }
    DXGKARG_CREATEDEVICE = 32 {
        hDevice: 0,
        Anonymous: 8,
        Anonymous.Flags: 8,
        Anonymous.pInfo: 8,
        Pasid: 16,
        hKmdProcess: 24,
    }
    DXGKARG_CREATEDEVICE_Anonymous = 8 {
    }
    DXGK_DEVICEINFOFLAGS = 4 {
    }
    DXGK_DEVICEINFO = 24 {
        DmaBufferSize: 0,
        DmaBufferSegmentSet: 4,
        DmaBufferPrivateDataSize: 8,
        AllocationListSize: 12,
        PatchLocationListSize: 16,
        Flags: 20,
    }
    DXGK_CREATECONTEXTFLAGS = 4 {
    }
    DXGK_CONTEXTINFO_CAPS = 4 {
    }
    DXGK_CONTEXTINFO = 32 {
        DmaBufferSize: 0,
        DmaBufferSegmentSet: 4,
        DmaBufferPrivateDataSize: 8,
        AllocationListSize: 12,
        PatchLocationListSize: 16,
        Reserved: 20,
        Caps: 24,
        PagingCompanionNodeId: 28,
    }
    DXGKARG_CREATECONTEXT = 72 {
        hContext: 0,
        NodeOrdinal: 8,
        EngineAffinity: 12,
        Flags: 16,
        pPrivateDriverData: 24,
        PrivateDriverDataSize: 32,
        ContextInfo: 36,
    }
    D3DDDI_CREATEHWCONTEXTFLAGS = 4 {
    }
    DXGK_HWCONTEXT_CAPS = 4 {
    }
    DXGKARG_CREATEHWCONTEXT = 40 {
        hHwContext: 0,
        NodeOrdinal: 8,
        EngineAffinity: 12,
        Flags: 16,
        PrivateDriverDataSize: 20,
        pPrivateDriverData: 24,
        ContextCaps: 32,
    }
    D3DDDI_CREATEHWQUEUEFLAGS = 4 {
    }
    DXGKARG_CREATEHWQUEUE = 48 {
        hHwQueue: 0,
        Flags: 8,
        PrivateDriverDataSize: 12,
        pPrivateDriverData: 16,
        hHwQueueProgressFence: 24,
        HwQueueProgressFenceCPUVirtualAddress: 32,
        HwQueueProgressFenceGPUVirtualAddress: 40,
    }
    D3DDDI_CREATECONTEXTFLAGS = 4 {
    }
    DXGK_UPDATEHWCONTEXTSTATE_FLAGS = 4 {
    }
    DXGKARG_UPDATEHWCONTEXTSTATE = 24 {
        hHwContext: 0,
        ContextSwitchFence: 8,
        Priority: 16,
        Flags: 20,
    }
    DXGKARG_NOTIFYCONTEXTPRIORITYCHANGE = 16 {
        hContext: 0,
        SchedulingPriority: 8,
        InProcessPriority: 12,
    }
    D3DDDI_ESCAPEFLAGS = 4 {
    }
    DXGKARG_ESCAPE = 48 {
        hDevice: 0,
        Flags: 8,
        pPrivateDriverData: 16,
        PrivateDriverDataSize: 24,
        hContext: 32,
        hKmdProcessHandle: 40,
    }
}
