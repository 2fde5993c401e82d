//! A client without judgement: it writes the ring entries, write pointers and rings that it is
//! told to write. For measuring single steps, and for playing hostile clients.

use std::sync::Arc;

use carillon_client::kmt::{
    AllocationHandle, ContextHandle, CreateDoorbell, CreateHwQueue, DeviceHandle, Doorbell,
    DoorbellStatus, HwQueue, Kmt, KmtError, NodeOrdinal,
};
use carillon_client::memory::Mapping;
use carillon_hw::addr::GpuVa;
use carillon_hw::allocation::{AllocationPrivateData, Placement};
use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::packet::{MAX_FIXED_DWORDS, Packet};
use carillon_hw::ring::{
    CONTROL_BYTES, READ_POINTER_OFFSET, RingEntry, RingSize, WRITE_POINTER_OFFSET,
};
use zerocopy::IntoBytes;

use super::machine::Failure;

/// Doublewords that one slot of command memory holds.
const SLOT_DWORDS: usize = 64;
const DWORD_BYTES: usize = 4;

/// An allocation with its views.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Its handle.
    pub handle: AllocationHandle,
    /// The CPU's view.
    pub cpu: Mapping,
    /// The GPU's address.
    pub gpu: GpuVa,
}

/// Makes a resident, mapped allocation in system memory.
///
/// # Errors
/// The thunk that failed.
pub fn system_memory(kmt: &dyn Kmt, device: DeviceHandle, bytes: u64) -> Result<Memory, KmtError> {
    let data = AllocationPrivateData::new(Placement::System, bytes);
    let handle = kmt.create_allocation(device, data.as_bytes())?;
    kmt.make_resident(device, &[handle])?;
    Ok(Memory {
        handle,
        cpu: kmt.lock(device, handle)?,
        gpu: kmt.map_gpu_virtual_address(device, handle)?,
    })
}

/// A ring, memory for its commands, and the doorbell that was created for it.
#[derive(Debug)]
pub struct RawRing {
    size: RingSize,
    ring: Memory,
    control: Memory,
    commands: Memory,
    doorbell: Doorbell,
    write: u64,
}

/// How a [`RawRing`] is created.
#[derive(Clone, Copy, Debug)]
pub struct RingConfig {
    /// The ring has two to the power of this many entries.
    pub entries_log2: u32,
    /// `ResizeRingBufferOperation`
    pub resize: bool,
    /// `RequireSecondaryCpuVA`
    pub secondary: bool,
}

impl Default for RingConfig {
    /// The smallest ring, for a new queue.
    fn default() -> Self {
        Self {
            entries_log2: 7,
            resize: false,
            secondary: false,
        }
    }
}

impl RawRing {
    /// Makes memory, then the doorbell, for a queue that exists.
    ///
    /// # Errors
    /// The thunk that failed; the memory stays with the device.
    pub fn create(
        kmt: &dyn Kmt,
        device: DeviceHandle,
        queue: &HwQueue,
        config: RingConfig,
    ) -> Result<Self, Failure> {
        let size = RingSize::from_log2(config.entries_log2).ok_or("no size of a ring")?;
        let ring = system_memory(kmt, device, size.bytes())?;
        let control = system_memory(kmt, device, CONTROL_BYTES)?;
        let slots = usize::try_from(size.entries())?;
        let command_bytes = (slots * SLOT_DWORDS * DWORD_BYTES) as u64;
        let commands = system_memory(kmt, device, command_bytes)?;
        let data = DoorbellPrivateData::new(ring.gpu, control.gpu).ok_or("ring is page aligned")?;
        let doorbell = kmt.create_doorbell(&CreateDoorbell {
            queue: queue.handle,
            ring: ring.handle,
            control: Some(control.handle),
            private_data: data.as_bytes(),
            resize: config.resize,
            require_secondary: config.secondary,
        })?;
        Ok(Self {
            size,
            ring,
            control,
            commands,
            doorbell,
            write: 0,
        })
    }

    /// The doorbell.
    pub const fn doorbell(&self) -> &Doorbell {
        &self.doorbell
    }

    /// The status word.
    pub fn status(&self) -> DoorbellStatus {
        DoorbellStatus(self.doorbell.status.load_acquire())
    }

    /// The write pointer after everything staged.
    pub const fn write_pointer(&self) -> u64 {
        self.write
    }

    /// The read pointer as the device reported it.
    pub fn read_pointer(&self) -> Option<u64> {
        let at = usize::try_from(READ_POINTER_OFFSET).ok()?;
        Some(self.control.cpu.word(at)?.load_acquire())
    }

    /// Handles and addresses of ring, control block and command memory.
    pub const fn memory(&self) -> [&Memory; 3] {
        [&self.ring, &self.control, &self.commands]
    }
}

/// A user-mode queue in the hands of somebody who does what he likes.
#[derive(Debug)]
pub struct RawQueue {
    feed: RawRing,
    context: ContextHandle,
    queue: HwQueue,
}

impl RawQueue {
    /// A queue with its doorbell, not connected.
    ///
    /// # Errors
    /// The thunk that failed.
    pub fn create(
        kmt: &Arc<dyn Kmt>,
        device: DeviceHandle,
        node: NodeOrdinal,
    ) -> Result<Self, Failure> {
        Self::create_with(&**kmt, device, node, RingConfig::default())
    }

    /// A queue with another first ring.
    ///
    /// # Errors
    /// The thunk that failed.
    pub fn create_with(
        kmt: &dyn Kmt,
        device: DeviceHandle,
        node: NodeOrdinal,
        config: RingConfig,
    ) -> Result<Self, Failure> {
        let context: ContextHandle = kmt.create_hw_context(device, node)?;
        let queue = kmt.create_hw_queue(&CreateHwQueue {
            context,
            user_mode_submission: true,
            private_data: &[],
        })?;
        let feed = RawRing::create(kmt, device, &queue, config)?;
        Ok(Self {
            feed,
            context,
            queue,
        })
    }

    /// Goes over to another ring of the same queue; the one before is the result.
    pub const fn switch(&mut self, to: RawRing) -> RawRing {
        std::mem::replace(&mut self.feed, to)
    }

    /// The ring that is written to.
    pub const fn feed(&self) -> &RawRing {
        &self.feed
    }

    /// The context of the queue.
    pub const fn context(&self) -> ContextHandle {
        self.context
    }

    /// The ring buffer.
    pub const fn ring_memory(&self) -> &Memory {
        &self.feed.ring
    }

    /// The ring control block.
    pub const fn control_memory(&self) -> &Memory {
        &self.feed.control
    }

    /// The queue.
    pub const fn queue(&self) -> &HwQueue {
        &self.queue
    }

    /// The doorbell.
    pub const fn doorbell(&self) -> &Doorbell {
        &self.feed.doorbell
    }

    /// The status word.
    pub fn status(&self) -> DoorbellStatus {
        DoorbellStatus(self.feed.doorbell.status.load_acquire())
    }

    /// The write pointer after everything staged.
    pub const fn write_pointer(&self) -> u64 {
        self.feed.write
    }

    /// The packet that signals the progress fence.
    pub const fn signal(&self, value: u64) -> Packet {
        Packet::FenceSignal {
            current: self.queue.progress_fence.current_value_gpu,
            monitored: self.queue.progress_fence.monitored_value_gpu,
            value,
            handle: self.queue.progress_fence.handle.0,
        }
    }

    /// Writes a command buffer and a ring entry for it; publishes nothing.
    ///
    /// # Errors
    /// When the packets do not fit a slot.
    pub fn stage(&mut self, packets: &[Packet]) -> Result<(), Failure> {
        let slot = usize::try_from(self.feed.write % self.feed.size.entries())?;
        let base = slot * SLOT_DWORDS * DWORD_BYTES;
        let mut dwords = 0;
        for packet in packets {
            let mut words = [0; MAX_FIXED_DWORDS];
            let count = packet
                .encode(&mut words)
                .ok_or("packet cannot be encoded")?;
            if dwords + count > SLOT_DWORDS {
                return Err("packets do not fit a slot".into());
            }
            for word in &words[..count] {
                let at = base + dwords * DWORD_BYTES;
                self.feed.commands.cpu.store_u32(at, *word).ok_or("slot")?;
                dwords += 1;
            }
        }
        let address = self
            .feed
            .commands
            .gpu
            .checked_add(base as u64)
            .ok_or("address")?;
        let entry = RingEntry::user(address, u32::try_from(dwords)?).ok_or("empty buffer")?;
        self.stage_entry(&entry)
    }

    /// Writes any ring entry, good or bad; publishes nothing.
    ///
    /// # Errors
    /// Never in a ring that exists.
    pub fn stage_entry(&mut self, entry: &RingEntry) -> Result<(), Failure> {
        let at = usize::try_from(self.feed.size.slot_offset(self.feed.write))?;
        let words = [
            entry.buffer,
            entry.meta.into_bits(),
            entry.cookie,
            entry.reserved,
        ];
        self.feed.ring.cpu.store_words(at, words).ok_or("slot")?;
        self.feed.write = self.feed.write.wrapping_add(1);
        Ok(())
    }

    /// Stores the write pointer of everything staged.
    ///
    /// # Errors
    /// Never in a control block that exists.
    pub fn publish(&self) -> Result<(), Failure> {
        self.publish_as(self.feed.write)
    }

    /// Stores any write pointer.
    ///
    /// # Errors
    /// Never in a control block that exists.
    pub fn publish_as(&self, write: u64) -> Result<(), Failure> {
        let at = usize::try_from(WRITE_POINTER_OFFSET)?;
        let word = self.feed.control.cpu.word(at).ok_or("write pointer")?;
        word.store_release(write);
        Ok(())
    }

    /// Stores `value` to the doorbell.
    pub fn ring(&self, value: u64) {
        self.feed.doorbell.address.store_release(value);
    }

    /// Value of the progress fence.
    pub fn completed(&self) -> u64 {
        self.queue.progress_fence.current_value.load_acquire()
    }
}
