//! What the driver reports by interrupt, and who waits for it.
//!
//! A report becomes visible to waiters when the driver's DPC has announced it
//! (`DxgkCbNotifyDpc`), as VidSch processes it there: a driver that forgets the DPC leaves its
//! waiters waiting.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use carillon_ddi::NTSTATUS;
use parking_lot::{Condvar, Mutex};

use crate::dxgk::driver::Driver;
use crate::dxgk::handle::OsHandle;
use crate::dxgk::interface::{Notification, Notifications};

/// How long work of the OS itself may take.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a waiter looks whether its session has died.
const SLICE: Duration = Duration::from_millis(20);
#[derive(Debug, Default)]
struct State {
    /// Last submission and last completion of each packet-based node.
    submitted: HashMap<u32, u32>,
    completed: HashMap<u32, u32>,
    /// Packets that failed, and why, by node.
    faulted: HashMap<u32, (u32, NTSTATUS)>,
    suspended: HashMap<OsHandle, u64>,
    /// How often each fence, and all of them, were reported as signalled.
    signals: HashMap<OsHandle, u64>,
    scans: u64,
    live: HashSet<OsHandle>,
    others: Vec<Notification>,
}

/// Reports of one adapter.
#[derive(Debug)]
pub struct Completions {
    driver: Arc<Driver>,
    state: Mutex<State>,
    changed: Condvar,
    timeout: Mutex<Duration>,
    lost: AtomicBool,
}

impl Completions {
    /// No reports yet; `driver` is blamed for wrong ones.
    #[must_use]
    pub fn new(driver: Arc<Driver>) -> Arc<Self> {
        Arc::new(Self {
            driver,
            state: Mutex::default(),
            changed: Condvar::new(),
            timeout: Mutex::new(DEFAULT_TIMEOUT),
            lost: AtomicBool::new(false),
        })
    }

    /// Notes that the device is lost: no report will come, and nobody waits for one.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
        self.changed.notify_all();
    }

    /// Whether the device is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// How long paging and suspension may take before they count as lost.
    pub fn set_timeout(&self, timeout: Duration) {
        *self.timeout.lock() = timeout;
    }

    /// How long paging and suspension may take before they count as lost.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        *self.timeout.lock()
    }

    /// Notes that `fence` was submitted to a packet-based node.
    pub fn expect(&self, node: u32, fence: u32) {
        self.state.lock().submitted.insert(node, fence);
    }

    /// Waits until `fence` completed or failed; false when the time is over or the session died.
    #[must_use]
    pub fn wait_completed(&self, node: u32, fence: u32) -> bool {
        self.wait(self.timeout(), |state| {
            let completed = state
                .completed
                .get(&node)
                .is_some_and(|last| *last >= fence);
            completed
                || state
                    .faulted
                    .get(&node)
                    .is_some_and(|(last, _)| *last >= fence)
        })
    }

    /// The last packet of a node that failed (`DXGK_INTERRUPT_DMA_FAULTED`), and why.
    #[must_use]
    pub fn fault(&self, node: u32) -> Option<(u32, NTSTATUS)> {
        self.state.lock().faulted.get(&node).copied()
    }

    /// Waits until a context was reported as suspended with `fence`.
    #[must_use]
    pub fn wait_suspended(&self, context: OsHandle, fence: u64) -> bool {
        self.wait(self.timeout(), |state| {
            state.suspended.get(&context).is_some_and(|f| *f >= fence)
        })
    }

    /// Makes a fence known: it may be named in reports now.
    pub fn add_fence(&self, fence: OsHandle) {
        self.state.lock().live.insert(fence);
    }

    /// Forgets a fence: naming it from now on is a breach.
    pub fn remove_fence(&self, fence: OsHandle) {
        let mut state = self.state.lock();
        state.live.remove(&fence);
        state.signals.remove(&fence);
    }

    /// How often the fence was reported as signalled, scans included.
    #[must_use]
    pub fn signals(&self, fence: OsHandle) -> u64 {
        let state = self.state.lock();
        state.scans + state.signals.get(&fence).copied().unwrap_or(0)
    }

    /// Waits until [`Self::signals`] differs from `before`; false when `timeout` is over or the
    /// session died.
    #[must_use]
    pub fn wait_signal(&self, fence: OsHandle, before: u64, timeout: Duration) -> bool {
        self.wait(timeout, |state| {
            state.scans + state.signals.get(&fence).copied().unwrap_or(0) != before
        })
    }

    /// Reports of faults, hangs and what else is not played, oldest first; taken out.
    #[must_use]
    pub fn take_others(&self) -> Vec<Notification> {
        std::mem::take(&mut self.state.lock().others)
    }

    fn wait(&self, timeout: Duration, mut ready: impl FnMut(&mut State) -> bool) -> bool {
        let started = Instant::now();
        let mut state = self.state.lock();
        loop {
            if ready(&mut state) {
                return true;
            }
            let left = timeout.saturating_sub(started.elapsed());
            let over = self.driver.nt().verifier.is_dead() || self.is_lost();
            if left.is_zero() || over {
                return false;
            }
            self.changed.wait_for(&mut state, left.min(SLICE));
        }
    }
}

impl Notifications for Completions {
    fn at_interrupt(&self, notification: &Notification) {
        let state = self.state.lock();
        let wrong = match notification {
            Notification::NativeFenceSignaled {
                fences: Some(fences),
                ..
            } => {
                let dead = fences.iter().find(|fence| !state.live.contains(fence));
                dead.map(|fence| format!("NFN-014: {fence} is no live fence (bug check)"))
            }
            Notification::DmaCompleted { on, fence } => {
                let submitted = state.submitted.get(&on.node).copied();
                let known = submitted.is_some_and(|submitted| *fence <= submitted);
                (!known).then(|| {
                    let node = on.node;
                    format!(
                        "PAG-011: node {node} completed fence {fence}, submitted is {submitted:?} \
                         (bug check 0x119)"
                    )
                })
            }
            _ => None,
        };
        drop(state);
        if let Some(what) = wrong {
            self.driver.breach(what);
        }
    }

    fn at_dpc(&self, notification: Notification) {
        let mut state = self.state.lock();
        match notification {
            Notification::DmaCompleted { on, fence } => {
                let last = state.completed.entry(on.node).or_default();
                let before = *last;
                *last = before.max(fence);
                if fence < before {
                    drop(state);
                    let node = on.node;
                    self.driver.breach(format!(
                        "PAG-011: node {node} completed fence {fence} after {before} (bug check \
                         0x119)"
                    ));
                }
            }
            Notification::DmaFaulted { on, fence, status } => {
                state.faulted.insert(on.node, (fence, status));
            }
            Notification::NativeFenceSignaled { fences: None, .. } => state.scans += 1,
            Notification::NativeFenceSignaled {
                fences: Some(fences),
                ..
            } => {
                for fence in fences {
                    *state.signals.entry(fence).or_default() += 1;
                }
            }
            Notification::SuspendContextCompleted { context, fence } => {
                let last = state.suspended.entry(context).or_default();
                *last = (*last).max(fence);
            }
            other => state.others.push(other),
        }
        self.changed.notify_all();
    }
}
