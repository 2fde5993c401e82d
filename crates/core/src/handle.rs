//! Handles that the driver gives to the OS.
//!
//! A handle is an opaque 64-bit value, never a pointer: adapter, kind, index and generation. A
//! stale, forged, foreign or mistaken one is an error code. The doorbell DDIs carry no adapter
//! handle, so the value itself leads to the adapter.

use core::fmt;
use core::marker::PhantomData;

/// Which adapter of this driver, at most [`AdapterOrdinal::LIMIT`] at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AdapterOrdinal(u8);

impl AdapterOrdinal {
    /// Adapters that one loaded driver serves.
    pub const LIMIT: usize = 16;

    /// The adapter with this ordinal.
    pub fn new(ordinal: usize) -> Option<Self> {
        if ordinal < Self::LIMIT {
            u8::try_from(ordinal).ok().map(Self)
        } else {
            None
        }
    }

    /// The ordinal as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A kind of object that handles name.
pub trait Kind: 'static {
    /// The tag in the handle, 1 to 15.
    const TAG: u8;
}

/// A handle of one kind.
pub struct Handle<K> {
    bits: u64,
    _kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Handle<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Handle<K> {}

impl<K> PartialEq for Handle<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<K> Eq for Handle<K> {}

impl<K> fmt::Debug for Handle<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.bits)
    }
}

/// Bits of the index: sixteen million objects of a kind.
const INDEX_BITS: u32 = 24;
const GENERATION_BITS: u32 = 31;
const TAG_BITS: u32 = 4;

/// Largest index plus one.
pub const MAX_OBJECTS: u32 = 1 << INDEX_BITS;
/// Generations run from 1 to this and start again.
pub const MAX_GENERATION: u32 = (1 << GENERATION_BITS) - 1;

/// Adapter of a raw handle, whatever its kind. Nothing about the object is checked.
pub fn adapter_of(bits: u64) -> Option<AdapterOrdinal> {
    let ordinal = (bits >> (INDEX_BITS + GENERATION_BITS + TAG_BITS)) as usize;
    AdapterOrdinal::new(ordinal)
}

impl<K: Kind> Handle<K> {
    /// The handle of a slot.
    pub(crate) const fn new(adapter: AdapterOrdinal, index: u32, generation: u32) -> Self {
        let bits = index as u64
            | (generation as u64) << INDEX_BITS
            | (K::TAG as u64) << (INDEX_BITS + GENERATION_BITS)
            | (adapter.0 as u64) << (INDEX_BITS + GENERATION_BITS + TAG_BITS);
        Self {
            bits,
            _kind: PhantomData,
        }
    }

    /// A handle that came back from the OS, if it is of this kind. Whether the object lives is
    /// for the table to say.
    pub fn from_bits(bits: u64) -> Option<Self> {
        let tag = (bits >> (INDEX_BITS + GENERATION_BITS)) & ((1 << TAG_BITS) - 1);
        let handle = Self {
            bits,
            _kind: PhantomData,
        };
        (tag == u64::from(K::TAG) && handle.generation() != 0).then_some(handle)
    }
}

impl<K> Handle<K> {
    /// The value for the OS; never zero.
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// The adapter that the handle leads to.
    pub fn adapter(self) -> Option<AdapterOrdinal> {
        adapter_of(self.bits)
    }

    /// Index of the slot.
    #[allow(clippy::cast_possible_truncation, reason = "masked to 24 bits")]
    pub const fn index(self) -> u32 {
        (self.bits & (MAX_OBJECTS as u64 - 1)) as u32
    }

    /// Generation of the slot.
    #[allow(clippy::cast_possible_truncation, reason = "masked to 31 bits")]
    pub const fn generation(self) -> u32 {
        (self.bits >> INDEX_BITS) as u32 & MAX_GENERATION
    }
}

/// A handle that belongs to dxgkrnl. The driver keeps it and gives it back in callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OsHandle(pub usize);

#[cfg(test)]
mod tests {
    use super::*;

    struct A;
    impl Kind for A {
        const TAG: u8 = 1;
    }
    struct B;
    impl Kind for B {
        const TAG: u8 = 15;
    }

    #[test]
    fn fields_survive_at_their_limits() {
        let adapter = AdapterOrdinal::new(AdapterOrdinal::LIMIT - 1).unwrap();
        let handle = Handle::<B>::new(adapter, MAX_OBJECTS - 1, MAX_GENERATION);
        let back = Handle::<B>::from_bits(handle.bits()).unwrap();
        assert_eq!(back.index(), MAX_OBJECTS - 1);
        assert_eq!(back.generation(), MAX_GENERATION);
        assert_eq!(back.adapter(), Some(adapter));
        assert!(AdapterOrdinal::new(AdapterOrdinal::LIMIT).is_none());
    }

    /// contract: DBCR-001
    #[test]
    fn other_kinds_and_forgeries_are_refused() {
        let adapter = AdapterOrdinal::new(0).unwrap();
        let handle = Handle::<A>::new(adapter, 0, 1);
        assert_ne!(handle.bits(), 0);
        assert!(Handle::<B>::from_bits(handle.bits()).is_none());
        assert!(Handle::<A>::from_bits(0).is_none());
        assert!(Handle::<A>::from_bits(u64::MAX).is_none());
        assert!(adapter_of(u64::MAX).is_none());
    }
}
