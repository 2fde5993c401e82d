//! Arguments as they come from dxgkrnl, and results as it wants them.

use core::ffi::c_void;
use core::slice;

use carillon_core::error::{Error, Result};
use carillon_core::handle::{Handle, Kind, OsHandle};
use carillon_ddi::{HANDLE, NTSTATUS};

/// What a DDI that can fail answers.
pub(crate) fn answer(result: Result) -> NTSTATUS {
    match result {
        Ok(()) => NTSTATUS::STATUS_SUCCESS,
        Err(error) => error.status(),
    }
}

/// A copy of an input structure: what comes after works on values that nobody can change.
///
/// # Errors
/// [`Error::InvalidParameter`] for NULL or a crooked pointer.
///
/// # Safety
/// `arguments` is NULL or points to an initialized `T` that is readable now.
pub(crate) unsafe fn input<T: Copy>(arguments: *const T) -> Result<T> {
    if arguments.is_null() || !arguments.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: neither NULL nor crooked, hence valid for reads by the caller's contract.
    Ok(unsafe { arguments.read() })
}

/// An argument structure with outputs.
///
/// # Errors
/// [`Error::InvalidParameter`] for NULL or a crooked pointer.
///
/// # Safety
/// `arguments` is NULL or points to an initialized `T` that nobody else touches during `'call`.
pub(crate) unsafe fn in_out<'call, T>(arguments: *mut T) -> Result<&'call mut T> {
    if arguments.is_null() || !arguments.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: neither NULL nor crooked, hence valid and exclusive by the caller's contract.
    Ok(unsafe { &mut *arguments })
}

/// A list that the arguments point to.
///
/// # Errors
/// [`Error::InvalidParameter`] for NULL or a crooked pointer with a count other than zero.
///
/// # Safety
/// `first` is NULL or starts `count` initialized elements that nobody writes during `'call`.
pub(crate) unsafe fn list<'call, T>(first: *const T, count: u32) -> Result<&'call [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() || !first.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: neither NULL nor crooked, hence `count` readable elements by the caller's contract.
    Ok(unsafe { slice::from_raw_parts(first, count as usize) })
}

/// A list with outputs.
///
/// # Errors
/// [`Error::InvalidParameter`] for NULL or a crooked pointer with a count other than zero.
///
/// # Safety
/// `first` is NULL or starts `count` initialized elements that nobody else touches during `'call`.
pub(crate) unsafe fn list_mut<'call, T>(first: *mut T, count: u32) -> Result<&'call mut [T]> {
    if count == 0 {
        return Ok(&mut []);
    }
    if first.is_null() || !first.is_aligned() {
        return Err(Error::InvalidParameter);
    }
    // SAFETY: neither NULL nor crooked, hence `count` exclusive elements by the caller's contract.
    Ok(unsafe { slice::from_raw_parts_mut(first, count as usize) })
}

/// A buffer of bytes to write to; NULL and empty are the same.
///
/// # Errors
/// [`Error::InvalidParameter`] for NULL with a size.
///
/// # Safety
/// `first` is NULL or starts `size` initialized bytes that nobody else touches during `'call`.
pub(crate) unsafe fn bytes_mut<'call>(first: *mut c_void, size: u32) -> Result<&'call mut [u8]> {
    // SAFETY: the caller's contract.
    unsafe { list_mut(first.cast(), size) }
}

/// Private driver data, copied so that it cannot change while it is checked.
pub(crate) struct PrivateData<const LIMIT: usize> {
    bytes: [u8; LIMIT],
    used: usize,
}

impl<const LIMIT: usize> PrivateData<LIMIT> {
    /// Copies `size` bytes.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for NULL with a size, or more than `LIMIT` bytes.
    ///
    /// # Safety
    /// `data` is NULL or starts `size` readable bytes.
    pub(crate) unsafe fn copy(data: *const c_void, size: u32) -> Result<Self> {
        let used = size as usize;
        if used > LIMIT || (data.is_null() && used != 0) {
            return Err(Error::InvalidParameter);
        }
        let mut bytes = [0; LIMIT];
        if used != 0 {
            // SAFETY: `used` readable bytes by the caller's contract, and no more than the local
            // array has; the two cannot overlap.
            unsafe {
                bytes
                    .as_mut_ptr()
                    .copy_from_nonoverlapping(data.cast(), used);
            };
        }
        Ok(Self { bytes, used })
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// One of the driver's own handles, as it comes back from the OS.
///
/// # Errors
/// [`Error::InvalidHandle`] for one of another kind.
pub(crate) fn own<K: Kind>(handle: HANDLE) -> Result<Handle<K>> {
    Handle::from_bits(handle.addr() as u64).ok_or(Error::InvalidHandle)
}

/// One of the driver's own handles, for the OS.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the driver is built for 64-bit Windows only"
)]
pub(crate) fn give<K>(handle: Handle<K>) -> HANDLE {
    core::ptr::without_provenance_mut(handle.bits() as usize)
}

/// One of the OS's handles, to be kept.
pub(crate) fn os(handle: HANDLE) -> OsHandle {
    OsHandle(handle.addr())
}
