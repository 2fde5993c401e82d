//! The plain model: lists, and the rules of `docs/concurrency.md` and nothing else.

use std::collections::VecDeque;

use carillon_core::doorbell::{DoorbellCounters, DoorbellKind, Locations, ManagerCounters, State};
use carillon_core::handle::Handle;

/// Where a doorbell is believed to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Off,
    Connecting,
    On(u32),
    Lingers(u32),
    Taken(u32),
}

impl Place {
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Disconnected => Self::Off,
            State::Connecting => Self::Connecting,
            State::Connected(page) => Self::On(page.index()),
            State::Lingering(page) => Self::Lingers(page.index()),
            State::Revoking(page) => Self::Taken(page.index()),
        }
    }

    /// The page that the doorbell itself may give away.
    pub(crate) const fn held(self) -> Option<u32> {
        match self {
            Self::On(page) | Self::Lingers(page) => Some(page),
            Self::Off | Self::Connecting | Self::Taken(_) => None,
        }
    }
}

/// The client's status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Retry,
    Connected,
    Notify,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bell {
    pub(crate) handle: Handle<DoorbellKind>,
    pub(crate) process: u64,
    pub(crate) context: u32,
    pub(crate) alive: bool,
    pub(crate) wants_notify: bool,
    /// Global model: keeps its process's page.
    pub(crate) lodges: bool,
    pub(crate) place: Place,
    /// What the last connect that was answered asked for.
    pub(crate) locations: Locations,
    pub(crate) since: u64,
    pub(crate) counters: DoorbellCounters,
    /// Where the client's stores go; `None` is the dummy page.
    pub(crate) mapping: Option<u32>,
    pub(crate) status: Status,
    /// The page that a connect took away while it was connected, until that connect is done.
    pub(crate) lost_live: Option<u32>,
    /// The last write pointer after whose ring the client read that it is connected.
    pub(crate) trusted: u64,
}

/// A DDI that may make a callback.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) bell: usize,
    pub(crate) connects: bool,
    /// The victim and its page, once the callback has been made.
    pub(crate) taken: Option<(usize, u32)>,
    /// A victim has taken its page back during the callback.
    pub(crate) retaken: bool,
}

#[derive(Default)]
pub(crate) struct Reference {
    pub(crate) bells: Vec<Bell>,
    /// Dedicated model: free pages, the longest free first.
    pub(crate) free: VecDeque<u32>,
    /// Global model: the page of each process that has one.
    pub(crate) tenants: Vec<(u64, u32)>,
    pub(crate) frames: Vec<Frame>,
    /// Doorbells of which the OS has moved the mapping or the status, and not yet the other.
    pub(crate) moving: Vec<usize>,
    pub(crate) counters: ManagerCounters,
    pub(crate) closed: bool,
}

/// What speaks against a victim, the worst first.
pub(crate) type Demerits = (bool, bool, bool);

impl Reference {
    pub(crate) fn tenant(&self, process: u64) -> Option<u32> {
        let found = self.tenants.iter().find(|(tenant, _)| *tenant == process);
        found.map(|(_, page)| *page)
    }

    /// The callback about `victim` has returned.
    pub(crate) fn lose(&mut self, victim: usize, page: u32) {
        let bell = &mut self.bells[victim];
        if bell.place == Place::Taken(page) {
            bell.place = Place::Off;
        }
    }

    /// A doorbell that finds nothing else takes back the page that is being taken from it: the
    /// revocation has not happened.
    pub(crate) fn take_back(&mut self, victim: usize, page: u32) {
        let frames = self.frames.iter_mut();
        let frame = frames.rev().find(|f| f.taken == Some((victim, page)));
        let frame = frame.expect("nobody is taking this page");
        frame.taken = None;
        frame.retaken = true;
        let connects = frame.connects;
        self.counters.taken_back += 1;
        match (connects, self.bells[victim].lost_live.take()) {
            (true, Some(_)) => self.counters.victimizations -= 1,
            (true, None) => self.counters.lingering_reclaimed -= 1,
            (false, _) => {}
        }
    }

    /// A doorbell has ended: its process's page goes with the last one.
    pub(crate) fn leave(&mut self, bell: usize) {
        let process = self.bells[bell].process;
        let lodger = |b: &Bell| b.alive && b.lodges && b.process == process;
        if !self.bells.iter().any(lodger) {
            self.tenants.retain(|(tenant, _)| *tenant != process);
        }
    }

    /// Every doorbell that may lose its page to `caller`, and what speaks against it.
    pub(crate) fn candidates(
        &self,
        caller: usize,
        now: u64,
        residence: u64,
        busy: impl Fn(usize) -> bool,
    ) -> Vec<(usize, Demerits)> {
        let context = self.bells[caller].context;
        let live = self.bells.iter().enumerate().filter(|(_, bell)| bell.alive);
        live.filter_map(|(index, bell)| match bell.place {
            Place::Lingers(_) => Some((index, (false, false, false))),
            Place::On(_) => {
                let young = now.saturating_sub(bell.since) < residence;
                let busy = busy(index);
                let own = bell.context == context;
                (!(busy && young)).then_some((index, (own, busy, young)))
            }
            Place::Off | Place::Connecting | Place::Taken(_) => None,
        })
        .collect()
    }
}
