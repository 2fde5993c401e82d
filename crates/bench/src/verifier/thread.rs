//! What the verifier knows about the running thread.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use super::locks::HeldLock;
use crate::trap::images::{CodeAddress, locate};

static NEXT: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static CALLER: Cell<usize> = const { Cell::new(0) };
    static DDI: Cell<Option<&'static str>> = const { Cell::new(None) };
    static KERNEL_CALLS: Cell<u64> = const { Cell::new(0) };
    static POOL_CALLS: Cell<u64> = const { Cell::new(0) };
    static HELD: RefCell<Vec<HeldLock>> = const { RefCell::new(Vec::new()) };
}

/// Number of this thread, from 1, in order of first use.
pub fn number() -> u64 {
    if NUMBER.get() == 0 {
        NUMBER.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
    NUMBER.get()
}

/// Return address of the last kernel call of this thread, as a place in an image.
pub fn caller() -> CodeAddress {
    locate(CALLER.get())
}

pub(crate) fn set_caller(address: usize) {
    CALLER.set(address);
}

pub(crate) fn ddi() -> Option<&'static str> {
    DDI.get()
}

pub(crate) fn replace_ddi(ddi: Option<&'static str>) -> Option<&'static str> {
    DDI.replace(ddi)
}

/// Calls by driver code on this thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCounts {
    /// Kernel functions and callbacks.
    pub kernel: u64,
    /// Pool functions among them.
    pub pool: u64,
}

/// Calls that driver code made on this thread so far.
pub fn calls() -> CallCounts {
    CallCounts {
        kernel: KERNEL_CALLS.get(),
        pool: POOL_CALLS.get(),
    }
}

pub(crate) fn count_kernel_call() {
    KERNEL_CALLS.set(KERNEL_CALLS.get() + 1);
}

pub(crate) fn count_pool_call() {
    POOL_CALLS.set(POOL_CALLS.get() + 1);
}

/// Runs `f` on the locks that this thread holds, oldest first.
pub(crate) fn with_held<R>(f: impl FnOnce(&mut Vec<HeldLock>) -> R) -> R {
    HELD.with_borrow_mut(f)
}
