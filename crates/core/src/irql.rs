//! Interrupt levels as values.
//!
//! A token is a zero-sized proof, made by a DDI trampoline from that DDI's documented IRQL (and
//! checked there against the running level in debug builds, since documented IRQLs have been
//! wrong). It is neither `Send` nor storable beyond the call that it was made for.

use core::marker::PhantomData;

/// Runs at `PASSIVE_LEVEL`: may wait, may call DxgkCbDisconnectDoorbell.
#[derive(Clone, Copy, Debug)]
pub struct Passive<'call> {
    _call: PhantomData<(&'call (), *const ())>,
}

/// Runs at `DISPATCH_LEVEL` or below: may take spin locks, may not wait.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch<'call> {
    _call: PhantomData<(&'call (), *const ())>,
}

impl Passive<'_> {
    /// The token of a PASSIVE entry point. Only a trampoline whose DDI page says `PASSIVE_LEVEL`
    /// (or a thread of the driver's own) has the right to call this.
    pub const fn entered() -> Self {
        Self { _call: PhantomData }
    }

    /// What may run at DISPATCH may run at PASSIVE.
    pub const fn as_dispatch(&self) -> Dispatch<'_> {
        Dispatch { _call: PhantomData }
    }
}

impl Dispatch<'_> {
    /// The token of an entry point whose page says `DISPATCH_LEVEL` or "at or below".
    pub const fn entered() -> Self {
        Self { _call: PhantomData }
    }
}
