//! Memory lent to the driver, laid out so that its end is the end of what may be touched.

use std::cell::RefCell;
use std::io;
use std::marker::PhantomData;
use std::ptr;

use crate::trap::PAGE_SIZE;
use crate::trap::mapping::{Access, Reservation};

/// Bytes before the lent memory that must keep their pattern.
const CANARY_BYTES: usize = 64;
/// What is before lent memory.
const CANARY: u8 = 0xC5;
/// What lent memory holds after it was given back, so that a kept pointer reads nonsense.
const GIVEN_BACK: u8 = 0xDD;

thread_local! {
    /// Pages to use again: two system calls for each DDI would dominate the submit path.
    static FREE: RefCell<Vec<Reservation>> = const { RefCell::new(Vec::new()) };
}

/// Values of `T` right before a page that cannot be touched.
///
/// # Invariants
/// `pages` is readable and writable except for its last page, and `len` values of `T` end where
/// that page begins.
#[derive(Debug)]
pub struct Guarded<T: Copy> {
    pages: Option<Reservation>,
    len: usize,
    _values: PhantomData<T>,
}

fn pages_for(bytes: usize) -> io::Result<Reservation> {
    let usable = (bytes + CANARY_BYTES).next_multiple_of(PAGE_SIZE);
    if usable == PAGE_SIZE
        && let Some(pages) = FREE.with_borrow_mut(Vec::pop)
    {
        return Ok(pages);
    }
    let pages = Reservation::new(usable + PAGE_SIZE)?;
    pages.protect(0, usable, Access::ReadWrite)?;
    Ok(pages)
}

impl<T: Copy> Guarded<T> {
    /// Lends a copy of `value`.
    ///
    /// # Errors
    /// When the host has no address space.
    pub fn new(value: T) -> io::Result<Self> {
        Self::from_slice(&[value])
    }

    /// Lends a copy of `values`.
    ///
    /// # Errors
    /// When the host has no address space.
    pub fn from_slice(values: &[T]) -> io::Result<Self> {
        let bytes = size_of_val(values);
        let pages = pages_for(bytes)?;
        let guarded = Self {
            pages: Some(pages),
            len: values.len(),
            _values: PhantomData,
        };
        let start = guarded.as_mut_ptr();
        let canary = start.cast::<u8>().wrapping_sub(CANARY_BYTES);
        // SAFETY: `pages_for` made room for the canary before the values.
        unsafe { canary.write_bytes(CANARY, CANARY_BYTES) };
        // SAFETY: zeroes also what is padding in `T`; the range is the one of the invariant.
        unsafe { start.cast::<u8>().write_bytes(0, bytes) };
        // SAFETY: both ranges hold `len` values and do not overlap, as the target is fresh.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), start, values.len()) };
        Ok(guarded)
    }

    fn end(&self) -> usize {
        self.pages
            .as_ref()
            .map_or(0, |pages| pages.base() + pages.len() - PAGE_SIZE)
    }

    /// First value, for the driver.
    pub fn as_mut_ptr(&self) -> *mut T {
        (self.end() - self.len * size_of::<T>()) as *mut T
    }

    /// The values as they are now.
    pub fn values(&self) -> Vec<T> {
        let start = self.as_mut_ptr();
        // SAFETY: the range of the invariant, with values that were written as `T` or overwritten
        // by the driver through the type's C layout.
        (0..self.len)
            .map(|i| unsafe { start.wrapping_add(i).read_volatile() })
            .collect()
    }

    /// The first value as it is now.
    pub fn get(&self) -> T {
        // SAFETY: as in `values`; every constructor lends at least one value or is not asked.
        unsafe { self.as_mut_ptr().read_volatile() }
    }

    /// The bytes as they are now.
    pub fn bytes(&self) -> Vec<u8> {
        let start = self.as_mut_ptr().cast::<u8>();
        let bytes = self.len * size_of::<T>();
        // SAFETY: the range of the invariant, zeroed before the values were written.
        (0..bytes)
            .map(|i| unsafe { start.wrapping_add(i).read_volatile() })
            .collect()
    }

    /// True if something wrote before the first value.
    pub fn is_underrun(&self) -> bool {
        let start = self.as_mut_ptr().cast::<u8>().wrapping_sub(CANARY_BYTES);
        // SAFETY: the canary's range, which the constructor made room for and wrote.
        (0..CANARY_BYTES).any(|i| unsafe { start.wrapping_add(i).read_volatile() } != CANARY)
    }
}

impl<T: Copy> Drop for Guarded<T> {
    fn drop(&mut self) {
        let start = self.as_mut_ptr().cast::<u8>();
        // SAFETY: the range of the invariant, which nobody may use any more.
        unsafe { start.write_bytes(GIVEN_BACK, self.len * size_of::<T>()) };
        if let Some(pages) = self.pages.take()
            && pages.len() == 2 * PAGE_SIZE
        {
            let _ = FREE.try_with(|free| free.borrow_mut().push(pages));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_byte_is_the_last_of_a_page() {
        let lent = Guarded::new([1u8, 2, 3]).unwrap();
        assert_eq!((lent.as_mut_ptr() as usize + 3) % PAGE_SIZE, 0);
        assert_eq!(lent.get(), [1, 2, 3]);
        let big = Guarded::from_slice(&vec![7u64; 1000]).unwrap();
        assert_eq!((big.as_mut_ptr() as usize + 8000) % PAGE_SIZE, 0);
        assert_eq!(big.values(), vec![7; 1000]);
        let none = Guarded::<u64>::from_slice(&[]).unwrap();
        assert!(none.values().is_empty());
    }

    #[test]
    fn a_write_before_the_values_is_seen() {
        let lent = Guarded::new(5u32).unwrap();
        assert!(!lent.is_underrun());
        // SAFETY: the byte before the value belongs to the canary of the same page.
        unsafe {
            lent.as_mut_ptr()
                .cast::<u8>()
                .wrapping_sub(1)
                .write_volatile(0);
        };
        assert!(lent.is_underrun());
    }

    #[test]
    fn memory_given_back_holds_nonsense() {
        let lent = Guarded::new(0x1234_5678u32).unwrap();
        let kept = lent.as_mut_ptr();
        drop(lent);
        // SAFETY: the page stays mapped in this thread's free list.
        assert_eq!(unsafe { kept.read_volatile() }, 0xDDDD_DDDD);
    }
}
