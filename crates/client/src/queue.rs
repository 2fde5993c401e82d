//! A hardware queue with user-mode submission: the submit loop done right.
//!
//! One submission on a connected doorbell, in this order:
//!
//! 1. build the command buffer, a fence signal of value *n* + 1 as its last packet;
//! 2. store *n* + 1 to the last-queued word;
//! 3. write the ring entry;
//! 4. store the write pointer with release: this makes 1 to 3 visible together;
//! 5. ring;
//! 6. full fence, then read the status.
//!
//! No lock, no allocation, no kernel entry. Everything else (no slot known to be free, any status
//! but `CONNECTED`) leaves that path.
//!
//! A submission is appended once. When its ring went nowhere it is *rung* again after connecting,
//! never written again: a ring is only a hint to look at the write pointer.

use std::sync::Arc;
use std::thread::yield_now;

use core::fmt;
use core::time::Duration;

use carillon_hw::queue::QueueId;
use carillon_hw::ring::RingEntry;

use crate::bell::RingAt;
use crate::command::{CommandBuilder, CommandError};
use crate::feed::{Feed, FeedMemory, Retired};
use crate::kmt::{
    DeviceHandle, DoorbellHandle, DoorbellStatus, FeatureId, Kmt, KmtError, NodeOrdinal,
    QueueHandle,
};
use crate::objects::{CreateError, Objects};
use crate::probe::{self, Point};
use crate::progress::Progress;
use crate::submit::{FenceValue, QueueLost, Submit, SubmitError, WaitError};

/// Times that the read pointer is looked at after its fence was signaled. The device reports it
/// after the buffer's last packet, so it is a moment behind the fence.
pub(crate) const REPORT_LOOKS: u32 = 10_000;

/// How to create a [`UserQueue`].
#[derive(Clone, Copy, Debug)]
pub struct UserQueueConfig {
    /// The ring has two to the power of this many entries, 7 to 16.
    pub ring_entries_log2: u32,
    /// Doublewords for the commands of one submission, its fence signal (8) included.
    pub command_dwords: u32,
    /// How long a submission waits for a slot.
    pub full_timeout: Duration,
    /// How long dropping waits for what was submitted.
    pub drain_timeout: Duration,
    /// How often one submission connects its doorbell before it gives up ringing, at least 1.
    pub connect_attempts: u32,
    /// The doorbell has a second address; see [`UserQueue::ring_at`].
    pub secondary_doorbell: bool,
}

impl Default for UserQueueConfig {
    fn default() -> Self {
        Self {
            ring_entries_log2: 7,
            command_dwords: 64,
            // The operating system declares an engine hung after as long.
            full_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(2),
            connect_attempts: 64,
            secondary_doorbell: false,
        }
    }
}

/// What a queue has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Command buffers submitted.
    pub submissions: u64,
    /// Stores to the doorbell.
    pub rings: u64,
    /// Rings after which the status was `DISCONNECTED_RETRY`.
    pub retries: u64,
    /// Times that the doorbell was connected.
    pub connects: u64,
    /// Times that the driver was notified.
    pub notifies: u64,
    /// Submissions that found the ring full.
    pub full_waits: u64,
}

/// A hardware queue fed through a doorbell; see the [module](self).
pub struct UserQueue {
    pub(crate) feed: Feed,
    progress: Progress,
    pub(crate) queue: QueueHandle,
    pub(crate) lost: Option<QueueLost>,
    /// The doorbell has been connected, or was found so.
    started: bool,
    /// The last submission is in the ring and its ring did not come through.
    unrung: bool,
    /// Without what the connected path would have to count: see [`Self::counters`].
    counters: Counters,
    pub(crate) config: UserQueueConfig,
    /// The ring that was replaced, while there is work in it.
    pub(crate) retired: Option<Retired>,
    pub(crate) objects: Objects,
}

impl fmt::Debug for UserQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserQueue")
            .field("queue", &self.queue)
            .field("feed", &self.feed)
            .field("retired", &self.retired)
            .field("progress", &self.progress)
            .field("lost", &self.lost)
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

impl UserQueue {
    /// Creates context, ring, control block, command memory, hardware queue and doorbell. The
    /// doorbell is connected by the first submission. The device outlives the queue.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub fn create(
        kmt: Arc<dyn Kmt>,
        device: DeviceHandle,
        node: NodeOrdinal,
        config: UserQueueConfig,
    ) -> Result<Self, CreateError> {
        FeedMemory::check(config.ring_entries_log2, config.command_dwords)?;
        if !kmt.is_feature_enabled(FeatureId::USER_MODE_SUBMISSION)? {
            return Err(CreateError::Feature(FeatureId::USER_MODE_SUBMISSION));
        }
        if !kmt.node_metadata(node)?.user_mode_submission {
            return Err(CreateError::Node(node));
        }

        let mut objects = Objects::new(kmt, device, node)?;
        let memory = FeedMemory::new(
            &mut objects,
            config.ring_entries_log2,
            config.command_dwords,
        )?;
        let queue = objects.queue(true)?;
        let secondary = config.secondary_doorbell;
        let feed = memory.doorbell(&mut objects, queue.handle, false, secondary)?;
        Ok(Self {
            feed,
            progress: Progress::new(queue.progress_fence),
            queue: queue.handle,
            lost: None,
            started: false,
            unrung: false,
            counters: Counters::default(),
            config,
            retired: None,
            objects,
        })
    }

    /// Handle of the hardware queue.
    pub const fn handle(&self) -> QueueHandle {
        self.queue
    }

    /// Handle of the doorbell.
    pub const fn doorbell(&self) -> DoorbellHandle {
        self.feed.bell.handle()
    }

    /// How the driver names the hardware queue.
    pub const fn id(&self) -> QueueId {
        self.feed.bell.queue()
    }

    /// Number of entries of the ring.
    pub const fn ring_entries(&self) -> u64 {
        self.feed.ring.entries()
    }

    /// What the doorbell's status word says now.
    pub fn status(&self) -> DoorbellStatus {
        match self.lost {
            // There is no doorbell any more.
            Some(QueueLost::Resize(_)) => DoorbellStatus::DISCONNECTED_ABORT,
            _ => self.feed.bell.status(),
        }
    }

    /// Chooses where submissions ring from now on; false (and nothing changed) if the doorbell has
    /// no such address. Threads that take turns at a queue can each have an address of their
    /// own.
    pub const fn ring_at(&mut self, at: RingAt) -> bool {
        self.feed.bell.ring_at(at)
    }

    /// Why the queue is lost, if it is.
    pub const fn lost(&self) -> Option<QueueLost> {
        self.lost
    }

    /// What the queue has done so far.
    pub const fn counters(&self) -> Counters {
        // Each submission rings once by itself; only further rings are counted as they happen.
        let submissions = self.progress.queued().0;
        Counters {
            submissions,
            rings: submissions + self.counters.rings,
            ..self.counters
        }
    }

    /// Rings again, connecting as often as needed: after [`SubmitError::Unrung`]. Harmless at any
    /// other time.
    ///
    /// # Errors
    /// [`SubmitError::Unrung`] again, or the queue is lost.
    pub fn ring_again(&mut self) -> Result<(), SubmitError> {
        if let Some(lost) = self.lost {
            return Err(lost.into());
        }
        self.counters.rings += 1;
        let status = self.feed.bell.ring(self.feed.ring.write());
        self.settle(status)
    }

    /// Waits for everything submitted, then destroys the queue: as dropping does, but says what
    /// went wrong.
    ///
    /// # Errors
    /// The first thunk that failed. Memory that the device may still use is kept then.
    pub fn close(mut self) -> Result<(), KmtError> {
        self.drain();
        // SAFETY: `self` ends here, and its drop uses no word once the queue counts as lost,
        // which `drain` leaves behind.
        unsafe { self.objects.tear_down() }
    }

    /// Waits for what was submitted, for a while. The queue counts as lost afterwards.
    fn drain(&mut self) {
        if self.lost.is_none() {
            let _ = self.wait(self.progress.queued(), self.config.drain_timeout);
            let _ = self.lose(QueueLost::Aborted);
        }
    }

    /// Remembers why the queue is lost; the next submission finds it on the slow path.
    pub(crate) fn lose(&mut self, lost: QueueLost) -> QueueLost {
        self.feed.ring.drop_credits();
        *self.lost.get_or_insert(lost)
    }

    pub(crate) fn connect(&mut self) -> Result<(), QueueLost> {
        self.counters.connects += 1;
        self.objects
            .kmt()
            .connect_doorbell(self.feed.bell.handle())
            .map_err(|error| self.lose(QueueLost::Connect(error)))?;
        self.started = true;
        Ok(())
    }

    /// Acts on the status read after a ring until the ring is known to have come through.
    #[cold]
    fn settle(&mut self, mut status: DoorbellStatus) -> Result<(), SubmitError> {
        let mut attempts = 0;
        loop {
            match status {
                DoorbellStatus::CONNECTED => break,
                DoorbellStatus::CONNECTED_NOTIFY_KMD => {
                    self.counters.notifies += 1;
                    match self
                        .objects
                        .kmt()
                        .notify_work_submission(self.feed.bell.handle())
                    {
                        Ok(()) => break,
                        // Disconnected between the load and the thunk: the new status decides.
                        Err(_) if self.feed.bell.status() != status => {}
                        Err(error) => return Err(self.lose(QueueLost::Notify(error)).into()),
                    }
                }
                DoorbellStatus::DISCONNECTED_RETRY => self.counters.retries += 1,
                DoorbellStatus::DISCONNECTED_ABORT => {
                    return Err(self.lose(QueueLost::Aborted).into());
                }
                unknown => return Err(self.lose(QueueLost::Status(unknown)).into()),
            }
            if attempts >= self.config.connect_attempts {
                self.unrung = true;
                return Err(SubmitError::Unrung {
                    value: self.progress.queued(),
                    attempts,
                });
            }
            if attempts > 0 {
                // Whoever took the doorbell needs the processor to finish with it.
                yield_now();
            }
            attempts += 1;
            if self.feed.bell.status() == DoorbellStatus::DISCONNECTED_RETRY {
                self.connect()?;
            }
            self.counters.rings += 1;
            status = self.feed.bell.ring(self.feed.ring.write());
        }
        self.unrung = false;
        Ok(())
    }

    /// Everything that may stand before a submission when no slot is known to be free.
    #[cold]
    fn make_room(&mut self) -> Result<(), SubmitError> {
        if let Some(lost) = self.lost {
            return Err(lost.into());
        }
        if !self.started {
            // A new doorbell has to be connected once before its first ring.
            if self.feed.bell.status() == DoorbellStatus::DISCONNECTED_RETRY {
                self.connect()?;
            }
            self.started = true;
        }
        self.retire_some();
        if self.refill()? {
            return Ok(());
        }
        self.counters.full_waits += 1;
        // The ring is full of the last submissions; the oldest of them frees the first slot.
        let oldest = FenceValue(self.progress.queued().0 - (self.feed.ring.entries() - 1));
        let timeout = self.config.full_timeout;
        match self.wait(oldest, timeout) {
            Ok(()) => {}
            Err(WaitError::Lost(lost)) => return Err(lost.into()),
            Err(WaitError::Kmt(error)) => return Err(error.into()),
            Err(WaitError::TimedOut { .. } | WaitError::NeverQueued { .. }) => {
                return Err(SubmitError::Full(timeout));
            }
        }
        for _ in 0..REPORT_LOOKS {
            if self.refill()? {
                return Ok(());
            }
            yield_now();
        }
        Err(SubmitError::Full(timeout))
    }

    fn refill(&mut self) -> Result<bool, QueueLost> {
        match self.feed.ring.refill() {
            Ok(free) => Ok(free != 0),
            Err(bad) => Err(self.lose(QueueLost::ReadPointer(bad))),
        }
    }
}

impl Submit for UserQueue {
    fn submit<F>(&mut self, build: F) -> Result<FenceValue, SubmitError>
    where
        F: FnOnce(&mut CommandBuilder<'_>) -> Result<(), CommandError>,
    {
        if !self.feed.ring.has_credit() {
            self.make_room()?;
        }
        let value = self.progress.next();
        let signal = self.progress.signal(value);
        // A free ring slot is a free command slot: the device reports the read pointer when it has
        // finished with the buffer.
        let commands = self
            .feed
            .commands
            .build(self.feed.ring.write(), build, Some(&signal))?;
        // The length is that of an arena slot, so only a crooked address can be refused.
        let entry =
            RingEntry::user(commands.address, commands.dwords).ok_or(CommandError::Misaligned {
                value: commands.address.0,
                alignment: 4,
            })?;
        self.progress.advance();
        self.feed.bell.publish_last_queued(value.0);
        self.feed.ring.write_entry(entry);
        probe::at(Point::Queued);
        self.feed.ring.publish();
        probe::at(Point::Published);
        let status = self.feed.bell.ring(self.feed.ring.write());
        if status != DoorbellStatus::CONNECTED {
            self.settle(status)?;
        }
        Ok(value)
    }

    /// Waits without connecting: the driver owes a look at the write pointer to every queue that it
    /// takes a doorbell from, so a submission whose status was read needs no ring any more.
    fn wait(&mut self, value: FenceValue, timeout: Duration) -> Result<(), WaitError> {
        match self.progress.spin(value) {
            Ok(true) => {
                self.retire_some();
                return Ok(());
            }
            Ok(false) => {}
            Err(WaitError::Lost(lost)) => return Err(self.lose(lost).into()),
            Err(error) => return Err(error),
        }
        if let Some(lost) = self.lost {
            return Err(lost.into());
        }
        if self.unrung
            && let Err(SubmitError::Lost(lost)) = self.ring_again()
        {
            return Err(lost.into());
        }
        self.check_abort()?;
        match self.progress.sleep(self.objects.kmt(), value, timeout) {
            Ok(()) => {
                self.retire_some();
                Ok(())
            }
            Err(WaitError::Lost(lost)) => Err(self.lose(lost).into()),
            Err(error) => {
                self.check_abort()?;
                Err(error)
            }
        }
    }

    fn completed(&self) -> FenceValue {
        FenceValue(self.progress.current())
    }

    fn queued(&self) -> FenceValue {
        self.progress.queued()
    }
}

impl UserQueue {
    /// Gives up a ring that was replaced, if it is time. What cannot go now goes with the queue.
    fn retire_some(&mut self) {
        if self.is_resizing() {
            let _ = self.retire();
        }
    }

    fn check_abort(&mut self) -> Result<(), QueueLost> {
        if self.feed.bell.status() == DoorbellStatus::DISCONNECTED_ABORT {
            return Err(self.lose(QueueLost::Aborted));
        }
        Ok(())
    }
}

impl Drop for UserQueue {
    fn drop(&mut self) {
        // `objects` goes after this and destroys the rest.
        self.drain();
    }
}
