//! Doorbells: logical ones, of which every queue may have one, and physical ones, of which the
//! device has few.
//!
//! The write pointer in memory is the truth and a ring is a hint to look, so what has to be
//! guarded is not the ring but the *look*: whenever a client may have rung something that reaches
//! nobody, the device is made to look at that client's write pointer afterwards.
//!
//! * [`global`]: the other model, in which a process has a page and nobody is a victim
//! * [`pages`]: the physical pages, their owners, the free list, the CLOCK hand
//! * `inner`: what the manager's lock guards, and the steps under it
//! * `line`: connects that wait for a page
//! * [`manager`]: create, connect, disconnect, destroy, and the order in which a victim loses its
//!   page
//!
//! States of a logical doorbell and who may change them:
//!
//! ```text
//!             connect, page free                 OS disconnects
//! Disconnected ----------------> Connected(p) ------------------> Lingering(p)
//!     |  ^                         |    ^                              |
//!     |  |  callback returned      |    |  connect: same page back     |
//!     |  +------- Revoking(p) <----+    +------------------------------+
//!     |               ^    another doorbell wants the page             |
//!     |               +------------------------------------------------+
//!     +-- connect, no page free: Connecting --> Connected(p of the victim)
//! ```
//!
//! *Lingering* closes a window that only the OS can see: it moves the client's mapping **after**
//! `DxgkDdiDisconnectDoorbell` returned, so until then the client's rings still land on the page.
//! The page therefore stays bound to its queue, the queue is watched, and whoever wants the page goes the
//! same way as for a victim: the callback first (it succeeds for a doorbell that is disconnected
//! already), then the page.

pub mod global;
mod inner;
mod line;
pub mod manager;
pub mod pages;
#[cfg(test)]
mod tests;

use carillon_hw::queue::{ContextId, QueueId};
use carillon_hw::regs::DoorbellPage;

use crate::handle::{Kind, OsHandle};

/// Handles of logical doorbells.
pub enum DoorbellKind {}

impl Kind for DoorbellKind {
    const TAG: u8 = 1;
}

/// Where a logical doorbell stands. The page in a variant is the one that the device would look
/// at this queue for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No page. The client's status says RETRY (or nothing yet).
    Disconnected,
    /// A thread is inside connect and waits for a victim's callback.
    Connecting,
    /// The client's mapping leads, or is about to lead, to this page.
    Connected(DoorbellPage),
    /// The OS disconnected the doorbell; its mapping may still lead to the page for a moment.
    Lingering(DoorbellPage),
    /// Another connect is taking the page away.
    Revoking(DoorbellPage),
}

/// What has happened to one doorbell since it was created; numbers wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DoorbellCounters {
    /// Connects that gave it a page.
    pub connects: u32,
    /// Disconnects that the OS asked for while it had a page.
    pub disconnects: u32,
    /// Pages lost to another doorbell.
    pub victimized: u32,
    /// Times that its client notified the driver.
    pub notifies: u32,
    /// Times that the driver disconnected it so that its client hears of a change.
    pub changed: u32,
}

/// A logical doorbell.
#[derive(Debug)]
pub struct Doorbell {
    /// The OS's handle of the doorbell, for the callback.
    pub(crate) os: OsHandle,
    /// The OS's handle of the queue, for the callback.
    pub(crate) os_queue: OsHandle,
    pub(crate) queue: QueueId,
    pub(crate) context: ContextId,
    pub(crate) process: ProcessTag,
    /// Answer the next connect with `CONNECTED_NOTIFY_KMD`.
    pub(crate) wants_notify: bool,
    /// A reset took its queue: it connects no more.
    pub(crate) aborted: bool,
    /// Global model: it counts among those that keep its process's page.
    pub(crate) holds_page: bool,
    /// What the last connect asked for.
    pub(crate) locations: Locations,
    pub(crate) state: State,
    pub(crate) counters: DoorbellCounters,
}

/// What a new doorbell is about.
#[derive(Clone, Copy, Debug)]
pub struct NewDoorbell {
    /// The OS's handle of the doorbell.
    pub os: OsHandle,
    /// The OS's handle of the queue.
    pub os_queue: OsHandle,
    /// The hardware queue that a ring looks at.
    pub queue: QueueId,
    /// The hardware context of the queue: its doorbells are the last to become its victims.
    pub context: ContextId,
    /// The process, which in the global model has a page of its own.
    pub process: ProcessTag,
}

/// A process as far as doorbells care: equal tags share a page in the global model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessTag(pub u64);

/// Which locations of a page a client rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locations {
    /// The page alone.
    #[default]
    Primary,
    /// The page and its secondary page.
    Both,
}

/// What a connect answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// The physical page that the client's mapping shall lead to.
    pub page: DoorbellPage,
    /// The client shall notify the driver after each ring: `CONNECTED_NOTIFY_KMD`.
    pub notify: bool,
    /// What the device watches of the page.
    pub locations: Locations,
    /// The doorbell's queue.
    pub queue: QueueId,
}

/// Counters of an adapter's doorbells; numbers wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ManagerCounters {
    /// Connects that gave a page.
    pub connects: u64,
    /// Connects of a doorbell that had its page already.
    pub repeated_connects: u64,
    /// Connects that took a free page.
    pub free_pages_taken: u64,
    /// Pages taken from a connected doorbell.
    pub victimizations: u64,
    /// Pages taken from a doorbell that the OS had disconnected.
    pub lingering_reclaimed: u64,
    /// Callbacks answered with "unknown doorbell".
    pub callbacks_already_gone: u64,
    /// Times that a connect had to wait because every page was young and busy, or in transit.
    pub waits: u64,
    /// Pages that a victim took back, because nothing else was to be had, while the callback for
    /// it was under way.
    pub taken_back: u64,
    /// Pages taken from a connected doorbell so that its client hears of a change.
    pub changed: u64,
    /// Disconnects that the OS asked for.
    pub disconnects: u64,
    /// Connects answered with `CONNECTED_NOTIFY_KMD`.
    pub notify_connects: u64,
    /// Calls of `DxgkDdiNotifyWorkSubmission`.
    pub notifies: u64,
}
