//! Named numbers of the DDI that belong to no enumeration: limits, well-known identifiers, interface
//! versions, control codes and interface identifiers.

use crate::base::GUID;

/// Most nodes of an adapter.
pub const DXGK_MAX_ASYMETRICAL_PROCESSING_NODES: usize = 0x40;
/// Most bytes of a doorbell.
pub const DXGK_MAX_DOORBELL_SIZE_BYTES: usize = 0x4000;
/// Most bytes of private data that a doorbell is created with.
pub const D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1: usize = 0x10;
/// Most F-states of a power component.
pub const DXGK_MAX_F_STATES: usize = 8;
/// UTF-16 units of a name in `DXGK_GPUVERSION`.
pub const DXGK_MAX_GPUVERSION_NAME_LENGTH: usize = 0x20;
/// UTF-16 units of a node's name.
pub const DXGK_MAX_METADATA_NAME_LENGTH: usize = 0x20;
/// Most page-table levels.
pub const DXGK_MAX_PAGE_TABLE_LEVEL_COUNT: u32 = 6;
/// Fewest page-table levels.
pub const DXGK_MIN_PAGE_TABLE_LEVEL_COUNT: u32 = 2;
/// Most bits of a GPU virtual address.
pub const DXGK_MAX_GPU_VA_BIT_COUNT: u32 = 0x3F;
/// No segment.
pub const DXGK_SEGMENT_ID_INVALID: u32 = 0;
/// The segment identifier that stands for system memory in GPU MMU structures.
pub const DXGK_SEGMENT_ID_SYSTEMMEMORY: u32 = 0x1F;
/// The bit that stands for system memory in a set of segments.
pub const DXGK_SEGMENT_SET_SYSTEMMEMORY: u32 = 0x8000_0000;
/// The driver wants the feature off.
pub const DXGK_FEATURE_SUPPORT_ALWAYS_OFF: u8 = 0;
/// The driver has the feature, off unless somebody turns it on.
pub const DXGK_FEATURE_SUPPORT_EXPERIMENTAL: u8 = 1;
/// The driver has the feature and trusts it.
pub const DXGK_FEATURE_SUPPORT_STABLE: u8 = 2;
/// The driver cannot do without the feature.
pub const DXGK_FEATURE_SUPPORT_ALWAYS_ON: u8 = 3;
/// Version of the OS's feature interface.
pub const DXGK_FEATURE_INTERFACE_VERSION_1: u16 = 1;
/// Version of the driver's feature interface.
pub const DXGKDDI_FEATURE_INTERFACE_VERSION_1: u16 = 1;
/// Version of the driver's feature interface with the later support query.
pub const DXGKDDI_FEATURE_INTERFACE_VERSION_2: u16 = 2;
/// Exclusive access: evict everything from memory first.
pub const DXGK_EXCLUDE_EVICT_ALL: u32 = 1;
/// Exclusive access: call back before returning.
pub const DXGK_EXCLUDE_CALL_SYNCHRONOUS: u32 = 2;
/// Exclusive access: keep away from the bridge too.
pub const DXGK_EXCLUDE_BRIDGE_ACCESS: u32 = 4;
/// Device space: PCI configuration space.
pub const DXGK_WHICHSPACE_CONFIG: u32 = 0;
/// Device space: the expansion ROM.
pub const DXGK_WHICHSPACE_ROM: u32 = 0x5269_6350;
/// Device space: the memory controller hub.
pub const DXGK_WHICHSPACE_MCH: u32 = 0x8000_0000;
/// Device space: the bridge above the device.
pub const DXGK_WHICHSPACE_BRIDGE: u32 = 0x8000_0001;
/// Bytes of private data of a native fence.
pub const D3DDDI_NATIVE_FENCE_PDD_SIZE: usize = 0x40;
/// Most bytes of a test command buffer.
pub const D3DDDI_MAXTESTBUFFERSIZE: u32 = 0x1000;
/// Most bytes of private data of a test command buffer.
pub const D3DDDI_MAXTESTBUFFERPRIVATEDRIVERDATASIZE: u32 = 0x400;
/// Fault report: the primitive is not known.
pub const DXGK_PRIMITIVE_API_SEQUENCE_NUMBER_UNKNOWN: u64 = 0xFFFF_FFFF_FFFF_FFFF;
/// Fault report: the bind table entry is not known.
pub const DXGK_BIND_TABLE_ENTRY_UNKNOWN: u32 = 0xFFFF_FFFF;
/// F-state: the power is not known.
pub const DXGK_FSTATE_UNKNOWN_POWER: u32 = 0xFFFF_FFFF;
/// F-state: the latency is not known.
pub const DXGK_FSTATE_UNKNOWN_TIME: u64 = 0xFFFF_FFFF_FFFF_FFFF;
/// Bytes of a power component's name.
pub const DXGK_POWER_COMPONENT_NAME_SIZE: usize = 0x28;
/// Most providers of a power component.
pub const DXGK_MAX_POWER_COMPONENT_PROVIDERS: usize = 0x10;
/// UTF-16 units of a registry string with its terminator.
pub const DXGK_MAX_REG_SZ_LEN: usize = 0x33;
/// UTF-16 units of a registry string.
pub const DXGK_MAX_STRING_LEN: usize = 0x32;
/// Bit of a driver protection value that keeps mappings from being merged.
pub const D3DGPU_UNIQUE_DRIVER_PROTECTION: u64 = 0x8000_0000_0000_0000;
/// No GPU virtual address.
pub const D3DGPU_NULL: u64 = 0;
/// Lowest allocation priority.
pub const D3DDDI_ALLOCATIONPRIORITY_MINIMUM: u32 = 0x2800_0000;
/// Low allocation priority.
pub const D3DDDI_ALLOCATIONPRIORITY_LOW: u32 = 0x5000_0000;
/// Normal allocation priority.
pub const D3DDDI_ALLOCATIONPRIORITY_NORMAL: u32 = 0x7800_0000;
/// High allocation priority.
pub const D3DDDI_ALLOCATIONPRIORITY_HIGH: u32 = 0xA000_0000;
/// Highest allocation priority.
pub const D3DDDI_ALLOCATIONPRIORITY_MAXIMUM: u32 = 0xC800_0000;
/// An identifier that nobody has set.
pub const D3DDDI_ID_UNINITIALIZED: u32 = 0xFFFF_FFFF;
/// Any identifier will do.
pub const D3DDDI_ID_ANY: u32 = 0xFFFF_FFFE;
/// All identifiers are meant.
pub const D3DDDI_ID_ALL: u32 = 0xFFFF_FFFD;
/// The identifier has no meaning here.
pub const D3DDDI_ID_NOTAPPLICABLE: u32 = 0;
/// Bit of a context priority that is absolute.
pub const D3DKMT_SETCONTEXTSCHEDULINGPRIORITY_ABSOLUTE: u32 = 0x4000_0000;
/// Version of the graphics power registration.
pub const DXGK_GRAPHICSPOWER_VERSION_1_2: u32 = 0x1002;
/// Version of the wait-wake interface.
pub const DXGK_WAITWAKE_INTERFACE_VERSION_1: u16 = 1;
/// Port driver's device control that answers the registration routine, first generation.
pub const IOCTL_VIDEO_DDI_FUNC_REGISTER: u32 = 0x0023_003F;
/// Port driver's device control that answers the registration routine of display-only drivers.
pub const IOCTL_VIDEO_KMDOD_DDI_REGISTER: u32 = 0x0023_0043;
/// Port driver's device control that answers the registration routine of full display miniports.
pub const IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8: u32 = 0x0023_0047;
/// Device control by which a second driver registers for the adapter's power.
pub const IOCTL_INTERNAL_GRAPHICSPOWER_REGISTER: u32 = 0x0023_2807;
/// The feature interface that the driver offers.
pub const GUID_WDDM_INTERFACE_FEATURE: GUID = GUID {
    Data1: 0x94BB_3993,
    Data2: 0xC6C3,
    Data3: 0x4DA7,
    Data4: [0x89, 0x49, 0xA1, 0x13, 0x82, 0x32, 0xE7, 0x59],
};
/// The wait-wake interface that the driver offers.
pub const GUID_WDDM_INTERFACE_WAITWAKE: GUID = GUID {
    Data1: 0xD3A8_EC81,
    Data2: 0xBDEF,
    Data3: 0x43D6,
    Data4: [0x94, 0x71, 0x22, 0x38, 0x14, 0x60, 0x5E, 0x38],
};
/// Device interface of adapters whose power a second driver may follow.
pub const GUID_DEVINTERFACE_GRAPHICSPOWER: GUID = GUID {
    Data1: 0xEA5C_6870,
    Data2: 0xE93C,
    Data3: 0x4588,
    Data4: [0xBE, 0xF1, 0xFE, 0xC4, 0x2F, 0xC9, 0x42, 0x9A],
};
/// Power framework request: about to start.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START: GUID = GUID {
    Data1: 0xCBA5_49D4,
    Data2: 0xCF3A,
    Data3: 0x445C,
    Data4: [0x94, 0x68, 0x23, 0x83, 0xFD, 0x52, 0x31, 0x16],
};
/// Power framework request: started.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_STARTED: GUID = GUID {
    Data1: 0x6C92_9C1D,
    Data2: 0x7D76,
    Data3: 0x4538,
    Data4: [0x93, 0xAD, 0x44, 0x9D, 0xC9, 0xFD, 0xC2, 0x39],
};
/// Power framework request: stopped.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED: GUID = GUID {
    Data1: 0x0A9D_9621,
    Data2: 0xBC21,
    Data3: 0x4DD4,
    Data4: [0xA0, 0xFC, 0xD9, 0x76, 0xE4, 0x28, 0xF7, 0x38],
};
