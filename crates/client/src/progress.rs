//! A queue's progress fence from the submitting side.

use core::hint::spin_loop;
use core::time::Duration;

use carillon_hw::packet::Packet;

use crate::kmt::{Kmt, ProgressFence, WaitOutcome};
use crate::submit::{FenceValue, QueueLost, WaitError};

/// Looks at the current value before the kernel is asked to wait: a few microseconds, about what
/// the way into the kernel and back costs.
const SPINS: u32 = 512;

/// Counts values and waits for them.
#[derive(Debug)]
pub(crate) struct Progress {
    fence: ProgressFence,
    queued: u64,
}

impl Progress {
    pub(crate) const fn new(fence: ProgressFence) -> Self {
        Self { fence, queued: 0 }
    }

    #[inline]
    pub(crate) const fn queued(&self) -> FenceValue {
        FenceValue(self.queued)
    }

    /// The value of the next submission.
    #[inline]
    pub(crate) const fn next(&self) -> FenceValue {
        // A counter from zero does not reach 2^64.
        FenceValue(self.queued + 1)
    }

    /// Takes note that [`Self::next`] is queued.
    #[inline]
    pub(crate) const fn advance(&mut self) {
        self.queued += 1;
    }

    /// The packet that signals `value`.
    #[inline]
    pub(crate) const fn signal(&self, value: FenceValue) -> Packet {
        Packet::FenceSignal {
            current: self.fence.current_value_gpu,
            monitored: self.fence.monitored_value_gpu,
            value: value.0,
            handle: self.fence.handle.0,
        }
    }

    /// The current value, whatever it is. Acquire: the results of work up to it are visible.
    pub(crate) fn current(&self) -> u64 {
        self.fence.current_value.load_acquire()
    }

    /// Whether `value` is reached.
    pub(crate) fn reached(&self, value: FenceValue) -> Result<bool, QueueLost> {
        let current = self.current();
        if current > self.queued {
            return Err(QueueLost::Overrun {
                current,
                queued: self.queued,
            });
        }
        Ok(current >= value.0)
    }

    /// Looks for `value` for a short while.
    pub(crate) fn spin(&self, value: FenceValue) -> Result<bool, WaitError> {
        if value.0 > self.queued {
            return Err(WaitError::NeverQueued {
                value,
                queued: self.queued(),
            });
        }
        for _ in 0..SPINS {
            if self.reached(value)? {
                return Ok(true);
            }
            spin_loop();
        }
        Ok(false)
    }

    /// Lets the kernel wait for `value`.
    pub(crate) fn sleep(
        &self,
        kmt: &dyn Kmt,
        value: FenceValue,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        let outcome = kmt.wait_for_fence(self.fence.handle, value.0, timeout)?;
        if self.reached(value)? || outcome == WaitOutcome::Reached {
            return Ok(());
        }
        Err(WaitError::TimedOut {
            value,
            current: self.current(),
        })
    }
}
