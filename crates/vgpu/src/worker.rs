//! The device thread: watches doorbells, runs engines, sends interrupts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_hw::pci::VECTOR_EVENTS;
use parking_lot::{Mutex, MutexGuard};

use crate::device::Device;
use crate::doorbell::Bell;
use crate::fabric::{Fabric, Place};
use crate::fault::InterruptAction;

/// How long the thread spins after the last thing it did: a client that submits in a loop finds
/// it awake.
const SPIN: Duration = Duration::from_millis(10);
/// How long it then gives way at every turn before it sleeps.
const YIELD: Duration = Duration::from_millis(12);
/// Shortest and longest sleep. A ring cannot wake the thread, since it is a store to plain
/// memory, so the longest sleep bounds the time from a ring, or from a write pointer of a watched
/// queue, to the look at it on an idle device.
const SLEEP: (Duration, Duration) = (Duration::from_micros(50), Duration::from_micros(500));
/// Spins between looks at the clock.
const SPINS_PER_CLOCK: u32 = 64;
/// Spins between yields, so that a machine with few CPUs gets on.
const SPINS_PER_YIELD: u32 = 1024;
/// Steps of busy engines between scans of many doorbell pages, and between looks for quiet engines.
const STEPS_PER_SCAN: u32 = 16;
/// Up to this many quadwords are scanned at every step.
const FEW_BELLS: usize = 8;

/// What the device thread shares with everybody else.
pub(crate) struct Shared {
    pub(crate) fabric: Arc<Fabric>,
    pub(crate) device: Mutex<Device>,
    /// A copy of [`Device::bindings`].
    bindings: AtomicU64,
    /// The device has more to do than to watch; set under the lock.
    work: AtomicBool,
    /// A copy of [`Device::quiet_at`].
    quiet_at: AtomicU64,
    stop: AtomicBool,
}

impl Shared {
    pub(crate) fn new(fabric: Arc<Fabric>, device: Device) -> Self {
        Self {
            fabric,
            device: Mutex::new(device),
            bindings: AtomicU64::new(0),
            work: AtomicBool::new(false),
            quiet_at: AtomicU64::new(u64::MAX),
            stop: AtomicBool::new(false),
        }
    }

    /// Publishes what the device thread has to know; true if it has something to do. To be called
    /// with the lock held after every change.
    pub(crate) fn publish(&self, device: &Device) -> bool {
        let wanted = device.wants_thread();
        self.work.store(wanted, Ordering::Release);
        self.quiet_at.store(device.quiet_at(), Ordering::Release);
        // A binding that changed also wakes the thread: its list of pages is old.
        let changed = self.bindings.swap(device.bindings, Ordering::Release) != device.bindings;
        wanted || changed
    }

    /// Whether some engine has been idle for long enough to say so.
    fn is_quiet_due(&self) -> bool {
        let at = self.quiet_at.load(Ordering::Acquire);
        at != u64::MAX && self.fabric.clock() >= at
    }

    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// How the thread passes the time.
struct Backoff {
    active: Instant,
    spins: u32,
    sleep: Duration,
}

impl Backoff {
    fn new() -> Self {
        Self {
            active: Instant::now(),
            spins: 0,
            sleep: SLEEP.0,
        }
    }

    /// Whether this turn takes its time, so that a look at the clock does not matter.
    fn is_slow(&self) -> bool {
        self.spins.is_multiple_of(SPINS_PER_CLOCK) || self.sleep != SLEEP.0
    }

    fn wait(&mut self) {
        self.spins = self.spins.wrapping_add(1);
        if !self.is_slow() {
            std::hint::spin_loop();
            return;
        }
        let idle = self.active.elapsed();
        if idle < SPIN {
            if self.spins.is_multiple_of(SPINS_PER_YIELD) {
                thread::yield_now();
            }
        } else if idle < YIELD {
            thread::yield_now();
        } else {
            // Register accesses unpark the thread.
            thread::park_timeout(self.sleep);
            self.sleep = (self.sleep * 2).min(SLEEP.1);
        }
    }
}

/// The list of watched quadwords, good for one count of bindings.
#[derive(Default)]
struct Watch {
    bindings: u64,
    bells: Vec<Bell>,
    /// What a ring of one of these pages would have the device read first.
    near: Vec<Place>,
}

impl Watch {
    fn refresh(&mut self, device: &Device) {
        if self.bindings != device.bindings {
            self.bindings = device.bindings;
            self.bells.clear();
            self.bells.extend(device.doorbells.watched());
        }
    }

    /// Notes which lines to keep near, if there is so little to watch that it pays.
    fn keep_near(&mut self, device: &Device) {
        self.near.clear();
        if self.bells.len() <= FEW_BELLS {
            for bell in self.bells.iter().filter(|bell| bell.is_primary()) {
                self.near
                    .extend(device.first_reads(bell.page).into_iter().flatten());
            }
        }
    }

    /// A quadword with a ring. The lines that follow a ring are asked for at the same time
    /// as the watched ones, so that the way to the entry is one trip between processors, not three.
    /// Nothing is read from them before a ring is there.
    fn find_rung(&self, fabric: &Fabric) -> Option<Bell> {
        for place in &self.near {
            fabric.prefetch(*place);
        }
        let mut bells = self.bells.iter().copied();
        bells.find(|bell| bell.is_rung(&fabric.doorbells))
    }
}

/// Runs until [`Shared::stop`].
pub(crate) fn run(shared: &Shared) {
    let mut watch = Watch::default();
    let mut backoff = Backoff::new();
    while !shared.stop.load(Ordering::Acquire) {
        let rung = watch.find_rung(&shared.fabric);
        let wanted = rung.is_some()
            || shared.bindings.load(Ordering::Acquire) != watch.bindings
            || shared.work.load(Ordering::Acquire)
            || backoff.is_slow() && shared.is_quiet_due();
        if wanted && turn(shared, &mut watch, rung) {
            backoff = Backoff::new();
        } else {
            backoff.wait();
        }
    }
}

/// Takes rings and runs engines until nothing is left to do; true if something was done.
fn turn(shared: &Shared, watch: &mut Watch, rung: Option<Bell>) -> bool {
    let mut device = shared.device.lock();
    let mut worked = false;
    if let Some(bell) = rung
        && !device.is_gone()
    {
        // If the page was bound anew meanwhile there is no ring to take.
        worked = device.take_ring(bell);
    }
    if let Some(errand) = device.errand.take() {
        worked = true;
        MutexGuard::unlocked(&mut device, || errand.run());
    }
    let mut steps = 0_u32;
    while !device.is_gone() && !shared.stop.load(Ordering::Acquire) {
        watch.refresh(&device);
        let mut busy = false;
        if watch.bells.len() <= FEW_BELLS || steps.is_multiple_of(STEPS_PER_SCAN) {
            for bell in &watch.bells {
                busy |= bell.is_rung(&shared.fabric.doorbells) && device.take_ring(*bell);
            }
        }
        device.delayed_rings();
        busy |= device.run_engines();
        if steps.is_multiple_of(STEPS_PER_SCAN) {
            busy |= device.report_quiet();
        }
        busy |= send_messages(shared, &mut device);
        if busy {
            worked = true;
        } else if steps.is_multiple_of(STEPS_PER_SCAN) {
            break;
        } else {
            // Not everything was scanned in this round: do so before giving up.
            steps = STEPS_PER_SCAN - 1;
        }
        steps = steps.wrapping_add(1);
        // Whoever waits to access a register goes first.
        MutexGuard::bump(&mut device);
    }
    watch.keep_near(&device);
    shared.publish(&device);
    MutexGuard::unlock_fair(device);
    worked
}

/// Sends what is to be sent, without the lock.
fn send_messages(shared: &Shared, device: &mut MutexGuard<'_, Device>) -> bool {
    let mut count = 0;
    for _ in 0..device.take_messages() {
        count += match device.faults.interrupt() {
            None => 1,
            Some(InterruptAction::Drop) => 0,
            Some(InterruptAction::Repeat { times }) => times.saturating_add(1),
        };
    }
    if count == 0 {
        return false;
    }
    shared.fabric.counters.interrupts.add(u64::from(count));
    MutexGuard::unlocked(device, || {
        for _ in 0..count {
            shared.fabric.raise(VECTOR_EVENTS);
        }
    });
    true
}
