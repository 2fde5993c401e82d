//! Page lists of the memory manager, read element by element.

use carillon_core::error::{Error, Result};
use carillon_ddi::{DXGK_ADL, MDL};
use carillon_hw::addr::{BusAddress, PAGE_SIZE};

/// Pages of locked memory: frame numbers in an array, or from a first one on.
///
/// # Invariants
/// An array has `count` readable frame numbers for as long as the call lasts that the value is
/// made for.
#[derive(Clone, Copy)]
pub(super) struct Frames {
    frames: Place,
    count: u64,
}

#[derive(Clone, Copy)]
enum Place {
    Array(*const u64),
    From(u64),
}

impl Frames {
    /// The pages of an MDL: the frame numbers follow its header. Page `ns-wdm-_mdl`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for NULL.
    ///
    /// # Safety
    /// `mdl` is NULL or leads to an MDL with its frame numbers, unchanged while the value is used.
    pub(super) unsafe fn of_mdl(mdl: *const MDL) -> Result<Self> {
        if mdl.is_null() || !mdl.is_aligned() {
            return Err(Error::InvalidParameter);
        }
        // SAFETY: neither NULL nor crooked, hence an MDL by the caller's contract.
        let header = unsafe { mdl.read() };
        let bytes = u64::from(header.ByteOffset).saturating_add(header.ByteCount.into());
        Ok(Self {
            frames: Place::Array(mdl.wrapping_add(1).cast()),
            count: bytes.div_ceil(PAGE_SIZE),
        })
    }

    /// The pages of an address descriptor list. Page `ns-d3dkmddi-dxgk_adl`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a list without pages.
    ///
    /// # Safety
    /// The list's array has as many frame numbers as the list says, unchanged while the value is
    /// used.
    pub(super) unsafe fn of_adl(list: &DXGK_ADL) -> Result<Self> {
        let count = u64::from(list.PageCount);
        let frames = if list.Flags.Contiguous() {
            // SAFETY: the flag says which arm holds; both are plain words.
            Place::From(unsafe { list.Anonymous.BasePageNumber } as u64)
        } else {
            // SAFETY: as above.
            let pages = unsafe { list.Anonymous.Pages };
            if pages.is_null() || !pages.is_aligned() {
                return Err(Error::InvalidParameter);
            }
            Place::Array(pages.cast())
        };
        Ok(Self { frames, count })
    }

    /// The page at `index`, `None` past the end.
    pub(super) fn page(&self, index: u64) -> Option<BusAddress> {
        if index >= self.count {
            return None;
        }
        let frame = match self.frames {
            Place::From(first) => first.checked_add(index)?,
            Place::Array(frames) => {
                let index = usize::try_from(index).ok()?;
                // SAFETY: below the count (invariant), and aligned with the array.
                unsafe { frames.wrapping_add(index).read() }
            }
        };
        frame.checked_mul(PAGE_SIZE).map(BusAddress)
    }
}
