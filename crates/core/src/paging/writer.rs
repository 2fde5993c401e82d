//! Packets into what is left of a paging buffer.

use carillon_hw::addr::PhysicalTarget;
use carillon_hw::mmu::{ENTRY_BYTES, PageTableEntry};
use carillon_hw::packet::{MAX_ENTRIES_PER_PACKET, Packet};

use crate::error::{Error, Result};

/// Doublewords of a `WriteEntries` packet before its entries.
const ENTRIES_HEADER: usize = 4;
/// Doublewords of an entry.
const ENTRY_DWORDS: usize = 2;

/// Appends whole packets; one that does not fit is not begun.
pub(super) struct Writer<'a> {
    out: &'a mut [u32],
    at: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(out: &'a mut [u32]) -> Self {
        Self { out, at: 0 }
    }

    /// Doublewords written.
    pub(super) const fn written(&self) -> usize {
        self.at
    }

    /// Appends a packet without inline data; `false` if it does not fit.
    pub(super) fn packet(&mut self, packet: &Packet) -> bool {
        let Some(rest) = self.out.get_mut(self.at..) else {
            return false;
        };
        match packet.encode(rest) {
            Some(dwords) => {
                self.at = self.at.saturating_add(dwords);
                true
            }
            None => false,
        }
    }

    /// Appends entries `from..total` of a table at `table`, in as many packets as fit. Returns how
    /// far it came.
    pub(super) fn entries(
        &mut self,
        table: PhysicalTarget,
        from: u32,
        total: u32,
        entry: &mut dyn FnMut(u32) -> Result<PageTableEntry>,
    ) -> Result<u32> {
        let mut done = from;
        while done < total {
            let Some(count) = self.room_for_entries(total.saturating_sub(done)) else {
                break;
            };
            let target = u64::from(done)
                .checked_mul(ENTRY_BYTES)
                .and_then(|offset| table.checked_add(offset))
                .ok_or(Error::InvalidParameter)?;
            if !self.packet(&Packet::WriteEntries { target, count }) {
                break;
            }
            for _ in 0..count {
                self.quadword(entry(done)?.into_bits());
                done = done.saturating_add(1);
            }
        }
        Ok(done)
    }

    /// How many of `wanted` entries the next packet takes; `None` if it cannot take one.
    fn room_for_entries(&self, wanted: u32) -> Option<u16> {
        let room = self.out.len().checked_sub(self.at)?;
        let room = room.checked_sub(ENTRIES_HEADER)? / ENTRY_DWORDS;
        let wanted = u16::try_from(wanted).unwrap_or(u16::MAX);
        let count = u16::try_from(room)
            .unwrap_or(u16::MAX)
            .min(wanted)
            .min(MAX_ENTRIES_PER_PACKET);
        (count > 0).then_some(count)
    }

    fn quadword(&mut self, value: u64) {
        for word in value.to_le_bytes().as_chunks().0 {
            if let Some(slot) = self.out.get_mut(self.at) {
                *slot = u32::from_le_bytes(*word);
            }
            self.at = self.at.saturating_add(1);
        }
    }
}
