//! Hardware queues: create, destroy, kernel-mode submission, fence logs.

use carillon_hw::addr::{GpuVa, VramOffset};
use carillon_hw::queue::{
    DEVICE_HALF_OFFSET, QueueActivity, QueueDeviceHalf, QueueFault, QueueId, QueueState,
};
use carillon_hw::regs::{QueueOperation, SuspendTag, offset};
use carillon_hw::ring::{RingEntry, RingSize};

use core::sync::atomic::Ordering;

use super::Adapter;
use crate::error::{Error, Result};
use crate::handle::{Handle, OsHandle};
use crate::irql::{Dispatch, Passive};
use crate::objects::ring::KernelRing;
use crate::objects::user_ring::{Reached, UserRings};
use crate::objects::{
    ContextKind, FenceLogs, Queue, QueueKind, QueueMode, Scheduling, context_id, queue_id,
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
        let mode = match new.submission {
            Submission::UserMode => QueueMode::User(UserRings::default()),
            Submission::KernelMode => {
                let size = RingSize::from_log2(KERNEL_RING_LOG2).ok_or(Error::NotSupported)?;
                QueueMode::Kernel(KernelRing::allocate(&self.platform, passive, size)?)
            }
        };
        let queue = Queue {
            os: new.os,
            context: new.context,
            mode,
            logs: FenceLogs::default(),
            awaits_suspend: SuspendTag::NONE,
            start: 0,
            stopped: false,
            next: None,
        };
        let handle = self.insert(passive, queue, |tables| &mut tables.queues)?;
        self.tables.lock().link_queue(handle);
        self.unname_page(handle);
        self.activate(handle);
        Ok(handle)
    }

    /// Ends a queue. Doorbells that still belong to it end with it.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn destroy_queue(&self, passive: Passive<'_>, handle: Handle<QueueKind>) -> Result {
        let doorbells = match &self
            .tables
            .lock()
            .queues
            .get(handle)
            .ok_or(Error::InvalidHandle)?
            .mode
        {
            QueueMode::User(rings) => rings.doorbells(),
            QueueMode::Kernel(_) => [None; 2],
        };
        for doorbell in doorbells.into_iter().flatten() {
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
        if self.release_by_reset(passive, engine, queue) {
            return Ok(());
        }
        self.unconfirmed.fetch_add(1, Ordering::Relaxed);
        Err(Error::BadHardware)
    }

    /// Waits until the device has let go of a queue; `false` if it does not in time.
    pub(super) fn wait_inactive(&self, passive: Passive<'_>, queue: QueueId) -> bool {
        for _ in 0..RELEASE_PAUSES {
            // Reading a register orders the command before the look at what it did.
            let _ = self.platform.read32(offset::STATUS);
            if self.queue_state(queue) == QueueState::INACTIVE || self.is_gone() {
                return true;
            }
            self.platform.pause(passive);
        }
        false
    }

    /// Where a field of a queue's descriptor is in local memory.
    fn descriptor_field(&self, queue: QueueId, field: u64) -> Option<VramOffset> {
        let at = queue.table_offset().checked_add(field)?;
        self.facts.layout.queue_table.checked_add(at)
    }

    pub(super) fn device_word(&self, queue: QueueId, field: usize) -> u64 {
        self.descriptor_field(queue, DEVICE_HALF_OFFSET + field as u64)
            .map_or(0, |at| self.platform.vram_load64(at))
    }

    pub(super) fn device_word32(&self, queue: QueueId, field: usize) -> u32 {
        self.descriptor_field(queue, DEVICE_HALF_OFFSET + field as u64)
            .map_or(0, |at| self.platform.vram_load32(at))
    }

    /// The life of a queue as the device sees it.
    pub(super) fn queue_state(&self, queue: QueueId) -> QueueState {
        let field = core::mem::offset_of!(QueueDeviceHalf, state) as u64;
        self.descriptor_field(queue, DEVICE_HALF_OFFSET + field)
            .map_or(QueueState::INACTIVE, |at| {
                QueueState(self.platform.vram_load32(at))
            })
    }

    /// Whether the device has work for a queue.
    pub(super) fn queue_activity(&self, queue: QueueId) -> QueueActivity {
        let field = core::mem::offset_of!(QueueDeviceHalf, activity) as u64;
        self.descriptor_field(queue, DEVICE_HALF_OFFSET + field)
            .map_or(QueueActivity::IDLE, |at| {
                QueueActivity(self.platform.vram_load32(at))
            })
    }

    /// Why the device stopped a queue.
    pub(super) fn queue_fault(&self, queue: QueueId) -> QueueFault {
        let field = core::mem::offset_of!(QueueDeviceHalf, fault) as u64;
        self.descriptor_field(queue, DEVICE_HALF_OFFSET + field)
            .map_or(QueueFault::NONE, |at| {
                QueueFault(self.platform.vram_load32(at))
            })
    }

    /// The first entry that a queue, activated at `start`, has not finished.
    pub(super) fn unfinished(&self, queue: QueueId, start: u64) -> u64 {
        let taken = self.device_word(queue, core::mem::offset_of!(QueueDeviceHalf, read_pointer));
        let finished = self.device_word(queue, core::mem::offset_of!(QueueDeviceHalf, finished));
        Reached::of_one_ring(taken, finished).first_unfinished(start)
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
    pub fn notify_work_submission(&self, passive: Passive<'_>, handle: Handle<QueueKind>) {
        let doorbell = match self
            .tables
            .lock()
            .queues
            .get(handle)
            .map(|queue| &queue.mode)
        {
            None => return,
            Some(QueueMode::Kernel(_)) => None,
            Some(QueueMode::User(rings)) => rings.doorbell(),
        };
        self.look(handle);
        if let Some(doorbell) = doorbell {
            self.doorbells.count_notify(passive, doorbell);
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
        let mut tables = self.tables.lock();
        let queue = tables.queues.get_mut(handle).ok_or(Error::InvalidHandle)?;
        change(&mut queue.logs);
        drop(tables);
        self.reload(handle);
        Ok(())
    }
}
