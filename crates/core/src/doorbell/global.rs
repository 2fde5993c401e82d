//! The global model: a page belongs to a process, and the value that is rung names the queue.
//!
//! Nobody is ever victimized. A process gets its page with its first connect and keeps it until
//! its last doorbell is destroyed, so it can only ever name its own queues: the device checks that
//! a queue's descriptor carries the page that was rung. When there are more processes than pages,
//! the late ones share the last page, which no queue's descriptor carries and which is never bound: rings on it reach
//! nobody, and those clients are told to notify the driver instead.

use alloc::vec::Vec;

use carillon_hw::regs::DoorbellPage;

use crate::arena::push_within_capacity;
use crate::error::{Error, Result};

use super::{Locations, ProcessTag};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tenant {
    process: ProcessTag,
    doorbells: u32,
    /// How many of them ring at both locations.
    both: u32,
}

/// Pages by process.
#[derive(Debug)]
pub struct ProcessPages {
    tenants: Vec<Option<Tenant>>,
    count: u32,
    /// Where the search for a free page starts, so that a page rests before it is used again.
    hand: u32,
}

/// What a process rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lodging {
    /// Its own page, which has to be bound first if `fresh`.
    Own {
        /// The page.
        page: DoorbellPage,
        /// Nobody of the process had it until now.
        fresh: bool,
    },
    /// The page that reaches nobody: the client has to notify.
    Common(DoorbellPage),
}

impl ProcessPages {
    /// `count` pages, the last of which is the common one.
    ///
    /// # Errors
    /// [`Error::NoMemory`]; [`Error::BadHardware`] for a number that no device has.
    pub fn new(count: u32) -> Result<Self> {
        if DoorbellPage::new(0, count).is_none() {
            return Err(Error::BadHardware);
        }
        let own = count - 1;
        let mut tenants = Vec::new();
        tenants
            .try_reserve_exact(own as usize)
            .map_err(|_| Error::NoMemory)?;
        while push_within_capacity(&mut tenants, None).is_ok() {}
        tenants.truncate(own as usize);
        Ok(Self {
            tenants,
            count,
            hand: 0,
        })
    }

    fn page(&self, index: usize) -> Option<DoorbellPage> {
        DoorbellPage::new(u32::try_from(index).ok()?, self.count)
    }

    fn position(&self, process: ProcessTag) -> Option<usize> {
        self.tenants
            .iter()
            .position(|t| t.is_some_and(|t| t.process == process))
    }

    /// Whether `page` is the one that reaches nobody.
    pub const fn is_common(&self, page: DoorbellPage) -> bool {
        page.index() == self.count - 1
    }

    /// The page that `process` rings, for one more of its doorbells.
    pub fn enter(&mut self, process: ProcessTag) -> Option<Lodging> {
        if let Some(index) = self.position(process) {
            let page = self.page(index)?;
            let tenant = self.tenants.get_mut(index)?.as_mut()?;
            tenant.doorbells += 1;
            return Some(Lodging::Own { page, fresh: false });
        }
        let own = self.count - 1;
        for step in 0..own {
            let index = (self.hand + step).checked_rem(own)?;
            if let Some(slot @ None) = self.tenants.get_mut(index as usize) {
                *slot = Some(Tenant {
                    process,
                    doorbells: 1,
                    both: 0,
                });
                self.hand = (index + 1).checked_rem(own)?;
                return Some(Lodging::Own {
                    page: self.page(index as usize)?,
                    fresh: true,
                });
            }
        }
        DoorbellPage::new(own, self.count).map(Lodging::Common)
    }

    /// The page that is the process's own.
    pub fn page_of(&self, process: ProcessTag) -> Option<DoorbellPage> {
        self.page(self.position(process)?)
    }

    /// One of the process's doorbells rings elsewhere from now on. What the device shall watch of
    /// the page, if that changes: both locations while any doorbell wants them.
    pub fn relocate(
        &mut self,
        process: ProcessTag,
        from: Locations,
        to: Locations,
    ) -> Option<Locations> {
        let index = self.position(process)?;
        let tenant = self.tenants.get_mut(index)?.as_mut()?;
        match (from, to) {
            (Locations::Primary, Locations::Both) => {
                tenant.both += 1;
                (tenant.both == 1).then_some(to)
            }
            (Locations::Both, Locations::Primary) => {
                tenant.both = tenant.both.saturating_sub(1);
                (tenant.both == 0).then_some(to)
            }
            _ => None,
        }
    }

    /// One doorbell fewer; the page to unbind if it was the last of its process.
    pub fn leave(&mut self, process: ProcessTag) -> Option<DoorbellPage> {
        let index = self.position(process)?;
        let slot = self.tenants.get_mut(index)?;
        let tenant = slot.as_mut()?;
        tenant.doorbells = tenant.doorbells.saturating_sub(1);
        if tenant.doorbells > 0 {
            return None;
        }
        *slot = None;
        self.page(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(lodging: Option<Lodging>) -> (u32, bool) {
        match lodging {
            Some(Lodging::Own { page, fresh }) => (page.index(), fresh),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_page_a_process_and_the_common_page_for_the_rest() {
        let mut pages = ProcessPages::new(3).unwrap();
        let (a, b, c) = (ProcessTag(1), ProcessTag(2), ProcessTag(3));
        assert_eq!(own(pages.enter(a)), (0, true));
        assert_eq!(own(pages.enter(a)), (0, false));
        assert_eq!(own(pages.enter(b)), (1, true));
        assert!(matches!(pages.enter(c), Some(Lodging::Common(page)) if page.index() == 2));
        assert_eq!(pages.leave(c), None);
        assert_eq!(pages.leave(a), None);
        assert_eq!(pages.leave(a).map(DoorbellPage::index), Some(0));
        assert_eq!(own(pages.enter(c)), (0, true));
    }

    /// regression: DB-10
    #[test]
    fn freed_pages_rest() {
        let mut pages = ProcessPages::new(4).unwrap();
        assert_eq!(own(pages.enter(ProcessTag(1))), (0, true));
        pages.leave(ProcessTag(1));
        assert_eq!(own(pages.enter(ProcessTag(2))), (1, true));
        assert_eq!(own(pages.enter(ProcessTag(3))), (2, true));
        assert_eq!(own(pages.enter(ProcessTag(4))), (0, true));
    }

    #[test]
    fn a_single_page_is_common() {
        let mut pages = ProcessPages::new(1).unwrap();
        assert!(matches!(
            pages.enter(ProcessTag(1)),
            Some(Lodging::Common(_))
        ));
        assert!(ProcessPages::new(0).is_err());
    }
}
