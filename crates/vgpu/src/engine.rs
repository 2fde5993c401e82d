//! Running queues on engines (`docs/hardware.md` section 6.3).

use carillon_hw::event::Event;
use carillon_hw::queue::{QueueActivity, QueueId};

use crate::command::{Execution, Signaled, Step};
use crate::device::{Device, leave_run_list};
use crate::fault::FetchAction;
use crate::fence;
use crate::mmu::{AccessFault, Memory};
use crate::queue::{Queue, Slot};
use crate::recorder::FetchRecord;
use crate::ring::{self, Stop};
use crate::scheduler::{EXAMINED_PER_SEARCH, Engine, PACKETS_PER_TURN, Record};

impl Device {
    /// Runs one packet, or a slice of one, on every engine; true if something was done.
    pub(crate) fn run_engines(&mut self) -> bool {
        let mut worked = false;
        for index in 0..self.engines.len() {
            worked |= self.run_engine(index);
        }
        if self.is_enabled() {
            self.settle_engines();
        }
        worked
    }

    fn run_engine(&mut self, index: usize) -> bool {
        if !self.is_enabled() || self.engines[index].stopped {
            return false;
        }
        if self.engines[index].current.is_none() {
            // This goes on while the clock is stopped, and may start it.
            self.look_at_watched();
            if self.engines[index].clock_runs() {
                self.select(index);
            }
        }
        if let Some(record) = self.engines[index].current {
            return self.step_queue(record.queue);
        }
        let engine = &mut self.engines[index];
        if engine.ran && !engine.is_busy() {
            engine.ran = false;
            let engine = u32::try_from(index).unwrap_or(u32::MAX);
            self.post(Event::EngineIdle { engine });
            return true;
        }
        false
    }

    /// The queue of a run list record, unless the record is stale.
    fn holder(&mut self, record: Record) -> Option<&mut Queue> {
        match self.queues.get_mut(&record.queue) {
            Some(Slot::Live(queue)) if queue.ticket == Some(record.ticket) => Some(queue),
            _ => None,
        }
    }

    /// Chooses the queue that runs next: the highest band that has one, in turn.
    fn select(&mut self, index: usize) {
        for band in Engine::bands() {
            let blocked = self.engines[index].blocked(band);
            for _ in 0..blocked.min(EXAMINED_PER_SEARCH) {
                let Some(record) = self.engines[index].take_blocked(band) else {
                    break;
                };
                match self.examine(record) {
                    Some(Ok(true)) => self.engines[index].put_ready(band, record),
                    Some(Ok(false)) => self.engines[index].put_blocked(band, record),
                    Some(Err(fault)) => self.fault(record.queue, fault.into()),
                    None => {}
                }
            }
            while let Some(record) = self.engines[index].take_ready(band) {
                if self.holder(record).is_some() {
                    let engine = &mut self.engines[index];
                    engine.current = Some(record);
                    engine.packets = 0;
                    return;
                }
            }
        }
    }

    /// Whether a blocked queue can go on; `None` for a stale record.
    fn examine(&mut self, record: Record) -> Option<Result<bool, AccessFault>> {
        let wait = self.holder(record)?.execution.as_ref()?.wait();
        let Some((context, current, value)) = wait else {
            return Some(Ok(true));
        };
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        Some(fence::reached(&mut memory, context, current, value))
    }

    /// Runs one packet of the queue that has the engine.
    fn step_queue(&mut self, id: QueueId) -> bool {
        let Some(Slot::Live(queue)) = self.queues.get(&id) else {
            return false;
        };
        if queue.hung {
            return false;
        }
        if queue.execution.is_none() {
            if let Err(stop) = self.fetch(id) {
                self.fault(id, stop);
                return true;
            }
            match self.faults.fetch(id) {
                None => {}
                Some(FetchAction::LoseDevice) => {
                    self.lose();
                    return true;
                }
                Some(FetchAction::Hang) => {
                    if let Some(Slot::Live(queue)) = self.queues.get_mut(&id) {
                        queue.hung = true;
                    }
                    return true;
                }
            }
        }
        match self.step_packet(id) {
            Err(stop) => self.fault(id, stop),
            Ok((step, signaled)) => {
                if let Some(Signaled { value, address }) = signaled {
                    self.post(Event::FenceSignaled {
                        queue: id,
                        value,
                        address,
                    });
                }
                self.account(id, step);
            }
        }
        true
    }

    fn fetch(&mut self, id: QueueId) -> Result<(), Stop> {
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return Ok(());
        };
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        let fetched = ring::fetch(&mut memory, queue, self.fetch_log.is_some())?;
        let ring_seen = queue.rung.take();
        self.begin_execution(id, fetched, ring_seen);
        Ok(())
    }

    /// Takes note of a fetched entry, which is the one at the read pointer.
    pub(crate) fn begin_execution(
        &mut self,
        id: QueueId,
        (execution, fetched): (Execution, Option<u64>),
        ring_seen: Option<u64>,
    ) {
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        queue.execution = Some(Box::new(execution));
        self.fabric.counters.entries_fetched.add(1);
        if let Some((log, fetched)) = self.fetch_log.as_ref().zip(fetched) {
            log.push(FetchRecord {
                queue: id,
                entry: queue.read,
                ring_seen,
                fetched,
            });
        }
    }

    fn step_packet(&mut self, id: QueueId) -> Result<(Step, Option<Signaled>), Stop> {
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return Ok((Step::Ran, None));
        };
        let Some(execution) = &mut queue.execution else {
            return Ok((Step::Ran, None));
        };
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        execution.step(&mut memory, &mut self.scratch, &queue.setup)
    }

    /// Decides who runs after a step.
    fn account(&mut self, id: QueueId, step: Step) {
        let Some(Slot::Live(queue)) = self.queues.get(&id) else {
            return;
        };
        let band = queue.setup.band;
        let engine = &mut self.engines[queue.setup.engine];
        engine.ran = true;
        engine.packets += 1;
        match step {
            Step::Ran if engine.packets >= PACKETS_PER_TURN => engine.rotate(band),
            Step::Ran => {}
            Step::Blocked => engine.block(band),
            Step::BufferDone => {
                engine.rotate(band);
                if let Err(stop) = self.finish_entry(id) {
                    self.fault(id, stop);
                }
            }
        }
    }

    /// Reports a finished entry: read pointer, descriptor, then the event.
    fn finish_entry(&mut self, id: QueueId) -> Result<(), Stop> {
        let descriptors = self.descriptors();
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return Ok(());
        };
        let cookie = queue.execution.take().and_then(|entry| entry.report);
        queue.read = queue.read.wrapping_add(1);
        queue.finished = queue.finished.wrapping_add(1);
        self.fabric.counters.entries_finished.add(1);
        let half = descriptors.device_half(&self.fabric, id);
        half.read_pointer(queue.read);
        half.finished(queue.finished);
        let mut memory = Memory {
            fabric: &self.fabric,
            mmu: &mut self.mmu,
        };
        ring::report_read_pointer(&mut memory, &queue.setup, queue.read)?;
        if ring::pending(queue, queue.seen)? == 0 {
            half.activity(QueueActivity::IDLE);
            leave_run_list(&mut self.engines, queue);
        }
        let changes = queue.next_ring.is_some();
        if let Some(cookie) = cookie {
            self.post(Event::BufferCompleted { queue: id, cookie });
        }
        if changes {
            self.look(id, None);
        }
        Ok(())
    }
}
