//! Interrupt and DPC.
//!
//! The ISR only learns whether the device interrupted and asks for the DPC; everything is
//! reported from the DPC through `DxgkCbSynchronizeExecution`. One DPC of an adapter runs at a time (a
//! rule of dxgkrnl), so completions are reported in the order in which the device wrote them
//! with no lock held across the callback. An event is taken off the ring only after it was
//! reported.

use carillon_hw::event::{Event, RawEvent, SEQUENCE_OFFSET, sequence_of, slot_offset};
use carillon_hw::queue::{QueueFault, QueueId};
use carillon_hw::regs::{Interrupts, QueueOperation, SuspendTag, offset};

use core::sync::atomic::Ordering;

use super::{Adapter, NODES};
use crate::handle::Handle;
use crate::irql::Dispatch;
use crate::notify::Notification;
use crate::objects::ring::KernelRing;
use crate::objects::{ContextKind, QueueKind, QueueOwner, queue_id, queue_owner};
use crate::platform::Platform;

/// What the device says when it is not there.
const GONE: u32 = u32::MAX;
/// Events after which slots are given back, so that a long burst does not fill the ring.
const BATCH: u32 = 64;

/// How far the event ring has been read.
pub(super) struct EventCursor {
    next: u32,
}

impl EventCursor {
    pub(super) const START: Self = Self { next: 0 };
}

impl<P: Platform> Adapter<P> {
    /// `DxgkDdiInterruptRoutine`. DIRQL. Whether the device interrupted; if so its interrupt is
    /// dismissed and a DPC is on its way.
    pub fn interrupt(&self) -> bool {
        let Some(_inside) = self.gate.enter() else {
            return false;
        };
        let raised = self.platform.read32(offset::INTERRUPT_STATUS);
        if raised == 0 || raised == GONE {
            return false;
        }
        // Cleared before the ring is read: an event that comes in between raises again.
        self.platform.write32(offset::INTERRUPT_STATUS, raised);
        if Interrupts::from_bits(raised).overflow() {
            self.overflowed.swap(true, Ordering::AcqRel);
        }
        self.platform.queue_dpc();
        true
    }

    /// `DxgkDdiDpcRoutine`, before `DxgkCbNotifyDpc`. Reports everything that the device has to
    /// say.
    pub fn dpc(&self, dispatch: Dispatch<'_>) {
        let Some(_inside) = self.gate.enter() else {
            return;
        };
        let mut taken = 0;
        while let Some((index, event)) = self.peek() {
            if let Some(event) = event
                && !self.report(dispatch, event)
            {
                self.platform.queue_dpc();
                break;
            }
            self.take(index);
            taken += 1;
            if taken % BATCH == 0 {
                self.release_slots();
            }
        }
        if taken > 0 {
            self.release_slots();
        }
        if self.overflowed.swap(false, Ordering::AcqRel) {
            self.recover_lost_events(dispatch);
        }
        self.report_suspends(dispatch);
        self.report_fences(dispatch);
        self.report_preemptions(dispatch);
    }

    fn report_suspends(&self, dispatch: Dispatch<'_>) {
        loop {
            let due = self.tables.lock().take_due();
            let Some((context, fence, notification)) = due else {
                return;
            };
            if !self.platform.notify(dispatch, &notification) {
                let mut tables = self.tables.lock();
                // A later suspend may have become due meanwhile: its report covers this one.
                if tables
                    .contexts
                    .get(context)
                    .is_some_and(|context| context.suspension.due.is_none())
                {
                    tables.owe(context, fence);
                }
                drop(tables);
                self.platform.queue_dpc();
                return;
            }
        }
    }

    /// The oldest event that has not been taken. An event of a kind that this driver does not
    /// know is nothing to report.
    fn peek(&self) -> Option<(u32, Option<Event>)> {
        let index = self.events.lock().next;
        let layout = &self.facts.layout;
        let base = layout
            .event_ring
            .checked_add(slot_offset(index, layout.events))?;
        // The device writes the sequence last; the acquire load orders the rest after it.
        let sequence = self
            .platform
            .vram_load64(base.checked_add(SEQUENCE_OFFSET)?);
        if sequence != sequence_of(index) {
            return None;
        }
        let raw = RawEvent {
            kind: self.platform.vram_load32(base),
            subject: self.platform.vram_load32(base.checked_add(4)?),
            value: self.platform.vram_load64(base.checked_add(8)?),
            address: self.platform.vram_load64(base.checked_add(16)?),
            sequence,
        };
        Some((index, Event::decode(raw)))
    }

    fn take(&self, index: u32) {
        self.events.lock().next = index.wrapping_add(1);
    }

    fn release_slots(&self) {
        let next = self.events.lock().next;
        self.platform.write32(offset::EVENT_READ, next);
    }

    /// `false` if the OS could not be told and the event has to wait.
    fn report(&self, dispatch: Dispatch<'_>, event: Event) -> bool {
        match event {
            Event::FenceSignaled { queue, .. } => {
                self.note_signal(queue);
                true
            }
            Event::BufferCompleted { queue, cookie } => {
                self.buffer_completed(dispatch, queue, cookie)
            }
            Event::SuspendCompleted { queue, tag } => {
                self.suspend_completed(queue, tag);
                true
            }
            Event::QueueFaulted {
                queue,
                fault,
                address,
            } => self.queue_faulted(dispatch, queue, fault, address),
            Event::EngineIdle { engine } => {
                self.engine_idle(engine);
                true
            }
            Event::EngineQuiet { engine } => self.engine_quiet(dispatch, engine),
        }
    }

    fn note_signal(&self, queue: QueueId) {
        let node = match queue_owner(queue) {
            QueueOwner::Node(node) => Some(node),
            QueueOwner::Table(index) => {
                let tables = self.tables.lock();
                tables
                    .queues
                    .by_index(index)
                    .and_then(|(_, queue)| tables.contexts.get(queue.context))
                    .map(|context| context.node)
            }
        };
        // A queue that has gone meanwhile: some node's name has to stand in the report, and the
        // NULL array makes the OS look at every fence anyway.
        self.signalled_nodes
            .fetch_or(1 << node.unwrap_or(0), Ordering::AcqRel);
    }

    fn report_fences(&self, dispatch: Dispatch<'_>) {
        let nodes = self.signalled_nodes.swap(0, Ordering::AcqRel);
        for node in 0..NODES {
            let bit = 1 << node;
            if nodes & bit != 0
                && !self
                    .platform
                    .notify(dispatch, &Notification::NativeFencesSignaled { node })
            {
                self.signalled_nodes.fetch_or(bit, Ordering::AcqRel);
                self.platform.queue_dpc();
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "cookies of node queues are fence ids"
    )]
    fn buffer_completed(&self, dispatch: Dispatch<'_>, queue: QueueId, cookie: u64) -> bool {
        let QueueOwner::Node(node) = queue_owner(queue) else {
            // Kernel-mode hardware queues report by their progress fence.
            return true;
        };
        let Some(state) = self.nodes.get(node as usize) else {
            return true;
        };
        let fence = cookie as u32;
        if !super::node::is_later(fence, state.lock().last_completed) {
            return true;
        }
        if !self
            .platform
            .notify(dispatch, &Notification::DmaCompleted { node, fence })
        {
            return false;
        }
        state.lock().complete(fence);
        true
    }

    fn report_preemptions(&self, dispatch: Dispatch<'_>) {
        for (node, state) in (0..NODES).zip(&self.nodes) {
            let (due, asked) = {
                let state = state.lock();
                (state.due_preemption(node), state.preemption)
            };
            if let Some(notification) = due {
                if self.platform.notify(dispatch, &notification) {
                    let mut state = state.lock();
                    // Having been answered, the OS may have asked again already.
                    if state.preemption == asked {
                        state.preemption = None;
                    }
                } else {
                    self.platform.queue_dpc();
                }
            }
        }
    }

    fn suspend_completed(&self, queue: QueueId, tag: u32) {
        let QueueOwner::Table(index) = queue_owner(queue) else {
            return;
        };
        let resume = {
            let mut guard = self.tables.lock();
            let tables = &mut *guard;
            match tables.queues.by_index_mut(index) {
                Some(queue) if queue.awaits_suspend.answers(tag) => {
                    let tag = core::mem::take(&mut queue.awaits_suspend);
                    let context = queue.context;
                    tables.confirm_suspend(context, tag)
                }
                // A late answer to an older request is not an answer to this one.
                _ => None,
            }
        };
        self.resume_queues(resume);
    }

    fn resume_queues(&self, first: Option<Handle<QueueKind>>) {
        self.for_each_queue(first, |queue| {
            self.command(QueueOperation::Resume, queue_id(queue));
        });
    }

    /// A queue that owed an answer to a suspend was destroyed: it counts as suspended. The DPC
    /// tells the OS, as for any other.
    pub(super) fn queue_left(&self, context: Handle<ContextKind>, tag: SuspendTag) {
        let resume = self.tables.lock().confirm_suspend(context, tag);
        self.resume_queues(resume);
        self.platform.queue_dpc();
    }

    fn queue_faulted(
        &self,
        dispatch: Dispatch<'_>,
        queue: QueueId,
        fault: QueueFault,
        address: u64,
    ) -> bool {
        let by_reset = fault == QueueFault::ENGINE_RESET;
        let notification = match queue_owner(queue) {
            // Who reset the engine has dropped the packets.
            QueueOwner::Node(_) if by_reset => None,
            QueueOwner::Node(node) => self.nodes.get(node as usize).map(|state| {
                let state = state.lock();
                Notification::DmaFaulted {
                    node,
                    fence: state.last_completed.wrapping_add(1),
                }
            }),
            QueueOwner::Table(index) => {
                let tables = self.tables.lock();
                tables.queues.by_index(index).and_then(|(_, queue)| {
                    let context = tables.contexts.get(queue.context)?;
                    // Of these the OS hears, or has heard, by other means.
                    let known = queue.stopped || context.lost || self.is_stopped(context.node);
                    (!by_reset || !known).then_some(Notification::QueueFaulted {
                        queue: queue.os,
                        node: context.node,
                        address,
                        fence: 0,
                    })
                })
            }
        };
        notification.is_none_or(|notification| self.platform.notify(dispatch, &notification))
    }

    /// Events were lost. Fences are found by the OS, which looks at all of them; what the nodes
    /// completed stands in their rings; a suspend that was confirmed already is confirmed again.
    fn recover_lost_events(&self, dispatch: Dispatch<'_>) {
        self.idle_periods_lost();
        for node in 0..NODES {
            self.signalled_nodes.fetch_or(1 << node, Ordering::AcqRel);
        }
        for (node, state) in (0..NODES).zip(&self.nodes) {
            let finished = state
                .lock()
                .ring
                .as_ref()
                .and_then(KernelRing::last_finished);
            if let Some(cookie) = finished
                && !self.buffer_completed(dispatch, QueueId(node), cookie)
            {
                self.overflowed.swap(true, Ordering::AcqRel);
                self.platform.queue_dpc();
            }
        }
        let queues = self.tables.lock().queues.capacity();
        for index in 0..queues {
            let owing = {
                let tables = self.tables.lock();
                let queue = tables.queues.by_index(index);
                queue.map(|(handle, queue)| (queue_id(handle), queue.awaits_suspend))
            };
            if let Some((queue, tag)) = owing
                && tag != SuspendTag::NONE
            {
                self.suspend_command(QueueOperation::Suspend, queue, tag);
            }
        }
    }
}
