//! Where the driver keeps its tables in local memory.
//!
//! They take the start of local memory; what follows is the segment that VidMm manages.

use carillon_hw::addr::{PAGE_SIZE, VramOffset};
use carillon_hw::event::EVENT_BYTES;
use carillon_hw::mmu::ENTRY_BYTES;
use carillon_hw::queue::{CONTEXT_DESCRIPTOR_BYTES, QUEUE_DESCRIPTOR_BYTES};

use crate::error::{Error, Result};
use crate::handle::MAX_OBJECTS;

/// Bytes of the aperture segment: what a render-only adapter is known to start with.
pub const APERTURE_BYTES: u64 = 1 << 30;
/// Events between two DPCs before anything is lost; the driver then looks at everything.
pub const EVENTS: u32 = 4096;
/// Local memory below which the driver does not start.
pub const MIN_VRAM_BYTES: u64 = 32 << 20;

/// Share of local memory for the queue table.
const QUEUE_TABLE_SHARE: u64 = 8;
/// Queues for one context, at the least, that the tables have room for.
const QUEUES_PER_CONTEXT: u32 = 2;

/// Tables in local memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Queue descriptor table.
    pub queue_table: VramOffset,
    /// Its entries.
    pub queues: u32,
    /// Context descriptor table.
    pub context_table: VramOffset,
    /// Its entries.
    pub contexts: u32,
    /// Event ring.
    pub event_ring: VramOffset,
    /// Its entries.
    pub events: u32,
    /// Aperture table.
    pub aperture_table: VramOffset,
    /// Its entries.
    pub aperture_pages: u32,
    /// First byte that is not the driver's.
    pub segment_base: VramOffset,
    /// Bytes of the memory segment.
    pub segment_bytes: u64,
}

impl Layout {
    /// Divides `vram_bytes` of local memory for a device that takes two to the power of
    /// `max_queues_log2` queues.
    ///
    /// # Errors
    /// [`Error::BadHardware`] if there is too little of it.
    pub fn plan(vram_bytes: u64, max_queues_log2: u8) -> Result<Self> {
        if vram_bytes < MIN_VRAM_BYTES || max_queues_log2 == 0 {
            return Err(Error::BadHardware);
        }
        let device_limit = 1u32
            .checked_shl(max_queues_log2.into())
            .unwrap_or(MAX_OBJECTS);
        let share = vram_bytes / QUEUE_TABLE_SHARE / QUEUE_DESCRIPTOR_BYTES;
        let queues = u32::try_from(share)
            .unwrap_or(MAX_OBJECTS)
            .min(device_limit)
            .min(MAX_OBJECTS);
        let contexts = (queues / QUEUES_PER_CONTEXT).max(1);
        let aperture_pages = u32::try_from(APERTURE_BYTES / PAGE_SIZE).unwrap_or(u32::MAX);

        let mut next = 0;
        let mut table = |entries: u32, entry_bytes: u64| {
            let at = VramOffset(next);
            next += (u64::from(entries) * entry_bytes).next_multiple_of(PAGE_SIZE);
            at
        };
        let queue_table = table(queues, QUEUE_DESCRIPTOR_BYTES);
        let context_table = table(contexts, CONTEXT_DESCRIPTOR_BYTES);
        let event_ring = table(EVENTS, EVENT_BYTES);
        let aperture_table = table(aperture_pages, ENTRY_BYTES);
        let segment_bytes = vram_bytes.checked_sub(next).ok_or(Error::BadHardware)?;
        Ok(Self {
            queue_table,
            queues,
            context_table,
            contexts,
            event_ring,
            events: EVENTS,
            aperture_table,
            aperture_pages,
            segment_base: VramOffset(next),
            segment_bytes: segment_bytes - segment_bytes % PAGE_SIZE,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_do_not_overlap_and_the_segment_gets_most() {
        for vram in [MIN_VRAM_BYTES, 256 << 20, 16 << 30] {
            let plan = Layout::plan(vram, 24).unwrap();
            let ends = [
                plan.queue_table.0 + u64::from(plan.queues) * QUEUE_DESCRIPTOR_BYTES,
                plan.context_table.0 + u64::from(plan.contexts) * CONTEXT_DESCRIPTOR_BYTES,
                plan.event_ring.0 + u64::from(plan.events) * EVENT_BYTES,
                plan.aperture_table.0 + u64::from(plan.aperture_pages) * ENTRY_BYTES,
                plan.segment_base.0 + plan.segment_bytes,
            ];
            let starts = [
                plan.queue_table,
                plan.context_table,
                plan.event_ring,
                plan.aperture_table,
                plan.segment_base,
            ];
            for (end, start) in ends.iter().zip(&starts[1..]) {
                assert!(*end <= start.0 && start.is_aligned(PAGE_SIZE));
            }
            assert_eq!(ends[4], vram);
            assert!(plan.segment_bytes > vram / 2);
        }
    }

    /// regression: DB-12
    #[test]
    fn the_device_limits_the_queues() {
        assert_eq!(Layout::plan(1 << 30, 4).unwrap().queues, 16);
        assert_eq!(Layout::plan(MIN_VRAM_BYTES - 1, 4), Err(Error::BadHardware));
        assert_eq!(Layout::plan(1 << 30, 0), Err(Error::BadHardware));
        assert_eq!(Layout::plan(64 << 30, 255).unwrap().queues, MAX_OBJECTS);
    }
}
