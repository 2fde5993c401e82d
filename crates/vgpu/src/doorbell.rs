//! Doorbell pages (`docs/hardware.md` section 5).
//!
//! A page is only ever changed by the device under the device's lock: a ring is taken, and a
//! binding changes, as one step for everybody else. Watching needs no lock: it loads the
//! quadwords of bound pages, from a list that is made anew when a binding changes.

use carillon_hw::doorbell::{NOT_RUNG, RING_OFFSET};
use carillon_hw::regs::{DOORBELLS_PER_ACCESSED_WORD, DoorbellControl, DoorbellPage};

use crate::fabric::Fabric;
use crate::memory::SharedMemory;

#[derive(Clone, Copy, Debug, Default)]
struct Page {
    control: DoorbellControl,
    accessed: bool,
}

/// What the device knows of the pages. The last value rung is not kept: the quadword itself says
/// whether a ring is there.
#[derive(Debug)]
pub(crate) struct Doorbells {
    pages: Vec<Page>,
}

impl Doorbells {
    /// Unbound pages, each of them `NOT_RUNG`.
    pub(crate) fn new(fabric: &Fabric, count: u32) -> Self {
        let doorbells = Self {
            pages: vec![Page::default(); count as usize],
        };
        for page in doorbells.all() {
            // Fresh shared memory holds zeros, which are no rings.
            let _ = exchange(fabric, page);
        }
        doorbells
    }

    fn count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn page(&self, index: u32) -> Option<DoorbellPage> {
        DoorbellPage::new(index, self.count())
    }

    fn all(&self) -> impl Iterator<Item = DoorbellPage> + use<> {
        let count = self.count();
        (0..count).filter_map(move |index| DoorbellPage::new(index, count))
    }

    pub(crate) fn control(&self, page: DoorbellPage) -> DoorbellControl {
        self.pages[page.index() as usize].control
    }

    /// Pages that are bound, for the watcher.
    pub(crate) fn bound(&self) -> impl Iterator<Item = DoorbellPage> {
        self.all().filter(|page| self.control(*page).bound())
    }

    /// Takes a ring from a bound page.
    pub(crate) fn take(&mut self, fabric: &Fabric, page: DoorbellPage) -> Option<u64> {
        let known = &mut self.pages[page.index() as usize];
        if !known.control.bound() {
            return None;
        }
        let value = exchange(fabric, page)?;
        known.accessed = true;
        fabric.counters.rings.add(1);
        Some(value)
    }

    /// Clears the page and binds it anew. A ring that was not taken yet is gone: a driver that
    /// takes a page away has the device look at the former owner.
    pub(crate) fn bind(&mut self, fabric: &Fabric, page: DoorbellPage, control: DoorbellControl) {
        let known = &mut self.pages[page.index() as usize];
        let former = std::mem::replace(&mut known.control, control);
        known.accessed = false;
        if exchange(fabric, page).is_some() {
            let counter = if former.bound() {
                &fabric.counters.rings
            } else {
                &fabric.counters.rings_dropped
            };
            counter.add(1);
        }
    }

    /// Reads and clears the accessed bits of one word.
    pub(crate) fn take_accessed(&mut self, word: u32) -> u32 {
        let first = word.saturating_mul(DOORBELLS_PER_ACCESSED_WORD);
        let mut bits = 0;
        for page in self.all().skip(first as usize).take(32) {
            if std::mem::take(&mut self.pages[page.index() as usize].accessed) {
                bits += page.accessed_bit();
            }
        }
        bits
    }

    pub(crate) fn reset(&mut self, fabric: &Fabric) {
        for page in self.all() {
            self.bind(fabric, page, DoorbellControl::UNBOUND);
        }
    }
}

/// Byte offset in BAR2 of the quadword that a client stores to.
fn ring_offset(page: DoorbellPage) -> u64 {
    page.bar_offset() + RING_OFFSET as u64
}

/// Puts the sentinel in place of the quadword; the ring, if there was one.
fn exchange(fabric: &Fabric, page: DoorbellPage) -> Option<u64> {
    let value = fabric
        .doorbells
        .exchange_u64(ring_offset(page), NOT_RUNG)
        .ok()?;
    (value != NOT_RUNG).then_some(value)
}

/// Whether a ring is to be taken. Acquires, so that the look that follows sees a write pointer
/// stored before the ring.
pub(crate) fn is_rung(doorbells: &SharedMemory, page: DoorbellPage) -> bool {
    doorbells
        .load_u64(ring_offset(page))
        .is_ok_and(|value| value != NOT_RUNG)
}
