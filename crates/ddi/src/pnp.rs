//! pnp

use bitfield_struct::bitfield;

use crate::base::{
    BOOL, BOOLEAN, CM_RESOURCE_LIST, D3DDDI_VIDEO_PRESENT_TARGET_ID, GUID, HANDLE, INTERFACE,
    LARGE_INTEGER, LUID, PHYSICAL_ADDRESS, PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE, PVOID,
    UNICODE_STRING,
};
use crate::interface::DXGKRNL_INTERFACE;
use crate::ntstatus::NTSTATUS;

/// An enumeration of the DDI. Page `ne-dispmprt-device_power_state`.
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

/// An enumeration of the DDI. Page `ne-dispmprt-power_action`.
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

/// An enumeration of the DDI. Page `ne-dispmprt-docking_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DOCKING_STATE(pub i32);

impl DOCKING_STATE {
    pub const DockStateUnsupported: Self = Self(0);
    pub const DockStateUnDocked: Self = Self(1);
    pub const DockStateDocked: Self = Self(2);
    pub const DockStateUnknown: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_child_device_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_CHILD_DEVICE_TYPE(pub i32);

impl DXGK_CHILD_DEVICE_TYPE {
    pub const TypeUninitialized: Self = Self(0);
    pub const TypeVideoOutput: Self = Self(1);
    pub const TypeOther: Self = Self(2);
    pub const TypeIntegratedDisplay: Self = Self(3);
    pub const TypeLogicalGpu: Self = Self(4);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_child_status_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_CHILD_STATUS_TYPE(pub i32);

impl DXGK_CHILD_STATUS_TYPE {
    pub const StatusUninitialized: Self = Self(0);
    pub const StatusConnection: Self = Self(1);
    pub const StatusRotation: Self = Self(2);
    pub const StatusMiracastConnection: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_event_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_EVENT_TYPE(pub i32);

impl DXGK_EVENT_TYPE {
    pub const DxgkUndefinedEvent: Self = Self(0);
    pub const DxgkAcpiEvent: Self = Self(1);
    pub const DxgkPowerStateEvent: Self = Self(2);
    pub const DxgkDockingEvent: Self = Self(3);
    pub const DxgkChainedAcpiEvent: Self = Self(4);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_surprise_removal_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SURPRISE_REMOVAL_TYPE(pub i32);

impl DXGK_SURPRISE_REMOVAL_TYPE {
    pub const DxgkRemovalHibernation: Self = Self(0);
    pub const DxgkRemovalPnPNotify: Self = Self(1);
}

/// An enumeration of the DDI. Page `ne-d3dkmddi-dxgk_child_device_hpd_awareness`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_CHILD_DEVICE_HPD_AWARENESS(pub i32);

impl DXGK_CHILD_DEVICE_HPD_AWARENESS {
    pub const HpdAwarenessUninitialized: Self = Self(0);
    pub const HpdAwarenessAlwaysConnected: Self = Self(1);
    pub const HpdAwarenessNone: Self = Self(2);
    pub const HpdAwarenessPolled: Self = Self(3);
    pub const HpdAwarenessInterruptible: Self = Self(4);
}

/// An enumeration of the DDI. Page `ne-d3dkmdt-d3dkmdt_video_output_technology`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY(pub i32);

impl D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY {
    pub const D3DKMDT_VOT_UNINITIALIZED: Self = Self(-2);
    pub const D3DKMDT_VOT_OTHER: Self = Self(-1);
    pub const D3DKMDT_VOT_HD15: Self = Self(0);
    pub const D3DKMDT_VOT_SVIDEO: Self = Self(1);
    pub const D3DKMDT_VOT_COMPOSITE_VIDEO: Self = Self(2);
    pub const D3DKMDT_VOT_COMPONENT_VIDEO: Self = Self(3);
    pub const D3DKMDT_VOT_DVI: Self = Self(4);
    pub const D3DKMDT_VOT_HDMI: Self = Self(5);
    pub const D3DKMDT_VOT_LVDS: Self = Self(6);
    pub const D3DKMDT_VOT_D_JPN: Self = Self(8);
    pub const D3DKMDT_VOT_SDI: Self = Self(9);
    pub const D3DKMDT_VOT_DISPLAYPORT_EXTERNAL: Self = Self(10);
    pub const D3DKMDT_VOT_DISPLAYPORT_EMBEDDED: Self = Self(11);
    pub const D3DKMDT_VOT_UDI_EXTERNAL: Self = Self(12);
    pub const D3DKMDT_VOT_UDI_EMBEDDED: Self = Self(13);
    pub const D3DKMDT_VOT_SDTVDONGLE: Self = Self(14);
    pub const D3DKMDT_VOT_MIRACAST: Self = Self(15);
    pub const D3DKMDT_VOT_INDIRECT_WIRED: Self = Self(16);
    pub const D3DKMDT_VOT_INTERNAL: Self = Self(-2_147_483_648);
    pub const D3DKMDT_VOT_SVIDEO_4PIN: Self = Self(1);
    pub const D3DKMDT_VOT_SVIDEO_7PIN: Self = Self(1);
    pub const D3DKMDT_VOT_RF: Self = Self(2);
    pub const D3DKMDT_VOT_RCA_3COMPONENT: Self = Self(3);
    pub const D3DKMDT_VOT_BNC: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dkmdt-d3dkmdt_monitor_orientation_awareness`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_MONITOR_ORIENTATION_AWARENESS(pub i32);

impl D3DKMDT_MONITOR_ORIENTATION_AWARENESS {
    pub const D3DKMDT_MOA_UNINITIALIZED: Self = Self(0);
    pub const D3DKMDT_MOA_NONE: Self = Self(1);
    pub const D3DKMDT_MOA_POLLED: Self = Self(2);
    pub const D3DKMDT_MOA_INTERRUPTIBLE: Self = Self(3);
}

/// An enumeration of the DDI. Page `ne-d3dukmdt-d3dddiformat`.
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

/// A structure of the DDI. Page `ns-dispmprt-dxgk_start_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_START_INFO {
    pub RequiredDmaQueueEntry: u32,
    pub AdapterGuid: GUID,
    pub AdapterLuid: LUID,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_device_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DEVICE_INFO {
    pub MiniportDeviceContext: PVOID,
    pub PhysicalDeviceObject: PVOID,
    pub DeviceRegistryPath: UNICODE_STRING,
    pub TranslatedResourceList: *mut CM_RESOURCE_LIST,
    pub SystemMemorySize: LARGE_INTEGER,
    pub HighestPhysicalAddress: PHYSICAL_ADDRESS,
    pub AgpApertureBase: PHYSICAL_ADDRESS,
    pub AgpApertureSize: usize,
    pub DockingState: DOCKING_STATE,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_pre_start_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_PRE_START_INFO {
    pub Anonymous: DXGK_PRE_START_INFO_Anonymous,
    pub Anonymous2: DXGK_PRE_START_INFO_Anonymous2,
}

/// The bits of [`DXGK_PRE_START_INFO`] that its page lists without a name of their own for the
/// word.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGK_PRE_START_INFO_Anonymous2 {
    pub SupportPreserveBootDisplay: bool,
    pub IsUEFIFrameBufferCpuAccessibleDuringStartup: bool,
    #[bits(30)]
    pub ReservedOut: u32,
}

/// The unnamed union of [`DXGK_PRE_START_INFO`] at offset 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_PRE_START_INFO_Anonymous {
    pub ReservedIn: u32,
    pub Input: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_video_output_capabilities`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_VIDEO_OUTPUT_CAPABILITIES {
    pub InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
    pub MonitorOrientationAwareness: D3DKMDT_MONITOR_ORIENTATION_AWARENESS,
    pub SupportsSdtvModes: BOOLEAN,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_integrated_display_child`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_INTEGRATED_DISPLAY_CHILD {
    pub InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
    pub DescriptorLength: u16,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_child_capabilities`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_CAPABILITIES {
    pub Type: DXGK_CHILD_CAPABILITIES_Type,
    pub HpdAwareness: DXGK_CHILD_DEVICE_HPD_AWARENESS,
}

/// The `Type` member of [`DXGK_CHILD_CAPABILITIES`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_CHILD_CAPABILITIES_Type {
    pub VideoOutput: DXGK_VIDEO_OUTPUT_CAPABILITIES,
    pub Other: DXGK_CHILD_CAPABILITIES_Type_Other,
    pub IntegratedDisplayChild: DXGK_INTEGRATED_DISPLAY_CHILD,
}

/// The `Other` member of [`DXGK_CHILD_CAPABILITIES`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_CAPABILITIES_Type_Other {
    pub MustBeZero: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_child_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_DESCRIPTOR {
    pub ChildDeviceType: DXGK_CHILD_DEVICE_TYPE,
    pub ChildCapabilities: DXGK_CHILD_CAPABILITIES,
    pub AcpiUid: u32,
    pub ChildUid: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_child_status`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_STATUS {
    pub Type: DXGK_CHILD_STATUS_TYPE,
    pub ChildUid: u32,
    pub Anonymous: DXGK_CHILD_STATUS_Anonymous,
}

/// The unnamed union of [`DXGK_CHILD_STATUS`] at offset 8.
#[repr(C)]
#[derive(Clone, Copy)]
pub union DXGK_CHILD_STATUS_Anonymous {
    pub HotPlug: DXGK_CHILD_STATUS_HotPlug,
    pub Rotation: DXGK_CHILD_STATUS_Rotation,
    pub Miracast: DXGK_CHILD_STATUS_Miracast,
}

/// The `Miracast` member of [`DXGK_CHILD_STATUS`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_STATUS_Miracast {
    pub Connected: BOOLEAN,
    pub MiracastMonitorType: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
}

/// The `Rotation` member of [`DXGK_CHILD_STATUS`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_STATUS_Rotation {
    pub Angle: u8,
}

/// The `HotPlug` member of [`DXGK_CHILD_STATUS`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_STATUS_HotPlug {
    pub Connected: BOOLEAN,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_device_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DEVICE_DESCRIPTOR {
    pub DescriptorOffset: u32,
    pub DescriptorLength: u32,
    pub DescriptorBuffer: PVOID,
}

/// A structure of the DDI. Page `ns-dispmprt-query_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct QUERY_INTERFACE {
    pub InterfaceType: *const GUID,
    pub Size: u16,
    pub Version: u16,
    pub Interface: *mut INTERFACE,
    pub InterfaceSpecificData: PVOID,
    pub DeviceUid: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-dxgk_display_information`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DISPLAY_INFORMATION {
    pub Width: u32,
    pub Height: u32,
    pub Pitch: u32,
    pub ColorFormat: D3DDDIFORMAT,
    pub PhysicAddress: PHYSICAL_ADDRESS,
    pub TargetId: D3DDDI_VIDEO_PRESENT_TARGET_ID,
    pub AcpiId: u32,
}

/// A structure of the DDI. Page `ns-d3dkmddi-video_request_packet`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VIDEO_REQUEST_PACKET {
    pub IoControlCode: u32,
    pub StatusBlock: PVOID,
    pub InputBuffer: PVOID,
    pub InputBufferLength: u32,
    pub OutputBuffer: PVOID,
    pub OutputBufferLength: u32,
}

/// A structure of the DDI. Page `ns-dispmprt-linked_device`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LINKED_DEVICE {
    pub ChainUid: u32,
    pub NumberOfLinksInChain: u32,
    pub LeadLink: BOOLEAN,
}

/// A structure of the DDI. Page `ns-d3dkmthk-dxgk_graphicspower_register_input_v_1_2`.
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

/// A structure of the DDI. Page `ns-d3dkmthk-dxgk_graphicspower_register_output`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_GRAPHICSPOWER_REGISTER_OUTPUT {
    pub DeviceHandle: PVOID,
    pub InitialGrfxPowerState: DEVICE_POWER_STATE,
    pub SetSharedPowerComponentStateCb: Option<DXGK_SET_SHARED_POWER_COMPONENT_STATE>,
    pub UnregisterCb: Option<DXGK_GRAPHICSPOWER_UNREGISTER>,
}

/// A structure of the DDI. Page `ns-dispmprt-dxgk_waitwake_interface`.
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

/// A structure of the DDI. Page `ns-dispmprt-dxgk_debug_report_interface`.
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

/// A structure of the DDI. Page `ns-dispmprt-dxgk_timed_operation_interface`.
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

/// Arguments of the DDI of the same name. Page `ns-d3dkmddi-dxgkarg_setstablepowerstate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETSTABLEPOWERSTATE {
    pub Enabled: BOOL,
}

/// The entry point `DxgkDdiAddDevice`. Page `nc-dispmprt-dxgkddi_add_device`.
pub type DXGKDDI_ADD_DEVICE = unsafe extern "win64" fn(
    PhysicalDeviceObject: PVOID,
    MiniportDeviceContext: *mut PVOID,
) -> NTSTATUS;

/// The entry point `DxgkDdiStartDevice`. Page `nc-dispmprt-dxgkddi_start_device`.
pub type DXGKDDI_START_DEVICE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    DxgkStartInfo: *mut DXGK_START_INFO,
    DxgkInterface: *mut DXGKRNL_INTERFACE,
    NumberOfVideoPresentSources: *mut u32,
    NumberOfChildren: *mut u32,
) -> NTSTATUS;

/// The entry point `DxgkDdiStopDevice`. Page `nc-dispmprt-dxgkddi_stop_device`.
pub type DXGKDDI_STOP_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID) -> NTSTATUS;

/// The entry point `DxgkDdiRemoveDevice`. Page `nc-dispmprt-dxgkddi_remove_device`.
pub type DXGKDDI_REMOVE_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID) -> NTSTATUS;

/// The entry point `DxgkDdiDispatchIoRequest`. Page `nc-dispmprt-dxgkddi_dispatch_io_request`.
pub type DXGKDDI_DISPATCH_IO_REQUEST = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    VidPnSourceId: u32,
    VideoRequestPacket: *mut VIDEO_REQUEST_PACKET,
) -> NTSTATUS;

/// The entry point `DxgkDdiInterruptRoutine`. Page `nc-dispmprt-dxgkddi_interrupt_routine`.
pub type DXGKDDI_INTERRUPT_ROUTINE =
    unsafe extern "win64" fn(MiniportDeviceContext: PVOID, MessageNumber: u32) -> BOOLEAN;

/// The entry point `DxgkDdiDpcRoutine`. Page `nc-dispmprt-dxgkddi_dpc_routine`.
pub type DXGKDDI_DPC_ROUTINE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID);

/// The entry point `DxgkDdiQueryChildRelations`. Page `nc-dispmprt-dxgkddi_query_child_relations`.
pub type DXGKDDI_QUERY_CHILD_RELATIONS = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildRelations: *mut DXGK_CHILD_DESCRIPTOR,
    ChildRelationsSize: u32,
) -> NTSTATUS;

/// The entry point `DxgkDdiQueryChildStatus`. Page `nc-dispmprt-dxgkddi_query_child_status`.
pub type DXGKDDI_QUERY_CHILD_STATUS = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildStatus: *mut DXGK_CHILD_STATUS,
    NonDestructiveOnly: BOOLEAN,
) -> NTSTATUS;

/// The entry point `DxgkDdiQueryDeviceDescriptor`. Page
/// `nc-dispmprt-dxgkddi_query_device_descriptor`.
pub type DXGKDDI_QUERY_DEVICE_DESCRIPTOR = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildUid: u32,
    DeviceDescriptor: *mut DXGK_DEVICE_DESCRIPTOR,
) -> NTSTATUS;

/// The entry point `DxgkDdiSetPowerState`. Page `nc-dispmprt-dxgkddi_set_power_state`.
pub type DXGKDDI_SET_POWER_STATE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    DeviceUid: u32,
    DevicePowerState: DEVICE_POWER_STATE,
    ActionType: POWER_ACTION,
) -> NTSTATUS;

/// The entry point `DxgkDdiNotifyAcpiEvent`. Page `nc-dispmprt-dxgkddi_notify_acpi_event`.
pub type DXGKDDI_NOTIFY_ACPI_EVENT = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    EventType: DXGK_EVENT_TYPE,
    Event: u32,
    Argument: PVOID,
    AcpiFlags: *mut u32,
) -> NTSTATUS;

/// The entry point `DxgkDdiResetDevice`. Page `nc-dispmprt-dxgkddi_reset_device`.
pub type DXGKDDI_RESET_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID);

/// The entry point `DxgkDdiUnload`. Page `nc-d3dkmddi-dxgkddi_unload`.
pub type DXGKDDI_UNLOAD = unsafe extern "win64" fn();

/// The entry point `DxgkDdiQueryInterface`. Page `nc-dispmprt-dxgkddi_query_interface`.
pub type DXGKDDI_QUERY_INTERFACE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    QueryInterface: *mut QUERY_INTERFACE,
) -> NTSTATUS;

/// The entry point `DxgkDdiControlEtwLogging`. Page `nc-dispmprt-dxgkddi_control_etw_logging`.
pub type DXGKDDI_CONTROL_ETW_LOGGING =
    unsafe extern "win64" fn(Enable: BOOLEAN, Flags: u32, Level: BOOLEAN);

/// The entry point `DxgkDdiLinkDevice`. Page `nc-dispmprt-dxgkddi_link_device`.
pub type DXGKDDI_LINK_DEVICE = unsafe extern "win64" fn(
    PhysicalDeviceObject: PVOID,
    MiniportDeviceContext: PVOID,
    LinkedDevice: *mut LINKED_DEVICE,
) -> NTSTATUS;

/// The entry point `DxgkDdiStopDeviceAndReleasePostDisplayOwnership`. Page
/// `nc-dispmprt-dxgkddi_stop_device_and_release_post_display_ownership`.
pub type DXGKDDI_STOP_DEVICE_AND_RELEASE_POST_DISPLAY_OWNERSHIP =
    unsafe extern "win64" fn(
        MiniportDeviceContext: PVOID,
        TargetId: u32,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    ) -> NTSTATUS;

/// The entry point `DxgkDdiSystemDisplayWrite`. Page `nc-dispmprt-dxgkddi_system_display_write`.
pub type DXGKDDI_SYSTEM_DISPLAY_WRITE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    Source: PVOID,
    SourceWidth: u32,
    SourceHeight: u32,
    SourceStride: u32,
    PositionX: u32,
    PositionY: u32,
);

/// The entry point `DxgkDdiNotifySurpriseRemoval`. Page
/// `nc-dispmprt-dxgkddi_notify_surprise_removal`.
pub type DXGKDDI_NOTIFY_SURPRISE_REMOVAL = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    RemovalType: DXGK_SURPRISE_REMOVAL_TYPE,
) -> NTSTATUS;

/// The entry point `DxgkDdiExchangePreStartInfo`. Page `nc-d3dkmddi-dxgkddi_exchangeprestartinfo`.
pub type DXGKDDI_EXCHANGEPRESTARTINFO =
    unsafe extern "win64" fn(hAdapter: HANDLE, pPreStartInfo: *mut DXGK_PRE_START_INFO) -> NTSTATUS;

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_power_notification`.
pub type DXGK_POWER_NOTIFICATION = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    NewGrfxPowerState: DEVICE_POWER_STATE,
    PreNotification: BOOLEAN,
    PrivateHandle: PVOID,
);

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_removal_notification`.
pub type DXGK_REMOVAL_NOTIFICATION =
    unsafe extern "win64" fn(GraphicsDeviceHandle: PVOID, PrivateHandle: PVOID);

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_fstate_notification`.
pub type DXGK_FSTATE_NOTIFICATION = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    ComponentIndex: u32,
    NewFState: u32,
    PreNotification: BOOLEAN,
    PrivateHandle: PVOID,
);

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_initial_component_state`.
pub type DXGK_INITIAL_COMPONENT_STATE = unsafe extern "win64" fn(
    GraphicsDeviceHandle: PVOID,
    PrivateHandle: PVOID,
    ComponentIndex: u32,
    IsBlockingType: BOOLEAN,
    InitialFState: u32,
    ComponentGuid: GUID,
    PowerComponentMappingFlag: u32,
);

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_set_shared_power_component_state`.
pub type DXGK_SET_SHARED_POWER_COMPONENT_STATE = unsafe extern "win64" fn(
    DeviceHandle: PVOID,
    PrivateHandle: PVOID,
    ComponentIndex: u32,
    Active: BOOLEAN,
) -> NTSTATUS;

/// A callback of the DDI. Page `nc-d3dkmddi-dxgk_graphicspower_unregister`.
pub type DXGK_GRAPHICSPOWER_UNREGISTER =
    unsafe extern "win64" fn(DeviceHandle: PVOID, PrivateHandle: PVOID) -> NTSTATUS;

/// A callback of the DDI. Page `nc-dispmprt-dxgkddi_waitwake_arming`.
pub type DXGKDDI_WAITWAKE_ARMING = unsafe extern "win64" fn(DriverContext: PVOID) -> NTSTATUS;

/// A callback of the DDI. Page `nc-dispmprt-dxgkddi_waitwake_disarming`.
pub type DXGKDDI_WAITWAKE_DISARMING = unsafe extern "win64" fn(DriverContext: PVOID);

opaque_debug! {
    DXGK_PRE_START_INFO_Anonymous,
    DXGK_CHILD_CAPABILITIES_Type,
    DXGK_CHILD_STATUS_Anonymous,
}

layouts! {
    DXGK_START_INFO = 28 {
        RequiredDmaQueueEntry: 0,
        AdapterGuid: 4,
        AdapterLuid: 20,
    }
    DXGK_DEVICE_INFO = 80 {
        MiniportDeviceContext: 0,
        PhysicalDeviceObject: 8,
        DeviceRegistryPath: 16,
        TranslatedResourceList: 32,
        SystemMemorySize: 40,
        HighestPhysicalAddress: 48,
        AgpApertureBase: 56,
        AgpApertureSize: 64,
        DockingState: 72,
    }
    DXGK_PRE_START_INFO = 8 {
        Anonymous: 0,
        Anonymous.ReservedIn: 0,
        Anonymous.Input: 0,
        Anonymous2: 4,
    }
    DXGK_PRE_START_INFO_Anonymous2 = 4 {
    }
    DXGK_PRE_START_INFO_Anonymous = 4 {
    }
    DXGK_VIDEO_OUTPUT_CAPABILITIES = 12 {
        InterfaceTechnology: 0,
        MonitorOrientationAwareness: 4,
        SupportsSdtvModes: 8,
    }
    DXGK_INTEGRATED_DISPLAY_CHILD = 8 {
        InterfaceTechnology: 0,
        DescriptorLength: 4,
    }
    DXGK_CHILD_CAPABILITIES = 16 {
        Type: 0,
        Type.VideoOutput: 0,
        Type.Other: 0,
        Type.Other.MustBeZero: 0,
        Type.IntegratedDisplayChild: 0,
        HpdAwareness: 12,
    }
    DXGK_CHILD_CAPABILITIES_Type = 12 {
    }
    DXGK_CHILD_CAPABILITIES_Type_Other = 4 {
    }
    DXGK_CHILD_DESCRIPTOR = 28 {
        ChildDeviceType: 0,
        ChildCapabilities: 4,
        AcpiUid: 20,
        ChildUid: 24,
    }
    DXGK_CHILD_STATUS = 16 {
        Type: 0,
        ChildUid: 4,
        Anonymous: 8,
        Anonymous.HotPlug: 8,
        Anonymous.HotPlug.Connected: 8,
        Anonymous.Rotation: 8,
        Anonymous.Rotation.Angle: 8,
        Anonymous.Miracast: 8,
        Anonymous.Miracast.Connected: 8,
        Anonymous.Miracast.MiracastMonitorType: 12,
    }
    DXGK_CHILD_STATUS_Anonymous = 8 {
    }
    DXGK_CHILD_STATUS_Miracast = 8 {
    }
    DXGK_CHILD_STATUS_Rotation = 1 {
    }
    DXGK_CHILD_STATUS_HotPlug = 1 {
    }
    DXGK_DEVICE_DESCRIPTOR = 16 {
        DescriptorOffset: 0,
        DescriptorLength: 4,
        DescriptorBuffer: 8,
    }
    QUERY_INTERFACE = 40 {
        InterfaceType: 0,
        Size: 8,
        Version: 10,
        Interface: 16,
        InterfaceSpecificData: 24,
        DeviceUid: 32,
    }
    DXGK_DISPLAY_INFORMATION = 32 {
        Width: 0,
        Height: 4,
        Pitch: 8,
        ColorFormat: 12,
        PhysicAddress: 16,
        TargetId: 24,
        AcpiId: 28,
    }
    VIDEO_REQUEST_PACKET = 48 {
        IoControlCode: 0,
        StatusBlock: 8,
        InputBuffer: 16,
        InputBufferLength: 24,
        OutputBuffer: 32,
        OutputBufferLength: 40,
    }
    LINKED_DEVICE = 12 {
        ChainUid: 0,
        NumberOfLinksInChain: 4,
        LeadLink: 8,
    }
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
    DXGKARG_SETSTABLEPOWERSTATE = 4 {
        Enabled: 0,
    }
}
