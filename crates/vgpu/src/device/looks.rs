//! Doorbells and looks (`docs/hardware.md` sections 1 and 5).

use carillon_hw::doorbell::GlobalDoorbellValue;
use carillon_hw::queue::{QueueActivity, QueueId};
use carillon_hw::regs::{DoorbellControl, DoorbellModel, DoorbellPage};

use super::{DelayedRing, Device, WATCH_ALL_NANOSECONDS, WATCHED_PER_SWITCH, leave_run_list};
use crate::doorbell::Bell;
use crate::fabric::Place;
use crate::fault::RingAction;
use crate::mmu::Memory;
use crate::queue::{Sight, Slot};
use crate::ring;

impl Device {
    /// Binds a page: one step for everybody who rings meanwhile.
    pub(crate) fn bind(&mut self, page: DoorbellPage, control: DoorbellControl) {
        self.doorbells.bind(&self.fabric, page, control);
        self.bindings += 1;
        self.delayed.retain(|delayed| delayed.page != page);
        match self.parameters.model {
            DoorbellModel::Dedicated => {
                if let Some(owner) = control.owner() {
                    self.watched.remove(&owner);
                    self.look(owner, None);
                }
            }
            DoorbellModel::Global if control.bound() => {
                let by_page = &self.by_page;
                self.watched
                    .retain(|queue| !by_page.contains(&(page.index(), *queue)));
                self.look_at_page(page, None, None);
            }
            DoorbellModel::Global => {}
        }
    }

    /// Takes the ring of a watched quadword, if there is one, and looks.
    ///
    /// The entry that a page's owner has been waiting for is fetched before the page is taken: the
    /// exchange waits for the client's cache line, and nobody waits for the exchange. The look that
    /// counts comes behind the exchange.
    pub(crate) fn take_ring(&mut self, bell: Bell) -> bool {
        let page = bell.page;
        if self.parameters.model == DoorbellModel::Dedicated
            && let Some(owner) = self.doorbells.control(page).owner()
        {
            self.fetch_early(owner);
        }
        let Some(value) = self.doorbells.take(&self.fabric, bell) else {
            return false;
        };
        let rung = self.clock();
        match self.faults.ring(page.index()) {
            None => self.ring_looks(page, value, rung),
            Some(RingAction::Drop) => {}
            Some(RingAction::Overtake) => {
                self.overtake(page);
                self.ring_looks(page, value, rung);
            }
            Some(RingAction::Delay { rounds }) => {
                self.delayed.push(DelayedRing {
                    rounds,
                    page,
                    value,
                });
            }
        }
        true
    }

    /// Has the looks of a page's next ring see nothing that no barrier made visible.
    fn overtake(&mut self, page: DoorbellPage) {
        // A disabled device does not look, and everything is there when it is enabled.
        if !self.is_enabled() {
            return;
        }
        let owner = self.doorbells.control(page).owner();
        let model = self.parameters.model;
        for (id, slot) in &mut self.queues {
            let Slot::Live(queue) = slot else { continue };
            let is_served = match model {
                DoorbellModel::Dedicated => owner == Some(*id),
                DoorbellModel::Global => queue.setup.doorbell_page == page.index(),
            };
            if is_served {
                queue.sight = Sight::Overtaken;
            }
        }
    }

    /// See [`crate::Gpu::client_barrier`].
    pub(crate) fn client_barrier(&mut self) {
        for slot in self.queues.values_mut() {
            let Slot::Live(queue) = slot else { continue };
            // What is suspended or cannot be read is left to its next look.
            if queue.suspended {
                continue;
            }
            let mut memory = Memory {
                fabric: &self.fabric,
                mmu: &mut self.mmu,
            };
            queue.behind_barrier = ring::write_pointer(&mut memory, queue).ok();
        }
    }

    /// Fetches the next entry of a queue that has nothing else to do, on an engine that has nothing
    /// else to do. Whatever is unusual is left to the look that follows.
    fn fetch_early(&mut self, id: QueueId) {
        if !self.is_enabled() || self.faults.are_armed() {
            return;
        }
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        let engine = &self.engines[queue.setup.engine];
        let ready = !engine.is_busy() && !engine.stopped && engine.clock_runs();
        if !ready || !queue.waits_for_work() {
            return;
        }
        let log = self.fetch_log.as_ref();
        let ring_seen = log
            .filter(|log| log.has_rings())
            .map(|_| self.fabric.clock());
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        let Ok(write) = ring::write_pointer(&mut memory, queue) else {
            return;
        };
        if !ring::pending(queue, write).is_ok_and(|pending| pending > 0) {
            return;
        }
        let Ok(fetched) = ring::fetch(&mut memory, queue, log.is_some()) else {
            return;
        };
        queue.fetched_early = true;
        self.begin_execution(id, fetched, ring_seen);
    }

    /// Where the write pointer and the next entry of a page's owner are, if both are known.
    pub(crate) fn first_reads(&self, page: DoorbellPage) -> Option<[Place; 2]> {
        let owner = self.doorbells.control(page).owner()?;
        match self.queues.get(&owner)? {
            Slot::Live(queue) => ring::first_reads(&self.mmu, queue),
            Slot::Faulted => None,
        }
    }

    /// Lets delayed rings come one round nearer.
    pub(crate) fn delayed_rings(&mut self) {
        if self.delayed.is_empty() {
            return;
        }
        let now = self.clock();
        for mut ring in std::mem::take(&mut self.delayed) {
            if ring.rounds == 0 {
                self.ring_looks(ring.page, ring.value, now);
            } else {
                ring.rounds -= 1;
                self.delayed.push(ring);
            }
        }
    }

    fn ring_looks(&mut self, page: DoorbellPage, value: u64, rung: u64) {
        match self.parameters.model {
            DoorbellModel::Dedicated => {
                if let Some(owner) = self.doorbells.control(page).owner() {
                    self.look(owner, Some(rung));
                }
            }
            DoorbellModel::Global => {
                let named = QueueId(GlobalDoorbellValue::from_bits(value).queue());
                self.look_at_page(page, Some(named), Some(rung));
            }
        }
    }

    /// Looks at `first` if it belongs to the page, then at every other live queue of the page.
    fn look_at_page(&mut self, page: DoorbellPage, first: Option<QueueId>, rung: Option<u64>) {
        let index = page.index();
        let first = first.filter(|queue| self.by_page.contains(&(index, *queue)));
        if let Some(queue) = first {
            self.look(queue, rung);
        }
        let others: Vec<QueueId> = self
            .by_page
            .range((index, QueueId(0))..=(index, QueueId(u32::MAX)))
            .map(|(_, queue)| *queue)
            .filter(|queue| Some(*queue) != first)
            .collect();
        for queue in others {
            self.look(queue, rung);
        }
    }

    /// Whether some queue is watched.
    pub(crate) fn is_watching(&self) -> bool {
        !self.watched.is_empty()
    }

    pub(super) fn watch(&mut self, id: QueueId) {
        if let Some(Slot::Live(_)) = self.queues.get(&id) {
            self.watched.insert(id);
            self.look(id, None);
        }
    }

    /// Looks at some watched queues, in turn; at all of them if the last time is too long ago.
    pub(crate) fn look_at_watched(&mut self) {
        if self.watched.is_empty() {
            return;
        }
        let now = self.clock();
        let count = if now.saturating_sub(self.watched_all) >= WATCH_ALL_NANOSECONDS {
            self.watched_all = now;
            self.watched.len()
        } else {
            WATCHED_PER_SWITCH.min(self.watched.len())
        };
        for _ in 0..count {
            let next = self.watched.range(self.next_watched..).next();
            let Some(&id) = next.or_else(|| self.watched.first()) else {
                return;
            };
            self.next_watched = QueueId(id.0.wrapping_add(1));
            self.look(id, None);
        }
    }

    /// Reads the write pointer once; makes the queue pending if there is work.
    pub(crate) fn look(&mut self, id: QueueId, rung: Option<u64>) {
        if !self.is_enabled() {
            return;
        }
        let descriptors = self.descriptors();
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        let sight = std::mem::take(&mut queue.sight);
        // A hung queue faults at the engine reset, whatever its write pointer says.
        if queue.suspended || queue.hung {
            return;
        }
        self.fabric.counters.looks.add(1);
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        let visible = queue.behind_barrier.take();
        let read = match sight {
            Sight::Memory => ring::write_pointer(&mut memory, queue),
            Sight::Overtaken => Ok(visible.unwrap_or(queue.seen)),
        };
        let found = read.and_then(|write| Ok((write, ring::pending(queue, write)?)));
        let (write, pending) = match found {
            Ok(found) => found,
            Err(stop) => return self.fault(id, stop),
        };
        let half = descriptors.device_half(&self.fabric, id);
        half.last_look(self.fabric.clock());
        if write != queue.seen {
            queue.seen = write;
            queue.useful_looks = queue.useful_looks.wrapping_add(1);
            // A ring whose entry was fetched early has led to its fetch already.
            let early = std::mem::take(&mut queue.fetched_early);
            queue.rung = rung.filter(|_| !early);
            self.fabric.counters.useful_looks.add(1);
            half.seen_write_pointer(write);
            half.useful_looks(queue.useful_looks);
        }
        if pending > 0 {
            half.activity(QueueActivity::BUSY);
            let engine = &mut self.engines[queue.setup.engine];
            if queue.ticket.is_none() && !engine.stopped {
                queue.ticket = Some(engine.enter(id, queue.setup.band));
            }
        } else if queue.execution.is_none() {
            half.activity(QueueActivity::IDLE);
            leave_run_list(&mut self.engines, queue);
            if queue.next_ring.is_some() {
                self.go_over(id, rung);
            }
        }
    }
}
