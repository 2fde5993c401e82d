//! Mapped device memory: register accessors and plain windows.
//!
//! Registers are read and written by one plain `mov` each. A volatile access would be as correct,
//! but the compiler may fold it into another instruction (`test [mem], imm`), and whoever emulates
//! the device behind a page fault wants to decode as little as possible.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A range of mapped device memory.
///
/// # Invariants
/// `base` is page aligned and maps `bytes` bytes of the device for as long as the value lives;
/// the mapping's owner unmaps it after that.
#[derive(Debug)]
pub(crate) struct Window {
    base: NonNull<u8>,
    bytes: u64,
}

// SAFETY: device memory is reached by single aligned accesses only, which any processor may do at
// any time.
unsafe impl Send for Window {}
// SAFETY: as above; no access goes through a Rust reference to plain data.
unsafe impl Sync for Window {}

impl Window {
    /// A window onto a mapping.
    ///
    /// # Safety
    /// `base` is page aligned and maps `bytes` bytes of device memory that stay mapped while the
    /// value lives.
    pub(crate) const unsafe fn new(base: NonNull<u8>, bytes: u64) -> Self {
        Self { base, bytes }
    }

    /// The first byte.
    pub(crate) const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Bytes in the window.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The place of a naturally aligned `T` at `offset`, if the window has it.
    fn place<T>(&self, offset: u64) -> Option<*mut T> {
        let size = size_of::<T>() as u64;
        if !offset.is_multiple_of(size) || offset.checked_add(size)? > self.bytes {
            return None;
        }
        let offset = usize::try_from(offset).ok()?;
        // `wrapping_add`: the place lies inside the mapping, checked above.
        Some(self.base.as_ptr().wrapping_add(offset).cast())
    }

    /// Reads a 32-bit register; all ones outside, as from a device that is gone.
    pub(crate) fn read32(&self, offset: u64) -> u32 {
        // SAFETY: `place` answers aligned places inside the mapping only (invariant).
        self.place(offset)
            .map_or(u32::MAX, |at| unsafe { register_read32(at) })
    }

    /// Reads a 64-bit register; all ones outside.
    pub(crate) fn read64(&self, offset: u64) -> u64 {
        // SAFETY: `place` answers aligned places inside the mapping only (invariant).
        self.place(offset)
            .map_or(u64::MAX, |at| unsafe { register_read64(at) })
    }

    /// Writes a 32-bit register; a write outside is dropped.
    pub(crate) fn write32(&self, offset: u64, value: u32) {
        if let Some(at) = self.place(offset) {
            // SAFETY: `place` answers aligned places inside the mapping only (invariant).
            unsafe { register_write32(at, value) };
        }
    }

    /// Writes a 64-bit register; a write outside is dropped.
    pub(crate) fn write64(&self, offset: u64, value: u64) {
        if let Some(at) = self.place(offset) {
            // SAFETY: `place` answers aligned places inside the mapping only (invariant).
            unsafe { register_write64(at, value) };
        }
    }

    /// Loads 32 bits with acquire ordering; zero outside.
    pub(crate) fn load32(&self, offset: u64) -> u32 {
        let Some(at) = self.place::<u32>(offset) else {
            return 0;
        };
        // SAFETY: aligned and inside the mapping (invariant), which is only ever accessed
        // atomically.
        unsafe { AtomicU32::from_ptr(at) }.load(Ordering::Acquire)
    }

    /// Loads 64 bits with acquire ordering; zero outside.
    pub(crate) fn load64(&self, offset: u64) -> u64 {
        let Some(at) = self.place::<u64>(offset) else {
            return 0;
        };
        // SAFETY: aligned and inside the mapping (invariant), which is only ever accessed
        // atomically.
        unsafe { AtomicU64::from_ptr(at) }.load(Ordering::Acquire)
    }

    /// Stores 64 bits with release ordering; dropped outside.
    pub(crate) fn store64(&self, offset: u64, value: u64) {
        let Some(at) = self.place::<u64>(offset) else {
            return;
        };
        // SAFETY: aligned and inside the mapping (invariant), which is only ever accessed
        // atomically.
        unsafe { AtomicU64::from_ptr(at) }.store(value, Ordering::Release);
    }
}

/// # Safety
/// `at` is the aligned address of a mapped register.
#[inline]
unsafe fn register_read32(at: *mut u32) -> u32 {
    let value: u32;
    // SAFETY: reads four mapped bytes, which the caller vouches for, and nothing else. Without
    // `nomem` the compiler moves no memory access across it.
    unsafe {
        core::arch::asm!("mov {value:e}, dword ptr [{at}]", at = in(reg) at, value = out(reg) value,
            options(nostack, preserves_flags));
    }
    value
}

/// # Safety
/// `at` is the aligned address of a mapped register.
#[inline]
unsafe fn register_read64(at: *mut u64) -> u64 {
    let value: u64;
    // SAFETY: reads eight mapped bytes, which the caller vouches for, and nothing else.
    unsafe {
        core::arch::asm!("mov {value}, qword ptr [{at}]", at = in(reg) at, value = out(reg) value,
            options(nostack, preserves_flags));
    }
    value
}

/// # Safety
/// `at` is the aligned address of a mapped register.
#[inline]
unsafe fn register_write32(at: *mut u32, value: u32) {
    // SAFETY: writes four mapped device bytes, which the caller vouches for; no Rust object lives
    // there. Without `nomem` earlier stores to memory stay earlier.
    unsafe {
        core::arch::asm!("mov dword ptr [{at}], {value:e}", at = in(reg) at, value = in(reg) value,
            options(nostack, preserves_flags));
    }
}

/// # Safety
/// `at` is the aligned address of a mapped register.
#[inline]
unsafe fn register_write64(at: *mut u64, value: u64) {
    // SAFETY: writes eight mapped device bytes, which the caller vouches for; no Rust object lives
    // there.
    unsafe {
        core::arch::asm!("mov qword ptr [{at}], {value}", at = in(reg) at, value = in(reg) value,
            options(nostack, preserves_flags));
    }
}
