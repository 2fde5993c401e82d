//! Spin locks and the level of the processor.
//!
//! The 8 bytes of a `KSPIN_LOCK` hold 0 or the number of the thread that has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::driver_addr::{DriverAddr, Narrow};
use super::session::{Nt, with_current};
use super::thunk::{Export, Role};
use crate::trap::boundary;
use crate::verifier::irql::{self, Irql, IrqlRange};
use crate::verifier::locks::{LockKind, LockName};
use crate::verifier::violation::{LockMisuse, ViolationKind};
use crate::verifier::{acquired, released, thread};

const RAISED: IrqlRange = IrqlRange::at_least(Irql::DISPATCH);

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "KeInitializeSpinLock",
        IrqlRange::ANY,
        initialize as *const (),
    ),
    export(
        "KeAcquireSpinLockRaiseToDpc",
        IrqlRange::UP_TO_DISPATCH,
        acquire_raise as *const (),
    ),
    export(
        "KeReleaseSpinLock",
        IrqlRange::exactly(Irql::DISPATCH),
        release_lower as *const (),
    ),
    export(
        "KeAcquireSpinLockAtDpcLevel",
        RAISED,
        acquire_at_dpc as *const (),
    ),
    export(
        "KeReleaseSpinLockFromDpcLevel",
        RAISED,
        release_from_dpc as *const (),
    ),
    export(
        "KeTryToAcquireSpinLockAtDpcLevel",
        RAISED,
        try_acquire_at_dpc as *const (),
    ),
    export("KeGetCurrentIrql", IrqlRange::ANY, get_irql as *const ()),
    export("KfRaiseIrql", IrqlRange::ANY, raise_irql as *const ()),
    export("KeLowerIrql", IrqlRange::ANY, lower_irql as *const ()),
];

const fn export(name: &'static str, irql: IrqlRange, target: *const ()) -> Export {
    Export {
        name,
        irql,
        role: Role::Kernel,
        target,
    }
}

fn name_of(lock: DriverAddr) -> LockName {
    LockName {
        kind: LockKind::Spin,
        address: lock.value(),
    }
}

extern "win64" fn initialize(lock: DriverAddr) {
    lock.write::<u64>(0);
}

extern "win64" fn acquire_raise(lock: DriverAddr) -> u8 {
    let before = irql::current();
    irql::set(before.max(Irql::DISPATCH));
    with_current(|nt| acquire(nt, lock, before));
    before.level()
}

extern "win64" fn acquire_at_dpc(lock: DriverAddr) {
    with_current(|nt| acquire(nt, lock, irql::current()));
}

extern "win64" fn try_acquire_at_dpc(lock: DriverAddr) -> u8 {
    let cell = lock.atomic_u64();
    let (me, order) = (thread::number(), Ordering::Acquire);
    if cell
        .compare_exchange(0, me, order, Ordering::Relaxed)
        .is_err()
    {
        return 0;
    }
    acquired(name_of(lock), irql::current());
    1
}

fn acquire(nt: &Nt, lock: DriverAddr, before: Irql) {
    let name = name_of(lock);
    let cell = lock.atomic_u64();
    let me = thread::number();
    if cell.load(Ordering::Relaxed) == me {
        nt.verifier.fatal(LockMisuse::Recursion { lock: name });
    }
    nt.verifier.before_acquire(&name);
    spin(nt, &name, cell, me);
    acquired(name, before);
}

/// Takes `cell`, or ends the call when the session dies or the hang limit passes meanwhile.
fn spin(nt: &Nt, name: &LockName, cell: &AtomicU64, me: u64) {
    let mut started = None;
    loop {
        let taken = cell.compare_exchange_weak(0, me, Ordering::Acquire, Ordering::Relaxed);
        let Err(holder) = taken else { return };
        if nt.verifier.is_dead() {
            boundary::abandon();
        }
        let limit = nt.verifier.hang_limit();
        if started.get_or_insert_with(Instant::now).elapsed() > limit {
            let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
            nt.verifier.fatal(LockMisuse::Stuck {
                lock: name.clone(),
                limit_ms,
                holder,
            });
        }
        std::thread::yield_now();
    }
}

extern "win64" fn release_lower(lock: DriverAddr, new: Narrow) {
    with_current(|nt| {
        let Some(before) = release(nt, lock) else {
            return;
        };
        if new.byte() != before.level() {
            let what = format!(
                "restores level {}, the lock was acquired at {before}",
                new.byte()
            );
            nt.verifier.report(ViolationKind::Misuse {
                import: "KeReleaseSpinLock",
                what,
            });
        }
        irql::set(before);
    });
}

extern "win64" fn release_from_dpc(lock: DriverAddr) {
    with_current(|nt| release(nt, lock));
}

/// Releases the lock and returns the level before its acquisition.
fn release(nt: &Nt, lock: DriverAddr) -> Option<Irql> {
    let name = name_of(lock);
    let cell = lock.atomic_u64();
    let held = released(&name);
    if held.is_none() || cell.load(Ordering::Relaxed) != thread::number() {
        nt.verifier.report(LockMisuse::NotOwned { lock: name });
        return None;
    }
    cell.store(0, Ordering::Release);
    held.map(|held| held.irql_before)
}

extern "win64" fn get_irql() -> u8 {
    irql::current().level()
}

extern "win64" fn raise_irql(new: Narrow) -> u8 {
    let before = irql::current();
    change_irql("KfRaiseIrql", new, |new| new >= before);
    before.level()
}

extern "win64" fn lower_irql(new: Narrow) {
    let before = irql::current();
    change_irql("KeLowerIrql", new, |new| new <= before);
}

fn change_irql(import: &'static str, new: Narrow, permitted: impl Fn(Irql) -> bool) {
    match Irql::new(new.byte()).filter(|new| permitted(*new)) {
        Some(level) => irql::set(level),
        None => with_current(|nt| {
            let what = format!("from {} to level {}", irql::current(), new.byte());
            nt.verifier.report(ViolationKind::Misuse { import, what });
        }),
    }
}
