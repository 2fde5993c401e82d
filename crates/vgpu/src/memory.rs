//! Memory that the device shares with processes it does not trust: memfd objects, mapped once.
//!
//! Other mappings of the same object may write at any time, so nothing here ever makes a
//! reference to plain bytes: accesses are atomic, or copies between the mapping and private
//! memory.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// An access that does not lie inside a [`SharedMemory`], or is not aligned to its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{bytes} bytes at offset {offset:#x} are misaligned or outside the memory")]
pub struct OutOfRange {
    /// First byte of the access.
    pub offset: u64,
    /// Length of the access.
    pub bytes: u64,
}

/// A memfd and this process's mapping of it.
///
/// # Invariants
/// `base` is the start of a shared, readable and writable mapping of `bytes` bytes that lives as
/// long as the value.
#[derive(Debug)]
pub struct SharedMemory {
    fd: OwnedFd,
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and every access to it is atomic
// or a raw copy, as for memory that other processes write.
unsafe impl Send for SharedMemory {}
// SAFETY: as for `Send`; no method hands out a reference to plain bytes.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Makes a zeroed object of `bytes` bytes, named `name` in the process's memory map.
    ///
    /// # Errors
    /// The system's error if the object cannot be made or mapped.
    pub fn new(name: &str, bytes: u64) -> io::Result<Self> {
        let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::InvalidInput)?;
        let fd = memfd_create(name, MemfdFlags::CLOEXEC)?;
        ftruncate(&fd, bytes)?;
        // SAFETY: a fresh mapping at an address of the kernel's choice replaces no other one.
        let base = unsafe {
            mmap(
                ptr::null_mut(),
                length,
                ProtFlags::READ.union(ProtFlags::WRITE),
                MapFlags::SHARED,
                &fd,
                0,
            )
        }?;
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self {
            fd,
            base,
            bytes: length,
        })
    }

    /// Size in bytes.
    pub fn len(&self) -> u64 {
        self.bytes as u64
    }

    /// Whether the object has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The memfd, for whoever maps the object elsewhere.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Start of this process's mapping, valid while the value lives. Others write through other
    /// mappings: access it by atomics or raw copies only.
    pub fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// The address of `bytes` bytes at `offset`, known to lie inside the mapping.
    fn at(&self, offset: u64, bytes: usize, alignment: u64) -> Result<*mut u8, OutOfRange> {
        let refused = OutOfRange {
            offset,
            bytes: bytes as u64,
        };
        let end = offset.checked_add(bytes as u64).ok_or(refused)?;
        if end > self.len() || !offset.is_multiple_of(alignment) {
            return Err(refused);
        }
        let offset = usize::try_from(offset).map_err(|_| refused)?;
        // SAFETY: `offset` is at most `self.bytes`, the size of the mapping (invariant).
        Ok(unsafe { self.base.as_ptr().add(offset) })
    }

    fn word(&self, offset: u64) -> Result<&AtomicU64, OutOfRange> {
        let address = self.at(offset, size_of::<u64>(), 8)?;
        // SAFETY: `at` proved eight aligned bytes inside the mapping (which starts at a page), and
        // it lives as long as `self`. Nobody in this process accesses it by plain reference.
        Ok(unsafe { AtomicU64::from_ptr(address.cast()) })
    }

    fn half_word(&self, offset: u64) -> Result<&AtomicU32, OutOfRange> {
        let address = self.at(offset, size_of::<u32>(), 4)?;
        // SAFETY: as in `word`, for four bytes.
        Ok(unsafe { AtomicU32::from_ptr(address.cast()) })
    }

    /// Loads an aligned quadword with acquire ordering.
    ///
    /// # Errors
    /// The offset is outside or not a multiple of 8.
    pub fn load_u64(&self, offset: u64) -> Result<u64, OutOfRange> {
        Ok(u64::from_le(self.word(offset)?.load(Ordering::Acquire)))
    }

    /// Stores an aligned quadword with release ordering.
    ///
    /// # Errors
    /// The offset is outside or not a multiple of 8.
    pub fn store_u64(&self, offset: u64, value: u64) -> Result<(), OutOfRange> {
        self.word(offset)?.store(value.to_le(), Ordering::Release);
        Ok(())
    }

    /// Puts `value` in place of an aligned quadword in one sequentially consistent step; the old
    /// value comes back.
    ///
    /// # Errors
    /// The offset is outside or not a multiple of 8.
    pub fn exchange_u64(&self, offset: u64, value: u64) -> Result<u64, OutOfRange> {
        let old = self.word(offset)?.swap(value.to_le(), Ordering::SeqCst);
        Ok(u64::from_le(old))
    }

    /// Loads an aligned doubleword with acquire ordering.
    ///
    /// # Errors
    /// The offset is outside or not a multiple of 4.
    pub fn load_u32(&self, offset: u64) -> Result<u32, OutOfRange> {
        Ok(u32::from_le(
            self.half_word(offset)?.load(Ordering::Acquire),
        ))
    }

    /// Stores an aligned doubleword with release ordering.
    ///
    /// # Errors
    /// The offset is outside or not a multiple of 4.
    pub fn store_u32(&self, offset: u64, value: u32) -> Result<(), OutOfRange> {
        self.half_word(offset)?
            .store(value.to_le(), Ordering::Release);
        Ok(())
    }

    /// Copies bytes out. What others write meanwhile may arrive in part.
    ///
    /// # Errors
    /// The range is not inside.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        let from = self.at(offset, into.len(), 1)?;
        // SAFETY: `at` proved the source range; `into` is private and so cannot overlap it.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    /// Copies bytes in.
    ///
    /// # Errors
    /// The range is not inside.
    pub fn write(&self, offset: u64, from: &[u8]) -> Result<(), OutOfRange> {
        let into = self.at(offset, from.len(), 1)?;
        // SAFETY: `at` proved the target range; `from` is private and so cannot overlap it.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), into, from.len()) };
        Ok(())
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours (invariant) and nothing borrowed from it outlives `self`.
        // A failure would leak the mapping, nothing worse.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_at_the_edges() {
        let memory = SharedMemory::new("edges", 4096).unwrap();
        assert_eq!(memory.load_u64(4088), Ok(0));
        assert!(memory.load_u64(4089).is_err());
        assert!(memory.load_u64(4096).is_err());
        assert!(memory.load_u64(4).is_err(), "misaligned");
        assert!(memory.store_u64(u64::MAX - 7, 1).is_err());
        assert!(memory.store_u32(4092, 7).is_ok());
        assert_eq!(memory.load_u32(4092), Ok(7));
        assert!(memory.load_u32(4094).is_err());
        assert!(memory.write(4096, &[]).is_ok(), "nothing at the end");
        assert!(memory.write(4096, &[0]).is_err());
        assert!(memory.read(u64::MAX, &mut [0; 2]).is_err());
        assert_eq!(memory.exchange_u64(0, 5), Ok(0));
        assert_eq!(memory.exchange_u64(0, 6), Ok(5));
    }
}
