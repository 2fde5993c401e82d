//! Page tables (`docs/hardware.md` section 8).
//!
//! Four levels of 512 eight-byte entries translate 48-bit addresses in 4 KiB pages. Level 0 is
//! the leaf, level 3 the root. Directory and leaf entries have the same form.

use bitfield_struct::bitfield;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::addr::{ApertureOffset, BusAddress, GpuVa, PAGE_SIZE, PhysicalTarget, VramOffset};

/// Bits of a GPU virtual address that the hardware translates.
pub const VA_BITS: u32 = 48;
/// Levels of the page table.
pub const LEVELS: u32 = 4;
/// Index bits of each level.
pub const INDEX_BITS: u32 = 9;
/// Entries in a table of any level.
pub const ENTRIES_PER_TABLE: u32 = 1 << INDEX_BITS;
/// Bytes in an entry.
pub const ENTRY_BYTES: u64 = 8;
/// Bytes in a table.
pub const TABLE_BYTES: u64 = ENTRIES_PER_TABLE as u64 * ENTRY_BYTES;
/// First level above the root.
pub const ROOT_LEVEL: u32 = LEVELS - 1;

const OFFSET_BITS: u32 = PAGE_SIZE.trailing_zeros();

/// The index of `va` in the table of `level` (0 is the leaf); `None` if the address or the level
/// does not exist.
pub const fn table_index(va: GpuVa, level: u32) -> Option<u32> {
    if va.0 >> VA_BITS != 0 || level >= LEVELS {
        return None;
    }
    let index = (va.0 >> (OFFSET_BITS + level * INDEX_BITS)) & (ENTRIES_PER_TABLE as u64 - 1);
    #[allow(clippy::cast_possible_truncation, reason = "masked to nine bits")]
    Some(index as u32)
}

/// Bytes of address space that one entry of `level` covers.
pub const fn entry_span(level: u32) -> u64 {
    PAGE_SIZE << (level * INDEX_BITS)
}

/// A page-table entry of any level, an aperture table entry, or a root pointer.
#[bitfield(u64)]
#[derive(PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PageTableEntry {
    /// The entry translates.
    pub valid: bool,
    /// Leaf: writes fault.
    pub read_only: bool,
    /// Leaf: command buffers may not lie here.
    pub no_execute: bool,
    /// Leaf, with `valid`: reads give zero, writes vanish; the address is ignored.
    pub zero: bool,
    /// Leaf: accesses snoop CPU caches.
    pub coherent: bool,
    #[bits(5)]
    __: u32,
    /// Space of the address: 0 local memory, 1 system memory, 2 aperture.
    #[bits(2)]
    space: u32,
    /// Address in units of 4 KiB.
    #[bits(40)]
    frame: u64,
    #[bits(12)]
    __: u32,
}

impl PageTableEntry {
    /// Faults on every access.
    pub const INVALID: Self = Self::new();

    /// A valid entry for `target`; `None` if it is not page aligned or above 2^52.
    pub const fn to_target(target: PhysicalTarget) -> Option<Self> {
        let raw = target.raw();
        let frame = raw / PAGE_SIZE;
        if !raw.is_multiple_of(PAGE_SIZE) || frame >> 40 != 0 {
            return None;
        }
        let space = match target {
            PhysicalTarget::Vram(_) => 0,
            PhysicalTarget::System(_) => 1,
            PhysicalTarget::Aperture(_) => 2,
        };
        Some(
            Self::new()
                .with_valid(true)
                .with_space(space)
                .with_frame(frame),
        )
    }

    /// Where a valid entry points; `None` if invalid or of a space that does not exist.
    pub const fn target(self) -> Option<PhysicalTarget> {
        if !self.valid() {
            return None;
        }
        let base = self.frame() * PAGE_SIZE;
        Some(match self.space() {
            0 => PhysicalTarget::Vram(VramOffset(base)),
            1 => PhysicalTarget::System(BusAddress(base)),
            2 => PhysicalTarget::Aperture(ApertureOffset(base)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_cover_the_address() {
        let va = GpuVa(0x0000_FFFF_FFFF_F000);
        for level in 0..LEVELS {
            assert_eq!(table_index(va, level), Some(511));
            assert_eq!(table_index(GpuVa(0xFFF), level), Some(0));
        }
        assert_eq!(table_index(GpuVa(1 << 48), 0), None);
        assert_eq!(table_index(GpuVa(0), LEVELS), None);
        assert_eq!(table_index(GpuVa(0x1000), 0), Some(1));
        assert_eq!(table_index(GpuVa(1 << 21), 1), Some(1));
        assert_eq!(entry_span(0), 4096);
        assert_eq!(entry_span(3), 1 << 39);
    }

    #[test]
    fn entries_round_trip_and_refuse_what_does_not_fit() {
        for target in [
            PhysicalTarget::Vram(VramOffset(0)),
            PhysicalTarget::System(BusAddress((1 << 52) - 4096)),
            PhysicalTarget::Aperture(ApertureOffset(4096)),
        ] {
            assert_eq!(
                PageTableEntry::to_target(target).unwrap().target(),
                Some(target)
            );
        }
        assert!(PageTableEntry::to_target(PhysicalTarget::System(BusAddress(1 << 52))).is_none());
        assert!(PageTableEntry::to_target(PhysicalTarget::System(BusAddress(1))).is_none());
        assert_eq!(PageTableEntry::INVALID.target(), None);
    }
}
