//! Connecting logical doorbells to physical ones.
//!
//! One PASSIVE lock guards doorbells and pages. It is never held across
//! `DxgkCbDisconnectDoorbell`: the OS may answer the callback with `DxgkDdiDisconnectDoorbell`
//! for the same doorbell, or may hold the callback until a destroy on another thread is done. What such a
//! thread may find is written down in [`State`]; what the connecting thread believes after the
//! callback it has looked up again.

use carillon_hw::addr::VramOffset;
use carillon_hw::queue::{DEVICE_HALF_OFFSET, QueueActivity, QueueDeviceHalf, QueueId};
use carillon_hw::regs::{DoorbellControl, DoorbellPage, QueueCommand, QueueOperation, offset};
use lock_api::Mutex;

use crate::arena::{Arena, Growth, InsertError};
use crate::error::{Error, Result};
use crate::handle::{AdapterOrdinal, Handle, OsHandle};
use crate::irql::Passive;
use crate::platform::{DisconnectOutcome, DisconnectReason, Platform, Ticks};

use super::pages::{Merit, Owner, Pages};
use super::{Doorbell, DoorbellCounters, DoorbellKind, ManagerCounters, NewDoorbell, State};

/// How the manager is set up.
#[derive(Clone, Copy, Debug)]
pub struct ManagerSettings {
    /// Physical pages to use, at most what the device has.
    pub pages: u32,
    /// Most logical doorbells.
    pub doorbells: u32,
    /// A busy queue keeps a page for at least this long.
    pub residence: Ticks,
    /// Where the queue descriptor table starts.
    pub queue_table: VramOffset,
}

struct Inner {
    doorbells: Arena<DoorbellKind, Doorbell>,
    pages: Pages,
    counters: ManagerCounters,
    /// No connect succeeds any more: the adapter stopped or the GPU is lost.
    closed: bool,
}

/// The doorbells of one adapter (dedicated model).
pub struct Manager<P: Platform> {
    inner: Mutex<P::PassiveLock, Inner>,
    residence: Ticks,
    queue_table: VramOffset,
}

/// A victim between the two halves of its revocation.
#[derive(Clone, Copy)]
struct Revocation {
    page: DoorbellPage,
    victim: Handle<DoorbellKind>,
    os: OsHandle,
    os_queue: OsHandle,
    queue: QueueId,
    was_connected: bool,
}

enum Plan {
    Done(DoorbellPage),
    Revoke(Revocation),
    Wait,
}

impl<P: Platform> Manager<P> {
    /// A manager whose pages are all free. The device has been reset: no page is bound.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::BadHardware`] for an impossible number of pages.
    pub fn new(adapter: AdapterOrdinal, settings: &ManagerSettings) -> Result<Self> {
        Ok(Self {
            inner: Mutex::new(Inner {
                doorbells: Arena::new(adapter, settings.doorbells),
                pages: Pages::new(settings.pages)?,
                counters: ManagerCounters::default(),
                closed: false,
            }),
            residence: settings.residence,
            queue_table: settings.queue_table,
        })
    }

    /// Creates a logical doorbell, disconnected. No page is touched; more doorbells than pages
    /// is no error.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::InsufficientResources`].
    pub fn create(&self, _passive: Passive<'_>, new: &NewDoorbell) -> Result<Handle<DoorbellKind>> {
        let mut doorbell = Doorbell {
            os: new.os,
            os_queue: new.os_queue,
            queue: new.queue,
            context: new.context,
            state: State::Disconnected,
            counters: DoorbellCounters::default(),
        };
        loop {
            let capacity = match self.inner.lock().doorbells.insert(doorbell) {
                Ok(handle) => return Ok(handle),
                Err(InsertError::Full(_)) => return Err(Error::InsufficientResources),
                Err(InsertError::NeedsGrowth(back, capacity)) => {
                    doorbell = back;
                    capacity
                }
            };
            let growth = Growth::allocate(capacity)?;
            let superfluous = self.inner.lock().doorbells.donate(growth);
            drop(superfluous);
        }
    }

    /// Gives the doorbell a page, taking one from a victim if none is free, and makes the device
    /// look at the queue. Connecting what is connected answers the same page.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for a doorbell that does not exist (any more),
    /// [`Error::DeviceGone`] once the adapter is closed. There is no other.
    pub fn connect(
        &self,
        passive: Passive<'_>,
        platform: &P,
        handle: Handle<DoorbellKind>,
    ) -> Result<DoorbellPage> {
        loop {
            let plan = self.plan(platform, handle)?;
            match plan {
                Plan::Done(page) => return Ok(page),
                Plan::Wait => platform.pause(passive),
                Plan::Revoke(revocation) => {
                    // No lock is held here. Only when the callback has returned is the victim's
                    // mapping known to point elsewhere.
                    let outcome = platform.disconnect_doorbell(
                        passive,
                        revocation.os_queue,
                        revocation.os,
                        DisconnectReason::Retry,
                    );
                    return self.finish(platform, handle, revocation, outcome);
                }
            }
        }
    }

    fn plan(&self, platform: &P, handle: Handle<DoorbellKind>) -> Result<Plan> {
        let now = platform.now();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let doorbell = inner.doorbells.get(handle).ok_or(Error::InvalidHandle)?;
        if inner.closed {
            return Err(Error::DeviceGone);
        }
        let (context, queue) = (doorbell.context, doorbell.queue);
        match doorbell.state {
            State::Connected(page) => {
                inner.counters.repeated_connects += 1;
                // A connect makes the device look, whatever the client believed in meanwhile.
                look(platform, queue);
                return Ok(Plan::Done(page));
            }
            State::Connecting => {
                inner.counters.waits += 1;
                return Ok(Plan::Wait);
            }
            State::Lingering(page) => {
                inner.bind(platform, handle, page, queue, now);
                return Ok(Plan::Done(page));
            }
            State::Disconnected | State::Revoking(_) => {}
        }
        if let Some(page) = inner.pages.take_free() {
            inner.counters.free_pages_taken += 1;
            inner.bind(platform, handle, page, queue, now);
            return Ok(Plan::Done(page));
        }
        let doorbells = &inner.doorbells;
        let choice = inner.pages.choose_victim(
            |page| platform.read32(page.accessed_register()),
            |candidate, since, rung| {
                let owner = doorbells.get(candidate);
                Merit {
                    own_context: owner.is_some_and(|d| d.context == context),
                    busy: owner.is_some_and(|d| self.is_busy(platform, d.queue)),
                    young: now.since(since) < self.residence,
                    rung,
                }
            },
        );
        let Some((page, victim)) = choice else {
            inner.counters.waits += 1;
            return Ok(Plan::Wait);
        };
        Ok(inner.begin_revocation(handle, page, victim))
    }

    fn finish(
        &self,
        platform: &P,
        handle: Handle<DoorbellKind>,
        revocation: Revocation,
        outcome: DisconnectOutcome,
    ) -> Result<DoorbellPage> {
        let now = platform.now();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let page = revocation.page;
        // Disconnect or destroy of the victim may have run meanwhile; the page is ours in any
        // case, since its owner is `Revoking`.
        if let Some(victim) = inner.doorbells.get_mut(revocation.victim)
            && victim.state == State::Revoking(page)
        {
            victim.state = State::Disconnected;
            victim.counters.victimized = victim.counters.victimized.wrapping_add(1);
        }
        if outcome == DisconnectOutcome::AlreadyGone {
            inner.counters.callbacks_already_gone += 1;
        }
        if revocation.was_connected {
            inner.counters.victimizations += 1;
        } else {
            inner.counters.lingering_reclaimed += 1;
        }
        // The page and what the device remembers of it go in one step, before anybody gets it.
        write_control(platform, page, DoorbellControl::UNBOUND);
        // A client may have published work and rung the old page, or the dummy page, before it
        // saw its new status. Nobody can ring the old page now, so this look is the last needed.
        look(platform, revocation.queue);
        let Some(doorbell) = inner.doorbells.get_mut(handle) else {
            inner.pages.release(page);
            return Err(Error::InvalidHandle);
        };
        if inner.closed || doorbell.state != State::Connecting {
            if doorbell.state == State::Connecting {
                doorbell.state = State::Disconnected;
            }
            inner.pages.release(page);
            return Err(Error::DeviceGone);
        }
        let queue = doorbell.queue;
        inner.bind(platform, handle, page, queue, now);
        Ok(page)
    }

    /// Breaks the connection because the OS says so. Always succeeds; work that is already in the
    /// ring keeps running, and work that the client still believes to have rung is found by the
    /// watch.
    pub fn disconnect(&self, _passive: Passive<'_>, platform: &P, handle: Handle<DoorbellKind>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let closed = inner.closed;
        let Some(doorbell) = inner.doorbells.get_mut(handle) else {
            return;
        };
        inner.counters.disconnects += 1;
        match doorbell.state {
            State::Connected(page) => {
                doorbell.state = State::Lingering(page);
                doorbell.counters.disconnects = doorbell.counters.disconnects.wrapping_add(1);
                let queue = doorbell.queue;
                inner.pages.mark(page, Owner::Lingering(handle));
                if !closed {
                    queue_command(platform, QueueOperation::Watch, queue);
                }
            }
            // The connecting thread's answer has not reached the OS: the connect comes after.
            // While revoking, the other thread finishes what it began.
            State::Connecting | State::Revoking(_) | State::Disconnected | State::Lingering(_) => {}
        }
    }

    /// Ends a doorbell, disconnecting it first if need be. Always succeeds; a stale handle is
    /// nobody's.
    pub fn destroy(&self, _passive: Passive<'_>, platform: &P, handle: Handle<DoorbellKind>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let Some(doorbell) = inner.doorbells.remove(handle) else {
            return;
        };
        match doorbell.state {
            State::Connected(page) | State::Lingering(page) => {
                if !inner.closed {
                    write_control(platform, page, DoorbellControl::UNBOUND);
                    look(platform, doorbell.queue);
                }
                inner.pages.release(page);
            }
            // A page in transit belongs to the thread that revokes it.
            State::Connecting | State::Revoking(_) | State::Disconnected => {}
        }
    }

    /// Refuses every later connect. Used before the hardware goes away; what is connected stays
    /// so until the OS disconnects or destroys it, without touching the hardware.
    pub fn close(&self, _passive: Passive<'_>) {
        self.inner.lock().closed = true;
    }

    /// Where a doorbell stands and what has happened to it.
    pub fn inspect(&self, handle: Handle<DoorbellKind>) -> Option<(State, DoorbellCounters)> {
        let inner = self.inner.lock();
        inner.doorbells.get(handle).map(|d| (d.state, d.counters))
    }

    /// The queue of a doorbell.
    pub fn queue_of(&self, handle: Handle<DoorbellKind>) -> Option<QueueId> {
        self.inner.lock().doorbells.get(handle).map(|d| d.queue)
    }

    /// Counters of all doorbells together.
    pub fn counters(&self) -> ManagerCounters {
        self.inner.lock().counters
    }

    /// Live logical doorbells.
    pub fn len(&self) -> u32 {
        self.inner.lock().doorbells.len()
    }

    /// Whether there is no doorbell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn is_busy(&self, platform: &P, queue: QueueId) -> bool {
        let field = queue.table_offset()
            + DEVICE_HALF_OFFSET
            + core::mem::offset_of!(QueueDeviceHalf, activity) as u64;
        self.queue_table
            .checked_add(field)
            .is_some_and(|at| platform.vram_load32(at) == QueueActivity::BUSY.0)
    }
}

impl Inner {
    /// Makes `handle` the owner of `page`, which nobody else can name any more, and the device
    /// look at its queue: binding implies a look.
    fn bind<P: Platform>(
        &mut self,
        platform: &P,
        handle: Handle<DoorbellKind>,
        page: DoorbellPage,
        queue: QueueId,
        now: Ticks,
    ) {
        self.pages.assign(page, Owner::Bound(handle), now);
        if let Some(doorbell) = self.doorbells.get_mut(handle) {
            doorbell.state = State::Connected(page);
            doorbell.counters.connects = doorbell.counters.connects.wrapping_add(1);
        }
        self.counters.connects += 1;
        write_control(platform, page, DoorbellControl::bound_to(queue));
    }

    fn begin_revocation(
        &mut self,
        handle: Handle<DoorbellKind>,
        page: DoorbellPage,
        victim: Handle<DoorbellKind>,
    ) -> Plan {
        let was_connected = self.pages.owner(page) == Owner::Bound(victim);
        let Some(loser) = self.doorbells.get_mut(victim) else {
            // The invariant is that an owner lives; a page without one is simply free.
            self.pages.release(page);
            return Plan::Wait;
        };
        let revocation = Revocation {
            page,
            victim,
            os: loser.os,
            os_queue: loser.os_queue,
            queue: loser.queue,
            was_connected,
        };
        loser.state = State::Revoking(page);
        self.pages.mark(page, Owner::Revoking(victim));
        if let Some(doorbell) = self.doorbells.get_mut(handle) {
            doorbell.state = State::Connecting;
        }
        Plan::Revoke(revocation)
    }
}

fn write_control<P: Platform>(platform: &P, page: DoorbellPage, control: DoorbellControl) {
    platform.write64(page.control_register(), control.into_bits());
    // The write is posted; reading anything back means that it has taken effect.
    let _ = platform.read64(page.control_register());
}

fn queue_command<P: Platform>(platform: &P, operation: QueueOperation, queue: QueueId) {
    platform.write64(
        offset::QUEUE_COMMAND,
        QueueCommand::of(operation, queue).into_bits(),
    );
}

fn look<P: Platform>(platform: &P, queue: QueueId) {
    queue_command(platform, QueueOperation::Look, queue);
}
