//! What passed between the OS model and the driver, in order, for tests that ask.
//!
//! Nothing is recorded until [`Trace::start`].

use std::sync::atomic::{AtomicBool, Ordering};

use carillon_ddi::D3DDDI_DOORBELLSTATUS;
use parking_lot::Mutex;

use super::handle::OsHandle;

/// One step. Arguments are the bytes of the DDI's structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The OS called a DDI.
    Called {
        /// Its name.
        ddi: &'static str,
        /// The arguments before the call.
        args: Vec<u8>,
    },
    /// The DDI returned.
    Returned {
        /// Its name.
        ddi: &'static str,
        /// The arguments after the call.
        args: Vec<u8>,
        /// It succeeded.
        succeeded: bool,
    },
    /// The OS switched what is behind a doorbell's address.
    Shows {
        /// The doorbell.
        doorbell: OsHandle,
        /// Offset in the doorbell BAR; `None` for the dummy page.
        page: Option<usize>,
    },
    /// The OS switched what is behind a doorbell's secondary address.
    ShowsSecondary {
        /// The doorbell.
        doorbell: OsHandle,
        /// Offset in the doorbell BAR; `None` for the dummy page.
        page: Option<usize>,
    },
    /// The OS wrote a doorbell's status word.
    Status {
        /// The doorbell.
        doorbell: OsHandle,
        /// The status.
        status: D3DDDI_DOORBELLSTATUS,
    },
    /// The driver called `DxgkCbDisconnectDoorbell`.
    DisconnectCallback {
        /// `hHwQueue`
        queue: OsHandle,
        /// `hDoorbell`
        doorbell: OsHandle,
        /// `DisconnectReason`
        reason: D3DDDI_DOORBELLSTATUS,
    },
}

/// The recorder.
#[derive(Debug, Default)]
pub struct Trace {
    on: AtomicBool,
    steps: Mutex<Vec<Step>>,
}

impl Trace {
    /// Records from now on.
    pub fn start(&self) {
        self.steps.lock().clear();
        self.on.store(true, Ordering::SeqCst);
    }

    /// Stops, and takes what was recorded.
    pub fn stop(&self) -> Vec<Step> {
        self.on.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.steps.lock())
    }

    /// Records `step` if somebody asked.
    pub(crate) fn record(&self, step: impl FnOnce() -> Step) {
        if self.on.load(Ordering::Relaxed) {
            self.steps.lock().push(step());
        }
    }
}
