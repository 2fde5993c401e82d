//! Memory of the driver: the global allocator and the fallible ways to use it.
//!
//! Everything comes from nonpaged pool under the tag `rust`, which is `wdk-alloc`'s. Nothing in the
//! driver may use an allocation that panics or aborts when the pool is empty, so `Box::new` and
//! `Vec::push` beyond reserved capacity are out of bounds; [`try_box_with`] and `Vec::try_reserve` take
//! their place.

use alloc::boxed::Box;
use core::alloc::Layout;

use carillon_core::error::{Error, Result};
use wdk_alloc::WdkAllocator;

#[global_allocator]
static ALLOCATOR: WdkAllocator = WdkAllocator;

/// Alignment that every pool block has on 64-bit Windows (`MEMORY_ALLOCATION_ALIGNMENT`). The
/// allocator hands out nothing better.
const POOL_ALIGNMENT: usize = 16;

/// Makes a value on the heap, the memory first: what `make` has started need not be stopped again
/// for want of memory. IRQL: at most DISPATCH_LEVEL.
///
/// # Errors
/// [`Error::NoMemory`], and then `make` has not run; otherwise what `make` fails with.
pub(crate) fn try_box_with<T>(make: impl FnOnce() -> Result<T>) -> Result<Box<T>> {
    const {
        assert!(
            size_of::<T>() != 0,
            "a value without bytes needs no allocation"
        );
        assert!(
            align_of::<T>() <= POOL_ALIGNMENT,
            "pool blocks are not aligned that well"
        );
    }
    let layout = Layout::new::<T>();
    // SAFETY: the layout has a size other than zero, asserted above.
    let block: *mut T = unsafe { alloc::alloc::alloc(layout) }.cast();
    if block.is_null() {
        return Err(Error::NoMemory);
    }
    match make() {
        Ok(value) => {
            // SAFETY: the block is new, of `T`'s size, and aligned for it: pool blocks are 16-byte
            // aligned and `T` needs no more, asserted above.
            unsafe { block.write(value) };
            // SAFETY: the block comes from the global allocator with `T`'s layout and holds a `T`;
            // nobody else has the pointer.
            Ok(unsafe { Box::from_raw(block) })
        }
        Err(error) => {
            // SAFETY: allocated above with this layout; it never held a value.
            unsafe { alloc::alloc::dealloc(block.cast(), layout) };
            Err(error)
        }
    }
}
