//! Named numbers of the DDI that belong to no enumeration: limits, well-known identifiers, interface
//! versions, control codes and interface identifiers.

use crate::base::GUID;

/// A number of the DDI.
pub const DXGK_MAX_ASYMETRICAL_PROCESSING_NODES: usize = 0x40;
/// A number of the DDI.
pub const DXGK_MAX_DOORBELL_SIZE_BYTES: usize = 0x4000;
/// A number of the DDI.
pub const D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1: usize = 0x10;
/// A number of the DDI.
pub const DXGK_MAX_F_STATES: usize = 8;
/// A number of the DDI.
pub const DXGK_MAX_GPUVERSION_NAME_LENGTH: usize = 0x20;
/// A number of the DDI.
pub const DXGK_MAX_METADATA_NAME_LENGTH: usize = 0x20;
/// A number of the DDI.
pub const DXGK_MAX_PAGE_TABLE_LEVEL_COUNT: u32 = 6;
/// A number of the DDI.
pub const DXGK_MIN_PAGE_TABLE_LEVEL_COUNT: u32 = 2;
/// A number of the DDI.
pub const DXGK_MAX_GPU_VA_BIT_COUNT: u32 = 0x3F;
/// A number of the DDI.
pub const DXGK_SEGMENT_ID_INVALID: u32 = 0;
/// A number of the DDI.
pub const DXGK_SEGMENT_ID_SYSTEMMEMORY: u32 = 0x1F;
/// A number of the DDI.
pub const DXGK_SEGMENT_SET_SYSTEMMEMORY: u32 = 0x8000_0000;
/// A number of the DDI.
pub const DXGK_FEATURE_SUPPORT_ALWAYS_OFF: u8 = 0;
/// A number of the DDI.
pub const DXGK_FEATURE_SUPPORT_EXPERIMENTAL: u8 = 1;
/// A number of the DDI.
pub const DXGK_FEATURE_SUPPORT_STABLE: u8 = 2;
/// A number of the DDI.
pub const DXGK_FEATURE_SUPPORT_ALWAYS_ON: u8 = 3;
/// A number of the DDI.
pub const DXGK_FEATURE_INTERFACE_VERSION_1: u16 = 1;
/// A number of the DDI.
pub const DXGKDDI_FEATURE_INTERFACE_VERSION_1: u16 = 1;
/// A number of the DDI.
pub const DXGKDDI_FEATURE_INTERFACE_VERSION_2: u16 = 2;
/// A number of the DDI.
pub const DXGK_EXCLUDE_EVICT_ALL: u32 = 1;
/// A number of the DDI.
pub const DXGK_EXCLUDE_CALL_SYNCHRONOUS: u32 = 2;
/// A number of the DDI.
pub const DXGK_EXCLUDE_BRIDGE_ACCESS: u32 = 4;
/// A number of the DDI.
pub const DXGK_WHICHSPACE_CONFIG: u32 = 0;
/// A number of the DDI.
pub const DXGK_WHICHSPACE_ROM: u32 = 0x5269_6350;
/// A number of the DDI.
pub const DXGK_WHICHSPACE_MCH: u32 = 0x8000_0000;
/// A number of the DDI.
pub const DXGK_WHICHSPACE_BRIDGE: u32 = 0x8000_0001;
/// A number of the DDI.
pub const D3DDDI_NATIVE_FENCE_PDD_SIZE: usize = 0x40;
/// A number of the DDI.
pub const D3DDDI_MAXTESTBUFFERSIZE: u32 = 0x1000;
/// A number of the DDI.
pub const D3DDDI_MAXTESTBUFFERPRIVATEDRIVERDATASIZE: u32 = 0x400;
/// A number of the DDI.
pub const DXGK_PRIMITIVE_API_SEQUENCE_NUMBER_UNKNOWN: u64 = 0xFFFF_FFFF_FFFF_FFFF;
/// A number of the DDI.
pub const DXGK_BIND_TABLE_ENTRY_UNKNOWN: u32 = 0xFFFF_FFFF;
/// A number of the DDI.
pub const DXGK_FSTATE_UNKNOWN_POWER: u32 = 0xFFFF_FFFF;
/// A number of the DDI.
pub const DXGK_FSTATE_UNKNOWN_TIME: u64 = 0xFFFF_FFFF_FFFF_FFFF;
/// A number of the DDI.
pub const DXGK_POWER_COMPONENT_NAME_SIZE: usize = 0x28;
/// A number of the DDI.
pub const DXGK_MAX_POWER_COMPONENT_PROVIDERS: usize = 0x10;
/// A number of the DDI.
pub const DXGK_MAX_REG_SZ_LEN: usize = 0x33;
/// A number of the DDI.
pub const DXGK_MAX_STRING_LEN: usize = 0x32;
/// A number of the DDI.
pub const D3DGPU_UNIQUE_DRIVER_PROTECTION: u64 = 0x8000_0000_0000_0000;
/// A number of the DDI.
pub const D3DGPU_NULL: u64 = 0;
/// A number of the DDI.
pub const D3DDDI_ALLOCATIONPRIORITY_MINIMUM: u32 = 0x2800_0000;
/// A number of the DDI.
pub const D3DDDI_ALLOCATIONPRIORITY_LOW: u32 = 0x5000_0000;
/// A number of the DDI.
pub const D3DDDI_ALLOCATIONPRIORITY_NORMAL: u32 = 0x7800_0000;
/// A number of the DDI.
pub const D3DDDI_ALLOCATIONPRIORITY_HIGH: u32 = 0xA000_0000;
/// A number of the DDI.
pub const D3DDDI_ALLOCATIONPRIORITY_MAXIMUM: u32 = 0xC800_0000;
/// A number of the DDI.
pub const D3DDDI_ID_UNINITIALIZED: u32 = 0xFFFF_FFFF;
/// A number of the DDI.
pub const D3DDDI_ID_ANY: u32 = 0xFFFF_FFFE;
/// A number of the DDI.
pub const D3DDDI_ID_ALL: u32 = 0xFFFF_FFFD;
/// A number of the DDI.
pub const D3DDDI_ID_NOTAPPLICABLE: u32 = 0;
/// A number of the DDI.
pub const D3DKMT_SETCONTEXTSCHEDULINGPRIORITY_ABSOLUTE: u32 = 0x4000_0000;
/// A number of the DDI.
pub const DXGK_GRAPHICSPOWER_VERSION_1_2: u32 = 0x1002;
/// A number of the DDI.
pub const DXGK_WAITWAKE_INTERFACE_VERSION_1: u16 = 1;
/// A number of the DDI.
pub const IOCTL_VIDEO_DDI_FUNC_REGISTER: u32 = 0x0023_003F;
/// A number of the DDI.
pub const IOCTL_VIDEO_KMDOD_DDI_REGISTER: u32 = 0x0023_0043;
/// A number of the DDI.
pub const IOCTL_VIDEO_DDI_FUNC_REGISTER_WIN8: u32 = 0x0023_0047;
/// A number of the DDI.
pub const IOCTL_INTERNAL_GRAPHICSPOWER_REGISTER: u32 = 0x0023_2807;
/// A number of the DDI.
pub const GUID_WDDM_INTERFACE_FEATURE: GUID = GUID {
    Data1: 0x94BB_3993,
    Data2: 0xC6C3,
    Data3: 0x4DA7,
    Data4: [0x89, 0x49, 0xA1, 0x13, 0x82, 0x32, 0xE7, 0x59],
};
/// A number of the DDI.
pub const GUID_WDDM_INTERFACE_WAITWAKE: GUID = GUID {
    Data1: 0xD3A8_EC81,
    Data2: 0xBDEF,
    Data3: 0x43D6,
    Data4: [0x94, 0x71, 0x22, 0x38, 0x14, 0x60, 0x5E, 0x38],
};
/// A number of the DDI.
pub const GUID_DEVINTERFACE_GRAPHICSPOWER: GUID = GUID {
    Data1: 0xEA5C_6870,
    Data2: 0xE93C,
    Data3: 0x4588,
    Data4: [0xBE, 0xF1, 0xFE, 0xC4, 0x2F, 0xC9, 0x42, 0x9A],
};
/// A number of the DDI.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_PREPARE_TO_START: GUID = GUID {
    Data1: 0xCBA5_49D4,
    Data2: 0xCF3A,
    Data3: 0x445C,
    Data4: [0x94, 0x68, 0x23, 0x83, 0xFD, 0x52, 0x31, 0x16],
};
/// A number of the DDI.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_STARTED: GUID = GUID {
    Data1: 0x6C92_9C1D,
    Data2: 0x7D76,
    Data3: 0x4538,
    Data4: [0x93, 0xAD, 0x44, 0x9D, 0xC9, 0xFD, 0xC2, 0x39],
};
/// A number of the DDI.
pub const GUID_DXGKDDI_POWER_MANAGEMENT_STOPPED: GUID = GUID {
    Data1: 0x0A9D_9621,
    Data2: 0xBC21,
    Data3: 0x4DD4,
    Data4: [0xA0, 0xFC, 0xD9, 0x76, 0xE4, 0x28, 0xF7, 0x38],
};
