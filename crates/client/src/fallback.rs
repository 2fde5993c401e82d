//! A hardware queue that the kernel feeds: where work goes when a user-mode queue is lost or
//! cannot be had.

use std::sync::Arc;

use core::fmt;
use core::time::Duration;

use crate::command::{CommandArena, CommandBuilder, CommandError};
use crate::kmt::{DeviceHandle, Kmt, KmtError, NodeOrdinal, QueueHandle, SubmitCommand};
use crate::objects::{CreateError, Objects};
use crate::progress::Progress;
use crate::submit::{FenceValue, QueueLost, Submit, SubmitError, WaitError};

/// How to create a [`KernelQueue`].
#[derive(Clone, Copy, Debug)]
pub struct KernelQueueConfig {
    /// Submissions that may be in flight.
    pub slots: u32,
    /// Doublewords for the commands of one submission.
    pub command_dwords: u32,
    /// How long a submission waits for a slot.
    pub full_timeout: Duration,
    /// How long dropping waits for what was submitted.
    pub drain_timeout: Duration,
}

impl Default for KernelQueueConfig {
    fn default() -> Self {
        Self {
            slots: 64,
            command_dwords: 64,
            full_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(2),
        }
    }
}

/// A hardware queue fed by `D3DKMTSubmitCommandToHwQueue`: one kernel entry per submission.
pub struct KernelQueue {
    progress: Progress,
    commands: CommandArena,
    queue: QueueHandle,
    lost: Option<QueueLost>,
    config: KernelQueueConfig,
    objects: Objects,
}

impl fmt::Debug for KernelQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelQueue")
            .field("queue", &self.queue)
            .field("progress", &self.progress)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

impl KernelQueue {
    /// Creates context, command memory and hardware queue. The device outlives the queue.
    ///
    /// # Errors
    /// See [`CreateError`].
    pub fn create(
        kmt: Arc<dyn Kmt>,
        device: DeviceHandle,
        node: NodeOrdinal,
        config: KernelQueueConfig,
    ) -> Result<Self, CreateError> {
        let slots = u64::from(config.slots);
        let command_size = CreateError::CommandSize {
            slots,
            dwords: config.command_dwords,
        };
        let bytes = CommandArena::bytes(slots, config.command_dwords).ok_or(command_size)?;
        let mut objects = Objects::new(kmt, device, node)?;
        let memory = objects.memory(bytes)?;
        let commands = CommandArena::new(memory.cpu, memory.gpu, slots, config.command_dwords)
            .ok_or(command_size)?;
        let queue = objects.queue(false)?;
        Ok(Self {
            progress: Progress::new(queue.progress_fence),
            commands,
            queue: queue.handle,
            lost: None,
            config,
            objects,
        })
    }

    /// Handle of the hardware queue.
    pub const fn handle(&self) -> QueueHandle {
        self.queue
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
            self.lost = Some(QueueLost::Aborted);
        }
    }

    /// Waits until the slot of the next submission is free.
    fn make_room(&mut self, next: FenceValue) -> Result<(), SubmitError> {
        let Some(last_user) = next.0.checked_sub(self.commands.slots()) else {
            return Ok(());
        };
        let timeout = self.config.full_timeout;
        match self.wait(FenceValue(last_user), timeout) {
            Ok(()) => Ok(()),
            Err(WaitError::Lost(lost)) => Err(lost.into()),
            Err(WaitError::Kmt(error)) => Err(error.into()),
            Err(WaitError::TimedOut { .. } | WaitError::NeverQueued { .. }) => {
                Err(SubmitError::Full(timeout))
            }
        }
    }
}

impl Submit for KernelQueue {
    fn submit<F>(&mut self, build: F) -> Result<FenceValue, SubmitError>
    where
        F: FnOnce(&mut CommandBuilder<'_>) -> Result<(), CommandError>,
    {
        if let Some(lost) = self.lost {
            return Err(lost.into());
        }
        let value = self.progress.next();
        self.make_room(value)?;
        // Whoever builds the buffer ends it with the progress fence (ledger HWQ-011).
        let tail = self.progress.signal(value);
        let commands = self.commands.build(value.0, build, Some(&tail))?;
        self.objects
            .kmt()
            .submit_command_to_hw_queue(&SubmitCommand {
                queue: self.queue,
                command_buffer: commands.address,
                command_bytes: commands.bytes(),
                progress_fence_value: value.0,
            })?;
        self.progress.advance();
        Ok(value)
    }

    fn wait(&mut self, value: FenceValue, timeout: Duration) -> Result<(), WaitError> {
        if self.progress.spin(value)? {
            return Ok(());
        }
        self.progress.sleep(self.objects.kmt(), value, timeout)
    }

    fn completed(&self) -> FenceValue {
        FenceValue(self.progress.current())
    }

    fn queued(&self) -> FenceValue {
        self.progress.queued()
    }
}

impl Drop for KernelQueue {
    fn drop(&mut self) {
        // `objects` goes after this and destroys the rest.
        self.drain();
    }
}
