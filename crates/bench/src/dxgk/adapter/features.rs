//! Feature negotiation: what the OS is configured for, and what the driver supports.

use std::collections::BTreeMap;

use carillon_ddi::{
    BOOLEAN, DXGK_FEATURE_ID, DXGK_FEATURE_VERSION, DXGKARG_QUERYFEATUREINTERFACE,
    DXGKARG_QUERYFEATURESUPPORT, DXGKDDI_FEATURE_INTERFACE, DXGKDDI_FEATURE_INTERFACE_VERSION_1,
    DXGKDDI_KERNELMODETESTINGINTERFACE, DXGKDDI_QUERYFEATUREINTERFACE, DXGKDDI_QUERYFEATURESUPPORT,
    GUID, GUID_WDDM_INTERFACE_FEATURE, NTSTATUS, PINTERFACE_DEREFERENCE, QUERY_INTERFACE,
};
use parking_lot::Mutex;

use super::Adapter;
use super::rules;
use crate::dxgk::driver::{DdiError, DdiResult, Guarded};
use crate::dxgk::handle::KmdHandle;
use crate::dxgk::rejected::Rejected;

/// Device number that means the adapter itself and none of its children.
const ADAPTER_ITSELF: u32 = u32::MAX;
/// The version of every feature that the OS of this model has.
const VERSION: DXGK_FEATURE_VERSION = 1;

/// What the OS thinks of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The OS does not have it.
    Off,
    /// The OS has it, and accepts experimental drivers.
    On,
    /// The OS has it, and accepts drivers only that do not call their support experimental.
    ExperimentalDenied,
}

/// What the OS thinks of the features that concern this driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureConfig {
    /// `DXGK_FEATURE_HWSCH`
    pub hwsch: Setting,
    /// `DXGK_FEATURE_NATIVE_FENCE`
    pub native_fence: Setting,
    /// `DXGK_FEATURE_USER_MODE_SUBMISSION`
    pub user_mode_submission: Setting,
    /// `DXGK_FEATURE_KERNEL_MODE_TESTING`
    pub kernel_mode_testing: Setting,
    /// `DxgkServicesFeature`; an older OS has none.
    pub service: bool,
}

impl Default for FeatureConfig {
    fn default() -> Self {
        Self {
            hwsch: Setting::On,
            native_fence: Setting::On,
            user_mode_submission: Setting::On,
            kernel_mode_testing: Setting::Off,
            service: true,
        }
    }
}

impl FeatureConfig {
    /// Nothing is on.
    pub const NONE: Self = Self {
        hwsch: Setting::Off,
        native_fence: Setting::Off,
        user_mode_submission: Setting::Off,
        kernel_mode_testing: Setting::Off,
        service: true,
    };

    fn setting(self, id: DXGK_FEATURE_ID) -> Setting {
        match id {
            DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH => self.hwsch,
            DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE => self.native_fence,
            DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION => self.user_mode_submission,
            DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING => self.kernel_mode_testing,
            _ => Setting::Off,
        }
    }
}

/// Features that the OS knows, and which other ones each needs.
const KNOWN: [(DXGK_FEATURE_ID, &[DXGK_FEATURE_ID]); 4] = [
    (DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH, &[]),
    (
        DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE,
        &[DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH],
    ),
    (
        DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION,
        &[
            DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH,
            DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE,
        ],
    ),
    (DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING, &[]),
];

/// What negotiation led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the bits of the OS's answer"
)]
pub struct FeatureState {
    /// The OS knows the feature.
    pub known: bool,
    /// It is on.
    pub enabled: bool,
    /// The version that is on; 0 if it is off.
    pub version: DXGK_FEATURE_VERSION,
    /// The driver supports it.
    pub by_driver: bool,
    /// The driver supports it on this machine.
    pub on_config: bool,
}

impl FeatureState {
    /// A feature that the OS does not know.
    pub const UNKNOWN: Self = Self {
        known: false,
        enabled: false,
        version: 0,
        by_driver: false,
        on_config: false,
    };
}

/// The driver's side of the negotiation.
#[derive(Clone, Copy)]
struct DriverInterface {
    context: KmdHandle,
    dereference: Option<PINTERFACE_DEREFERENCE>,
    support: DXGKDDI_QUERYFEATURESUPPORT,
    interface: DXGKDDI_QUERYFEATUREINTERFACE,
}

/// Whether the driver was asked for its side.
#[derive(Clone, Copy, Default)]
enum Asked {
    #[default]
    No,
    HasNone,
    Has(DriverInterface),
}

/// Features of an adapter.
pub struct Features {
    config: FeatureConfig,
    driver: Mutex<Asked>,
    decided: Mutex<BTreeMap<i32, FeatureState>>,
    rejected: Mutex<Option<Rejected>>,
}

impl Features {
    pub(crate) fn new(config: FeatureConfig) -> Self {
        Self {
            config,
            driver: Mutex::default(),
            decided: Mutex::default(),
            rejected: Mutex::default(),
        }
    }

    pub(crate) fn is_service_offered(&self) -> bool {
        self.config.service
    }

    /// The first answer that the OS does not accept.
    pub(crate) fn rejected(&self) -> Option<Rejected> {
        self.rejected.lock().clone()
    }

    fn reject(&self, rejected: Rejected) {
        self.rejected.lock().get_or_insert(rejected);
    }
}

impl Adapter {
    /// Whether a feature is on; negotiates at the first question, from wherever it comes.
    pub fn feature(&self, id: DXGK_FEATURE_ID) -> FeatureState {
        if let Some(state) = self.features.decided.lock().get(&id.0) {
            return *state;
        }
        // No lock is held while the driver is asked: it may ask for features itself meanwhile.
        let state = self.negotiate(id);
        self.features.decided.lock().insert(id.0, state);
        state
    }

    /// Whether `id` is on.
    pub fn is_enabled(&self, id: DXGK_FEATURE_ID) -> bool {
        self.feature(id).enabled
    }

    fn negotiate(&self, id: DXGK_FEATURE_ID) -> FeatureState {
        let Some((_, needs)) = KNOWN.iter().find(|(known, _)| *known == id) else {
            return FeatureState::UNKNOWN;
        };
        let known = FeatureState {
            known: true,
            ..FeatureState::UNKNOWN
        };
        let setting = self.features.config.setting(id);
        if setting == Setting::Off {
            return known;
        }
        let Some(answer) = self.ask_driver(id, setting == Setting::On) else {
            return known;
        };
        let by_driver = answer.SupportedByDriver != 0;
        let on_config = answer.SupportedOnCurrentConfig != 0;
        let range = answer.MinSupportedVersion..=answer.MaxSupportedVersion;
        let enabled = by_driver
            && on_config
            && range.contains(&VERSION)
            && needs.iter().all(|need| self.is_enabled(*need));
        let version = if enabled { VERSION } else { 0 };
        FeatureState {
            known: true,
            enabled,
            version,
            by_driver,
            on_config,
        }
    }

    /// What the driver says to a feature; `None` if it refuses.
    fn ask_driver(
        &self,
        id: DXGK_FEATURE_ID,
        allow_experimental: bool,
    ) -> Option<DXGKARG_QUERYFEATURESUPPORT> {
        let interface = self.feature_interface()?;
        let mut args = DXGKARG_QUERYFEATURESUPPORT {
            FeatureId: id,
            AllowExperimental: BOOLEAN::from(allow_experimental),
            ..DXGKARG_QUERYFEATURESUPPORT::ZERO
        };
        self.driver
            .query_feature_support(interface.support, self.context(), &mut args)
            .ok()?;
        if let Err(rejected) = rules::feature_support(&args) {
            self.features.reject(rejected);
            return None;
        }
        Some(args)
    }

    /// The driver's feature interface, asked for once.
    fn feature_interface(&self) -> Option<DriverInterface> {
        let asked = *self.features.driver.lock();
        match asked {
            Asked::Has(interface) => Some(interface),
            Asked::HasNone => None,
            Asked::No => {
                let interface = self.query_feature_interface();
                *self.features.driver.lock() = interface.map_or(Asked::HasNone, Asked::Has);
                interface
            }
        }
    }

    fn query_feature_interface(&self) -> Option<DriverInterface> {
        let size = size_of::<DXGKDDI_FEATURE_INTERFACE>();
        let (status, answer) = self.query_interface(
            GUID_WDDM_INTERFACE_FEATURE,
            size,
            DXGKDDI_FEATURE_INTERFACE_VERSION_1,
        )?;
        status.ok()?;
        match rules::feature_interface(&answer) {
            Ok(()) => Some(DriverInterface {
                context: KmdHandle::from_raw(answer.Context),
                dereference: answer.InterfaceDereference,
                support: answer.QueryFeatureSupport?,
                interface: answer.QueryFeatureInterface?,
            }),
            Err(rejected) => {
                self.features.reject(rejected);
                None
            }
        }
    }

    /// Asks for the interface `guid` with `size` bytes for it; what became of these bytes.
    fn query_interface(
        &self,
        guid: GUID,
        size: usize,
        version: u16,
    ) -> Option<(DdiResult, DXGKDDI_FEATURE_INTERFACE)> {
        let guid = Guarded::new(guid).ok()?;
        let buffer = Guarded::from_slice(&vec![0u8; size]).ok()?;
        let mut query = QUERY_INTERFACE {
            InterfaceType: guid.as_mut_ptr(),
            Size: u16::try_from(size).unwrap_or(u16::MAX),
            Version: version,
            Interface: buffer.as_mut_ptr().cast(),
            InterfaceSpecificData: std::ptr::null_mut(),
            DeviceUid: ADAPTER_ITSELF,
        };
        let result = self.driver.query_interface(self.context(), &mut query);
        if result.is_err() && buffer.bytes().iter().any(|byte| *byte != 0) {
            self.driver.breach(String::from(
                "DxgkDdiQueryInterface failed and wrote to the interface nevertheless",
            ));
        }
        let mut bytes = [0u8; size_of::<DXGKDDI_FEATURE_INTERFACE>()];
        for (to, from) in bytes.iter_mut().zip(buffer.bytes()) {
            *to = from;
        }
        // SAFETY: two integers, a pointer and optional function pointers, for each of which every
        // value is one; functions are called only if the driver said that they are there.
        let answer = unsafe { std::mem::transmute::<[u8; 48], DXGKDDI_FEATURE_INTERFACE>(bytes) };
        Some((result, answer))
    }

    /// Asks what no driver has, or has no room for, and judges the refusals.
    pub(super) fn probe_feature_interface(&self) -> Result<(), Rejected> {
        const NOBODYS: GUID = GUID {
            Data1: 0xCA11_ED00,
            Data2: 0,
            Data3: 0,
            Data4: [0; 8],
        };
        let size = size_of::<DXGKDDI_FEATURE_INTERFACE>();
        if let Some((result, _)) = self.query_interface(NOBODYS, size, 1) {
            rules::unknown_interface(result)?;
        }
        let Some(interface) = self.feature_interface() else {
            return Ok(());
        };
        let short = self.query_interface(GUID_WDDM_INTERFACE_FEATURE, size - 8, 1);
        if let Some((result, _)) = short {
            rules::short_interface(result)?;
        }
        let mut unknown = DXGKARG_QUERYFEATURESUPPORT {
            FeatureId: DXGK_FEATURE_ID(0x0FFF_FFFF),
            ..DXGKARG_QUERYFEATURESUPPORT::ZERO
        };
        let result =
            self.driver
                .query_feature_support(interface.support, self.context(), &mut unknown);
        rules::unknown_feature(result, &unknown)
    }

    /// Asks for the interfaces of enabled features that have one.
    pub(super) fn query_enabled_interfaces(&self) -> Result<(), Rejected> {
        let id = DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING;
        let (true, Some(interface)) = (self.is_enabled(id), self.feature_interface()) else {
            return Ok(());
        };
        let size = size_of::<DXGKDDI_KERNELMODETESTINGINTERFACE>();
        let buffer = Guarded::new(0u64).ok();
        let mut args = DXGKARG_QUERYFEATUREINTERFACE {
            FeatureId: id,
            Version: VERSION,
            InterfaceSize: u16::try_from(size).unwrap_or(0),
            Interface: buffer
                .as_ref()
                .map_or(std::ptr::null_mut(), |at| at.as_mut_ptr().cast()),
        };
        let result =
            self.driver
                .query_feature_interface(interface.interface, self.context(), &mut args);
        rules::testing_interface(result, buffer.map_or(0, |buffer| buffer.get()))
    }

    /// Gives the driver's feature interface back and forgets what was negotiated.
    pub(super) fn release_features(&self) {
        let asked = std::mem::take(&mut *self.features.driver.lock());
        self.features.decided.lock().clear();
        if let Asked::Has(DriverInterface {
            context,
            dereference: Some(dereference),
            ..
        }) = asked
        {
            self.driver.dereference_interface(dereference, context);
        }
    }
}

/// The status of a refusal, if it is one.
pub(super) fn refusal(result: DdiResult) -> Option<NTSTATUS> {
    match result {
        Err(DdiError::Refused { status, .. }) => Some(status),
        _ => None,
    }
}
