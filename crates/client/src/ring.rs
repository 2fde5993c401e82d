//! The client's end of a ring (`docs/hardware.md` section 7.1).

use carillon_hw::ring::{
    CONTROL_BYTES, ENTRY_BYTES, READ_POINTER_OFFSET, RingEntry, RingSize, WRITE_POINTER_OFFSET,
};

use crate::memory::{Mapping, ReadWord, SharedWord};

const _: () = assert!(size_of::<RingEntry>() as u64 == ENTRY_BYTES);

/// The read pointer that the device reported cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read pointer {read:#x} does not fit write pointer {write:#x}")]
pub struct BadReadPointer {
    /// What the control block holds.
    pub read: u64,
    /// The write pointer as this side counts it.
    pub write: u64,
}

/// Appends entries to a ring.
///
/// The write pointer is counted here; what others may write over it in memory is never read back.
#[derive(Debug)]
pub(crate) struct RingWriter {
    entries: Mapping,
    write_pointer: SharedWord,
    read_pointer: ReadWord,
    size: RingSize,
    write: u64,
    /// The read pointer when it was last looked at.
    read: u64,
    /// Slots known to be free. An underestimate: the device only frees more.
    credits: u64,
}

impl RingWriter {
    /// The writer of an empty ring; it starts at the write pointer that the control block holds
    /// (zero in new memory). `None` if the memory is too short.
    ///
    /// No slot counts as free until [`Self::refill`] has looked.
    pub(crate) fn new(entries: Mapping, control: &Mapping, size: RingSize) -> Option<Self> {
        if (entries.bytes() as u64) < size.bytes() || (control.bytes() as u64) < CONTROL_BYTES {
            return None;
        }
        let write_pointer = control.word(usize::try_from(WRITE_POINTER_OFFSET).ok()?)?;
        let read_pointer = control.word(usize::try_from(READ_POINTER_OFFSET).ok()?)?;
        let write = write_pointer.load_acquire();
        Some(Self {
            entries,
            write_pointer,
            read_pointer: read_pointer.read_only(),
            size,
            write,
            read: write,
            credits: 0,
        })
    }

    /// Entries written since the ring was created, modulo 2^64.
    #[inline]
    pub(crate) const fn write(&self) -> u64 {
        self.write
    }

    /// Number of entries that the ring holds.
    pub(crate) const fn entries(&self) -> u64 {
        self.size.entries()
    }

    /// Whether a slot is known to be free.
    #[inline]
    pub(crate) const fn has_credit(&self) -> bool {
        self.credits != 0
    }

    /// Forgets what is known to be free, so that the next submission takes the slow path.
    pub(crate) const fn drop_credits(&mut self) {
        self.credits = 0;
    }

    /// Looks at the read pointer, once; returns how many slots are free now.
    ///
    /// The acquire load pairs with the device's report: it has finished with the slots, and with
    /// the command buffers they name, before it reports.
    ///
    /// # Errors
    /// The read pointer is not between where it was and the write pointer.
    pub(crate) fn refill(&mut self) -> Result<u64, BadReadPointer> {
        let read = self.read_pointer.load_acquire();
        let write = self.write;
        let bad = BadReadPointer { read, write };
        let free = self.size.free(read, write).ok_or(bad)?;
        let before = self.size.free(self.read, write).ok_or(bad)?;
        if free < before {
            return Err(bad);
        }
        self.read = read;
        self.credits = free;
        Ok(free)
    }

    /// Whether the device has reported everything that was written as read.
    pub(crate) fn is_read(&self) -> bool {
        self.read_pointer.load_acquire() == self.write
    }

    /// Writes `entry` into the next slot. Call only with a credit.
    #[inline]
    pub(crate) fn write_entry(&mut self, entry: RingEntry) {
        debug_assert!(self.credits != 0);
        #[expect(clippy::cast_possible_truncation, reason = "a ring has at most 2 MiB")]
        let offset = self.size.slot_offset(self.write) as usize;
        // A slot is always inside: `new` checked the length of the mapping against the size.
        let stored = self
            .entries
            .store_words(offset, zerocopy::transmute!(entry));
        debug_assert!(stored.is_some());
        self.write = self.write.wrapping_add(1);
        self.credits -= 1;
    }

    /// Publishes all written entries. Release: whoever acquires the write pointer sees the entry,
    /// its command buffer and everything else that was stored before.
    #[inline]
    pub(crate) fn publish(&self) {
        self.write_pointer.store_release(self.write);
    }
}
