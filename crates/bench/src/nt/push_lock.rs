//! Push locks, exclusive form.
//!
//! `EX_PUSH_LOCK` is one pointer-sized word that starts as zero and is opaque to drivers. The model
//! keeps the owning thread's number in it.

use std::sync::atomic::Ordering;

use super::driver_addr::DriverAddr;
use super::event;
use super::mutex::critical_regions;
use super::session::{Nt, with_current};
use super::thunk::{Export, Role};
use crate::verifier::irql::{self, Irql, IrqlRange};
use crate::verifier::locks::{LockKind, LockName};
use crate::verifier::violation::{LockMisuse, ViolationKind};
use crate::verifier::{acquired, released, thread};

const ACQUIRE: &str = "ExAcquirePushLockExclusiveEx";
const RELEASE: &str = "ExReleasePushLockExclusiveEx";

/// The functions of this module.
pub(super) const EXPORTS: &[Export] = &[
    Export {
        name: ACQUIRE,
        irql: IrqlRange::UP_TO_APC,
        role: Role::Kernel,
        target: acquire as *const (),
    },
    Export {
        name: RELEASE,
        irql: IrqlRange::UP_TO_APC,
        role: Role::Kernel,
        target: release as *const (),
    },
];

/// A thread that could be suspended while it holds a push lock would stop everybody else, so
/// normal kernel APCs have to be off.
fn check(nt: &Nt, import: &'static str, flags: u32) {
    if critical_regions() == 0 && irql::current() < Irql::APC {
        let what = String::from("normal kernel APCs are not disabled");
        nt.verifier.report(ViolationKind::Misuse { import, what });
    }
    if flags > 1 {
        let what = format!("flags {flags:#x} are not defined");
        nt.verifier.report(ViolationKind::Misuse { import, what });
    }
}

fn name(lock: DriverAddr) -> LockName {
    LockName {
        kind: LockKind::Push,
        address: lock.value(),
    }
}

extern "win64" fn acquire(lock: DriverAddr, flags: u32) {
    let name = name(lock);
    with_current(|nt| {
        check(nt, ACQUIRE, flags);
        let owner = lock.atomic_u64();
        let me = thread::number();
        if owner.load(Ordering::Relaxed) == me {
            nt.verifier
                .fatal(LockMisuse::Recursion { lock: name.clone() });
        }
        nt.verifier.before_acquire(&name);
        event::wait_until(nt, "acquisition of a push lock", lock, None, || {
            owner
                .compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        });
        acquired(name.clone(), irql::current());
    });
}

extern "win64" fn release(lock: DriverAddr, flags: u32) {
    let name = name(lock);
    with_current(|nt| {
        check(nt, RELEASE, flags);
        let owner = lock.atomic_u64();
        let held = released(&name);
        if held.is_none() || owner.load(Ordering::Relaxed) != thread::number() {
            nt.verifier.report(LockMisuse::NotOwned { lock: name });
            return;
        }
        let guard = nt.dispatcher.lock.lock();
        owner.store(0, Ordering::Release);
        drop(guard);
        nt.dispatcher.changed.notify_all();
    });
}
