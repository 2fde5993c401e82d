//! The queues against a fake kernel and device in plain memory.

mod fake;
mod kernel;
mod lifetime;
mod loss;
mod ring_limits;
