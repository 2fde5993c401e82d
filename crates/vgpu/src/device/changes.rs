//! Going over to another ring (`docs/hardware.md` section 6.5).

use carillon_hw::queue::{QueueActivity, QueueFault, QueueId};

use super::{Device, leave_run_list};
use crate::mmu::Memory;
use crate::queue::{Kept, NextRing, Setup, Slot};
use crate::ring::{self, Stop};

impl Device {
    /// Keeps the ring that the descriptor names now aside, until everything in the present one has
    /// been taken.
    pub(super) fn change_ring(&mut self, id: QueueId) {
        let half = self.descriptors().driver_half(&self.fabric, id);
        let parsed = Setup::parse(&half, self.limits());
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        match parsed {
            Err(value) => self.fault(id, Stop::new(QueueFault::DESCRIPTOR, value)),
            Ok(setup) => {
                queue.next_ring = Some(NextRing {
                    ring: setup.ring_base(),
                    start: half.start,
                });
                self.look(id, None);
            }
        }
    }

    /// Finishes a change at once. Every command meets its queue at a packet boundary, but for a
    /// packet that hangs: that one keeps its engine until the reset, which faults the queue.
    pub(super) fn take_ring_over(&mut self, id: QueueId) {
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        if queue.hung || queue.next_ring.is_none() {
            return;
        }
        queue.execution = None;
        leave_run_list(&mut self.engines, queue);
        self.go_over(id, None);
    }

    /// Goes over to the ring kept aside. Nothing of the present one runs.
    pub(super) fn go_over(&mut self, id: QueueId, rung: Option<u64>) {
        let descriptors = self.descriptors();
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        let Some(NextRing { ring, start }) = queue.next_ring.take() else {
            return;
        };
        queue.setup = queue.setup.with_ring(ring);
        queue.kept = Kept::default();
        (queue.read, queue.seen) = (start, start);
        queue.fetched_early = false;
        queue.rung = None;
        queue.behind_barrier = None;
        let half = descriptors.device_half(&self.fabric, id);
        half.activity(QueueActivity::IDLE);
        half.read_pointer(start);
        half.seen_write_pointer(start);
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        if let Err(stop) = ring::report_read_pointer(&mut memory, &queue.setup, start) {
            return self.fault(id, stop);
        }
        queue.ring_changes = queue.ring_changes.wrapping_add(1);
        half.finished_before(queue.finished);
        half.ring_changes(queue.ring_changes);
        self.look(id, rung);
    }
}
