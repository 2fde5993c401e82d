//! Private data that does not hold still while the driver has it, as if it were still the client's.
//!
//! The OS hands drivers a copy, or so it is believed; the documentation on untrusted data asks them
//! to read once all the same.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::dxgk::driver::Guarded;

/// The other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rewrite {
    /// Bytes; as many as the data has are used.
    pub bytes: [u8; 40],
}

/// Runs `call` while another thread writes the other content over `lent`, and back, without pause.
/// The driver's own writes may be lost.
pub(super) fn under_rewrite<R>(
    rewrite: Option<Rewrite>,
    lent: &Guarded<u8>,
    call: impl FnOnce() -> R,
) -> R {
    let Some(Rewrite { bytes: other }) = rewrite else {
        return call();
    };
    let own = lent.values();
    let base = lent.as_mut_ptr().expose_provenance();
    let (running, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let write = |bytes: &[u8]| {
        for (at, byte) in bytes.iter().take(own.len()).enumerate() {
            let to = std::ptr::with_exposed_provenance_mut(base + at);
            // SAFETY: a byte of `lent`, which outlives the scope; everybody who races for it
            // does so with single stores, and a byte has no bad value.
            unsafe { AtomicU8::from_ptr(to) }.store(*byte, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                write(&other);
                running.store(true, Ordering::Relaxed);
                write(&own);
            }
        });
        while !running.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let result = call();
        stop.store(true, Ordering::Relaxed);
        result
    })
}
