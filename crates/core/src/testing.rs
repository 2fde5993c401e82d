//! A platform made of plain memory, for the tests of this crate.
//!
//! Registers are a map, local memory is a vector, dxgkrnl is a hook. It plays just enough device
//! for the adapter to start: reset completes at once, enable sets the status, `Deactivate` makes the
//! queue inactive.

use std::boxed::Box;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::vec;
use std::vec::Vec;

use carillon_hw::addr::{BusAddress, VramOffset};
use carillon_hw::queue::{
    DEVICE_HALF_OFFSET, QueueActivity, QueueDeviceHalf, QueueDriverHalf, QueueFault, QueueId,
    QueueState,
};
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, DoorbellControl, INTERFACE_MAJOR, MmuCaps, QueueCaps,
    QueueCommand, QueueOperation, Revision, Status, offset,
};

use crate::error::{Error, Result};
use crate::handle::OsHandle;
use crate::irql::{Dispatch, Passive};
use crate::notify::Notification;
use crate::platform::{Blame, BusMemory, DisconnectOutcome, DisconnectReason, Platform, Ticks};

/// Ticks of the device clock in a second.
pub(crate) const TIMESTAMP_FREQUENCY: u64 = 1_000_000_000;

/// What was done to the device, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Control(u64, DoorbellControl),
    Queue(QueueOperation, u32, u32),
    Callback(OsHandle),
    EngineReset(u32),
    EngineResume(u32),
    Invalidate(OsHandle, Blame),
}

type Reader = Box<dyn Fn(QueueOperation, QueueDriverHalf) + Send + Sync>;
type Hook = Box<dyn Fn(OsHandle, OsHandle) -> DisconnectOutcome + Send + Sync>;
type NotifyHook = Box<dyn Fn() + Send + Sync>;

pub(crate) struct Fake {
    pub(crate) registers: Mutex<HashMap<u64, u64>>,
    pub(crate) vram: Vec<AtomicU64>,
    pub(crate) deeds: Mutex<Vec<Deed>>,
    pub(crate) notifications: Mutex<Vec<Notification>>,
    pub(crate) refuse_notify: AtomicBool,
    pub(crate) dpcs: AtomicU64,
    pub(crate) clock: AtomicU64,
    pub(crate) pauses: AtomicU64,
    /// A busy queue, and the pauses after which it has finished what it has.
    pub(crate) drains: Mutex<Option<(QueueId, u64)>>,
    pub(crate) stuck: AtomicBool,
    /// The device has lost its power: whoever touches it is counted.
    pub(crate) dark: AtomicBool,
    pub(crate) dark_accesses: AtomicU64,
    pub(crate) resets: AtomicU64,
    /// The queue that has the engine, which a reset of the engine faults.
    pub(crate) running: Mutex<Option<QueueId>>,
    pub(crate) bus_memory: Arc<AtomicU64>,
    hook: Mutex<Option<Arc<Hook>>>,
    notify_hook: Mutex<Option<Arc<NotifyHook>>>,
    reader: Mutex<Option<Reader>>,
}

impl Fake {
    pub(crate) fn new(pages: u32, vram_bytes: usize) -> Self {
        let registers = HashMap::from([
            (offset::ID, u64::from(DEVICE_MAGIC)),
            (
                offset::REVISION,
                u64::from(Revision::new().with_major(INTERFACE_MAJOR).into_bits()),
            ),
            (
                offset::DOORBELL_CAPS,
                u64::from(DoorbellCaps::new().with_pages(pages).into_bits()),
            ),
            (
                offset::QUEUE_CAPS,
                u64::from(
                    QueueCaps::new()
                        .with_max_queues_log2(16)
                        .with_engines(3)
                        .into_bits(),
                ),
            ),
            (offset::VRAM_SIZE, vram_bytes as u64),
            (offset::TIMESTAMP_FREQUENCY, TIMESTAMP_FREQUENCY),
            (
                offset::MMU_CAPS,
                u64::from(MmuCaps::new().with_va_bits(48).with_levels(4).into_bits()),
            ),
        ]);
        let mut vram = vec![];
        vram.resize_with(vram_bytes / 8, || AtomicU64::new(0));
        Self {
            registers: Mutex::new(registers),
            vram,
            deeds: Mutex::default(),
            notifications: Mutex::default(),
            refuse_notify: AtomicBool::new(false),
            dpcs: AtomicU64::new(0),
            clock: AtomicU64::new(1_000_000),
            pauses: AtomicU64::new(0),
            drains: Mutex::default(),
            stuck: AtomicBool::new(false),
            dark: AtomicBool::new(false),
            dark_accesses: AtomicU64::new(0),
            resets: AtomicU64::new(0),
            running: Mutex::default(),
            bus_memory: Arc::default(),
            hook: Mutex::default(),
            notify_hook: Mutex::default(),
            reader: Mutex::default(),
        }
    }

    /// What dxgkrnl does when `DxgkCbDisconnectDoorbell` is called.
    pub(crate) fn on_disconnect(
        &self,
        hook: impl Fn(OsHandle, OsHandle) -> DisconnectOutcome + Send + Sync + 'static,
    ) {
        *self.hook.lock().unwrap() = Some(Arc::new(Box::new(hook)));
    }

    /// What happens while dxgkrnl takes a report.
    pub(crate) fn on_notify(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self.notify_hook.lock().unwrap() = Some(Arc::new(Box::new(hook)));
    }

    /// Who sees the driver half of a queue's descriptor as it is at each command.
    pub(crate) fn on_command(
        &self,
        reader: impl Fn(QueueOperation, QueueDriverHalf) + Send + Sync + 'static,
    ) {
        *self.reader.lock().unwrap() = Some(Box::new(reader));
    }

    pub(crate) fn take_deeds(&self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds.lock().unwrap())
    }

    pub(crate) fn register(&self, at: u64, value: u64) {
        self.registers.lock().unwrap().insert(at, value);
    }

    fn queue_command(&self, value: u64) {
        let command = QueueCommand::from(value);
        let operation = command.operation().unwrap();
        if let Some(reader) = self.reader.lock().unwrap().as_ref() {
            let table = self.register_value(offset::QUEUE_TABLE);
            let at = table + command.queue_id().table_offset();
            let words = &self.vram[usize::try_from(at / 8).unwrap()..][..8];
            let words: [u64; 8] = std::array::from_fn(|n| words[n].load(Ordering::SeqCst));
            reader(operation, zerocopy::transmute!(words));
        }
        self.deeds
            .lock()
            .unwrap()
            .push(Deed::Queue(operation, command.queue(), command.tag()));
        let state = match operation {
            QueueOperation::Activate => QueueState::RUNNABLE,
            QueueOperation::Deactivate if !self.stuck.load(Ordering::Relaxed) => {
                QueueState::INACTIVE
            }
            QueueOperation::Suspend => QueueState::SUSPENDED,
            _ => return,
        };
        self.set_queue(command.queue_id(), |half| half.state = state);
    }

    /// Changes the device's half of a queue's descriptor.
    pub(crate) fn set_queue(&self, queue: QueueId, change: impl FnOnce(&mut QueueDeviceHalf)) {
        let table = self.register_value(offset::QUEUE_TABLE);
        let at = table + queue.table_offset() + DEVICE_HALF_OFFSET;
        let words = &self.vram[usize::try_from(at / 8).unwrap()..][..8];
        let old: [u64; 8] = std::array::from_fn(|index| words[index].load(Ordering::SeqCst));
        let mut half: QueueDeviceHalf = zerocopy::transmute!(old);
        change(&mut half);
        let new: [u64; 8] = zerocopy::transmute!(half);
        for (word, value) in words.iter().zip(new) {
            word.store(value, Ordering::SeqCst);
        }
    }

    fn register_value(&self, at: u64) -> u64 {
        let registers = self.registers.lock().unwrap();
        registers.get(&at).copied().unwrap_or(0)
    }

    fn touched(&self) {
        if self.dark.load(Ordering::Relaxed) {
            self.dark_accesses.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn deed(&self, deed: Deed) {
        self.deeds.lock().unwrap().push(deed);
    }
}

impl Platform for Fake {
    type PassiveLock = parking_lot::RawMutex;
    type SpinLock = parking_lot::RawMutex;
    type BusMemory = FakeBusMemory;

    fn now(&self) -> Ticks {
        Ticks(self.clock.load(Ordering::Relaxed))
    }

    fn rest(&self, passive: Passive<'_>, _time: Ticks) {
        self.pause(passive);
    }

    fn pause(&self, _passive: Passive<'_>) {
        let before = self.pauses.fetch_add(1, Ordering::Relaxed);
        let drains = *self.drains.lock().unwrap();
        if let Some((queue, pauses)) = drains
            && pauses == before + 1
        {
            self.set_queue(queue, |half| {
                half.finished = half.read_pointer;
                half.activity = QueueActivity::IDLE;
            });
        }
        self.clock.fetch_add(1_000, Ordering::Relaxed);
        std::thread::yield_now();
    }

    fn read32(&self, at: u64) -> u32 {
        u32::try_from(self.read64(at)).unwrap()
    }

    fn read64(&self, at: u64) -> u64 {
        self.touched();
        self.register_value(at)
    }

    fn write32(&self, at: u64, value: u32) {
        self.touched();
        match at {
            offset::ENGINE_RESET => {
                self.deed(Deed::EngineReset(value));
                if let Some(queue) = self.running.lock().unwrap().take() {
                    self.set_queue(queue, |half| {
                        half.state = QueueState::FAULTED;
                        half.fault = QueueFault::ENGINE_RESET;
                    });
                }
            }
            offset::ENGINE_RESUME => self.deed(Deed::EngineResume(value)),
            offset::CONTROL => {
                let control = Control::from_bits(value);
                if control.reset() {
                    self.resets.fetch_add(1, Ordering::Relaxed);
                    self.register(offset::STATUS, 0);
                    self.register(offset::ENGINE_GATE, 0);
                    self.register(offset::ENGINE_QUIET, 0);
                } else {
                    let status = Status::new().with_enabled(control.enable());
                    self.register(offset::STATUS, u64::from(status.into_bits()));
                }
            }
            offset::INTERRUPT_STATUS => self.register(at, 0),
            _ => self.register(at, u64::from(value)),
        }
    }

    fn write64(&self, at: u64, value: u64) {
        self.touched();
        match at {
            offset::QUEUE_COMMAND => self.queue_command(value),
            offset::DOORBELL_CONTROL.. => {
                let deed = Deed::Control(
                    (at - offset::DOORBELL_CONTROL) / 8,
                    DoorbellControl::from_bits(value),
                );
                self.deeds.lock().unwrap().push(deed);
                self.register(at, value);
            }
            _ => self.register(at, value),
        }
    }

    fn vram_bytes(&self) -> u64 {
        self.vram.len() as u64 * 8
    }

    fn vram_load32(&self, at: VramOffset) -> u32 {
        let word = self.vram_load64(VramOffset(at.0 & !7));
        #[allow(clippy::cast_possible_truncation, reason = "the half asked for")]
        if at.0.is_multiple_of(8) {
            word as u32
        } else {
            (word >> 32) as u32
        }
    }

    fn vram_load64(&self, at: VramOffset) -> u64 {
        self.touched();
        self.vram[usize::try_from(at.0 / 8).unwrap()].load(Ordering::SeqCst)
    }

    fn vram_store64(&self, at: VramOffset, value: u64) {
        self.touched();
        self.vram[usize::try_from(at.0 / 8).unwrap()].store(value, Ordering::SeqCst);
    }

    fn allocate_bus_memory(&self, _passive: Passive<'_>, bytes: usize) -> Result<FakeBusMemory> {
        if bytes == 0 {
            return Err(Error::NoMemory);
        }
        self.bus_memory.fetch_add(1, Ordering::SeqCst);
        let mut words = vec![];
        words.resize_with(bytes.div_ceil(8), || AtomicU64::new(0));
        Ok(FakeBusMemory {
            words,
            live: self.bus_memory.clone(),
        })
    }

    fn disconnect_doorbell(
        &self,
        _passive: Passive<'_>,
        queue: OsHandle,
        doorbell: OsHandle,
        _reason: DisconnectReason,
    ) -> DisconnectOutcome {
        self.deeds.lock().unwrap().push(Deed::Callback(doorbell));
        let hook = self.hook.lock().unwrap().clone();
        hook.map_or(DisconnectOutcome::Rotated, |hook| hook(queue, doorbell))
    }

    fn invalidate_context(&self, _passive: Passive<'_>, context: OsHandle, blame: Blame) {
        self.deed(Deed::Invalidate(context, blame));
    }

    fn notify(&self, _dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        if self.refuse_notify.load(Ordering::Relaxed) {
            return false;
        }
        let hook = self.notify_hook.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook();
        }
        self.notifications.lock().unwrap().push(*notification);
        true
    }

    fn queue_dpc(&self) {
        self.dpcs.fetch_add(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(crate) struct FakeBusMemory {
    words: Vec<AtomicU64>,
    live: Arc<AtomicU64>,
}

impl Drop for FakeBusMemory {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl BusMemory for FakeBusMemory {
    fn address(&self) -> BusAddress {
        BusAddress(0x8000_0000)
    }

    fn bytes(&self) -> usize {
        self.words.len() * 8
    }

    fn load64(&self, at: usize) -> u64 {
        self.words
            .get(at / 8)
            .map_or(0, |word| word.load(Ordering::SeqCst))
    }

    fn store64(&self, at: usize, value: u64) {
        self.words[at / 8].store(value, Ordering::SeqCst);
    }
}
