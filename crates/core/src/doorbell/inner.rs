//! What the manager's lock guards, and the steps that are taken under it.
//!
//! Nothing here takes the lock, and nothing here calls dxgkrnl: a function of this module is one
//! step, after which doorbells, pages and the device's registers agree.

use carillon_hw::queue::QueueId;
use carillon_hw::regs::{DoorbellControl, DoorbellPage, QueueCommand, QueueOperation, offset};

use crate::arena::Arena;
use crate::handle::{Handle, OsHandle};
use crate::platform::{DisconnectOutcome, Platform, Ticks};

use super::global::ProcessPages;
use super::line::Line;
use super::pages::{Owner, Pages};
use super::{Connection, Doorbell, DoorbellKind, Locations, ManagerCounters, State};

/// The pages, as the device's model has them.
pub(super) enum Scheme {
    Dedicated(Pages),
    Global(ProcessPages),
}

impl Scheme {
    /// Pages that a connect may have to wait for.
    pub(super) fn page_count(&self) -> u32 {
        match self {
            Self::Dedicated(pages) => pages.count(),
            Self::Global(_) => 0,
        }
    }

    /// Whether rings on `page` reach nobody, so that its clients have to notify.
    pub(super) const fn is_common(&self, page: DoorbellPage) -> bool {
        match self {
            Self::Dedicated(_) => false,
            Self::Global(pages) => pages.is_common(page),
        }
    }
}

pub(super) struct Inner {
    pub(super) doorbells: Arena<DoorbellKind, Doorbell>,
    pub(super) scheme: Scheme,
    pub(super) counters: ManagerCounters,
    /// Connects that wait for a page.
    pub(super) line: Line,
    /// No connect succeeds any more: the adapter stopped or the GPU is lost.
    pub(super) closed: bool,
    /// Goes up when all pages are taken back at once: a page that a thread had in transit then is
    /// nobody's.
    pub(super) epoch: u32,
}

/// Why a doorbell loses its page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// Another doorbell wants it.
    Victim,
    /// Another doorbell wants it, and the OS had disconnected this one.
    Lingering,
    /// Its client shall come back and hear of a change.
    Notify,
}

/// A victim between the two halves of its revocation.
#[derive(Clone, Copy)]
pub(super) struct Revocation {
    pub(super) page: DoorbellPage,
    pub(super) victim: Handle<DoorbellKind>,
    pub(super) os: OsHandle,
    pub(super) os_queue: OsHandle,
    pub(super) queue: QueueId,
    /// The page's lease when the lock was let go.
    pub(super) lease: u32,
    pub(super) reason: Reason,
    pub(super) epoch: u32,
}

/// A doorbell that wants a page.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) handle: Handle<DoorbellKind>,
    pub(super) queue: QueueId,
    pub(super) locations: Locations,
}

pub(super) enum Plan {
    Done(Connection),
    Revoke(Revocation),
    /// Look again, about this much later.
    Wait(Ticks),
}

/// When something that is about to end will have ended.
const PRESENTLY: Ticks = Ticks(10_000);

impl Plan {
    /// Another thread's step has to end first.
    pub(super) const WAIT_FOR_OTHERS: Self = Self::Wait(PRESENTLY);
}

impl Inner {
    /// Makes `handle` the owner of `page`, which nobody else can name any more, and the device
    /// look at its queue: binding implies a look.
    pub(super) fn bind<P: Platform>(
        &mut self,
        platform: &P,
        claim: Claim,
        page: DoorbellPage,
        now: Ticks,
    ) -> Connection {
        let Claim {
            handle,
            queue,
            locations,
        } = claim;
        if let Scheme::Dedicated(pages) = &mut self.scheme {
            pages.assign(page, Owner::Bound(handle), now);
        }
        let mut notify = false;
        if let Some(doorbell) = self.doorbells.get_mut(handle) {
            doorbell.state = State::Connected(page);
            doorbell.locations = locations;
            doorbell.counters.connects = doorbell.counters.connects.wrapping_add(1);
            notify = doorbell.wants_notify;
        }
        self.counters.connects += 1;
        self.counters.notify_connects += u64::from(notify);
        write_control(platform, page, binding(queue, locations));
        Connection {
            page,
            notify,
            locations,
            queue,
        }
    }

    /// The doorbell stays on its page and rings at other locations of it from now on, if that is
    /// what its client wants. Binding anew clears the page and looks: no ring is lost.
    pub(super) fn relocate<P: Platform>(&mut self, platform: &P, claim: Claim, page: DoorbellPage) {
        let Some(doorbell) = self.doorbells.get_mut(claim.handle) else {
            return;
        };
        let before = core::mem::replace(&mut doorbell.locations, claim.locations);
        if before == claim.locations {
            return;
        }
        let watched = match &mut self.scheme {
            Scheme::Dedicated(_) => Some(claim.locations),
            Scheme::Global(_) if !doorbell.holds_page => None,
            Scheme::Global(pages) => pages.relocate(doorbell.process, before, claim.locations),
        };
        if let Some(watched) = watched {
            write_control(platform, page, binding(claim.queue, watched));
        }
    }

    /// The second half of every revocation, after the callback has returned. Whether the page is
    /// the caller's: the victim may have taken it back.
    pub(super) fn lose_page<P: Platform>(
        &mut self,
        platform: &P,
        revocation: &Revocation,
        outcome: DisconnectOutcome,
    ) -> bool {
        if outcome == DisconnectOutcome::AlreadyGone {
            self.counters.callbacks_already_gone += 1;
        }
        let page = revocation.page;
        let lost = match &self.scheme {
            Scheme::Dedicated(pages) => pages.lease(page) == revocation.lease,
            Scheme::Global(_) => true,
        };
        if lost {
            self.count_loss(revocation);
        }
        if self.closed {
            return lost;
        }
        if lost && matches!(self.scheme, Scheme::Dedicated(_)) {
            // The page and what the device remembers of it go in one step, before anybody gets it.
            write_control(platform, page, DoorbellControl::UNBOUND);
        }
        // A client may have published work and rung the old page, or the dummy page, before it
        // saw its new status. The callback has moved its mapping, so this look is the last needed;
        // if the OS itself disconnects meanwhile, the watch of that stays.
        look(platform, revocation.queue);
        lost
    }

    pub(super) fn count_loss(&mut self, revocation: &Revocation) {
        if let Some(victim) = self.doorbells.get_mut(revocation.victim) {
            // Disconnect or a connect to another page may have run meanwhile.
            if victim.state == State::Revoking(revocation.page) {
                victim.state = State::Disconnected;
            }
            let counter = match revocation.reason {
                Reason::Victim => Some(&mut victim.counters.victimized),
                Reason::Notify => Some(&mut victim.counters.changed),
                // The OS disconnected it, which has been counted.
                Reason::Lingering => None,
            };
            if let Some(counter) = counter {
                *counter = counter.wrapping_add(1);
            }
        }
        match revocation.reason {
            Reason::Victim => self.counters.victimizations += 1,
            Reason::Lingering => self.counters.lingering_reclaimed += 1,
            Reason::Notify => self.counters.changed += 1,
        }
    }

    pub(super) fn lease(&self, page: DoorbellPage) -> u32 {
        match &self.scheme {
            Scheme::Dedicated(pages) => pages.lease(page),
            Scheme::Global(_) => 0,
        }
    }

    /// Puts a page of the dedicated model back on the free list.
    pub(super) fn release(&mut self, page: DoorbellPage) {
        if let Scheme::Dedicated(pages) = &mut self.scheme {
            pages.release(page);
        }
    }

    pub(super) fn begin_revocation(
        &mut self,
        handle: Handle<DoorbellKind>,
        page: DoorbellPage,
        victim: Handle<DoorbellKind>,
    ) -> Plan {
        let Scheme::Dedicated(pages) = &mut self.scheme else {
            return Plan::WAIT_FOR_OTHERS;
        };
        let reason = match pages.owner(page) {
            Owner::Bound(_) => Reason::Victim,
            _ => Reason::Lingering,
        };
        let lease = pages.lease(page);
        let Some(loser) = self.doorbells.get_mut(victim) else {
            // The invariant is that an owner lives; a page without one is simply free.
            pages.release(page);
            return Plan::WAIT_FOR_OTHERS;
        };
        let revocation = Revocation {
            page,
            victim,
            os: loser.os,
            os_queue: loser.os_queue,
            queue: loser.queue,
            lease,
            reason,
            epoch: self.epoch,
        };
        loser.state = State::Revoking(page);
        pages.mark(page, Owner::Revoking(victim));
        if let Some(doorbell) = self.doorbells.get_mut(handle) {
            doorbell.state = State::Connecting;
        }
        Plan::Revoke(revocation)
    }
}

/// The binding of a page whose client rings at `locations`.
pub(super) const fn binding(queue: QueueId, locations: Locations) -> DoorbellControl {
    DoorbellControl::bound_to(queue).with_secondary(matches!(locations, Locations::Both))
}

pub(super) fn write_control<P: Platform>(
    platform: &P,
    page: DoorbellPage,
    control: DoorbellControl,
) {
    platform.write64(page.control_register(), control.into_bits());
    // The write is posted; reading anything back means that it has taken effect.
    let _ = platform.read64(page.control_register());
}

pub(super) fn queue_command<P: Platform>(platform: &P, operation: QueueOperation, queue: QueueId) {
    platform.write64(
        offset::QUEUE_COMMAND,
        QueueCommand::of(operation, queue).into_bits(),
    );
}

pub(super) fn look<P: Platform>(platform: &P, queue: QueueId) {
    queue_command(platform, QueueOperation::Look, queue);
}
