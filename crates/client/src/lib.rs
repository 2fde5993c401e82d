//! The user-mode side of user-mode work submission.
//!
//! A client creates a hardware queue, a ring and a doorbell, and from then on submits work with
//! plain stores. What makes that correct when doorbells are taken away, engines are reset or a
//! ring lands nowhere is here.
//!
//! * [`kmt`]: the kernel thunks, as a trait
//! * [`memory`]: access to memory that others write at the same time
//! * [`command`]: command buffers
//! * [`submit`]: what submitting and waiting look like, and how they fail
//! * [`queue`]: the queue with a doorbell, the submit loop
//! * [`resize`]: another ring for a queue that has work in flight
//! * [`escape`]: what the driver tells and lets switch about a queue's doorbell
//! * [`fallback`]: the queue that the kernel feeds
//!
//! Left out: an implementation of [`kmt::Kmt`] over the D3DKMT thunks of Windows. The trait
//! follows them closely enough for one to be a thin layer.

mod bell;
pub mod command;
pub mod escape;
pub mod fallback;
mod feed;
pub mod kmt;
pub mod memory;
mod objects;
mod probe;
mod progress;
pub mod queue;
pub mod resize;
mod ring;
pub mod submit;

pub use bell::RingAt;
pub use objects::CreateError;
pub use ring::BadReadPointer;

#[cfg(test)]
mod tests;
