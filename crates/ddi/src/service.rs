//! Interfaces beside the main table: power notification, wait-wake, debug reports, timed operations.

use crate::base::{
    BOOLEAN, DEVICE_POWER_STATE, GUID, LARGE_INTEGER, PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE,
    PVOID,
};
use crate::ntstatus::NTSTATUS;

/// Sub-interfaces that `DxgkCbQueryServices` hands out. Page `ne-d3dkmddi-dxgk_services`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SERVICES(pub i32);

impl DXGK_SERVICES {
    pub const DxgkServicesAgp: Self = Self(0);
    pub const DxgkServicesDebugReport: Self = Self(1);
    pub const DxgkServicesTimedOperation: Self = Self(2);
    pub const DxgkServicesSPB: Self = Self(3);
    pub const DxgkServicesBDD: Self = Self(4);
    pub const DxgkServicesFirmwareTable: Self = Self(5);
    pub const DxgkServicesIDD: Self = Self(6);
    pub const DxgkServicesFeature: Self = Self(7);
}

/// What a second driver registers to follow the adapter's power. Page
/// `ns-d3dkmthk-dxgk_graphicspower_register_input_v_1_2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GRAPHICSPOWER_REGISTER_INPUT_V_1_2 {
    pub Version: u32,
    pub PrivateHandle: PVOID,
    pub PowerNotificationCb: Option<DXGK_POWER_NOTIFICATION>,
    pub RemovalNotificationCb: Option<DXGK_REMOVAL_NOTIFICATION>,
    pub FStateNotificationCb: Option<DXGK_FSTATE_NOTIFICATION>,
    pub InitialComponentStateCb: Option<DXGK_INITIAL_COMPONENT_STATE>,
}

/// What the second driver gets for its registration. Page
/// `ns-d3dkmthk-dxgk_graphicspower_register_output`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GRAPHICSPOWER_REGISTER_OUTPUT {
    pub DeviceHandle: PVOID,
    pub InitialGrfxPowerState: DEVICE_POWER_STATE,
    pub SetSharedPowerComponentStateCb: Option<DXGK_SET_SHARED_POWER_COMPONENT_STATE>,
    pub UnregisterCb: Option<DXGK_GRAPHICSPOWER_UNREGISTER>,
}

/// Tells the driver when its wake signal is armed and disarmed. Page
/// `ns-dispmprt-dxgk_waitwake_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_WAITWAKE_INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub DxgkDdiWaitWakeArming: Option<DXGKDDI_WAITWAKE_ARMING>,
    pub DxgkDdiWaitWakeDisarming: Option<DXGKDDI_WAITWAKE_DISARMING>,
}

/// Service for creating debug reports. Page `ns-dispmprt-dxgk_debug_report_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DEBUG_REPORT_INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub DbgReportCreate: PVOID,
    pub DbgReportSecondaryData: PVOID,
    pub DbgReportComplete: PVOID,
}

/// Service for waits that together stay below a limit. Page
/// `ns-dispmprt-dxgk_timed_operation_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_TIMED_OPERATION_INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub TimedOperationStart: PVOID,
    pub TimedOperationDelay: PVOID,
    pub TimedOperationWaitForSingleObject: PVOID,
}

/// State of a timed operation; the OS owns its contents. Page `ns-dispmprt-dxgk_timed_operation`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_TIMED_OPERATION {
    pub Size: u16,
    pub OwnerTag: usize,
    pub OsHandled: BOOLEAN,
    pub TimeoutTriggered: BOOLEAN,
    pub Timeout: LARGE_INTEGER,
    pub StartTick: LARGE_INTEGER,
}

/// Announces a power state change of the adapter. Page `nc-d3dkmthk-pdxgk_power_notification`.
pub type DXGK_POWER_NOTIFICATION = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    NewGrfxPowerState: DEVICE_POWER_STATE,
    PreNotification: BOOLEAN,
    PrivateHandle: PVOID,
);

/// Announces that the adapter goes. Page `nc-d3dkmthk-pdxgk_removal_notification`.
pub type DXGK_REMOVAL_NOTIFICATION =
    unsafe extern "win64" fn(GraphicsDeviceHandle: PVOID, PrivateHandle: PVOID);

/// Announces an F-state change of the shared component. Page
/// `nc-d3dkmthk-pdxgk_fstate_notification`.
pub type DXGK_FSTATE_NOTIFICATION = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    ComponentIndex: u32,
    NewFState: u32,
    PreNotification: BOOLEAN,
    PrivateHandle: PVOID,
);

/// Announces the shared component's first state. Page `nc-d3dkmthk-pdxgk_initial_component_state`.
pub type DXGK_INITIAL_COMPONENT_STATE = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    PrivateHandle: PVOID,
    ComponentIndex: u32,
    IsBlockingType: BOOLEAN,
    InitialFState: u32,
    ComponentGuid: GUID,
    PowerComponentMappingFlag: u32,
);

/// Makes the shared power component active or idle. Page
/// `nc-d3dkmthk-pdxgk_set_shared_power_component_state`.
pub type DXGK_SET_SHARED_POWER_COMPONENT_STATE = unsafe extern "win64" fn(
    DeviceHandle: PVOID,
    PrivateHandle: PVOID,
    ComponentIndex: u32,
    Active: BOOLEAN,
) -> NTSTATUS;

/// Ends the registration for the adapter's power. Page
/// `nc-d3dkmthk-pdxgk_graphicspower_unregister`.
pub type DXGK_GRAPHICSPOWER_UNREGISTER =
    unsafe extern "win64" fn(DeviceHandle: PVOID, PrivateHandle: PVOID) -> NTSTATUS;

/// Announces that the wake signal is being armed. Page `nc-dispmprt-dxgkddi_waitwake_arming`.
pub type DXGKDDI_WAITWAKE_ARMING = unsafe extern "win64" fn(DriverContext: PVOID) -> NTSTATUS;

/// Announces that the wake signal is being disarmed. Page `nc-dispmprt-dxgkddi_waitwake_disarming`.
pub type DXGKDDI_WAITWAKE_DISARMING = unsafe extern "win64" fn(DriverContext: PVOID);

layouts! {
    DXGK_GRAPHICSPOWER_REGISTER_INPUT_V_1_2 = 48 {
        Version: 0,
        PrivateHandle: 8,
        PowerNotificationCb: 16,
        RemovalNotificationCb: 24,
        FStateNotificationCb: 32,
        InitialComponentStateCb: 40,
    }
    DXGK_GRAPHICSPOWER_REGISTER_OUTPUT = 32 {
        DeviceHandle: 0,
        InitialGrfxPowerState: 8,
        SetSharedPowerComponentStateCb: 16,
        UnregisterCb: 24,
    }
    DXGK_WAITWAKE_INTERFACE = 48 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        DxgkDdiWaitWakeArming: 32,
        DxgkDdiWaitWakeDisarming: 40,
    }
    DXGK_DEBUG_REPORT_INTERFACE = 56 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        DbgReportCreate: 32,
        DbgReportSecondaryData: 40,
        DbgReportComplete: 48,
    }
    DXGK_TIMED_OPERATION_INTERFACE = 56 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        TimedOperationStart: 32,
        TimedOperationDelay: 40,
        TimedOperationWaitForSingleObject: 48,
    }
    DXGK_TIMED_OPERATION = 40 {
        Size: 0,
        OwnerTag: 8,
        OsHandled: 16,
        TimeoutTriggered: 17,
        Timeout: 24,
        StartTick: 32,
    }
}
