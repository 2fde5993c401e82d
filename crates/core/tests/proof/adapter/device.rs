//! A device that does what it is told when the test says so.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use carillon_core::error::Result;
use carillon_core::handle::OsHandle;
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::platform::{
    Blame, BusMemory, DisconnectOutcome, DisconnectReason, Platform, Ticks,
};
use carillon_hw::addr::{BusAddress, VramOffset};
use carillon_hw::event::{Event, slot_offset};
use carillon_hw::queue::{DEVICE_HALF_OFFSET, QueueDeviceHalf, QueueId, QueueState};
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, INTERFACE_MAJOR, Interrupts, MmuCaps, QueueCaps,
    QueueCommand, QueueOperation, Revision, Status, offset,
};
use carillon_hw::ring::{CONTROL_BYTES, READ_POINTER_OFFSET};
use parking_lot::Mutex;

use crate::lock::{CountedLock, held};

const VRAM: u64 = 32 << 20;

#[derive(Default)]
struct State {
    registers: HashMap<u64, u64>,
    vram: HashMap<u64, u64>,
    queues: HashMap<u32, QueueState>,
    /// Suspends under way, to be confirmed when the test says so.
    suspends: Vec<(u32, u32)>,
    events: u32,
    log: Vec<Notification>,
    memories: Vec<Words>,
}

type Words = Arc<Vec<AtomicU64>>;

#[derive(Default)]
pub(super) struct Device {
    state: Mutex<State>,
    pub(super) refusals: AtomicU32,
    pub(super) dpc: AtomicBool,
    /// The adapter has started. Until then local memory is zero and is stored to with zeros.
    pub(super) started: AtomicBool,
}

impl Device {
    pub(super) fn new() -> Self {
        let device = Self::default();
        let revision = Revision::new().with_major(INTERFACE_MAJOR).into_bits();
        let doorbells = DoorbellCaps::new().with_pages(2).into_bits();
        let queues = QueueCaps::new().with_max_queues_log2(10).with_engines(3);
        let mmu = MmuCaps::new().with_va_bits(48).with_levels(4).into_bits();
        device.state.lock().registers = HashMap::from([
            (offset::ID, u64::from(DEVICE_MAGIC)),
            (offset::REVISION, u64::from(revision)),
            (offset::DOORBELL_CAPS, u64::from(doorbells)),
            (offset::QUEUE_CAPS, u64::from(queues.into_bits())),
            (offset::VRAM_SIZE, VRAM),
            (offset::MMU_CAPS, u64::from(mmu)),
        ]);
        device
    }

    /// Reports, in order, since the device started.
    pub(super) fn log(&self) -> Vec<Notification> {
        self.state.lock().log.clone()
    }

    pub(super) fn suspends(&self) -> usize {
        self.state.lock().suspends.len()
    }

    pub(super) fn queue(&self, id: QueueId) -> Option<QueueState> {
        self.state.lock().queues.get(&id.0).copied()
    }

    /// The queue of the `which`th suspend under way leaves the run list: every suspend of that
    /// queue is done.
    pub(super) fn confirm(&self, which: usize, lost: bool) {
        let (queue, tags): (u32, Vec<u32>) = {
            let mut state = self.state.lock();
            let (queue, _) = state.suspends[which];
            let done = state.suspends.extract_if(.., |(of, _)| *of == queue);
            (queue, done.map(|(_, tag)| tag).collect())
        };
        if let Some(state) = self.state.lock().queues.get_mut(&queue)
            && *state == QueueState::RUNNABLE
        {
            *state = QueueState::SUSPENDED;
        }
        let queue = QueueId(queue);
        self.publish_state(queue);
        for tag in tags {
            self.post(Event::SuspendCompleted { queue, tag }, lost);
        }
    }

    fn publish_state(&self, queue: QueueId) {
        let mut state = self.state.lock();
        let value = state.queues.get(&queue.0).map_or(0, |s| u64::from(s.0));
        let field = core::mem::offset_of!(QueueDeviceHalf, state) as u64;
        let table = state.registers[&offset::QUEUE_TABLE];
        let at = table + queue.table_offset() + DEVICE_HALF_OFFSET + field;
        let shift = (at % 8) * 8;
        let word = state.vram.entry(at & !7).or_default();
        *word = *word & !(u64::from(u32::MAX) << shift) | value << shift;
    }

    /// The ring of `node` has been read up to `read`.
    pub(super) fn finish(&self, node: u32, read: u64, fence: u32, lost: bool) {
        let memory = self.state.lock().memories[node as usize].clone();
        let control = memory.len() as u64 * 8 - 8 - CONTROL_BYTES;
        let at = usize::try_from((control + READ_POINTER_OFFSET) / 8).unwrap();
        memory[at].store(read, Ordering::SeqCst);
        let queue = QueueId(node);
        let cookie = fence.into();
        self.post(Event::BufferCompleted { queue, cookie }, lost);
    }

    /// Writes an event, or loses it, and interrupts.
    pub(super) fn post(&self, event: Event, lost: bool) {
        let mut state = self.state.lock();
        let raised = if lost {
            Interrupts::new().with_overflow(true)
        } else {
            let index = state.events;
            state.events += 1;
            let entries = u32::try_from(state.registers[&offset::EVENT_RING_ENTRIES]).unwrap();
            let base = state.registers[&offset::EVENT_RING] + slot_offset(index, entries);
            let words: [u64; 4] = zerocopy::transmute!(event.encode(index));
            for (at, word) in (base..).step_by(8).zip(words) {
                state.vram.insert(at, word);
            }
            Interrupts::new().with_events(true)
        };
        let status = state.registers.entry(offset::INTERRUPT_STATUS).or_default();
        *status |= u64::from(raised.into_bits());
    }

    fn command(&self, command: QueueCommand) {
        let id = command.queue();
        let mut state = self.state.lock();
        let old = state.queues.get(&id).copied();
        let new = match command.operation().unwrap() {
            QueueOperation::Activate => QueueState::RUNNABLE,
            QueueOperation::Deactivate => QueueState::INACTIVE,
            QueueOperation::Resume if old == Some(QueueState::SUSPENDED) => QueueState::RUNNABLE,
            QueueOperation::Suspend if old == Some(QueueState::RUNNABLE) => {
                state.suspends.push((id, command.tag()));
                return;
            }
            QueueOperation::Suspend => {
                drop(state);
                let (queue, tag) = (QueueId(id), command.tag());
                return self.post(Event::SuspendCompleted { queue, tag }, false);
            }
            _ => return,
        };
        state.queues.insert(id, new);
        drop(state);
        self.publish_state(QueueId(id));
    }
}

impl Platform for Device {
    type PassiveLock = parking_lot::RawMutex;
    type SpinLock = CountedLock;
    type BusMemory = Memory;

    fn now(&self) -> Ticks {
        Ticks(0)
    }

    fn rest(&self, _passive: Passive<'_>, _time: Ticks) {
        panic!("there is nothing to wait for");
    }

    fn pause(&self, _passive: Passive<'_>) {
        panic!("there is nothing to wait for");
    }

    fn read32(&self, at: u64) -> u32 {
        u32::try_from(self.read64(at)).unwrap()
    }

    fn read64(&self, at: u64) -> u64 {
        let state = self.state.lock();
        state.registers.get(&at).copied().unwrap_or(0)
    }

    fn write32(&self, at: u64, value: u32) {
        let mut state = self.state.lock();
        match at {
            offset::CONTROL => {
                let enabled = Control::from_bits(value).enable();
                let status = Status::new().with_enabled(enabled).into_bits();
                state.registers.insert(offset::STATUS, status.into());
            }
            offset::INTERRUPT_STATUS => {
                let status = state.registers.entry(at).or_default();
                *status &= !u64::from(value);
            }
            _ => {
                state.registers.insert(at, value.into());
            }
        }
    }

    fn write64(&self, at: u64, value: u64) {
        let goes_with_its_descriptor = at == offset::QUEUE_COMMAND
            && matches!(
                QueueCommand::from(value).operation(),
                Some(
                    QueueOperation::Activate
                        | QueueOperation::Reload
                        | QueueOperation::ChangeRing
                        | QueueOperation::TakeRing
                )
            );
        assert!(
            held() == 0 || goes_with_its_descriptor,
            "a register is written under a spin lock"
        );
        if at == offset::QUEUE_COMMAND {
            self.command(QueueCommand::from(value));
        } else {
            self.state.lock().registers.insert(at, value);
        }
    }

    fn vram_bytes(&self) -> u64 {
        VRAM
    }

    fn vram_load32(&self, at: VramOffset) -> u32 {
        let word = self.vram_load64(VramOffset(at.0 & !7));
        u32::try_from(word >> (at.0 % 8 * 8) & u64::from(u32::MAX)).unwrap()
    }

    fn vram_load64(&self, at: VramOffset) -> u64 {
        self.state.lock().vram.get(&at.0).copied().unwrap_or(0)
    }

    fn vram_store64(&self, at: VramOffset, value: u64) {
        if value == 0 && !self.started.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock();
        if value == 0 {
            state.vram.remove(&at.0);
        } else {
            state.vram.insert(at.0, value);
        }
    }

    fn allocate_bus_memory(&self, _passive: Passive<'_>, bytes: usize) -> Result<Memory> {
        let words: Words = Arc::new((0..bytes / 8).map(|_| AtomicU64::new(0)).collect());
        self.state.lock().memories.push(words.clone());
        Ok(Memory(words))
    }

    fn disconnect_doorbell(
        &self,
        _passive: Passive<'_>,
        _queue: OsHandle,
        _doorbell: OsHandle,
        _reason: DisconnectReason,
    ) -> DisconnectOutcome {
        panic!("there is no doorbell");
    }

    fn invalidate_context(&self, _passive: Passive<'_>, context: OsHandle, _blame: Blame) {
        panic!("no engine is reset, but the OS is told of {context:?}");
    }

    fn notify(&self, _dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        assert_eq!(held(), 0, "a lock is held across a report");
        let refuse = |left: u32| left.checked_sub(1);
        let refused = self
            .refusals
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse);
        if refused.is_err() {
            self.state.lock().log.push(*notification);
        }
        refused.is_err()
    }

    fn queue_dpc(&self) {
        self.dpc.store(true, Ordering::SeqCst);
    }
}

pub(super) struct Memory(Words);

impl BusMemory for Memory {
    fn address(&self) -> BusAddress {
        BusAddress(0x8000_0000)
    }

    fn bytes(&self) -> usize {
        self.0.len() * 8
    }

    fn load64(&self, at: usize) -> u64 {
        self.0[at / 8].load(Ordering::SeqCst)
    }

    fn store64(&self, at: usize, value: u64) {
        self.0[at / 8].store(value, Ordering::SeqCst);
    }
}
