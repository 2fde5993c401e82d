//! A log of fetch times, for benchmarks.

use std::sync::atomic::{AtomicU64, Ordering, fence};

use carillon_hw::queue::QueueId;

/// One fetched ring entry. Times are of the device clock ([`crate::Gpu::now`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchRecord {
    /// The queue.
    pub queue: QueueId,
    /// The read pointer that named the entry.
    pub entry: u64,
    /// Nanoseconds; when the ring that led to the fetch was seen, `None` if it was no ring.
    pub ring_seen: Option<u64>,
    /// Nanoseconds; when the entry had been copied out of memory.
    pub fetched: u64,
}

/// `rung` of a record without a ring.
const NO_RING: u64 = u64::MAX;

#[derive(Debug, Default)]
struct RecordSlot {
    /// 0 while being written, else one more than the index of the record.
    version: AtomicU64,
    queue: AtomicU64,
    entry: AtomicU64,
    rung: AtomicU64,
    fetched: AtomicU64,
}

/// A ring of [`FetchRecord`]s. The device overwrites the oldest; readers never hold it up.
#[derive(Debug)]
pub struct FetchLog {
    has_rings: bool,
    slots: Vec<RecordSlot>,
    written: AtomicU64,
}

impl FetchLog {
    /// `has_rings` says whether the clock is read when a ring is seen.
    pub(crate) fn new(capacity: usize, has_rings: bool) -> Self {
        Self {
            has_rings,
            slots: (0..capacity.max(1))
                .map(|_| RecordSlot::default())
                .collect(),
            written: AtomicU64::new(0),
        }
    }

    pub(crate) fn has_rings(&self) -> bool {
        self.has_rings
    }

    fn slot(&self, index: u64) -> &RecordSlot {
        let slot = usize::try_from(index % self.slots.len() as u64).unwrap_or(0);
        &self.slots[slot]
    }

    /// Appends; called with the device's lock held, so there is one writer.
    pub(crate) fn push(&self, record: FetchRecord) {
        let index = self.written.load(Ordering::Relaxed);
        let slot = self.slot(index);
        slot.version.store(0, Ordering::Relaxed);
        // Whoever reads a field of this record reads the version no older than 0 afterwards.
        fence(Ordering::Release);
        slot.queue
            .store(u64::from(record.queue.0), Ordering::Relaxed);
        slot.entry.store(record.entry, Ordering::Relaxed);
        slot.rung
            .store(record.ring_seen.unwrap_or(NO_RING), Ordering::Relaxed);
        slot.fetched.store(record.fetched, Ordering::Relaxed);
        slot.version.store(index + 1, Ordering::Release);
        self.written.store(index + 1, Ordering::Release);
    }

    /// Records written so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// The record with this index, unless it is still to come or was overwritten.
    pub fn get(&self, index: u64) -> Option<FetchRecord> {
        let slot = self.slot(index);
        if slot.version.load(Ordering::Acquire) != index + 1 {
            return None;
        }
        let rung = slot.rung.load(Ordering::Relaxed);
        let record = FetchRecord {
            queue: QueueId(u32::try_from(slot.queue.load(Ordering::Relaxed)).ok()?),
            entry: slot.entry.load(Ordering::Relaxed),
            ring_seen: (rung != NO_RING).then_some(rung),
            fetched: slot.fetched.load(Ordering::Relaxed),
        };
        fence(Ordering::Acquire);
        (slot.version.load(Ordering::Relaxed) == index + 1).then_some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_records_give_way() {
        let log = FetchLog::new(2, true);
        let record = |entry| FetchRecord {
            queue: QueueId(1),
            entry,
            ring_seen: None,
            fetched: 9,
        };
        assert_eq!(log.get(0), None);
        for entry in 0..3 {
            log.push(record(entry));
        }
        assert_eq!(log.written(), 3);
        assert_eq!(log.get(0), None);
        assert_eq!(log.get(1), Some(record(1)));
        assert_eq!(log.get(2), Some(record(2)));
        assert_eq!(log.get(3), None);
    }
}
