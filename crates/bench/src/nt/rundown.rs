//! Run-down protection.
//!
//! The 8 bytes of an `EX_RUNDOWN_REF` count references in steps of two; bit 0 says that run-down
//! has begun.

use std::sync::atomic::Ordering;

use super::driver_addr::DriverAddr;
use super::event;
use super::session::with_current;
use super::thunk::{Export, Role};
use crate::verifier::irql::IrqlRange;
use crate::verifier::violation::ViolationKind;

const ACTIVE: u64 = 1;
const REFERENCE: u64 = 2;

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    export(
        "ExInitializeRundownProtection",
        IrqlRange::ANY,
        initialize as *const (),
    ),
    export(
        "ExReInitializeRundownProtection",
        IrqlRange::ANY,
        initialize as *const (),
    ),
    export(
        "ExAcquireRundownProtection",
        IrqlRange::UP_TO_DISPATCH,
        acquire as *const (),
    ),
    export(
        "ExReleaseRundownProtection",
        IrqlRange::UP_TO_DISPATCH,
        release as *const (),
    ),
    export("ExRundownCompleted", IrqlRange::ANY, completed as *const ()),
    export(
        "ExWaitForRundownProtectionRelease",
        IrqlRange::UP_TO_APC,
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

extern "win64" fn initialize(rundown: DriverAddr) {
    rundown.write::<u64>(0);
}

extern "win64" fn acquire(rundown: DriverAddr) -> u8 {
    let count = rundown.atomic_u64();
    let add = |count: u64| (count & ACTIVE == 0).then_some(count + REFERENCE);
    count
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, add)
        .is_ok()
        .into()
}

extern "win64" fn release(rundown: DriverAddr) {
    let count = rundown.atomic_u64();
    let take = |count: u64| count.checked_sub(REFERENCE);
    let released = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
    with_current(|nt| {
        if released.is_err() {
            let what = format!("{:#x} has no reference to release", rundown.value());
            let import = "ExReleaseRundownProtection";
            nt.verifier.report(ViolationKind::Misuse { import, what });
        }
        // The waiter looks under the lock: taking it here makes the wake-up reach it.
        drop(nt.dispatcher.lock.lock());
        nt.dispatcher.changed.notify_all();
    });
}

extern "win64" fn completed(rundown: DriverAddr) {
    rundown.atomic_u64().store(ACTIVE, Ordering::SeqCst);
}

extern "win64" fn wait(rundown: DriverAddr) {
    const IMPORT: &str = "ExWaitForRundownProtectionRelease";
    let count = rundown.atomic_u64();
    count.fetch_or(ACTIVE, Ordering::SeqCst);
    with_current(|nt| {
        event::wait_until(nt, IMPORT, rundown, None, || {
            count.load(Ordering::SeqCst) == ACTIVE
        })
    });
}
