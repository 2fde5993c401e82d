//! The driver's half of feature negotiation.

use core::ffi::c_void;

use carillon_core::error::Error;
use carillon_core::feature::{self, FeatureSupport};
use carillon_ddi::{
    DXGKARG_QUERYFEATUREINTERFACE, DXGKARG_QUERYFEATURESUPPORT, DXGKDDI_FEATURE_INTERFACE,
    DXGKDDI_FEATURE_INTERFACE_VERSION_1, GUID, GUID_WDDM_INTERFACE_FEATURE, HANDLE, NTSTATUS,
};

use super::arguments::{answer, in_out};
use crate::adapter::Added;
use crate::irql;

/// Bytes of the interface.
#[expect(clippy::cast_possible_truncation, reason = "48")]
const INTERFACE_BYTES: u16 = size_of::<DXGKDDI_FEATURE_INTERFACE>() as u16;

/// Whether `kind` in `version` is the interface that this module fills in.
pub(super) fn is_offered(kind: &GUID, version: u16) -> bool {
    *kind == GUID_WDDM_INTERFACE_FEATURE && version == DXGKDDI_FEATURE_INTERFACE_VERSION_1
}

/// Fills in the interface. Page `ns-dispmprt-dxgkddi_feature_interface`.
pub(super) fn offer(added: Added, interface: &mut DXGKDDI_FEATURE_INTERFACE) {
    *interface = DXGKDDI_FEATURE_INTERFACE {
        Size: INTERFACE_BYTES,
        Version: DXGKDDI_FEATURE_INTERFACE_VERSION_1,
        Context: added.context(),
        InterfaceReference: Some(reference),
        InterfaceDereference: Some(reference),
        QueryFeatureSupport: Some(query_feature_support),
        QueryFeatureInterface: Some(query_feature_interface),
    };
}

/// The interface lives as long as the image: references count for nothing.
unsafe extern "win64" fn reference(_context: *mut c_void) {}

/// `DxgkDdiQueryFeatureSupport`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_queryfeaturesupport`. The outputs of a refusal say "not there".
unsafe extern "win64" fn query_feature_support(
    _adapter: HANDLE,
    arguments: *mut DXGKARG_QUERYFEATURESUPPORT,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        let answer = feature::support(arguments.FeatureId, arguments.AllowExperimental != 0);
        let support = answer.unwrap_or(FeatureSupport::NONE);
        arguments.MinSupportedVersion = support.min_version;
        arguments.MaxSupportedVersion = support.max_version;
        arguments.SupportedByDriver = support.by_driver.into();
        arguments.SupportedOnCurrentConfig = support.on_current_config.into();
        answer.map(drop)
    }))
}

/// `DxgkDdiQueryFeatureInterface`. IRQL: PASSIVE_LEVEL. Page
/// `nc-d3dkmddi-dxgkddi_queryfeatureinterface`. The entry points of every feature are slots of the
/// table, so there is no interface to hand out and this only tells the refusals apart.
unsafe extern "win64" fn query_feature_interface(
    _adapter: HANDLE,
    arguments: *mut DXGKARG_QUERYFEATUREINTERFACE,
) -> NTSTATUS {
    let _passive = irql::passive();
    // SAFETY: the page: an in/out structure of dxgkrnl's (`ddi` module).
    let arguments = unsafe { in_out(arguments) };
    answer(arguments.and_then(|arguments| {
        feature::interface_bytes(arguments.FeatureId, arguments.Version)?;
        Err(Error::NotSupported)
    }))
}
