//! The graphics kernel as a display miniport sees it.
//!
//! - [`registration`]: how a driver registers, and what is refused at once
//! - [`load`]: from a file to a registered driver
//! - [`driver`]: the registered driver, one checked method for each of its entry points
//! - [`adapter`]: from device node to running adapter and back, with every check that the OS is
//!   known to make on the way
//! - [`interface`]: the callbacks that the driver is given
//! - [`vidmm`]: memory, page tables, paging
//! - [`objects`]: processes, devices, contexts, queues, fences, doorbells
//! - [`kmt`]: the thunks that clients call
//! - [`handle`]: handles, by the side that made them
//! - [`trace`]: what passed between OS model and driver, for tests

pub mod adapter;
pub mod driver;
pub mod handle;
pub mod interface;
pub mod kmt;
pub mod load;
pub mod objects;
pub mod registration;
pub mod rejected;
pub mod trace;
pub mod vidmm;
