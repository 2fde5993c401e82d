//! A kernel and a device that do what a test says, when it says.
//!
//! The device consumes the ring only when [`Fake::device_step`] runs. Everything it finds is
//! recorded, so that "exactly once and in order" is a comparison of vectors.

use std::collections::{BTreeMap, VecDeque};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use carillon_hw::addr::GpuVa;
use carillon_hw::allocation::AllocationPrivateData;
use carillon_hw::doorbell::{DoorbellPrivateData, DoorbellReply, NOT_RUNG};
use carillon_hw::packet::Packet;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::DoorbellModel;
use carillon_hw::ring::{RingEntry, RingSize};

use crate::kmt::*;
use crate::memory::{Mapping, ReadWord, SharedWord};
use crate::probe::{self, Point};

/// Words of the one page that holds everything but allocations.
#[derive(Clone, Copy)]
pub(crate) enum Word {
    Doorbell,
    Status,
    LastQueued,
    Fence,
    Secondary,
}

/// What [`Kmt::connect_doorbell`] and [`Kmt::notify_work_submission`] answer, first one first;
/// connected when it runs out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Connected,
    Notify,
    /// Connected, and gone before the thunk returns.
    TakenAtOnce,
    Abort,
    Fail,
}

/// A ring as the device knows it, and its doorbell.
#[derive(Clone, Copy)]
struct FakeRing {
    bell: u32,
    ring: GpuVa,
    control: GpuVa,
    size: RingSize,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct State {
    pub(crate) log: Vec<String>,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) notify_answers: VecDeque<Answer>,
    /// Thunk that fails, once.
    pub(crate) fail: Option<&'static str>,
    pub(crate) allocations: BTreeMap<u32, (Arc<[AtomicU64]>, GpuVa)>,
    next: u32,
    /// Start of write and read pointer in new allocations of one control block.
    pub(crate) start: u64,
    ring: Option<FakeRing>,
    /// The ring to go over to when `ring` has been read.
    next_ring: Option<FakeRing>,
    read: u64,
    /// Rings reach the device.
    pub(crate) mapped: bool,
    /// Values of `FenceSignal` and patterns of `Fill`, as they were consumed.
    pub(crate) signaled: Vec<u64>,
    pub(crate) fills: Vec<u32>,
    /// The last-queued word as each look found it, with the write pointer.
    pub(crate) looks: Vec<(u64, u64)>,
    /// Escapes, as they came in; the answer has every counter at 7.
    pub(crate) escapes: Vec<Vec<u8>>,
    /// Kernel-fed submissions.
    pub(crate) submitted: Vec<SubmitCommand>,
    /// The device holds still.
    pub(crate) paused: bool,
    /// The driver does not look at the write pointer when it connects.
    pub(crate) forgetful: bool,
    pub(crate) timeouts_immediate: bool,
    /// Doorbells have a secondary address.
    pub(crate) secondary: bool,
    pub(crate) private_out: [u8; DOORBELL_PRIVATE_DATA_BYTES],
}

pub(crate) struct Fake {
    state: Mutex<State>,
    words: Arc<[AtomicU64]>,
}

fn words(count: usize) -> Arc<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// What a driver leaves for the only queue, number 1.
fn dedicated_reply() -> [u8; DOORBELL_PRIVATE_DATA_BYTES] {
    zerocopy::transmute!(DoorbellReply::new(DoorbellModel::Dedicated, QueueId(1)))
}

impl Fake {
    pub(crate) fn new() -> Arc<Self> {
        let fake = Self {
            state: Mutex::new(State {
                log: Vec::new(),
                answers: VecDeque::new(),
                notify_answers: VecDeque::new(),
                fail: None,
                allocations: BTreeMap::new(),
                next: 1,
                start: 0,
                ring: None,
                next_ring: None,
                read: 0,
                mapped: false,
                signaled: Vec::new(),
                fills: Vec::new(),
                looks: Vec::new(),
                escapes: Vec::new(),
                submitted: Vec::new(),
                paused: false,
                forgetful: false,
                timeouts_immediate: true,
                secondary: false,
                private_out: dedicated_reply(),
            }),
            words: words(64),
        };
        fake.set(Word::Doorbell, NOT_RUNG);
        fake.set(Word::Secondary, NOT_RUNG);
        Arc::new(fake)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn slot(&self, word: Word) -> &AtomicU64 {
        &self.words[word as usize * 8]
    }

    pub(crate) fn get(&self, word: Word) -> u64 {
        self.slot(word).load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, word: Word, value: u64) {
        self.slot(word).store(value, Ordering::Release);
    }

    fn shared(&self, word: Word) -> SharedWord {
        let address = NonNull::from(self.slot(word)).cast();
        // SAFETY: the word lives as long as the fake, which queues hold by an `Arc`, and is an
        // `AtomicU64`.
        unsafe { SharedWord::new(address) }
    }

    fn read_only(&self, word: Word) -> ReadWord {
        self.shared(word).read_only()
    }

    /// Runs `hook` at every point of this thread's submissions; the device takes rings that reach
    /// it before that.
    pub(crate) fn hook(self: &Arc<Self>, mut hook: impl FnMut(&Fake, Point) + 'static) {
        let fake = Arc::clone(self);
        probe::install(move |point| {
            if point == Point::Rung {
                fake.device_takes_ring();
            }
            hook(&fake, point);
        });
    }

    /// The device only: no interference.
    pub(crate) fn plain(self: &Arc<Self>) {
        self.hook(|_, _| {});
    }

    /// Takes the page away: rotate, status, then the driver's look.
    pub(crate) fn disconnect(&self, status: DoorbellStatus) {
        self.state().mapped = false;
        self.set(Word::Status, status.0);
        fence(Ordering::SeqCst);
        self.device_step();
    }

    /// As [`Self::disconnect`], by a driver that forgets to look.
    pub(crate) fn disconnect_without_look(&self, status: DoorbellStatus) {
        self.state().mapped = false;
        self.set(Word::Status, status.0);
    }

    pub(crate) fn device_takes_ring(&self) {
        let take = |word| self.slot(word).swap(NOT_RUNG, Ordering::AcqRel) != NOT_RUNG;
        let rung = [Word::Doorbell, Word::Secondary].map(take);
        if rung.contains(&true) && self.state().mapped {
            self.device_step();
        }
    }

    /// One look, and everything it finds.
    pub(crate) fn device_step(&self) {
        while self.read_ring() {}
    }

    /// Reads what is in the ring; true if the device went over to another one then.
    fn read_ring(&self) -> bool {
        let mut state = self.state();
        let Some(FakeRing {
            ring,
            control,
            size,
            ..
        }) = state.ring
        else {
            return false;
        };
        let write = state.word_at(control).load(Ordering::Acquire);
        let last_queued = self.get(Word::LastQueued);
        state.looks.push((write, last_queued));
        if state.paused {
            return false;
        }
        let pending = size.pending(state.read, write).expect("write pointer");
        for _ in 0..pending {
            let at = GpuVa(ring.0 + size.slot_offset(state.read));
            let entry: RingEntry = zerocopy::transmute!(state.words_at::<4>(at));
            assert!(entry.is_plain() && entry.is_well_formed(), "{entry:?}");
            state.run(GpuVa(entry.buffer), entry.meta.dwords(), |value| {
                self.set(Word::Fence, value);
            });
            state.read = state.read.wrapping_add(1);
            let report = GpuVa(control.0 + 64);
            state.word_at(report).store(state.read, Ordering::Release);
        }
        state.go_over()
    }

    pub(crate) fn report_read_pointer(&self, value: u64) {
        let state = self.state();
        let control = state.ring.unwrap().control;
        state
            .word_at(GpuVa(control.0 + 64))
            .store(value, Ordering::Release);
    }

    pub(crate) fn write_pointer(&self) -> u64 {
        let state = self.state();
        let control = state.ring.unwrap().control;
        state.word_at(control).load(Ordering::Acquire)
    }

    /// Notes a call; the failure the test asked for, if any.
    fn call(&self, thunk: &'static str) -> Result<MutexGuard<'_, State>, KmtError> {
        let mut state = self.state();
        state.log.push(thunk.to_owned());
        if state.fail == Some(thunk) {
            state.fail = None;
            return Err(KmtError::new(thunk, NtStatus::NO_MEMORY));
        }
        Ok(state)
    }
}

impl State {
    /// Goes over to the next ring, if there is one.
    fn go_over(&mut self) -> bool {
        let Some(next) = self.next_ring.take() else {
            return false;
        };
        self.ring = Some(next);
        self.read = self.start;
        let report = GpuVa(next.control.0 + 64);
        self.word_at(report).store(self.read, Ordering::Release);
        true
    }

    fn word_at(&self, address: GpuVa) -> &AtomicU64 {
        let (words, start) = self
            .allocations
            .values()
            .find(|(words, start)| {
                address.0 >= start.0 && address.0 < start.0 + words.len() as u64 * 8
            })
            .unwrap_or_else(|| panic!("{address} is not mapped"));
        &words[usize::try_from((address.0 - start.0) / 8).unwrap()]
    }

    fn words_at<const N: usize>(&self, address: GpuVa) -> [u64; N] {
        std::array::from_fn(|i| {
            self.word_at(GpuVa(address.0 + i as u64 * 8))
                .load(Ordering::Relaxed)
        })
    }

    fn run(&mut self, buffer: GpuVa, dwords: u32, mut signal: impl FnMut(u64)) {
        let commands: Vec<u32> = (0..u64::from(dwords))
            .map(|i| {
                let at = buffer.0 + i * 4;
                let pair: [u32; 2] = zerocopy::transmute!(self.words_at::<1>(GpuVa(at - at % 8)));
                pair[usize::from(!at.is_multiple_of(8))]
            })
            .collect();
        let mut rest = &commands[..];
        while !rest.is_empty() {
            let packet = Packet::decode(rest, false).expect("packet");
            match packet {
                Packet::Fill { pattern, .. } => self.fills.push(pattern),
                Packet::FenceSignal { value, .. } => {
                    self.signaled.push(value);
                    signal(value);
                }
                _ => {}
            }
            rest = &rest[usize::from(packet.dwords())..];
        }
    }

    fn handle(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

impl Kmt for Fake {
    fn is_feature_enabled(&self, _: FeatureId) -> Result<bool, KmtError> {
        Ok(self.call("IsFeatureEnabled").is_ok())
    }

    fn node_count(&self) -> Result<u32, KmtError> {
        Ok(2)
    }

    fn node_metadata(&self, node: NodeOrdinal) -> Result<NodeMetadata, KmtError> {
        Ok(NodeMetadata {
            kind: EngineKind::THREE_D,
            user_mode_submission: node.0 == 0,
        })
    }

    fn create_device(&self) -> Result<DeviceHandle, KmtError> {
        Ok(DeviceHandle(1))
    }

    unsafe fn destroy_device(&self, _: DeviceHandle) -> Result<(), KmtError> {
        Ok(())
    }

    fn create_hw_context(
        &self,
        _: DeviceHandle,
        _: NodeOrdinal,
    ) -> Result<ContextHandle, KmtError> {
        let mut state = self.call("CreateHwContext")?;
        Ok(ContextHandle(state.handle()))
    }

    fn destroy_hw_context(&self, _: ContextHandle) -> Result<(), KmtError> {
        self.call("DestroyHwContext").map(drop)
    }

    fn create_allocation(
        &self,
        _: DeviceHandle,
        private_data: &[u8],
    ) -> Result<AllocationHandle, KmtError> {
        let mut state = self.call("CreateAllocation")?;
        let (_, bytes) = AllocationPrivateData::parse(private_data).expect("private data");
        let handle = state.handle();
        let memory = words(usize::try_from(bytes.div_ceil(4096) * 512).unwrap());
        if bytes == 128 {
            memory[0].store(state.start, Ordering::Relaxed);
            memory[8].store(state.start, Ordering::Relaxed);
        }
        let address = GpuVa(u64::from(handle) << 32);
        state.allocations.insert(handle, (memory, address));
        Ok(AllocationHandle(handle))
    }

    unsafe fn destroy_allocation(
        &self,
        _: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<(), KmtError> {
        let mut state = self.call("DestroyAllocation")?;
        state.allocations.remove(&allocation.0).expect("allocation");
        Ok(())
    }

    fn lock(&self, _: DeviceHandle, allocation: AllocationHandle) -> Result<Mapping, KmtError> {
        let state = self.call("Lock")?;
        let (words, _) = &state.allocations[&allocation.0];
        let base = NonNull::from(&words[0]).cast();
        // SAFETY: the words live in the map until the allocation is destroyed, are aligned to 8
        // and are reached as atomics everywhere.
        Ok(unsafe { Mapping::new(base, words.len() * 8) })
    }

    fn map_gpu_virtual_address(
        &self,
        _: DeviceHandle,
        allocation: AllocationHandle,
    ) -> Result<GpuVa, KmtError> {
        let state = self.call("MapGpuVirtualAddress")?;
        Ok(state.allocations[&allocation.0].1)
    }

    fn free_gpu_virtual_address(&self, _: DeviceHandle, _: GpuVa) -> Result<(), KmtError> {
        self.call("FreeGpuVirtualAddress").map(drop)
    }

    fn make_resident(&self, _: DeviceHandle, _: &[AllocationHandle]) -> Result<(), KmtError> {
        self.call("MakeResident").map(drop)
    }

    fn evict(&self, _: DeviceHandle, _: &[AllocationHandle]) -> Result<(), KmtError> {
        self.call("Evict").map(drop)
    }

    fn create_hw_queue(&self, _: &CreateHwQueue<'_>) -> Result<HwQueue, KmtError> {
        let mut state = self.call("CreateHwQueue")?;
        Ok(HwQueue {
            handle: QueueHandle(state.handle()),
            progress_fence: ProgressFence {
                handle: FenceHandle(state.handle()),
                current_value: self.read_only(Word::Fence),
                current_value_gpu: GpuVa(0xF000),
                monitored_value_gpu: GpuVa(0xF008),
            },
        })
    }

    unsafe fn destroy_hw_queue(&self, _: QueueHandle) -> Result<(), KmtError> {
        self.call("DestroyHwQueue").map(drop)
    }

    fn create_doorbell(&self, create: &CreateDoorbell<'_>) -> Result<Doorbell, KmtError> {
        let mut state = self.call("CreateDoorbell")?;
        let (ring, control) = DoorbellPrivateData::parse(create.private_data).expect("data");
        let bytes = state.allocations[&create.ring.0].0.len() as u64 * 8;
        let ring = FakeRing {
            bell: state.handle(),
            ring,
            control,
            size: RingSize::from_bytes(bytes).expect("ring size"),
        };
        if create.resize && state.ring.is_some() {
            assert!(state.next_ring.is_none(), "a third ring");
            state.next_ring = Some(ring);
        } else {
            state.ring = Some(ring);
            state.read = state.start;
        }
        self.set(Word::Status, DoorbellStatus::DISCONNECTED_RETRY.0);
        Ok(Doorbell {
            handle: DoorbellHandle(ring.bell),
            address: self.shared(Word::Doorbell),
            secondary_address: state.secondary.then(|| self.shared(Word::Secondary)),
            status: self.read_only(Word::Status),
            last_queued: self.shared(Word::LastQueued),
            private_data: state.private_out,
        })
    }

    fn connect_doorbell(&self, _: DoorbellHandle) -> Result<(), KmtError> {
        let mut state = self.call("ConnectDoorbell")?;
        let answer = state.answers.pop_front().unwrap_or(Answer::Connected);
        let (mapped, status) = match answer {
            Answer::Connected => (true, DoorbellStatus::CONNECTED),
            Answer::Notify => (true, DoorbellStatus::CONNECTED_NOTIFY_KMD),
            Answer::TakenAtOnce => (false, DoorbellStatus::DISCONNECTED_RETRY),
            Answer::Abort => (false, DoorbellStatus::DISCONNECTED_ABORT),
            Answer::Fail => {
                return Err(KmtError::new(
                    "D3DKMTConnectDoorbell",
                    NtStatus::DEVICE_REMOVED,
                ));
            }
        };
        self.set(Word::Doorbell, NOT_RUNG);
        state.mapped = mapped;
        self.set(Word::Status, status.0);
        let looks = mapped && !state.forgetful;
        drop(state);
        if looks {
            self.device_step();
        }
        Ok(())
    }

    unsafe fn destroy_doorbell(&self, bell: DoorbellHandle) -> Result<(), KmtError> {
        let mut state = self.call("DestroyDoorbell")?;
        if state.next_ring.is_some_and(|next| next.bell == bell.0) {
            state.next_ring = None;
        } else if state.ring.is_some_and(|ring| ring.bell == bell.0) && !state.go_over() {
            state.ring = None;
        }
        Ok(())
    }

    fn escape(&self, escape: Escape<'_>) -> Result<(), KmtError> {
        let mut state = self.call("Escape")?;
        state.escapes.push(escape.private_data.to_vec());
        let counters = escape.private_data.chunks_exact_mut(4).skip(4);
        counters.for_each(|counter| counter.copy_from_slice(&7_u32.to_le_bytes()));
        Ok(())
    }

    fn notify_work_submission(&self, _: DoorbellHandle) -> Result<(), KmtError> {
        let mut state = self.call("NotifyWorkSubmission")?;
        let answer = state.notify_answers.pop_front();
        drop(state);
        match answer {
            None => Ok(()),
            Some(Answer::TakenAtOnce) => {
                self.disconnect(DoorbellStatus::DISCONNECTED_RETRY);
                Err(KmtError::new(
                    "D3DKMTNotifyWorkSubmission",
                    NtStatus::INVALID_PARAMETER,
                ))
            }
            Some(_) => Err(KmtError::new(
                "D3DKMTNotifyWorkSubmission",
                NtStatus::DEVICE_REMOVED,
            )),
        }
    }

    fn submit_command_to_hw_queue(&self, submit: &SubmitCommand) -> Result<(), KmtError> {
        let mut state = self.call("SubmitCommandToHwQueue")?;
        state.submitted.push(*submit);
        if !state.paused {
            state.run(submit.command_buffer, submit.command_bytes / 4, |value| {
                self.set(Word::Fence, value);
            });
        }
        Ok(())
    }

    fn wait_for_fence(
        &self,
        _: FenceHandle,
        value: u64,
        timeout: Duration,
    ) -> Result<WaitOutcome, KmtError> {
        let immediate = self.call("WaitForFence")?.timeouts_immediate;
        let end = Instant::now() + timeout;
        loop {
            if self.get(Word::Fence) >= value {
                return Ok(WaitOutcome::Reached);
            }
            if immediate || Instant::now() >= end {
                return Ok(WaitOutcome::TimedOut);
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}
