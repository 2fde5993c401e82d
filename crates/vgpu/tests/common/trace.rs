//! Entries that tell when they ran.

use carillon_hw::addr::GpuVa;
use carillon_hw::packet::Packet;
use carillon_hw::queue::ContextId;

use super::{Client, Rig, wait_for};

const CONTEXT: ContextId = ContextId(0);

/// Where entries leave the time at which they ran, and a fence that holds the first one.
pub struct Trace<'a> {
    rig: &'a Rig,
    base: u64,
    fence: u64,
    pub next: std::cell::Cell<u64>,
}

impl<'a> Trace<'a> {
    pub fn new(rig: &'a Rig) -> Self {
        Self {
            rig,
            base: rig.buffer(CONTEXT, 8),
            fence: rig.buffer(CONTEXT, 1),
            next: std::cell::Cell::new(0),
        }
    }

    /// Puts an entry that leaves a mark.
    pub fn put(&self, client: &Client<'_>) {
        client.put(&[self.mark()]);
    }

    pub fn mark(&self) -> Packet {
        let index = self.next.get();
        self.next.set(index + 1);
        Packet::Timestamp {
            destination: GpuVa(self.base + index * 8),
        }
    }

    pub fn wait(&self, value: u64) -> Packet {
        Packet::FenceWait {
            current: GpuVa(self.fence),
            value,
            handle: 0,
        }
    }

    pub fn signal(&self, value: u64) {
        let vram = self.rig.gpu.vram_memory();
        vram.store_u64(self.fence, value).unwrap();
    }

    pub fn time(&self, index: u64) -> u64 {
        let vram = self.rig.gpu.vram_memory();
        vram.load_u64(self.base + index * 8).unwrap()
    }

    /// Everything that was put has run, in its order.
    #[track_caller]
    pub fn assert_in_order(&self) {
        let times: Vec<u64> = (0..self.next.get()).map(|index| self.time(index)).collect();
        assert!(times.iter().all(|time| *time > 0), "{times:?}");
        assert!(times.is_sorted(), "{times:?}");
    }
}

pub fn fetched(rig: &Rig) -> u64 {
    rig.gpu.stats().entries_fetched
}

/// A queue in which an entry waits for the fence.
pub fn held<'a>(rig: &'a Rig, trace: &Trace<'_>) -> Client<'a> {
    let client = rig.active_queue(0, 0);
    let before = fetched(rig);
    client.submit(&[trace.wait(1), trace.mark()]);
    wait_for("the fetch", || fetched(rig) == before + 1);
    client
}
