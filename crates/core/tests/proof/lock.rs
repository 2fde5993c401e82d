//! A lock that knows how many of its kind the running thread holds.

use std::cell::Cell;

use lock_api::{GuardNoSend, RawMutex};

thread_local! {
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// Locks that the running thread holds.
pub(crate) fn held() -> u32 {
    HELD.get()
}

/// A mutex that refuses to be taken twice by one thread, so that a lock held across a callback
/// is a failed assertion and not a test that hangs.
pub(crate) struct CountedLock(parking_lot::RawMutex);

// SAFETY: exclusion is the inner mutex's; the counter beside it guards nothing.
unsafe impl RawMutex for CountedLock {
    const INIT: Self = Self(parking_lot::RawMutex::INIT);
    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        assert_eq!(held(), 0, "a lock is taken under another of its kind");
        self.0.lock();
        HELD.set(1);
    }

    fn try_lock(&self) -> bool {
        let taken = self.0.try_lock();
        if taken {
            HELD.set(held() + 1);
        }
        taken
    }

    unsafe fn unlock(&self) {
        HELD.set(held() - 1);
        // SAFETY: the caller holds this mutex, which is what the inner one asks for.
        unsafe { self.0.unlock() }
    }
}
