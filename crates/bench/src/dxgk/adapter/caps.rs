//! What the driver answered at start.

use carillon_ddi::{
    DXGK_DRIVERCAPS, DXGK_GPUMMUCAPS, DXGK_IOMMU_CAPS, DXGK_NATIVE_FENCE_CAPS, DXGK_NODEMETADATA,
    DXGK_PAGE_TABLE_LEVEL_DESC, DXGK_PHYSICAL_MEMORY_CAPS, DXGK_PHYSICALADAPTERCAPS,
    DXGK_POWER_RUNTIME_COMPONENT, DXGK_SEGMENTDESCRIPTOR4, DXGK_USERMODESUBMISSION_CAPS,
    DXGK_WDDMDEVICECAPS,
};

/// Where paging buffers live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PagingBuffer {
    /// Segment id, from 1; 0 is system memory.
    pub segment: u32,
    /// Bytes.
    pub size: u32,
    /// Bytes of private data beside each.
    pub private_size: u32,
}

/// Memory segments.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    /// `NbSegment` of the first call.
    pub reported: u32,
    /// Descriptors; the id of each is its index plus one.
    pub list: Vec<DXGK_SEGMENTDESCRIPTOR4>,
    /// Where paging buffers live.
    pub paging: PagingBuffer,
}

/// Answers to the queries before the start.
#[derive(Debug, Clone, Copy)]
pub struct EarlyCaps {
    /// `DXGKQAITYPE_WDDMDEVICECAPS`
    pub wddm: DXGK_WDDMDEVICECAPS,
    /// `DXGKQAITYPE_PHYSICAL_MEMORY_CAPS`
    pub memory: DXGK_PHYSICAL_MEMORY_CAPS,
    /// `DXGKQAITYPE_IOMMU_CAPS`
    pub iommu: DXGK_IOMMU_CAPS,
}

/// Answers of a started driver.
#[derive(Debug, Clone)]
pub struct Caps {
    /// Answers to the queries before the start.
    pub early: EarlyCaps,
    /// `DXGKQAITYPE_DRIVERCAPS`
    pub driver: DXGK_DRIVERCAPS,
    /// `DXGKQAITYPE_QUERYSEGMENT4`
    pub segments: Segments,
    /// `DXGKQAITYPE_GPUMMUCAPS`
    pub gpu_mmu: DXGK_GPUMMUCAPS,
    /// `DXGKQAITYPE_PAGETABLELEVELDESC`, leaf first.
    pub levels: Vec<DXGK_PAGE_TABLE_LEVEL_DESC>,
    /// `DXGKQAITYPE_PHYSICALADAPTERCAPS`, if the driver answers it.
    pub physical: Option<PhysicalAdapter>,
    /// `DXGKQAITYPE_NATIVE_FENCE_CAPS`, if native fences are on.
    pub native_fence: Option<DXGK_NATIVE_FENCE_CAPS>,
    /// `DXGKQAITYPE_USERMODESUBMISSION_CAPS`, if user-mode submission is on.
    pub user_mode_submission: Option<DXGK_USERMODESUBMISSION_CAPS>,
    /// `DXGKQAITYPE_POWERCOMPONENTINFO`, by component.
    pub power_components: Vec<DXGK_POWER_RUNTIME_COMPONENT>,
    /// `DXGKQAITYPE_HISTORYBUFFERPRECISION`, by node, in bits.
    pub precision: Vec<u32>,
    /// `DxgkDdiGetNodeMetadata`, by node.
    pub nodes: Vec<DXGK_NODEMETADATA>,
}

/// `DXGK_PHYSICALADAPTERCAPS`, whose handle is one of the OS's.
#[derive(Debug, Clone, Copy)]
pub struct PhysicalAdapter(pub DXGK_PHYSICALADAPTERCAPS);

// SAFETY: the structure holds numbers and a handle that is never followed.
unsafe impl Send for PhysicalAdapter {}
// SAFETY: as for `Send`.
unsafe impl Sync for PhysicalAdapter {}

impl Caps {
    /// Ordinal of the node that runs paging work.
    pub fn paging_node(&self) -> u32 {
        self.driver.MemoryManagementCaps.PagingNode
    }

    /// Ordinals of the nodes on which user-mode queues may be created.
    pub fn user_mode_submission_nodes(&self) -> Vec<u32> {
        let ordinals = (0..).zip(&self.nodes);
        ordinals
            .filter(|(_, node)| { node.Flags }.UserModeSubmission())
            .map(|(n, _)| n)
            .collect()
    }
}
