//! Child devices. A render-only adapter has none and answers accordingly.

use crate::base::{BOOLEAN, PVOID};
use crate::ntstatus::NTSTATUS;

/// Whether a child can tell how its monitor is turned. Page
/// `ne-d3dkmdt-d3dkmdt_monitor_orientation_awareness`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct D3DKMDT_MONITOR_ORIENTATION_AWARENESS(pub i32);

impl D3DKMDT_MONITOR_ORIENTATION_AWARENESS {
    pub const D3DKMDT_MOA_UNINITIALIZED: Self = Self(0);
    pub const D3DKMDT_MOA_NONE: Self = Self(1);
    pub const D3DKMDT_MOA_POLLED: Self = Self(2);
    pub const D3DKMDT_MOA_INTERRUPTIBLE: Self = Self(3);
}

/// What kind of connector a child device is. Page `ne-d3dkmdt-d3dkmdt_video_output_technology`.
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

/// How the driver notices that a child comes or goes. Page
/// `ne-d3dkmddi-dxgk_child_device_hpd_awareness`.
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

/// Kinds of children. Page `ne-d3dkmddi-dxgk_child_device_type`.
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

/// Kinds of changes at a child. Page `ne-d3dkmddi-dxgk_child_status_type`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_CHILD_STATUS_TYPE(pub i32);

impl DXGK_CHILD_STATUS_TYPE {
    pub const StatusUninitialized: Self = Self(0);
    pub const StatusConnection: Self = Self(1);
    pub const StatusRotation: Self = Self(2);
    pub const StatusMiracastConnection: Self = Self(3);
}

/// Connector and orientation awareness of a video output. Page
/// `ns-dispmprt-dxgk_video_output_capabilities`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_VIDEO_OUTPUT_CAPABILITIES {
    pub InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
    pub MonitorOrientationAwareness: D3DKMDT_MONITOR_ORIENTATION_AWARENESS,
    pub SupportsSdtvModes: BOOLEAN,
}

/// Connector and descriptor length of a built-in display. Page
/// `ns-dispmprt-dxgk_integrated_display_child`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_INTEGRATED_DISPLAY_CHILD {
    pub InterfaceTechnology: D3DKMDT_VIDEO_OUTPUT_TECHNOLOGY,
    pub DescriptorLength: u16,
}

/// What a child is and how its presence is noticed. Page `ns-dispmprt-dxgk_child_capabilities`.
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

/// One child of the adapter. A render-only adapter has none. Page
/// `ns-dispmprt-dxgk_child_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_CHILD_DESCRIPTOR {
    pub ChildDeviceType: DXGK_CHILD_DEVICE_TYPE,
    pub ChildCapabilities: DXGK_CHILD_CAPABILITIES,
    pub AcpiUid: u32,
    pub ChildUid: u32,
}

/// What has changed at a child. Page `ns-dispmprt-dxgk_child_status`.
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

/// A piece of a child's descriptor, such as its EDID. Page `ns-dispmprt-dxgk_device_descriptor`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_DEVICE_DESCRIPTOR {
    pub DescriptorOffset: u32,
    pub DescriptorLength: u32,
    pub DescriptorBuffer: PVOID,
}

/// `DxgkDdiQueryChildRelations`: Lists the children. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_child_relations`.
pub type DXGKDDI_QUERY_CHILD_RELATIONS = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildRelations: *mut DXGK_CHILD_DESCRIPTOR,
    ChildRelationsSize: u32,
) -> NTSTATUS;

/// `DxgkDdiQueryChildStatus`: Asks for the state of a child. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_child_status`.
pub type DXGKDDI_QUERY_CHILD_STATUS = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildStatus: *mut DXGK_CHILD_STATUS,
    NonDestructiveOnly: BOOLEAN,
) -> NTSTATUS;

/// `DxgkDdiQueryDeviceDescriptor`: Asks for a child's descriptor. IRQL: PASSIVE_LEVEL. Page
/// `nc-dispmprt-dxgkddi_query_device_descriptor`.
pub type DXGKDDI_QUERY_DEVICE_DESCRIPTOR = unsafe extern "win64" fn(
    MiniportDeviceContext: PVOID,
    ChildUid: u32,
    DeviceDescriptor: *mut DXGK_DEVICE_DESCRIPTOR,
) -> NTSTATUS;

opaque_debug! {
    DXGK_CHILD_CAPABILITIES_Type,
    DXGK_CHILD_STATUS_Anonymous,
}

layouts! {
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
}
