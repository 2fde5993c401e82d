//! The user-mode side of user-mode work submission.
//!
//! * [`kmt`]: the kernel thunks, as a trait
//! * [`memory`]: access to memory that others write at the same time
//!
//! Left out: an implementation of [`kmt::Kmt`] over the D3DKMT thunks of Windows. The trait
//! follows them closely enough for one to be a thin layer.

pub mod kmt;
pub mod memory;
