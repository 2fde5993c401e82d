//! What the driver offers, in one value.
//!
//! Interface version, display driver model version, scheduling and memory capabilities, node
//! flags and features must agree with each other, or the adapter does not start. Each of them is
//! an accessor of [`Surface`], and a surface has one [`Level`]: a mixed one cannot be written
//! down.

use carillon_ddi::{
    DXGK_DRIVERCAPS_MiscCaps, DXGK_NODEMETADATA_FLAGS, DXGK_VIDMMCAPS_Anonymous, DXGK_VIDSCHCAPS,
    DXGK_WDDMVERSION, DXGKDDI_INTERFACE_VERSION_WDDM3_2,
};
use carillon_hw::doorbell::DOORBELL_BYTES;
use carillon_hw::regs::{DoorbellModel, EngineSet};

use crate::adapter::layout::APERTURE_BYTES;
use crate::adapter::{DeviceFacts, NODES};
use crate::error::{Error, Result};

/// `DRIVER_INITIALIZATION_DATA::Version`.
pub const INTERFACE_VERSION: u32 = DXGKDDI_INTERFACE_VERSION_WDDM3_2;
/// `WDDMVersion` of `DXGK_DRIVERCAPS` and `DXGK_WDDMDEVICECAPS`.
pub const WDDM_VERSION: DXGK_WDDMVERSION = DXGK_WDDMVERSION::DXGKDDI_WDDMv3_2;
/// Message of the one MSI-X vector, from whose ISR completions are notified.
pub const INTERRUPT_MESSAGE: u32 = 0;
/// Highest system memory address that may be given to the device: it puts 64 bits on the bus.
pub const HIGHEST_ADDRESS: u64 = u64::MAX;

/// Buffers that the OS may have under way in one kernel-mode hardware queue: half of the smallest
/// ring, so that a submission, which must not fail, never meets a full one.
pub const MAX_IN_FLIGHT_BUFFERS: u16 = 64;

/// What the OS said about the features that this driver has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeatureState {
    /// `DXGK_FEATURE_HWSCH` is on.
    pub hwsch: bool,
    /// `DXGK_FEATURE_NATIVE_FENCE` is on.
    pub native_fence: bool,
    /// `DXGK_FEATURE_USER_MODE_SUBMISSION` is on, in a version that this driver has.
    pub user_mode_submission: bool,
}

/// How far the driver goes; each level includes those before it.
///
/// The order is that of the documented dependencies: a user-mode queue's progress fence is a
/// native fence, and both live on hardware queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The OS schedules packets.
    Packets,
    /// The GPU schedules contexts and hardware queues.
    HardwareScheduling,
    /// Native fences.
    NativeFences,
    /// User-mode submission by doorbell.
    UserModeSubmission,
}

impl Level {
    /// The highest level for which everything that it stands on is enabled.
    pub const fn of(features: FeatureState) -> Self {
        match features {
            FeatureState { hwsch: false, .. } => Self::Packets,
            FeatureState {
                native_fence: false,
                ..
            } => Self::HardwareScheduling,
            FeatureState {
                user_mode_submission: false,
                ..
            } => Self::NativeFences,
            _ => Self::UserModeSubmission,
        }
    }
}

/// A node of the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// Graphics, ordinal 0.
    Graphics,
    /// Compute, ordinal 1.
    Compute,
    /// Copies and paging, ordinal 2; scheduled by the OS.
    Copy,
}

impl Node {
    /// All nodes in the order of their ordinals.
    pub const ALL: [Self; NODES as usize] = [Self::Graphics, Self::Compute, Self::Copy];
    /// Where paging goes.
    pub const PAGING: Self = Self::Copy;

    /// The node with an ordinal.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] past the last one.
    pub fn from_ordinal(ordinal: u32) -> Result<Self> {
        usize::try_from(ordinal)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .ok_or(Error::InvalidParameter)
    }

    /// Whether the GPU may schedule the node, which then takes work from user mode too.
    const fn is_gpu_scheduled(self) -> bool {
        !matches!(self, Self::Copy)
    }

    /// Ordinal of the node, which is also that of its engine.
    pub const fn ordinal(self) -> u16 {
        match self {
            Self::Graphics => 0,
            Self::Compute => 1,
            Self::Copy => 2,
        }
    }
}

/// What the driver offers on one started adapter.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    level: Level,
    model: DoorbellModel,
    doorbells: u32,
    secondary: bool,
    vram_segment_bytes: u64,
}

impl Surface {
    /// The surface of a device with what the OS has enabled. Without doorbell pages there is no
    /// user-mode submission.
    pub fn new(facts: &DeviceFacts, features: FeatureState) -> Self {
        let level = Level::of(features);
        let level = if facts.doorbells == 0 {
            level.min(Level::NativeFences)
        } else {
            level
        };
        Self {
            level,
            model: facts.model,
            doorbells: facts.doorbells,
            secondary: facts.doorbell_caps.secondary(),
            vram_segment_bytes: facts.layout.segment_bytes,
        }
    }

    /// How far the driver goes.
    pub const fn level(&self) -> Level {
        self.level
    }

    /// Whether at least this level is offered.
    pub fn offers(&self, level: Level) -> bool {
        self.level >= level
    }

    /// Doorbell model of the device.
    pub const fn doorbell_model(&self) -> DoorbellModel {
        self.model
    }

    /// Doorbell pages in use.
    pub const fn doorbells(&self) -> u32 {
        self.doorbells
    }

    /// Bytes of a doorbell, from which the OS makes the dummy page and the rotation.
    pub const fn doorbell_bytes(&self) -> u32 {
        DOORBELL_BYTES
    }

    /// Bytes of a doorbell's second location, if the device has them.
    pub const fn secondary_doorbell_bytes(&self) -> Option<u32> {
        if self.secondary {
            Some(DOORBELL_BYTES)
        } else {
            None
        }
    }

    /// Bytes of the local memory segment.
    pub const fn vram_segment_bytes(&self) -> u64 {
        self.vram_segment_bytes
    }

    /// Bytes of the aperture segment, all of which may be committed.
    pub const fn aperture_bytes(&self) -> u64 {
        APERTURE_BYTES
    }

    /// Scheduling capabilities.
    ///
    /// Preemption is at buffer boundaries. Addresses are virtual, so nothing is patched; the page
    /// asks such drivers to say so. Fences are 64 bits wide.
    pub fn scheduling_caps(&self) -> DXGK_VIDSCHCAPS {
        DXGK_VIDSCHCAPS::new()
            .with_MultiEngineAware(true)
            .with_PreemptionAware(true)
            .with_NoDmaPatching(true)
            .with_NativeGpuFence(self.offers(Level::NativeFences))
    }

    /// Memory management capabilities. `SectionBackedPrimary` is nothing to do for a driver
    /// without primaries, and part of the set with which render-only adapters are known to start.
    pub const fn memory_caps(&self) -> DXGK_VIDMMCAPS_Anonymous {
        DXGK_VIDMMCAPS_Anonymous::new()
            .with_SectionBackedPrimary(true)
            .with_VirtualAddressingSupported(true)
            .with_GpuMmuSupported(true)
    }

    /// Capabilities of no group: none.
    pub const fn misc_caps(&self) -> DXGK_DRIVERCAPS_MiscCaps {
        DXGK_DRIVERCAPS_MiscCaps::new()
    }

    /// Flags of a node. Progress fences are written by an instruction at the end of a buffer, so
    /// `RingBufferFenceRelease` stays clear.
    pub fn node_flags(&self, node: Node) -> DXGK_NODEMETADATA_FLAGS {
        let scheduled = node.is_gpu_scheduled();
        DXGK_NODEMETADATA_FLAGS::new()
            .with_ContextSchedulingSupported(scheduled && self.offers(Level::HardwareScheduling))
            .with_UserModeSubmission(self.takes_user_work(node))
            .with_MaxInFlightHwQueueBuffers(
                if scheduled && self.offers(Level::HardwareScheduling) {
                    MAX_IN_FLIGHT_BUFFERS
                } else {
                    0
                },
            )
    }

    fn takes_user_work(&self, node: Node) -> bool {
        node.is_gpu_scheduled() && self.offers(Level::UserModeSubmission)
    }

    /// Nodes with a power component, in the order of the components: those that take work from
    /// user mode, whose idleness the OS would see late. An engine has one component and a
    /// component one engine.
    fn powered_nodes(&self) -> impl Iterator<Item = Node> {
        Node::ALL
            .into_iter()
            .filter(|node| self.takes_user_work(*node))
    }

    /// Power components.
    pub fn components(&self) -> u32 {
        self.powered_nodes().fold(0, |count, _| count + 1)
    }

    /// The node whose engine a power component is.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] past the last one.
    pub fn component(&self, index: u32) -> Result<Node> {
        usize::try_from(index)
            .ok()
            .and_then(|index| self.powered_nodes().nth(index))
            .ok_or(Error::InvalidParameter)
    }

    /// The engines that are power components.
    pub fn powered_engines(&self) -> EngineSet {
        self.powered_nodes()
            .fold(EngineSet::NONE, |set, node| set.with(node.ordinal().into()))
    }

    /// `SupportRuntimePowerManagement`: whether there is anything to manage.
    pub fn manages_power(&self) -> bool {
        self.components() != 0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::adapter::layout::Layout;
    use carillon_hw::regs::DoorbellCaps;

    pub(crate) fn facts() -> DeviceFacts {
        DeviceFacts {
            model: DoorbellModel::Dedicated,
            doorbells: 4,
            doorbell_caps: DoorbellCaps::new().with_pages(4),
            layout: Layout::plan(256 << 20, 16).unwrap(),
        }
    }

    pub(crate) fn every_state() -> impl Iterator<Item = FeatureState> {
        (0..8u8).map(|bits| FeatureState {
            hwsch: bits & 1 != 0,
            native_fence: bits & 2 != 0,
            user_mode_submission: bits & 4 != 0,
        })
    }

    /// contract: CAP-011, FEA-010, FEA-011, NOD-002, NOD-004
    /// regression: FEN-10
    #[test]
    fn no_state_gives_a_mixed_surface() {
        for features in every_state() {
            let surface = Surface::new(&facts(), features);
            let ums = features.hwsch && features.native_fence && features.user_mode_submission;
            let fences = features.hwsch && features.native_fence;
            assert_eq!(surface.offers(Level::UserModeSubmission), ums);
            assert_eq!(surface.scheduling_caps().NativeGpuFence(), fences);
            for node in Node::ALL {
                let flags = surface.node_flags(node);
                let scheduled = node != Node::Copy;
                assert_eq!(flags.UserModeSubmission(), ums && scheduled);
                assert_eq!(
                    flags.ContextSchedulingSupported(),
                    features.hwsch && scheduled
                );
                assert!(!flags.SupportBuildTestCommandBuffer());
            }
        }
    }

    /// contract: PWF-015
    #[test]
    fn power_components_are_the_engines_that_take_user_work() {
        for features in every_state() {
            let surface = Surface::new(&facts(), features);
            let powered: std::vec::Vec<_> = Node::ALL
                .into_iter()
                .filter(|node| surface.node_flags(*node).UserModeSubmission())
                .collect();
            let count = u32::try_from(powered.len()).unwrap();
            assert_eq!(surface.components(), count);
            assert_eq!(surface.manages_power(), count != 0);
            for (index, node) in (0..).zip(&powered) {
                assert_eq!(surface.component(index), Ok(*node));
            }
            for index in [count, count + 1, u32::MAX] {
                assert_eq!(surface.component(index), Err(Error::InvalidParameter));
            }
            let engines = if count == 0 { 0 } else { 0b11 };
            assert_eq!(surface.powered_engines().into_bits(), engines);
        }
    }

    #[test]
    fn without_doorbells_there_is_no_user_mode_submission() {
        let features = FeatureState {
            hwsch: true,
            native_fence: true,
            user_mode_submission: true,
        };
        let mut facts = facts();
        facts.doorbells = 0;
        assert_eq!(Surface::new(&facts, features).level(), Level::NativeFences);
        facts.doorbells = 1;
        assert_eq!(
            Surface::new(&facts, features).level(),
            Level::UserModeSubmission
        );
    }

    /// contract: CAP-007, CAP-008, CAP-020
    #[test]
    fn caps_that_imply_others_come_with_them() {
        let surface = Surface::new(&facts(), FeatureState::default());
        let caps = surface.scheduling_caps();
        assert!(caps.MultiEngineAware() && caps.PreemptionAware() && caps.NoDmaPatching());
        assert!(!caps.CancelCommandAware() && !caps.No64BitAtomics());
        let memory = surface.memory_caps();
        assert!(memory.VirtualAddressingSupported() && memory.GpuMmuSupported());
        assert!(!memory.IoMmuSupported());
    }

    #[test]
    fn ordinals_are_positions() {
        for (ordinal, node) in (0..).zip(Node::ALL) {
            assert_eq!(Node::from_ordinal(ordinal), Ok(node));
            assert_eq!(u32::from(node.ordinal()), ordinal);
        }
        for ordinal in [NODES, u32::MAX] {
            assert_eq!(Node::from_ordinal(ordinal), Err(Error::InvalidParameter));
        }
    }
}
