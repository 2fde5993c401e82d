//! Which ring a queue works on, and how the device hears of it.
//!
//! The driver half of a descriptor is stored, and the command that has the device read it is sent,
//! in one hold of the tables' lock: no other command that reads the descriptor can come between
//! the two, and the device hears of changes in the order in which the tables changed.

use core::mem::offset_of;

use carillon_hw::queue::{QueueDeviceHalf, QueueDriverHalf, QueueId, QueueShape, QueueState};
use carillon_hw::regs::{QueueOperation, SuspendTag, offset};
use carillon_hw::ring::RingSize;

use super::Adapter;
use crate::doorbell::DoorbellKind;
use crate::error::Result;
use crate::handle::Handle;
use crate::irql::Passive;
use crate::objects::user_ring::{Loss, Reached, Turn, UserRing};
use crate::objects::{
    Queue, QueueKind, QueueMode, QueueOwner, Tables, context_id, queue_id, queue_owner,
};
use crate::platform::{BusMemory, Platform};

impl<P: Platform> Adapter<P> {
    /// Puts a queue that has a ring on the run list, off it again if its context is suspended. A
    /// queue of a context that a reset took stays off, and so do all while the hardware is out of
    /// reach: they are activated when it comes back.
    pub(super) fn activate(&self, handle: Handle<QueueKind>) {
        if self.is_gone() {
            return;
        }
        let suspended = self.activate_in(&mut self.tables.lock(), handle);
        if let Some(tag) = suspended {
            self.suspend_command(QueueOperation::Suspend, queue_id(handle), tag);
        }
    }

    /// The part of [`Self::activate`] that happens under the tables' lock. The tag of the suspend
    /// that has to follow.
    fn activate_in(
        &self,
        tables: &mut Tables<P::BusMemory>,
        handle: Handle<QueueKind>,
    ) -> Option<SuspendTag> {
        let id = queue_id(handle);
        let first = first_half(tables, handle)?;
        self.rewrite_queue(id, &first.half);
        self.command(QueueOperation::Activate, id);
        if let Some(queue) = tables.queues.get_mut(handle)
            && let QueueMode::User(rings) = &mut queue.mode
        {
            rings.activated(first.then_change);
        }
        if first.then_change {
            self.change_in(tables, handle);
        }
        tables.join_suspend(handle)
    }

    fn change_in(&self, tables: &Tables<P::BusMemory>, handle: Handle<QueueKind>) {
        if let Some(half) = descriptor(tables, handle) {
            let id = queue_id(handle);
            self.rewrite_queue(id, &half);
            self.command(QueueOperation::ChangeRing, id);
        }
    }

    /// Gives the device a descriptor of a live queue in which something but its ring has changed.
    pub(super) fn reload(&self, handle: Handle<QueueKind>) {
        if self.is_gone() {
            return;
        }
        let id = queue_id(handle);
        {
            let tables = self.tables.lock();
            let Some(half) = descriptor(&tables, handle) else {
                return;
            };
            self.rewrite_queue(id, &half);
            self.command(QueueOperation::Reload, id);
        }
        // The device has read the descriptor when this read returns.
        let _ = self.platform.read32(offset::STATUS);
    }

    /// Global doorbell model: until its first connect a queue is on the page that is never bound,
    /// so that nobody else's rings can name it.
    pub(super) fn unname_page(&self, handle: Handle<QueueKind>) {
        if self.is_gone() {
            return;
        }
        let at = queue_id(handle)
            .table_offset()
            .checked_add(QueueDriverHalf::PAGE_WORD)
            .and_then(|at| self.facts.layout.queue_table.checked_add(at));
        if let Some(at) = at {
            let never_bound = self.facts.doorbells.saturating_sub(1);
            self.platform.vram_store64(at, u64::from(never_bound));
        }
    }

    /// A doorbell of a queue has been connected: if it brought a ring that the device does not
    /// know yet, the queue goes over to that, or to work with it.
    pub(super) fn ring_connected(
        &self,
        passive: Passive<'_>,
        queue: QueueId,
        doorbell: Handle<DoorbellKind>,
    ) {
        let QueueOwner::Table(index) = queue_owner(queue) else {
            return;
        };
        let (turns, shared) = {
            let mut tables = self.tables.lock();
            match tables.queues.by_index_mut(index) {
                Some(Queue {
                    mode: QueueMode::User(rings),
                    ..
                }) => (rings.awaits(doorbell), rings.is_shared()),
                _ => return,
            }
        };
        if turns {
            // Nobody names a page in the descriptor, and has it reloaded, between the two halves
            // of a change.
            self.doorbells
                .undisturbed(passive, || self.turn(index, doorbell));
        }
        if shared {
            // The binding has ended the watch that the queue's other doorbell may need.
            self.command(QueueOperation::Watch, queue);
        }
    }

    fn turn(&self, index: u32, doorbell: Handle<DoorbellKind>) {
        let (suspended, handle) = {
            let mut guard = self.tables.lock();
            let tables = &mut *guard;
            let Some((handle, _)) = tables.queues.by_index(index) else {
                return;
            };
            let Some(Queue {
                mode: QueueMode::User(rings),
                stopped,
                ..
            }) = tables.queues.by_index_mut(index)
            else {
                return;
            };
            let suspended = match rings.connected(doorbell) {
                None => return,
                Some(_) if self.is_gone() => None,
                Some(Turn::Change) => {
                    self.change_in(tables, handle);
                    None
                }
                Some(Turn::Activate) => {
                    // A new ring: whatever ended with the old one is over.
                    *stopped = false;
                    self.activate_in(tables, handle)
                }
            };
            (suspended, handle)
        };
        if let Some(tag) = suspended {
            self.suspend_command(QueueOperation::Suspend, queue_id(handle), tag);
        }
    }

    /// A doorbell of a queue has ended; when this returns the device does not use its ring.
    /// Without a confirmation the unconfirmed counter has gone up; the ring belongs to the client,
    /// and the OS keeps a page that a hung engine may read until the reset.
    pub(super) fn ring_lost(
        &self,
        passive: Passive<'_>,
        queue: QueueId,
        doorbell: Handle<DoorbellKind>,
    ) {
        let QueueOwner::Table(index) = queue_owner(queue) else {
            return;
        };
        let loss = {
            let mut tables = self.tables.lock();
            let Some(Queue {
                mode: QueueMode::User(rings),
                ..
            }) = tables.queues.by_index_mut(index)
            else {
                return;
            };
            let loss = rings.detach(doorbell);
            if loss == Loss::Before {
                // Under the lock: a change that comes after this one shall not be taken with it.
                self.command(QueueOperation::TakeRing, queue);
            }
            loss
        };
        match loss {
            Loss::Nothing => {}
            Loss::Before if self.is_gone() => {}
            Loss::Before => {
                let _ = self.platform.read32(offset::STATUS);
            }
            Loss::Current => {
                let released = self.deactivate(passive, queue);
                self.ring_released(index, released);
            }
        }
    }

    /// The device has let go of a queue, or will not: one that has got another ring meanwhile goes
    /// to work with it.
    fn ring_released(&self, index: u32, released: Result) {
        let waiting = {
            let mut tables = self.tables.lock();
            let Some((handle, _)) = tables.queues.by_index(index) else {
                return;
            };
            let Some(Queue {
                mode: QueueMode::User(rings),
                stopped,
                ..
            }) = tables.queues.by_index_mut(index)
            else {
                return;
            };
            let waiting = rings.released() && released.is_ok();
            *stopped &= !waiting;
            waiting.then_some(handle)
        };
        if let Some(handle) = waiting {
            self.activate(handle);
        }
    }

    /// Notes where the device has got to in a hardware queue, or that the queue is dead.
    pub(super) fn keep_queue_position(&self, index: u32, id: QueueId) {
        let state = self.queue_state(id);
        let field = offset_of!(QueueDeviceHalf, ring_changes);
        let reached = Reached {
            changes: self.device_word32(id, field),
            taken: self.device_word(id, offset_of!(QueueDeviceHalf, read_pointer)),
            finished: self.device_word(id, offset_of!(QueueDeviceHalf, finished)),
            finished_before: self.device_word32(id, offset_of!(QueueDeviceHalf, finished_before)),
        };
        let mut tables = self.tables.lock();
        let Some(queue) = tables.queues.by_index_mut(index) else {
            return;
        };
        match (state, &mut queue.mode) {
            (QueueState::INACTIVE, _) => {}
            (QueueState::FAULTED, _) => queue.stopped = true,
            (_, QueueMode::User(rings)) => rings.keep_position(&reached),
            (_, QueueMode::Kernel(_)) => {
                queue.start = reached.first_unfinished(queue.start);
            }
        }
    }
}

/// What a queue is activated with.
struct FirstHalf {
    half: QueueDriverHalf,
    then_change: bool,
}

/// `None` for a queue that shall not run: one without a ring, one that stopped for good, one whose
/// context a reset took.
fn first_half<M: BusMemory>(tables: &Tables<M>, handle: Handle<QueueKind>) -> Option<FirstHalf> {
    let queue = tables.queues.get(handle)?;
    let QueueMode::User(rings) = &queue.mode else {
        let half = descriptor(tables, handle)?;
        return Some(FirstHalf {
            half,
            then_change: false,
        });
    };
    let activation = rings.activation()?;
    let place = Place::of_user(&activation.ring, activation.start);
    Some(FirstHalf {
        half: half_with(tables, queue, &place)?,
        then_change: activation.then_change,
    })
}

/// The driver half of a live queue's descriptor; `None` as for [`first_half`].
fn descriptor<M: BusMemory>(
    tables: &Tables<M>,
    handle: Handle<QueueKind>,
) -> Option<QueueDriverHalf> {
    let queue = tables.queues.get(handle)?;
    let place = match &queue.mode {
        QueueMode::Kernel(ring) => Place {
            ring: ring.ring_address().0,
            control: ring.control_address().0,
            size: ring.size(),
            kernel: true,
            start: queue.start,
        },
        QueueMode::User(rings) => {
            let (ring, start) = rings.named()?;
            Place::of_user(&ring, start)
        }
    };
    half_with(tables, queue, &place)
}

/// A ring as a descriptor names it.
struct Place {
    ring: u64,
    control: u64,
    size: RingSize,
    kernel: bool,
    start: u64,
}

impl Place {
    const fn of_user(ring: &UserRing, start: u64) -> Self {
        Self {
            ring: ring.ring.0,
            control: ring.control.0,
            size: ring.size,
            kernel: false,
            start,
        }
    }
}

fn half_with<M>(tables: &Tables<M>, queue: &Queue<M>, place: &Place) -> Option<QueueDriverHalf> {
    let context = tables.contexts.get(queue.context)?;
    if context.lost || queue.stopped {
        return None;
    }
    let shape = shape(place.size, context.node).with_kernel(place.kernel);
    Some(QueueDriverHalf {
        ring: place.ring,
        control: place.control,
        start: place.start,
        signal_log: queue.logs.signals,
        wait_log: queue.logs.waits,
        // A band has two bits by construction.
        shape: shape
            .with_band_checked(context.band.index())
            .unwrap_or(shape),
        context: context_id(queue.context).0,
        log_entries: queue.logs.entries,
        reserved0: 0,
        doorbell_page: 0,
        reserved1: 0,
    })
}

/// A node that the hardware has no name for cannot be reached: nodes are checked when a context is
/// created, and the device refuses an empty shape.
pub(super) fn shape(size: RingSize, node: u32) -> QueueShape {
    QueueShape::of(size, node).unwrap_or_default()
}
