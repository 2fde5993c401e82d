//! The two kinds of locks that the core is built on, as `lock_api` raw mutexes.
//!
//! `lock_api` ties the data to the lock and hands out guards that cannot leave their thread, so
//! that only acquiring and releasing is left to prove here.

use core::cell::UnsafeCell;

use lock_api::{GuardNoSend, RawMutex};
use wdk_sys::KSPIN_LOCK;
use wdk_sys::ntddk::{
    KeAcquireSpinLockRaiseToDpc, KeEnterCriticalRegion, KeLeaveCriticalRegion, KeLowerIrql,
    KeReleaseSpinLock, KeTryToAcquireSpinLockAtDpcLevel, KfRaiseIrql,
};

/// A push lock: one pointer-sized word, zero when free. Page `nf-wdm-exinitializepushlock`.
type PushLockWord = usize;

/// `EX_DEFAULT_PUSH_LOCK_FLAGS`.
const DEFAULT_FLAGS: u32 = 0;
/// `DISPATCH_LEVEL`.
const DISPATCH_LEVEL: u8 = 2;

// What the documented macros ExAcquirePushLockExclusive and ExReleasePushLockExclusive call. The
// headers of the cross build do not know them.
unsafe extern "C" {
    fn ExAcquirePushLockExclusiveEx(lock: *mut PushLockWord, flags: u32);
    fn ExReleasePushLockExclusiveEx(lock: *mut PushLockWord, flags: u32);
}

/// A lock for PASSIVE_LEVEL: a push lock, held inside a critical region so that no normal kernel
/// APC can suspend its holder.
#[derive(Debug)]
pub(crate) struct PassiveLock {
    word: UnsafeCell<PushLockWord>,
}

// SAFETY: the word is only ever handed to the push lock routines, which synchronize all
// processors on it; it has no owner thread that would forbid moving an idle lock.
unsafe impl Send for PassiveLock {}
// SAFETY: as above: every access to the word goes through the push lock routines.
unsafe impl Sync for PassiveLock {}

// SAFETY: an exclusively acquired push lock excludes every other exclusive acquisition until it is
// released (page `nf-wdm-exacquirepushlockexclusive`), and no other mode is used here.
unsafe impl RawMutex for PassiveLock {
    const INIT: Self = Self {
        word: UnsafeCell::new(0),
    };

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        // SAFETY: IRQL at most APC_LEVEL: holders of a `Passive` token only.
        unsafe { KeEnterCriticalRegion() };
        // SAFETY: the word is a push lock: zero at first, which is what ExInitializePushLock
        // makes, and touched by nobody else. Normal kernel APCs are off since the line above, as
        // the page demands.
        unsafe { ExAcquirePushLockExclusiveEx(self.word.get(), DEFAULT_FLAGS) };
    }

    /// Never succeeds: no documented routine acquires a push lock without waiting. A caller that
    /// asks must be prepared for that answer anyway.
    fn try_lock(&self) -> bool {
        false
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller holds the lock, acquired exclusively by `lock` with the same flags.
        unsafe { ExReleasePushLockExclusiveEx(self.word.get(), DEFAULT_FLAGS) };
        // SAFETY: pairs with the KeEnterCriticalRegion of `lock` on this thread: the guard is not
        // `Send`.
        unsafe { KeLeaveCriticalRegion() };
    }
}

/// A lock that raises to DISPATCH_LEVEL while it is held: a kernel spin lock.
///
/// # Invariants
/// `old_irql` belongs to the holder of `word`: it is written after acquisition and read before
/// release, by the holder only.
#[derive(Debug)]
pub(crate) struct SpinLock {
    word: UnsafeCell<KSPIN_LOCK>,
    old_irql: UnsafeCell<u8>,
}

// SAFETY: an idle spin lock is a word without ties to a processor or thread.
unsafe impl Send for SpinLock {}
// SAFETY: `word` is only touched by the spin lock routines, `old_irql` by the holder alone (the
// type's invariant).
unsafe impl Sync for SpinLock {}

// SAFETY: KSPIN_LOCK is a mutual exclusion lock among processors, and raising to DISPATCH_LEVEL
// keeps the holder's processor from running another thread (page
// `nf-wdm-keacquirespinlockraisetodpc`).
unsafe impl RawMutex for SpinLock {
    const INIT: Self = Self {
        // What KeInitializeSpinLock makes of it.
        word: UnsafeCell::new(0),
        old_irql: UnsafeCell::new(0),
    };

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        // SAFETY: the word is an initialized spin lock in nonpaged memory (pool or the image's
        // data section), and the IRQL is at most DISPATCH_LEVEL: holders of a `Dispatch` token
        // only.
        let old = unsafe { KeAcquireSpinLockRaiseToDpc(self.word.get()) };
        // SAFETY: the lock has been acquired in the line above, so this processor is its only
        // holder and nobody else reads or writes the level: a second acquirer's level can never
        // overwrite the holder's.
        unsafe { self.old_irql.get().write(old) };
    }

    fn try_lock(&self) -> bool {
        // SAFETY: raises from at most DISPATCH_LEVEL to DISPATCH_LEVEL.
        let old = unsafe { KfRaiseIrql(DISPATCH_LEVEL) };
        // SAFETY: an initialized spin lock in nonpaged memory, at DISPATCH_LEVEL.
        if unsafe { KeTryToAcquireSpinLockAtDpcLevel(self.word.get()) } == 0 {
            // SAFETY: the level that was current before it was raised above.
            unsafe { KeLowerIrql(old) };
            return false;
        }
        // SAFETY: acquired, as in `lock`.
        unsafe { self.old_irql.get().write(old) };
        true
    }

    unsafe fn unlock(&self) {
        // SAFETY: the caller holds the lock, so the level is its own, stored after acquisition;
        // it is read before the release, after which the next holder may write it.
        let old = unsafe { self.old_irql.get().read() };
        // SAFETY: the caller holds the lock at DISPATCH_LEVEL, and `old` is the level from before
        // its acquisition.
        unsafe { KeReleaseSpinLock(self.word.get(), old) };
    }
}
