//! Status codes of the kernel functions.

use std::fmt;

/// An NTSTATUS as kernel functions return it.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NtStatus(pub u32);

impl NtStatus {
    /// Done.
    pub const SUCCESS: Self = Self(0);
    /// A wait ended by its time-out.
    pub const TIMEOUT: Self = Self(0x0000_0102);
    /// A buffer holds the beginning of the data.
    pub const BUFFER_OVERFLOW: Self = Self(0x8000_0005);
    /// A handle of nothing, or of the wrong sort.
    pub const INVALID_HANDLE: Self = Self(0xC000_0008);
    /// An argument out of range.
    pub const INVALID_PARAMETER: Self = Self(0xC000_000D);
    /// The device does not know the request.
    pub const INVALID_DEVICE_REQUEST: Self = Self(0xC000_0010);
    /// No memory.
    pub const NO_MEMORY: Self = Self(0xC000_0017);
    /// A buffer cannot hold the fixed part of the data.
    pub const BUFFER_TOO_SMALL: Self = Self(0xC000_0023);
    /// No object of that name.
    pub const OBJECT_NAME_NOT_FOUND: Self = Self(0xC000_0034);
    /// The driver is loaded.
    pub const IMAGE_ALREADY_LOADED: Self = Self(0xC000_010E);

    /// True for success and informational codes.
    pub const fn is_success(self) -> bool {
        self.0 < 0x8000_0000
    }
}

impl fmt::Debug for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NTSTATUS {:#010x}", self.0)
    }
}

impl fmt::Display for NtStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}
