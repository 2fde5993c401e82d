//! Scalars, handles, addresses and the kernel structures that the DDI borrows.

use core::ffi::c_void;

use crate::ntstatus::NTSTATUS;

/// An opaque handle or pointer-sized cookie.
pub type HANDLE = *mut c_void;
/// An untyped pointer.
pub type PVOID = *mut c_void;
/// A C boolean of one byte: zero is false, everything else is true.
pub type BOOLEAN = u8;
/// A C boolean of four bytes.
pub type BOOL = i32;
/// An interrupt request level.
pub type KIRQL = u8;
/// A kernel-thunk handle as user mode sees it.
pub type D3DKMT_HANDLE = u32;
/// An address in a GPU virtual address space.
pub type D3DGPU_VIRTUAL_ADDRESS = u64;
/// Ordinal of a video present source.
pub type D3DDDI_VIDEO_PRESENT_SOURCE_ID = u32;
/// Identifier of a video present target.
pub type D3DDDI_VIDEO_PRESENT_TARGET_ID = u32;
/// Version of a negotiated feature.
pub type DXGK_FEATURE_VERSION = u16;
/// A DDI whose arguments this crate does not describe: its slot can be tested and left NULL.
pub type UNTYPED_DDI = unsafe extern "win64" fn();
/// Takes a reference on the provider of an interface, given the interface's context. Page
/// `nc-wdm-pinterface_reference`.
pub type PINTERFACE_REFERENCE = unsafe extern "win64" fn(Context: PVOID);
/// Drops a reference on the provider of an interface, given the interface's context. Page
/// `nc-wdm-pinterface_dereference`.
pub type PINTERFACE_DEREFERENCE = unsafe extern "win64" fn(Context: PVOID);
/// A routine that runs at device IRQL, under the interrupt's lock. Page
/// `nc-wdm-ksynchronize_routine`.
pub type PKSYNCHRONIZE_ROUTINE = unsafe extern "win64" fn(SynchronizeContext: PVOID) -> BOOLEAN;
/// Runs while access to the adapter is excluded. Page `nc-dispmprt-dxgkddi_protected_callback`.
pub type DXGKDDI_PROTECTED_CALLBACK = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ProtectedCallbackContext: PVOID,
    ProtectionStatus: NTSTATUS,
);

/// A signed 64-bit number that C may also read in halves. Page `ns-winnt-large_integer`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LARGE_INTEGER {
    pub QuadPart: i64,
}

/// A bus or system physical address; the kernel's headers make it an alias of
/// the signed 64-bit number. Page `ns-winnt-large_integer`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PHYSICAL_ADDRESS {
    pub QuadPart: i64,
}

impl PHYSICAL_ADDRESS {
    /// The address as the unsigned number that it is.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.QuadPart.cast_unsigned()
    }

    /// The physical address `address`.
    #[must_use]
    pub const fn new(address: u64) -> Self {
        Self {
            QuadPart: address.cast_signed(),
        }
    }
}

/// Pixel formats, as far as a render-only driver meets them. Page `ne-d3dukmdt-d3dddiformat`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDIFORMAT(pub i32);

impl D3DDDIFORMAT {
    pub const D3DDDIFMT_UNKNOWN: Self = Self(0);
    pub const D3DDDIFMT_A8R8G8B8: Self = Self(21);
    pub const D3DDDIFMT_X8R8G8B8: Self = Self(22);
    pub const D3DDDIFMT_R5G6B5: Self = Self(23);
    pub const D3DDDIFMT_A2B10G10R10: Self = Self(31);
    pub const D3DDDIFMT_A8B8G8R8: Self = Self(32);
    pub const D3DDDIFMT_A16B16G16R16F: Self = Self(113);
}

/// Rotation of a surface. Page `ne-d3dukmdt-d3dddi_rotation`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DDDI_ROTATION(pub i32);

impl D3DDDI_ROTATION {
    pub const D3DDDI_ROTATION_IDENTITY: Self = Self(1);
    pub const D3DDDI_ROTATION_90: Self = Self(2);
    pub const D3DDDI_ROTATION_180: Self = Self(3);
    pub const D3DDDI_ROTATION_270: Self = Self(4);
}

/// Power states of a device, D0 (on) to D3 (off). Page `ne-dispmprt-device_power_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DEVICE_POWER_STATE(pub i32);

impl DEVICE_POWER_STATE {
    pub const PowerDeviceUnspecified: Self = Self(0);
    pub const PowerDeviceD0: Self = Self(1);
    pub const PowerDeviceD1: Self = Self(2);
    pub const PowerDeviceD2: Self = Self(3);
    pub const PowerDeviceD3: Self = Self(4);
    pub const PowerDeviceMaximum: Self = Self(5);
}

/// How the CPU caches a mapping. Page `ne-dispmprt-memory_caching_type`.
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

/// What the system is about to do: sleep, hibernate, shut down. Page `ne-dispmprt-power_action`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct POWER_ACTION(pub i32);

impl POWER_ACTION {
    pub const PowerActionNone: Self = Self(0);
    pub const PowerActionReserved: Self = Self(1);
    pub const PowerActionSleep: Self = Self(2);
    pub const PowerActionHibernate: Self = Self(3);
    pub const PowerActionShutdown: Self = Self(4);
    pub const PowerActionShutdownReset: Self = Self(5);
    pub const PowerActionShutdownOff: Self = Self(6);
    pub const PowerActionWarmEject: Self = Self(7);
    pub const PowerActionDisplayOff: Self = Self(8);
}

/// A frequency as a fraction. Page `ns-d3dukmdt-d3dddi_rational`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DDDI_RATIONAL {
    pub Numerator: u32,
    pub Denominator: u32,
}

/// A counted UTF-16 string; lengths are bytes. Page `ns-wdm-unicode_string`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UNICODE_STRING {
    pub Length: u16,
    pub MaximumLength: u16,
    pub Buffer: *mut u16,
}

/// A globally unique identifier. Page `ns-wdm-guid`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GUID {
    pub Data1: u32,
    pub Data2: u16,
    pub Data3: u16,
    pub Data4: [u8; 8],
}

/// An identifier that is unique until the machine restarts. Page `ns-wdm-luid`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LUID {
    pub LowPart: u32,
    pub HighPart: i32,
}

/// A link of a doubly linked kernel list. Page `ns-wdm-list_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LIST_ENTRY {
    pub Flink: *mut LIST_ENTRY,
    pub Blink: *mut LIST_ENTRY,
}

/// Header of a memory descriptor list; page frame numbers follow it in memory. Page `ns-wdm-mdl`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MDL {
    pub Next: *mut MDL,
    pub Size: i16,
    pub MdlFlags: i16,
    pub Process: PVOID,
    pub MappedSystemVa: PVOID,
    pub StartVa: PVOID,
    pub ByteCount: u32,
    pub ByteOffset: u32,
}

/// The header that every driver-to-driver interface begins with. Page `ns-wdm-interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
}

/// A place in GPU memory as segment and offset. Page `ns-d3dkmddi-d3dgpu_physical_address`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DGPU_PHYSICAL_ADDRESS {
    pub SegmentId: u32,
    pub Padding: u32,
    pub SegmentOffset: u64,
}

layouts! {
    LARGE_INTEGER = 8 {
        QuadPart: 0,
    }
    PHYSICAL_ADDRESS = 8 {
        QuadPart: 0,
    }
    D3DDDI_RATIONAL = 8 {
        Numerator: 0,
        Denominator: 4,
    }
    UNICODE_STRING = 16 {
        Length: 0,
        MaximumLength: 2,
        Buffer: 8,
    }
    GUID = 16 {
        Data1: 0,
        Data2: 4,
        Data3: 6,
        Data4: 8,
    }
    LUID = 8 {
        LowPart: 0,
        HighPart: 4,
    }
    LIST_ENTRY = 16 {
        Flink: 0,
        Blink: 8,
    }
    MDL = 48 {
        Next: 0,
        Size: 8,
        MdlFlags: 10,
        Process: 16,
        MappedSystemVa: 24,
        StartVa: 32,
        ByteCount: 40,
        ByteOffset: 44,
    }
    INTERFACE = 32 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
    }
    D3DGPU_PHYSICAL_ADDRESS = 16 {
        SegmentId: 0,
        Padding: 4,
        SegmentOffset: 8,
    }
}
