//! CPU views of memory that the operating system and the device write at the same time.
//!
//! Nobody may hold a `&T` or `&mut T` to such memory. Every access is an atomic load or store of
//! an aligned word, with the ordering in its name, so a concurrent writer makes a value stale,
//! never undefined.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// One aligned 64-bit word of shared memory that this side may only read.
///
/// # Invariants
/// The word is 8-byte aligned and mapped for reads until the object that it was returned for is
/// destroyed (see [`Self::new`]).
#[derive(Clone, Copy, Debug)]
pub struct ReadWord(NonNull<AtomicU64>);

// SAFETY: the word is only reached through atomic loads, and its mapping belongs to the process,
// not to a thread.
unsafe impl Send for ReadWord {}
// SAFETY: as for `Send`.
unsafe impl Sync for ReadWord {}

impl ReadWord {
    /// Wraps the address of a shared word.
    ///
    /// # Safety
    /// `address` is 8-byte aligned and mapped for reads until the kernel object that it belongs to
    /// (queue, doorbell, allocation) is destroyed through its [`Kmt`](crate::kmt::Kmt) object.
    /// Everybody in this process reaches it by atomic operations only.
    pub const unsafe fn new(address: NonNull<u64>) -> Self {
        Self(address.cast())
    }

    #[inline]
    fn word(&self) -> &AtomicU64 {
        // SAFETY: aligned, mapped and accessed atomically by the type's invariants; the destroy
        // thunks are unsafe and forbid further use, which bounds the borrow.
        unsafe { self.0.as_ref() }
    }

    /// The address, for printing and for comparing mappings.
    pub const fn address(&self) -> NonNull<u64> {
        self.0.cast()
    }

    /// Loads the word; nothing is ordered.
    #[inline]
    pub fn load_relaxed(&self) -> u64 {
        self.word().load(Ordering::Relaxed)
    }

    /// Loads the word; what its writer did before a release store is visible afterwards.
    #[inline]
    pub fn load_acquire(&self) -> u64 {
        self.word().load(Ordering::Acquire)
    }
}

/// One aligned 64-bit word of shared memory that both sides may write.
///
/// # Invariants
/// As for [`ReadWord`], and mapped for writes too.
#[derive(Clone, Copy, Debug)]
pub struct SharedWord(ReadWord);

impl SharedWord {
    /// Wraps the address of a shared word.
    ///
    /// # Safety
    /// As for [`ReadWord::new`], and the word is mapped for writes for the same time.
    pub const unsafe fn new(address: NonNull<u64>) -> Self {
        // SAFETY: the caller's contract includes that of `ReadWord::new`.
        Self(unsafe { ReadWord::new(address) })
    }

    /// The same word without the right to store.
    pub const fn read_only(&self) -> ReadWord {
        self.0
    }

    /// The address, for printing and for comparing mappings.
    pub const fn address(&self) -> NonNull<u64> {
        self.0.address()
    }

    /// Loads the word; nothing is ordered.
    #[inline]
    pub fn load_relaxed(&self) -> u64 {
        self.0.load_relaxed()
    }

    /// Loads the word; what its writer did before a release store is visible afterwards.
    #[inline]
    pub fn load_acquire(&self) -> u64 {
        self.0.load_acquire()
    }

    /// Stores the word; nothing is ordered.
    #[inline]
    pub fn store_relaxed(&self, value: u64) {
        self.0.word().store(value, Ordering::Relaxed);
    }

    /// Stores the word after everything this thread wrote before it.
    #[inline]
    pub fn store_release(&self, value: u64) {
        self.0.word().store(value, Ordering::Release);
    }
}

/// The CPU view of an allocation.
///
/// # Invariants
/// `base` is 8-byte aligned and `bytes` bytes from it are mapped for reads and writes until the
/// allocation is destroyed.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the memory is only reached through atomic operations, and the mapping belongs to the
// process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Wraps a mapped range.
    ///
    /// # Safety
    /// `base` is 8-byte aligned, and `bytes` bytes from there are one allocation mapped for reads
    /// and writes until the allocation is destroyed through its [`Kmt`](crate::kmt::Kmt) object.
    /// Everybody in this process reaches them by atomic operations only.
    pub const unsafe fn new(base: NonNull<u8>, bytes: usize) -> Self {
        Self { base, bytes }
    }

    /// Length in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first byte, for printing and for comparing mappings.
    pub const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The 64-bit word at a byte offset; `None` if it is not aligned or not inside.
    pub fn word(&self, offset: usize) -> Option<SharedWord> {
        if !offset.is_multiple_of(8) || self.bytes.checked_sub(offset)? < 8 {
            return None;
        }
        // SAFETY: `offset` is inside the mapped range (checked above).
        let address = unsafe { self.base.add(offset) };
        // SAFETY: `base` and `offset` are 8-byte aligned and the eight bytes are inside the
        // mapping, whose life is the invariant of this type.
        Some(unsafe { SharedWord::new(address.cast()) })
    }

    /// Stores four consecutive 64-bit words, unordered; `None` (and nothing stored) if the offset
    /// is not aligned to 8 bytes or the words are not all inside.
    #[inline]
    pub fn store_words(&self, offset: usize, words: [u64; 4]) -> Option<()> {
        const BYTES: usize = size_of::<[u64; 4]>();
        if !offset.is_multiple_of(8) || self.bytes.checked_sub(offset)? < BYTES {
            return None;
        }
        // SAFETY: `offset` is inside the mapped range (checked above).
        let address = unsafe { self.base.add(offset) };
        // SAFETY: aligned to 8 and all four words are inside the mapping (checked above);
        // accessed atomically by the type's invariants.
        let slots = unsafe { address.cast::<[AtomicU64; 4]>().as_ref() };
        for (slot, word) in slots.iter().zip(words) {
            slot.store(word, Ordering::Relaxed);
        }
        Some(())
    }

    fn dword(&self, offset: usize) -> Option<&AtomicU32> {
        if !offset.is_multiple_of(4) || self.bytes.checked_sub(offset)? < 4 {
            return None;
        }
        // SAFETY: `offset` is inside the mapped range (checked above).
        let address = unsafe { self.base.add(offset) };
        // SAFETY: aligned to 4 and inside the mapping (checked above); accessed atomically by
        // the type's invariants.
        Some(unsafe { address.cast::<AtomicU32>().as_ref() })
    }

    /// The 32-bit word at a byte offset; `None` if it is not aligned or not inside.
    pub fn load_u32(&self, offset: usize) -> Option<u32> {
        Some(self.dword(offset)?.load(Ordering::Relaxed))
    }

    /// Stores consecutive 32-bit words, unordered; `None` (and nothing stored) if the offset is not
    /// aligned to 4 bytes or the words are not all inside.
    #[inline]
    pub fn store_dwords(&self, offset: usize, words: &[u32]) -> Option<()> {
        let left = self.bytes.checked_sub(offset)?;
        if !offset.is_multiple_of(4) || left < size_of_val(words) {
            return None;
        }
        // SAFETY: `offset` is inside the mapped range (checked above).
        let address = unsafe { self.base.add(offset) };
        // SAFETY: aligned to 4 and as many words as `words` has are inside the mapping (checked
        // above); accessed atomically by the type's invariants.
        let slots = unsafe {
            core::slice::from_raw_parts(address.cast::<AtomicU32>().as_ptr(), words.len())
        };
        for (slot, word) in slots.iter().zip(words) {
            slot.store(*word, Ordering::Relaxed);
        }
        Some(())
    }

    /// Stores a 32-bit word, unordered; `None` (and nothing stored) if the offset is not aligned
    /// or not inside.
    pub fn store_u32(&self, offset: usize, value: u32) -> Option<()> {
        self.dword(offset)?.store(value, Ordering::Relaxed);
        Some(())
    }
}
