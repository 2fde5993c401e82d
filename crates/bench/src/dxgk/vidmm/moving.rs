//! Moving the memory of allocations: out of a segment and back, or to other pages.
//!
//! Page tables are the caller's: nothing translates to an allocation while it moves.

use std::sync::Arc;

use super::MmError;
use super::allocation::{Allocation, Home};
use super::content::Range;
use super::geometry::GPU_PAGE;
use super::place::{Place, SystemPages};
use super::system::VidMm;
use crate::dxgk::handle::KmdHandle;
use crate::trap::PAGE_SIZE;

/// What is left in system pages that memory moved out of: whoever still reads there is noticed.
const POISON: [u8; PAGE_SIZE] = [0xDD; PAGE_SIZE];

impl VidMm {
    /// Moves an allocation to other pages of system memory. The CPU's view moves along under its
    /// address; nobody may store to it while this runs.
    ///
    /// # Errors
    /// When there is no memory, or paging fails. The allocation is where it was then.
    pub fn move_out(&self, allocation: &Allocation) -> Result<(), MmError> {
        let from = allocation.place();
        let to = SystemPages::new(&self.shared.nt, from.pages())?;
        match &*from {
            Place::System(pages) => {
                copy(pages, &to)?;
                self.show(allocation, &to)?;
                *allocation.place.lock() = Arc::new(Place::System(to));
                for page in 0..pages.len() {
                    let _ = pages.write(page * GPU_PAGE, &POISON);
                }
            }
            Place::Segment(_) => {
                let to = Arc::new(Place::System(to));
                self.transfer(
                    &allocation.range(0, allocation.bytes)?,
                    &whole(allocation, &to),
                )?;
                self.notify_residency(allocation, false)?;
                *allocation.place.lock() = to;
            }
        }
        Ok(())
    }

    /// Brings an allocation to the segment where it belongs; nothing to do for system memory.
    ///
    /// # Errors
    /// When the segment has no room, or paging fails. The allocation is where it was then.
    pub fn move_in(&self, allocation: &Allocation) -> Result<(), MmError> {
        let Some(Home { segment, alignment }) = allocation.home else {
            return Ok(());
        };
        if matches!(*allocation.place(), Place::Segment(_)) {
            return Ok(());
        }
        let segment = self.segments().get(segment);
        let segment = segment.ok_or(MmError::Allocation("it has no segment"))?;
        let taken = segment.take(allocation.bytes, alignment)?;
        let to = Arc::new(Place::Segment(taken));
        self.transfer(
            &allocation.range(0, allocation.bytes)?,
            &whole(allocation, &to),
        )?;
        *allocation.place.lock() = to;
        self.notify_residency(allocation, true)
    }

    /// Puts other pages behind the CPU's view.
    fn show(&self, allocation: &Allocation, pages: &SystemPages) -> Result<(), MmError> {
        let Some(view) = &allocation.view else {
            return Ok(());
        };
        let memory = &self.shared.nt.memory;
        for index in 0..view.pages() {
            let page = pages
                .page(index as u64)
                .and_then(|page| memory.region_offset(page));
            view.switch_page(index, memory.region(), page.ok_or(MmError::Host)?)
                .map_err(|_| MmError::Host)?;
        }
        Ok(())
    }
}

/// All of a place that the allocation is to move to.
fn whole(allocation: &Allocation, place: &Arc<Place>) -> Range {
    Range {
        allocation: KmdHandle::NULL,
        place: place.clone(),
        offset: 0,
        bytes: allocation.bytes,
    }
}

fn copy(from: &SystemPages, to: &SystemPages) -> Result<(), MmError> {
    for page in 0..from.len() {
        let at = page * GPU_PAGE;
        let bytes = from.read(at, POISON.len()).ok_or(MmError::Host)?;
        to.write(at, &bytes).ok_or(MmError::Host)?;
    }
    Ok(())
}
