//! Memory: system pages from the arena, ranges of the driver's segments.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use carillon_ddi::{D3DGPU_PHYSICAL_ADDRESS, DXGK_SEGMENTDESCRIPTOR4};
use parking_lot::Mutex;

use super::MmError;
use super::geometry::GPU_PAGE;
use super::range::Ranges;
use crate::nt::Nt;
use crate::nt::physical::PhysicalAddress;

/// Longest run of contiguous pages in an allocation: drivers must not rely on more.
const RUN_PAGES: u64 = 16;

/// Where one page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// In system memory.
    System(PhysicalAddress),
    /// In a segment, at a byte offset.
    Segment {
        /// The segment id.
        id: u32,
        /// Byte offset in the segment.
        offset: u64,
    },
}

impl Page {
    /// The address in the form that DDI structures use; segment 0 is system memory.
    #[must_use]
    pub fn gpu_physical(self) -> D3DGPU_PHYSICAL_ADDRESS {
        let (id, offset) = match self {
            Self::System(address) => (0, address.0),
            Self::Segment { id, offset } => (id, offset),
        };
        D3DGPU_PHYSICAL_ADDRESS {
            SegmentId: id,
            Padding: 0,
            SegmentOffset: offset,
        }
    }
}

/// System pages, freed on drop. They are contiguous in runs only.
#[derive(Debug)]
pub struct SystemPages {
    nt: Arc<Nt>,
    runs: Vec<(PhysicalAddress, u64)>,
    pages: u64,
}

impl SystemPages {
    /// Allocates `pages` zeroed pages in short runs.
    ///
    /// # Errors
    /// When the arena is full.
    pub fn new(nt: &Arc<Nt>, pages: u64) -> Result<Self, MmError> {
        let mut taken = Self {
            nt: nt.clone(),
            runs: Vec::new(),
            pages: 0,
        };
        while taken.pages < pages {
            taken.add_run(RUN_PAGES.min(pages - taken.pages))?;
        }
        // The arena hands out rising addresses; turned around, no two runs touch.
        taken.runs.reverse();
        Ok(taken)
    }

    /// Allocates `pages` zeroed contiguous pages.
    ///
    /// # Errors
    /// When the arena has no such hole.
    pub fn contiguous(nt: &Arc<Nt>, pages: u64) -> Result<Self, MmError> {
        let mut taken = Self {
            nt: nt.clone(),
            runs: Vec::new(),
            pages: 0,
        };
        taken.add_run(pages)?;
        Ok(taken)
    }

    fn add_run(&mut self, pages: u64) -> Result<(), MmError> {
        let any = PhysicalAddress(u64::MAX);
        let start = self
            .nt
            .memory
            .allocate(pages, 1, any)
            .ok_or(MmError::SystemMemory(pages))?;
        self.runs.push((start, pages));
        self.pages += pages;
        Ok(())
    }

    /// Number of pages.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pages
    }

    /// True for no pages.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pages == 0
    }

    /// The page with this index.
    #[must_use]
    pub fn page(&self, index: u64) -> Option<PhysicalAddress> {
        let mut left = index;
        for (start, pages) in &self.runs {
            if left < *pages {
                return Some(PhysicalAddress(start.0 + left * GPU_PAGE));
            }
            left -= pages;
        }
        None
    }

    /// Where the page with this index is in the kernel's address space.
    #[must_use]
    pub fn kernel_address(&self, index: u64) -> Option<*mut u8> {
        self.nt.memory.host_ptr(self.page(index)?, GPU_PAGE)
    }

    /// A 64-bit word at a byte offset, which CPU, driver and device may change at any time.
    #[must_use]
    pub fn word(&self, offset: u64) -> Option<&AtomicU64> {
        if !offset.is_multiple_of(8) {
            return None;
        }
        let page = self.kernel_address(offset / GPU_PAGE)?;
        let at = page as usize + usize::try_from(offset % GPU_PAGE).ok()?;
        let at = at as *mut u64;
        // SAFETY: an aligned word inside of a page of the arena's mapping, which lives as long as
        // the session that `self` holds; every party in this process accesses it atomically.
        Some(unsafe { AtomicU64::from_ptr(at) })
    }

    /// Copies bytes out; `None` if they are not all inside.
    #[must_use]
    pub fn read(&self, offset: u64, bytes: usize) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes);
        while out.len() < bytes {
            let at = offset + out.len() as u64;
            let in_page = usize::try_from(at % GPU_PAGE).ok()?;
            let piece = (bytes - out.len()).min(4096 - in_page);
            let from = self.kernel_address(at / GPU_PAGE)?.wrapping_add(in_page);
            // SAFETY: `piece` bytes from `from` lie in one page of the arena's mapping. The device
            // may write them meanwhile; volatile bytes make that a stale value.
            out.extend((0..piece).map(|i| unsafe { from.wrapping_add(i).read_volatile() }));
        }
        Some(out)
    }

    /// Copies bytes in; `None` (and perhaps part of them written) if they are not all inside.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Option<()> {
        for (at, byte) in (offset..).zip(bytes) {
            let page = self.kernel_address(at / GPU_PAGE)?;
            let to = page.wrapping_add(usize::try_from(at % GPU_PAGE).ok()?);
            // SAFETY: a byte of a page of the arena's mapping that this value owns.
            unsafe { to.write_volatile(*byte) };
        }
        Some(())
    }
}

impl Drop for SystemPages {
    fn drop(&mut self) {
        for (start, _) in &self.runs {
            self.nt.memory.free(*start);
        }
    }
}

/// A segment that the driver reported.
#[derive(Debug)]
pub struct Segment {
    id: u32,
    aperture: bool,
    ranges: Mutex<Ranges>,
}

/// The adapter's segments.
#[derive(Debug)]
pub struct Segments {
    list: Vec<Arc<Segment>>,
}

impl Segments {
    /// Takes the segments as reported: the first one has id 1.
    #[must_use]
    pub fn new(descriptors: &[DXGK_SEGMENTDESCRIPTOR4]) -> Self {
        let segment = |(id, descriptor): (u32, &DXGK_SEGMENTDESCRIPTOR4)| {
            let limit = descriptor.CommitLimit.min(descriptor.Size) as u64;
            Arc::new(Segment {
                id,
                aperture: descriptor.Flags.Aperture(),
                ranges: Mutex::new(Ranges::new(0, limit - limit % GPU_PAGE)),
            })
        };
        Self {
            list: (1..).zip(descriptors).map(segment).collect(),
        }
    }

    /// The segment with this id, 1 for the first.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Arc<Segment>> {
        self.list.get(usize::try_from(id.checked_sub(1)?).ok()?)
    }

    /// One bit for each segment, as segment sets have them: bit 0 is segment 1.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.list
            .iter()
            .fold(0, |set, segment| set | 1 << (segment.id - 1))
    }
}

impl Segment {
    /// The segment's id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// True if the memory is the system's.
    #[must_use]
    pub fn is_aperture(&self) -> bool {
        self.aperture
    }

    /// Bytes that nothing uses.
    #[must_use]
    pub fn free_bytes(&self) -> u64 {
        self.ranges.lock().free_bytes()
    }

    /// Takes `bytes` of the segment, rounded up to pages.
    ///
    /// # Errors
    /// When the segment has no such hole.
    pub fn take(self: &Arc<Self>, bytes: u64, align: u64) -> Result<SegmentPages, MmError> {
        let full = MmError::Segment { id: self.id, bytes };
        let bytes = bytes.checked_next_multiple_of(GPU_PAGE).ok_or(full)?;
        let offset = self
            .ranges
            .lock()
            .take(bytes, align.max(GPU_PAGE))
            .ok_or(full)?;
        Ok(SegmentPages {
            segment: self.clone(),
            offset,
            bytes,
        })
    }
}

/// A range of a segment, given back on drop.
#[derive(Debug)]
pub struct SegmentPages {
    segment: Arc<Segment>,
    offset: u64,
    bytes: u64,
}

impl Drop for SegmentPages {
    fn drop(&mut self) {
        self.segment.ranges.lock().give(self.offset, self.bytes);
    }
}

/// The memory behind an allocation or a page table.
#[derive(Debug)]
pub enum Place {
    /// System pages.
    System(SystemPages),
    /// A range of a segment.
    Segment(SegmentPages),
}

impl Place {
    /// The page with this index.
    #[must_use]
    pub fn page(&self, index: u64) -> Option<Page> {
        match self {
            Self::System(pages) => Some(Page::System(pages.page(index)?)),
            Self::Segment(range) => {
                let offset = index.checked_mul(GPU_PAGE)?;
                (offset < range.bytes).then(|| Page::Segment {
                    id: range.segment.id,
                    offset: range.offset + offset,
                })
            }
        }
    }

    /// Number of pages.
    #[must_use]
    pub fn pages(&self) -> u64 {
        match self {
            Self::System(pages) => pages.len(),
            Self::Segment(range) => range.bytes / GPU_PAGE,
        }
    }

    /// The system pages, if that is what it is.
    #[must_use]
    pub fn system(&self) -> Option<&SystemPages> {
        match self {
            Self::System(pages) => Some(pages),
            Self::Segment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::facts;
    use super::*;

    #[test]
    fn system_pages_are_scattered_and_come_back() {
        let nt = Nt::new().unwrap();
        let pages = SystemPages::new(&nt, 40).unwrap();
        let first = pages.page(0).unwrap();
        assert_eq!(pages.page(40), None);
        assert!((1..40).any(|i| pages.page(i).unwrap().0 != first.0 + i * GPU_PAGE));
        pages.write(4090, &[1; 12]).unwrap();
        assert_eq!(pages.read(4089, 14).unwrap()[1..13], [1; 12]);
        assert_eq!(pages.read(40 * GPU_PAGE, 1), None);
        assert!(pages.word(4).is_none());
        assert!(pages.word(40 * GPU_PAGE).is_none());
        let before: Vec<_> = (0..40).map(|i| pages.page(i)).collect();
        drop(pages);
        let again = SystemPages::new(&nt, 40).unwrap();
        assert_eq!(before, (0..40).map(|i| again.page(i)).collect::<Vec<_>>());
    }

    #[test]
    fn segments_end_at_their_size() {
        let segments = Segments::new(&facts().segments);
        assert!(segments.get(0).is_none());
        assert!(segments.get(3).is_none());
        assert_eq!(segments.all(), 0b11);
        let local = segments.get(2).unwrap();
        let free = local.free_bytes();
        assert!(local.take(free + 1, 1).is_err());
        let all = local.take(free, 1).unwrap();
        assert!(local.take(1, 1).is_err());
        let place = Place::Segment(all);
        let last = place.pages() - 1;
        assert_eq!(
            place.page(last),
            Some(Page::Segment {
                id: 2,
                offset: free - GPU_PAGE
            })
        );
        assert_eq!(place.page(last + 1), None);
        drop(place);
        assert_eq!(local.free_bytes(), free);
    }
}
