//! Memory segments: from the OS's addresses to the hardware's.
//!
//! Segment 1 is the aperture, segment 2 local memory behind the driver's own tables. Segment 0 is
//! no segment: it stands for system memory, named by bus address.

use carillon_ddi::{D3DGPU_PHYSICAL_ADDRESS, DXGK_PTE};
use carillon_hw::addr::{ApertureOffset, BusAddress, PAGE_SIZE, PhysicalTarget, VramOffset};
use carillon_hw::mmu::PageTableEntry;

use crate::adapter::layout::Layout;
use crate::error::{Error, Result};

/// `BaseAddress` of the aperture segment. It lies above all offsets into the aperture, so that an
/// address in the segment is told from an offset into it.
pub const APERTURE_BASE: u64 = 0xC000_0000;
/// `BaseAddress` of the local memory segment: addresses and offsets are the same.
pub const VRAM_BASE: u64 = 0;
const _: () = assert!(crate::adapter::layout::APERTURE_BYTES <= APERTURE_BASE);

/// End of what a page-table entry can name.
const SYSTEM_END: u64 = 1 << 52;

/// A segment that the driver reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentId {
    /// System memory pages seen through a linear window.
    Aperture,
    /// Local memory, out of reach of the CPU.
    Vram,
}

impl SegmentId {
    /// The segment's number in the DDI; numbers count from 1.
    pub const fn number(self) -> u32 {
        match self {
            Self::Aperture => 1,
            Self::Vram => 2,
        }
    }

    /// The segment's bit in a set of segments.
    pub const fn bit(self) -> u32 {
        match self {
            Self::Aperture => 1,
            Self::Vram => 2,
        }
    }
}

/// Where the segments of an adapter are.
#[derive(Clone, Copy, Debug)]
pub struct Segments {
    vram: VramOffset,
    vram_bytes: u64,
    aperture_table: VramOffset,
    aperture_pages: u64,
}

impl Segments {
    /// The segments of an adapter with these tables.
    pub const fn of(layout: &Layout) -> Self {
        Self {
            vram: layout.segment_base,
            vram_bytes: layout.segment_bytes,
            aperture_table: layout.aperture_table,
            aperture_pages: layout.aperture_pages as u64,
        }
    }

    /// The `bytes` bytes at `offset` of a segment, or of system memory for segment 0. Offsets into
    /// the aperture may be given with or without [`APERTURE_BASE`].
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a segment that does not exist or a range that leaves it.
    pub fn resolve(&self, segment: u32, offset: u64, bytes: u64) -> Result<PhysicalTarget> {
        let end = offset.checked_add(bytes).ok_or(Error::InvalidParameter)?;
        match segment {
            0 if end <= SYSTEM_END => Ok(PhysicalTarget::System(BusAddress(offset))),
            1 => {
                let offset = offset.checked_sub(APERTURE_BASE).unwrap_or(offset);
                let end = offset.checked_add(bytes).ok_or(Error::InvalidParameter)?;
                if end > self.aperture_pages.saturating_mul(PAGE_SIZE) {
                    return Err(Error::InvalidParameter);
                }
                Ok(PhysicalTarget::Aperture(ApertureOffset(offset)))
            }
            2 if end <= self.vram_bytes => {
                let at = self.vram.checked_add(offset);
                at.map(PhysicalTarget::Vram).ok_or(Error::InvalidParameter)
            }
            _ => Err(Error::InvalidParameter),
        }
    }

    /// [`Self::resolve`] for the DDI's address structure.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_address(
        &self,
        address: D3DGPU_PHYSICAL_ADDRESS,
        bytes: u64,
    ) -> Result<PhysicalTarget> {
        self.resolve(address.SegmentId, address.SegmentOffset, bytes)
    }

    /// The entries of the aperture table for `pages` pages from page `first`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] beyond the end of the aperture.
    pub fn aperture_entries(&self, first: u64, pages: u64) -> Result<VramOffset> {
        let end = first.checked_add(pages);
        if end.is_none_or(|end| end > self.aperture_pages) {
            return Err(Error::InvalidParameter);
        }
        first
            .checked_mul(carillon_hw::mmu::ENTRY_BYTES)
            .and_then(|bytes| self.aperture_table.checked_add(bytes))
            .ok_or(Error::InvalidParameter)
    }

    /// The hardware's form of an entry for a table of `level` (0 is the leaf). Page
    /// `ns-d3dukmdt-dxgk_pte`: the address is an offset from the start of the segment.
    ///
    /// Only leaf entries carry access rights. Large pages, 64 KiB leaf tables, zero directories and
    /// a second physical adapter are not reported as supported.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for one of those, for unknown flags, and for an address outside
    /// of its segment.
    pub fn entry(&self, pte: DXGK_PTE, level: u32) -> Result<PageTableEntry> {
        let flags = pte.flags();
        if !flags.Valid() {
            return Ok(PageTableEntry::INVALID);
        }
        let leaf = level == 0;
        let unknown = flags.LargePage()
            || flags.PhysicalAdapterIndex() != 0
            || flags.PageTablePageSize() != 0
            || flags.Reserved() != 0
            || (flags.Zero() && !leaf);
        if unknown {
            return Err(Error::InvalidParameter);
        }
        let entry = if flags.Zero() {
            PageTableEntry::new().with_valid(true).with_zero(true)
        } else {
            let offset = pte.address().checked_mul(PAGE_SIZE);
            let offset = offset.ok_or(Error::InvalidParameter)?;
            let target = self.resolve(flags.Segment().into(), offset, PAGE_SIZE)?;
            PageTableEntry::to_target(target).ok_or(Error::InvalidParameter)?
        };
        Ok(if leaf {
            entry
                .with_read_only(flags.ReadOnly())
                .with_no_execute(flags.NoExecute())
                .with_coherent(flags.CacheCoherent())
        } else {
            entry
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use carillon_ddi::DXGK_PTE_Anonymous as Flags;

    pub(crate) fn segments() -> (Segments, Layout) {
        let layout = Layout::plan(64 << 20, 10).unwrap();
        (Segments::of(&layout), layout)
    }

    fn valid(segment: u8) -> Flags {
        Flags::new().with_Valid(true).with_Segment(segment)
    }

    #[test]
    fn ranges_end_with_their_segment() {
        let (segments, layout) = segments();
        let ends = [
            (0, SYSTEM_END),
            (1, u64::from(layout.aperture_pages) * PAGE_SIZE),
            (2, layout.segment_bytes),
        ];
        for (segment, end) in ends {
            assert!(segments.resolve(segment, 0, end).is_ok());
            assert!(segments.resolve(segment, end, 0).is_ok());
            assert!(segments.resolve(segment, end - 1, 1).is_ok());
            for (offset, bytes) in [(end, 1), (0, end + 1), (u64::MAX, 1), (1, u64::MAX)] {
                let refusal = segments.resolve(segment, offset, bytes);
                assert_eq!(refusal, Err(Error::InvalidParameter));
            }
        }
        for segment in [3, 31, u32::MAX] {
            assert!(segments.resolve(segment, 0, 0).is_err());
        }
    }

    #[test]
    fn offsets_become_addresses_of_their_space() {
        let (segments, layout) = segments();
        let vram = layout.segment_base.checked_add(0x3000).unwrap();
        assert_eq!(
            segments.resolve(2, 0x3000, 4),
            Ok(PhysicalTarget::Vram(vram))
        );
        let aperture = Ok(PhysicalTarget::Aperture(ApertureOffset(0x3000)));
        assert_eq!(segments.resolve(1, 0x3000, 4), aperture);
        assert_eq!(segments.resolve(1, APERTURE_BASE + 0x3000, 4), aperture);
        let last = APERTURE_BASE + u64::from(layout.aperture_pages) * PAGE_SIZE;
        assert!(segments.resolve(1, last - 4, 4).is_ok());
        assert!(segments.resolve(1, last, 4).is_err());
    }

    #[test]
    fn entries_carry_every_right_at_the_leaf() {
        let (segments, layout) = segments();
        let targets = [
            PhysicalTarget::System(BusAddress(0x7000)),
            PhysicalTarget::Aperture(ApertureOffset(0x7000)),
            PhysicalTarget::Vram(layout.segment_base.checked_add(0x7000).unwrap()),
        ];
        for (segment, target) in (0u8..).zip(targets) {
            for bits in 0..8 {
                let (ro, nx, cc) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
                let flags = valid(segment)
                    .with_ReadOnly(ro)
                    .with_NoExecute(nx)
                    .with_CacheCoherent(cc);
                let entry = segments.entry(DXGK_PTE::new(flags, 7), 0).unwrap();
                assert_eq!(entry.target(), Some(target));
                let rights = (entry.read_only(), entry.no_execute(), entry.coherent());
                assert_eq!(rights, (ro, nx, cc));
                assert!(!entry.zero());

                let entry = segments.entry(DXGK_PTE::new(flags, 7), 1).unwrap();
                assert_eq!(Some(entry), PageTableEntry::to_target(target));
            }
        }
    }

    #[test]
    fn zero_pages_need_no_address() {
        let (segments, _) = segments();
        let pte = DXGK_PTE::new(valid(9).with_Zero(true), u64::MAX);
        let entry = segments.entry(pte, 0).unwrap();
        assert!(entry.valid() && entry.zero());
        assert!(segments.entry(pte, 1).is_err());
    }

    #[test]
    fn invalid_entries_are_invalid_whatever_else_they_say() {
        let (segments, _) = segments();
        for flags in [
            Flags::new(),
            Flags::from_bits(!1),
            Flags::new().with_Zero(true),
        ] {
            let entry = segments.entry(DXGK_PTE::new(flags, u64::MAX), 0);
            assert_eq!(entry, Ok(PageTableEntry::INVALID));
        }
    }

    #[test]
    fn what_is_not_reported_is_refused() {
        let (segments, layout) = segments();
        let end = layout.segment_bytes / PAGE_SIZE;
        let refused = [
            (valid(0).with_LargePage(true), 0),
            (valid(0).with_PhysicalAdapterIndex(1), 0),
            (valid(0).with_PageTablePageSize(1), 0),
            (valid(0).with_Reserved(1), 0),
            (valid(3), 0),
            (valid(31), 0),
            (valid(0), SYSTEM_END / PAGE_SIZE),
            (valid(0), u64::MAX),
            (valid(1), u64::from(layout.aperture_pages)),
            (valid(2), end),
        ];
        for (flags, address) in refused {
            for level in 0..4 {
                let entry = segments.entry(DXGK_PTE::new(flags, address), level);
                assert_eq!(
                    entry,
                    Err(Error::InvalidParameter),
                    "{flags:?} {address:#x}"
                );
            }
        }
        let last = DXGK_PTE::new(valid(2), end - 1);
        assert!(segments.entry(last, 0).is_ok());
    }

    #[test]
    fn aperture_entries_stay_in_their_table() {
        let (segments, layout) = segments();
        let pages = u64::from(layout.aperture_pages);
        let table = layout.aperture_table;
        assert_eq!(segments.aperture_entries(0, pages), Ok(table));
        assert_eq!(
            segments.aperture_entries(pages - 1, 1),
            Ok(VramOffset(table.0 + (pages - 1) * 8))
        );
        for (first, count) in [(pages, 1), (0, pages + 1), (u64::MAX, 1), (1, u64::MAX)] {
            assert!(segments.aperture_entries(first, count).is_err());
        }
    }
}
