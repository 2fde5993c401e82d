//! Clients that put the driver to work, for the demo, the soak run and scenarios.
//!
//! - [`machine`]: a whole machine, from the driver file to running adapter and back
//! - [`client`]: one user-mode queue with real work, checked byte by byte
//! - [`raw`]: a client that does exactly what it is told, sense or nonsense
//! - [`demo`]: processes, queues and doorbells, with a report
//! - [`soak`]: everything at once, for long
//! - [`latency`]: ring to fetch, beside a plain ping through shared memory

pub mod client;
pub mod demo;
pub mod latency;
pub mod machine;
pub mod raw;
pub mod soak;
