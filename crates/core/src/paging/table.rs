//! `DXGK_OPERATION_UPDATE_PAGE_TABLE`. Page
//! `ns-d3dkmddi-_dxgk_buildpagingbuffer_updatepagetable`.

use carillon_ddi::{DXGK_PTE, DXGK_UPDATEPAGETABLEFLAGS};
use carillon_hw::addr::PhysicalTarget;
use carillon_hw::mmu::{ENTRIES_PER_TABLE, ENTRY_BYTES, LEVELS, PageTableEntry};

use super::writer::Writer;
use crate::error::{Error, Result};
use crate::segment::Segments;

/// Entries of one table, checked to lie inside it.
#[derive(Clone, Copy)]
pub struct UpdatePageTable<'a> {
    level: u32,
    start: u32,
    count: u32,
    repeat: bool,
    entry: &'a dyn Fn(u32) -> DXGK_PTE,
}

impl<'a> UpdatePageTable<'a> {
    /// An update of `count` entries from index `start` of a table of `level` (0 is the leaf).
    /// `entry` reads `pPageTableEntries`; with `Repeat` only its element 0.
    ///
    /// `InitialUpdate`, `NotifyEviction` and `NativeFence` change nothing about what is written.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a level that does not exist, entries outside of the table,
    /// or 64 KiB pages, which are not reported.
    pub fn new(
        level: u32,
        start: u32,
        count: u32,
        flags: DXGK_UPDATEPAGETABLEFLAGS,
        entry: &'a dyn Fn(u32) -> DXGK_PTE,
    ) -> Result<Self> {
        let end = start.checked_add(count).ok_or(Error::InvalidParameter)?;
        if level >= LEVELS || end > ENTRIES_PER_TABLE || flags.Use64KBPages() {
            return Err(Error::InvalidParameter);
        }
        Ok(Self {
            level,
            start,
            count,
            repeat: flags.Repeat(),
            entry,
        })
    }

    fn converted(&self, segments: &Segments, index: u32) -> Result<PageTableEntry> {
        let index = if self.repeat { 0 } else { index };
        segments.entry((self.entry)(index), self.level)
    }

    /// The update for the CPU (`DXGK_PAGETABLEUPDATE_CPU_VIRTUAL`, no paging buffer): byte offset in
    /// the table and quadword to store there, in order. The caller stores each at once, with a
    /// single aligned access.
    pub fn stores<'b>(
        &'b self,
        segments: &'b Segments,
    ) -> impl Iterator<Item = Result<(u64, u64)>> + use<'a, 'b> {
        (0..self.count).map(move |index| {
            let at = u64::from(self.start)
                .saturating_add(index.into())
                .saturating_mul(ENTRY_BYTES);
            Ok((at, self.converted(segments, index)?.into_bits()))
        })
    }

    /// Packets for the table at `table`. Progress counts entries.
    pub(super) fn write(
        &self,
        segments: &Segments,
        table: PhysicalTarget,
        writer: &mut Writer<'_>,
        progress: u32,
    ) -> Result<Option<u32>> {
        let first = u64::from(self.start)
            .checked_mul(ENTRY_BYTES)
            .and_then(|offset| table.checked_add(offset))
            .ok_or(Error::InvalidParameter)?;
        let entry = &mut |index| self.converted(segments, index);
        let done = writer.entries(first, progress, self.count, entry)?;
        Ok((done < self.count).then_some(done))
    }
}
