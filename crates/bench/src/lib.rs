//! The test bench: runs `carillon.sys`, the file that a user installs, inside a Linux process.
//!
//! The driver's code runs natively; Windows around it is a model that checks every step.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`loader`] | maps a PE driver image as Windows would, and binds its imports |
//! | [`nt`] | the NT kernel functions that a display miniport imports; [`nt::Nt`] is one session |
//! | [`verifier`] | levels, pool, locks, leaks, fault injection: what went wrong and where |
//! | [`device`] | the device in the machine: BARs, configuration space, interrupt |
//! | [`dxgk`] | the graphics kernel: registration, adapters, callbacks, memory, objects |
//! | [`workload`] | clients that put the driver to work, and a whole machine to do it on |
//! | [`trap`] | trapped registers, guard pages, shared memory, the boundary of a driver call |
//!
//! One run: make a session with [`nt::Nt::new`], map the file with [`loader::Image::load`], call its
//! entry point through [`nt::Nt::ddi_call`], look at [`verifier::Verifier::violations`].
//!
//! Not here: scheduling (each host thread is a processor of its own), paging (all memory is
//! resident), structured exceptions (a fault ends the driver call), asynchronous procedure calls.
//! x86-64 Linux only.

pub mod device;
pub mod dxgk;
pub mod loader;
pub mod nt;
pub mod trap;
pub mod verifier;
pub mod workload;
