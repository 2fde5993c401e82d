//! Queue commands and engine resets (`docs/hardware.md` sections 6.3 and 9.4).

use carillon_hw::event::Event;
use carillon_hw::queue::{QueueActivity, QueueFault, QueueId, QueueState};
use carillon_hw::regs::{DoorbellModel, QueueCommand, QueueOperation};

use super::{Device, leave_run_list};
use crate::queue::{Deferred, Kept, Limits, Queue, Setup, Slot};
use crate::ring::Stop;

impl Device {
    pub(crate) fn queue_command(&mut self, command: QueueCommand) {
        let id = command.queue_id();
        let Some(operation) = command.operation() else {
            return;
        };
        if !self.is_enabled() || !self.descriptors().contains(id) {
            return;
        }
        match operation {
            QueueOperation::Activate => self.activate(id),
            QueueOperation::Deactivate => self.deactivate(id),
            QueueOperation::Suspend => self.suspend(id, command.tag()),
            QueueOperation::Resume => self.resume(id),
            QueueOperation::Look => self.look(id, None),
            QueueOperation::Reload => self.reload(id),
            QueueOperation::Watch => self.watch(id),
            QueueOperation::ChangeRing => self.change_ring(id),
            QueueOperation::TakeRing => self.take_ring_over(id),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        Limits {
            engines: self.parameters.engines,
            contexts: self.tables.contexts.entries,
            doorbells: self.parameters.doorbells,
            model: self.parameters.model,
        }
    }

    fn activate(&mut self, id: QueueId) {
        if let Some(Slot::Live(_)) = self.queues.get(&id) {
            return;
        }
        let half = self.descriptors().driver_half(&self.fabric, id);
        match Setup::parse(&half, self.limits()) {
            Err(value) => {
                self.queues.insert(id, Slot::Faulted);
                self.fault(id, Stop::new(QueueFault::DESCRIPTOR, value));
            }
            Ok(setup) => {
                let queue = Box::new(Queue::new(setup, half.start));
                self.queues.insert(id, Slot::Live(queue));
                self.join_page(setup, id);
                let device_half = self.descriptors().device_half(&self.fabric, id);
                device_half.begin(half.start);
                self.look(id, None);
            }
        }
    }

    fn join_page(&mut self, setup: Setup, id: QueueId) {
        if self.parameters.model == DoorbellModel::Global {
            self.by_page.insert((setup.doorbell_page, id));
        }
    }

    pub(super) fn deactivate(&mut self, id: QueueId) {
        match self.queues.get_mut(&id) {
            Some(Slot::Live(queue)) if queue.hung => {
                queue.deferred.push(Deferred::Deactivate);
                return;
            }
            Some(Slot::Live(queue)) => {
                leave_run_list(&mut self.engines, queue);
                self.by_page.remove(&(queue.setup.doorbell_page, id));
            }
            Some(Slot::Faulted) | None => {}
        }
        self.queues.remove(&id);
        self.watched.remove(&id);
        let half = self.descriptors().device_half(&self.fabric, id);
        half.activity(QueueActivity::IDLE);
        half.state(QueueState::INACTIVE);
    }

    pub(super) fn suspend(&mut self, id: QueueId, tag: u32) {
        if let Some(Slot::Live(queue)) = self.queues.get_mut(&id) {
            if queue.hung {
                queue.deferred.push(Deferred::Suspend { tag });
                return;
            }
            if !queue.suspended {
                queue.suspended = true;
                queue.kept = Kept::default();
                leave_run_list(&mut self.engines, queue);
                let half = self.descriptors().device_half(&self.fabric, id);
                half.state(QueueState::SUSPENDED);
            }
        }
        self.post(Event::SuspendCompleted { queue: id, tag });
    }

    fn resume(&mut self, id: QueueId) {
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        if !queue.suspended {
            return;
        }
        queue.suspended = false;
        let half = self.descriptors().device_half(&self.fabric, id);
        half.state(QueueState::RUNNABLE);
        self.look(id, None);
    }

    fn reload(&mut self, id: QueueId) {
        let half = self.descriptors().driver_half(&self.fabric, id);
        let parsed = Setup::parse(&half, self.limits());
        let Some(Slot::Live(queue)) = self.queues.get_mut(&id) else {
            return;
        };
        let setup = match parsed {
            // The descriptor names the ring kept aside already.
            Ok(setup) if queue.next_ring.is_some() => setup.with_ring(queue.setup.ring_base()),
            Ok(setup) => setup,
            Err(value) => return self.fault(id, Stop::new(QueueFault::DESCRIPTOR, value)),
        };
        let former = std::mem::replace(&mut queue.setup, setup);
        queue.kept = Kept::default();
        let moved = (former.engine, former.band) != (setup.engine, setup.band);
        // A hung packet keeps its engine, whatever the driver wishes.
        if moved
            && !queue.hung
            && let Some(ticket) = queue.ticket.take()
        {
            self.engines[former.engine].leave(ticket);
            let engine = &mut self.engines[setup.engine];
            if !engine.stopped {
                queue.ticket = Some(engine.enter(id, setup.band));
            }
        }
        self.by_page.remove(&(former.doorbell_page, id));
        self.join_page(setup, id);
    }

    /// Stops an engine. While the device is not enabled nothing runs and nothing may be written.
    pub(crate) fn engine_reset(&mut self, ordinal: u32) {
        if !self.is_enabled() {
            return;
        }
        let Some(engine) = self.engines.get_mut(ordinal as usize) else {
            return;
        };
        let running = engine.current;
        engine.stop();
        for slot in self.queues.values_mut() {
            if let Slot::Live(queue) = slot
                && queue.setup.engine == ordinal as usize
            {
                queue.ticket = None;
            }
        }
        if let Some(record) = running {
            self.fault(record.queue, Stop::new(QueueFault::ENGINE_RESET, 0));
        }
    }

    pub(crate) fn engine_resume(&mut self, ordinal: u32) {
        let Some(engine) = self.engines.get_mut(ordinal as usize) else {
            return;
        };
        engine.stopped = false;
        self.look_at_engine(ordinal as usize);
    }

    /// Looks at every runnable queue of an engine.
    pub(super) fn look_at_engine(&mut self, index: usize) {
        let ids: Vec<QueueId> = self
            .queues
            .iter()
            .filter_map(|(id, slot)| match slot {
                Slot::Live(queue) if queue.setup.engine == index => Some(*id),
                _ => None,
            })
            .collect();
        for id in ids {
            self.look(id, None);
        }
    }
}
