//! Which features are on: the OS's half of feature negotiation.

use core::ptr;

use carillon_core::error::{Error, Result};
use carillon_core::irql::Passive;
use carillon_ddi::{
    DXGK_FEATURE_ID, DXGK_FEATURE_INTERFACE, DXGK_FEATURE_INTERFACE_VERSION_1, DXGK_SERVICES,
    DXGKARGCB_ISFEATUREENABLED2, DXGKCB_ISFEATUREENABLED2, HANDLE, NTSTATUS,
};

use super::Dxgkrnl;

/// Bytes of the interface.
#[expect(clippy::cast_possible_truncation, reason = "48")]
const INTERFACE_BYTES: u16 = size_of::<DXGK_FEATURE_INTERFACE>() as u16;

/// `DxgkServicesFeature`, referenced as long as the value lives.
#[derive(Debug)]
pub(crate) struct Features {
    device: HANDLE,
    interface: DXGK_FEATURE_INTERFACE,
    is_enabled: DXGKCB_ISFEATUREENABLED2,
}

impl Dxgkrnl {
    /// `DxgkCbQueryServices(DxgkServicesFeature)`. Page `nc-dispmprt-dxgkcb_query_services`.
    ///
    /// # Errors
    /// [`Error::NotSupported`]: an OS without feature negotiation, for which every feature is off.
    pub(crate) fn features(&self, _passive: Passive<'_>) -> Result<Features> {
        let query = self.query_services.ok_or(Error::NotSupported)?;
        let mut interface = DXGK_FEATURE_INTERFACE {
            Size: INTERFACE_BYTES,
            Version: DXGK_FEATURE_INTERFACE_VERSION_1,
            ..DXGK_FEATURE_INTERFACE::ZERO
        };
        // SAFETY: PASSIVE_LEVEL; the output begins with the interface header and has the size
        // that it states.
        let status: NTSTATUS = unsafe {
            query(
                self.device,
                DXGK_SERVICES::DxgkServicesFeature,
                (&raw mut interface).cast(),
            )
        };
        if !status.is_success() {
            return Err(Error::NotSupported);
        }
        let is_enabled = interface.IsFeatureEnabled.ok_or(Error::NotSupported)?;
        Ok(Features {
            device: self.device,
            interface,
            is_enabled,
        })
    }
}

impl Features {
    /// The version in which a feature is on, `None` when it is off.
    pub(crate) fn enabled(&self, _passive: Passive<'_>, feature: DXGK_FEATURE_ID) -> Option<u16> {
        let mut question = DXGKARGCB_ISFEATUREENABLED2 {
            FeatureId: feature,
            ..DXGKARGCB_ISFEATUREENABLED2::ZERO
        };
        // SAFETY: PASSIVE_LEVEL; the interface is referenced; question and answer are ours (page
        // `nc-d3dkmddi-dxgkcb_isfeatureenabled2`).
        let status = unsafe { (self.is_enabled)(self.device, &raw mut question) };
        let result = question.Result;
        (status.is_success() && result.Anonymous.Enabled()).then_some(result.Version)
    }
}

impl Drop for Features {
    fn drop(&mut self) {
        if let Some(dereference) = self.interface.InterfaceDereference {
            // SAFETY: gives back the reference that DxgkCbQueryServices took for its caller, once.
            unsafe { dereference(self.interface.Context) };
        }
        self.interface.Context = ptr::null_mut();
    }
}
