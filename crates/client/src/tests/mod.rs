//! The queues against a fake kernel and device in plain memory.

mod escape;
mod fake;
mod kernel;
mod lifetime;
mod loss;
mod resize;
mod ring_limits;
mod secondary;
