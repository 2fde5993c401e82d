//! Construction parameters.

use carillon_hw::addr::PAGE_SIZE;
use carillon_hw::regs::{DoorbellCaps, DoorbellModel, MAX_DOORBELLS};

use crate::VgpuError;

/// What a virtual GPU is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Doorbell pages, 1 to [`MAX_DOORBELLS`].
    pub doorbells: u32,
    /// Every doorbell page has a secondary page.
    pub secondary_pages: bool,
    /// Bytes of local memory, a non-zero multiple of 4 KiB.
    pub vram_bytes: u64,
    /// How doorbell pages relate to queues.
    pub model: DoorbellModel,
    /// Engines, 1 to 16.
    pub engines: u8,
    /// Queues that an engine holds on at once, as the capability word reports it. More take
    /// turns; this device keeps any number and so has no other use for it.
    pub run_slots: u8,
    /// The queue table may have two to the power of this many entries, 0 to 24.
    pub max_queues_log2: u8,
    /// Translations that the device keeps; 0 walks the tables at every access.
    pub tlb_entries: u32,
    /// The function starts as a PCI bus driver leaves it: memory decoding and bus mastering on,
    /// MSI-X enabled and unmasked. Clear: as after power-on, all of that off.
    pub configured: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            doorbells: 4,
            secondary_pages: false,
            vram_bytes: 0x1000_0000,
            model: DoorbellModel::Dedicated,
            engines: 3,
            run_slots: 8,
            max_queues_log2: 20,
            tlb_entries: 4096,
            configured: true,
        }
    }
}

/// Engines that the four bits of `QueueShape::engine` can name.
const MAX_ENGINES: u8 = 16;
/// Keeps the queue table's size far below what 64-bit offsets hold.
const MAX_QUEUES_LOG2: u8 = 24;

impl Config {
    /// Checks every field.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub(crate) fn check(&self) -> Result<(), VgpuError> {
        if self.doorbells == 0 || self.doorbells > MAX_DOORBELLS {
            return Err(VgpuError::Doorbells(self.doorbells));
        }
        if self.vram_bytes == 0 || !self.vram_bytes.is_multiple_of(PAGE_SIZE) {
            return Err(VgpuError::VramBytes(self.vram_bytes));
        }
        if self.engines == 0 || self.engines > MAX_ENGINES {
            return Err(VgpuError::Engines(self.engines));
        }
        if self.max_queues_log2 > MAX_QUEUES_LOG2 {
            return Err(VgpuError::QueuesLog2(self.max_queues_log2));
        }
        Ok(())
    }

    /// The capability register of the doorbells.
    pub(crate) fn doorbell_caps(&self) -> DoorbellCaps {
        DoorbellCaps::new()
            .with_pages(self.doorbells)
            .with_global(self.model == DoorbellModel::Global)
            .with_secondary(self.secondary_pages)
    }

    /// Bytes of BAR2: a power of two, so that all of it can be mapped.
    pub(crate) fn doorbell_bar_bytes(&self) -> u64 {
        (u64::from(self.doorbell_caps().bar_pages()) * PAGE_SIZE).next_power_of_two()
    }

    /// Most entries that the queue table may have.
    pub(crate) fn max_queues(&self) -> u32 {
        2_u32.pow(u32::from(self.max_queues_log2))
    }
}
