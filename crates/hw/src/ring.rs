//! Ring buffers (`docs/hardware.md` section 7).
//!
//! Both pointers count entries since the ring was created, modulo 2^64; the slot is the pointer
//! modulo the number of entries. Equal pointers mean empty, a distance of one ring means full.

use bitfield_struct::bitfield;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::addr::{BusAddress, GpuVa};
use crate::queue::ContextId;

/// Bytes in a ring entry.
pub const ENTRY_BYTES: u64 = 32;
/// Fewest entries: one 4 KiB page.
pub const MIN_ENTRIES_LOG2: u32 = 7;
/// Most entries: 2 MiB.
pub const MAX_ENTRIES_LOG2: u32 = 16;
/// Bytes (and alignment) of a ring control block.
pub const CONTROL_BYTES: u64 = 128;
/// Offset in the control block of the write pointer, a u64 that the client stores with release.
pub const WRITE_POINTER_OFFSET: u64 = 0;
/// Offset in the control block of the read pointer, a u64 that the device reports.
pub const READ_POINTER_OFFSET: u64 = 64;
/// Most doublewords in one indirect buffer.
pub const MAX_BUFFER_DWORDS: u32 = 1 << 20;

/// The size of a ring, known to be a power of two within the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingSize(u8);

impl RingSize {
    /// The ring with two to the power of `log2` entries.
    pub const fn from_log2(log2: u32) -> Option<Self> {
        if log2 >= MIN_ENTRIES_LOG2 && log2 <= MAX_ENTRIES_LOG2 {
            #[allow(clippy::cast_possible_truncation, reason = "at most MAX_ENTRIES_LOG2")]
            Some(Self(log2 as u8))
        } else {
            None
        }
    }

    /// The ring that fills `bytes` exactly; `None` unless a power of two within the limits.
    pub const fn from_bytes(bytes: u64) -> Option<Self> {
        if !bytes.is_power_of_two() || bytes < ENTRY_BYTES {
            return None;
        }
        Self::from_log2((bytes / ENTRY_BYTES).trailing_zeros())
    }

    /// Logarithm of the number of entries.
    pub const fn log2(self) -> u32 {
        self.0 as u32
    }

    /// Number of entries.
    #[inline]
    pub const fn entries(self) -> u64 {
        1 << self.0
    }

    /// Bytes of memory that the ring takes.
    pub const fn bytes(self) -> u64 {
        self.entries() * ENTRY_BYTES
    }

    /// Byte offset of the entry that `pointer` names.
    #[inline]
    pub const fn slot_offset(self, pointer: u64) -> u64 {
        (pointer % self.entries()) * ENTRY_BYTES
    }

    /// Entries between a read and a write pointer; `None` if the writer ran backwards or more
    /// than one ring ahead.
    pub const fn pending(self, read: u64, write: u64) -> Option<u64> {
        let distance = write.wrapping_sub(read);
        if distance <= self.entries() {
            Some(distance)
        } else {
            None
        }
    }

    /// Entries that still fit; `None` under the same condition as [`Self::pending`].
    pub const fn free(self, read: u64, write: u64) -> Option<u64> {
        match self.pending(read, write) {
            Some(used) => Some(self.entries() - used),
            None => None,
        }
    }
}

/// Length and rights of a ring entry.
#[bitfield(u64)]
#[derive(PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct EntryMeta {
    /// Doublewords in the indirect buffer, 1 to [`MAX_BUFFER_DWORDS`].
    #[bits(21)]
    pub dwords: u32,
    /// Kernel rings only: the buffer may hold privileged packets.
    pub privileged: bool,
    /// Kernel rings only: translate with `context` instead of the queue's own context.
    pub overrides_context: bool,
    /// Kernel rings only: the buffer is named by bus address.
    pub bus_addressed: bool,
    /// Kernel rings only: report a `BufferCompleted` event when done.
    pub reports: bool,
    #[bits(7)]
    __: u32,
    /// The context of `overrides_context`.
    pub context: u32,
}

/// One entry of a ring: run this buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RingEntry {
    /// Indirect buffer, 4-byte aligned.
    pub buffer: u64,
    /// [`EntryMeta`].
    pub meta: EntryMeta,
    /// Kernel rings only: the value of the `BufferCompleted` event. Else zero.
    pub cookie: u64,
    /// Zero.
    pub reserved: u64,
}

const _: () = assert!(size_of::<RingEntry>() as u64 == ENTRY_BYTES);

impl RingEntry {
    /// An entry of a user ring; `None` if the length is zero or too large.
    #[inline]
    pub const fn user(buffer: GpuVa, dwords: u32) -> Option<Self> {
        if dwords == 0 || dwords > MAX_BUFFER_DWORDS || !buffer.is_aligned(4) {
            return None;
        }
        Some(Self {
            buffer: buffer.0,
            meta: EntryMeta::new().with_dwords(dwords),
            cookie: 0,
            reserved: 0,
        })
    }

    /// An entry of a kernel ring that runs a virtually addressed buffer in `context`, without
    /// rights, and reports `cookie`.
    pub const fn kernel(
        buffer: GpuVa,
        dwords: u32,
        context: ContextId,
        cookie: u64,
    ) -> Option<Self> {
        match Self::user(buffer, dwords) {
            Some(entry) => Some(Self {
                meta: entry
                    .meta
                    .with_overrides_context(true)
                    .with_context(context.0)
                    .with_reports(true),
                cookie,
                ..entry
            }),
            None => None,
        }
    }

    /// The same entry with the right to privileged packets.
    #[must_use]
    pub const fn privileged(self) -> Self {
        Self {
            meta: self.meta.with_privileged(true),
            ..self
        }
    }

    /// An entry that runs a buffer at a bus address with all rights, as driver-built work needs.
    pub const fn kernel_bus(buffer: BusAddress, dwords: u32, cookie: u64) -> Option<Self> {
        match Self::user(GpuVa(buffer.0), dwords) {
            Some(entry) => Some(Self {
                meta: entry
                    .meta
                    .with_bus_addressed(true)
                    .with_privileged(true)
                    .with_reports(true),
                cookie,
                ..entry
            }),
            None => None,
        }
    }

    /// Whether a ring that users can write may hold this entry.
    pub const fn is_plain(&self) -> bool {
        self.meta.into_bits() == EntryMeta::new().with_dwords(self.meta.dwords()).into_bits()
            && self.cookie == 0
            && self.reserved == 0
    }

    /// Whether length and alignment are within the limits.
    pub const fn is_well_formed(&self) -> bool {
        let dwords = self.meta.dwords();
        dwords != 0 && dwords <= MAX_BUFFER_DWORDS && GpuVa(self.buffer).is_aligned(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// regression: RING-12
    #[test]
    fn sizes_at_the_limits() {
        assert!(RingSize::from_bytes(0).is_none());
        assert!(RingSize::from_bytes(16).is_none());
        assert!(RingSize::from_bytes(2048).is_none());
        assert_eq!(RingSize::from_bytes(4096).unwrap().entries(), 128);
        assert!(RingSize::from_bytes(4097).is_none());
        assert!(RingSize::from_bytes(12288).is_none());
        assert_eq!(RingSize::from_bytes(2 << 20).unwrap().entries(), 65536);
        assert!(RingSize::from_bytes(4 << 20).is_none());
        assert!(RingSize::from_bytes(1 << 63).is_none());
    }

    /// regression: RING-01, RING-04
    #[test]
    fn pointers_wrap_at_the_ring_and_at_two_to_the_64() {
        let size = RingSize::from_log2(7).unwrap();
        assert_eq!(size.slot_offset(127), 127 * 32);
        assert_eq!(size.slot_offset(128), 0);
        assert_eq!(size.slot_offset(u64::MAX), 127 * 32);
        assert_eq!(size.pending(u64::MAX, 0), Some(1));
        assert_eq!(size.pending(u64::MAX - 63, 64), Some(128));
        assert_eq!(size.pending(u64::MAX - 63, 65), None);
        assert_eq!(size.pending(5, 4), None);
        assert_eq!(size.free(5, 5), Some(128));
        assert_eq!(size.free(0, 128), Some(0));
    }

    #[test]
    fn user_entries_carry_no_rights() {
        let entry = RingEntry::user(GpuVa(0x1000), 1).unwrap();
        assert!(entry.is_plain() && entry.is_well_formed());
        assert!(!entry.privileged().is_plain());
        assert!(!RingEntry { cookie: 1, ..entry }.is_plain());
        assert!(
            !RingEntry {
                reserved: 1,
                ..entry
            }
            .is_plain()
        );
        let kernel = RingEntry::kernel(GpuVa(0x1000), 1, ContextId(3), 9).unwrap();
        assert!(!kernel.is_plain());
        assert_eq!(kernel.meta.context(), 3);
    }

    #[test]
    fn buffer_length_limits() {
        assert!(RingEntry::user(GpuVa(0), 0).is_none());
        assert!(RingEntry::user(GpuVa(0), MAX_BUFFER_DWORDS).is_some());
        assert!(RingEntry::user(GpuVa(0), MAX_BUFFER_DWORDS + 1).is_none());
        assert!(RingEntry::user(GpuVa(2), 1).is_none());
    }
}
