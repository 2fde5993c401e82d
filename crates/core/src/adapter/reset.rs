//! Resets: of one engine, and of the whole adapter.
//!
//! An engine stays stopped from its reset until the OS resumes it. Whom the reset hit stands in the
//! queue descriptors: the device writes the fault there before anything that the driver reads
//! afterwards.

use core::sync::atomic::Ordering;

use carillon_hw::queue::{QueueFault, QueueId, QueueState};
use carillon_hw::regs::{QueueOperation, SuspendTag, offset};

use super::events::EventCursor;
use super::gate::Access;
use super::start::{ApertureTable, clear, program_tables, quieten};
use super::{Adapter, NODES};
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::irql::Passive;
use crate::objects::{ContextKind, QueueKind, QueueMode, Tables, context_id, queue_id};
use crate::platform::{Blame, BusMemory, Platform};

impl<P: Platform> Adapter<P> {
    /// `DxgkDdiResetHwEngine`: stops an engine and tells the OS of the context that ran on it. Its
    /// queues are dead, those of all others wait; doorbells stay connected. Nothing is scheduled
    /// until [`Self::resume_engine`].
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for an engine that does not exist, [`Error::DeviceGone`],
    /// [`Error::BadHardware`] if the engine does not let go: the OS then resets the adapter.
    pub fn reset_engine(&self, passive: Passive<'_>, engine: u32) -> Result {
        self.check_engine(engine)?;
        self.stop_engine(passive, engine);
        if self.queue_state(QueueId(engine)) == QueueState::FAULTED {
            self.drop_packets(passive, engine)?;
        }
        self.reap(passive, engine, Blame::Culprit);
        Ok(())
    }

    /// `DxgkDdiResumeHwEngine`: puts an engine back to work; the device looks at the write pointer of
    /// every queue that is left.
    ///
    /// # Errors
    /// As for [`Self::reset_engine`].
    pub fn resume_engine(&self, passive: Passive<'_>, engine: u32) -> Result {
        self.check_engine(engine)?;
        // A queue that the device let go of only now.
        self.reap(passive, engine, Blame::Culprit);
        {
            let _turn = self.engines.lock();
            self.stopped_engines
                .fetch_and(!bit(engine), Ordering::AcqRel);
            self.platform.write32(offset::ENGINE_RESUME, engine);
        }
        self.for_each_on(engine, |queue, _| {
            self.command(QueueOperation::Look, queue_id(queue));
        });
        Ok(())
    }

    /// `DxgkDdiResetEngine`: resets the engine of a node and drops the packets in its ring. Answers
    /// the last fence that was aborted.
    ///
    /// # Errors
    /// As for [`Self::reset_engine`].
    pub fn reset_node(&self, passive: Passive<'_>, node: u32) -> Result<u32> {
        self.check_engine(node)?;
        let ours = self.stop_engine(passive, node);
        let aborted = self.drop_packets(passive, node)?;
        // A hardware queue may have had the engine; the OS meant the packets.
        self.reap(passive, node, Blame::Bystander);
        if ours {
            let _turn = self.engines.lock();
            self.stopped_engines.fetch_and(!bit(node), Ordering::AcqRel);
            self.platform.write32(offset::ENGINE_RESUME, node);
        }
        Ok(aborted)
    }

    fn check_engine(&self, engine: u32) -> Result {
        if engine >= NODES {
            return Err(Error::InvalidParameter);
        }
        if self.is_gone() {
            return Err(Error::DeviceGone);
        }
        Ok(())
    }

    /// Stops an engine; whether it ran until now.
    fn stop_engine(&self, _passive: Passive<'_>, engine: u32) -> bool {
        let _turn = self.engines.lock();
        let before = self.stopped_engines.fetch_or(bit(engine), Ordering::AcqRel);
        self.platform.write32(offset::ENGINE_RESET, engine);
        // The reset has taken effect when this read returns.
        let _ = self.platform.read32(offset::STATUS);
        before & bit(engine) == 0
    }

    /// Takes an engine away from a queue that does not leave it otherwise; whether that helped. An
    /// engine that the OS has stopped stays so.
    pub(super) fn release_by_reset(
        &self,
        passive: Passive<'_>,
        engine: u32,
        queue: QueueId,
    ) -> bool {
        self.mark_stopped(queue);
        let _turn = self.engines.lock();
        let ours = self.stopped_engines.load(Ordering::Acquire) & bit(engine) == 0;
        if ours {
            self.platform.write32(offset::ENGINE_RESET, engine);
        }
        self.command(QueueOperation::Deactivate, queue);
        let released = self.wait_inactive(passive, queue);
        if ours {
            self.platform.write32(offset::ENGINE_RESUME, engine);
        }
        released
    }

    fn mark_stopped(&self, queue: QueueId) {
        if let crate::objects::QueueOwner::Table(index) = crate::objects::queue_owner(queue)
            && let Some(queue) = self.tables.lock().queues.by_index_mut(index)
        {
            queue.stopped = true;
        }
    }

    /// Empties the ring of a node's own queue and activates it again. Answers the last fence that
    /// was aborted.
    fn drop_packets(&self, passive: Passive<'_>, node: u32) -> Result<u32> {
        let state = self
            .nodes
            .get(node as usize)
            .ok_or(Error::InvalidParameter)?;
        self.deactivate(passive, QueueId(node))?;
        let aborted = state.lock().abort();
        self.activate_node(node);
        Ok(aborted)
    }

    /// Tells the OS of every context that the reset of an engine hit.
    fn reap(&self, passive: Passive<'_>, engine: u32, blame: Blame) {
        self.for_each_on(engine, |queue, context| {
            let id = queue_id(queue);
            let hit = self.queue_state(id) == QueueState::FAULTED
                && self.queue_fault(id) == QueueFault::ENGINE_RESET;
            if hit {
                self.invalidate_context(passive, context, blame);
            }
        });
    }

    /// Takes a context's queues off the run list for good and tells the OS.
    fn invalidate_context(&self, passive: Passive<'_>, handle: Handle<ContextKind>, blame: Blame) {
        let (os, first) = {
            let mut tables = self.tables.lock();
            let Some(context) = tables.contexts.get_mut(handle) else {
                return;
            };
            if core::mem::replace(&mut context.lost, true) {
                return;
            }
            (context.os, context.first_queue)
        };
        self.for_each_queue(first, |queue| {
            let id = queue_id(queue);
            // What the device says of a faulted queue is kept for the debug report.
            if self.queue_state(id) != QueueState::FAULTED {
                self.command(QueueOperation::Deactivate, id);
            }
        });
        let id = context_id(handle);
        self.doorbells.abort(passive, |context| context == id);
        self.platform.invalidate_context(passive, os, blame);
    }

    /// Visits the queues of an engine whose contexts no reset has taken, with no lock held during
    /// the visit.
    pub(super) fn for_each_on(
        &self,
        engine: u32,
        mut visit: impl FnMut(Handle<QueueKind>, Handle<ContextKind>),
    ) {
        let capacity = self.tables.lock().queues.capacity();
        for index in 0..capacity {
            let found = {
                let tables = self.tables.lock();
                tables.queues.by_index(index).and_then(|(handle, queue)| {
                    let context = tables.contexts.get(queue.context)?;
                    (context.node == engine && !context.lost).then_some((handle, queue.context))
                })
            };
            if let Some((queue, context)) = found {
                visit(queue, context);
            }
        }
    }

    /// `DxgkDdiResetFromTimeout`: when this returns the device reads and writes no memory, and nothing
    /// touches it until [`Self::restart`]. What the nodes had under way counts as completed, which is
    /// what the OS does with it; every context but the OS's own is lost.
    ///
    /// # Errors
    /// [`Error::BadHardware`] if the device does not answer: it may still use memory.
    pub fn reset_all(&self, passive: Passive<'_>) -> Result {
        let awake = self.gate.change(Access::Open, Access::Reset);
        if !awake && !self.gate.change(Access::Asleep, Access::Reset) {
            // Lost, or reset already: it touches nothing.
            return Ok(());
        }
        self.doorbells.disconnect_all(passive);
        self.gate.wait_empty(passive, &self.platform);
        if awake {
            match quieten(&self.platform, passive) {
                // What has left the bus reaches no memory.
                Err(Error::DeviceGone) => {
                    self.gate.lose();
                }
                other => other?,
            }
        }
        self.stopped_engines.store(0, Ordering::Release);
        for node in &self.nodes {
            node.lock().abort();
        }
        self.lose_work();
        Ok(())
    }

    /// Empties what the reset took: user contexts are lost, the OS's own start with empty rings.
    fn lose_work(&self) {
        let (contexts, queues) = {
            let mut tables = self.tables.lock();
            while tables.take_due().is_some() {}
            (tables.contexts.capacity(), tables.queues.capacity())
        };
        for index in 0..contexts {
            let mut guard = self.tables.lock();
            let tables = &mut *guard;
            let Some((handle, context)) = tables.contexts.by_index(index) else {
                continue;
            };
            let lost = !context.system && !tables.is_of_system(handle);
            if let Some(context) = tables.contexts.by_index_mut(index) {
                context.lost |= lost;
                context.suspension.outstanding = 0;
                context.suspension.answered = true;
            }
        }
        for index in 0..queues {
            if let Some(queue) = self.tables.lock().queues.by_index_mut(index) {
                queue.awaits_suspend = SuspendTag::NONE;
                queue.start = 0;
                match &mut queue.mode {
                    QueueMode::Kernel(ring) => ring.restart(),
                    QueueMode::User(rings) => rings.restart(),
                }
            }
        }
    }

    /// `DxgkDdiRestartFromTimeout`: tables, nodes, interrupts and doorbells as after a start. User
    /// queues stay off until they are created anew.
    ///
    /// # Errors
    /// [`Error::InvalidState`] without a reset before, [`Error::BadHardware`] if the device does
    /// not come up.
    pub fn restart(&self, passive: Passive<'_>) -> Result {
        match self.gate.access() {
            Access::Reset => {}
            // Nothing to restart; its removal is on the way.
            Access::Gone => return Ok(()),
            Access::Open | Access::Asleep => return Err(Error::InvalidState),
        }
        self.doorbells.abort(passive, |context| {
            let tables = self.tables.lock();
            tables
                .contexts
                .by_index(context.0)
                .is_some_and(|(_, context)| context.lost)
        });
        self.bring_up(passive, Access::Reset, ApertureTable::Clear)
    }

    /// Sets a device that has been reset to work with the objects that there are.
    ///
    /// # Errors
    /// [`Error::BadHardware`] if it does not come up, [`Error::DeviceGone`] if it was lost
    /// meanwhile.
    pub(super) fn bring_up(
        &self,
        passive: Passive<'_>,
        from: Access,
        aperture: ApertureTable,
    ) -> Result {
        // The gate is shut and empty: cursor and tables are this thread's.
        program_tables(&self.platform, &self.facts.layout);
        clear(&self.platform, &self.facts.layout, aperture);
        *self.events.lock() = EventCursor::START;
        self.restore_roots();
        if !self.gate.change(from, Access::Open) {
            return Err(Error::DeviceGone);
        }
        // The gate is open before the device may interrupt: an interrupt that found it shut would
        // not be dismissed, and the device would raise no other.
        if let Err(error) = self.enable() {
            self.gate.lose();
            return Err(error);
        }
        self.restore_f_states();
        // Activating makes a queue runnable, and those of suspended contexts are suspended only
        // then: nothing may run in between, since the OS has yet to bring back what it moved. No
        // queue is active, so stopping the engines faults none.
        for engine in 0..NODES {
            self.platform.write32(offset::ENGINE_RESET, engine);
        }
        for node in 0..NODES {
            self.activate_node(node);
        }
        let queues = self.tables.lock().queues.capacity();
        for index in 0..queues {
            let handle = {
                let tables = self.tables.lock();
                tables.queues.by_index(index).map(|(handle, _)| handle)
            };
            if let Some(handle) = handle {
                self.unname_page(handle);
                self.activate(handle);
            }
        }
        for engine in (0..NODES).filter(|engine| !self.is_stopped(*engine)) {
            self.platform.write32(offset::ENGINE_RESUME, engine);
        }
        self.doorbells.reopen(passive);
        if self.is_gone() {
            // Lost between the two: as if it had been after.
            self.doorbells.close(passive);
        }
        // Events that nobody read before the ring was cleared.
        self.overflowed.swap(true, Ordering::AcqRel);
        self.platform.queue_dpc();
        Ok(())
    }

    fn restore_roots(&self) {
        let contexts = self.tables.lock().contexts.capacity();
        for index in 0..contexts {
            let found = {
                let tables = self.tables.lock();
                let context = tables.contexts.by_index(index);
                context.map(|(handle, context)| (context_id(handle), context.root))
            };
            if let Some((id, root)) = found {
                self.store_root(id, root);
            }
        }
    }

    /// Whether an engine is between a reset and its resume. Any IRQL.
    pub(super) fn is_stopped(&self, engine: u32) -> bool {
        self.stopped_engines.load(Ordering::Acquire) & bit(engine) != 0
    }
}

impl<M: BusMemory> super::node::Node<M> {
    /// Drops the packets in the ring, which the device does not use: they count as completed.
    /// Answers the last of them.
    fn abort(&mut self) -> u32 {
        if let Some(ring) = self.ring.as_mut() {
            ring.restart();
        }
        self.start = 0;
        self.last_completed = self.last_submitted;
        self.preemption = None;
        self.last_submitted
    }
}

impl<M> Tables<M> {
    /// Whether the OS made a context's device for itself.
    fn is_of_system(&self, handle: Handle<ContextKind>) -> bool {
        let device = self
            .contexts
            .get(handle)
            .and_then(|context| self.devices.get(context.device));
        device.is_some_and(|device| {
            let process = device.process.and_then(|of| self.processes.get(of));
            device.system || process.is_some_and(|process| process.system)
        })
    }
}

const fn bit(engine: u32) -> u32 {
    match 1_u32.checked_shl(engine) {
        Some(bit) => bit,
        None => 0,
    }
}
