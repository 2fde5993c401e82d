//! Whether the hardware may be touched, and how to wait until nobody does.
//!
//! While the device is without power or being reset, the OS lets no entry point in but those that
//! a driver cannot keep out: the interrupt routine, the DPC, and those about the power of single
//! engines. They pass the gate; who shuts it waits for them to leave. After that the event ring, its cursor and the tables belong to the
//! shutting thread alone.

use crate::atomic::{AtomicU32, Ordering};
use crate::irql::Passive;
use crate::platform::Platform;

/// Whether and why the hardware is out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The hardware works.
    Open,
    /// It has no power.
    Asleep,
    /// It is being reset with everything on it.
    Reset,
    /// It is stopped or lost, for good.
    Gone,
}

impl Access {
    const fn code(self) -> u32 {
        match self {
            Self::Open => 0,
            Self::Asleep => 1,
            Self::Reset => 2,
            Self::Gone => 3,
        }
    }

    const fn of(code: u32) -> Self {
        match code {
            0 => Self::Open,
            1 => Self::Asleep,
            2 => Self::Reset,
            _ => Self::Gone,
        }
    }
}

/// The gate of one adapter.
pub(super) struct Gate {
    access: AtomicU32,
    inside: AtomicU32,
}

/// Somebody inside the gate.
pub(super) struct Inside<'gate>(&'gate Gate);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            access: AtomicU32::new(Access::Open.code()),
            inside: AtomicU32::new(0),
        }
    }

    /// Any IRQL.
    pub(super) fn access(&self) -> Access {
        Access::of(self.access.load(Ordering::SeqCst))
    }

    /// Any IRQL. `None` while the gate is shut.
    pub(super) fn enter(&self) -> Option<Inside<'_>> {
        // Counted before the gate is looked at. Who shuts it reads the count by a read-modify-write:
        // either that comes after this addition and sees it, or this addition comes after, and
        // with it everything before, the shut gate among it.
        self.inside.fetch_add(1, Ordering::SeqCst);
        let inside = Inside(self);
        (self.access() == Access::Open).then_some(inside)
    }

    /// Goes from one state to another unless the hardware is lost meanwhile; whether it did.
    pub(super) fn change(&self, from: Access, to: Access) -> bool {
        self.access
            .compare_exchange(from.code(), to.code(), Ordering::SeqCst, Ordering::SeqCst)
            .is_ok()
    }

    /// Shuts the gate for good; answers what it was before.
    pub(super) fn lose(&self) -> Access {
        Access::of(self.access.swap(Access::Gone.code(), Ordering::SeqCst))
    }

    /// Waits until nobody is inside. Those inside run above PASSIVE_LEVEL and wait for nobody.
    pub(super) fn wait_empty<P: Platform>(&self, passive: Passive<'_>, platform: &P) {
        while self.inside.fetch_add(0, Ordering::SeqCst) != 0 {
            platform.pause(passive);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_inside_is_counted_and_nobody_enters_a_shut_gate() {
        let gate = Gate::new();
        let inside = gate.enter();
        assert!(inside.is_some());
        assert!(gate.change(Access::Open, Access::Reset));
        assert!(gate.enter().is_none());
        assert_eq!(gate.inside.load(Ordering::SeqCst), 1);
        drop(inside);
        assert_eq!(gate.inside.load(Ordering::SeqCst), 0);
        assert!(gate.change(Access::Reset, Access::Open));
        assert!(gate.enter().is_some());
    }

    #[test]
    fn who_shuts_the_gate_waits_for_those_inside() {
        let fake = crate::testing::Fake::new(1, 1 << 20);
        let gate = Gate::new();
        let inside = gate.enter();
        assert!(gate.change(Access::Open, Access::Asleep));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.wait_empty(Passive::entered(), &fake));
            while fake.pauses.load(Ordering::Relaxed) == 0 {
                assert!(!waiting.is_finished(), "somebody is inside");
                std::thread::yield_now();
            }
            drop(inside);
        });
    }

    #[test]
    fn what_is_lost_stays_lost() {
        let gate = Gate::new();
        assert_eq!(gate.lose(), Access::Open);
        assert!(!gate.change(Access::Open, Access::Asleep));
        assert!(!gate.change(Access::Asleep, Access::Open));
        assert_eq!(gate.lose(), Access::Gone);
    }
}
