//! Faults as a hypervisor would handle them: trapped registers, guard pages, shared memory.
//!
//! - [`boundary`]: the edge of a driver call, to which an impossible call is unwound
//! - [`images`]: names for code addresses
//! - [`mapping`]: reserved address ranges and their protections
//! - [`shared`]: memory that several parties map, and views whose pages can be switched
//! - [`mmio`]: inaccessible register ranges and the devices behind them
//! - [`decode`] and [`alu`]: what one faulting instruction wants
//! - [`fault`]: the `SIGSEGV` handler that ties these together

pub mod alu;
pub mod boundary;
pub mod decode;
pub mod fault;
pub mod images;
pub mod mapping;
pub mod mmio;
pub mod shared;

/// Size of a page in bytes, on both sides of the bench.
pub const PAGE_SIZE: usize = 4096;

/// `bytes` rounded up to whole pages; `None` on overflow.
pub fn page_align(bytes: usize) -> Option<usize> {
    Some(bytes.checked_add(PAGE_SIZE - 1)? & !(PAGE_SIZE - 1))
}
