//! One run of a driver: the model's state, found by driver code through the calling thread.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Condvar, Mutex};

use super::etw::Etw;
use super::io::IoObjects;
use super::key::Keys;
use super::memory::IoSpace;
use super::mutex;
use super::physical::PhysicalMemory;
use super::thunk;
use crate::trap::boundary::{self, Abandoned};
use crate::trap::fault;
use crate::verifier::irql::{self, Irql};
use crate::verifier::violation::{LockMisuse, ViolationKind};
use crate::verifier::{Verifier, thread};

/// Sizes of a session.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Bytes of guest-physical memory.
    pub memory_bytes: usize,
    /// Processors that the driver is told of.
    pub processors: u32,
    /// Process in whose context driver calls run.
    pub process_id: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            processors: 4,
            process_id: 4,
        }
    }
}

/// The NT kernel model of one session.
#[derive(Debug)]
pub struct Nt {
    /// Findings.
    pub verifier: Verifier,
    /// Guest-physical memory, shared with the device for DMA.
    pub memory: PhysicalMemory,
    /// I/O space: what is behind which physical address, and what the driver has mapped of it.
    pub io_space: IoSpace,
    /// Registry keys that the driver can open.
    pub keys: Keys,
    /// Event providers of the driver, and what they wrote.
    pub etw: Etw,
    /// Devices that the driver can open by name, and the requests it sent them.
    pub io_objects: IoObjects,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) config: Config,
    log: Mutex<Vec<String>>,
    import_calls: Vec<AtomicU64>,
}

/// The lock under which dispatcher objects change, and the way to wait for a change.
#[derive(Debug, Default)]
pub(crate) struct Dispatcher {
    pub(crate) lock: Mutex<()>,
    pub(crate) changed: Condvar,
}

thread_local! {
    static CURRENT: Cell<*const Nt> = const { Cell::new(ptr::null()) };
}

/// Keeps the session current on this thread.
#[derive(Debug)]
#[must_use = "the session is detached when the guard is dropped"]
pub struct Attached {
    _nt: Arc<Nt>,
    before: *const Nt,
    _this_thread: PhantomData<*const ()>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        CURRENT.set(self.before);
    }
}

/// Runs `f` on the session of this thread.
///
/// Aborts the process when the thread has none: driver code was called around [`Nt::ddi_call`].
pub fn with_current<R>(f: impl FnOnce(&Nt) -> R) -> R {
    try_with_current(f).unwrap_or_else(|| {
        eprintln!("driver code runs on a thread that is attached to no session");
        std::process::abort()
    })
}

/// Runs `f` on the session of this thread, if it has one.
pub(crate) fn try_with_current<R>(f: impl FnOnce(&Nt) -> R) -> Option<R> {
    let nt = CURRENT.get();
    // SAFETY: the pointer is null or that of the `Arc` which the live `Attached` guard holds.
    let nt = unsafe { nt.as_ref() }?;
    Some(f(nt))
}

impl Nt {
    /// Makes a session with the default sizes.
    pub fn new() -> io::Result<Arc<Self>> {
        Self::with_config(Config::default())
    }

    /// Makes a session.
    pub fn with_config(config: Config) -> io::Result<Arc<Self>> {
        fault::install()?;
        Ok(Arc::new(Self {
            verifier: Verifier::default(),
            memory: PhysicalMemory::new(config.memory_bytes)?,
            io_space: IoSpace::default(),
            keys: Keys::default(),
            etw: Etw::default(),
            io_objects: IoObjects::default(),
            dispatcher: Dispatcher::default(),
            config,
            log: Mutex::default(),
            import_calls: (0..thunk::MAX_THUNKS).map(|_| AtomicU64::new(0)).collect(),
        }))
    }

    /// Makes this session the one that driver code on this thread belongs to.
    pub fn attach(self: &Arc<Self>) -> Attached {
        fault::use_signal_stack();
        let before = CURRENT.replace(Arc::as_ptr(self));
        Attached {
            _nt: self.clone(),
            before,
            _this_thread: PhantomData,
        }
    }

    /// Calls into the driver: `f` runs at `irql`, on this thread, inside a call boundary.
    ///
    /// Checks that the level is unchanged and no lock is held when `f` returns, and counts the
    /// call as one kernel entry under `name`.
    ///
    /// # Errors
    /// [`Abandoned`] when the call did something that it cannot come back from; the session is
    /// dead then. Also at once when the session was dead before.
    pub fn ddi_call<R>(
        self: &Arc<Self>,
        name: &'static str,
        irql: Irql,
        f: impl FnOnce() -> R,
    ) -> Result<R, Abandoned> {
        if self.verifier.is_dead() {
            return Err(Abandoned);
        }
        let attached = self.attach();
        let _level = irql::enter(irql);
        let ddi_before = thread::replace_ddi(Some(name));
        let calls_before = thread::calls();
        let held_before = thread::with_held(|held| held.len());
        let regions_before = mutex::critical_regions();
        let result = boundary::run(f);
        match &result {
            Ok(_) => self.check_return(name, irql, held_before, regions_before),
            // A model function that was abandoned may have replaced the current session.
            Err(Abandoned) => CURRENT.set(Arc::as_ptr(self)),
        }
        thread::with_held(|held| held.truncate(held_before));
        mutex::set_critical_regions(regions_before);
        let calls = thread::calls();
        let kernel = calls.kernel - calls_before.kernel;
        self.verifier
            .count_ddi(name, kernel, calls.pool - calls_before.pool);
        thread::replace_ddi(ddi_before);
        drop(attached);
        result
    }

    fn check_return(
        &self,
        ddi: &'static str,
        before: Irql,
        held_before: usize,
        regions_before: u32,
    ) {
        let regions = mutex::critical_regions();
        if regions != regions_before {
            let what = format!("{ddi} entered with {regions_before}, returned with {regions}");
            let import = "KeEnterCriticalRegion";
            self.verifier.report(ViolationKind::Misuse { import, what });
        }
        let after = irql::current();
        if after != before {
            self.verifier
                .report(ViolationKind::IrqlChanged { ddi, before, after });
        }
        let kept: Vec<_> = thread::with_held(|held| {
            held.iter()
                .skip(held_before)
                .map(|lock| lock.name.clone())
                .collect()
        });
        for lock in kept {
            self.verifier.report(LockMisuse::HeldAtReturn { ddi, lock });
        }
    }

    /// Reports whatever the driver still holds; called after the driver's unload routine.
    ///
    /// contract: DBC-003, DBX-003
    pub fn check_unloaded(&self) {
        let leaks = self.verifier.pool.lock().leaks();
        for leak in leaks {
            self.verifier.report(leak);
        }
        let rest = [
            self.memory.leaks(),
            self.io_space.leaks(),
            self.keys.leaks(),
            self.etw.leaks(),
            self.io_objects.leaks(),
        ];
        for what in rest.into_iter().flatten() {
            self.verifier.report(ViolationKind::Leak { what });
        }
    }

    /// Lines that the driver printed, format strings unexpanded.
    pub fn debug_log(&self) -> Vec<String> {
        self.log.lock().clone()
    }

    pub(crate) fn log_line(&self, line: String) {
        self.log.lock().push(line);
    }

    pub(crate) fn count_import(&self, index: usize) {
        if let Some(count) = self.import_calls.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each kernel function and callback was called; those never called are left out.
    pub fn import_counts(&self) -> BTreeMap<&'static str, u64> {
        let mut counts = BTreeMap::new();
        for (index, name) in thunk::names().into_iter().enumerate() {
            let calls = self.import_calls[index].load(Ordering::Relaxed);
            if calls != 0 {
                *counts.entry(name).or_default() += calls;
            }
        }
        counts
    }
}
