//! Filling, moving and reading memory by the device, through the paging process' scratch area.

use std::sync::Arc;

use carillon_ddi::DXGK_MEMORY_TRANSFER_DIRECTION;

use super::MmError;
use super::geometry::GPU_PAGE;
use super::paging::Op;
use super::place::{Page, Place, SystemPages};
use super::space::{Mapping, Writer};
use super::system::VidMm;
use crate::dxgk::handle::KmdHandle;

/// Most bytes that are mapped at a time.
const CHUNK: u64 = 8 << 20;

/// A range of an allocation, at the place where it was when it was asked for.
#[derive(Debug, Clone)]
pub struct Range {
    /// The driver's handle of the allocation; null for memory that it does not know.
    pub allocation: KmdHandle,
    /// Where it is.
    pub place: Arc<Place>,
    /// First byte, a multiple of the page size.
    pub offset: u64,
    /// Number of bytes.
    pub bytes: u64,
}

impl Range {
    fn check(&self) -> Result<(), MmError> {
        let size = self.place.pages() * GPU_PAGE;
        let inside = self
            .offset
            .checked_add(self.bytes)
            .is_some_and(|end| end <= size);
        if !inside || !self.offset.is_multiple_of(GPU_PAGE) {
            return Err(MmError::OutOfBounds {
                offset: self.offset,
                bytes: self.bytes,
                size,
            });
        }
        Ok(())
    }

    /// The pages of `bytes` bytes from `done` bytes on.
    fn pages(&self, done: u64, bytes: u64) -> Vec<Page> {
        let first = (self.offset + done) / GPU_PAGE;
        let count = bytes.div_ceil(GPU_PAGE);
        (first..first + count)
            .filter_map(|index| self.place.page(index))
            .collect()
    }
}

impl VidMm {
    /// Fills a range with a 32-bit pattern, by the device.
    pub fn fill(&self, range: &Range, pattern: u32) -> Result<(), MmError> {
        range.check()?;
        let scratch = self.scratch.lock();
        let mut done = 0;
        while done < range.bytes {
            let bytes = (range.bytes - done).min(CHUNK).min(scratch.bytes);
            let pages = range.pages(done, bytes);
            self.in_scratch(
                &[(scratch.destination, &pages)],
                |offset| Op::Fill {
                    allocation: range.allocation,
                    offset: range.offset + offset,
                    bytes,
                    pattern,
                    address: scratch.destination,
                },
                done,
            )?;
            done += bytes;
        }
        Ok(())
    }

    /// Copies one range to another of the same length, by the device. `of` is the allocation whose
    /// content moves.
    pub fn transfer(&self, from: &Range, to: &Range) -> Result<(), MmError> {
        from.check()?;
        to.check()?;
        if from.bytes != to.bytes {
            let size = to.bytes;
            return Err(MmError::OutOfBounds {
                offset: 0,
                bytes: from.bytes,
                size,
            });
        }
        let of = if from.allocation.is_null() { to } else { from };
        let direction = direction(&from.place, &to.place);
        let scratch = self.scratch.lock();
        let mut done = 0;
        while done < from.bytes {
            let bytes = (from.bytes - done).min(CHUNK).min(scratch.bytes);
            let (source, destination) = (from.pages(done, bytes), to.pages(done, bytes));
            let windows = [
                (scratch.source, &source),
                (scratch.destination, &destination),
            ];
            self.in_scratch(
                &windows,
                |offset| Op::Transfer {
                    allocation: of.allocation,
                    offset: of.offset + offset,
                    bytes,
                    source: scratch.source,
                    destination: scratch.destination,
                    direction,
                },
                done,
            )?;
            done += bytes;
        }
        Ok(())
    }

    /// Reads bytes of memory that the CPU cannot reach: the device copies them to system memory.
    pub fn read_back(&self, range: &Range) -> Result<Vec<u8>, MmError> {
        let staging = SystemPages::new(&self.shared.nt, range.bytes.div_ceil(GPU_PAGE).max(1))?;
        let staging = Arc::new(Place::System(staging));
        let bytes = range.bytes;
        let to = Range {
            allocation: KmdHandle::NULL,
            place: staging.clone(),
            offset: 0,
            bytes,
        };
        self.transfer(range, &to)?;
        let len = usize::try_from(bytes).map_err(|_| MmError::Host)?;
        staging
            .system()
            .and_then(|pages| pages.read(0, len))
            .ok_or(MmError::Host)
    }

    /// Maps windows, does one operation, unmaps them: one batch.
    fn in_scratch<'a>(
        &self,
        windows: &[(u64, &Vec<Page>)],
        op: impl FnOnce(u64) -> Op<'a>,
        done: u64,
    ) -> Result<(), MmError> {
        let space = self.system_space();
        let mut batch = self.paging.batch();
        for (address, pages) in windows {
            space.map_at(
                *address,
                pages,
                Mapping::ANONYMOUS,
                Writer::Driver,
                &mut batch,
            )?;
        }
        batch.push(&op(done))?;
        for (address, _) in windows {
            space.unmap_at(*address, Writer::Driver, &mut batch)?;
        }
        batch.finish()
    }
}

fn direction(from: &Place, to: &Place) -> DXGK_MEMORY_TRANSFER_DIRECTION {
    match (from, to) {
        (Place::Segment(_), Place::System(_)) => {
            DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_LOCAL_TO_SYSTEM
        }
        (Place::System(_), _) => {
            DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_SYSTEM_TO_LOCAL
        }
        _ => DXGK_MEMORY_TRANSFER_DIRECTION::DXGK_MEMORY_TRANSFER_LOCAL_TO_LOCAL,
    }
}
