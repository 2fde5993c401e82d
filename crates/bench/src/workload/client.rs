//! One user-mode queue doing copies and fills, against a shadow of what memory must hold.

use std::sync::Arc;
use std::time::Duration;

use carillon_client::kmt::{AllocationHandle, DeviceHandle, Kmt, NodeOrdinal};
use carillon_client::memory::Mapping;
use carillon_client::queue::{Counters, UserQueue, UserQueueConfig};
use carillon_client::submit::{FenceValue, Submit};
use carillon_hw::addr::GpuVa;
use carillon_hw::allocation::{AllocationPrivateData, Placement};
use zerocopy::IntoBytes;

use super::machine::Failure;
use super::raw::{Memory, system_memory};
use crate::dxgk::kmt;

/// Bytes of each of a client's two buffers.
const BUFFER_BYTES: usize = 32 * 1024;
/// Longest fill or copy.
const LONGEST: u64 = 2048;
/// How long the GPU may take for what is queued.
const PATIENCE: Duration = Duration::from_secs(30);

/// Random numbers that a seed repeats (SplitMix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// What a client has done and found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Counters of the submit loop.
    pub queue: Counters,
    /// Submissions that completed.
    pub completions: u64,
    /// Submissions that found their doorbell connected and the ring with room.
    pub connected_submissions: u64,
    /// Kernel entries of the client's thread during those.
    pub connected_entries: u64,
    /// Kernel entries during the others: connects, notifies, waits for room.
    pub other_entries: u64,
    /// Bytes compared with the shadow.
    pub bytes_compared: u64,
    /// Bytes that differed.
    pub bytes_wrong: u64,
    /// Fences that were behind the value that had been waited for.
    pub fences_wrong: u64,
}

/// A client at work.
pub struct Client {
    kmt: Arc<dyn Kmt>,
    device: DeviceHandle,
    queue: UserQueue,
    /// In system memory, the CPU sees it.
    near: Memory,
    /// In local memory, only the GPU sees it.
    far: GpuVa,
    far_handle: AllocationHandle,
    near_shadow: Vec<u8>,
    far_shadow: Vec<u8>,
    random: Random,
    tally: Tally,
}

impl Client {
    /// A queue on `node` of a new device of the process, its two buffers, and a shadow of them.
    ///
    /// # Errors
    /// The step that failed.
    pub fn create(kmt: Arc<dyn Kmt>, node: NodeOrdinal, seed: u64) -> Result<Self, Failure> {
        let device = kmt.create_device()?;
        let queue = UserQueue::create(
            kmt.clone(),
            device,
            node,
            UserQueueConfig {
                full_timeout: PATIENCE,
                drain_timeout: PATIENCE,
                connect_attempts: u32::MAX,
                ..UserQueueConfig::default()
            },
        )?;
        let near = system_memory(&*kmt, device, BUFFER_BYTES as u64)?;
        let data = AllocationPrivateData::new(Placement::Local, BUFFER_BYTES as u64);
        let far_handle = kmt.create_allocation(device, data.as_bytes())?;
        kmt.make_resident(device, &[far_handle])?;
        let far = kmt.map_gpu_virtual_address(device, far_handle)?;
        Ok(Self {
            kmt,
            device,
            queue,
            near,
            far,
            far_handle,
            near_shadow: vec![0; BUFFER_BYTES],
            far_shadow: vec![0; BUFFER_BYTES],
            random: Random::new(seed),
            tally: Tally::default(),
        })
    }

    /// What has been done so far.
    pub fn tally(&self) -> Tally {
        Tally {
            queue: self.queue.counters(),
            completions: self.queue.completed().0,
            ..self.tally
        }
    }

    /// Submits one random fill or copy and does the same to the shadow.
    ///
    /// # Errors
    /// The queue is lost.
    pub fn submit(&mut self) -> Result<FenceValue, Failure> {
        let entries = kmt::entries_of_this_thread();
        let before = self.queue.counters();
        let value = match self.random.below(4) {
            0 => self.fill(true)?,
            1 => self.fill(false)?,
            2 => self.copy(true)?,
            _ => self.copy(false)?,
        };
        let entries = kmt::entries_of_this_thread() - entries;
        let after = self.queue.counters();
        let connected = after.connects == before.connects
            && after.notifies == before.notifies
            && after.full_waits == before.full_waits;
        if connected {
            self.tally.connected_submissions += 1;
            self.tally.connected_entries += entries;
        } else {
            self.tally.other_entries += entries;
        }
        Ok(value)
    }

    fn fill(&mut self, near: bool) -> Result<FenceValue, Failure> {
        let bytes = 4 * self.random.below(LONGEST / 4);
        let at = 4 * self.random.below((BUFFER_BYTES as u64 - bytes) / 4);
        let pattern = u32::try_from(self.random.next() >> 32)?;
        let (base, shadow) = if near {
            (self.near.gpu, &mut self.near_shadow)
        } else {
            (self.far, &mut self.far_shadow)
        };
        let from = usize::try_from(at)?;
        for word in shadow[from..from + usize::try_from(bytes)?].chunks_exact_mut(4) {
            word.copy_from_slice(&pattern.to_le_bytes());
        }
        let target = base.checked_add(at).ok_or("address")?;
        Ok(self
            .queue
            .submit(|commands| commands.fill(target, bytes, pattern))?)
    }

    /// Copies between the buffers: towards the CPU or away from it.
    fn copy(&mut self, towards: bool) -> Result<FenceValue, Failure> {
        let bytes = self.random.below(LONGEST);
        let from = self.random.below(BUFFER_BYTES as u64 - bytes);
        let to = self.random.below(BUFFER_BYTES as u64 - bytes);
        let (source, target) = if towards {
            (self.far, self.near.gpu)
        } else {
            (self.near.gpu, self.far)
        };
        let range = |at: u64| -> Result<_, Failure> {
            let at = usize::try_from(at)?;
            Ok(at..at + usize::try_from(bytes)?)
        };
        let (read, write) = (range(from)?, range(to)?);
        if towards {
            self.near_shadow[write].copy_from_slice(&self.far_shadow[read]);
        } else {
            self.far_shadow[write].copy_from_slice(&self.near_shadow[read]);
        }
        let source = source.checked_add(from).ok_or("address")?;
        let target = target.checked_add(to).ok_or("address")?;
        Ok(self
            .queue
            .submit(|commands| commands.copy(source, target, bytes))?)
    }

    /// Waits for everything submitted.
    ///
    /// # Errors
    /// The fence does not come, or the queue is lost.
    pub fn wait(&mut self) -> Result<(), Failure> {
        let value = self.queue.queued();
        self.queue.wait(value, PATIENCE)?;
        if self.queue.completed() < value {
            self.tally.fences_wrong += 1;
        }
        Ok(())
    }

    /// Waits, then compares every byte that the CPU sees with the shadow.
    ///
    /// # Errors
    /// As for [`Self::wait`]. Bytes that differ are counted, not an error.
    pub fn compare(&mut self) -> Result<(), Failure> {
        self.wait()?;
        let wrong = differing(&self.near.cpu, &self.near_shadow)?;
        self.tally.bytes_compared += self.near_shadow.len() as u64;
        self.tally.bytes_wrong += wrong;
        Ok(())
    }

    /// Brings the far buffer to where the CPU sees it and compares that too; then ends the queue.
    ///
    /// # Errors
    /// The step that failed.
    pub fn finish(mut self) -> Result<Tally, Failure> {
        self.compare()?;
        let (source, target) = (self.far, self.near.gpu);
        self.near_shadow.copy_from_slice(&self.far_shadow);
        let bytes = BUFFER_BYTES as u64;
        self.queue
            .submit(|commands| commands.copy(source, target, bytes))?;
        self.compare()?;
        let tally = self.tally();
        let Self {
            kmt,
            device,
            queue,
            near,
            far,
            far_handle,
            ..
        } = self;
        queue.close()?;
        for (handle, address) in [(near.handle, near.gpu), (far_handle, far)] {
            kmt.free_gpu_virtual_address(device, address)?;
            kmt.evict(device, &[handle])?;
            // SAFETY: `near` was moved out of the client and its mapping is not used below.
            unsafe { kmt.destroy_allocation(device, handle) }?;
        }
        // SAFETY: every object of the device is gone, and with them every word of theirs.
        unsafe { kmt.destroy_device(device) }?;
        Ok(tally)
    }
}

fn differing(mapping: &Mapping, shadow: &[u8]) -> Result<u64, Failure> {
    let mut wrong = 0;
    for (at, expected) in (0..).step_by(4).zip(shadow.chunks_exact(4)) {
        let found = mapping.load_u32(at).ok_or("the mapping is too short")?;
        let pairs = found.to_le_bytes().into_iter().zip(expected);
        wrong += pairs.filter(|(found, expected)| found != *expected).count() as u64;
    }
    Ok(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [random.next(), random.next(), random.below(10)]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }
}
