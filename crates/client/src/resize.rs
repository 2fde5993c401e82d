//! Another ring for a queue that has work in flight (`ResizeRingBufferOperation`).
//!
//! The documents say that a queue keeps its identity while a new ring replaces the old one, and
//! leave open whether the old doorbell goes before the new one comes. Both orders are here. In both
//! the queue stays what it is: the same hardware queue, the same progress fence, values that go
//! on counting.
//!
//! The device goes over to the new ring when it has run all of the old one, so nothing may be
//! published to the old ring once there is work in the new one. A submission takes `&mut` of
//! the queue, as [`UserQueue::resize`] does: threads that share a queue through a lock cannot
//! get in between.

use core::mem;
use std::thread::yield_now;

use crate::feed::{Feed, FeedMemory, Retired};
use crate::kmt::KmtError;
use crate::objects::CreateError;
use crate::queue::{REPORT_LOOKS, UserQueue};
use crate::submit::{FenceValue, QueueLost, Submit, SubmitError, WaitError};

/// In which order doorbells come and go when a ring is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResizeOrder {
    /// The new doorbell is created and connected beside the old one, which goes when its ring is
    /// empty. Submissions do not wait.
    NewFirst,
    /// The queue runs dry, the old doorbell is destroyed, the new one created. If that fails
    /// the queue is lost.
    OldFirst,
}

/// Why a ring was not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResizeError {
    /// The new ring could not be made. The queue goes on with the one it has.
    #[error("new ring: {0}")]
    Create(#[from] CreateError),
    /// What has to run first did not in time. The queue goes on with the ring it has.
    #[error("the ring before did not run empty: {0}")]
    Busy(WaitError),
    /// The old doorbell could not be destroyed. The queue goes on with the ring it has.
    #[error(transparent)]
    Kmt(KmtError),
    /// The new ring is in place, but ringing it did not come through: ring again.
    #[error(transparent)]
    Ring(SubmitError),
    /// The queue is lost.
    #[error("queue lost: {0}")]
    Lost(#[from] QueueLost),
}

impl UserQueue {
    /// Replaces the ring by one of two to the power of `entries_log2` entries, 7 to 16, larger
    /// or smaller. What was submitted runs, once and in order, before what is submitted from now
    /// on.
    ///
    /// A ring that was replaced before has to have run empty: this waits for it.
    ///
    /// # Errors
    /// See [`ResizeError`].
    pub fn resize(&mut self, entries_log2: u32, order: ResizeOrder) -> Result<(), ResizeError> {
        if let Some(lost) = self.lost {
            return Err(lost.into());
        }
        self.await_retired()?;
        let before = self.objects.mark();
        let memory = FeedMemory::new(&mut self.objects, entries_log2, self.config.command_dwords);
        let memory = memory.inspect_err(|_| self.objects.give_up(before))?;
        let last_value = self.queued();
        match order {
            ResizeOrder::NewFirst => {
                let feed = self.new_doorbell(memory);
                let feed = feed.inspect_err(|_| self.objects.give_up(before))?;
                let old = mem::replace(&mut self.feed, feed);
                self.retired = Some(old.retire(last_value));
            }
            ResizeOrder::OldFirst => {
                if let Err(error) = self.let_go() {
                    self.objects.give_up(before);
                    return Err(error);
                }
                let feed = match self.new_doorbell(memory) {
                    Ok(feed) => feed,
                    Err(error) => return Err(self.lose(QueueLost::Resize(error)).into()),
                };
                let old = mem::replace(&mut self.feed, feed).retire(last_value);
                // SAFETY: the ring writer that knew the mappings ends with `old`, unused.
                unsafe { self.objects.free(&old.memory) }.map_err(ResizeError::Kmt)?;
            }
        }
        self.config.ring_entries_log2 = entries_log2;
        self.connect()?;
        // Harmless when there is nothing new; it also brings the device to what the old doorbell
        // may not have brought it to.
        self.ring_again().map_err(|error| match error {
            SubmitError::Lost(lost) => ResizeError::Lost(lost),
            error => ResizeError::Ring(error),
        })
    }

    /// Whether a ring that was replaced still has work in it.
    pub const fn is_resizing(&self) -> bool {
        self.retired.is_some()
    }

    /// Destroys doorbell and memory of a ring that was replaced, if the device has run all of it.
    /// Waiting and submitting do so by and by.
    ///
    /// # Errors
    /// The thunk that failed. What is left goes with the queue.
    #[cold]
    pub fn retire(&mut self) -> Result<(), KmtError> {
        let Some(retired) = &mut self.retired else {
            return Ok(());
        };
        if self.lost.is_some() || !retired.ring.is_read() {
            return Ok(());
        }
        let Some(Retired {
            doorbell, memory, ..
        }) = self.retired.take()
        else {
            return Ok(());
        };
        // SAFETY: the words of the doorbell were given up when the feed was retired.
        unsafe { self.objects.destroy_doorbell(doorbell) }?;
        // SAFETY: the ring writer that knew the mappings is gone.
        unsafe { self.objects.free(&memory) }
    }

    fn new_doorbell(&mut self, memory: FeedMemory) -> Result<Feed, CreateError> {
        let secondary = self.config.secondary_doorbell;
        memory.doorbell(&mut self.objects, self.queue, true, secondary)
    }

    /// Waits until the ring has run empty and destroys its doorbell. The caller replaces the feed
    /// or has the queue count as lost.
    fn let_go(&mut self) -> Result<(), ResizeError> {
        self.run_dry()?;
        let doorbell = self.feed.bell.handle();
        // SAFETY: by the rule of this function nobody uses the doorbell's words any more: the feed
        // goes, and a queue that is lost for the want of one reads no status (`status`).
        unsafe { self.objects.destroy_doorbell(doorbell) }.map_err(ResizeError::Kmt)
    }

    /// Waits until a ring that was replaced is gone.
    fn await_retired(&mut self) -> Result<(), ResizeError> {
        let Some(retired) = &self.retired else {
            return Ok(());
        };
        let last = retired.last_value;
        self.finish(last)?;
        for _ in 0..REPORT_LOOKS {
            self.retire().map_err(ResizeError::Kmt)?;
            if !self.is_resizing() {
                return Ok(());
            }
            yield_now();
        }
        Err(ResizeError::Busy(WaitError::TimedOut {
            value: last,
            current: self.completed().0,
        }))
    }

    /// Waits until the ring has run empty.
    fn run_dry(&mut self) -> Result<(), ResizeError> {
        let last = self.queued();
        self.finish(last)?;
        for _ in 0..REPORT_LOOKS {
            if self.feed.ring.is_read() {
                return Ok(());
            }
            yield_now();
        }
        Err(ResizeError::Busy(WaitError::TimedOut {
            value: last,
            current: self.completed().0,
        }))
    }

    fn finish(&mut self, value: FenceValue) -> Result<(), ResizeError> {
        let timeout = self.config.full_timeout;
        self.wait(value, timeout).map_err(|error| match error {
            WaitError::Lost(lost) => ResizeError::Lost(lost),
            error => ResizeError::Busy(error),
        })
    }
}
