//! Answers to the feature negotiation.

use carillon_ddi::{
    DXGKARG_QUERYFEATURESUPPORT, DXGKDDI_FEATURE_INTERFACE, DXGKDDI_FEATURE_INTERFACE_VERSION_1,
    NTSTATUS,
};

use crate::dxgk::adapter::features::refusal;
use crate::dxgk::driver::DdiResult;
use crate::dxgk::rejected::{Rejected, Rule};

const GUIDE: &str = "querying-wddm-feature-support-and-enablement";

/// A supported feature has a range of versions.
pub(in crate::dxgk::adapter) fn feature_support(
    answer: &DXGKARG_QUERYFEATURESUPPORT,
) -> Result<(), Rejected> {
    const RANGE: Rule = Rule::new(
        "a supported feature has version numbers from 1, the highest not below the lowest",
        "ns-d3dkmddi-dxgkarg_queryfeaturesupport",
    );
    let (min, max) = (answer.MinSupportedVersion, answer.MaxSupportedVersion);
    let sane = answer.SupportedByDriver == 0 || (min > 0 && max >= min);
    RANGE.demand(
        sane,
        "DXGKARG_QUERYFEATURESUPPORT.MinSupportedVersion",
        (min, max),
    )
}

/// The interface is complete.
pub(in crate::dxgk::adapter) fn feature_interface(
    answer: &DXGKDDI_FEATURE_INTERFACE,
) -> Result<(), Rejected> {
    const COMPLETE: Rule = Rule::new("has to be filled", "ns-dispmprt-dxgkddi_feature_interface");
    let size = usize::from(answer.Size);
    let whole = size == size_of::<DXGKDDI_FEATURE_INTERFACE>();
    COMPLETE.demand(whole, "DXGKDDI_FEATURE_INTERFACE.Size", size)?;
    let version = answer.Version;
    let right = version == DXGKDDI_FEATURE_INTERFACE_VERSION_1;
    COMPLETE.demand(right, "DXGKDDI_FEATURE_INTERFACE.Version", version)?;
    for (member, filled) in [
        ("InterfaceReference", answer.InterfaceReference.is_some()),
        (
            "InterfaceDereference",
            answer.InterfaceDereference.is_some(),
        ),
        ("QueryFeatureSupport", answer.QueryFeatureSupport.is_some()),
        (
            "QueryFeatureInterface",
            answer.QueryFeatureInterface.is_some(),
        ),
    ] {
        COMPLETE.demand(
            filled,
            &format!("DXGKDDI_FEATURE_INTERFACE.{member}"),
            "NULL",
        )?;
    }
    Ok(())
}

/// An interface that nobody has is refused so that the query can travel on.
pub(in crate::dxgk::adapter) fn unknown_interface(result: DdiResult) -> Result<(), Rejected> {
    const UNKNOWN: Rule = Rule::new(
        "an interface that the driver does not know is STATUS_NOT_SUPPORTED",
        "nc-dispmprt-dxgkddi_query_interface",
    );
    let right = refusal(result) == Some(NTSTATUS::STATUS_NOT_SUPPORTED);
    UNKNOWN.demand(right, "DxgkDdiQueryInterface(unknown GUID)", result)
}

/// A buffer without room is refused.
pub(in crate::dxgk::adapter) fn short_interface(result: DdiResult) -> Result<(), Rejected> {
    const SHORT: Rule = Rule::new(
        "an interface that does not fit is STATUS_BUFFER_TOO_SMALL",
        GUIDE,
    );
    let right = refusal(result) == Some(NTSTATUS::STATUS_BUFFER_TOO_SMALL);
    SHORT.demand(
        right,
        "DxgkDdiQueryInterface(GUID_WDDM_INTERFACE_FEATURE, 40 bytes)",
        result,
    )
}

/// A feature that the driver does not know is refused and not supported.
pub(in crate::dxgk::adapter) fn unknown_feature(
    result: DdiResult,
    answer: &DXGKARG_QUERYFEATURESUPPORT,
) -> Result<(), Rejected> {
    const UNKNOWN: Rule = Rule::new(
        "a feature that the driver does not know is STATUS_INVALID_PARAMETER",
        GUIDE,
    );
    const OUTPUTS: Rule = Rule::new("a feature that the driver does not know is off", GUIDE);
    let right = refusal(result) == Some(NTSTATUS::STATUS_INVALID_PARAMETER);
    UNKNOWN.demand(right, "DxgkDdiQueryFeatureSupport(unknown feature)", result)?;
    let off = answer.SupportedByDriver == 0 && answer.SupportedOnCurrentConfig == 0;
    OUTPUTS.demand(off, "DXGKARG_QUERYFEATURESUPPORT.SupportedByDriver", answer)
}

/// Kernel-mode testing comes with its one function.
pub(in crate::dxgk::adapter) fn testing_interface(
    result: DdiResult,
    function: u64,
) -> Result<(), Rejected> {
    const TESTING: Rule = Rule::new(
        "kernel-mode testing that is on has its interface",
        "kernel-mode-testing-of-wddm-features",
    );
    let there = result.is_ok() && function != 0;
    TESTING.demand(
        there,
        "DXGKDDI_KERNELMODETESTINGINTERFACE.pfnBuildTestCommandBuffer",
        function,
    )
}
