//! Reserved address ranges and their protections.

use std::ffi::c_void;
use std::io;
use std::os::fd::AsFd;
use std::ptr;

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mmap_anonymous, mprotect, munmap};

use super::{PAGE_SIZE, page_align};

/// What code may do with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: every access faults.
    None,
    /// Loads only.
    Read,
    /// Loads and stores.
    ReadWrite,
    /// Loads and instruction fetches.
    ReadExecute,
}

impl Access {
    fn mprotect(self) -> MprotectFlags {
        match self {
            Self::None => MprotectFlags::empty(),
            Self::Read => MprotectFlags::READ,
            Self::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
            Self::ReadExecute => MprotectFlags::READ | MprotectFlags::EXEC,
        }
    }
}

/// A private range of address space, unmapped on drop.
///
/// # Invariants
/// `base..base + len` is one or more mappings that nobody else unmaps; both are multiples of the
/// page size and `len` is not zero.
#[derive(Debug)]
pub struct Reservation {
    base: usize,
    len: usize,
}

impl Reservation {
    /// Reserves `bytes`, rounded up to pages, without access.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let len = page_align(bytes.max(1)).ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: an address chosen by the kernel collides with nothing.
        let base = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                len,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        Ok(Self {
            base: base as usize,
            len,
        })
    }

    /// Reserves `bytes` at `base` without access; fails when the range is not free.
    pub fn at(base: usize, bytes: usize) -> io::Result<Self> {
        let len = page_align(bytes.max(1)).ok_or(io::ErrorKind::OutOfMemory)?;
        let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
        // SAFETY: FIXED_NOREPLACE never replaces a mapping of somebody else.
        let got = unsafe { mmap_anonymous(base as *mut c_void, len, ProtFlags::empty(), flags) }?;
        Ok(Self {
            base: got as usize,
            len,
        })
    }

    /// First address.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true: a reservation has at least one page.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn check(&self, offset: usize, bytes: usize) -> io::Result<usize> {
        let end = offset
            .checked_add(bytes)
            .ok_or(io::ErrorKind::InvalidInput)?;
        if !offset.is_multiple_of(PAGE_SIZE) || end > self.len {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(self.base + offset)
    }

    /// Sets the protection of `bytes` from the page-aligned `offset`.
    pub fn protect(&self, offset: usize, bytes: usize, access: Access) -> io::Result<()> {
        let start = self.check(offset, bytes)? as *mut c_void;
        // SAFETY: the range was checked to lie inside this reservation, which this value owns.
        unsafe { mprotect(start, bytes, access.mprotect()) }?;
        Ok(())
    }

    /// Copies `data` to `offset`, which must be writable pages of this reservation.
    pub fn write(&mut self, offset: usize, data: &[u8]) -> io::Result<()> {
        let end = offset
            .checked_add(data.len())
            .ok_or(io::ErrorKind::InvalidInput)?;
        if end > self.len {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let target = (self.base + offset) as *mut u8;
        // SAFETY: source and target do not overlap, as `&mut self` owns the target range, which
        // was checked to hold `data.len()` bytes.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), target, data.len()) };
        Ok(())
    }

    /// Replaces `bytes` from `offset` by a shared view of `file` at `file_offset`.
    ///
    /// The switch is atomic for a thread that touches the range: it sees the old or the new page.
    pub fn map_file(
        &self,
        offset: usize,
        bytes: usize,
        file: impl AsFd,
        file_offset: u64,
        access: Access,
    ) -> io::Result<()> {
        let start = self.check(offset, bytes)? as *mut c_void;
        let prot = match access {
            Access::None => ProtFlags::empty(),
            Access::Read => ProtFlags::READ,
            Access::ReadWrite => ProtFlags::READ | ProtFlags::WRITE,
            Access::ReadExecute => ProtFlags::READ | ProtFlags::EXEC,
        };
        // SAFETY: FIXED replaces pages inside of this reservation only, as checked above.
        unsafe {
            mmap(
                start,
                bytes,
                prot,
                MapFlags::SHARED | MapFlags::FIXED,
                file,
                file_offset,
            )
        }?;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: by the invariant the range is ours and whoever used it has ended.
        let _ = unsafe { munmap(self.base as *mut c_void, self.len) };
    }
}
