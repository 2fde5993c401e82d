//! Memory-resident descriptors of hardware queues and hardware contexts
//! (`docs/hardware.md` sections 6.1 and 6.2).

use crate::ring::RingSize;
use bitfield_struct::bitfield;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Index of a hardware queue in the queue descriptor table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u32);

impl QueueId {
    /// Byte offset of the descriptor in the table.
    pub const fn table_offset(self) -> u64 {
        self.0 as u64 * QUEUE_DESCRIPTOR_BYTES
    }
}

/// Index of a hardware context in the context descriptor table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(pub u32);

impl ContextId {
    /// Byte offset of the descriptor in the table.
    pub const fn table_offset(self) -> u64 {
        self.0 as u64 * CONTEXT_DESCRIPTOR_BYTES
    }
}

/// Bytes in a queue descriptor.
pub const QUEUE_DESCRIPTOR_BYTES: u64 = 128;
/// Bytes in a context descriptor.
pub const CONTEXT_DESCRIPTOR_BYTES: u64 = 32;

/// Ring geometry, scheduling and rights of a queue: the `shape` word of [`QueueDriverHalf`].
#[bitfield(u32)]
#[derive(PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct QueueShape {
    /// The ring has two to the power of this many entries.
    #[bits(5)]
    pub ring_entries_log2: u32,
    /// Engine that runs the queue.
    #[bits(4)]
    pub engine: u32,
    /// Priority band, 0 idle to 3 realtime (`DXGK_SCHEDULING_PRIORITY_BAND` order).
    #[bits(2)]
    pub band: u32,
    /// Ring and control block are named by bus address, not by GPU virtual address, and ring
    /// entries may carry kernel metadata. Only for rings that no user can write.
    pub kernel: bool,
    #[bits(20)]
    __: u32,
}

impl QueueShape {
    /// The shape of a user-mode queue of `engine`, normal band; `None` for an engine that four
    /// bits cannot name.
    pub const fn of(ring: RingSize, engine: u32) -> Option<Self> {
        let Ok(shape) = Self::new()
            .with_band(NORMAL_BAND)
            .with_ring_entries_log2_checked(ring.log2())
        else {
            return None;
        };
        match shape.with_engine_checked(engine) {
            Ok(shape) => Some(shape),
            Err(()) => None,
        }
    }
}

/// The priority band of a queue until somebody says otherwise.
pub const NORMAL_BAND: u32 = 1;

/// What the driver writes before it activates a queue, first 64 bytes of a descriptor.
///
/// The device reads it at `Activate` and at `Reload` and at no other time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QueueDriverHalf {
    /// Ring buffer: GPU virtual address, or bus address of a kernel ring.
    pub ring: u64,
    /// Ring control block: the same kind of address as `ring`.
    pub control: u64,
    /// Write pointer at which the device starts to fetch.
    pub start: u64,
    /// Where signals are logged (`fence_log`), a GPU virtual address; 0 for nowhere.
    pub signal_log: u64,
    /// Where finished waits are logged, a GPU virtual address; 0 for nowhere.
    pub wait_log: u64,
    /// [`QueueShape`].
    pub shape: QueueShape,
    /// [`ContextId`] whose page tables translate the queue's addresses.
    pub context: u32,
    /// Entries in each fence log.
    pub log_entries: u32,
    /// Zero.
    pub reserved0: u32,
    /// Global doorbell model: the page whose rings may name this queue. Else ignored. In a
    /// quadword of its own: whoever gives pages to processes writes it without the rest.
    pub doorbell_page: u32,
    /// Zero.
    pub reserved1: u32,
}

/// Life of a queue as the device sees it; open, since it is read from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct QueueState(pub u32);

impl QueueState {
    /// Not on any run list; the descriptor may be rewritten.
    pub const INACTIVE: Self = Self(0);
    /// On the run list.
    pub const RUNNABLE: Self = Self(1);
    /// Off the run list; the device holds no reference to the queue's memory.
    pub const SUSPENDED: Self = Self(2);
    /// Stopped by its own mistake; `fault` says which.
    pub const FAULTED: Self = Self(3);
}

/// Why a queue faulted; open, since it is read from memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct QueueFault(pub u32);

impl QueueFault {
    /// No fault.
    pub const NONE: Self = Self(0);
    /// A GPU virtual address had no valid translation, or a write met a read-only page.
    pub const PAGE: Self = Self(1);
    /// The write pointer ran backwards or more than a ring ahead.
    pub const WRITE_POINTER: Self = Self(2);
    /// A ring entry has a bad size, alignment, or metadata that the queue may not use.
    pub const RING_ENTRY: Self = Self(3);
    /// A packet is unknown, malformed, or privileged on a user queue.
    pub const PACKET: Self = Self(4);
    /// The descriptor itself cannot be used.
    pub const DESCRIPTOR: Self = Self(5);
    /// The engine was reset while the queue ran.
    pub const ENGINE_RESET: Self = Self(6);
}

/// Whether a queue has entries that the device has seen and not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct QueueActivity(pub u32);

impl QueueActivity {
    /// Read pointer and last seen write pointer agree.
    pub const IDLE: Self = Self(0);
    /// Work is pending or running.
    pub const BUSY: Self = Self(1);
}

/// What the device writes, last 64 bytes of a descriptor. The driver only reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct QueueDeviceHalf {
    /// Entries taken from the ring since it was created, modulo 2^64.
    pub read_pointer: u64,
    /// Write pointer at the last look, modulo 2^64.
    pub seen_write_pointer: u64,
    /// [`QueueState`].
    pub state: QueueState,
    /// [`QueueFault`].
    pub fault: QueueFault,
    /// Address that faulted, or the offending value.
    pub fault_address: u64,
    /// [`QueueActivity`].
    pub activity: QueueActivity,
    /// Looks at the write pointer that found work, modulo 2^32.
    pub useful_looks: u32,
    /// Entries finished since the queue was activated, modulo 2^64.
    pub finished: u64,
    /// Device clock when the queue was last rung or looked at.
    pub last_look: u64,
    /// Changes of rings since the queue was activated, modulo 2^32: tells which ring `read_pointer`
    /// belongs to. Stored after the read pointer of the new ring.
    pub ring_changes: u32,
    /// `finished` at the last change of rings, modulo 2^32; 0 before the first. Stored before
    /// `ring_changes`.
    pub finished_before: u32,
}

/// Byte offset of [`QueueDeviceHalf`] in a descriptor.
pub const DEVICE_HALF_OFFSET: u64 = 64;

/// A hardware context: an address space (section 6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ContextDescriptor {
    /// Root page table as a [`crate::mmu::PageTableEntry`]; invalid: every address faults.
    pub root: u64,
    /// Entries in the root table; higher indices fault.
    pub root_entries: u32,
    /// Zero.
    pub reserved0: u32,
    /// Zero.
    pub reserved1: [u64; 2],
}

impl QueueDriverHalf {
    /// Offset of the quadword that holds `doorbell_page`: the last of the half.
    pub const PAGE_WORD: u64 = core::mem::offset_of!(Self, doorbell_page) as u64;

    /// The half as the quadwords that are stored to the table, in order.
    pub fn to_words(self) -> [u64; 8] {
        zerocopy::transmute!(self)
    }
}

impl QueueDeviceHalf {
    /// Whether the last entry that was taken has not been finished: `taken` is the read pointer of
    /// a ring that was begun at `start`, `finished` and `before` are the counts of the descriptor.
    pub const fn is_under_way(start: u64, taken: u64, finished: u64, before: u32) -> bool {
        #[allow(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        let (taken, finished) = (taken.wrapping_sub(start) as u32, finished as u32);
        taken.wrapping_sub(finished.wrapping_sub(before)) == 1
    }
}

impl ContextDescriptor {
    /// The descriptor as the quadwords that are stored to the table, in order.
    pub fn to_words(self) -> [u64; 4] {
        zerocopy::transmute!(self)
    }
}

const _: () = assert!(QueueDriverHalf::PAGE_WORD + 8 == DEVICE_HALF_OFFSET);
const _: () = assert!(size_of::<QueueDriverHalf>() as u64 == DEVICE_HALF_OFFSET);
const _: () = assert!(
    size_of::<QueueDriverHalf>() as u64 + size_of::<QueueDeviceHalf>() as u64
        == QUEUE_DESCRIPTOR_BYTES
);
const _: () = assert!(size_of::<ContextDescriptor>() as u64 == CONTEXT_DESCRIPTOR_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_under_way_is_told_by_the_counts_across_changes_and_wraps() {
        let under_way = QueueDeviceHalf::is_under_way;
        assert!(!under_way(0, 0, 0, 0));
        assert!(under_way(0, 1, 0, 0));
        assert!(!under_way(0, 1, 1, 0));
        // The counts began elsewhere: 100 entries of the ring before.
        assert!(under_way(0, 7, 106, 100));
        assert!(!under_way(0, 7, 107, 100));
        assert!(under_way(u64::MAX, 1, (1 << 32) + 5, 4));
        assert!(!under_way(u64::MAX, 1, (1 << 32) + 6, 4));
        assert!(under_way(0, 1 << 32, (1 << 32) - 1, 0));
        assert!(under_way(0, 1, u64::from(u32::MAX), u32::MAX));
    }
}
