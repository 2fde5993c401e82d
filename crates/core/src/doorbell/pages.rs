//! The physical doorbell pages.
//!
//! A page has exactly one [`Owner`] at any time, so "one page bound to two queues" cannot be
//! written down. Free pages are handed out oldest first: a late ring meets a dead page.

use alloc::vec::Vec;

use carillon_hw::regs::{DOORBELLS_PER_ACCESSED_WORD, DoorbellPage};

use crate::arena::push_within_capacity;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::platform::Ticks;

use super::DoorbellKind;

/// Who has a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody; on the free list.
    Free,
    /// A connected doorbell.
    Bound(Handle<DoorbellKind>),
    /// A doorbell that the OS disconnected; still bound in hardware.
    Lingering(Handle<DoorbellKind>),
    /// A connecting thread that is taking it away from this doorbell.
    Revoking(Handle<DoorbellKind>),
}

#[derive(Debug)]
struct Page {
    owner: Owner,
    /// When the owner got it.
    since: Ticks,
    /// Counts owners: whoever let go of the lock finds out whether the page went on without him.
    lease: u32,
    /// Rung since the hand passed, as far as the accessed words have been read.
    rung: bool,
    next_free: Option<DoorbellPage>,
}

/// What the caller knows about a page that the hand passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the order of the fields is the ranking"
)]
pub struct Merit {
    /// The queue belongs to the connecting context: only if no other will do.
    pub own_context: bool,
    /// The queue has pending work.
    pub busy: bool,
    /// Got its page too recently.
    pub young: bool,
    /// Rung since the hand passed it last.
    pub rung: bool,
}

impl Merit {
    const BEST: Self = Self {
        own_context: false,
        busy: false,
        young: false,
        rung: false,
    };

    /// A busy queue keeps a page that it has only just got: else two queues would take it from
    /// each other without either getting on.
    const fn is_protected(self) -> bool {
        self.young && self.busy
    }
}

/// All pages that the driver uses.
#[derive(Debug)]
pub struct Pages {
    slots: Vec<Page>,
    free_head: Option<DoorbellPage>,
    free_tail: Option<DoorbellPage>,
    hand: u32,
}

/// Pages that one search for a victim looks at before it takes the best so far: with more, a
/// search on a device with a thousand busy pages would cost a thousand reads.
const SEARCH_LIMIT: u32 = 64;

impl Pages {
    /// `count` free pages.
    ///
    /// # Errors
    /// [`Error::NoMemory`]; [`Error::BadHardware`] if `count` is zero or more than a device may have.
    pub fn new(count: u32) -> Result<Self> {
        if DoorbellPage::new(0, count).is_none() {
            return Err(Error::BadHardware);
        }
        let mut pages = Vec::new();
        pages
            .try_reserve_exact(count as usize)
            .map_err(|_| Error::NoMemory)?;
        for index in 0..count {
            let page = Page {
                owner: Owner::Free,
                since: Ticks(0),
                lease: 0,
                rung: false,
                next_free: DoorbellPage::new(index + 1, count),
            };
            let _ = push_within_capacity(&mut pages, page);
        }
        Ok(Self {
            slots: pages,
            free_head: DoorbellPage::new(0, count),
            free_tail: DoorbellPage::new(count - 1, count),
            hand: 0,
        })
    }

    /// Number of pages.
    #[allow(clippy::cast_possible_truncation, reason = "at most MAX_DOORBELLS")]
    pub fn count(&self) -> u32 {
        self.slots.len() as u32
    }

    fn page(&self, page: DoorbellPage) -> Option<&Page> {
        self.slots.get(page.index() as usize)
    }

    fn page_mut(&mut self, page: DoorbellPage) -> Option<&mut Page> {
        self.slots.get_mut(page.index() as usize)
    }

    /// Who has `page`.
    pub fn owner(&self, page: DoorbellPage) -> Owner {
        self.page(page).map_or(Owner::Free, |p| p.owner)
    }

    /// Since when its owner has had `page`.
    pub fn since(&self, page: DoorbellPage) -> Ticks {
        self.page(page).map_or(Ticks(0), |p| p.since)
    }

    /// Number of the present lease of `page`.
    pub fn lease(&self, page: DoorbellPage) -> u32 {
        self.page(page).map_or(0, |p| p.lease)
    }

    /// Gives `page` to `owner`, which is not [`Owner::Free`] ([`Self::release`] is for that).
    pub fn assign(&mut self, page: DoorbellPage, owner: Owner, now: Ticks) {
        if let Some(p) = self.page_mut(page) {
            p.owner = owner;
            p.since = now;
            p.lease = p.lease.wrapping_add(1);
            p.rung = false;
        }
    }

    /// Changes the owner without a new lease: what lingers or is being revoked keeps its age.
    pub fn mark(&mut self, page: DoorbellPage, owner: Owner) {
        if let Some(p) = self.page_mut(page) {
            p.owner = owner;
        }
    }

    /// The page that has been free for longest, off the free list.
    pub fn take_free(&mut self) -> Option<DoorbellPage> {
        let page = self.free_head?;
        let next = self.page_mut(page).and_then(|p| p.next_free.take());
        self.free_head = next;
        if next.is_none() {
            self.free_tail = None;
        }
        Some(page)
    }

    /// Puts `page` at the end of the free list.
    pub fn release(&mut self, page: DoorbellPage) {
        let Some(p) = self.page_mut(page) else { return };
        p.owner = Owner::Free;
        p.next_free = None;
        match self.free_tail.replace(page) {
            Some(tail) => {
                if let Some(last) = self.page_mut(tail) {
                    last.next_free = Some(page);
                }
            }
            None => self.free_head = Some(page),
        }
    }

    /// Notes which pages the device saw rung, from the accessed word that holds `page`'s bit.
    fn note_accessed(&mut self, page: DoorbellPage, word: u32) {
        let count = self.count();
        let first = page.index() - page.index() % DOORBELLS_PER_ACCESSED_WORD;
        for index in first..count.min(first + DOORBELLS_PER_ACCESSED_WORD) {
            if let Some(other) = DoorbellPage::new(index, count)
                && other.is_accessed_in(word)
                && let Some(p) = self.page_mut(other)
            {
                p.rung = true;
            }
        }
    }

    /// CLOCK: the page that its owner will miss least, or `None` if every page is in transit, or
    /// busy and too young to be taken.
    ///
    /// `read_accessed` reads (and so clears) the accessed word of a page; it is called at most
    /// once per word. `merit` judges a page of which the hand knows whether it was rung.
    pub fn choose_victim(
        &mut self,
        mut read_accessed: impl FnMut(DoorbellPage) -> u32,
        mut merit: impl FnMut(Handle<DoorbellKind>, Ticks, bool) -> Merit,
    ) -> Option<(DoorbellPage, Handle<DoorbellKind>)> {
        let count = self.count();
        let mut best: Option<(Merit, DoorbellPage, Handle<DoorbellKind>)> = None;
        let mut word_read = None;
        let searched = count.min(SEARCH_LIMIT);
        for step in 0..searched {
            let index = (self.hand + step).checked_rem(count)?;
            let page = DoorbellPage::new(index, count)?;
            if word_read != Some(page.accessed_register()) {
                word_read = Some(page.accessed_register());
                let word = read_accessed(page);
                self.note_accessed(page, word);
            }
            let p = self.page_mut(page)?;
            let (handle, found) = match p.owner {
                Owner::Free | Owner::Revoking(_) => continue,
                Owner::Lingering(handle) => (handle, Merit::BEST),
                Owner::Bound(handle) => {
                    // Passing takes the second chance away.
                    let rung = core::mem::take(&mut p.rung);
                    (handle, merit(handle, p.since, rung))
                }
            };
            if found.is_protected() {
                continue;
            }
            if best.is_none_or(|(merit, ..)| found < merit) {
                best = Some((found, page, handle));
            }
            if found == Merit::BEST {
                break;
            }
        }
        let Some((_, page, handle)) = best else {
            // Nothing here can be had; the next search looks at the pages behind these.
            self.hand = (self.hand + searched).checked_rem(count)?;
            return None;
        };
        self.hand = (page.index() + 1).checked_rem(count)?;
        Some((page, handle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::AdapterOrdinal;
    use std::vec::Vec;

    fn handle(index: u32) -> Handle<DoorbellKind> {
        Handle::new(AdapterOrdinal::new(0).unwrap(), index, 1)
    }

    fn full(count: u32) -> Pages {
        let mut pages = Pages::new(count).unwrap();
        for index in 0..count {
            let page = pages.take_free().unwrap();
            assert_eq!(page.index(), index);
            pages.assign(page, Owner::Bound(handle(index)), Ticks(0));
        }
        assert_eq!(pages.take_free(), None);
        pages
    }

    fn plain(rung: bool) -> Merit {
        Merit {
            rung,
            ..Merit::BEST
        }
    }

    #[test]
    fn counts_at_the_limits() {
        assert_eq!(Pages::new(0).unwrap_err(), Error::BadHardware);
        assert_eq!(Pages::new(1025).unwrap_err(), Error::BadHardware);
        full(1);
        full(1024);
    }

    /// regression: DB-10
    #[test]
    fn free_pages_rotate() {
        let mut pages = Pages::new(3).unwrap();
        let first = pages.take_free().unwrap();
        pages.release(first);
        let order: Vec<_> = (0..3).map(|_| pages.take_free().unwrap().index()).collect();
        assert_eq!(order, [1, 2, 0]);
    }

    /// contract: VICR-001
    #[test]
    fn the_page_not_rung_goes_first_and_passing_forgets() {
        let mut pages = full(4);
        let victim = pages
            .choose_victim(|_| 0b0111, |_, _, rung| plain(rung))
            .unwrap();
        assert_eq!(victim.0.index(), 3);
        // Page 3 is where the hand stopped; 0 to 2 lost their second chance in passing.
        let victim = pages
            .choose_victim(|_| 0, |_, _, rung| plain(rung))
            .unwrap();
        assert_eq!(victim.0.index(), 0);
    }

    /// contract: VICR-001
    #[test]
    fn busy_after_idle_and_own_context_last() {
        let mut pages = full(3);
        let choice = pages.choose_victim(
            |_| 0,
            |h, _, _| Merit {
                own_context: h.index() == 0,
                busy: h.index() == 1,
                young: false,
                rung: h.index() == 2,
            },
        );
        assert_eq!(choice.unwrap().1, handle(2));
        let choice = pages.choose_victim(
            |_| 0,
            |h, _, _| Merit {
                own_context: h.index() != 1,
                busy: true,
                young: false,
                rung: true,
            },
        );
        assert_eq!(choice.unwrap().1, handle(1));
    }

    #[test]
    fn young_and_busy_is_protected_and_young_alone_is_not() {
        let mut pages = full(2);
        let all_protected = Merit {
            busy: true,
            young: true,
            ..Merit::BEST
        };
        assert!(
            pages
                .choose_victim(|_| 0, |_, _, _| all_protected)
                .is_none()
        );
        let idle = Merit {
            young: true,
            ..Merit::BEST
        };
        assert!(pages.choose_victim(|_| 0, |_, _, _| idle).is_some());
    }

    #[test]
    fn lingering_beats_everything_and_revoking_is_left_alone() {
        let mut pages = full(3);
        let page = |i| DoorbellPage::new(i, 3).unwrap();
        pages.mark(page(0), Owner::Revoking(handle(0)));
        pages.mark(page(2), Owner::Lingering(handle(2)));
        let busy = Merit {
            busy: true,
            ..Merit::BEST
        };
        assert_eq!(
            pages.choose_victim(|_| 0, |_, _, _| busy).unwrap().1,
            handle(2)
        );
        pages.mark(page(1), Owner::Revoking(handle(1)));
        pages.mark(page(2), Owner::Revoking(handle(2)));
        assert!(pages.choose_victim(|_| 0, |_, _, _| Merit::BEST).is_none());
    }

    #[test]
    fn a_search_in_vain_leads_on_to_other_pages() {
        let mut pages = full(SEARCH_LIMIT + 1);
        let last = handle(SEARCH_LIMIT);
        let mut search = || {
            pages.choose_victim(
                |_| 0,
                |h, _, _| Merit {
                    busy: h != last,
                    young: h != last,
                    ..Merit::BEST
                },
            )
        };
        assert_eq!(search(), None);
        assert_eq!(search().map(|(_, owner)| owner), Some(last));
    }

    #[test]
    fn the_search_is_bounded_and_reads_each_word_once() {
        let mut pages = full(1024);
        let mut words = Vec::new();
        let mut judged = 0;
        pages
            .choose_victim(
                |page| {
                    words.push(page.accessed_register());
                    u32::MAX
                },
                |_, _, rung| {
                    judged += 1;
                    assert!(rung);
                    plain(rung)
                },
            )
            .unwrap();
        assert_eq!(judged, SEARCH_LIMIT);
        assert_eq!(words.len(), 2);
    }
}
