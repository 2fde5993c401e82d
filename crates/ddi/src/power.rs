//! Power components, F-states and P-states.

use bitfield_struct::bitfield;

use crate::base::{GUID, HANDLE, PVOID};
use crate::ntstatus::NTSTATUS;

/// Kinds of power components. Page `ne-d3dkmddi-dxgk_power_component_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_POWER_COMPONENT_TYPE(pub i32);

impl DXGK_POWER_COMPONENT_TYPE {
    pub const DXGK_POWER_COMPONENT_ENGINE: Self = Self(0);
    pub const DXGK_POWER_COMPONENT_MONITOR: Self = Self(1);
    pub const DXGK_POWER_COMPONENT_MONITOR_REFRESH: Self = Self(2);
    pub const DXGK_POWER_COMPONENT_MEMORY: Self = Self(3);
    pub const DXGK_POWER_COMPONENT_MEMORY_REFRESH: Self = Self(4);
    pub const DXGK_POWER_COMPONENT_OTHER: Self = Self(5);
    pub const DXGK_POWER_COMPONENT_D3_TRANSITION: Self = Self(6);
    pub const DXGK_POWER_COMPONENT_SHARED: Self = Self(7);
    pub const DXGK_POWER_COMPONENT_MAX: Self = Self(8);
}

/// One F-state: transition latency, break-even residency, power. Page
/// `ns-d3dkmddi-_dxgk_power_runtime_state`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_RUNTIME_STATE {
    pub TransitionLatency: u64,
    pub ResidencyRequirement: u64,
    pub NominalPower: u32,
}

/// What a power component powers: an engine, memory, a monitor. Page
/// `ns-d3dkmddi-dxgk_power_component_mapping`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING {
    pub ComponentType: DXGK_POWER_COMPONENT_TYPE,
    pub Anonymous: DXGK_POWER_COMPONENT_MAPPING_Anonymous,
}

/// The unnamed union of [`DXGK_POWER_COMPONENT_MAPPING`] at offset 4.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_POWER_COMPONENT_MAPPING_Anonymous {
    pub EngineDesc: DXGK_POWER_COMPONENT_MAPPING_EngineDesc,
    pub MonitorRefreshDesc: DXGK_POWER_COMPONENT_MAPPING_MonitorRefreshDesc,
    pub MonitorDesc: DXGK_POWER_COMPONENT_MAPPING_MonitorDesc,
    pub MemoryDesc: DXGK_POWER_COMPONENT_MAPPING_MemoryDesc,
    pub SharedDesc: DXGK_POWER_COMPONENT_MAPPING_SharedDesc,
}

/// The `SharedDesc` member of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_POWER_COMPONENT_MAPPING_SharedDesc {
    pub Anonymous: DXGK_POWER_COMPONENT_MAPPING_SharedDesc_Anonymous,
    pub SharedType: u32,
}

/// One reading of the unnamed union of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING_SharedDesc_Anonymous {
    pub SharedTypeFlag: u16,
    pub DriverCustomValueSet: u16,
}

/// The `MemoryDesc` member of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING_MemoryDesc {
    pub SegmentID: u32,
}

/// The `MonitorDesc` member of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING_MonitorDesc {
    pub VidPnTargetID: u32,
}

/// The `MonitorRefreshDesc` member of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING_MonitorRefreshDesc {
    pub VidPnSourceID: u32,
}

/// The `EngineDesc` member of [`DXGK_POWER_COMPONENT_MAPPING`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_MAPPING_EngineDesc {
    pub NodeIndex: u32,
}

/// How the OS treats a power component. Page `ns-d3dkmddi-dxgk_power_component_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_POWER_COMPONENT_FLAGS {
    pub Reserved0: bool,
    pub DriverCompletesFStateTransition: bool,
    pub TransitionTo_F0_OnDx: bool,
    pub NoDebounce: bool,
    pub ActiveInD3: bool,
    #[bits(27)]
    pub Reserved: u32,
}

/// A power component: its F-states, what it powers, its name. Page
/// `ns-d3dkmddi-_dxgk_power_runtime_component`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_RUNTIME_COMPONENT {
    pub StateCount: u32,
    pub States: [DXGK_POWER_RUNTIME_STATE; 8],
    pub ComponentMapping: DXGK_POWER_COMPONENT_MAPPING,
    pub Flags: DXGK_POWER_COMPONENT_FLAGS,
    pub ComponentGuid: GUID,
    pub ComponentName: [u8; 40],
    pub ProviderCount: u32,
    pub Providers: [u32; 16],
}

/// One P-state of a component: power and operating point. Page `ns-d3dkmddi-dxgk_power_p_state`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_P_STATE {
    pub OperatingFrequency: u32,
}

/// How the OS treats the P-states of a component. Page `ns-d3dkmddi-dxgk_power_component_p_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_POWER_COMPONENT_P_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// The P-states of a power component. Page `ns-d3dkmddi-dxgk_power_p_component`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_P_COMPONENT {
    pub StateCount: u32,
    pub States: [DXGK_POWER_P_STATE; 32],
    pub Flags: DXGK_POWER_COMPONENT_P_FLAGS,
}

/// Number of a power component and whose it is. Page `ns-d3dkmddi-dxgk_power_component_index`.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_POWER_COMPONENT_INDEX {
    pub Anonymous: DXGK_POWER_COMPONENT_INDEX_Anonymous,
    pub Value: u32,
}

/// One reading of the unnamed union of [`DXGK_POWER_COMPONENT_INDEX`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_POWER_COMPONENT_INDEX_Anonymous {
    pub PhysicalAdapterComponentIndex: u16,
    pub PhysicalAdapterIndex: u16,
}

/// `DxgkDdiSetPowerComponentFState`: Moves a power component to an F-state. IRQL: at most
/// DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddisetpowercomponentfstate`.
pub type DXGKDDISETPOWERCOMPONENTFSTATE =
    unsafe extern "win64" fn(DriverContext: HANDLE, ComponentIndex: u32, FState: u32) -> NTSTATUS;

/// `DxgkDdiPowerRuntimeControlRequest`: Passes a request of the platform's power extension to the
/// driver. IRQL: at most DISPATCH_LEVEL. Page `nc-d3dkmddi-dxgkddipowerruntimecontrolrequest`.
pub type DXGKDDIPOWERRUNTIMECONTROLREQUEST = unsafe extern "win64" fn(
    DriverContext: HANDLE,
    PowerControlCode: *const GUID,
    InBuffer: PVOID,
    InBufferSize: u64,
    OutBuffer: PVOID,
    OutBufferSize: u64,
    BytesReturned: *mut u64,
) -> NTSTATUS;

/// `DxgkDdiSetPowerPState`: Moves a power component to a P-state. Page
/// `nc-d3dkmddi-dxgkddisetpowerpstate`.
pub type DXGKDDISETPOWERPSTATE = unsafe extern "win64" fn(
    DriverContext: HANDLE,
    ComponentIndex: u32,
    RequestedComponentPState: u32,
) -> NTSTATUS;

/// `DxgkDdiPowerRuntimeSetDeviceHandle`: Gives the driver its handle in the power framework. Page
/// `nc-d3dkmddi-dxgkddi_powerruntimesetdevicehandle`.
pub type DXGKDDI_POWERRUNTIMESETDEVICEHANDLE =
    unsafe extern "win64" fn(DriverContext: HANDLE, PoDeviceHandle: HANDLE) -> NTSTATUS;

opaque_debug! {
    DXGK_POWER_COMPONENT_MAPPING_Anonymous,
    DXGK_POWER_COMPONENT_MAPPING_SharedDesc,
    DXGK_POWER_COMPONENT_INDEX,
}

layouts! {
    DXGK_POWER_RUNTIME_STATE = 24 {
        TransitionLatency: 0,
        ResidencyRequirement: 8,
        NominalPower: 16,
    }
    DXGK_POWER_COMPONENT_MAPPING = 8 {
        ComponentType: 0,
        Anonymous: 4,
        Anonymous.EngineDesc: 4,
        Anonymous.EngineDesc.NodeIndex: 4,
        Anonymous.MonitorRefreshDesc: 4,
        Anonymous.MonitorRefreshDesc.VidPnSourceID: 4,
        Anonymous.MonitorDesc: 4,
        Anonymous.MonitorDesc.VidPnTargetID: 4,
        Anonymous.MemoryDesc: 4,
        Anonymous.MemoryDesc.SegmentID: 4,
        Anonymous.SharedDesc: 4,
        Anonymous.SharedDesc.Anonymous: 4,
        Anonymous.SharedDesc.Anonymous.SharedTypeFlag: 4,
        Anonymous.SharedDesc.Anonymous.DriverCustomValueSet: 6,
        Anonymous.SharedDesc.SharedType: 4,
    }
    DXGK_POWER_COMPONENT_MAPPING_Anonymous = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_SharedDesc = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_SharedDesc_Anonymous = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_MemoryDesc = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_MonitorDesc = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_MonitorRefreshDesc = 4 {
    }
    DXGK_POWER_COMPONENT_MAPPING_EngineDesc = 4 {
    }
    DXGK_POWER_COMPONENT_FLAGS = 4 {
    }
    DXGK_POWER_RUNTIME_COMPONENT = 336 {
        StateCount: 0,
        States: 8,
        ComponentMapping: 200,
        Flags: 208,
        ComponentGuid: 212,
        ComponentName: 228,
        ProviderCount: 268,
        Providers: 272,
    }
    DXGK_POWER_P_STATE = 4 {
        OperatingFrequency: 0,
    }
    DXGK_POWER_COMPONENT_P_FLAGS = 4 {
    }
    DXGK_POWER_P_COMPONENT = 136 {
        StateCount: 0,
        States: 4,
        Flags: 132,
    }
    DXGK_POWER_COMPONENT_INDEX = 4 {
        Anonymous: 0,
        Anonymous.PhysicalAdapterComponentIndex: 0,
        Anonymous.PhysicalAdapterIndex: 2,
        Value: 0,
    }
    DXGK_POWER_COMPONENT_INDEX_Anonymous = 4 {
    }
}
