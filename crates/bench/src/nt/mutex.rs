//! Fast mutexes, guarded mutexes and critical regions.
//!
//! Both sorts of mutex have 56 bytes: count at 0, owner at 8, contention at 16, an event or gate
//! at 24, and at 48 the level to go back to. The model keeps the owning thread's number at 8.

use std::cell::Cell;
use std::sync::atomic::Ordering;

use super::driver_addr::DriverAddr;
use super::event;
use super::session::{Nt, with_current};
use super::thunk::{Export, Role};
use crate::verifier::irql::{self, Irql, IrqlRange};
use crate::verifier::locks::{LockKind, LockName};
use crate::verifier::violation::{LockMisuse, ViolationKind};
use crate::verifier::{acquired, released, thread};

/// Offset of `Owner`.
const OWNER: u64 = 8;
/// Offset of `Event` or `Gate`.
const EVENT: u64 = 24;
/// Dispatcher type of the gate in a guarded mutex.
const GATE: u8 = 7;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "ExAcquireFastMutex",
        IrqlRange::UP_TO_APC,
        acquire_fast as *const (),
    ),
    export(
        "ExReleaseFastMutex",
        IrqlRange::exactly(Irql::APC),
        release_fast as *const (),
    ),
    export(
        "ExTryToAcquireFastMutex",
        IrqlRange::UP_TO_APC,
        try_acquire_fast as *const (),
    ),
    export(
        "KeInitializeGuardedMutex",
        IrqlRange::UP_TO_APC,
        initialize_guarded as *const (),
    ),
    export(
        "KeAcquireGuardedMutex",
        IrqlRange::UP_TO_APC,
        acquire_guarded as *const (),
    ),
    export(
        "KeTryToAcquireGuardedMutex",
        IrqlRange::UP_TO_APC,
        try_acquire_guarded as *const (),
    ),
    export(
        "KeReleaseGuardedMutex",
        IrqlRange::UP_TO_APC,
        release_guarded as *const (),
    ),
    export(
        "KeEnterCriticalRegion",
        IrqlRange::UP_TO_APC,
        enter_region as *const (),
    ),
    export(
        "KeLeaveCriticalRegion",
        IrqlRange::UP_TO_APC,
        leave_region as *const (),
    ),
];

const fn export(name: &'static str, irql: IrqlRange, target: *const ()) -> Export {
    Export {
        name,
        irql,
        role: Role::Kernel,
        target,
    }
}

thread_local! {
    static CRITICAL_REGIONS: Cell<u32> = const { Cell::new(0) };
}

/// Critical regions that this thread is in.
pub(super) fn critical_regions() -> u32 {
    CRITICAL_REGIONS.get()
}

/// Puts the count back after a call that was abandoned or broke the rule.
pub(super) fn set_critical_regions(count: u32) {
    CRITICAL_REGIONS.set(count);
}

fn check(nt: &Nt, name: &LockName, mutex: DriverAddr) {
    let event = mutex.offset(EVENT);
    let initialised = match name.kind {
        LockKind::Guarded => event.read::<u8>() == GATE,
        _ => event.read::<u8>() == 1 && event::is_event(event),
    };
    if !initialised {
        let found = format!("dispatcher type {} at offset {EVENT}", event.read::<u8>());
        nt.verifier.fatal(LockMisuse::NotInitialised {
            lock: name.clone(),
            found,
        });
    }
}

/// Waits for the mutex; with `blocking` false, only looks.
fn acquire(mutex: DriverAddr, kind: LockKind, before: Irql, blocking: bool) -> bool {
    let name = LockName {
        kind,
        address: mutex.value(),
    };
    with_current(|nt| {
        check(nt, &name, mutex);
        let owner = mutex.offset(OWNER).atomic_u64();
        let me = thread::number();
        if owner.load(Ordering::Relaxed) == me {
            nt.verifier
                .fatal(LockMisuse::Recursion { lock: name.clone() });
        }
        let take = || {
            owner
                .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        };
        if blocking {
            nt.verifier.before_acquire(&name);
            event::wait_until(nt, "acquisition of a mutex", mutex, None, take);
        } else if !take() {
            return false;
        }
        acquired(name.clone(), before);
        true
    })
}

fn release(mutex: DriverAddr, kind: LockKind) -> Option<Irql> {
    let name = LockName {
        kind,
        address: mutex.value(),
    };
    with_current(|nt| {
        check(nt, &name, mutex);
        let owner = mutex.offset(OWNER).atomic_u64();
        let held = released(&name);
        if held.is_none() || owner.load(Ordering::Relaxed) != thread::number() {
            nt.verifier
                .report(LockMisuse::NotOwned { lock: name.clone() });
            return None;
        }
        let guard = nt.dispatcher.lock.lock();
        owner.store(0, Ordering::Release);
        drop(guard);
        nt.dispatcher.changed.notify_all();
        held.map(|held| held.irql_before)
    })
}

extern "win64" fn acquire_fast(mutex: DriverAddr) {
    let before = irql::current();
    acquire(mutex, LockKind::Fast, before, true);
    irql::set(before.max(Irql::APC));
}

extern "win64" fn try_acquire_fast(mutex: DriverAddr) -> u8 {
    let before = irql::current();
    if !acquire(mutex, LockKind::Fast, before, false) {
        return 0;
    }
    irql::set(before.max(Irql::APC));
    1
}

extern "win64" fn release_fast(mutex: DriverAddr) {
    if let Some(before) = release(mutex, LockKind::Fast) {
        irql::set(before);
    }
}

extern "win64" fn initialize_guarded(mutex: DriverAddr) {
    mutex.write::<i64>(1);
    mutex.offset(OWNER).write::<u64>(0);
    mutex.offset(16).write::<u64>(0);
    mutex.offset(EVENT).write::<u64>(u64::from(GATE));
    mutex.offset(EVENT + 8).write::<u64>(0);
    mutex.offset(EVENT + 16).write::<u64>(0);
    mutex.offset(48).write::<u64>(0);
}

extern "win64" fn acquire_guarded(mutex: DriverAddr) {
    acquire(mutex, LockKind::Guarded, irql::current(), true);
}

extern "win64" fn try_acquire_guarded(mutex: DriverAddr) -> u8 {
    acquire(mutex, LockKind::Guarded, irql::current(), false).into()
}

extern "win64" fn release_guarded(mutex: DriverAddr) {
    release(mutex, LockKind::Guarded);
}

extern "win64" fn enter_region() {
    CRITICAL_REGIONS.set(CRITICAL_REGIONS.get() + 1);
}

extern "win64" fn leave_region() {
    match CRITICAL_REGIONS.get().checked_sub(1) {
        Some(left) => CRITICAL_REGIONS.set(left),
        None => with_current(|nt| {
            let what = String::from("the thread is in no critical region");
            let import = "KeLeaveCriticalRegion";
            nt.verifier.report(ViolationKind::Misuse { import, what });
        }),
    }
}
