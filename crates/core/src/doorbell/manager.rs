//! Connecting logical doorbells to physical ones.
//!
//! One PASSIVE lock guards doorbells and pages. It is never held across
//! `DxgkCbDisconnectDoorbell`: the OS may answer the callback with `DxgkDdiDisconnectDoorbell`
//! for the same doorbell, or may hold the callback until a destroy on another thread is done. What such a
//! thread may find is written down in [`State`]; what the connecting thread believes after the
//! callback it has looked up again.

use carillon_hw::addr::VramOffset;
use carillon_hw::queue::{
    ContextId, DEVICE_HALF_OFFSET, QueueActivity, QueueDeviceHalf, QueueDriverHalf, QueueId,
};
use carillon_hw::regs::{DoorbellControl, DoorbellModel, DoorbellPage, QueueOperation};
use lock_api::Mutex;

use crate::arena::{Arena, Growth, InsertError};
use crate::error::{Error, Result};
use crate::handle::{AdapterOrdinal, Handle};
use crate::irql::Passive;
use crate::platform::{DisconnectOutcome, DisconnectReason, Platform, Ticks};

use super::global::{Lodging, ProcessPages};
use super::inner::{
    Claim, Inner, Plan, Reason, Revocation, Scheme, binding, look, queue_command, write_control,
};
use super::line::{Line, Place};
use super::pages::{Merit, Owner, Pages};
use super::{
    Connection, Doorbell, DoorbellCounters, DoorbellKind, Locations, ManagerCounters, NewDoorbell,
    State,
};

/// How the manager is set up.
#[derive(Clone, Copy, Debug)]
pub struct ManagerSettings {
    /// How pages relate to queues.
    pub model: DoorbellModel,
    /// Physical pages to use, at most what the device has.
    pub pages: u32,
    /// Most logical doorbells.
    pub doorbells: u32,
    /// A busy queue keeps a page for at least this long.
    pub residence: Ticks,
    /// Where the queue descriptor table starts.
    pub queue_table: VramOffset,
    /// New doorbells ask their clients to notify.
    pub notify: bool,
}

/// The doorbells of one adapter.
pub struct Manager<P: Platform> {
    inner: Mutex<P::PassiveLock, Inner>,
    residence: Ticks,
    queue_table: VramOffset,
    notify: bool,
}

impl<P: Platform> Manager<P> {
    /// A manager whose pages are all free. The device has been reset: no page is bound.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::BadHardware`] for an impossible number of pages.
    pub fn new(adapter: AdapterOrdinal, settings: &ManagerSettings) -> Result<Self> {
        let scheme = match settings.model {
            DoorbellModel::Dedicated => Scheme::Dedicated(Pages::new(settings.pages)?),
            DoorbellModel::Global => Scheme::Global(ProcessPages::new(settings.pages)?),
        };
        Ok(Self {
            inner: Mutex::new(Inner {
                doorbells: Arena::new(adapter, settings.doorbells),
                scheme,
                counters: ManagerCounters::default(),
                line: Line::default(),
                closed: false,
                epoch: 0,
            }),
            residence: settings.residence,
            queue_table: settings.queue_table,
            notify: settings.notify,
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
            process: new.process,
            // Create has no status to answer: the wish is delivered by the connect.
            wants_notify: self.notify,
            aborted: false,
            holds_page: false,
            locations: Locations::Primary,
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
    /// look at the queue. Connecting what is connected answers the same page, bound anew if other
    /// locations are wanted of it; the device has them, or the caller does not ask.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`] for a doorbell that does not exist (any more),
    /// [`Error::DeviceGone`] once the adapter is closed. There is no other.
    pub fn connect(
        &self,
        passive: Passive<'_>,
        platform: &P,
        handle: Handle<DoorbellKind>,
        locations: Locations,
    ) -> Result<Connection> {
        let mut place = None;
        let connected = self.connect_in_line(passive, platform, handle, locations, &mut place);
        if place.is_some() {
            self.inner.lock().line.leave();
        }
        connected
    }

    fn connect_in_line(
        &self,
        passive: Passive<'_>,
        platform: &P,
        handle: Handle<DoorbellKind>,
        locations: Locations,
        place: &mut Option<Place>,
    ) -> Result<Connection> {
        loop {
            let plan = self.plan(platform, handle, locations)?;
            match plan {
                Plan::Done(connection) => return Ok(connection),
                Plan::Wait(soonest) => {
                    let time = self.time_to_turn(place, soonest);
                    platform.rest(passive, time);
                }
                Plan::Revoke(revocation) => {
                    // No lock is held here. Only when the callback has returned is the victim's
                    // mapping known to point elsewhere.
                    let outcome = platform.disconnect_doorbell(
                        passive,
                        revocation.os_queue,
                        revocation.os,
                        DisconnectReason::Retry,
                    );
                    let finished = self.finish(platform, handle, locations, revocation, outcome);
                    if let Some(connection) = finished? {
                        return Ok(connection);
                    }
                }
            }
        }
    }

    /// How long a connect has to sleep, which joins the line with its first wait.
    fn time_to_turn(&self, place: &mut Option<Place>, soonest: Ticks) -> Ticks {
        let mut inner = self.inner.lock();
        let place = *place.get_or_insert_with(|| inner.line.join());
        let pages = inner.scheme.page_count();
        inner
            .line
            .time_to_turn(place, pages, soonest, self.residence)
    }

    fn plan(
        &self,
        platform: &P,
        handle: Handle<DoorbellKind>,
        locations: Locations,
    ) -> Result<Plan> {
        let now = platform.now();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let doorbell = inner
            .doorbells
            .get_mut(handle)
            .ok_or(Error::InvalidHandle)?;
        if inner.closed || doorbell.aborted {
            return Err(Error::DeviceGone);
        }
        let (context, queue) = (doorbell.context, doorbell.queue);
        let claim = Claim {
            handle,
            queue,
            locations,
        };
        match doorbell.state {
            State::Connected(page) => {
                inner.counters.repeated_connects += 1;
                let connection = Connection {
                    page,
                    notify: doorbell.wants_notify || inner.scheme.is_common(page),
                    locations,
                    queue,
                };
                inner.relocate(platform, claim, page);
                // A connect makes the device look, whatever the client believed in meanwhile.
                look(platform, queue);
                return Ok(Plan::Done(connection));
            }
            State::Connecting => {
                inner.counters.waits += 1;
                return Ok(Plan::WAIT_FOR_OTHERS);
            }
            State::Lingering(page) => {
                return Ok(Plan::Done(inner.bind(platform, claim, page, now)));
            }
            State::Disconnected | State::Revoking(_) => {}
        }
        let in_transit = match doorbell.state {
            State::Revoking(page) => Some(page),
            _ => None,
        };
        let doorbells = &inner.doorbells;
        let pages = match &mut inner.scheme {
            Scheme::Dedicated(pages) => pages,
            Scheme::Global(_) => return self.lodge(inner, platform, claim).map(Plan::Done),
        };
        if let Some(page) = pages.take_free() {
            inner.counters.free_pages_taken += 1;
            return Ok(Plan::Done(inner.bind(platform, claim, page, now)));
        }
        let mut soonest = self.residence;
        let choice = pages.choose_victim(
            |page| platform.read32(page.accessed_register()),
            |candidate, since, rung| {
                let owner = doorbells.get(candidate);
                let age = now.since(since);
                soonest = soonest.min(self.residence.since(age));
                Merit {
                    own_context: owner.is_some_and(|d| d.context == context),
                    busy: owner.is_some_and(|d| self.is_busy(platform, d.queue)),
                    young: age < self.residence,
                    rung,
                }
            },
        );
        let Some((page, victim)) = choice else {
            if let Some(page) = in_transit {
                // The thread that takes this page away is inside its callback, and the OS may
                // hold that back until this connect is done. Waiting for each other would never
                // end, so the page comes back and the other thread starts again.
                inner.counters.taken_back += 1;
                return Ok(Plan::Done(inner.bind(platform, claim, page, now)));
            }
            inner.counters.waits += 1;
            return Ok(Plan::Wait(soonest));
        };
        Ok(inner.begin_revocation(handle, page, victim))
    }

    /// Global model: the page of the doorbell's process, and the device looks at the queue.
    fn lodge(&self, inner: &mut Inner, platform: &P, claim: Claim) -> Result<Connection> {
        let doorbell = inner
            .doorbells
            .get_mut(claim.handle)
            .ok_or(Error::InvalidHandle)?;
        let Scheme::Global(pages) = &mut inner.scheme else {
            return Err(Error::InvalidState);
        };
        let lodging = pages.enter(doorbell.process).ok_or(Error::BadHardware)?;
        if doorbell.holds_page {
            // It counted already; the page is the same.
            let _ = pages.leave(doorbell.process);
        }
        let Claim {
            queue, locations, ..
        } = claim;
        let (page, notify) = match lodging {
            Lodging::Own { page, fresh } => {
                let before = if doorbell.holds_page {
                    doorbell.locations
                } else {
                    Locations::Primary
                };
                doorbell.holds_page = true;
                doorbell.locations = locations;
                let watched = pages.relocate(doorbell.process, before, locations);
                if fresh || watched.is_some() {
                    let watched = watched.unwrap_or_default();
                    write_control(platform, page, binding(queue, watched));
                }
                self.name_page(platform, queue, page);
                (page, doorbell.wants_notify)
            }
            Lodging::Common(page) => (page, true),
        };
        let connection = Connection {
            page,
            notify,
            locations,
            queue,
        };
        doorbell.state = State::Connected(connection.page);
        doorbell.counters.connects = doorbell.counters.connects.wrapping_add(1);
        inner.counters.connects += 1;
        inner.counters.notify_connects += u64::from(connection.notify);
        look(platform, queue);
        Ok(connection)
    }

    /// Writes the page into the queue's descriptor: rings on that page may name the queue.
    fn name_page(&self, platform: &P, queue: QueueId, page: DoorbellPage) {
        let at = queue.table_offset().checked_add(QueueDriverHalf::PAGE_WORD);
        if let Some(at) = at.and_then(|at| self.queue_table.checked_add(at)) {
            platform.vram_store64(at, u64::from(page.index()));
            queue_command(platform, QueueOperation::Reload, queue);
        }
    }

    /// What a connect does after the callback for its victim has returned. `None`: the victim took
    /// its page back meanwhile, start again.
    fn finish(
        &self,
        platform: &P,
        handle: Handle<DoorbellKind>,
        locations: Locations,
        revocation: Revocation,
        outcome: DisconnectOutcome,
    ) -> Result<Option<Connection>> {
        let now = platform.now();
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if revocation.epoch != inner.epoch {
            return Err(Error::DeviceGone);
        }
        let page = revocation.page;
        let lost = inner.lose_page(platform, &revocation, outcome);
        let closed = inner.closed;
        let Some(doorbell) = inner.doorbells.get_mut(handle) else {
            if lost {
                inner.release(page);
            }
            return Err(Error::InvalidHandle);
        };
        let connecting = doorbell.state == State::Connecting;
        if connecting && (closed || !lost) {
            doorbell.state = State::Disconnected;
        }
        if closed || !connecting {
            if lost {
                inner.release(page);
            }
            return Err(Error::DeviceGone);
        }
        if !lost {
            return Ok(None);
        }
        let claim = Claim {
            handle,
            queue: doorbell.queue,
            locations,
        };
        Ok(Some(inner.bind(platform, claim, page, now)))
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
                doorbell.counters.disconnects = doorbell.counters.disconnects.wrapping_add(1);
                let queue = doorbell.queue;
                match &mut inner.scheme {
                    Scheme::Dedicated(pages) => {
                        doorbell.state = State::Lingering(page);
                        pages.mark(page, Owner::Lingering(handle));
                    }
                    // The page is the process's and stays bound for its other queues.
                    Scheme::Global(_) => doorbell.state = State::Disconnected,
                }
                if !closed {
                    queue_command(platform, QueueOperation::Watch, queue);
                }
            }
            // The other thread finishes what it began. Its callback may return before the OS has
            // moved the mapping for this disconnect, so its look may come too early.
            State::Revoking(_) => {
                if !closed {
                    queue_command(platform, QueueOperation::Watch, doorbell.queue);
                }
            }
            // A process that ends is disconnected first, and what is visible in its ring then
            // still runs, whether or not it was ever rung.
            State::Disconnected => {
                if !closed {
                    look(platform, doorbell.queue);
                }
            }
            // Connecting: the other thread's answer has not reached the OS, so the connect comes
            // after. Lingering: watched already.
            State::Connecting | State::Lingering(_) => {}
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
        let unbound = match &mut inner.scheme {
            Scheme::Dedicated(_) => match doorbell.state {
                State::Connected(page) | State::Lingering(page) => Some(page),
                // A page in transit belongs to the thread that revokes it.
                State::Connecting | State::Revoking(_) | State::Disconnected => None,
            },
            Scheme::Global(pages) if doorbell.holds_page => {
                let of = doorbell.process;
                let page = pages.page_of(of);
                let watched = pages.relocate(of, doorbell.locations, Locations::Primary);
                let left = pages.leave(of);
                if let (None, Some(page), Some(watched), false) =
                    (left, page, watched, inner.closed)
                {
                    write_control(platform, page, binding(doorbell.queue, watched));
                }
                left
            }
            Scheme::Global(_) => None,
        };
        if let Some(page) = unbound {
            if !inner.closed {
                write_control(platform, page, DoorbellControl::UNBOUND);
            }
            inner.release(page);
        }
        if !inner.closed {
            look(platform, doorbell.queue);
        }
    }

    /// Switches a doorbell to or from `CONNECTED_NOTIFY_KMD`. A connected one is disconnected
    /// first, so that its client comes back and hears of the change.
    ///
    /// # Errors
    /// [`Error::InvalidHandle`].
    pub fn set_notify(
        &self,
        passive: Passive<'_>,
        platform: &P,
        handle: Handle<DoorbellKind>,
        notify: bool,
    ) -> Result {
        let Some(revocation) = self.begin_notify_change(handle, notify)? else {
            return Ok(());
        };
        let outcome = platform.disconnect_doorbell(
            passive,
            revocation.os_queue,
            revocation.os,
            DisconnectReason::Retry,
        );
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if revocation.epoch != inner.epoch {
            return Ok(());
        }
        if inner.lose_page(platform, &revocation, outcome) {
            inner.release(revocation.page);
        }
        Ok(())
    }

    /// Notes the wish; if the doorbell is connected its page goes in transit as a victim's does.
    fn begin_notify_change(
        &self,
        handle: Handle<DoorbellKind>,
        notify: bool,
    ) -> Result<Option<Revocation>> {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        let doorbell = inner
            .doorbells
            .get_mut(handle)
            .ok_or(Error::InvalidHandle)?;
        if doorbell.wants_notify == notify {
            return Ok(None);
        }
        doorbell.wants_notify = notify;
        let State::Connected(page) = doorbell.state else {
            return Ok(None);
        };
        doorbell.state = match &mut inner.scheme {
            Scheme::Dedicated(pages) => {
                pages.mark(page, Owner::Revoking(handle));
                State::Revoking(page)
            }
            Scheme::Global(_) => State::Disconnected,
        };
        Ok(Some(Revocation {
            page,
            victim: handle,
            os: doorbell.os,
            os_queue: doorbell.os_queue,
            queue: doorbell.queue,
            lease: inner.lease(page),
            reason: Reason::Notify,
            epoch: inner.epoch,
        }))
    }

    /// Refuses every later connect. Used before the hardware goes away; what is connected stays
    /// so until the OS disconnects or destroys it, without touching the hardware.
    pub fn close(&self, _passive: Passive<'_>) {
        self.inner.lock().closed = true;
    }

    /// The hardware is about to forget every page: all doorbells are disconnected, all pages free,
    /// and nothing connects until [`Self::reopen`]. Touches no hardware.
    pub fn disconnect_all(&self, _passive: Passive<'_>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        inner.closed = true;
        inner.epoch = inner.epoch.wrapping_add(1);
        for index in 0..inner.doorbells.capacity() {
            let Some(doorbell) = inner.doorbells.by_index_mut(index) else {
                continue;
            };
            doorbell.state = State::Disconnected;
            let held = core::mem::take(&mut doorbell.holds_page);
            if let Scheme::Global(pages) = &mut inner.scheme
                && held
            {
                let _ = pages.leave(doorbell.process);
            }
        }
        if let Scheme::Dedicated(pages) = &mut inner.scheme {
            let count = pages.count();
            for page in (0..count).filter_map(|index| DoorbellPage::new(index, count)) {
                if pages.owner(page) != Owner::Free {
                    pages.release(page);
                }
            }
        }
    }

    /// Lets doorbells connect again. The device has been reset: no page is bound.
    pub fn reopen(&self, _passive: Passive<'_>) {
        self.inner.lock().closed = false;
    }

    /// Lets the doorbells of some contexts connect no more: a reset took their queues. A page that
    /// one has stays its own until it is disconnected or destroyed. `is_lost` may take the tables'
    /// lock.
    pub fn abort(&self, _passive: Passive<'_>, is_lost: impl Fn(ContextId) -> bool) {
        let mut inner = self.inner.lock();
        for index in 0..inner.doorbells.capacity() {
            if let Some(doorbell) = inner.doorbells.by_index_mut(index)
                && is_lost(doorbell.context)
            {
                doorbell.aborted = true;
            }
        }
    }

    /// Counts a notification of the client of one of a queue's doorbells.
    pub fn count_notify(&self, _passive: Passive<'_>, handle: Handle<DoorbellKind>) {
        let mut guard = self.inner.lock();
        let inner = &mut *guard;
        if let Some(doorbell) = inner.doorbells.get_mut(handle) {
            doorbell.counters.notifies = doorbell.counters.notifies.wrapping_add(1);
            inner.counters.notifies += 1;
        }
    }

    /// Runs `step` while no doorbell is bound, unbound or given a page. `step` may take the tables'
    /// lock and touch registers.
    pub fn undisturbed<R>(&self, _passive: Passive<'_>, step: impl FnOnce() -> R) -> R {
        let _still = self.inner.lock();
        step()
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
