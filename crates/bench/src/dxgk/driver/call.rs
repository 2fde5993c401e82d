//! How an entry point is called: level, synchronization, arguments, status.

use std::cell::Cell;

use carillon_ddi::NTSTATUS;
use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};

use super::{DdiError, DdiResult, Driver, Guarded};
use crate::dxgk::trace::Step;
use crate::verifier::irql::Irql;
use crate::verifier::violation::ViolationKind;

/// How many threads may be in the driver with this DDI (page "Threading and Synchronization").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Level zero: any number, fully re-entrant.
    Zero,
    /// Level one, scheduler class: one thread of the class, beside those of level zero.
    Scheduler,
    /// `DxgkDdiQueryAdapterInfo`: level zero, and it may overlap [`Self::Power`].
    Query,
    /// Level three beside which queries may run.
    Power,
    /// Levels two and three: nobody else in the driver.
    Exclusive,
    /// Interrupt handling and queries that may overlap everything.
    Free,
}

/// Which statuses a DDI may return.
#[derive(Debug, Clone, Copy)]
pub enum Allowed {
    /// These and no others.
    Only(&'static [NTSTATUS]),
    /// `STATUS_SUCCESS` and every error that says what is wrong: the page names none. A code that
    /// says nothing is what Windows was seen to reset adapters for.
    AnyError,
}

/// Codes that are no answer: "something failed" and "I have not been written".
const MEANINGLESS: [NTSTATUS; 2] = [
    NTSTATUS::STATUS_UNSUCCESSFUL,
    NTSTATUS::STATUS_NOT_IMPLEMENTED,
];

impl Allowed {
    fn permits(self, status: NTSTATUS) -> bool {
        match self {
            _ if status == NTSTATUS::STATUS_SUCCESS => true,
            Self::Only(allowed) => allowed.contains(&status),
            Self::AnyError => status.is_error() && !MEANINGLESS.contains(&status),
        }
    }
}

/// What is known of a DDI.
#[derive(Debug, Clone, Copy)]
pub struct Ddi {
    /// Its name, that of the slot.
    pub name: &'static str,
    /// The level at which it is called.
    pub irql: Irql,
    /// Who may be in the driver at the same time.
    pub class: Class,
    /// What it may return.
    pub allowed: Allowed,
}

thread_local! {
    /// Calls into the driver on this thread: a nested one has its synchronization already.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// What a call holds while it runs.
enum Synchronized<'a> {
    Nested,
    Shared {
        _level: RwLockReadGuard<'a, ()>,
    },
    Scheduler {
        _level: RwLockReadGuard<'a, ()>,
        _class: MutexGuard<'a, ()>,
    },
    Alone {
        _level: RwLockWriteGuard<'a, ()>,
        _queries: Option<RwLockWriteGuard<'a, ()>>,
    },
}

/// Counts the nesting of calls on this thread.
struct Nesting;

impl Nesting {
    fn enter() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        Self
    }
}

impl Drop for Nesting {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

impl Driver {
    /// contract: IRQ-002
    fn synchronize(&self, class: Class) -> Synchronized<'_> {
        if DEPTH.get() != 0 {
            return Synchronized::Nested;
        }
        match class {
            Class::Free => Synchronized::Nested,
            Class::Zero => Synchronized::Shared {
                _level: self.level.read(),
            },
            Class::Scheduler => Synchronized::Scheduler {
                _class: self.scheduler.lock(),
                _level: self.level.read(),
            },
            Class::Query => Synchronized::Shared {
                _level: self.queries.read(),
            },
            Class::Power => Synchronized::Alone {
                _level: self.level.write(),
                _queries: None,
            },
            Class::Exclusive => Synchronized::Alone {
                _level: self.level.write(),
                _queries: Some(self.queries.write()),
            },
        }
    }

    /// The entry point in a slot.
    pub(super) fn slot<F>(ddi: &Ddi, slot: Option<F>) -> DdiResult<F> {
        slot.ok_or(DdiError::NotFilled { ddi: ddi.name })
    }

    /// Runs `call` as a call of `ddi`.
    pub(super) fn enter<R>(&self, ddi: &Ddi, call: impl FnOnce() -> R) -> DdiResult<R> {
        let _synchronized = self.synchronize(ddi.class);
        let _nesting = Nesting::enter();
        let result = self.nt.ddi_call(ddi.name, ddi.irql, call);
        result.map_err(|_| DdiError::Abandoned { ddi: ddi.name })
    }

    /// Runs `call` and judges the status that it returns.
    pub(super) fn status(&self, ddi: &Ddi, call: impl FnOnce() -> NTSTATUS) -> DdiResult {
        self.judged(ddi, call).map(drop)
    }

    /// As [`Self::status`], for DDIs with several ways to succeed.
    ///
    /// contract: DBD-001, DBX-001, NTF-001
    fn judged(&self, ddi: &Ddi, call: impl FnOnce() -> NTSTATUS) -> DdiResult<NTSTATUS> {
        let status = self.enter(ddi, call)?;
        if !ddi.allowed.permits(status) {
            let name = ddi.name;
            self.breach(format!(
                "{name} returned {status}, which its page does not permit"
            ));
        }
        if status.is_success() {
            Ok(status)
        } else {
            Err(DdiError::Refused {
                ddi: ddi.name,
                status,
            })
        }
    }

    /// As [`Self::status`], for arguments that are plain values; `args` is what a trace shows of
    /// them.
    pub(super) fn plain(
        &self,
        ddi: &Ddi,
        args: &[u8],
        call: impl FnOnce() -> NTSTATUS,
    ) -> DdiResult {
        self.trace_call(ddi, args);
        let result = self.status(ddi, call);
        self.trace_return(ddi, args, result.is_ok());
        result
    }

    /// Calls with arguments that the driver completes; `args` changes only on success.
    pub(super) fn in_out<A: Copy>(
        &self,
        ddi: &Ddi,
        args: &mut A,
        call: impl FnOnce(*mut A) -> NTSTATUS,
    ) -> DdiResult {
        let lent = lend(ddi, *args)?;
        let before = lent.bytes();
        self.trace_call(ddi, &before);
        let result = self.status(ddi, || call(lent.as_mut_ptr()));
        self.trace_return(ddi, &lent.bytes(), result.is_ok());
        match result {
            Ok(()) => *args = lent.get(),
            Err(DdiError::Refused { status, .. }) => self.check_untouched(
                ddi,
                &before,
                &lent.bytes(),
                &format!("and failed with {status}"),
            ),
            Err(_) => {}
        }
        self.check_underrun(ddi, &lent);
        result
    }

    /// Calls with arguments that the driver only reads.
    pub(super) fn input<A: Copy>(
        &self,
        ddi: &Ddi,
        args: &A,
        call: impl FnOnce(*const A) -> NTSTATUS,
    ) -> DdiResult {
        self.input_judged(ddi, args, call).map(drop)
    }

    /// As [`Self::input`], for DDIs with several ways to succeed.
    pub(super) fn input_judged<A: Copy>(
        &self,
        ddi: &Ddi,
        args: &A,
        call: impl FnOnce(*const A) -> NTSTATUS,
    ) -> DdiResult<NTSTATUS> {
        let lent = lend(ddi, *args)?;
        let before = lent.bytes();
        self.trace_call(ddi, &before);
        let result = self.judged(ddi, || call(lent.as_mut_ptr()));
        self.trace_return(ddi, &lent.bytes(), result.is_ok());
        self.check_untouched(ddi, &before, &lent.bytes(), "which are input only");
        self.check_underrun(ddi, &lent);
        result
    }

    fn trace_call(&self, ddi: &Ddi, args: &[u8]) {
        self.trace.record(|| Step::Called {
            ddi: ddi.name,
            args: args.to_vec(),
        });
    }

    fn trace_return(&self, ddi: &Ddi, args: &[u8], succeeded: bool) {
        self.trace.record(|| Step::Returned {
            ddi: ddi.name,
            args: args.to_vec(),
            succeeded,
        });
    }

    fn check_untouched(&self, ddi: &Ddi, before: &[u8], after: &[u8], why: &str) {
        let changed = before
            .iter()
            .zip(after)
            .position(|(before, after)| before != after);
        if let Some(offset) = changed {
            let name = ddi.name;
            self.breach(format!(
                "{name} wrote to byte {offset} of its arguments {why}"
            ));
        }
    }

    pub(super) fn check_underrun<T: Copy>(&self, ddi: &Ddi, lent: &Guarded<T>) {
        if lent.is_underrun() {
            self.breach(format!("{} wrote before its arguments", ddi.name));
        }
    }

    /// Records a breach of the contract by the driver.
    pub fn breach(&self, what: String) {
        self.nt.verifier.report(ViolationKind::Contract(what));
    }
}

/// Lays `args` out next to a guard page.
pub(super) fn lend<A: Copy>(ddi: &Ddi, args: A) -> DdiResult<Guarded<A>> {
    Guarded::new(args).map_err(|_| DdiError::NoMemory { ddi: ddi.name })
}
