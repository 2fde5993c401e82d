//! What the OS makes of a driver's answers: one rule, one refusal.
//!
//! Rules are those that a page states and those that drivers were seen to fail on; each names which.

mod features;
mod memory;
mod scheduling;

use carillon_ddi::{
    DRIVER_INITIALIZATION_DATA, DXGK_WDDMVERSION, DXGKDDI_INTERFACE_VERSION_WDDM3_2, SLOTS,
};

use super::caps::{Caps, EarlyCaps};
use crate::dxgk::driver::entries::Started;
use crate::dxgk::rejected::{Rejected, Rule};
pub(super) use features::{
    feature_interface, feature_support, short_interface, testing_interface, unknown_feature,
    unknown_interface,
};

/// What the rules need besides the driver's answers.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one feature")]
pub(super) struct Situation<'a> {
    pub(super) table: &'a DRIVER_INITIALIZATION_DATA,
    pub(super) hwsch: bool,
    pub(super) native_fence: bool,
    pub(super) user_mode_submission: bool,
    pub(super) kernel_mode_testing: bool,
    pub(super) highest_address: u64,
    pub(super) handle: usize,
}

const FIVE_SITES: &str = "observed: AddAdapter fails unless the interface version, both WDDM \
                          versions, the VidMm caps and the nodes agree; ns-d3dkmddi-_dxgk_wddmdevicecaps";
const RENDER_ONLY: Rule = Rule::new(
    "has to be 0 for a render-only adapter",
    "wddm-driver-and-feature-caps",
);

/// Judges what a start returned.
pub(super) fn started(started: Started) -> Result<(), Rejected> {
    RENDER_ONLY.demand(
        started.sources == 0,
        "NumberOfVideoPresentSources",
        started.sources,
    )?;
    RENDER_ONLY.demand(started.children == 0, "NumberOfChildren", started.children)
}

/// Judges the answers given before the start.
pub(super) fn early(early: &EarlyCaps) -> Result<(), Rejected> {
    let version = early.wddm.WDDMVersion;
    let rule = Rule::new(
        "has to be DXGKDDI_WDDMv3_2, as the interface version says",
        FIVE_SITES,
    );
    rule.demand(
        version == DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2,
        "DXGK_WDDMDEVICECAPS.WDDMVersion",
        version.0,
    )?;
    let rule = Rule::new("reserved bits have to be 0", "ns-d3dkmddi-dxgk_iommu_caps");
    rule.demand(
        early.iommu.Reserved() == 0,
        "DXGK_IOMMU_CAPS.Reserved",
        early.iommu.Reserved(),
    )
}

/// Judges all answers of a started driver.
pub(super) fn all(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    versions(caps, situation)?;
    scheduling::all(caps, situation)?;
    memory::all(caps, situation)?;
    Ok(())
}

/// The five places that have to agree; the fifth, the nodes, is with the nodes' rules.
fn versions(caps: &Caps, situation: &Situation) -> Result<(), Rejected> {
    let rule = Rule::new("has to be DXGKDDI_INTERFACE_VERSION_WDDM3_2", FIVE_SITES);
    let version = situation.table.Version;
    rule.demand(
        version == DXGKDDI_INTERFACE_VERSION_WDDM3_2,
        "Version",
        version,
    )?;
    let rule = Rule::new("has to equal DXGK_WDDMDEVICECAPS.WDDMVersion", FIVE_SITES);
    let (late, early) = (caps.driver.WDDMVersion, caps.early.wddm.WDDMVersion);
    rule.demand(late == early, "DXGK_DRIVERCAPS.WDDMVersion", late.0)
}

/// Demands that each of `slots` is filled, because of what the driver reports.
pub(super) fn slots(
    table: &DRIVER_INITIALIZATION_DATA,
    rule: Rule,
    slots: &[&str],
) -> Result<(), Rejected> {
    let filled = table.filled();
    let missing: Vec<_> = SLOTS
        .iter()
        .zip(filled)
        .filter(|(slot, filled)| !filled && slots.contains(&slot.name))
        .map(|(slot, _)| slot.name)
        .collect();
    rule.demand(missing.is_empty(), &missing.join(", "), "NULL")
}
