//! Counters, and the log of fetch times that a benchmark reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the device counted since it was made. Resets do not clear it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Rings taken from bound pages.
    pub rings: u64,
    /// Rings found on a page that was not bound, when it became bound or was reset.
    pub rings_dropped: u64,
    /// Reads of a write pointer.
    pub looks: u64,
    /// Looks that found a write pointer the device had not seen.
    pub useful_looks: u64,
    /// Ring entries fetched.
    pub entries_fetched: u64,
    /// Ring entries finished.
    pub entries_finished: u64,
    /// Packets executed to their end.
    pub packets: u64,
    /// Bytes that fill and copy packets wrote.
    pub bytes_copied: u64,
    /// Events written.
    pub events: u64,
    /// Events dropped because the ring was full.
    pub events_dropped: u64,
    /// Interrupt messages sent.
    pub interrupts: u64,
    /// Queues that faulted.
    pub queue_faults: u64,
}

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// The counters as the device threads bump them.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> Stats {
                Stats { $($name: self.$name.0.load(Ordering::Relaxed),)* }
            }
        }
    };
}

/// A statistic; relaxed, since it orders nothing.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// To be called with the device's lock held. So there is one writer at a time, and no locked
    /// instruction stands in the way from a ring to its fetch.
    pub(crate) fn add(&self, count: u64) {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count), Ordering::Relaxed);
    }
}

counters!(
    rings,
    rings_dropped,
    looks,
    useful_looks,
    entries_fetched,
    entries_finished,
    packets,
    bytes_copied,
    events,
    events_dropped,
    interrupts,
    queue_faults,
);
