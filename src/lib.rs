//! Carillon: a WDDM 3.2 display miniport driver with user-mode work submission.
//!
//! This crate is the rim: it turns calls of dxgkrnl into calls of the safe core
//! (`carillon_core`), and the core's wishes into calls of the kernel. Every `unsafe` of the driver
//! is here, and no policy is.
//!
//! - [`entry`] and [`displib`]: `DriverEntry` and registration
//! - [`ddi`]: the entry points, one trampoline each, and their table
//! - [`adapter`]: from an OS handle to a started adapter
//! - [`platform`]: the core's platform, over [`dxgkrnl`] (callbacks), [`mmio`] (BARs) and [`dma`]
//!   (bus memory)
//! - [`sync`], [`irql`], [`pool`]: locks, interrupt levels, memory
//!
//! Left out on purpose: structured exception handling (no user address is ever touched), and
//! anything that can panic. The linked image is searched for panics.

#![no_std]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a panic in the kernel stops the machine"
)]

extern crate alloc;
// The panic handler: a panic is a bugcheck that carries the source location.
extern crate wdk_panic as _;

mod adapter;
mod ddi;
#[cfg(not(displib))]
mod displib;
mod dma;
mod dxgkrnl;
pub mod entry;
mod irql;
mod mmio;
mod platform;
mod pool;
mod registry;
mod sync;
