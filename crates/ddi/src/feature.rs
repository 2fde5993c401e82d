//! Feature negotiation: what the OS asks the driver, what the driver asks the OS.

use bitfield_struct::bitfield;

use crate::base::{
    BOOLEAN, DXGK_FEATURE_VERSION, HANDLE, PINTERFACE_DEREFERENCE, PINTERFACE_REFERENCE, PVOID,
};
use crate::ntstatus::NTSTATUS;

/// Identifiers of features that driver and OS negotiate; the top four bits are the category. Page
/// `ne-d3dukmdt-dxgk_feature_id`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DXGK_FEATURE_ID(pub i32);

impl DXGK_FEATURE_ID {
    pub const DXGK_FEATURE_HWSCH: Self = Self(0);
    pub const DXGK_FEATURE_HWFLIPQUEUE: Self = Self(1);
    pub const DXGK_FEATURE_LDA_GPUPV: Self = Self(2);
    pub const DXGK_FEATURE_KMD_SIGNAL_CPU_EVENT: Self = Self(3);
    pub const DXGK_FEATURE_USER_MODE_SUBMISSION: Self = Self(4);
    pub const DXGK_FEATURE_SHARE_BACKING_STORE_WITH_KMD: Self = Self(5);
    pub const DXGK_FEATURE_SAMPLE: Self = Self(31);
    pub const DXGK_FEATURE_PAGE_BASED_MEMORY_MANAGER: Self = Self(32);
    pub const DXGK_FEATURE_KERNEL_MODE_TESTING: Self = Self(33);
    pub const DXGK_FEATURE_64K_PT_DEMOTION_FIX: Self = Self(34);
    pub const DXGK_FEATURE_GPUPV_PRESENT_HWQUEUE: Self = Self(35);
    pub const DXGK_FEATURE_GPUVAIOMMU: Self = Self(36);
    pub const DXGK_FEATURE_NATIVE_FENCE: Self = Self(37);
}

/// What the OS offers under `DxgkServicesFeature`: whether a feature is on, and its interface. Page
/// `ns-dispmprt-dxgk_feature_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_FEATURE_INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub IsFeatureEnabled: Option<DXGKCB_ISFEATUREENABLED2>,
    pub QueryFeatureInterface: Option<DXGKCB_QUERYFEATUREINTERFACE>,
}

/// What the driver offers under `GUID_WDDM_INTERFACE_FEATURE`: which versions of a feature it has,
/// and its interface. Page `ns-dispmprt-dxgkddi_feature_interface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKDDI_FEATURE_INTERFACE {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub QueryFeatureSupport: Option<DXGKDDI_QUERYFEATURESUPPORT>,
    pub QueryFeatureInterface: Option<DXGKDDI_QUERYFEATUREINTERFACE>,
}

/// The driver's feature interface with the later support query. Page
/// `ns-dispmprt-dxgkddi_feature_interface_2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKDDI_FEATURE_INTERFACE_2 {
    pub Size: u16,
    pub Version: u16,
    pub Context: PVOID,
    pub InterfaceReference: Option<PINTERFACE_REFERENCE>,
    pub InterfaceDereference: Option<PINTERFACE_DEREFERENCE>,
    pub QueryFeatureSupport: Option<DXGKDDI_QUERYFEATURESUPPORT>,
    pub QueryFeatureInterface: Option<DXGKDDI_QUERYFEATUREINTERFACE>,
    pub QueryFeatureSupport2: PVOID,
}

/// Asks which versions of a feature the driver implements, and how well. Page
/// `ns-d3dkmddi-dxgkarg_queryfeaturesupport`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYFEATURESUPPORT {
    pub FeatureId: DXGK_FEATURE_ID,
    pub MinSupportedVersion: DXGK_FEATURE_VERSION,
    pub MaxSupportedVersion: DXGK_FEATURE_VERSION,
    pub AllowExperimental: BOOLEAN,
    pub SupportedByDriver: BOOLEAN,
    pub SupportedOnCurrentConfig: BOOLEAN,
}

/// Asks for the driver's half of a feature's interface. Page
/// `ns-d3dkmddi-dxgkarg_queryfeatureinterface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARG_QUERYFEATUREINTERFACE {
    pub FeatureId: DXGK_FEATURE_ID,
    pub Version: DXGK_FEATURE_VERSION,
    pub InterfaceSize: u16,
    pub Interface: PVOID,
}

/// Asks whether a feature is on; the answer is a boolean. Page
/// `ns-d3dkmddi-dxgkargcb_isfeatureenabled`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ISFEATUREENABLED {
    pub DeviceHandle: HANDLE,
    pub FeatureId: DXGK_FEATURE_ID,
    pub Enabled: BOOLEAN,
}

/// Flags of [`DXGKARGCB_ISFEATUREENABLED2`]. Page `ns-d3dkmddi-dxgkargcb_isfeatureenabled2_flags`.
#[bitfield(u32)]
#[derive(PartialEq, Eq)]
pub struct DXGKARGCB_ISFEATUREENABLED2_FLAGS {
    #[bits(32)]
    pub Reserved: u32,
}

/// Whether a feature is on, and in which version. Page `ns-d3dukmdt-dxgk_isfeatureenabled_result`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGK_ISFEATUREENABLED_RESULT {
    pub Version: u16,
    pub Anonymous: DXGK_ISFEATUREENABLED_RESULT_Anonymous,
}

/// The bits of [`DXGK_ISFEATUREENABLED_RESULT`] that its page lists without a name of their own for
/// the word.
#[bitfield(u16)]
#[derive(PartialEq, Eq)]
pub struct DXGK_ISFEATUREENABLED_RESULT_Anonymous {
    pub Enabled: bool,
    pub KnownFeature: bool,
    pub SupportedByDriver: bool,
    pub SupportedOnCurrentConfig: bool,
    #[bits(12)]
    pub Reserved: u16,
}

/// Asks whether a feature is on, in which version, and why not. Page
/// `ns-d3dkmddi-dxgkargcb_isfeatureenabled2`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_ISFEATUREENABLED2 {
    pub FeatureId: DXGK_FEATURE_ID,
    pub Flags: DXGKARGCB_ISFEATUREENABLED2_FLAGS,
    pub Result: DXGK_ISFEATUREENABLED_RESULT,
}

/// Asks the OS whether it knows a feature. Page `ns-d3dkmddi-dxgkargcb_queryfeaturesupport`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_QUERYFEATURESUPPORT {
    pub DeviceHandle: HANDLE,
    pub FeatureId: DXGK_FEATURE_ID,
    pub DriverSupportState: u32,
    pub Enabled: BOOLEAN,
}

/// Asks for the OS's half of a feature's interface. Page
/// `ns-d3dkmddi-dxgkargcb_queryfeatureinterface`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct DXGKARGCB_QUERYFEATUREINTERFACE {
    pub FeatureId: DXGK_FEATURE_ID,
    pub Version: DXGK_FEATURE_VERSION,
    pub InterfaceSize: u16,
    pub Interface: PVOID,
}

/// Takes with [`DXGKARGCB_ISFEATUREENABLED2`]. Page `nc-d3dkmddi-dxgkcb_isfeatureenabled2`.
pub type DXGKCB_ISFEATUREENABLED2 =
    unsafe extern "win64" fn(hAdapter: HANDLE, pArgs: *mut DXGKARGCB_ISFEATUREENABLED2) -> NTSTATUS;

/// Takes with [`DXGKARGCB_QUERYFEATUREINTERFACE`]. Page `nc-d3dkmddi-dxgkcb_queryfeatureinterface`.
pub type DXGKCB_QUERYFEATUREINTERFACE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *mut DXGKARGCB_QUERYFEATUREINTERFACE,
) -> NTSTATUS;

/// Which versions of a feature the driver implements. Page
/// `nc-d3dkmddi-dxgkddi_queryfeaturesupport`.
pub type DXGKDDI_QUERYFEATURESUPPORT =
    unsafe extern "win64" fn(hAdapter: HANDLE, pArgs: *mut DXGKARG_QUERYFEATURESUPPORT) -> NTSTATUS;

/// Hands out the driver's half of a feature. Page `nc-d3dkmddi-dxgkddi_queryfeatureinterface`.
pub type DXGKDDI_QUERYFEATUREINTERFACE = unsafe extern "win64" fn(
    hAdapter: HANDLE,
    pArgs: *mut DXGKARG_QUERYFEATUREINTERFACE,
) -> NTSTATUS;

/// `DxgkCbIsFeatureEnabled` with [`DXGKARGCB_ISFEATUREENABLED`]. Page
/// `nc-d3dkmddi-dxgkcb_isfeatureenabled`.
pub type DXGKCB_ISFEATUREENABLED =
    unsafe extern "win64" fn(*mut DXGKARGCB_ISFEATUREENABLED) -> NTSTATUS;

/// `DxgkCbQueryFeatureSupport` with [`DXGKARGCB_QUERYFEATURESUPPORT`]. Page
/// `nc-d3dkmddi-dxgkcb_queryfeaturesupport`.
pub type DXGKCB_QUERYFEATURESUPPORT =
    unsafe extern "win64" fn(*mut DXGKARGCB_QUERYFEATURESUPPORT) -> NTSTATUS;

layouts! {
    DXGK_FEATURE_INTERFACE = 48 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        IsFeatureEnabled: 32,
        QueryFeatureInterface: 40,
    }
    DXGKDDI_FEATURE_INTERFACE = 48 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        QueryFeatureSupport: 32,
        QueryFeatureInterface: 40,
    }
    DXGKDDI_FEATURE_INTERFACE_2 = 56 {
        Size: 0,
        Version: 2,
        Context: 8,
        InterfaceReference: 16,
        InterfaceDereference: 24,
        QueryFeatureSupport: 32,
        QueryFeatureInterface: 40,
        QueryFeatureSupport2: 48,
    }
    DXGKARG_QUERYFEATURESUPPORT = 12 {
        FeatureId: 0,
        MinSupportedVersion: 4,
        MaxSupportedVersion: 6,
        AllowExperimental: 8,
        SupportedByDriver: 9,
        SupportedOnCurrentConfig: 10,
    }
    DXGKARG_QUERYFEATUREINTERFACE = 16 {
        FeatureId: 0,
        Version: 4,
        InterfaceSize: 6,
        Interface: 8,
    }
    DXGKARGCB_ISFEATUREENABLED = 16 {
        DeviceHandle: 0,
        FeatureId: 8,
        Enabled: 12,
    }
    DXGKARGCB_ISFEATUREENABLED2_FLAGS = 4 {
    }
    DXGK_ISFEATUREENABLED_RESULT = 4 {
        Version: 0,
        Anonymous: 2,
    }
    DXGK_ISFEATUREENABLED_RESULT_Anonymous = 2 {
    }
    DXGKARGCB_ISFEATUREENABLED2 = 12 {
        FeatureId: 0,
        Flags: 4,
        Result: 8,
    }
    DXGKARGCB_QUERYFEATURESUPPORT = 24 {
        DeviceHandle: 0,
        FeatureId: 8,
        DriverSupportState: 12,
        Enabled: 16,
    }
    DXGKARGCB_QUERYFEATUREINTERFACE = 16 {
        FeatureId: 0,
        Version: 4,
        InterfaceSize: 6,
        Interface: 8,
    }
}
