//! Manager, device, reference model, and the OS between them.

use std::sync::Arc;
use std::sync::Weak;
use std::sync::atomic::Ordering;

use carillon_core::doorbell::manager::{Manager, ManagerSettings};
use carillon_core::doorbell::{Connection, DoorbellCounters, Locations, NewDoorbell, ProcessTag};
use carillon_core::error::Error;
use carillon_core::handle::{AdapterOrdinal, OsHandle};
use carillon_core::irql::Passive;
use carillon_core::platform::{DisconnectOutcome, Ticks};
use carillon_hw::addr::VramOffset;
use carillon_hw::queue::{ContextId, QueueId};
use carillon_hw::regs::DoorbellModel;
use parking_lot::{Mutex, MutexGuard};

use crate::doorbell_device::Device;

use super::ops::{Deed, Meanwhile, Moment, Op, Rings, Who};
use super::reference::{Bell, Frame, Place, Reference, Status};

const PASSIVE: Passive<'static> = Passive::entered();
/// More doorbells than any sequence creates; the queue of a doorbell has its number.
const DOORBELLS: u32 = 128;
const OS_BELL: usize = 0x1000;
const OS_QUEUE: usize = 0x2000;

pub(crate) struct World {
    model: DoorbellModel,
    pages: u32,
    residence: u64,
    device: Device,
    manager: Manager<Device>,
    reference: Mutex<Reference>,
    meanwhile: Mutex<Option<Meanwhile>>,
}

impl World {
    pub(crate) fn new(model: DoorbellModel, pages: u32, residence: u64) -> Arc<Self> {
        let settings = ManagerSettings {
            model,
            pages,
            doorbells: DOORBELLS,
            residence: Ticks(residence),
            queue_table: VramOffset(0),
            notify: false,
        };
        let mut device = Device::new(model, pages, DOORBELLS);
        device.patience = 5_000;
        let free = if model == DoorbellModel::Dedicated {
            pages
        } else {
            0
        };
        let reference = Reference {
            free: (0..free).collect(),
            ..Reference::default()
        };
        Arc::new_cyclic(|world: &Weak<Self>| {
            let world = world.clone();
            device.on_disconnect(move |queue, bell| world.upgrade().unwrap().callback(queue, bell));
            Self {
                model,
                pages,
                residence,
                device,
                manager: Manager::new(AdapterOrdinal::new(0).unwrap(), &settings).unwrap(),
                reference: Mutex::new(reference),
                meanwhile: Mutex::default(),
            }
        })
    }

    /// Never held across a call into the manager: the callback needs it.
    fn reference(&self) -> MutexGuard<'_, Reference> {
        self.reference.try_lock().expect("the reference is in use")
    }

    fn now(&self) -> u64 {
        self.device.clock.load(Ordering::SeqCst)
    }

    fn is_dedicated(&self) -> bool {
        self.model == DoorbellModel::Dedicated
    }

    fn is_busy(&self, bell: usize) -> bool {
        self.device.queues[bell].busy.load(Ordering::SeqCst)
    }

    pub(crate) fn apply(&self, op: &Op) {
        let bells = self.reference().bells.len();
        if bells == 0 && !matches!(op, Op::Create { .. } | Op::Age { .. } | Op::Close) {
            return;
        }
        let pick = |bell: &u8| usize::from(*bell) % bells;
        match op {
            Op::Create { process, context } => self.create(*process, *context),
            Op::Connect {
                bell,
                locations,
                meanwhile,
            } => {
                *self.meanwhile.lock() = Some(meanwhile.clone());
                self.connect(pick(bell), *locations);
            }
            Op::Disconnect { bell, rings } => {
                self.disconnect(pick(bell), *rings);
            }
            Op::Destroy { bell, late_ring } => {
                self.destroy(pick(bell), *late_ring);
            }
            Op::SetNotify {
                bell,
                notify,
                meanwhile,
            } => {
                *self.meanwhile.lock() = Some(meanwhile.clone());
                self.set_notify(pick(bell), *notify);
            }
            Op::Publish { bell } => self.publish(pick(bell)),
            Op::Busy { bell, busy } => {
                let queue = &self.device.queues[pick(bell)];
                queue.busy.store(*busy, Ordering::SeqCst);
            }
            Op::Age { ticks } => {
                self.device
                    .clock
                    .fetch_add((*ticks).into(), Ordering::SeqCst);
            }
            Op::Close => self.close(),
        }
        *self.meanwhile.lock() = None;
    }

    fn create(&self, process: u8, context: u8) {
        let number = self.reference().bells.len();
        let queue = u32::try_from(number).unwrap();
        let (process, context) = (u64::from(process), u32::from(process * 2 + context));
        let new = NewDoorbell {
            os: OsHandle(OS_BELL + number),
            os_queue: OsHandle(OS_QUEUE + number),
            queue: QueueId(queue),
            context: ContextId(context),
            process: ProcessTag(process),
        };
        let handle = self.manager.create(PASSIVE, &new).unwrap();
        self.reference().bells.push(Bell {
            handle,
            process,
            context,
            alive: true,
            wants_notify: false,
            lodges: false,
            place: Place::Off,
            locations: Locations::Primary,
            since: 0,
            counters: DoorbellCounters::default(),
            mapping: None,
            status: Status::Retry,
            lost_live: None,
            trusted: 0,
        });
    }

    fn connect(&self, index: usize, locations: Locations) {
        let (bell, closed, free, choice) = {
            let reference = self.reference();
            let choice = self.candidates(&reference, index);
            let free = reference.free.front().copied();
            (reference.bells[index], reference.closed, free, choice)
        };
        if bell.alive && !closed {
            let stuck = self.is_dedicated()
                && bell.place == Place::Off
                && free.is_none()
                && !self.any_held();
            // The thread inside the callback is this one: it would wait for itself.
            let waits = bell.place == Place::Connecting || stuck;
            // The OS moves mapping and status of one doorbell in one go.
            if waits || self.reference().moving.contains(&index) {
                return;
            }
        }
        self.reference().frames.push(Frame {
            bell: index,
            connects: true,
            taken: None,
            retaken: false,
        });
        let pauses = self.device.pauses.load(Ordering::SeqCst);
        let result = self
            .manager
            .connect(PASSIVE, &self.device, bell.handle, locations);
        let frame = self.reference().frames.pop().unwrap();
        if !choice.is_empty() && frame.taken.is_none() && !frame.retaken {
            let waited = self.device.pauses.load(Ordering::SeqCst) - pauses;
            assert_eq!(waited, 0, "a connect waits though a page could be had");
        }
        if !bell.alive {
            assert_eq!(result, Err(Error::InvalidHandle), "a destroyed handle");
            return;
        }
        if closed {
            assert_eq!(result, Err(Error::DeviceGone));
            return;
        }
        if frame.retaken
            && frame.taken.is_none()
            && let Some(error) = self.interrupted(index)
        {
            assert_eq!(result, Err(error));
            return;
        }
        // A connect that starts again finds what was freed meanwhile; nothing happens after that.
        let free = if frame.retaken {
            self.reference().free.front().copied()
        } else {
            free
        };
        let page = match (bell.place, frame.taken) {
            (_, Some((victim, page))) => match self.after_callback(index, victim, page) {
                Ok(()) => page,
                Err(error) => {
                    assert_eq!(result, Err(error));
                    return;
                }
            },
            (Place::On(page), None) => {
                {
                    let mut reference = self.reference();
                    reference.counters.repeated_connects += 1;
                    reference.bells[index].locations = locations;
                }
                let notify = self.answer(&bell, page);
                self.connected(index, result.unwrap(), page, notify);
                return;
            }
            (Place::Lingers(page), None) => page,
            (Place::Taken(page), None) if free.is_none() => {
                // Unless whoever had it took it back, young and busy from then on.
                let was_to_be_had = !choice.is_empty() && !frame.retaken;
                assert!(!was_to_be_had, "another page was to be had");
                self.reference().take_back(index, page);
                page
            }
            (_, None) if self.is_dedicated() => {
                let mut reference = self.reference();
                reference.counters.free_pages_taken += 1;
                let page = reference.free.pop_front();
                page.expect("no page was free and nobody lost one")
            }
            (_, None) => self.lodge(index, result.unwrap()),
        };
        let notify = {
            let mut reference = self.reference();
            let bell = &mut reference.bells[index];
            bell.place = Place::On(page);
            bell.locations = locations;
            bell.since = self.now();
            bell.counters.connects += 1;
            let notify = self.answer(bell, page);
            reference.counters.connects += 1;
            reference.counters.notify_connects += u64::from(notify);
            notify
        };
        self.connected(index, result.unwrap(), page, notify);
    }

    /// Why a connect whose victim took its page back does not start again.
    fn interrupted(&self, index: usize) -> Option<Error> {
        let mut reference = self.reference();
        let closed = reference.closed;
        let bell = &mut reference.bells[index];
        if !bell.alive {
            return Some(Error::InvalidHandle);
        }
        if closed {
            bell.place = Place::Off;
            return Some(Error::DeviceGone);
        }
        None
    }

    fn any_held(&self) -> bool {
        let reference = self.reference();
        let mut bells = reference.bells.iter();
        bells.any(|bell| bell.alive && bell.place.held().is_some())
    }

    fn candidates(
        &self,
        reference: &Reference,
        caller: usize,
    ) -> Vec<(usize, super::reference::Demerits)> {
        let busy = |bell| self.is_busy(bell);
        reference.candidates(caller, self.now(), self.residence, busy)
    }

    /// Whether a connect that gives `page` says "notify".
    fn answer(&self, bell: &Bell, page: u32) -> bool {
        bell.wants_notify || (!self.is_dedicated() && page == self.pages - 1)
    }

    /// Global model: the page that the process has or may get.
    fn lodge(&self, index: usize, connection: Connection) -> u32 {
        let mut reference = self.reference();
        let process = reference.bells[index].process;
        let common = self.pages - 1;
        let page = connection.page.index();
        if let Some(own) = reference.tenant(process) {
            assert_eq!(page, own, "one page a process");
        } else if reference.tenants.len() < common as usize {
            assert!(page < common, "a page of its own was to be had");
            let others = reference.tenants.iter();
            assert!(
                others.clone().all(|(_, other)| *other != page),
                "two tenants"
            );
            reference.tenants.push((process, page));
        } else {
            assert_eq!(page, common);
        }
        if page != common {
            reference.bells[index].lodges = true;
            assert_eq!(
                self.device.queues[index].page(),
                page,
                "named in the descriptor"
            );
        }
        page
    }

    /// What is left of a connect that took `page` from `victim`.
    fn after_callback(&self, index: usize, victim: usize, page: u32) -> Result<(), Error> {
        let mut reference = self.reference();
        let closed = reference.closed;
        reference.lose(victim, page);
        if reference.bells[victim].alive && reference.bells[victim].lost_live == Some(page) {
            reference.bells[victim].counters.victimized += 1;
        }
        reference.bells[victim].lost_live = None;
        let bell = &mut reference.bells[index];
        if bell.alive && !closed {
            assert_eq!(bell.place, Place::Connecting);
            return Ok(());
        }
        bell.place = Place::Off;
        let error = if bell.alive {
            Error::DeviceGone
        } else {
            Error::InvalidHandle
        };
        reference.free.push_back(page);
        Err(error)
    }

    /// The OS maps the page and writes the status.
    fn connected(&self, index: usize, connection: Connection, page: u32, notify: bool) {
        assert_eq!((connection.page.index(), connection.notify), (page, notify));
        let mut reference = self.reference();
        let bell = &mut reference.bells[index];
        bell.mapping = Some(page);
        bell.status = if notify {
            Status::Notify
        } else {
            Status::Connected
        };
        assert!(self.device.queues[index].is_seen(), "a connect looks");
    }

    fn disconnect(&self, index: usize, rings: Rings) {
        let handle = {
            let mut reference = self.reference();
            let bell = &mut reference.bells[index];
            let handle = bell.handle;
            if bell.alive {
                if let Place::On(page) = bell.place {
                    bell.place = if self.is_dedicated() {
                        Place::Lingers(page)
                    } else {
                        Place::Off
                    };
                    bell.counters.disconnects += 1;
                }
                reference.counters.disconnects += 1;
            }
            handle
        };
        self.manager.disconnect(PASSIVE, &self.device, handle);
        // The OS moves the mapping only now.
        self.rotate(index, false, rings, |_| {});
    }

    /// Moves mapping and status of a doorbell, with whatever happens in between.
    fn rotate(
        &self,
        index: usize,
        status_first: bool,
        rings: Rings,
        mut between: impl FnMut(Moment),
    ) {
        let step = |status: bool| {
            let mut reference = self.reference();
            let bell = &mut reference.bells[index];
            if status {
                bell.status = Status::Retry;
            } else {
                bell.mapping = None;
            }
        };
        if rings.early {
            self.publish(index);
        }
        between(Moment::First);
        step(status_first);
        if rings.late {
            self.publish(index);
        }
        self.reference().moving.push(index);
        between(Moment::Middle);
        self.reference().moving.pop();
        step(!status_first);
        between(Moment::Last);
    }

    fn destroy(&self, index: usize, late_ring: bool) {
        let (handle, was_alive, mapping) = {
            let mut reference = self.reference();
            let bell = &mut reference.bells[index];
            let (handle, mapping) = (bell.handle, bell.mapping.take());
            let was_alive = std::mem::replace(&mut bell.alive, false);
            bell.status = Status::Retry;
            if was_alive {
                let held = bell.place.held();
                if self.is_dedicated() {
                    reference.free.extend(held);
                } else {
                    reference.leave(index);
                }
            }
            (handle, was_alive, mapping)
        };
        self.manager.destroy(PASSIVE, &self.device, handle);
        assert!(self.manager.inspect(handle).is_none());
        if was_alive {
            self.device.deactivate(u32::try_from(index).unwrap());
            if let (true, Some(page)) = (late_ring, mapping) {
                // A stray store: it may make the device look in vain, and nothing else.
                self.device.ring_now(page);
            }
        }
    }

    fn set_notify(&self, index: usize, notify: bool) {
        let (bell, expects_callback) = {
            let mut reference = self.reference();
            let bell = reference.bells[index];
            let on = matches!(bell.place, Place::On(_));
            let changes = bell.wants_notify != notify;
            if bell.alive {
                reference.bells[index].wants_notify = notify;
            }
            reference.frames.push(Frame {
                bell: index,
                connects: false,
                taken: None,
                retaken: false,
            });
            (bell, bell.alive && on && changes)
        };
        let result = self
            .manager
            .set_notify(PASSIVE, &self.device, bell.handle, notify);
        let mut reference = self.reference();
        let frame = reference.frames.pop().unwrap();
        assert_eq!(result.is_ok(), bell.alive);
        assert_eq!(frame.taken.is_some() || frame.retaken, expects_callback);
        if let Some((victim, _)) = frame.taken {
            reference.counters.changed += 1;
            if reference.bells[victim].alive {
                reference.bells[victim].counters.changed += 1;
            }
        }
        if let Some((victim, page)) = frame.taken
            && self.is_dedicated()
        {
            reference.lose(victim, page);
            reference.bells[victim].lost_live = None;
            reference.free.push_back(page);
        }
    }

    fn close(&self) {
        self.manager.close(PASSIVE);
        self.reference().closed = true;
    }

    /// The client writes its write pointer, rings, and reads its status again.
    fn publish(&self, index: usize) {
        let bell = self.reference().bells[index];
        if !bell.alive {
            return;
        }
        let queue = &self.device.queues[index];
        let published = queue.published.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(page) = bell.mapping {
            self.device.ring_now(page);
        }
        match bell.status {
            Status::Retry => return,
            Status::Notify => self.device.look(u32::try_from(index).unwrap()),
            Status::Connected => {}
        }
        self.reference().bells[index].trusted = published;
    }

    /// `DxgkCbDisconnectDoorbell`.
    fn callback(&self, os_queue: OsHandle, os_bell: OsHandle) -> DisconnectOutcome {
        let victim = os_bell.0 - OS_BELL;
        assert_eq!(os_queue.0 - OS_QUEUE, victim);
        let caller = self.take_from(victim);
        let (status_first, rings) = self.meanwhile.lock().as_ref().map_or(
            (
                false,
                Rings {
                    early: true,
                    late: true,
                },
            ),
            |m| (m.status_first, m.rings),
        );
        self.rotate(victim, status_first, rings, |moment| {
            while let Some((deed, who)) = self.next_deed(moment) {
                let bells = self.reference().bells.len();
                let index = match who {
                    Who::Victim => victim,
                    Who::Caller => caller,
                    Who::Other(other) => usize::from(other) % bells,
                };
                self.nested(deed, index);
            }
        });
        let mut reference = self.reference();
        if reference.bells[victim].alive {
            DisconnectOutcome::Rotated
        } else {
            reference.counters.callbacks_already_gone += 1;
            DisconnectOutcome::AlreadyGone
        }
    }

    fn next_deed(&self, moment: Moment) -> Option<(Deed, Who)> {
        let mut meanwhile = self.meanwhile.lock();
        let deeds = &mut meanwhile.as_mut()?.deeds;
        let at = deeds.iter().position(|(when, ..)| *when == moment)?;
        let (_, deed, who) = deeds.remove(at);
        Some((deed, who))
    }

    fn nested(&self, deed: Deed, index: usize) {
        let rings = Rings {
            early: true,
            late: true,
        };
        match deed {
            Deed::Connect(locations) => self.connect(index, locations),
            Deed::Disconnect => self.disconnect(index, rings),
            Deed::Destroy => self.destroy(index, true),
            Deed::SetNotify(notify) => self.set_notify(index, notify),
            Deed::Publish => self.publish(index),
            Deed::Close => self.close(),
        }
    }

    /// Judges the choice of a victim and notes it. Answers the doorbell whose DDI called back.
    fn take_from(&self, victim: usize) -> usize {
        let mut reference = self.reference();
        let frame = *reference
            .frames
            .last()
            .expect("nobody asked for a callback");
        assert!(frame.taken.is_none(), "one victim for one connect");
        let place = reference.bells[victim].place;
        assert!(reference.bells[victim].alive, "a dead victim");
        let page = match place {
            Place::On(page) | Place::Lingers(page) => page,
            other => panic!("a victim without a page: {other:?}"),
        };
        if frame.connects {
            assert!(self.is_dedicated(), "the global model has no victims");
            assert!(reference.free.is_empty(), "a victim though a page is free");
            assert_ne!(frame.bell, victim);
            let candidates = self.candidates(&reference, frame.bell);
            let of = candidates.iter().find(|(bell, _)| *bell == victim);
            let (_, demerits) = of.expect("the victim is busy and young");
            let best = candidates.iter().map(|(_, demerits)| demerits).min();
            assert_eq!(Some(demerits), best, "own context last, busy after idle");
            if matches!(place, Place::On(_)) {
                reference.counters.victimizations += 1;
                reference.bells[victim].lost_live = Some(page);
            } else {
                reference.counters.lingering_reclaimed += 1;
            }
            reference.bells[frame.bell].place = Place::Connecting;
        } else {
            assert_eq!(frame.bell, victim);
            assert!(matches!(place, Place::On(_)));
        }
        reference.bells[victim].place = if self.is_dedicated() {
            Place::Taken(page)
        } else {
            Place::Off
        };
        if let Some(frame) = reference.frames.last_mut() {
            frame.taken = Some((victim, page));
        }
        if self.is_dedicated() && !reference.closed {
            let owner = self.device.owner(page);
            assert_eq!(
                owner,
                u32::try_from(victim).ok(),
                "bound until the callback is done"
            );
        }
        frame.bell
    }

    /// What holds between any two DDIs.
    pub(crate) fn check(&self) {
        let reference = self.reference();
        assert!(reference.frames.is_empty());
        let mut owners = vec![None; self.pages as usize];
        for (index, bell) in reference.bells.iter().enumerate() {
            let found = self.manager.inspect(bell.handle);
            assert_eq!(found.is_some(), bell.alive, "doorbell {index}");
            let Some((state, counters)) = found else {
                continue;
            };
            assert_eq!(Place::of(state), bell.place, "doorbell {index}");
            assert_eq!(counters, bell.counters, "doorbell {index}");
            if let (true, Some(page)) = (self.is_dedicated(), bell.place.held()) {
                let before = owners[page as usize].replace(u32::try_from(index).unwrap());
                assert_eq!(before, None, "page {page} has two owners");
            }
            let queue = &self.device.queues[index];
            let seen = queue.seen.load(Ordering::SeqCst);
            let found = seen >= bell.trusted || queue.watched.load(Ordering::SeqCst);
            assert!(
                found || reference.closed,
                "a submission to queue {index} is lost"
            );
        }
        let alive = reference.bells.iter().filter(|bell| bell.alive).count();
        assert_eq!(self.manager.len() as usize, alive);
        let mut counters = self.manager.counters();
        counters.waits = 0;
        assert_eq!(counters, reference.counters);
        if !reference.closed {
            self.check_bindings(&reference, &owners);
        }
    }

    fn check_bindings(&self, reference: &Reference, owners: &[Option<u32>]) {
        for (page, owner) in (0..self.pages).zip(owners) {
            let bound = self.device.owner(page);
            if self.is_dedicated() {
                assert_eq!(bound, *owner, "page {page}");
                let rung = owner.map(|owner| reference.bells[owner as usize].locations);
                let both = rung == Some(Locations::Both);
                assert_eq!(self.device.watches_both(page), both, "page {page}");
                assert_eq!(
                    owner.is_none(),
                    reference.free.contains(&page),
                    "page {page}"
                );
            } else {
                let tenant = reference.tenants.iter().find(|(_, own)| *own == page);
                assert_eq!(bound.is_some(), tenant.is_some(), "page {page}");
                let mut lodgers = reference.bells.iter().filter(|bell| {
                    bell.alive && bell.lodges && tenant.is_some_and(|(of, _)| *of == bell.process)
                });
                let both = lodgers.any(|bell| bell.locations == Locations::Both);
                assert_eq!(self.device.watches_both(page), both, "page {page}");
                let named = reference.bells.iter().enumerate();
                for (_, bell) in named.filter(|(n, _)| self.device.queues[*n].page() == page) {
                    let process = tenant.map(|(process, _)| *process);
                    assert_eq!(Some(bell.process), process, "another process's queue");
                }
            }
        }
    }

    /// Everything ends, and then every page is to be had again without a victim.
    pub(crate) fn finish(&self) {
        let bells = self.reference().bells.len();
        for index in 0..bells {
            self.destroy(index, false);
            self.check();
        }
        assert!(self.manager.is_empty());
        if self.reference().closed || !self.is_dedicated() {
            return;
        }
        assert_eq!(self.reference().free.len(), self.pages as usize);
        for number in 0..self.pages as usize {
            self.create(0, 0);
            self.connect(bells + number, Locations::Primary);
            self.check();
        }
    }
}
