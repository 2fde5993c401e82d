//! Doorbell pages: which page of the doorbell BAR a client's address shows, and who may see it.
//!
//! A doorbell's user address never changes. What is behind it does: a private page of zeroes while
//! the doorbell is disconnected, a page of the BAR while it is connected. The switch is one `mmap`,
//! so a thread that stores meanwhile hits the old page or the new one.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::Arc;

use parking_lot::Mutex;

use super::ObjectError;
use crate::dxgk::handle::OsHandle;
use crate::trap::PAGE_SIZE;
use crate::trap::shared::{RemappableView, SharedRegion};

/// The doorbell BAR, and where the driver mapped it.
pub trait DoorbellBar: Send + Sync {
    /// The memory of the BAR.
    fn region(&self) -> &Arc<SharedRegion>;

    /// The byte offset in the BAR of an address in one of the driver's kernel mappings of it;
    /// `None` for every other address.
    fn offset_of(&self, kernel_address: usize) -> Option<usize>;
}

/// How an owner stands to its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// The doorbell is connected to it.
    Connected,
    /// The OS has told the driver to disconnect; the driver may hand the page on, while the user
    /// address still shows it.
    Releasing,
}

/// Which doorbell shows which page of the BAR, from the OS's own knowledge.
#[derive(Debug, Default)]
pub struct PageOwners {
    owners: Mutex<HashMap<usize, Vec<(OsHandle, Hold)>>>,
}

impl PageOwners {
    /// Notes that `doorbell` will show the page at `offset`. The doorbells that are connected to it
    /// already are the result: in the dedicated model there must be none.
    pub fn claim(&self, offset: usize, doorbell: OsHandle) -> Vec<OsHandle> {
        let mut owners = self.owners.lock();
        let list = owners.entry(offset).or_default();
        let others = list
            .iter()
            .filter(|(owner, hold)| *owner != doorbell && *hold == Hold::Connected);
        let others = others.map(|(owner, _)| *owner).collect();
        list.retain(|(owner, _)| *owner != doorbell);
        list.push((doorbell, Hold::Connected));
        others
    }

    /// Notes that the driver has been asked to take the page back.
    pub fn releasing(&self, offset: usize, doorbell: OsHandle) {
        let mut owners = self.owners.lock();
        for (owner, hold) in owners.entry(offset).or_default() {
            if *owner == doorbell {
                *hold = Hold::Releasing;
            }
        }
    }

    /// Notes that `doorbell` does not show the page any more.
    pub fn release(&self, offset: usize, doorbell: OsHandle) {
        let mut owners = self.owners.lock();
        if let Some(list) = owners.get_mut(&offset) {
            list.retain(|(owner, _)| *owner != doorbell);
            if list.is_empty() {
                owners.remove(&offset);
            }
        }
    }

    /// Pages that some doorbell shows.
    #[must_use]
    pub fn shown(&self) -> usize {
        self.owners.lock().len()
    }
}

/// The user address of a doorbell.
#[derive(Debug)]
pub struct DoorbellView {
    view: RemappableView,
    dummy: Arc<SharedRegion>,
}

impl DoorbellView {
    /// Reserves the address for a doorbell of `bytes` bytes; the dummy page is behind it.
    pub fn new(bytes: usize) -> Result<Self, ObjectError> {
        let pages = bytes.div_ceil(PAGE_SIZE).max(1);
        let host = |_| ObjectError::Host;
        let dummy = SharedRegion::new("doorbell-dummy", pages * PAGE_SIZE).map_err(host)?;
        let view = Self {
            view: RemappableView::new(pages).map_err(host)?,
            dummy,
        };
        view.show_dummy()?;
        Ok(view)
    }

    /// Puts the dummy page behind the address.
    pub fn show_dummy(&self) -> Result<(), ObjectError> {
        self.show(&self.dummy, 0)
    }

    /// Puts the BAR's memory at `offset` behind the address.
    pub fn show(&self, region: &Arc<SharedRegion>, offset: usize) -> Result<(), ObjectError> {
        for page in 0..self.view.pages() {
            let at = offset + page * PAGE_SIZE;
            self.view
                .switch_page(page, region, at)
                .map_err(|_| ObjectError::Host)?;
        }
        Ok(())
    }

    /// The word to ring.
    pub fn word(&self) -> Result<NonNull<u64>, ObjectError> {
        NonNull::new(self.view.as_ptr() as usize as *mut u64).ok_or(ObjectError::Host)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn store(view: &DoorbellView, value: u64) {
        // SAFETY: the first word of a live view, accessed atomically.
        let word = unsafe { AtomicU64::from_ptr(view.word().unwrap().as_ptr()) };
        word.store(value, Ordering::SeqCst);
    }

    fn load(region: &Arc<SharedRegion>, offset: usize) -> u64 {
        let mapping = region.map(offset, PAGE_SIZE).unwrap();
        // SAFETY: the first word of a live mapping, accessed atomically.
        let word = unsafe { AtomicU64::from_ptr(mapping.as_ptr().cast()) };
        word.load(Ordering::SeqCst)
    }

    /// contract: DBC-011
    /// regression: MAP-09
    #[test]
    fn the_address_stays_and_the_page_changes() {
        let bar = SharedRegion::new("bar", 2 * PAGE_SIZE).unwrap();
        let view = DoorbellView::new(4096).unwrap();
        let address = view.word().unwrap();
        store(&view, 1);
        view.show(&bar, PAGE_SIZE).unwrap();
        store(&view, 2);
        view.show_dummy().unwrap();
        store(&view, 3);
        assert_eq!(view.word().unwrap(), address);
        assert_eq!((load(&bar, 0), load(&bar, PAGE_SIZE)), (0, 2));
        assert!(view.show(&bar, 2 * PAGE_SIZE).is_err());
    }

    #[test]
    fn a_page_has_one_connected_owner() {
        let owners = PageOwners::default();
        let (a, b) = (OsHandle::fresh(), OsHandle::fresh());
        assert!(owners.claim(0, a).is_empty());
        assert!(owners.claim(0, a).is_empty());
        assert_eq!(owners.claim(0, b), [a]);
        owners.releasing(0, b);
        owners.release(0, a);
        assert!(owners.claim(0, a).is_empty());
        owners.release(0, a);
        owners.release(0, b);
        assert_eq!(owners.shown(), 0);
    }
}
