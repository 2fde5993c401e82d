//! What the driver tells and lets switch about a queue's doorbell (`docs/hardware.md` section 10).

use carillon_hw::escape::{EscapeCounters, EscapeData, EscapeRequest};
use zerocopy::IntoBytes;

use crate::kmt::{Escape, Kmt, KmtError};
use crate::queue::UserQueue;

/// Sends a request about a queue of the calling process.
///
/// # Errors
/// The driver refused it.
pub fn request(kmt: &dyn Kmt, request: EscapeRequest) -> Result<EscapeData, KmtError> {
    let mut data = EscapeData::new(request);
    kmt.escape(Escape {
        device: None,
        context: None,
        private_data: data.as_mut_bytes(),
    })?;
    Ok(data)
}

impl UserQueue {
    /// Has the driver connect the doorbell as `CONNECTED_NOTIFY_KMD` from now on, or no longer. A
    /// connected one is disconnected first: the next submission reconnects it.
    ///
    /// # Errors
    /// The driver refused it.
    pub fn set_notify(&self, notify: bool) -> Result<(), KmtError> {
        let queue = self.id();
        request(
            self.objects.kmt(),
            EscapeRequest::SetNotify { queue, notify },
        )
        .map(drop)
    }

    /// What has happened to the doorbell, as driver and device count it.
    ///
    /// # Errors
    /// The driver refused it.
    pub fn doorbell_counters(&self) -> Result<EscapeCounters, KmtError> {
        let queue = self.id();
        request(self.objects.kmt(), EscapeRequest::Counters { queue }).map(|data| data.counters)
    }
}
