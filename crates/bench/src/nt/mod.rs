//! The NT kernel as a display miniport sees it: functions of the `win64` calling convention.
//!
//! - [`session`]: one run of a driver; driver code finds it through the calling thread
//! - [`thunk`]: the entry of every import: level check, counting, caller
//! - [`registry_of_imports`]: name to address
//! - [`driver_addr`]: addresses that the driver passed
//! - the functions by topic: [`pool`], [`spin`], [`mutex`], [`push_lock`], [`event`], [`rundown`], [`time`],
//!   [`memory`], [`io`], [`key`], [`etw`], [`misc`]
//!
//! Structures keep the sizes and public offsets of x64 Windows. Where a driver reserves the bytes
//! of an object, the model keeps its state in them, so that objects can be moved to their final
//! place before use and forgotten without telling anybody, as drivers do.

pub mod driver_addr;
pub mod etw;
pub mod event;
pub mod io;
pub mod key;
pub mod memory;
pub mod misc;
pub mod mutex;
pub mod physical;
pub mod pool;
pub mod push_lock;
pub mod registry_of_imports;
pub mod rundown;
pub mod session;
pub mod spin;
pub mod status;
pub mod thunk;
pub mod time;

pub use driver_addr::DriverAddr;
pub use session::Nt;
pub use status::NtStatus;
