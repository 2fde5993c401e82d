//! The interrupt level at which an entry point runs, as the core's tokens.
//!
//! A trampoline asks for the token that its DDI's page promises. Debug builds compare the promise
//! with `KeGetCurrentIrql`, because documented levels have been wrong: a lie stops the machine with
//! IRQL_UNEXPECTED_VALUE (0xC8) before a lock deadlocks in a way that nobody can read.

use carillon_core::irql::{Dispatch, Passive};

#[cfg(debug_assertions)]
use core::sync::atomic::{AtomicU32, Ordering};

/// PASSIVE_LEVEL.
#[cfg(debug_assertions)]
const PASSIVE_LEVEL: u8 = 0;
/// DISPATCH_LEVEL.
#[cfg(debug_assertions)]
const DISPATCH_LEVEL: u8 = 2;
/// Bug check IRQL_UNEXPECTED_VALUE.
#[cfg(debug_assertions)]
const IRQL_UNEXPECTED_VALUE: u32 = 0xC8;

/// Entry points that ran above the level of their page, for a debugger to read.
#[cfg(debug_assertions)]
static VIOLATIONS: AtomicU32 = AtomicU32::new(0);

/// The token of an entry point whose page says PASSIVE_LEVEL.
#[inline]
pub(crate) fn passive<'call>() -> Passive<'call> {
    #[cfg(debug_assertions)]
    at_most(PASSIVE_LEVEL);
    Passive::entered()
}

/// The token of an entry point whose page says DISPATCH_LEVEL, or at most that.
#[inline]
pub(crate) fn dispatch<'call>() -> Dispatch<'call> {
    #[cfg(debug_assertions)]
    at_most(DISPATCH_LEVEL);
    Dispatch::entered()
}

#[cfg(debug_assertions)]
fn at_most(level: u8) {
    // SAFETY: callable at any IRQL and without preconditions (page `nf-wdm-kegetcurrentirql`).
    let current = unsafe { wdk_sys::ntddk::KeGetCurrentIrql() };
    if current <= level {
        return;
    }
    VIOLATIONS.fetch_add(1, Ordering::Relaxed);
    // The bug check's page lays the first parameter out as current level, expected level, id.
    let levels = u64::from(current) << 16 | u64::from(level) << 8;
    // SAFETY: callable at any IRQL, whatever the parameters; it does not return (page
    // `nf-ntddk-kebugcheckex`).
    unsafe { wdk_sys::ntddk::KeBugCheckEx(IRQL_UNEXPECTED_VALUE, levels, 0, 0, 0) };
}
