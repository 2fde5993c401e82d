//! The atomics that interrupt routine, DPC and DDIs share: those of `core`, or those of loom when
//! it tries every interleaving (`tests/loom.rs`).

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
