//! Events and waiting for them.
//!
//! A `KEVENT` is a dispatcher header: type at 0 (0 notification, 1 synchronization), size in
//! 32-bit words at 2, signal state at 4, wait list at 8.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::driver_addr::{DriverAddr, Narrow};
use super::session::{Nt, with_current};
use super::status::NtStatus;
use super::thunk::{Export, Role};
use super::time;
use crate::trap::boundary;
use crate::verifier::irql::{self, Irql, IrqlRange};
use crate::verifier::violation::ViolationKind;

/// Offset of `SignalState`.
const SIGNAL_STATE: u64 = 4;
/// Offset of `WaitListHead`.
const WAIT_LIST: u64 = 8;
/// Size of a `KEVENT` in 32-bit words, as its header states it.
const EVENT_WORDS: u8 = 6;
/// How often a waiter looks whether its session has died.
const SLICE: Duration = Duration::from_millis(20);

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export("KeInitializeEvent", IrqlRange::ANY, initialize as *const ()),
    export("KeSetEvent", IrqlRange::UP_TO_DISPATCH, set as *const ()),
    export(
        "KeClearEvent",
        IrqlRange::UP_TO_DISPATCH,
        clear as *const (),
    ),
    export(
        "KeResetEvent",
        IrqlRange::UP_TO_DISPATCH,
        reset as *const (),
    ),
    export(
        "KeReadStateEvent",
        IrqlRange::UP_TO_DISPATCH,
        read_state as *const (),
    ),
    export(
        "KeWaitForSingleObject",
        IrqlRange::UP_TO_DISPATCH,
        wait as *const (),
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

/// True if the bytes are those of an initialised event.
pub(super) fn is_event(event: DriverAddr) -> bool {
    event.read::<u8>() <= 1 && event.offset(2).read::<u8>() == EVENT_WORDS
}

extern "win64" fn initialize(event: DriverAddr, kind: u32, state: Narrow) {
    event.write::<u8>(kind.to_le_bytes()[0]);
    event.offset(1).write::<u8>(0);
    event.offset(2).write(EVENT_WORDS);
    event.offset(3).write::<u8>(0);
    event
        .offset(SIGNAL_STATE)
        .write::<i32>(state.is_true().into());
    let list = event.offset(WAIT_LIST);
    list.write(list.value());
    list.offset(8).write(list.value());
}

fn check(nt: &Nt, import: &'static str, event: DriverAddr) {
    if !is_event(event) {
        let what = format!("{:#x} is no initialised event", event.value());
        nt.verifier.fatal(ViolationKind::Misuse { import, what });
    }
}

/// Changes the state of an event and wakes who waits; returns the state before.
pub(super) fn change(nt: &Nt, import: &'static str, event: DriverAddr, state: i32) -> i32 {
    check(nt, import, event);
    let cell = event.offset(SIGNAL_STATE).atomic_i32();
    let guard = nt.dispatcher.lock.lock();
    let before = cell.swap(state, Ordering::SeqCst);
    drop(guard);
    nt.dispatcher.changed.notify_all();
    before
}

extern "win64" fn set(event: DriverAddr, _increment: i32, wait: Narrow) -> i32 {
    with_current(|nt| {
        if wait.is_true() && irql::current() > Irql::APC {
            let irql = irql::current();
            nt.verifier.report(ViolationKind::WaitAtRaisedIrql {
                import: "KeSetEvent",
                irql,
            });
        }
        change(nt, "KeSetEvent", event, 1)
    })
}

extern "win64" fn clear(event: DriverAddr) {
    with_current(|nt| change(nt, "KeClearEvent", event, 0));
}

extern "win64" fn reset(event: DriverAddr) -> i32 {
    with_current(|nt| change(nt, "KeResetEvent", event, 0))
}

extern "win64" fn read_state(event: DriverAddr) -> i32 {
    with_current(|nt| check(nt, "KeReadStateEvent", event));
    event
        .offset(SIGNAL_STATE)
        .atomic_i32()
        .load(Ordering::SeqCst)
}

extern "win64" fn wait(
    object: DriverAddr,
    _reason: u32,
    _mode: Narrow,
    _alertable: Narrow,
    timeout: DriverAddr,
) -> NtStatus {
    const IMPORT: &str = "KeWaitForSingleObject";
    with_current(|nt| {
        check(nt, IMPORT, object);
        let timeout = (!timeout.is_null()).then(|| time::timeout(timeout.read::<i64>()));
        if timeout != Some(Duration::ZERO) {
            check_may_block(nt, IMPORT);
        }
        let cell = object.offset(SIGNAL_STATE).atomic_i32();
        let consume = object.read::<u8>() == 1;
        let satisfied = wait_until(nt, IMPORT, object, timeout, || {
            let signalled = cell.load(Ordering::SeqCst) > 0;
            if signalled && consume {
                cell.store(0, Ordering::SeqCst);
            }
            signalled
        });
        if satisfied {
            NtStatus::SUCCESS
        } else {
            NtStatus::TIMEOUT
        }
    })
}

/// Reports a wait at a level where the scheduler cannot run.
pub(super) fn check_may_block(nt: &Nt, import: &'static str) {
    let irql = irql::current();
    if irql > Irql::APC {
        nt.verifier
            .report(ViolationKind::WaitAtRaisedIrql { import, irql });
    }
}

/// Waits until `ready` says so under the dispatcher lock; false when `timeout` passed before.
///
/// Ends the call when the session dies, or when a wait without time-out passes the hang limit.
/// `ready` must only touch memory that was touched before: a fault in it would leave the
/// dispatcher lock taken.
pub(super) fn wait_until(
    nt: &Nt,
    import: &'static str,
    object: DriverAddr,
    timeout: Option<Duration>,
    mut ready: impl FnMut() -> bool,
) -> bool {
    let started = Instant::now();
    let limit = timeout.unwrap_or_else(|| nt.verifier.hang_limit());
    let mut guard = nt.dispatcher.lock.lock();
    loop {
        if ready() {
            return true;
        }
        let elapsed = started.elapsed();
        if nt.verifier.is_dead() {
            drop(guard);
            boundary::abandon();
        }
        let Some(left) = limit.checked_sub(elapsed).filter(|left| !left.is_zero()) else {
            break;
        };
        nt.dispatcher.changed.wait_for(&mut guard, left.min(SLICE));
    }
    drop(guard);
    if timeout.is_none() {
        let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        nt.verifier.fatal(ViolationKind::WaitStuck {
            import,
            object: object.value(),
            limit_ms,
        });
    }
    false
}
