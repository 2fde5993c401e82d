//! Hardware queues: create, destroy, kernel-mode submission, fence logs.

use carillon_hw::addr::GpuVa;
use carillon_hw::queue::{
    DEVICE_HALF_OFFSET, QueueDeviceHalf, QueueDriverHalf, QueueId, QueueShape, QueueState,
};
use carillon_hw::regs::{QueueOperation, SuspendTag, offset};
use carillon_hw::ring::{RingEntry, RingSize};

use core::sync::atomic::Ordering;

use super::Adapter;
use crate::error::{Error, Result};
use crate::handle::{Handle, OsHandle};
use crate::irql::{Dispatch, Passive};
use crate::objects::ring::KernelRing;
use crate::objects::{
    ContextKind, FenceLogs, Queue, QueueKind, QueueMode, Scheduling, UserRing, context_id, queue_id,
};
use crate::platform::Platform;

/// Entries of a kernel-mode queue's ring.
const KERNEL_RING_LOG2: u32 = 7;
/// Pauses that the hardware has to let go of a queue before its engine is reset, and again
/// after. Each is about a millisecond; the OS gives a DDI two seconds.
const RELEASE_PAUSES: u32 = 500;

/// How a queue is fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// By its doorbell only.
    UserMode,
    /// By the kernel only.
    KernelMode,
}

/// What a new queue is about.
#[derive(Clone, Copy, Debug)]
pub struct NewQueue {
    /// The OS's handle.
    pub os: OsHandle,
    /// Its context, hardware scheduled.
    pub context: Handle<ContextKind>,
    /// How it is fed.
    pub submission: Submission,
}

impl<P: Platform> Adapter<P> {
    /// Creates a hardware queue. A kernel-mode queue goes to work at once, a user-mode queue when
    /// its doorbell brings a ring.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`], [`Error::InvalidParameter`] for a context that the OS schedules,
    /// [`Error::InsufficientResources`] when the device's queue table is full, [`Error::NoMemory`].
    pub fn create_queue(&self, passive: Passive<'_>, new: &NewQueue) -> Result<Handle<QueueKind>> {
        let context = self.tables.lock().contexts.get(new.context).copied();
        let context = context.ok_or(Error::InvalidHandle)?;
        if context.scheduling != Scheduling::Hardware {
            return Err(Error::InvalidParameter);
        }
        let (mode, half) = match new.submission {
            Submission::UserMode => (QueueMode::User(None), None),
            Submission::KernelMode => {
                let size = RingSize::from_log2(KERNEL_RING_LOG2).ok_or(Error::NotSupported)?;
                let ring = KernelRing::allocate(&self.platform, passive, size)?;
                let half = kernel_half(&ring, new.context, context.node);
                (QueueMode::Kernel(ring), Some(half))
            }
        };
        let queue = Queue {
            os: new.os,
            context: new.context,
            mode,
            logs: FenceLogs::default(),
            awaits_suspend: SuspendTag::NONE,
            next: None,
        };
        let handle = self.insert(passive, queue, |tables| &mut tables.queues)?;
        self.tables.lock().link_queue(handle);
        if let Some(half) = half {
            self.activate(handle, &half);
        }
        Ok(handle)
    }

    /// Puts a queue on the run list, off it again if its context is suspended.
    pub(super) fn activate(&self, handle: Handle<QueueKind>, half: &QueueDriverHalf) {
        if self.is_gone() {
            return;
        }
        let id = queue_id(handle);
        self.write_queue(id, half);
        self.command(QueueOperation::Activate, id);
        let suspended = self.tables.lock().join_suspend(handle);
        if let Some(tag) = suspended {
            self.suspend_command(QueueOperation::Suspend, id, tag);
        }
    }

    /// Ends a queue. A doorbell that still belongs to it ends with it.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_queue(&self, passive: Passive<'_>, handle: Handle<QueueKind>) -> Result {
        let doorbell = match self
            .tables
            .lock()
            .queues
            .get(handle)
            .ok_or(Error::InvalidHandle)?
            .mode
        {
            QueueMode::User(Some(ring)) => Some(ring.doorbell),
            QueueMode::User(None) | QueueMode::Kernel(_) => None,
        };
        if let Some(doorbell) = doorbell {
            self.doorbells.destroy(passive, &self.platform, doorbell);
        }
        let released = self.deactivate(passive, queue_id(handle));
        let queue = {
            let mut tables = self.tables.lock();
            tables.unlink_queue(handle);
            tables.queues.remove(handle)
        };
        let queue = queue.ok_or(Error::InvalidHandle)?;
        if queue.awaits_suspend != SuspendTag::NONE {
            self.queue_left(queue.context, queue.awaits_suspend);
        }
        if released.is_err()
            && let QueueMode::Kernel(ring) = queue.mode
        {
            // The hardware may still read it: kept for good rather than freed in hope.
            core::mem::forget(ring);
        }
        Ok(())
    }

    /// Takes a queue off the run list for good and waits until the hardware confirms it.
    ///
    /// # Errors
    /// [`Error::BadHardware`] if it does not, even after a reset of the engine: memory that the
    /// queue names must then be kept.
    pub(super) fn deactivate(&self, passive: Passive<'_>, queue: QueueId) -> Result {
        if self.is_gone() {
            return Ok(());
        }
        self.command(QueueOperation::Deactivate, queue);
        if self.wait_inactive(passive, queue) {
            return Ok(());
        }
        let engine = self.engine_of(queue);
        self.platform.write32(offset::ENGINE_RESET, engine);
        self.command(QueueOperation::Deactivate, queue);
        let released = self.wait_inactive(passive, queue);
        self.platform.write32(offset::ENGINE_RESUME, engine);
        if released {
            return Ok(());
        }
        self.unconfirmed.fetch_add(1, Ordering::Relaxed);
        Err(Error::BadHardware)
    }

    fn wait_inactive(&self, passive: Passive<'_>, queue: QueueId) -> bool {
        let field = queue.table_offset()
            + DEVICE_HALF_OFFSET
            + core::mem::offset_of!(QueueDeviceHalf, state) as u64;
        let Some(at) = self.facts.layout.queue_table.checked_add(field) else {
            return false;
        };
        for _ in 0..RELEASE_PAUSES {
            // Reading a register orders the command before the look at what it did.
            let _ = self.platform.read32(offset::STATUS);
            if QueueState(self.platform.vram_load32(at)) == QueueState::INACTIVE {
                return true;
            }
            if self.is_gone() {
                return true;
            }
            self.platform.pause(passive);
        }
        false
    }

    fn engine_of(&self, queue: QueueId) -> u32 {
        match crate::objects::queue_owner(queue) {
            crate::objects::QueueOwner::Node(node) => node,
            crate::objects::QueueOwner::Table(index) => {
                let tables = self.tables.lock();
                tables
                    .queues
                    .by_index(index)
                    .and_then(|(_, queue)| tables.contexts.get(queue.context))
                    .map_or(0, |context| context.node)
            }
        }
    }

    /// Appends a buffer to a kernel-mode queue.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`]; [`Error::InvalidParameter`] for a user-mode queue, a bad length or
    /// address; [`Error::InsufficientResources`] if the ring is full.
    pub fn submit_to_queue(
        &self,
        _dispatch: Dispatch<'_>,
        handle: Handle<QueueKind>,
        buffer: GpuVa,
        bytes: u32,
        fence: u64,
    ) -> Result {
        {
            let mut tables = self.tables.lock();
            let queue = tables.queues.get_mut(handle).ok_or(Error::InvalidHandle)?;
            let QueueMode::Kernel(ring) = &mut queue.mode else {
                return Err(Error::InvalidParameter);
            };
            let entry = if bytes == 0 {
                ring.nop_entry(fence)
            } else {
                RingEntry::kernel(buffer, bytes / 4, context_id(queue.context), fence)
            };
            ring.push(entry.ok_or(Error::InvalidParameter)?)?;
        }
        self.look(handle);
        Ok(())
    }

    /// `DxgkDdiNotifyWorkSubmission`: the client has rung a doorbell that wants help. A queue that
    /// is gone, idle or suspended is fine.
    pub fn notify_work_submission(&self, _passive: Passive<'_>, handle: Handle<QueueKind>) {
        if self.tables.lock().queues.get(handle).is_some() {
            self.look(handle);
        }
    }

    /// Sets where a queue logs its fences. New entries go to the new place when this returns.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn set_fence_logs(
        &self,
        _dispatch: Dispatch<'_>,
        handle: Handle<QueueKind>,
        change: impl FnOnce(&mut FenceLogs),
    ) -> Result {
        let half = {
            let mut tables = self.tables.lock();
            let queue = tables.queues.get_mut(handle).ok_or(Error::InvalidHandle)?;
            change(&mut queue.logs);
            let (logs, owner) = (queue.logs, queue.context);
            let node = tables.contexts.get(owner).ok_or(Error::InvalidHandle)?.node;
            let queue = tables.queues.get(handle).ok_or(Error::InvalidHandle)?;
            let half = match &queue.mode {
                QueueMode::Kernel(ring) => Some(kernel_half(ring, owner, node)),
                QueueMode::User(Some(ring)) => Some(user_half(ring, owner, node, 0)),
                QueueMode::User(None) => None,
            };
            half.map(|half| with_logs(half, logs))
        };
        if let Some(half) = half
            && !self.is_gone()
        {
            self.write_queue(queue_id(handle), &half);
            self.command(QueueOperation::Reload, queue_id(handle));
            // The device has read the descriptor when this read returns.
            let _ = self.platform.read32(offset::STATUS);
        }
        Ok(())
    }
}

fn kernel_half<M: crate::platform::BusMemory>(
    ring: &KernelRing<M>,
    context: Handle<ContextKind>,
    node: u32,
) -> QueueDriverHalf {
    QueueDriverHalf {
        ring: ring.ring_address().0,
        control: ring.control_address().0,
        start: 0,
        signal_log: 0,
        wait_log: 0,
        shape: shape(ring.size(), node).with_kernel(true),
        context: context_id(context).0,
        doorbell_page: 0,
        log_entries: 0,
        reserved: 0,
    }
}

/// The descriptor of a user-mode queue that starts to fetch at `start`.
pub(super) fn user_half(
    ring: &UserRing,
    context: Handle<ContextKind>,
    node: u32,
    start: u64,
) -> QueueDriverHalf {
    QueueDriverHalf {
        ring: ring.ring.0,
        control: ring.control.0,
        start,
        signal_log: 0,
        wait_log: 0,
        shape: shape(ring.size, node),
        context: context_id(context).0,
        doorbell_page: 0,
        log_entries: 0,
        reserved: 0,
    }
}

/// The same descriptor with its fence logs.
pub(super) const fn with_logs(half: QueueDriverHalf, logs: FenceLogs) -> QueueDriverHalf {
    QueueDriverHalf {
        signal_log: logs.signals,
        wait_log: logs.waits,
        log_entries: logs.entries,
        ..half
    }
}

/// A node that the hardware has no name for cannot be reached: nodes are checked when a context is
/// created, and the device refuses an empty shape.
pub(super) fn shape(size: RingSize, node: u32) -> QueueShape {
    QueueShape::of(size, node).unwrap_or_default()
}
