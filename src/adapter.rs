//! The adapters that the driver serves, and how an entry point comes to the right one.
//!
//! Places are static and never freed, so a stale handle or a late call can meet an adapter that is
//! not there, but never freed memory. An entry point holds a [`Running`] while it works; stopping
//! takes the adapter out of its place and then waits for the last of them. The count is atomic, so
//! that the interrupt routine may use it too.
//!
//! The context handle that `DxgkDdiAddDevice` answers is an ordinal and a generation, no pointer.

use alloc::boxed::Box;
use core::ops::Deref;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use carillon_core::adapter::Adapter;
use carillon_core::error::{Error, Result};
use carillon_core::handle::{AdapterOrdinal, adapter_of};
use carillon_core::irql::Passive;
use carillon_core::surface::Surface;
use carillon_ddi::HANDLE;

use crate::platform::{Kernel, pause};

/// A started adapter and what it offers.
pub(crate) struct Started {
    /// The core's adapter, on the heap by itself: the stack need not hold it twice.
    pub(crate) core: Box<Adapter<Kernel>>,
    /// What the OS is told that there is.
    pub(crate) surface: Surface,
}

impl Deref for Started {
    type Target = Adapter<Kernel>;

    fn deref(&self) -> &Adapter<Kernel> {
        &self.core
    }
}

/// One place for an adapter.
struct Place {
    /// Odd while a device is added here; each add and remove makes it the next number.
    generation: AtomicU32,
    /// Entry points at work.
    users: AtomicU32,
    /// The started adapter, NULL while there is none.
    started: AtomicPtr<Started>,
}

impl Place {
    const fn empty() -> Self {
        Self {
            generation: AtomicU32::new(0),
            users: AtomicU32::new(0),
            started: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

static PLACES: [Place; AdapterOrdinal::LIMIT] = [const { Place::empty() }; AdapterOrdinal::LIMIT];

/// A device that PnP has added, whether started or not.
#[derive(Clone, Copy)]
pub(crate) struct Added {
    ordinal: AdapterOrdinal,
    generation: u32,
}

impl Added {
    /// Claims a place for a device.
    ///
    /// # Errors
    /// [`Error::InsufficientResources`] when [`AdapterOrdinal::LIMIT`] devices are there already.
    pub(crate) fn claim() -> Result<Self> {
        for (index, place) in PLACES.iter().enumerate() {
            let free = place.generation.load(Ordering::Relaxed);
            let taken = free.wrapping_add(1);
            let claimed = is_free(free)
                && place
                    .generation
                    .compare_exchange(free, taken, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok();
            if let (true, Some(ordinal)) = (claimed, AdapterOrdinal::new(index)) {
                return Ok(Self {
                    ordinal,
                    generation: taken,
                });
            }
        }
        Err(Error::InsufficientResources)
    }

    /// The device behind a context handle.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for a handle of no device, or of one that is removed.
    pub(crate) fn of_context(context: HANDLE) -> Result<Self> {
        let bits = context.addr();
        let ordinal = AdapterOrdinal::new(bits % AdapterOrdinal::LIMIT);
        let generation = u32::try_from(bits / AdapterOrdinal::LIMIT).ok();
        let (Some(ordinal), Some(generation)) = (ordinal, generation) else {
            return Err(Error::InvalidHandle);
        };
        let added = Self {
            ordinal,
            generation,
        };
        if is_free(generation) || added.place()?.generation.load(Ordering::Acquire) != generation {
            return Err(Error::InvalidHandle);
        }
        Ok(added)
    }

    /// The context handle for dxgkrnl; never NULL, since the generation is odd.
    pub(crate) fn context(self) -> HANDLE {
        let bits = (self.generation as usize)
            .wrapping_mul(AdapterOrdinal::LIMIT)
            .wrapping_add(self.ordinal.index());
        ptr::without_provenance_mut(bits)
    }

    /// Which adapter this is.
    pub(crate) const fn ordinal(self) -> AdapterOrdinal {
        self.ordinal
    }

    fn place(self) -> Result<&'static Place> {
        PLACES.get(self.ordinal.index()).ok_or(Error::InvalidHandle)
    }

    /// Makes the started adapter visible to entry points.
    ///
    /// # Errors
    /// [`Error::InvalidState`] when one is there already; the new one is dropped.
    pub(crate) fn publish(self, _passive: Passive<'_>, started: Box<Started>) -> Result {
        let started = Box::into_raw(started);
        let published = self.place()?.started.compare_exchange(
            ptr::null_mut(),
            started,
            Ordering::SeqCst,
            Ordering::Relaxed,
        );
        if published.is_ok() {
            return Ok(());
        }
        // SAFETY: `into_raw` gave the pointer a few lines above and nobody else has seen it.
        drop(unsafe { Box::from_raw(started) });
        Err(Error::InvalidState)
    }

    /// The started adapter, for one entry point.
    ///
    /// # Errors
    /// [`Error::DeviceGone`] while it is not started.
    pub(crate) fn running(self) -> Result<Running> {
        Running::enter(self.place()?)
    }

    /// Takes the started adapter out of its place once no entry point uses it any more.
    pub(crate) fn retire(self, _passive: Passive<'_>) -> Option<Box<Started>> {
        let place = self.place().ok()?;
        // SeqCst, as in `Running::enter`: either that thread's count is seen below, or it sees
        // the NULL.
        let started = place.started.swap(ptr::null_mut(), Ordering::SeqCst);
        if started.is_null() {
            return None;
        }
        while place.users.load(Ordering::SeqCst) != 0 {
            pause();
        }
        // SAFETY: `publish` leaked the box, the swap has made this thread the only one with the
        // pointer, and no `Running` is left: the count is zero and can only be raised by threads
        // that then see NULL.
        Some(unsafe { Box::from_raw(started) })
    }

    /// Gives the place up. The adapter has been retired.
    pub(crate) fn release(self) {
        if let Ok(place) = self.place() {
            let next = self.generation.wrapping_add(1);
            // A second remove of the same device changes nothing.
            let _ = place.generation.compare_exchange(
                self.generation,
                next,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }
}

/// Generations of free places are even.
const fn is_free(generation: u32) -> bool {
    generation.is_multiple_of(2)
}

/// The adapter while an entry point works on it.
pub(crate) struct Running {
    place: &'static Place,
    started: *const Started,
}

impl Running {
    /// The adapter of a context handle. IRQL: any.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`], or [`Error::DeviceGone`] while it is not started.
    pub(crate) fn of_context(context: HANDLE) -> Result<Self> {
        Added::of_context(context)?.running()
    }

    /// The adapter that one of the driver's own handles leads to, for DDIs without an adapter
    /// argument. IRQL: any.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`], or [`Error::DeviceGone`] while the adapter is not started.
    pub(crate) fn of_object(object: HANDLE) -> Result<Self> {
        let ordinal = adapter_of(object.addr() as u64).ok_or(Error::InvalidHandle)?;
        let place = PLACES.get(ordinal.index()).ok_or(Error::InvalidHandle)?;
        Self::enter(place)
    }

    fn enter(place: &'static Place) -> Result<Self> {
        place.users.fetch_add(1, Ordering::SeqCst);
        let started = place.started.load(Ordering::SeqCst).cast_const();
        let running = Self { place, started };
        if started.is_null() {
            // Dropping `running` gives the count back.
            return Err(Error::DeviceGone);
        }
        Ok(running)
    }
}

impl Deref for Running {
    type Target = Started;

    fn deref(&self) -> &Started {
        // SAFETY: not NULL, checked by `enter`; `retire` frees the adapter only after the count
        // that `self` holds is gone.
        unsafe { &*self.started }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.place.users.fetch_sub(1, Ordering::SeqCst);
    }
}
