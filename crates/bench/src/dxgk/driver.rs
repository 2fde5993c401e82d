//! The driver as dxgkrnl sees it: its table of entry points, each called by a typed method.
//!
//! Every method takes care that the contract holds on both sides of the call:
//!
//! - the slot is filled, the level is the documented one, the call is counted;
//! - no more threads are in the driver than the DDI's synchronization level permits;
//! - arguments lie right before a page that cannot be touched, input is unchanged afterwards, and
//!   output is not written when the call fails;
//! - the status is one that the DDI's page permits; every other one is a violation, as Windows
//!   answers it with an adapter reset or a bug check.

pub mod call;
pub mod entries;
pub mod guarded;

use std::fmt;
use std::sync::Arc;

use carillon_ddi::{DRIVER_INITIALIZATION_DATA, NTSTATUS};
use parking_lot::{Mutex, RwLock};

use super::trace::Trace;
use crate::nt::Nt;
pub use guarded::Guarded;

/// Why a DDI did not do what it was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DdiError {
    /// The driver has no such entry point.
    #[error("{ddi} is NULL in the driver's table")]
    NotFilled {
        /// The DDI.
        ddi: &'static str,
    },
    /// The driver refused.
    #[error("{ddi} returned {status}")]
    Refused {
        /// The DDI.
        ddi: &'static str,
        /// What it returned.
        status: NTSTATUS,
    },
    /// The call did something that it could not come back from; the session is dead.
    #[error("{ddi} did not return; the verifier has the reason")]
    Abandoned {
        /// The DDI.
        ddi: &'static str,
    },
    /// The bench had no memory for the arguments.
    #[error("no memory for the arguments of {ddi}")]
    NoMemory {
        /// The DDI.
        ddi: &'static str,
    },
}

impl DdiError {
    /// The status to pass on to whoever asked for the call.
    pub const fn status(self) -> NTSTATUS {
        match self {
            Self::NotFilled { .. } => NTSTATUS::STATUS_NOT_SUPPORTED,
            Self::Refused { status, .. } => status,
            Self::Abandoned { .. } => NTSTATUS::STATUS_DEVICE_REMOVED,
            Self::NoMemory { .. } => NTSTATUS::STATUS_NO_MEMORY,
        }
    }
}

impl From<DdiError> for NTSTATUS {
    fn from(error: DdiError) -> Self {
        error.status()
    }
}

/// What a DDI call yields.
pub type DdiResult<T = ()> = Result<T, DdiError>;

/// A registered driver.
pub struct Driver {
    nt: Arc<Nt>,
    table: DRIVER_INITIALIZATION_DATA,
    /// Shared by zero and first level, exclusive for second and third.
    level: RwLock<()>,
    /// Shared by queries, exclusive for what even they may not overlap. Taken after `level`.
    queries: RwLock<()>,
    /// The scheduler class of the first level: one thread at a time.
    scheduler: Mutex<()>,
    trace: Trace,
}

// SAFETY: the table's pointers are code addresses and members that the OS does not follow; all
// other members are shared already.
unsafe impl Send for Driver {}
// SAFETY: as for `Send`; nothing in the table is written after construction.
unsafe impl Sync for Driver {}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("version", &self.table.Version)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver with the entry points of `table`, which must be functions of their types or NULL.
    pub fn new(nt: Arc<Nt>, table: DRIVER_INITIALIZATION_DATA) -> Arc<Self> {
        Arc::new(Self {
            nt,
            table,
            level: RwLock::new(()),
            queries: RwLock::new(()),
            scheduler: Mutex::new(()),
            trace: Trace::default(),
        })
    }

    /// The session that the driver runs in.
    pub fn nt(&self) -> &Arc<Nt> {
        &self.nt
    }

    /// What passes between OS model and driver, for tests.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The registered table.
    pub fn table(&self) -> &DRIVER_INITIALIZATION_DATA {
        &self.table
    }
}
