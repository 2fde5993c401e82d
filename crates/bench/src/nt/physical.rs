//! Guest-physical memory: one arena, shared by driver, OS model and device.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::trap::shared::{SharedMapping, SharedRegion};
use crate::trap::{PAGE_SIZE, page_align};

/// Where the arena begins in the guest-physical address space.
const BASE: u64 = 0x1000_0000;

/// An address in guest-physical memory or I/O space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhysicalAddress(pub u64);

/// What an allocation of pages is for, for the leak report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The OS model: not a leak of the driver.
    Os,
    /// The driver.
    Driver,
}

#[derive(Debug)]
struct Extent {
    pages: u64,
    owner: Owner,
}

/// Guest-physical memory.
#[derive(Debug)]
pub struct PhysicalMemory {
    region: Arc<SharedRegion>,
    view: SharedMapping,
    /// Allocated extents by first page number.
    used: Mutex<BTreeMap<u64, Extent>>,
}

impl PhysicalMemory {
    /// Makes an arena of `bytes`.
    pub fn new(bytes: usize) -> io::Result<Self> {
        let region = SharedRegion::new("guest-memory", bytes)?;
        let view = region.map(0, region.len())?;
        Ok(Self {
            region,
            view,
            used: Mutex::default(),
        })
    }

    /// First physical address.
    pub fn base(&self) -> PhysicalAddress {
        PhysicalAddress(BASE)
    }

    /// Bytes of memory.
    pub fn len(&self) -> u64 {
        self.region.len() as u64
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.region.is_empty()
    }

    /// The memory itself, for a device that maps it; byte 0 is at [`Self::base`].
    pub fn region(&self) -> &Arc<SharedRegion> {
        &self.region
    }

    /// Allocates `pages` contiguous zeroed pages, aligned to `align_pages`, below `highest`.
    ///
    /// `None` when there are none, or for zero pages.
    pub fn allocate(
        &self,
        pages: u64,
        align_pages: u64,
        highest: PhysicalAddress,
    ) -> Option<PhysicalAddress> {
        self.allocate_for(Owner::Os, pages, align_pages, highest)
    }

    pub(crate) fn allocate_for(
        &self,
        owner: Owner,
        pages: u64,
        align_pages: u64,
        highest: PhysicalAddress,
    ) -> Option<PhysicalAddress> {
        let page = PAGE_SIZE as u64;
        let align = align_pages.max(1);
        let limit = (BASE + self.len()).min(highest.0.saturating_add(1)) / page;
        if pages == 0 {
            return None;
        }
        let mut used = self.used.lock();
        let mut first = (BASE / page).next_multiple_of(align);
        for (start, extent) in used.iter() {
            if first.checked_add(pages)? <= *start {
                break;
            }
            first = first.max(start + extent.pages).next_multiple_of(align);
        }
        if first.checked_add(pages)? > limit {
            return None;
        }
        used.insert(first, Extent { pages, owner });
        drop(used);
        let address = PhysicalAddress(first * page);
        let host = self.host_ptr(address, pages * page)?;
        // SAFETY: `host_ptr` checked that the range lies inside of the arena's mapping.
        unsafe { host.write_bytes(0, usize::try_from(pages * page).ok()?) };
        Some(address)
    }

    /// Frees the allocation that begins at `address`; false if there is none.
    pub fn free(&self, address: PhysicalAddress) -> bool {
        self.used
            .lock()
            .remove(&(address.0 / PAGE_SIZE as u64))
            .is_some()
    }

    /// Where `len` bytes at `address` are in this process; `None` if they are not all memory.
    pub fn host_ptr(&self, address: PhysicalAddress, len: u64) -> Option<*mut u8> {
        let offset = address.0.checked_sub(BASE)?;
        if offset.checked_add(len)? > self.len() {
            return None;
        }
        Some(
            self.view
                .as_ptr()
                .wrapping_add(usize::try_from(offset).ok()?),
        )
    }

    /// The physical address of a pointer into the arena; `None` for any other pointer.
    pub fn physical_of(&self, pointer: *const u8) -> Option<PhysicalAddress> {
        let offset = (pointer as usize).checked_sub(self.view.as_ptr() as usize)?;
        (offset < self.view.len()).then_some(PhysicalAddress(BASE + offset as u64))
    }

    /// Offset in [`Self::region`] of the page at `address`, if it is memory.
    pub fn region_offset(&self, address: PhysicalAddress) -> Option<usize> {
        self.host_ptr(address, PAGE_SIZE as u64)?;
        usize::try_from(address.0 - BASE).ok()
    }

    /// Whether the driver allocated the pages at `address`.
    pub(crate) fn is_drivers(&self, address: PhysicalAddress) -> bool {
        let used = self.used.lock();
        used.get(&(address.0 / PAGE_SIZE as u64))
            .is_some_and(|e| e.owner == Owner::Driver)
    }

    pub(crate) fn leaks(&self) -> Vec<String> {
        let used = self.used.lock();
        let drivers = used
            .iter()
            .filter(|(_, extent)| extent.owner == Owner::Driver);
        let leak = |(first, extent): (&u64, &Extent)| {
            format!(
                "{} pages of contiguous memory at {:#x}",
                extent.pages,
                first * PAGE_SIZE as u64
            )
        };
        drivers.map(leak).collect()
    }
}

/// A memory descriptor list in host memory, laid out as the driver reads it.
///
/// Next at 0, size at 8, flags at 10, system address at 24, start at 32, byte count at 40, byte
/// offset at 44, page frame numbers from 48.
#[derive(Debug)]
pub struct Mdl {
    words: Box<[u64]>,
}

/// Bytes of an MDL before its page frame numbers.
pub const MDL_HEADER_BYTES: u64 = 48;
/// `MDL_PAGES_LOCKED`
const PAGES_LOCKED: u64 = 0x0002;

impl Mdl {
    /// Describes `byte_count` bytes from `byte_offset` in the first of `pages`.
    pub fn new(pages: &[PhysicalAddress], byte_offset: u32, byte_count: u32) -> Self {
        let header = usize::try_from(MDL_HEADER_BYTES / 8).unwrap_or(6);
        let mut words = vec![0u64; header + pages.len()];
        let size = (MDL_HEADER_BYTES + 8 * pages.len() as u64) & 0xFFFF;
        words[1] = size | PAGES_LOCKED << 16;
        words[5] = u64::from(byte_count) | u64::from(byte_offset) << 32;
        for (word, page) in words[header..].iter_mut().zip(pages) {
            *word = page.0 / PAGE_SIZE as u64;
        }
        Self {
            words: words.into(),
        }
    }

    /// Address to give to the driver (`PMDL`); valid while this value lives.
    pub fn as_ptr(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }
}

/// Pages that `bytes` from `offset` in a page touch.
pub(crate) fn pages_spanned(offset: u64, bytes: u64) -> Option<usize> {
    Some(page_align(usize::try_from(offset.checked_add(bytes)?).ok()?)? / PAGE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: PhysicalAddress = PhysicalAddress(u64::MAX);

    #[test]
    fn allocation_fills_gaps_and_ends_at_the_last_page() {
        let memory = PhysicalMemory::new(4 * PAGE_SIZE).unwrap();
        assert_eq!(memory.allocate(0, 1, ANY), None);
        assert_eq!(memory.allocate(5, 1, ANY), None);
        let first = memory.allocate(1, 1, ANY).unwrap();
        let rest = memory.allocate(3, 1, ANY).unwrap();
        assert_eq!(memory.allocate(1, 1, ANY), None);
        assert!(memory.free(first));
        assert!(!memory.free(first));
        assert_eq!(memory.allocate(1, 1, ANY), Some(first));
        assert!(memory.free(rest));
        assert_eq!(
            memory.allocate(1, 2, ANY),
            Some(PhysicalAddress(BASE + 2 * 4096))
        );
    }

    #[test]
    fn translation_is_bounded() {
        let memory = PhysicalMemory::new(2 * PAGE_SIZE).unwrap();
        let end = PhysicalAddress(BASE + 2 * 4096);
        assert!(memory.host_ptr(memory.base(), 8192).is_some());
        assert!(memory.host_ptr(memory.base(), 8193).is_none());
        assert!(memory.host_ptr(end, 1).is_none());
        assert!(memory.host_ptr(PhysicalAddress(BASE - 1), 1).is_none());
        let pointer = memory.host_ptr(PhysicalAddress(BASE + 5), 1).unwrap();
        assert_eq!(memory.physical_of(pointer), Some(PhysicalAddress(BASE + 5)));
    }
}
