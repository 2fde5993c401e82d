//! Handles that cross the DDI, one type for each side that made them.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

use carillon_ddi::HANDLE;

/// First value of the OS's handles: no address of user space, so that a driver that takes a handle
/// for a pointer faults.
const FIRST_OS_HANDLE: usize = 0xFFFF_D00D_0000_0010;
/// Distance between two handles, so that they look like addresses of objects.
const STEP: usize = 0x10;

static NEXT: AtomicUsize = AtomicUsize::new(FIRST_OS_HANDLE);

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(transparent)]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(usize);

        impl $name {
            /// The handle that nothing has.
            pub const NULL: Self = Self(0);

            /// Takes a value from a DDI structure.
            pub fn from_raw(raw: HANDLE) -> Self {
                Self(raw.addr())
            }

            /// The value for a DDI structure.
            pub fn raw(self) -> HANDLE {
                std::ptr::without_provenance_mut(self.0)
            }

            /// The number.
            pub const fn value(self) -> usize {
                self.0
            }

            /// True for the handle that nothing has.
            pub const fn is_null(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }
    };
}

handle!(
    /// A handle that the driver made: opaque to the OS, given back to the driver only.
    KmdHandle
);
handle!(
    /// A handle that the OS made: opaque to the driver, given back in callbacks only.
    OsHandle
);

impl OsHandle {
    /// A handle that no object of this process has had before.
    #[must_use]
    pub fn fresh() -> Self {
        Self(NEXT.fetch_add(STEP, Ordering::Relaxed))
    }

    /// The handle that a callback was given as `value`; it may be none of the OS's.
    pub const fn claimed(value: usize) -> Self {
        Self(value)
    }
}

impl KmdHandle {
    /// A handle that was stored as a number.
    pub const fn from_value(value: usize) -> Self {
        Self(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_handles_differ_and_are_no_user_addresses() {
        let (a, b) = (OsHandle::fresh(), OsHandle::fresh());
        assert_ne!(a, b);
        assert!(!a.is_null());
        assert!(a.value() > 0x0000_7FFF_FFFF_FFFF);
    }

    #[test]
    fn raw_values_survive() {
        let handle = OsHandle::fresh();
        assert_eq!(OsHandle::from_raw(handle.raw()), handle);
        assert!(KmdHandle::from_raw(std::ptr::null_mut()).is_null());
    }
}
