//! Device power.
//!
//! Out of D0 the device may forget everything. The driver keeps what it needs to put the device to
//! work again: where each queue had got to, and the roots of the page tables. Bindings of doorbell
//! pages are not kept: clients connect again. What the OS moved meanwhile is found through
//! virtual addresses.
//!
//! The OS has suspended every context before, so the positions are final. A queue that was taken
//! off in the middle of a command buffer runs that buffer again from its start: the device does not
//! tell how far it got inside, and what is repeated writes what it wrote before. The driver cannot
//! let such a buffer end now: the OS may have evicted what it names. What the OS has left on the
//! run list, packets above all, gets some time to end by itself.

use carillon_hw::queue::{QueueActivity, QueueId, QueueState};
use carillon_hw::regs::{QueueOperation, offset};

use super::gate::Access;
use super::start::{ApertureTable, quieten};
use super::{Adapter, NODES};
use crate::irql::Passive;
use crate::objects::{QueueOwner, queue_id, queue_owner};
use crate::platform::Platform;

/// Pauses that queues may take to run dry, all together.
const DRAIN_PAUSES: u32 = 100;
/// Pauses that queues may take to leave the run list, all together. Each is about a millisecond.
const SETTLE_PAUSES: u32 = 500;

impl<P: Platform> Adapter<P> {
    /// The device is about to lose power. Doorbells are disconnected and their pages free; from here
    /// on nothing touches the hardware. Never fails; an adapter that sleeps already stays so.
    pub fn sleep(&self, passive: Passive<'_>) {
        if self.gate.access() != Access::Open {
            return;
        }
        self.doorbells.disconnect_all(passive);
        self.settle(passive);
        self.for_each_id(|queue| self.keep_position(queue));
        if !self.gate.change(Access::Open, Access::Asleep) {
            return;
        }
        self.gate.wait_empty(passive, &self.platform);
        // A device that does not answer is asked again when it has power.
        let _ = quieten(&self.platform, passive);
    }

    /// The device has power again: set up as at start, every queue where it was, suspended contexts
    /// suspended. A device that does not come up counts as lost.
    pub fn wake(&self, passive: Passive<'_>) {
        if self.gate.access() != Access::Asleep {
            return;
        }
        // The aperture table stays: if local memory kept its contents so did the OS's mappings,
        // and if not the OS maps again what it uses.
        let up = quieten(&self.platform, passive)
            .and_then(|()| self.bring_up(passive, Access::Asleep, ApertureTable::Keep));
        if up.is_err() {
            self.gate.lose();
            self.doorbells.close(passive);
        }
    }

    /// Takes what still runs off the run list: when it has run dry, so that nothing is repeated, or
    /// else at its next packet boundary.
    fn settle(&self, passive: Passive<'_>) {
        let runs = |queue| self.queue_state(queue) == QueueState::RUNNABLE;
        let mut pauses = 0;
        self.for_each_id(|queue| {
            let busy = || runs(queue) && self.queue_activity(queue) == QueueActivity::BUSY;
            while pauses < DRAIN_PAUSES && busy() {
                pauses += 1;
                self.platform.pause(passive);
            }
        });
        self.for_each_id(|queue| {
            if runs(queue) {
                self.command(QueueOperation::Suspend, queue);
            }
        });
        let mut pauses = 0;
        self.for_each_id(|queue| {
            let _ = self.platform.read32(offset::STATUS);
            while runs(queue) && pauses < SETTLE_PAUSES {
                pauses += 1;
                self.platform.pause(passive);
            }
        });
    }

    /// Notes where the device has got to in a queue, or that the queue is dead.
    fn keep_position(&self, id: QueueId) {
        match queue_owner(id) {
            QueueOwner::Node(node) => {
                if let Some(node) = self.nodes.get(node as usize) {
                    let start = node.lock().start;
                    node.lock().start = self.unfinished(id, start);
                }
            }
            QueueOwner::Table(index) => self.keep_queue_position(index, id),
        }
    }

    /// Visits every queue that the device knows, with no lock held during the visit.
    fn for_each_id(&self, mut visit: impl FnMut(QueueId)) {
        for node in 0..NODES {
            visit(QueueId(node));
        }
        let capacity = self.tables.lock().queues.capacity();
        for index in 0..capacity {
            let id = {
                let tables = self.tables.lock();
                let queue = tables.queues.by_index(index);
                queue.map(|(handle, _)| queue_id(handle))
            };
            if let Some(id) = id {
                visit(id);
            }
        }
    }
}
