//! Answers to the OS's questions about features: `QueryFeatureSupport` and
//! `QueryFeatureInterface`.
//!
//! Features are told apart by their full identifier, category included; there is no table indexed
//! by a part of it.

use carillon_ddi::DXGK_FEATURE_ID;

use crate::error::{Error, Result};

/// The answer to `QueryFeatureSupport`. Page `ns-d3dkmddi-dxgkarg_queryfeaturesupport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureSupport {
    /// `MinSupportedVersion`.
    pub min_version: u16,
    /// `MaxSupportedVersion`.
    pub max_version: u16,
    /// `SupportedByDriver`.
    pub by_driver: bool,
    /// `SupportedOnCurrentConfig`.
    pub on_current_config: bool,
}

impl FeatureSupport {
    /// The driver does not have the feature; also what stands in the outputs of a failed query.
    pub const NONE: Self = Self {
        min_version: 0,
        max_version: 0,
        by_driver: false,
        on_current_config: false,
    };
    const VERSION_1: Self = Self {
        min_version: 1,
        max_version: 1,
        by_driver: true,
        on_current_config: true,
    };
}

/// Whether a feature is offered, and in which versions.
///
/// User-mode submission is offered as experimental, since the documentation calls it not yet
/// final, and in version 1 alone: later versions have other structures.
///
/// # Errors
/// [`Error::InvalidParameter`] for an identifier that has no name; the outputs are then those of
/// [`FeatureSupport::NONE`].
pub fn support(feature: DXGK_FEATURE_ID, allow_experimental: bool) -> Result<FeatureSupport> {
    Ok(match feature {
        DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH | DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE => {
            FeatureSupport::VERSION_1
        }
        DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION if allow_experimental => {
            FeatureSupport::VERSION_1
        }
        DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION
        | DXGK_FEATURE_ID::DXGK_FEATURE_HWFLIPQUEUE
        | DXGK_FEATURE_ID::DXGK_FEATURE_LDA_GPUPV
        | DXGK_FEATURE_ID::DXGK_FEATURE_KMD_SIGNAL_CPU_EVENT
        | DXGK_FEATURE_ID::DXGK_FEATURE_SHARE_BACKING_STORE_WITH_KMD
        | DXGK_FEATURE_ID::DXGK_FEATURE_SAMPLE
        | DXGK_FEATURE_ID::DXGK_FEATURE_PAGE_BASED_MEMORY_MANAGER
        | DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING
        | DXGK_FEATURE_ID::DXGK_FEATURE_64K_PT_DEMOTION_FIX
        | DXGK_FEATURE_ID::DXGK_FEATURE_GPUPV_PRESENT_HWQUEUE
        | DXGK_FEATURE_ID::DXGK_FEATURE_GPUVAIOMMU => FeatureSupport::NONE,
        _ => return Err(Error::InvalidParameter),
    })
}

/// Bytes of the driver's own interface for a feature.
///
/// The entry points of all features offered here are slots of `DRIVER_INITIALIZATION_DATA`, so
/// none has an interface of its own.
///
/// # Errors
/// [`Error::InvalidParameter`] for an unknown feature or a version that is not offered,
/// [`Error::NotSupported`] for one without interface.
pub fn interface_bytes(feature: DXGK_FEATURE_ID, version: u16) -> Result<usize> {
    let support = support(feature, true)?;
    if support.by_driver && !(support.min_version..=support.max_version).contains(&version) {
        return Err(Error::InvalidParameter);
    }
    Err(Error::NotSupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [DXGK_FEATURE_ID; 3] = [
        DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH,
        DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION,
        DXGK_FEATURE_ID::DXGK_FEATURE_NATIVE_FENCE,
    ];

    /// contract: FEA-006
    #[test]
    fn offered_features_have_version_one_to_one() {
        for feature in OFFERED {
            let answer = support(feature, true).unwrap();
            assert!(answer.by_driver && answer.on_current_config);
            assert_eq!((answer.min_version, answer.max_version), (1, 1));
        }
    }

    /// contract: FEA-007
    #[test]
    fn experimental_features_need_leave() {
        let ums = DXGK_FEATURE_ID::DXGK_FEATURE_USER_MODE_SUBMISSION;
        assert_eq!(support(ums, false), Ok(FeatureSupport::NONE));
        let hwsch = DXGK_FEATURE_ID::DXGK_FEATURE_HWSCH;
        assert!(support(hwsch, false).unwrap().by_driver);
    }

    #[test]
    fn the_category_is_part_of_the_identifier() {
        for feature in OFFERED {
            for category in 1..16u32 {
                let id = feature.0.cast_unsigned() | category << 28;
                let other = DXGK_FEATURE_ID(id.cast_signed());
                assert_eq!(support(other, true), Err(Error::InvalidParameter));
            }
        }
    }

    /// contract: FEA-005
    #[test]
    fn everything_else_is_unsupported_or_unknown() {
        for id in -4..100 {
            let feature = DXGK_FEATURE_ID(id);
            if OFFERED.contains(&feature) {
                continue;
            }
            match support(feature, true) {
                Ok(answer) => assert_eq!(answer, FeatureSupport::NONE),
                Err(error) => assert_eq!(error, Error::InvalidParameter),
            }
            assert!(interface_bytes(feature, 1).is_err());
        }
    }

    /// contract: FEA-017
    #[test]
    fn there_are_no_interfaces_to_hand_out() {
        for feature in OFFERED {
            assert_eq!(interface_bytes(feature, 1), Err(Error::NotSupported));
            for version in [0, 2, u16::MAX] {
                let refusal = interface_bytes(feature, version);
                assert_eq!(refusal, Err(Error::InvalidParameter));
            }
        }
    }
}
