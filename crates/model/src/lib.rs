//! The doorbell protocol as a model that is checked exhaustively.
//!
//! Clients, dxgkrnl, the driver and the device are written from the documents, not from the code
//! of the driver: `docs/model.md` says what is modelled, what is not, and what each rule is for.
//!
//! - [`State`]: one moment of the machine.
//! - [`Config`]: how large it is, how dxgkrnl behaves, which [`Rule`] is left out.
//! - [`Action`] and [`property`]: what may happen and what must hold.
//! - [`suite`]: the configurations that are checked.
//! - [`RingChange`]: a second machine, in which a queue's ring is replaced; [`check_ring`] runs it.
//! - [`check`] runs one, [`narrate`] tells a counterexample.

mod client;
mod config;
mod describe;
mod driver;
mod gpu;
mod os;
mod protocol;
mod ring_change;
mod run;
mod state;
pub mod suite;
mod symmetry;

pub use config::{Callback, Config, Order, PAGES, QUEUES, Rule, THREADS, Topology};
pub use describe::narrate;
pub use driver::Choice;
pub use protocol::{Action, property};
pub use ring_change::{
    RING_REMOVALS, RingAction, RingChange, RingOutcome, RingRule, RingState, check_ring,
    ring_property,
};
pub use run::{Outcome, Search, Step, check};
pub use state::{
    Actor, Bell, Budget, Fault, OsKind, OsOp, OsStep, Owner, Page, PageId, Pc, Queue, QueueId,
    Ring, State, Status, Thread, ThreadId,
};
