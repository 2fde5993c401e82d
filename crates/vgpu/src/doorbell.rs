//! Doorbell pages (`docs/hardware.md` section 5).
//!
//! A page is only ever changed by the device under the device's lock: a ring is taken, and a
//! binding changes, as one step for everybody else. Watching needs no lock: it loads the
//! quadwords of bound pages, from a list that is made anew when a binding changes.

use carillon_hw::doorbell::{NOT_RUNG, RING_OFFSET};
use carillon_hw::regs::{DOORBELLS_PER_ACCESSED_WORD, DoorbellControl, DoorbellPage};

use crate::fabric::Fabric;
use crate::memory::SharedMemory;
use crate::parameters::Config;

#[derive(Clone, Copy, Debug, Default)]
struct Page {
    control: DoorbellControl,
    accessed: bool,
}

/// A quadword that clients store to. A page has one, and one more in its secondary page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell {
    pub(crate) page: DoorbellPage,
    secondary: bool,
    /// Byte offset in BAR2.
    offset: u64,
}

impl Bell {
    /// Whether a ring is to be taken. Acquires, so that the look that follows sees a write pointer
    /// stored before the ring.
    pub(crate) fn is_rung(self, doorbells: &SharedMemory) -> bool {
        doorbells
            .load_u64(self.offset)
            .is_ok_and(|value| value != NOT_RUNG)
    }

    pub(crate) fn is_primary(self) -> bool {
        !self.secondary
    }

    /// Whether a store to the quadword is a ring while the page is bound like this.
    fn is_watched(self, control: DoorbellControl) -> bool {
        control.bound() && (control.secondary() || self.is_primary())
    }

    /// Puts the sentinel in place of the quadword; the ring, if there was one.
    fn exchange(self, fabric: &Fabric) -> Option<u64> {
        let value = fabric.doorbells.exchange_u64(self.offset, NOT_RUNG).ok()?;
        (value != NOT_RUNG).then_some(value)
    }
}

/// What the device knows of the pages. The last value rung is not kept: the quadword itself says
/// whether a ring is there.
#[derive(Debug)]
pub(crate) struct Doorbells {
    pages: Vec<Page>,
    has_secondary: bool,
}

impl Doorbells {
    /// Unbound pages, each of them `NOT_RUNG`.
    pub(crate) fn new(fabric: &Fabric, parameters: &Config) -> Self {
        let doorbells = Self {
            pages: vec![Page::default(); parameters.doorbells as usize],
            has_secondary: parameters.secondary_pages,
        };
        for bell in doorbells.all().flat_map(|page| doorbells.bells(page)) {
            // Fresh shared memory holds zeros, which are no rings.
            let _ = bell.exchange(fabric);
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

    /// The quadwords of a page, watched or not.
    fn bells(&self, page: DoorbellPage) -> impl Iterator<Item = Bell> + use<> {
        let primary = Bell {
            page,
            secondary: false,
            offset: page.bar_offset() + RING_OFFSET as u64,
        };
        let secondary = self.has_secondary.then(|| Bell {
            page,
            secondary: true,
            offset: page.secondary_bar_offset(self.count()) + RING_OFFSET as u64,
        });
        std::iter::once(primary).chain(secondary)
    }

    pub(crate) fn control(&self, page: DoorbellPage) -> DoorbellControl {
        self.pages[page.index() as usize].control
    }

    /// The quadwords to watch.
    pub(crate) fn watched(&self) -> impl Iterator<Item = Bell> {
        let bells = self.all().flat_map(|page| self.bells(page));
        bells.filter(|bell| bell.is_watched(self.control(bell.page)))
    }

    /// Takes a ring, unless the quadword is not watched any more.
    pub(crate) fn take(&mut self, fabric: &Fabric, bell: Bell) -> Option<u64> {
        let known = &mut self.pages[bell.page.index() as usize];
        if !bell.is_watched(known.control) {
            return None;
        }
        let value = bell.exchange(fabric)?;
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
        for bell in self.bells(page) {
            if bell.exchange(fabric).is_some() {
                let counter = if bell.is_watched(former) {
                    &fabric.counters.rings
                } else {
                    &fabric.counters.rings_dropped
                };
                counter.add(1);
            }
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
