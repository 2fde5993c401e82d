//! The core against random sequences of what an OS and its clients may do, checked after each step
//! against a plain model, and against threads that do it all at once.
//!
//! A random test that fails prints the shortest sequence that it found and its seed, which
//! `CARILLON_SEED` replays; `CARILLON_EFFORT` multiplies the number of cases.

mod adapter;
mod doorbell_device;
mod doorbells;
mod lock;
mod runner;
mod stress;
