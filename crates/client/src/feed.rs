//! One way into a hardware queue: a ring, the memory for its commands, and the doorbell that was
//! created for it. A queue has one at a time, and for a while two when its ring is replaced.

use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::ring::{CONTROL_BYTES, RingSize};
use zerocopy::IntoBytes;

use crate::bell::Bell;
use crate::command::CommandArena;
use crate::kmt::{AllocationHandle, CreateDoorbell, DoorbellHandle, QueueHandle};
use crate::objects::{CreateError, Memory, Objects};
use crate::ring::RingWriter;
use crate::submit::FenceValue;

/// The memory of a [`Feed`], before it has a doorbell.
#[derive(Debug)]
pub(crate) struct FeedMemory {
    ring: Memory,
    control: Memory,
    commands: CommandArena,
    command_memory: AllocationHandle,
    size: RingSize,
}

/// A ring with its doorbell.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) ring: RingWriter,
    pub(crate) bell: Bell,
    pub(crate) commands: CommandArena,
    memory: [AllocationHandle; 3],
}

/// A feed that nothing is published to any more. It goes when the device has read all of it.
#[derive(Debug)]
pub(crate) struct Retired {
    pub(crate) ring: RingWriter,
    pub(crate) doorbell: DoorbellHandle,
    pub(crate) memory: [AllocationHandle; 3],
    /// The last value that was submitted through it.
    pub(crate) last_value: FenceValue,
}

impl FeedMemory {
    /// Checks sizes and makes the memory. What was made on the way to a failure is still in
    /// `objects`.
    pub(crate) fn new(
        objects: &mut Objects,
        entries_log2: u32,
        command_dwords: u32,
    ) -> Result<Self, CreateError> {
        let size = RingSize::from_log2(entries_log2).ok_or(CreateError::RingSize(entries_log2))?;
        let command_size = CreateError::CommandSize {
            slots: size.entries(),
            dwords: command_dwords,
        };
        let command_bytes =
            CommandArena::bytes(size.entries(), command_dwords).ok_or(command_size)?;
        let ring = objects.memory(size.bytes())?;
        let control = objects.memory(CONTROL_BYTES)?;
        let memory = objects.memory(command_bytes)?;
        let commands = CommandArena::new(memory.cpu, memory.gpu, size.entries(), command_dwords)
            .ok_or(command_size)?;
        Ok(Self {
            ring,
            control,
            commands,
            command_memory: memory.handle,
            size,
        })
    }

    /// The sizes that [`Self::new`] would refuse, without making anything.
    pub(crate) fn check(entries_log2: u32, command_dwords: u32) -> Result<(), CreateError> {
        let size = RingSize::from_log2(entries_log2).ok_or(CreateError::RingSize(entries_log2))?;
        let slots = size.entries();
        CommandArena::bytes(slots, command_dwords)
            .map(drop)
            .ok_or(CreateError::CommandSize {
                slots,
                dwords: command_dwords,
            })
    }

    /// Creates the doorbell; with `resize` it replaces the queue's older one. What was made on the
    /// way to a failure is still in `objects`.
    pub(crate) fn doorbell(
        self,
        objects: &mut Objects,
        queue: QueueHandle,
        resize: bool,
        require_secondary: bool,
    ) -> Result<Feed, CreateError> {
        let bad_ring = CreateError::Memory {
            bytes: self.size.bytes(),
            mapped: self.ring.cpu.bytes(),
            address: self.ring.gpu,
        };
        let mut ring =
            RingWriter::new(self.ring.cpu, &self.control.cpu, self.size).ok_or(bad_ring)?;
        ring.refill().map_err(CreateError::RingInUse)?;
        // The first submission takes the slow path, which connects.
        ring.drop_credits();
        let private_data =
            DoorbellPrivateData::new(self.ring.gpu, self.control.gpu).ok_or(bad_ring)?;
        let doorbell = objects.doorbell(&CreateDoorbell {
            queue,
            ring: self.ring.handle,
            control: Some(self.control.handle),
            private_data: private_data.as_bytes(),
            resize,
            require_secondary,
        })?;
        if require_secondary && doorbell.secondary_address.is_none() {
            return Err(CreateError::NoSecondary);
        }
        let bell = Bell::new(doorbell).ok_or(CreateError::NoReply)?;
        Ok(Feed {
            ring,
            bell,
            commands: self.commands,
            memory: [self.ring.handle, self.control.handle, self.command_memory],
        })
    }
}

impl Feed {
    /// From now on only what is published already counts.
    pub(crate) fn retire(self, last_value: FenceValue) -> Retired {
        Retired {
            ring: self.ring,
            doorbell: self.bell.handle(),
            memory: self.memory,
            last_value,
        }
    }
}
