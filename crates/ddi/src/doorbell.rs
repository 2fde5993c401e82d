//! Doorbells: the DDIs of user-mode work submission and the callback that takes one away.

use bitfield_struct::bitfield;

use crate::base::{HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Where a doorbell stands, as the driver answers it and the client reads it from the status page.
/// Page `ne-d3dukmdt-d3dddi_doorbellstatus`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_DOORBELLSTATUS(pub i32);

impl D3DDDI_DOORBELLSTATUS {
    pub const D3DDDI_DOORBELLSTATUS_CONNECTED: Self = Self(0);
    pub const D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD: Self = Self(1);
    pub const D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY: Self = Self(2);
    pub const D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT: Self = Self(3);
}

/// Flags of [`DXGKARG_CREATEDOORBELL`]. Page `ns-d3dkmddi-dxgkarg_createdoorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_CREATEDOORBELL_FLAGS {
    pub ResizeRingBufferOperation: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Creates a doorbell for a hardware queue, or takes a new ring buffer for it. No adapter handle
/// comes along: everything follows from the queue. Page `ns-d3dkmddi-dxgkarg_createdoorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CREATEDOORBELL {
    pub hHwQueue: HANDLE,
    pub hDoorbell: HANDLE,
    pub PrivateDriverDataSize: u32,
    pub PrivateDriverData: PVOID,
    pub hRingBuffer: HANDLE,
    pub hRingBufferControl: HANDLE,
    pub Flags: DXGKARG_CREATEDOORBELL_FLAGS,
}

/// Flags of [`DXGKARG_CONNECTDOORBELL`]. Page `ns-d3dkmddi-dxgkarg_connectdoorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_CONNECTDOORBELL_FLAGS {
    pub RequireSecondaryAddress: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Connects a doorbell: the driver answers the kernel addresses of its page and its status. Page
/// `ns-d3dkmddi-dxgkarg_connectdoorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_CONNECTDOORBELL {
    pub hDoorbell: HANDLE,
    pub Flags: DXGKARG_CONNECTDOORBELL_FLAGS,
    pub KernelCpuVirtualAddress: PVOID,
    pub SecondaryKernelCpuVirtualAddress: PVOID,
    pub Status: D3DDDI_DOORBELLSTATUS,
}

/// Flags of [`DXGKARG_DISCONNECTDOORBELL`]. Page `ns-d3dkmddi-dxgkarg_disconnectdoorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_DISCONNECTDOORBELL_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Disconnects a doorbell; the process's mapping moves after the driver returns. Page
/// `ns-d3dkmddi-dxgkarg_disconnectdoorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DISCONNECTDOORBELL {
    pub hDoorbell: HANDLE,
    pub Flags: DXGKARG_DISCONNECTDOORBELL_FLAGS,
}

/// Destroys a doorbell. Page `ns-d3dkmddi-dxgkarg_destroydoorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_DESTROYDOORBELL {
    pub hDoorbell: HANDLE,
}

/// Flags of [`DXGKARG_NOTIFYWORKSUBMISSION`]. Page
/// `ns-d3dkmddi-dxgkarg_notifyworksubmission_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARG_NOTIFYWORKSUBMISSION_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// A client has queued work that only the driver can start. Page
/// `ns-d3dkmddi-dxgkarg_notifyworksubmission`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_NOTIFYWORKSUBMISSION {
    pub hHwQueue: HANDLE,
    pub Flags: DXGKARG_NOTIFYWORKSUBMISSION_FLAGS,
}

/// Flags of [`DXGKARGCB_DISCONNECTDOORBELL`]. Page
/// `ns-d3dkmddi-dxgkargcb_disconnectdoorbell_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_DISCONNECTDOORBELL_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Takes a doorbell away from its process. The handles are the OS's; the reason is one of the
/// disconnected states. Page `ns-d3dkmddi-dxgkargcb_disconnectdoorbell`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_DISCONNECTDOORBELL {
    pub hHwQueue: HANDLE,
    pub hDoorbell: HANDLE,
    pub Flags: DXGKARGCB_DISCONNECTDOORBELL_FLAGS,
    pub DisconnectReason: D3DDDI_DOORBELLSTATUS,
}

/// `DxgkDdiCreateDoorbell` with [`DXGKARG_CREATEDOORBELL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_createdoorbell`.
pub type DXGKDDI_CREATEDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_CREATEDOORBELL) -> NTSTATUS;

/// `DxgkDdiConnectDoorbell` with [`DXGKARG_CONNECTDOORBELL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_connectdoorbell`.
pub type DXGKDDI_CONNECTDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_CONNECTDOORBELL) -> NTSTATUS;

/// `DxgkDdiDisconnectDoorbell` with [`DXGKARG_DISCONNECTDOORBELL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_disconnectdoorbell`.
pub type DXGKDDI_DISCONNECTDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_DISCONNECTDOORBELL) -> NTSTATUS;

/// `DxgkDdiDestroyDoorbell` with [`DXGKARG_DESTROYDOORBELL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_destroydoorbell`.
pub type DXGKDDI_DESTROYDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_DESTROYDOORBELL) -> NTSTATUS;

/// `DxgkDdiNotifyWorkSubmission` with [`DXGKARG_NOTIFYWORKSUBMISSION`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_notifyworksubmission`.
pub type DXGKDDI_NOTIFYWORKSUBMISSION =
    unsafe extern "win64" fn(pArgs: *mut DXGKARG_NOTIFYWORKSUBMISSION) -> NTSTATUS;

/// `DxgkCbDisconnectDoorbell` with [`DXGKARGCB_DISCONNECTDOORBELL`]. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkcb_disconnectdoorbell`.
pub type DXGKCB_DISCONNECTDOORBELL =
    unsafe extern "win64" fn(pArgs: *mut DXGKARGCB_DISCONNECTDOORBELL) -> NTSTATUS;

layouts! {
    DXGKARG_CREATEDOORBELL_FLAGS = 4 {
    }
    DXGKARG_CREATEDOORBELL = 56 {
        hHwQueue: 0,
        hDoorbell: 8,
        PrivateDriverDataSize: 16,
        PrivateDriverData: 24,
        hRingBuffer: 32,
        hRingBufferControl: 40,
        Flags: 48,
    }
    DXGKARG_CONNECTDOORBELL_FLAGS = 4 {
    }
    DXGKARG_CONNECTDOORBELL = 40 {
        hDoorbell: 0,
        Flags: 8,
        KernelCpuVirtualAddress: 16,
        SecondaryKernelCpuVirtualAddress: 24,
        Status: 32,
    }
    DXGKARG_DISCONNECTDOORBELL_FLAGS = 4 {
    }
    DXGKARG_DISCONNECTDOORBELL = 16 {
        hDoorbell: 0,
        Flags: 8,
    }
    DXGKARG_DESTROYDOORBELL = 8 {
        hDoorbell: 0,
    }
    DXGKARG_NOTIFYWORKSUBMISSION_FLAGS = 4 {
    }
    DXGKARG_NOTIFYWORKSUBMISSION = 16 {
        hHwQueue: 0,
        Flags: 8,
    }
    DXGKARGCB_DISCONNECTDOORBELL_FLAGS = 4 {
    }
    DXGKARGCB_DISCONNECTDOORBELL = 24 {
        hHwQueue: 0,
        hDoorbell: 8,
        Flags: 16,
        DisconnectReason: 20,
    }
}
