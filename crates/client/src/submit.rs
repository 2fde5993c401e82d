//! What submitting to a queue looks like, whichever way the work takes.

use core::fmt;
use core::time::Duration;

use crate::command::{CommandBuilder, CommandError};
use crate::kmt::{DoorbellStatus, KmtError};
use crate::objects::CreateError;
use crate::ring::BadReadPointer;

/// A value of a queue's progress fence: names one submission. Starts at 1 and counts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FenceValue(pub u64);

impl fmt::Display for FenceValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a queue cannot be used any more. Destroy it, and submit what had not completed to a new
/// queue that the kernel feeds ([`KernelQueue`](crate::fallback::KernelQueue)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueLost {
    /// The doorbell's status is `DISCONNECTED_ABORT`.
    #[error("the doorbell was disconnected for good")]
    Aborted,
    /// Connecting the doorbell failed.
    #[error("connect: {0}")]
    Connect(KmtError),
    /// The driver asked to be notified, and that failed.
    #[error("notify: {0}")]
    Notify(KmtError),
    /// The doorbell's status is none that is defined.
    #[error("doorbell status {:#x} is not defined", .0.0)]
    Status(DoorbellStatus),
    /// The device reported an impossible read pointer.
    #[error(transparent)]
    ReadPointer(BadReadPointer),
    /// The ring was to be replaced; the old doorbell is gone and there is no new one.
    #[error("no new doorbell: {0}")]
    Resize(CreateError),
    /// The progress fence has passed all that was ever queued: its owner was declared dead.
    #[error("progress fence is at {current}, but only {queued} was queued")]
    Overrun {
        /// Current value of the fence.
        current: u64,
        /// Last value queued.
        queued: u64,
    },
}

/// Why a submission did not go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The commands could not be built. Nothing was submitted.
    #[error("command buffer: {0}")]
    Command(#[from] CommandError),
    /// No slot became free in time. Nothing was submitted.
    #[error("no free slot after {0:?}")]
    Full(Duration),
    /// The submission is in the ring, and stays there, but its doorbell was taken away as often as
    /// it was connected. Ring again (`UserQueue::ring_again`); do not submit again.
    #[error("submission {value} is queued, but its doorbell was lost {attempts} times")]
    Unrung {
        /// The submission.
        value: FenceValue,
        /// How often the doorbell was connected in vain.
        attempts: u32,
    },
    /// The queue is lost. A submission that had reached the ring may or may not have run: compare
    /// the completed fence value.
    #[error("queue lost: {0}")]
    Lost(#[from] QueueLost),
    /// A thunk failed on the way. Nothing was submitted.
    #[error(transparent)]
    Kmt(#[from] KmtError),
}

/// Why a wait ended without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The time was over.
    #[error("fence value {value} not reached in time, the fence is at {current}")]
    TimedOut {
        /// What was waited for.
        value: FenceValue,
        /// Where the fence was.
        current: u64,
    },
    /// The value was never submitted.
    #[error("fence value {value} was never queued, the last is {queued}")]
    NeverQueued {
        /// What was to be waited for.
        value: FenceValue,
        /// The last value queued.
        queued: FenceValue,
    },
    /// The queue is lost.
    #[error("queue lost: {0}")]
    Lost(#[from] QueueLost),
    /// The waiting thunk failed.
    #[error(transparent)]
    Kmt(#[from] KmtError),
}

/// A queue that takes command buffers.
pub trait Submit {
    /// Builds a command buffer in the queue's own memory and submits it. The returned value is
    /// reached when it has finished.
    ///
    /// # Errors
    /// See [`SubmitError`].
    fn submit<F>(&mut self, build: F) -> Result<FenceValue, SubmitError>
    where
        F: FnOnce(&mut CommandBuilder<'_>) -> Result<(), CommandError>;

    /// Waits until a submission has finished.
    ///
    /// # Errors
    /// See [`WaitError`].
    fn wait(&mut self, value: FenceValue, timeout: Duration) -> Result<(), WaitError>;

    /// The last submission that is known to have finished; 0 if none. Read from memory that others
    /// write: a value past [`Self::queued`] means that the queue is lost.
    fn completed(&self) -> FenceValue;

    /// The last submission; 0 if there was none.
    fn queued(&self) -> FenceValue;
}
