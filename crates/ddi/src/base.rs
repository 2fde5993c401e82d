//! base

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

/// A resource descriptor's kind: the `Type` byte of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`]. Page
/// `ns-wdm-_cm_partial_resource_descriptor`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CM_RESOURCE_TYPE(pub u8);

impl CM_RESOURCE_TYPE {
    pub const CmResourceTypeNull: Self = Self(0);
    pub const CmResourceTypePort: Self = Self(1);
    pub const CmResourceTypeInterrupt: Self = Self(2);
    pub const CmResourceTypeMemory: Self = Self(3);
    pub const CmResourceTypeMemoryLarge: Self = Self(7);
}

/// In a resource descriptor's flags: the interrupt is edge triggered.
pub const CM_RESOURCE_INTERRUPT_LATCHED: u16 = 1;
/// In a resource descriptor's flags: the interrupt is message signalled.
pub const CM_RESOURCE_INTERRUPT_MESSAGE: u16 = 2;

/// An enumeration of the DDI. Page `ne-dispmprt-interface_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct INTERFACE_TYPE(pub i32);

impl INTERFACE_TYPE {
    pub const InterfaceTypeUndefined: Self = Self(-1);
    pub const Internal: Self = Self(0);
    pub const Isa: Self = Self(1);
    pub const Eisa: Self = Self(2);
    pub const MicroChannel: Self = Self(3);
    pub const TurboChannel: Self = Self(4);
    pub const PCIBus: Self = Self(5);
    pub const VMEBus: Self = Self(6);
    pub const NuBus: Self = Self(7);
    pub const PCMCIABus: Self = Self(8);
    pub const CBus: Self = Self(9);
    pub const MPIBus: Self = Self(10);
    pub const MPSABus: Self = Self(11);
    pub const ProcessorInternal: Self = Self(12);
    pub const InternalPowerBus: Self = Self(13);
    pub const PNPISABus: Self = Self(14);
    pub const PNPBus: Self = Self(15);
    pub const Vmcs: Self = Self(16);
    pub const ACPIBus: Self = Self(17);
    pub const MaximumInterfaceType: Self = Self(18);
}

/// A structure of the DDI. Page `ns-wdm-unicode_string`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UNICODE_STRING {
    pub Length: u16,
    pub MaximumLength: u16,
    pub Buffer: *mut u16,
}

/// A structure of the DDI. Page `ns-wdm-guid`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct GUID {
    pub Data1: u32,
    pub Data2: u16,
    pub Data3: u16,
    pub Data4: [u8; 8],
}

/// A structure of the DDI. Page `ns-wdm-luid`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LUID {
    pub LowPart: u32,
    pub HighPart: i32,
}

/// A structure of the DDI. Page `ns-wdm-list_entry`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LIST_ENTRY {
    pub Flink: *mut LIST_ENTRY,
    pub Blink: *mut LIST_ENTRY,
}

/// A structure of the DDI. Page `ns-wdm-mdl`.
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

/// A structure of the DDI. Page `ns-wdm-interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
}

/// A structure of the DDI. Page `ns-wdm-cm_partial_resource_descriptor`.
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR {
    pub Type: u8,
    pub ShareDisposition: u8,
    pub Flags: u16,
    pub u: CM_PARTIAL_RESOURCE_DESCRIPTOR_u,
}

/// The `u` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_u {
    pub Generic: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Generic,
    pub Port: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Port,
    pub Interrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Interrupt,
    pub MessageInterrupt: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt,
    pub Memory: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory,
    pub Dma: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Dma,
    pub DmaV3: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DmaV3,
    pub DevicePrivate: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DevicePrivate,
    pub BusNumber: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_BusNumber,
    pub DeviceSpecificData: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DeviceSpecificData,
    pub Memory40: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory40,
    pub Memory48: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory48,
    pub Memory64: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory64,
    pub Connection: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Connection,
}

/// The `Connection` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Connection {
    pub Class: u8,
    pub Type: u8,
    pub Reserved1: u8,
    pub Reserved2: u8,
    pub IdLowPart: u32,
    pub IdHighPart: u32,
}

/// The `Memory64` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory64 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length64: u32,
}

/// The `Memory48` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory48 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length48: u32,
}

/// The `Memory40` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory40 {
    pub Start: PHYSICAL_ADDRESS,
    pub Length40: u32,
}

/// The `DeviceSpecificData` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DeviceSpecificData {
    pub DataSize: u32,
    pub Reserved1: u32,
    pub Reserved2: u32,
}

/// The `BusNumber` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_BusNumber {
    pub Start: u32,
    pub Length: u32,
    pub Reserved: u32,
}

/// The `DevicePrivate` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DevicePrivate {
    pub Data: [u32; 3],
}

/// The `DmaV3` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DmaV3 {
    pub Channel: u32,
    pub RequestLine: u32,
    pub TransferWidth: u8,
    pub Reserved1: u8,
    pub Reserved2: u8,
    pub Reserved3: u8,
}

/// The `Dma` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Dma {
    pub Channel: u32,
    pub Port: u32,
    pub Reserved1: u32,
}

/// The `Memory` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory {
    pub Start: PHYSICAL_ADDRESS,
    pub Length: u32,
}

/// The `MessageInterrupt` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt {
    pub Raw: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Raw,
    pub Translated: CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Translated,
}

/// The `Translated` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Translated {
    pub Level: u32,
    pub Vector: u32,
    pub Affinity: usize,
}

/// The `Raw` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Raw {
    pub Reserved: u16,
    pub MessageCount: u16,
    pub Vector: u32,
    pub Affinity: usize,
}

/// The `Interrupt` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Interrupt {
    pub Level: u32,
    pub Vector: u32,
    pub Affinity: usize,
}

/// The `Port` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Port {
    pub Start: PHYSICAL_ADDRESS,
    pub Length: u32,
}

/// The `Generic` member of [`CM_PARTIAL_RESOURCE_DESCRIPTOR`].
#[repr(C, packed(4))]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Generic {
    pub Start: PHYSICAL_ADDRESS,
    pub Length: u32,
}

/// A structure of the DDI. Page `ns-wdm-cm_partial_resource_list`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_LIST {
    pub Version: u16,
    pub Revision: u16,
    pub Count: u32,
    pub PartialDescriptors: [CM_PARTIAL_RESOURCE_DESCRIPTOR; 1],
}

/// A structure of the DDI. Page `ns-wdm-cm_full_resource_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_FULL_RESOURCE_DESCRIPTOR {
    pub InterfaceType: INTERFACE_TYPE,
    pub BusNumber: u32,
    pub PartialResourceList: CM_PARTIAL_RESOURCE_LIST,
}

/// A structure of the DDI. Page `ns-wdm-cm_resource_list`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_RESOURCE_LIST {
    pub Count: u32,
    pub List: [CM_FULL_RESOURCE_DESCRIPTOR; 1],
}

/// A structure of the DDI. Page `ns-d3dkmddi-d3dgpu_physical_address`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct D3DGPU_PHYSICAL_ADDRESS {
    pub SegmentId: u32,
    pub Padding: u32,
    pub SegmentOffset: u64,
}

opaque_debug! {
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u,
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt,
}

layouts! {
    LARGE_INTEGER = 8 {
        QuadPart: 0,
    }
    PHYSICAL_ADDRESS = 8 {
        QuadPart: 0,
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
    CM_PARTIAL_RESOURCE_DESCRIPTOR = 20 {
        Type: 0,
        ShareDisposition: 1,
        Flags: 2,
        u: 4,
        u.Generic: 4,
        u.Generic.Start: 4,
        u.Generic.Length: 12,
        u.Port: 4,
        u.Port.Start: 4,
        u.Port.Length: 12,
        u.Interrupt: 4,
        u.Interrupt.Level: 4,
        u.Interrupt.Vector: 8,
        u.Interrupt.Affinity: 12,
        u.MessageInterrupt: 4,
        u.MessageInterrupt.Raw: 4,
        u.MessageInterrupt.Raw.Reserved: 4,
        u.MessageInterrupt.Raw.MessageCount: 6,
        u.MessageInterrupt.Raw.Vector: 8,
        u.MessageInterrupt.Raw.Affinity: 12,
        u.MessageInterrupt.Translated: 4,
        u.MessageInterrupt.Translated.Level: 4,
        u.MessageInterrupt.Translated.Vector: 8,
        u.MessageInterrupt.Translated.Affinity: 12,
        u.Memory: 4,
        u.Memory.Start: 4,
        u.Memory.Length: 12,
        u.Dma: 4,
        u.Dma.Channel: 4,
        u.Dma.Port: 8,
        u.Dma.Reserved1: 12,
        u.DmaV3: 4,
        u.DmaV3.Channel: 4,
        u.DmaV3.RequestLine: 8,
        u.DmaV3.TransferWidth: 12,
        u.DmaV3.Reserved1: 13,
        u.DmaV3.Reserved2: 14,
        u.DmaV3.Reserved3: 15,
        u.DevicePrivate: 4,
        u.DevicePrivate.Data: 4,
        u.BusNumber: 4,
        u.BusNumber.Start: 4,
        u.BusNumber.Length: 8,
        u.BusNumber.Reserved: 12,
        u.DeviceSpecificData: 4,
        u.DeviceSpecificData.DataSize: 4,
        u.DeviceSpecificData.Reserved1: 8,
        u.DeviceSpecificData.Reserved2: 12,
        u.Memory40: 4,
        u.Memory40.Start: 4,
        u.Memory40.Length40: 12,
        u.Memory48: 4,
        u.Memory48.Start: 4,
        u.Memory48.Length48: 12,
        u.Memory64: 4,
        u.Memory64.Start: 4,
        u.Memory64.Length64: 12,
        u.Connection: 4,
        u.Connection.Class: 4,
        u.Connection.Type: 5,
        u.Connection.Reserved1: 6,
        u.Connection.Reserved2: 7,
        u.Connection.IdLowPart: 8,
        u.Connection.IdHighPart: 12,
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u = 16 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Connection = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory64 = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory48 = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory40 = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DeviceSpecificData = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_BusNumber = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DevicePrivate = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_DmaV3 = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Dma = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Memory = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt = 16 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Translated = 16 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt_Raw = 16 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Interrupt = 16 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Port = 12 {
    }
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_Generic = 12 {
    }
    CM_PARTIAL_RESOURCE_LIST = 28 {
        Version: 0,
        Revision: 2,
        Count: 4,
        PartialDescriptors: 8,
    }
    CM_FULL_RESOURCE_DESCRIPTOR = 36 {
        InterfaceType: 0,
        BusNumber: 4,
        PartialResourceList: 8,
    }
    CM_RESOURCE_LIST = 40 {
        Count: 0,
        List: 4,
    }
    D3DGPU_PHYSICAL_ADDRESS = 16 {
        SegmentId: 0,
        Padding: 4,
        SegmentOffset: 8,
    }
}
