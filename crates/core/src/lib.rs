//! The driver's brain: everything that decides, nothing that touches a pointer.
//!
//! * [`platform`]: the traits through which this crate reaches kernel, hardware and dxgkrnl
//! * [`error`]: why a DDI is refused, and the status code that says so
//! * [`irql`]: tokens that prove at which interrupt level the code runs
//! * [`notify`]: what is reported to dxgkrnl
//! * [`handle`], [`arena`]: generational handles and the tables behind them
//! * [`doorbell`]: logical and physical doorbells, connection, victims
//! * [`objects`]: processes, devices, contexts, queues, allocations, fences
//! * [`surface`]: what the driver offers; [`query`], [`node`], [`feature`]: how the OS is told
//! * [`power`]: power components and their F-states
//! * [`segment`]: from the OS's addresses to the hardware's
//! * [`allocation`]: where allocations go
//! * [`paging`]: memory operations as packets
//! * [`adapter`]: one started GPU, the operations behind the DDI table
//!
//! The crate forbids `unsafe`, allocates fallibly, and knows no OS: `src/` of the driver is the
//! rim that supplies the traits and the entry points.

#![cfg_attr(not(loom), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod adapter;
pub mod allocation;
pub mod arena;
mod atomic;
pub mod doorbell;
pub mod error;
pub mod feature;
pub mod handle;
pub mod irql;
pub mod node;
pub mod notify;
pub mod objects;
pub mod paging;
pub mod platform;
pub mod power;
pub mod query;
pub mod segment;
pub mod surface;
#[cfg(test)]
mod testing;
