//! Every interleaving of interrupt routine, DPC, removal and the power of engines, on the driver's
//! own code:
//! `RUSTFLAGS="--cfg loom" cargo test -p carillon-core --release --test loom`.
#![cfg(loom)]

use std::sync::Arc;
use std::sync::Mutex as Plain;

use carillon_core::adapter::{Adapter, NODES, Settings};
use carillon_core::error::{Error, Result};
use carillon_core::handle::{AdapterOrdinal, OsHandle};
use carillon_core::irql::{Dispatch, Passive};
use carillon_core::notify::Notification;
use carillon_core::platform::{
    Blame, BusMemory, DisconnectOutcome, DisconnectReason, Platform, Ticks,
};
use carillon_core::power::{FState, Notice};
use carillon_core::surface::{FeatureState, Node, Surface};
use carillon_hw::addr::{BusAddress, VramOffset};
use carillon_hw::event::{Event, SEQUENCE_OFFSET};
use carillon_hw::queue::QueueId;
use carillon_hw::regs::{
    Control, DEVICE_MAGIC, DoorbellCaps, INTERFACE_MAJOR, Interrupts, MmuCaps, QueueCaps, Revision,
    Status, offset,
};
use lock_api::{GuardSend, RawMutex};
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

const VRAM: u64 = 32 << 20;
const EVENTS: usize = 2;

/// A lock that lets loom's other threads run while it waits.
struct Yielding(std::sync::atomic::AtomicBool);

// SAFETY: `swap` lets one thread through until `unlock` stores again.
unsafe impl RawMutex for Yielding {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "what the trait asks for"
    )]
    const INIT: Self = Self(std::sync::atomic::AtomicBool::new(false));
    type GuardMarker = GuardSend;

    fn lock(&self) {
        while !self.try_lock() {
            loom::thread::yield_now();
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

struct Device {
    status: AtomicU32,
    dpc: AtomicBool,
    /// The sequence numbers of the first events; the rest of an event is written before.
    sequences: [AtomicU64; EVENTS],
    bodies: Plain<[[u64; 3]; EVENTS]>,
    control: Plain<(u32, u64)>,
    refusals: Plain<u32>,
    log: Plain<Vec<Notification>>,
    /// Nobody may touch the device.
    unpowered: AtomicBool,
    /// Reports that are being taken: a place where other threads may come in between.
    taking: AtomicU32,
    /// Engines whose clocks may stop.
    gate: AtomicU32,
}

impl Device {
    fn new(refusals: u32) -> Self {
        Self {
            status: AtomicU32::new(0),
            dpc: AtomicBool::new(false),
            sequences: [AtomicU64::new(0), AtomicU64::new(0)],
            bodies: Plain::default(),
            control: Plain::default(),
            refusals: Plain::new(refusals),
            log: Plain::default(),
            unpowered: AtomicBool::new(false),
            taking: AtomicU32::new(0),
            gate: AtomicU32::new(0),
        }
    }

    fn post(&self, index: u32, event: Event) {
        let words: [u64; 4] = zerocopy::transmute!(event.encode(index));
        self.bodies.lock().unwrap()[index as usize].copy_from_slice(&words[..3]);
        self.sequences[index as usize].store(words[3], Ordering::Release);
        let raised = Interrupts::new().with_events(true).into_bits();
        self.status.fetch_or(raised, Ordering::AcqRel);
    }

    fn assert_powered(&self) {
        assert!(!self.unpowered.load(Ordering::Acquire), "touched");
    }

    fn drop_event(&self) {
        let raised = Interrupts::new().with_overflow(true).into_bits();
        self.status.fetch_or(raised, Ordering::AcqRel);
    }

    fn reported(&self, node: u32) -> usize {
        let signal = Notification::NativeFencesSignaled { node };
        let log = self.log.lock().unwrap();
        log.iter().filter(|entry| **entry == signal).count()
    }

    fn slot(&self, at: VramOffset) -> Option<(usize, u64)> {
        let base = self.control.lock().unwrap().1;
        let from = at.0.checked_sub(base)?;
        let index = usize::try_from(from / 32).ok()?;
        (base != 0 && index < EVENTS).then_some((index, from % 32))
    }
}

impl Platform for Device {
    type PassiveLock = Yielding;
    type SpinLock = Yielding;
    type BusMemory = Words;

    fn now(&self) -> Ticks {
        Ticks(0)
    }
    fn rest(&self, _passive: Passive<'_>, _time: Ticks) {
        loom::thread::yield_now();
    }
    fn pause(&self, _passive: Passive<'_>) {
        loom::thread::yield_now();
    }
    fn read32(&self, at: u64) -> u32 {
        self.assert_powered();
        match at {
            offset::ID => DEVICE_MAGIC,
            offset::REVISION => Revision::new().with_major(INTERFACE_MAJOR).into_bits(),
            offset::DOORBELL_CAPS => DoorbellCaps::new().with_pages(1).into_bits(),
            offset::QUEUE_CAPS => QueueCaps::new()
                .with_max_queues_log2(4)
                .with_engines(3)
                .into_bits(),
            offset::MMU_CAPS => MmuCaps::new().with_va_bits(48).with_levels(4).into_bits(),
            offset::STATUS => self.control.lock().unwrap().0,
            offset::INTERRUPT_STATUS => self.status.load(Ordering::Acquire),
            _ => 0,
        }
    }
    fn read64(&self, at: u64) -> u64 {
        if at == offset::VRAM_SIZE { VRAM } else { 0 }
    }
    fn write32(&self, at: u64, value: u32) {
        self.assert_powered();
        match at {
            offset::CONTROL => {
                let enabled = Control::from_bits(value).enable();
                let status = Status::new().with_enabled(enabled).into_bits();
                self.control.lock().unwrap().0 = status;
                if Control::from_bits(value).reset() {
                    self.gate.store(0, Ordering::SeqCst);
                }
            }
            offset::ENGINE_GATE => self.gate.store(value, Ordering::SeqCst),
            offset::INTERRUPT_STATUS => {
                self.status.fetch_and(!value, Ordering::AcqRel);
            }
            _ => {}
        }
    }
    fn write64(&self, at: u64, value: u64) {
        if at == offset::EVENT_RING {
            self.control.lock().unwrap().1 = value;
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
        self.assert_powered();
        match self.slot(at) {
            Some((index, SEQUENCE_OFFSET)) => self.sequences[index].load(Ordering::Acquire),
            Some((index, word)) => {
                self.bodies.lock().unwrap()[index][usize::try_from(word / 8).unwrap()]
            }
            None => 0,
        }
    }
    fn vram_store64(&self, at: VramOffset, value: u64) {
        if let Some((index, SEQUENCE_OFFSET)) = self.slot(at) {
            self.sequences[index].store(value, Ordering::Release);
        }
    }
    fn allocate_bus_memory(&self, _passive: Passive<'_>, bytes: usize) -> Result<Words> {
        if bytes == 0 {
            return Err(Error::NoMemory);
        }
        Ok(Words)
    }
    fn disconnect_doorbell(
        &self,
        _passive: Passive<'_>,
        _queue: OsHandle,
        _doorbell: OsHandle,
        _reason: DisconnectReason,
    ) -> DisconnectOutcome {
        DisconnectOutcome::AlreadyGone
    }
    fn invalidate_context(&self, _passive: Passive<'_>, context: OsHandle, _blame: Blame) {
        panic!("no engine is reset, but the OS is told of {context:?}");
    }

    fn notify(&self, _dispatch: Dispatch<'_>, notification: &Notification) -> bool {
        let mut refusals = self.refusals.lock().unwrap();
        if let Some(left) = refusals.checked_sub(1) {
            *refusals = left;
            return false;
        }
        drop(refusals);
        let request = matches!(notification, Notification::TransitionToF1 { .. });
        if request {
            self.taking.fetch_add(1, Ordering::SeqCst);
        }
        self.log.lock().unwrap().push(*notification);
        if request {
            self.taking.fetch_sub(1, Ordering::SeqCst);
        }
        true
    }
    fn queue_dpc(&self) {
        self.dpc.swap(true, Ordering::AcqRel);
    }
}

struct Words;

impl BusMemory for Words {
    fn address(&self) -> BusAddress {
        BusAddress(0x8000_0000)
    }
    fn bytes(&self) -> usize {
        1 << 20
    }
    fn load64(&self, _offset: usize) -> u64 {
        0
    }
    fn store64(&self, _offset: usize, _value: u64) {}
}

fn start(refusals: u32) -> Arc<Adapter<Device>> {
    let ordinal = AdapterOrdinal::new(0).unwrap();
    let device = Device::new(refusals);
    Arc::new(Adapter::start(Passive::entered(), ordinal, device, &Settings::default()).unwrap())
}

/// dxgkrnl runs a DPC if one was asked for.
fn dpc(adapter: &Adapter<Device>) -> bool {
    let asked = adapter.platform().dpc.swap(false, Ordering::AcqRel);
    if asked {
        adapter.dpc(Dispatch::entered());
    }
    asked
}

fn explore(property: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(property);
}

fn signal(node: u32) -> Event {
    Event::FenceSignaled {
        queue: QueueId(node),
        value: 1,
        address: 0,
    }
}

#[test]
fn loom_no_signal_is_lost_between_interrupt_and_dpc() {
    for refusals in 0..2 {
        explore(move || {
            let adapter = start(refusals);
            let isr = adapter.clone();
            let interrupts = loom::thread::spawn(move || {
                isr.platform().post(0, signal(1));
                isr.interrupt();
                isr.platform().post(1, signal(2));
                isr.interrupt();
            });
            dpc(&adapter);
            interrupts.join().unwrap();
            while dpc(&adapter) {}
            assert!(adapter.platform().reported(1) > 0);
            assert!(adapter.platform().reported(2) > 0);
            assert_eq!(adapter.platform().reported(0), 0);
        });
    }
}

#[test]
fn loom_an_overflow_beside_a_dpc_reports_every_node() {
    explore(|| {
        let adapter = start(1);
        let isr = adapter.clone();
        let interrupts = loom::thread::spawn(move || {
            isr.platform().post(0, signal(1));
            isr.interrupt();
            isr.platform().drop_event();
            isr.interrupt();
        });
        dpc(&adapter);
        interrupts.join().unwrap();
        while dpc(&adapter) {}
        for node in 0..NODES {
            assert!(adapter.platform().reported(node) > 0, "node {node}");
        }
    });
}

#[test]
fn loom_nothing_is_reported_by_a_dpc_that_starts_after_removal() {
    explore(|| {
        let adapter = start(0);
        let other = adapter.clone();
        let interrupts = loom::thread::spawn(move || {
            other.platform().post(0, signal(1));
            other.interrupt();
        });
        adapter.surprise_removed(Passive::entered());
        let before = adapter.platform().log.lock().unwrap().len();
        dpc(&adapter);
        interrupts.join().unwrap();
        assert!(!adapter.interrupt());
        while dpc(&adapter) {}
        assert_eq!(adapter.platform().log.lock().unwrap().len(), before);
    });
}

/// The gate: whoever takes the power away waits for interrupt routine and DPC, and what they did
/// not get to is reported with the power back.
///
/// regression: LIFE-10
#[test]
fn loom_nobody_touches_a_device_that_sleeps_and_nothing_is_forgotten() {
    explore(|| {
        let adapter = start(0);
        let other = adapter.clone();
        let interrupts = loom::thread::spawn(move || {
            other.platform().post(0, signal(1));
            other.interrupt();
            dpc(&other);
        });
        adapter.sleep(Passive::entered());
        adapter.platform().unpowered.swap(true, Ordering::AcqRel);
        loom::thread::yield_now();
        adapter.platform().unpowered.swap(false, Ordering::AcqRel);
        adapter.wake(Passive::entered());
        interrupts.join().unwrap();
        adapter.interrupt();
        while dpc(&adapter) {}
        assert!(adapter.platform().reported(1) > 0);
    });
}

fn surface(adapter: &Adapter<Device>) -> Surface {
    let features = FeatureState {
        hwsch: true,
        native_fence: true,
        user_mode_submission: true,
    };
    Surface::new(adapter.facts(), features)
}

#[test]
fn loom_nobody_is_asked_down_after_the_stop_of_power_management() {
    explore(|| {
        let adapter = start(0);
        let dispatch = Dispatch::entered();
        adapter.power_notice(dispatch, &surface(&adapter), Notice::Started);
        adapter.platform().post(0, Event::EngineQuiet { engine: 0 });
        let other = adapter.clone();
        let asks = loom::thread::spawn(move || other.dpc(Dispatch::entered()));
        // The other thread comes first as far as it can; the locks are no steps that loom sees.
        loom::thread::yield_now();
        adapter.power_notice(dispatch, &surface(&adapter), Notice::Stopped);
        assert_eq!(adapter.platform().taking.load(Ordering::SeqCst), 0);
        let before = adapter.platform().log.lock().unwrap().len();
        asks.join().unwrap();
        adapter.dpc(Dispatch::entered());
        assert_eq!(adapter.platform().log.lock().unwrap().len(), before);
    });
}

#[test]
fn loom_no_f_state_is_lost_beside_a_wake() {
    explore(|| {
        let adapter = start(0);
        adapter.set_f_state(Dispatch::entered(), Node::Graphics, FState::F1);
        adapter.sleep(Passive::entered());
        let other = adapter.clone();
        let sets = loom::thread::spawn(move || {
            other.set_f_state(Dispatch::entered(), Node::Compute, FState::F1);
            other.set_f_state(Dispatch::entered(), Node::Graphics, FState::F0);
        });
        adapter.wake(Passive::entered());
        sets.join().unwrap();
        let gate = adapter.platform().gate.load(Ordering::SeqCst);
        assert_eq!(gate, 0b10);
    });
}
