//! Addresses that driver code passed.

use std::sync::atomic::{AtomicI32, AtomicU64};

use super::session;
use crate::trap::images::CodeAddress;
use crate::verifier::violation::{AccessKind, FaultTarget, ViolationKind};

/// An address that driver code passed to the model, as an argument or inside of a structure.
///
/// # Invariants
/// The value came from driver code, or names memory that the bench lent to it; it is only used for
/// what the called function is documented to do with it. It may nevertheless be wrong: a null or
/// misaligned one ends the driver call as a violation, and one that is not mapped faults and ends
/// the call through the fault handler.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DriverAddr(u64);

/// Integers that may be read from and written to driver memory: any bit pattern is one.
pub trait Plain: Copy + sealed::Sealed {}

mod sealed {
    /// Keeps [`super::Plain`] to the integers.
    pub trait Sealed {}
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Plain for $type {}
    )*};
}
plain!(u8, u16, u32, u64, i8, i16, i32, i64);

impl DriverAddr {
    /// The null pointer.
    pub const NULL: Self = Self(0);

    /// Wraps an address.
    ///
    /// # Safety
    /// The value must satisfy the type's invariant.
    pub const unsafe fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// True for the null pointer.
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `bytes` further on, for a member of the same structure.
    #[must_use]
    pub const fn offset(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }

    fn checked<T>(self, access: AccessKind) -> *mut T {
        let align = align_of::<T>() as u64;
        if self.0 < 4096 || !self.0.is_multiple_of(align) {
            let target = if self.0 < 4096 {
                FaultTarget::Null
            } else {
                FaultTarget::Unmapped
            };
            let at: CodeAddress = crate::verifier::thread::caller();
            let fault = ViolationKind::Fault {
                at,
                address: self.0,
                access,
                target,
            };
            session::with_current(|nt| nt.verifier.fatal(fault));
        }
        self.0 as *mut T
    }

    /// Reads a value at the address.
    pub fn read<T: Plain>(self) -> T {
        let pointer = self.checked::<T>(AccessKind::Read);
        // SAFETY: by the invariant the driver lends this memory; it is aligned and not null, a
        // page that is not mapped ends the call in the fault handler.
        unsafe { pointer.read_volatile() }
    }

    /// Writes a value at the address.
    pub fn write<T: Plain>(self, value: T) {
        let pointer = self.checked::<T>(AccessKind::Write);
        // SAFETY: as for `read`; the driver lent the memory for writing.
        unsafe { pointer.write_volatile(value) };
    }

    /// The address as a shared 32-bit cell, for state that several threads change.
    pub fn atomic_i32<'a>(self) -> &'a AtomicI32 {
        let pointer = self.checked::<i32>(AccessKind::Write);
        // SAFETY: as for `read`; all parties access the cell atomically or as the driver's own
        // plain initialisation before it is shared.
        unsafe { AtomicI32::from_ptr(pointer) }
    }

    /// The address as a shared 64-bit cell, for state that several threads change.
    pub fn atomic_u64<'a>(self) -> &'a AtomicU64 {
        let pointer = self.checked::<u64>(AccessKind::Write);
        // SAFETY: as for `atomic_i32`.
        unsafe { AtomicU64::from_ptr(pointer) }
    }

    /// Reads the pointer stored at the address.
    #[must_use]
    pub fn read_addr(self) -> Self {
        Self(self.read::<u64>())
    }

    /// Copies `len` bytes from the address.
    pub fn read_bytes(self, len: usize) -> Vec<u8> {
        (0..len as u64)
            .map(|i| self.offset(i).read::<u8>())
            .collect()
    }

    /// Copies `bytes` to the address.
    pub fn write_bytes(self, bytes: &[u8]) {
        for (i, byte) in (0..).zip(bytes) {
            self.offset(i).write::<u8>(*byte);
        }
    }

    /// Reads a counted UTF-16 string (`UNICODE_STRING`) at the address.
    pub fn read_unicode_string(self) -> String {
        let units = u64::from(self.read::<u16>() / 2);
        let buffer = self.offset(8).read_addr();
        let text: Vec<u16> = (0..units)
            .map(|i| buffer.offset(i * 2).read::<u16>())
            .collect();
        String::from_utf16_lossy(&text)
    }

    /// Reads a zero-terminated byte string at the address, at most `limit` bytes.
    pub fn read_c_string(self, limit: u64) -> String {
        if self.is_null() {
            return String::from("(null)");
        }
        let bytes = (0..limit).map(|i| self.offset(i).read::<u8>());
        let text: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A narrow integer argument: the caller leaves the upper bits of the register undefined.
#[repr(transparent)]
#[derive(Debug, Clone, Copy)]
pub struct Narrow(u64);

impl Narrow {
    /// The low eight bits.
    pub const fn byte(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// True if the low eight bits are not all zero (`BOOLEAN`).
    pub const fn is_true(self) -> bool {
        self.byte() != 0
    }
}
