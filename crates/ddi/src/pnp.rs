//! Start, stop, children, interfaces and device power: the port driver side of the DDI.

use bitfield_struct::bitfield;

use crate::base::{
    BOOL, BOOLEAN, D3DDDI_VIDEO_PRESENT_TARGET_ID, D3DDDIFORMAT, DEVICE_POWER_STATE, GUID, HANDLE,
    INTERFACE, LARGE_INTEGER, LUID, PHYSICAL_ADDRESS, POWER_ACTION, PVOID, UNICODE_STRING,
};
use crate::interface::DXGKRNL_INTERFACE;
use crate::ntstatus::NTSTATUS;
use crate::resource::CM_RESOURCE_LIST;

/// Whether the machine sits in a dock. Page `ne-dispmprt-docking_state`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DOCKING_STATE(pub i32);

impl DOCKING_STATE {
    pub const DockStateUnsupported: Self = Self(0);
    pub const DockStateUnDocked: Self = Self(1);
    pub const DockStateDocked: Self = Self(2);
    pub const DockStateUnknown: Self = Self(3);
}

/// Kinds of events that reach `DxgkDdiNotifyAcpiEvent`. Page `ne-d3dkmddi-dxgk_event_type`.
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

/// Why the device is gone. Page `ne-d3dkmddi-dxgk_surprise_removal_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_SURPRISE_REMOVAL_TYPE(pub i32);

impl DXGK_SURPRISE_REMOVAL_TYPE {
    pub const DxgkRemovalHibernation: Self = Self(0);
    pub const DxgkRemovalPnPNotify: Self = Self(1);
}

/// What the OS knows of the adapter at start: its identifiers. Page `ns-dispmprt-dxgk_start_info`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_START_INFO {
    pub RequiredDmaQueueEntry: u32,
    pub AdapterGuid: GUID,
    pub AdapterLuid: LUID,
}

/// What the OS knows of the device: registry path, translated resources, memory sizes. Page
/// `ns-dispmprt-dxgk_device_info`.
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

/// Exchanged before start: may the boot display stay. Page `ns-dispmprt-dxgk_pre_start_info`.
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

/// Asks the driver for an interface by identifier, size and version; the driver fills in what
/// `Interface` points to. Page `ns-dispmprt-query_interface`.
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

/// The mode and frame buffer that firmware left behind. Page
/// `ns-d3dkmddi-dxgk_display_information`.
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

/// A legacy video I/O request. Page `ns-d3dkmddi-video_request_packet`.
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

/// Place of an adapter in a chain of linked adapters. Page `ns-dispmprt-linked_device`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct LINKED_DEVICE {
    pub ChainUid: u32,
    pub NumberOfLinksInChain: u32,
    pub LeadLink: BOOLEAN,
}

/// Whether clocks are to stand still for measurements. Page
/// `ns-d3dkmddi-dxgkarg_setstablepowerstate`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_SETSTABLEPOWERSTATE {
    pub Enabled: BOOL,
}

/// `DxgkDdiAddDevice`: Makes the driver's context for a device that PnP has found. IRQL:
/// PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_add_device`.
pub type DXGKDDI_ADD_DEVICE = unsafe extern "win64" fn(
    PhysicalDeviceObject: PVOID,
    MiniportDeviceContext: *mut PVOID,
) -> NTSTATUS;

/// `DxgkDdiStartDevice`: Starts the adapter; the driver keeps the callbacks and answers its numbers
/// of sources and children. IRQL: PASSIVE_LEVEL. Page `nc-dispmprt-dxgkddi_start_device`.
pub type DXGKDDI_START_DEVICE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    DxgkStartInfo: *mut DXGK_START_INFO,
    DxgkInterface: *mut DXGKRNL_INTERFACE,
    NumberOfVideoPresentSources: *mut u32,
    NumberOfChildren: *mut u32,
) -> NTSTATUS;

/// `DxgkDdiStopDevice`: Stops the adapter. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_stop_device`.
pub type DXGKDDI_STOP_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID) -> NTSTATUS;

/// `DxgkDdiRemoveDevice`: Frees the driver's context for a device. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_remove_device`.
pub type DXGKDDI_REMOVE_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID) -> NTSTATUS;

/// `DxgkDdiDispatchIoRequest`: Serves a legacy video request. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_dispatch_io_request`.
pub type DXGKDDI_DISPATCH_IO_REQUEST = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    VidPnSourceId: u32,
    VideoRequestPacket: *mut VIDEO_REQUEST_PACKET,
) -> NTSTATUS;

/// `DxgkDdiInterruptRoutine`: Serves the interrupt; true if it was the device's. IRQL: DIRQL. Page
/// `nc-dispmprt-dxgkddi_interrupt_routine`.
pub type DXGKDDI_INTERRUPT_ROUTINE =
    unsafe extern "win64" fn(MiniportDeviceContext: PVOID, MessageNumber: u32) -> BOOLEAN;

/// `DxgkDdiDpcRoutine`: Runs after the interrupt routine has queued it. IRQL: DISPATCH_LEVEL. Page
/// `nc-dispmprt-dxgkddi_dpc_routine`.
pub type DXGKDDI_DPC_ROUTINE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID);

/// `DxgkDdiSetPowerState`: Moves the adapter or a child to a power state. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_set_power_state`.
pub type DXGKDDI_SET_POWER_STATE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    DeviceUid: u32,
    DevicePowerState: DEVICE_POWER_STATE,
    ActionType: POWER_ACTION,
) -> NTSTATUS;

/// `DxgkDdiNotifyAcpiEvent`: Announces an ACPI event. Page `nc-dispmprt-dxgkddi_notify_acpi_event`.
pub type DXGKDDI_NOTIFY_ACPI_EVENT = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    EventType: DXGK_EVENT_TYPE,
    Event: u32,
    Argument: PVOID,
    AcpiFlags: *mut u32,
) -> NTSTATUS;

/// `DxgkDdiResetDevice`: Brings the display to a state in which the crash screen can be drawn.
/// IRQL: any. Page `nc-dispmprt-dxgkddi_reset_device`.
pub type DXGKDDI_RESET_DEVICE = unsafe extern "win64" fn(MiniportDeviceContext: PVOID);

/// `DxgkDdiUnload`: Frees what `DriverEntry` made. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_unload`.
pub type DXGKDDI_UNLOAD = unsafe extern "win64" fn();

/// `DxgkDdiQueryInterface`: Asks for an interface. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_interface`.
pub type DXGKDDI_QUERY_INTERFACE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    QueryInterface: *mut QUERY_INTERFACE,
) -> NTSTATUS;

/// `DxgkDdiControlEtwLogging`: Turns the driver's event logging on or off. IRQL: PASSIVE_LEVEL.
/// Page `nc-dispmprt-dxgkddi_control_etw_logging`.
pub type DXGKDDI_CONTROL_ETW_LOGGING =
    unsafe extern "win64" fn(Enable: BOOLEAN, Flags: u32, Level: BOOLEAN);

/// `DxgkDdiLinkDevice`: Asks for the adapter's place in a chain. Page
/// `nc-dispmprt-dxgkddi_link_device`.
pub type DXGKDDI_LINK_DEVICE = unsafe extern "win64" fn(
    PhysicalDeviceObject: PVOID,
    MiniportDeviceContext: PVOID,
    LinkedDevice: *mut LINKED_DEVICE,
) -> NTSTATUS;

/// `DxgkDdiStopDeviceAndReleasePostDisplayOwnership`: Stops the adapter and leaves a usable display
/// behind. Page `nc-dispmprt-dxgkddi_stop_device_and_release_post_display_ownership`.
pub type DXGKDDI_STOP_DEVICE_AND_RELEASE_POST_DISPLAY_OWNERSHIP =
    unsafe extern "win64" fn(
        MiniportDeviceContext: PVOID,
        TargetId: u32,
        DisplayInfo: *mut DXGK_DISPLAY_INFORMATION,
    ) -> NTSTATUS;

/// `DxgkDdiSystemDisplayWrite`: Draws a part of the crash screen. Page
/// `nc-dispmprt-dxgkddi_system_display_write`.
pub type DXGKDDI_SYSTEM_DISPLAY_WRITE = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    Source: PVOID,
    SourceWidth: u32,
    SourceHeight: u32,
    SourceStride: u32,
    PositionX: u32,
    PositionY: u32,
);

/// `DxgkDdiNotifySurpriseRemoval`: Announces that the device is gone. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_notify_surprise_removal`.
pub type DXGKDDI_NOTIFY_SURPRISE_REMOVAL = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    RemovalType: DXGK_SURPRISE_REMOVAL_TYPE,
) -> NTSTATUS;

/// `DxgkDdiExchangePreStartInfo`: Exchanges information before start. Page
/// `nc-d3dkmddi-dxgkddi_exchangeprestartinfo`.
pub type DXGKDDI_EXCHANGEPRESTARTINFO =
    unsafe extern "win64" fn(hAdapter: HANDLE, pPreStartInfo: *mut DXGK_PRE_START_INFO) -> NTSTATUS;

opaque_debug! {
    DXGK_PRE_START_INFO_Anonymous,
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
    DXGKARG_SETSTABLEPOWERSTATE = 4 {
        Enabled: 0,
    }
}
