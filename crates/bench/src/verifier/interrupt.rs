//! The lock that serialises a device's interrupt routine.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::irql::{self, Irql, IrqlGuard};
use super::locks::{LockKind, LockName};
use super::violation::LockMisuse;
use super::{Verifier, acquired, released, thread};
use crate::trap::boundary::Abandoned;

/// The interrupt lock of one device: held by its interrupt routine and by synchronised execution.
#[derive(Debug, Default)]
pub struct InterruptLock {
    owner: AtomicU64,
}

/// Holds the lock and keeps the thread at [`Irql::DEVICE`].
#[derive(Debug)]
#[must_use = "the lock is released when the guard is dropped"]
pub struct InterruptGuard<'a> {
    lock: &'a InterruptLock,
    _level: IrqlGuard,
    _this_thread: PhantomData<*const ()>,
}

impl InterruptLock {
    fn name(&self) -> LockName {
        LockName {
            kind: LockKind::Interrupt,
            address: &raw const *self as u64,
        }
    }

    /// Raises this thread to [`Irql::DEVICE`] and takes the lock.
    ///
    /// # Errors
    /// [`Abandoned`] when the thread has the lock already, when the session is dead, or when the
    /// lock is not free within the hang limit; the first and the last are violations.
    pub fn enter(&self, verifier: &Verifier) -> Result<InterruptGuard<'_>, Abandoned> {
        let (name, me) = (self.name(), thread::number());
        let before = irql::current();
        if self.owner.load(Ordering::Relaxed) == me {
            verifier.report(LockMisuse::Recursion { lock: name });
            return Err(Abandoned);
        }
        let level = irql::enter(before.max(Irql::DEVICE));
        verifier.before_acquire(&name);
        let (started, limit) = (Instant::now(), verifier.hang_limit());
        let order = (Ordering::Acquire, Ordering::Relaxed);
        while let Err(holder) = self.owner.compare_exchange_weak(0, me, order.0, order.1) {
            if verifier.is_dead() {
                return Err(Abandoned);
            }
            if started.elapsed() > limit {
                let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
                verifier.report(LockMisuse::Stuck {
                    lock: name,
                    limit_ms,
                    holder,
                });
                return Err(Abandoned);
            }
            std::thread::yield_now();
        }
        acquired(name, before);
        Ok(InterruptGuard {
            lock: self,
            _level: level,
            _this_thread: PhantomData,
        })
    }
}

impl Drop for InterruptGuard<'_> {
    fn drop(&mut self) {
        released(&self.lock.name());
        self.lock.owner.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_raises_and_does_not_nest() {
        let (lock, verifier) = (InterruptLock::default(), Verifier::default());
        let guard = lock.enter(&verifier).unwrap();
        assert_eq!(irql::current(), Irql::DEVICE);
        assert!(lock.enter(&verifier).is_err());
        assert_eq!(verifier.violation_count(), 1);
        drop(guard);
        assert_eq!(irql::current(), Irql::PASSIVE);
        assert!(lock.enter(&verifier).is_ok());
    }
}
