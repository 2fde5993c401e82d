//! `DxgkCbQueryServices` and the interfaces that it leads to.

use std::mem::offset_of;
use std::sync::OnceLock;

use carillon_ddi::{
    DXGK_FEATURE_ID, DXGK_FEATURE_INTERFACE, DXGK_FEATURE_INTERFACE_VERSION_1,
    DXGK_ISFEATUREENABLED_RESULT_Anonymous, DXGK_SERVICES, DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1,
    DXGKARGCB_ISFEATUREENABLED, DXGKARGCB_ISFEATUREENABLED2, DXGKARGCB_QUERYFEATUREINTERFACE,
    DXGKCBINT_FEATURE_NATIVEFENCE_1, NTSTATUS,
};

use super::{breach, with_adapter};
use crate::nt::DriverAddr;
use crate::nt::thunk::{self, Export, Role};
use crate::verifier::irql::IrqlRange;

/// Addresses of the functions in the feature interfaces.
#[derive(Debug, Clone, Copy)]
struct FeatureThunks {
    reference: usize,
    dereference: usize,
    is_feature_enabled: usize,
    query_feature_interface: usize,
    get_os_caps: usize,
}

/// The thunks, made once.
fn feature_thunks() -> Option<FeatureThunks> {
    static THUNKS: OnceLock<Option<FeatureThunks>> = OnceLock::new();
    *THUNKS.get_or_init(|| {
        let export = |name, irql, target| Export {
            name,
            irql,
            role: Role::Callback,
            target,
        };
        let passive = IrqlRange::PASSIVE;
        let exports = [
            export("InterfaceReference", IrqlRange::ANY, nothing as *const ()),
            export("InterfaceDereference", IrqlRange::ANY, nothing as *const ()),
            export(
                "DxgkCbIsFeatureEnabled2",
                passive,
                is_feature_enabled2 as *const (),
            ),
            export(
                "DxgkCbQueryFeatureInterface",
                passive,
                query_feature_interface as *const (),
            ),
            export(
                "DxgkCbFeatureNativeFence_GetOSCaps",
                passive,
                get_os_caps as *const (),
            ),
        ];
        // SAFETY: each target is a `win64` function with the parameters of its name.
        let thunks = unsafe { thunk::make(&exports) }.ok()?;
        Some(FeatureThunks {
            reference: *thunks.first()?,
            dereference: *thunks.get(1)?,
            is_feature_enabled: *thunks.get(2)?,
            query_feature_interface: *thunks.get(3)?,
            get_os_caps: *thunks.get(4)?,
        })
    })
}

extern "win64" fn nothing(_context: DriverAddr) {}

pub(super) extern "win64" fn query_services(
    adapter: DriverAddr,
    service: DXGK_SERVICES,
    interface: DriverAddr,
) -> NTSTATUS {
    type Interface = DXGK_FEATURE_INTERFACE;
    let offered = with_adapter("DxgkCbQueryServices", adapter, |adapter| {
        adapter.features().is_service_offered()
    });
    let Some(offered) = offered else {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    if service != DXGK_SERVICES::DxgkServicesFeature || !offered {
        return NTSTATUS::STATUS_NOT_SUPPORTED;
    }
    let size = interface
        .offset(offset_of!(Interface, Size) as u64)
        .read::<u16>();
    let version = interface
        .offset(offset_of!(Interface, Version) as u64)
        .read::<u16>();
    let Some(thunks) = feature_thunks() else {
        return NTSTATUS::STATUS_NO_MEMORY;
    };
    if version != DXGK_FEATURE_INTERFACE_VERSION_1 {
        return NTSTATUS::STATUS_NOT_SUPPORTED;
    }
    if usize::from(size) < size_of::<Interface>() {
        breach(format!(
            "DxgkCbQueryServices(DxgkServicesFeature) with Size {size}"
        ));
        return NTSTATUS::STATUS_BUFFER_TOO_SMALL;
    }
    let put = |offset: usize, value: u64| interface.offset(offset as u64).write(value);
    put(offset_of!(Interface, Context), adapter.value());
    put(
        offset_of!(Interface, InterfaceReference),
        thunks.reference as u64,
    );
    put(
        offset_of!(Interface, InterfaceDereference),
        thunks.dereference as u64,
    );
    put(
        offset_of!(Interface, IsFeatureEnabled),
        thunks.is_feature_enabled as u64,
    );
    put(
        offset_of!(Interface, QueryFeatureInterface),
        thunks.query_feature_interface as u64,
    );
    NTSTATUS::STATUS_SUCCESS
}

extern "win64" fn is_feature_enabled2(adapter: DriverAddr, args: DriverAddr) -> NTSTATUS {
    type Args = DXGKARGCB_ISFEATUREENABLED2;
    let at = |offset: usize| args.offset(offset as u64);
    let feature = DXGK_FEATURE_ID(at(offset_of!(Args, FeatureId)).read::<i32>());
    let flags = at(offset_of!(Args, Flags)).read::<u32>();
    if flags != 0 {
        breach(format!(
            "DxgkCbIsFeatureEnabled2: reserved bits in Flags {flags:#x}"
        ));
    }
    if adapter.is_null() && feature != DXGK_FEATURE_ID::DXGK_FEATURE_GPUVAIOMMU {
        breach(format!(
            "DxgkCbIsFeatureEnabled2: no adapter for the adapter feature {}",
            feature.0
        ));
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    let state = if adapter.is_null() {
        Some(crate::dxgk::adapter::features::FeatureState::UNKNOWN)
    } else {
        with_adapter("DxgkCbIsFeatureEnabled2", adapter, |adapter| {
            adapter.feature(feature)
        })
    };
    let Some(state) = state else {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    let bits = DXGK_ISFEATUREENABLED_RESULT_Anonymous::new()
        .with_Enabled(state.enabled)
        .with_KnownFeature(state.known)
        .with_SupportedByDriver(state.by_driver)
        .with_SupportedOnCurrentConfig(state.on_config);
    let version = if state.enabled { state.version } else { 0 };
    at(offset_of!(Args, Result.Version)).write::<u16>(version);
    at(offset_of!(Args, Result.Anonymous)).write::<u16>(bits.into_bits());
    NTSTATUS::STATUS_SUCCESS
}

/// The older query, which knows no versions.
pub(super) extern "win64" fn is_feature_enabled(args: DriverAddr) -> NTSTATUS {
    type Args = DXGKARGCB_ISFEATUREENABLED;
    let adapter = args
        .offset(offset_of!(Args, DeviceHandle) as u64)
        .read_addr();
    let feature = args
        .offset(offset_of!(Args, FeatureId) as u64)
        .read::<i32>();
    let feature = DXGK_FEATURE_ID(feature);
    let state = with_adapter("DxgkCbIsFeatureEnabled", adapter, |adapter| {
        adapter.feature(feature)
    });
    let Some(state) = state else {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    let enabled = args.offset(offset_of!(Args, Enabled) as u64);
    enabled.write::<u8>(u8::from(state.enabled));
    NTSTATUS::STATUS_SUCCESS
}

extern "win64" fn query_feature_interface(adapter: DriverAddr, args: DriverAddr) -> NTSTATUS {
    type Args = DXGKARGCB_QUERYFEATUREINTERFACE;
    const CALLBACK: &str = "DxgkCbQueryFeatureInterface";
    const BYTES: usize = size_of::<DXGKCBINT_FEATURE_NATIVEFENCE_1>();
    let at = |offset: usize| args.offset(offset as u64);
    let feature = DXGK_FEATURE_ID(at(offset_of!(Args, FeatureId)).read::<i32>());
    let version = at(offset_of!(Args, Version)).read::<u16>();
    let size = usize::from(at(offset_of!(Args, InterfaceSize)).read::<u16>());
    let interface = at(offset_of!(Args, Interface)).read_addr();
    let state = with_adapter(CALLBACK, adapter, |adapter| adapter.feature(feature));
    let Some(state) = state else {
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    };
    let has_interface = feature == DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE;
    if !state.enabled || !has_interface {
        return NTSTATUS::STATUS_NOT_SUPPORTED;
    }
    if version != state.version {
        breach(format!(
            "{CALLBACK}: version {version}, negotiated was {}",
            state.version
        ));
        return NTSTATUS::STATUS_INVALID_PARAMETER;
    }
    if size < BYTES {
        return NTSTATUS::STATUS_BUFFER_TOO_SMALL;
    }
    let Some(thunks) = feature_thunks() else {
        return NTSTATUS::STATUS_NO_MEMORY;
    };
    interface.write(thunks.get_os_caps as u64);
    at(offset_of!(Args, InterfaceSize)).write::<u16>(u16::try_from(BYTES).unwrap_or(0));
    NTSTATUS::STATUS_SUCCESS
}

extern "win64" fn get_os_caps(caps: DriverAddr) -> NTSTATUS {
    // The OS of this model has neither optional kind of native fence.
    caps.write::<u32>(DXGKARGCB_FEATURE_NATIVEFENCE_CAPS_1::new().into_bits());
    NTSTATUS::STATUS_SUCCESS
}
