//! Kernel-mode testing: command buffers that the OS asks the driver to build.

use bitfield_struct::bitfield;

use crate::base::{D3DGPU_VIRTUAL_ADDRESS, D3DKMT_HANDLE, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Kinds of escapes that every driver shares. Page `ne-d3dukmdt-d3dddi_driverescapetype`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_DRIVERESCAPETYPE(pub i32);

impl D3DDDI_DRIVERESCAPETYPE {
    pub const D3DDDI_DRIVERESCAPETYPE_TRANSLATEALLOCATIONHANDLE: Self = Self(0);
    pub const D3DDDI_DRIVERESCAPETYPE_TRANSLATERESOURCEHANDLE: Self = Self(1);
    pub const D3DDDI_DRIVERESCAPETYPE_CPUEVENTUSAGE: Self = Self(2);
    pub const D3DDDI_DRIVERESCAPETYPE_BUILDTESTCOMMANDBUFFER: Self = Self(3);
    pub const D3DDDI_DRIVERESCAPETYPE_MAX: Self = Self(4);
}

/// Operations of test command buffers. Page `ne-d3dukmdt-d3dddi_testcommandbufferop`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_TESTCOMMANDBUFFEROP(pub i32);

impl D3DDDI_TESTCOMMANDBUFFEROP {
    pub const D3DDDI_TESTCOMMANDBUFFEROP_INVALID: Self = Self(0);
    pub const D3DDDI_TESTCOMMANDBUFFEROP_COPY: Self = Self(1);
    pub const D3DDDI_TESTCOMMANDBUFFEROP_FILL: Self = Self(2);
    pub const D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP: Self = Self(3);
    pub const D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP: Self = Self(4);
    pub const D3DDDI_TESTCOMMANDBUFFEROP_MAX: Self = Self(5);
}

/// Source, destination and length of a test copy. Page `ns-d3dukmdt-d3dddi_testcommandbuffer_copy`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_TESTCOMMANDBUFFER_COPY {
    pub SrcAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub DstAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub NumBytes: u32,
}

/// Destination, length and pattern of a test fill. Page
/// `ns-d3dukmdt-d3dddi_testcommandbuffer_fill`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_TESTCOMMANDBUFFER_FILL {
    pub DstAddress: D3DGPU_VIRTUAL_ADDRESS,
    pub NumBytes: u32,
    pub Pattern: u32,
}

/// The operation that a test command buffer performs. Page `ns-d3dukmdt-d3dddi_testcommandbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_TESTCOMMANDBUFFER {
    pub Anonymous: D3DDDI_TESTCOMMANDBUFFER_Anonymous,
    pub Operation: D3DDDI_TESTCOMMANDBUFFEROP,
    pub Reserved1: u32,
}

/// The unnamed union of [`D3DDDI_TESTCOMMANDBUFFER`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union D3DDDI_TESTCOMMANDBUFFER_Anonymous {
    pub Copy: D3DDDI_TESTCOMMANDBUFFER_COPY,
    pub Fill: D3DDDI_TESTCOMMANDBUFFER_FILL,
    pub Reserved: [u8; 64],
}

/// What kind of context a test command buffer is for. Page
/// `ns-d3dukmdt-d3dddi_buildtestcommandbufferflags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS {
    pub HardwareQueue: bool,
    #[bits(31)]
    pub Reserved: u32,
}

/// Asks for a command buffer that performs a test operation. Page
/// `ns-d3dkmddi-dxgkarg_buildtestcommandbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_BUILDTESTCOMMANDBUFFER {
    pub hContext: HANDLE,
    pub Command: D3DDDI_TESTCOMMANDBUFFER,
    pub pDmaBuffer: PVOID,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferSize: u32,
    pub DmaBufferPrivateDataSize: u32,
    pub Flags: D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS,
}

/// The driver's half of the kernel-mode testing feature. Page
/// `ns-d3dkmddi-dxgkddi_kernelmodetestinginterface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKDDI_KERNELMODETESTINGINTERFACE {
    pub pfnBuildTestCommandBuffer: Option<DXGKDDI_BUILDTESTCOMMANDBUFFER>,
}

/// Asks, through the escape, for a test command buffer. Page
/// `ns-d3dukmdt-d3dddi_driverescape_buildtestcommandbuffer`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_DRIVERESCAPE_BUILDTESTCOMMANDBUFFER {
    pub EscapeType: D3DDDI_DRIVERESCAPETYPE,
    pub hDevice: D3DKMT_HANDLE,
    pub hContext: D3DKMT_HANDLE,
    pub Flags: D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS,
    pub Command: D3DDDI_TESTCOMMANDBUFFER,
    pub pDmaBuffer: PVOID,
    pub pDmaBufferPrivateData: PVOID,
    pub DmaBufferSize: u32,
    pub DmaBufferPrivateDataSize: u32,
}

/// Takes with [`DXGKARG_BUILDTESTCOMMANDBUFFER`]. Page
/// `nc-d3dkmddi-dxgkddi_buildtestcommandbuffer`.
pub type DXGKDDI_BUILDTESTCOMMANDBUFFER = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *mut DXGKARG_BUILDTESTCOMMANDBUFFER,
) -> NTSTATUS;

opaque_debug! {
    D3DDDI_TESTCOMMANDBUFFER_Anonymous,
}

layouts! {
    D3DDDI_TESTCOMMANDBUFFER_COPY = 24 {
        SrcAddress: 0,
        DstAddress: 8,
        NumBytes: 16,
    }
    D3DDDI_TESTCOMMANDBUFFER_FILL = 16 {
        DstAddress: 0,
        NumBytes: 8,
        Pattern: 12,
    }
    D3DDDI_TESTCOMMANDBUFFER = 72 {
        Anonymous: 0,
        Anonymous.Copy: 0,
        Anonymous.Fill: 0,
        Anonymous.Reserved: 0,
        Operation: 64,
        Reserved1: 68,
    }
    D3DDDI_TESTCOMMANDBUFFER_Anonymous = 64 {
    }
    D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS = 4 {
    }
    DXGKARG_BUILDTESTCOMMANDBUFFER = 112 {
        hContext: 0,
        Command: 8,
        pDmaBuffer: 80,
        pDmaBufferPrivateData: 88,
        DmaBufferSize: 96,
        DmaBufferPrivateDataSize: 100,
        Flags: 104,
    }
    DXGKDDI_KERNELMODETESTINGINTERFACE = 8 {
        pfnBuildTestCommandBuffer: 0,
    }
    D3DDDI_DRIVERESCAPE_BUILDTESTCOMMANDBUFFER = 112 {
        EscapeType: 0,
        hDevice: 4,
        hContext: 8,
        Flags: 12,
        Command: 16,
        pDmaBuffer: 88,
        pDmaBufferPrivateData: 96,
        DmaBufferSize: 104,
        DmaBufferPrivateDataSize: 108,
    }
}
