//! Hardware resources, as the PnP manager describes them.

use crate::base::PHYSICAL_ADDRESS;

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

/// Kinds of buses. Page `ne-dispmprt-interface_type`.
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

/// One resource of a device: a memory range, a port range or an interrupt. The kind says which arm
/// of `u` holds. Page `ns-wdm-cm_partial_resource_descriptor`.
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

/// A counted list of resources; it continues past its last declared element. Page
/// `ns-wdm-cm_partial_resource_list`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_PARTIAL_RESOURCE_LIST {
    pub Version: u16,
    pub Revision: u16,
    pub Count: u32,
    pub PartialDescriptors: [CM_PARTIAL_RESOURCE_DESCRIPTOR; 1],
}

/// The resources that a device has on one bus. Page `ns-wdm-cm_full_resource_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_FULL_RESOURCE_DESCRIPTOR {
    pub InterfaceType: INTERFACE_TYPE,
    pub BusNumber: u32,
    pub PartialResourceList: CM_PARTIAL_RESOURCE_LIST,
}

/// All translated resources of a device. Page `ns-wdm-cm_resource_list`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct CM_RESOURCE_LIST {
    pub Count: u32,
    pub List: [CM_FULL_RESOURCE_DESCRIPTOR; 1],
}

opaque_debug! {
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u,
    CM_PARTIAL_RESOURCE_DESCRIPTOR_u_MessageInterrupt,
}

layouts! {
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
}
