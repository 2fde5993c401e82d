//! The verifier: what Driver Verifier would see, and more.
//!
//! It collects [`Violation`]s and never panics through driver frames. What it watches:
//!
//! - [`irql`]: the level of each thread, checked at each import and around each DDI
//! - [`pool`]: one mapping per block, guard pages, quarantine, tags, leaks, fault injection
//! - [`interrupt`]: the lock that an interrupt routine runs under
//! - [`locks`]: recursion, order, locks held at return or across a callback
//! - [`thread`]: who is running, what it called and from where
//! - [`violation`]: the findings

pub mod interrupt;
pub mod irql;
pub mod locks;
pub mod pool;
pub mod thread;
pub mod violation;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::trap::boundary;
use locks::{HeldLock, LockName, OrderGraph};
use pool::{Pool, PoolTotals};
use violation::{LockMisuse, Violation, ViolationKind};

/// How long a wait or a lock may take before it counts as stuck.
const DEFAULT_HANG_LIMIT: Duration = Duration::from_secs(30);
/// Violations kept; a loop that breaks one rule a million times is one finding.
const KEPT: usize = 10_000;

/// What a DDI cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DdiStats {
    /// How often it was called: each is a kernel entry.
    pub calls: u64,
    /// Kernel functions and callbacks that the driver called in it.
    pub kernel_calls: u64,
    /// Pool functions among them.
    pub pool_calls: u64,
}

/// Findings and bookkeeping of one session.
#[derive(Debug)]
pub struct Verifier {
    violations: Mutex<Vec<Violation>>,
    suppressed: AtomicU64,
    order: Mutex<OrderGraph>,
    pub(crate) pool: Mutex<Pool>,
    ddis: Mutex<BTreeMap<&'static str, DdiStats>>,
    dead: AtomicBool,
    allocations: AtomicU64,
    fail_allocation: AtomicU64,
    hang_limit_ms: AtomicU64,
}

impl Default for Verifier {
    fn default() -> Self {
        let limit = u64::try_from(DEFAULT_HANG_LIMIT.as_millis()).unwrap_or(u64::MAX);
        Self {
            violations: Mutex::default(),
            suppressed: AtomicU64::new(0),
            order: Mutex::default(),
            pool: Mutex::default(),
            ddis: Mutex::default(),
            dead: AtomicBool::new(false),
            allocations: AtomicU64::new(0),
            fail_allocation: AtomicU64::new(0),
            hang_limit_ms: AtomicU64::new(limit),
        }
    }
}

impl Verifier {
    /// Records a violation by the running thread.
    pub fn report(&self, kind: impl Into<ViolationKind>) {
        let violation = Violation {
            kind: kind.into(),
            thread: thread::number(),
            irql: irql::current(),
            caller: thread::caller(),
            ddi: thread::ddi(),
        };
        let mut violations = self.violations.lock();
        if violations.len() < KEPT {
            violations.push(violation);
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records a violation from which the driver call cannot go on, and ends the call.
    ///
    /// The session is dead afterwards. The caller must hold no lock of the bench.
    pub fn fatal(&self, kind: impl Into<ViolationKind>) -> ! {
        self.report(kind);
        self.kill();
        boundary::abandon()
    }

    /// Everything found so far.
    pub fn violations(&self) -> Vec<Violation> {
        self.violations.lock().clone()
    }

    /// How many violations there were, those not kept included.
    pub fn violation_count(&self) -> u64 {
        self.violations.lock().len() as u64 + self.suppressed.load(Ordering::Relaxed)
    }

    /// Takes the findings out, for a test that expects them.
    pub fn take_violations(&self) -> Vec<Violation> {
        std::mem::take(&mut *self.violations.lock())
    }

    /// True once a driver call was abandoned: no further driver code runs in the session.
    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    /// Ends the session: waits and spins of all threads are abandoned.
    pub fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
    }

    /// How long a wait or a lock may take before it counts as stuck.
    pub fn hang_limit(&self) -> Duration {
        Duration::from_millis(self.hang_limit_ms.load(Ordering::Relaxed))
    }

    /// Sets [`Self::hang_limit`].
    pub fn set_hang_limit(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.hang_limit_ms.store(limit, Ordering::Relaxed);
    }

    /// Reports every lock that the running thread holds as held across `callback`.
    ///
    /// The OS model calls this at the entry of each of its callbacks.
    pub fn check_no_locks_held(&self, callback: &'static str) {
        let held: Vec<LockName> =
            thread::with_held(|held| held.iter().map(|lock| lock.name.clone()).collect());
        for lock in held {
            self.report(LockMisuse::HeldAcrossCallback { callback, lock });
        }
    }

    /// Makes the `nth` pool allocation from now on fail (1 is the next one).
    pub fn fail_allocation(&self, nth: u64) {
        let at = self.allocations.load(Ordering::SeqCst) + nth;
        self.fail_allocation.store(at, Ordering::SeqCst);
    }

    /// Lets all allocations succeed again.
    pub fn fail_no_allocation(&self) {
        self.fail_allocation.store(0, Ordering::SeqCst);
    }

    /// Pool allocations asked for so far: the bound for a run that fails each in turn.
    pub fn allocations(&self) -> u64 {
        self.allocations.load(Ordering::SeqCst)
    }

    /// Counts an allocation; true if it has to fail.
    pub(crate) fn count_allocation(&self) -> bool {
        let this = self.allocations.fetch_add(1, Ordering::SeqCst) + 1;
        this == self.fail_allocation.load(Ordering::SeqCst)
    }

    /// Totals of the pool.
    pub fn pool_totals(&self) -> PoolTotals {
        self.pool.lock().totals()
    }

    /// Pool blocks that are not freed.
    pub fn live_pool_blocks(&self) -> u64 {
        self.pool.lock().live_blocks()
    }

    /// What each DDI cost so far.
    pub fn ddi_stats(&self) -> BTreeMap<&'static str, DdiStats> {
        self.ddis.lock().clone()
    }

    pub(crate) fn count_ddi(&self, name: &'static str, kernel_calls: u64, pool_calls: u64) {
        let mut ddis = self.ddis.lock();
        let stats = ddis.entry(name).or_default();
        stats.calls += 1;
        stats.kernel_calls += kernel_calls;
        stats.pool_calls += pool_calls;
    }

    /// Notes that the running thread wants `lock`: checks the order.
    pub(crate) fn before_acquire(&self, lock: &LockName) {
        let held = thread::with_held(|held| held.clone());
        if held.is_empty() {
            return;
        }
        let misuse = self.order.lock().acquire(lock, &held);
        if let Some(misuse) = misuse {
            self.report(misuse);
        }
    }

    /// Notes that `start..end` is memory no more: locks in it are forgotten.
    pub(crate) fn forget_locks(&self, start: u64, end: u64) {
        self.order.lock().forget(start, end);
    }
}

/// Notes that the running thread got `name`.
pub(crate) fn acquired(name: LockName, irql_before: irql::Irql) {
    thread::with_held(|held| held.push(HeldLock { name, irql_before }));
}

/// Takes `name` from the locks of the running thread.
pub(crate) fn released(name: &LockName) -> Option<HeldLock> {
    thread::with_held(|held| {
        let at = held.iter().rposition(|lock| lock.name == *name)?;
        Some(held.remove(at))
    })
}
