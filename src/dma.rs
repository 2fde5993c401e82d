//! Memory that the device reaches over the bus.
//!
//! Contiguous pages, cached (the platform keeps PCI Express accesses coherent on x64), addressed by
//! their physical address. That address is the bus address only while no IOMMU remaps the device:
//! the driver reports `DmaRemappingSupported` as 0 in `DXGK_IOMMU_CAPS`, and dxgkrnl then leaves
//! remapping off. With remapping the way is the DxgkCbAllocateContiguousMemory family, whose ADL
//! carries logical addresses.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

use carillon_core::error::{Error, Result};
use carillon_core::irql::Passive;
use carillon_core::platform;
use carillon_hw::addr::{BusAddress, PAGE_SIZE};
use wdk_sys::ntddk::{
    MmAllocateContiguousNodeMemory, MmFreeContiguousMemory, MmGetPhysicalAddress,
};
use wdk_sys::{LARGE_INTEGER, MM_ANY_NODE_OK, PAGE_READWRITE};

/// Memory that device and driver share. Freed when dropped, at PASSIVE_LEVEL.
///
/// # Invariants
/// `base` starts `bytes` bytes of page-aligned, contiguous, nonpaged memory that this value owns
/// and that is accessed by aligned atomic loads and stores only; `address` is where it lies in
/// physical memory.
#[derive(Debug)]
pub(crate) struct BusMemory {
    base: NonNull<u8>,
    bytes: usize,
    address: BusAddress,
}

// SAFETY: the memory is nonpaged system memory, mapped alike on every processor, and may be freed
// by any thread.
unsafe impl Send for BusMemory {}
// SAFETY: all access is atomic (invariant).
unsafe impl Sync for BusMemory {}

impl BusMemory {
    /// Zeroed memory of at least `bytes` bytes, whole pages.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for zero bytes, [`Error::NoMemory`].
    pub(crate) fn allocate(_passive: Passive<'_>, bytes: usize) -> Result<Self> {
        let page = usize::try_from(PAGE_SIZE).map_err(|_| Error::InvalidParameter)?;
        if bytes == 0 {
            return Err(Error::InvalidParameter);
        }
        let bytes = bytes
            .checked_next_multiple_of(page)
            .ok_or(Error::NoMemory)?;
        // SAFETY: callable at PASSIVE_LEVEL with any sizes and limits (page
        // `nf-wdm-mmallocatecontiguousnodememory`); not executable.
        let base = unsafe {
            MmAllocateContiguousNodeMemory(
                bytes as u64,
                physical(0),
                physical(i64::MAX),
                physical(0),
                PAGE_READWRITE,
                MM_ANY_NODE_OK,
            )
        };
        let base = NonNull::new(base.cast::<u8>()).ok_or(Error::NoMemory)?;
        // SAFETY: the block has `bytes` bytes, is new and nobody else's.
        unsafe { base.write_bytes(0, bytes) };
        // SAFETY: a valid, nonpaged system address (page `nf-ntddk-mmgetphysicaladdress`).
        let physical = unsafe { MmGetPhysicalAddress(base.as_ptr().cast()) };
        // SAFETY: every bit pattern of the union is a valid 64-bit number.
        let address = BusAddress(unsafe { physical.QuadPart }.cast_unsigned());
        Ok(Self {
            base,
            bytes,
            address,
        })
    }

    /// The quadword at `offset`, if the memory has it whole and aligned.
    fn quadword(&self, offset: usize) -> Option<&AtomicU64> {
        let size = size_of::<u64>();
        if !offset.is_multiple_of(size) || offset.checked_add(size)? > self.bytes {
            return None;
        }
        #[expect(
            clippy::cast_ptr_alignment,
            reason = "page-aligned base, aligned offset"
        )]
        let at = self.base.as_ptr().wrapping_add(offset).cast::<u64>();
        // SAFETY: inside the block and aligned, both checked above, alive as long as `self`, and
        // accessed atomically only (invariant). The device's accesses are not Rust's.
        Some(unsafe { AtomicU64::from_ptr(at) })
    }
}

impl Drop for BusMemory {
    fn drop(&mut self) {
        // SAFETY: the block came from MmAllocateContiguousNodeMemory, is freed once, and the
        // device has let go of it: the core drops it only after the hardware has confirmed that.
        unsafe { MmFreeContiguousMemory(self.base.as_ptr().cast()) };
    }
}

impl platform::BusMemory for BusMemory {
    fn address(&self) -> BusAddress {
        self.address
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn load64(&self, offset: usize) -> u64 {
        self.quadword(offset)
            .map_or(0, |quadword| quadword.load(Ordering::Acquire))
    }

    fn store64(&self, offset: usize, value: u64) {
        if let Some(quadword) = self.quadword(offset) {
            quadword.store(value, Ordering::Release);
        }
    }
}

const fn physical(address: i64) -> LARGE_INTEGER {
    LARGE_INTEGER { QuadPart: address }
}
