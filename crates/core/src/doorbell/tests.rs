//! The manager against a device and a dxgkrnl made of plain memory.

mod secondary;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier};
use std::vec::Vec;

use carillon_hw::addr::VramOffset;
use carillon_hw::queue::{
    ContextId, DEVICE_HALF_OFFSET, QueueDeviceHalf, QueueDriverHalf, QueueId,
};
use carillon_hw::regs::{DoorbellControl, DoorbellModel, QueueOperation, offset};

use crate::error::Error;
use crate::handle::{AdapterOrdinal, Handle, OsHandle};
use crate::irql::Passive;
use crate::platform::{DisconnectOutcome, Platform, Ticks};
use crate::testing::{Deed, Fake};

use super::manager::{Manager, ManagerSettings};
use super::{Connection, DoorbellKind, Locations, NewDoorbell, ProcessTag, State};

mod accounts;

struct Rig {
    platform: Arc<Fake>,
    manager: Arc<Manager<Fake>>,
}

const RESIDENCE: u64 = 500;

fn rig(pages: u32) -> Rig {
    rig_of(DoorbellModel::Dedicated, pages)
}

fn rig_of(model: DoorbellModel, pages: u32) -> Rig {
    let settings = ManagerSettings {
        model,
        pages,
        doorbells: 1000,
        residence: Ticks(RESIDENCE),
        queue_table: VramOffset(0),
        notify: false,
    };
    Rig {
        platform: Arc::new(Fake::new(pages, 1 << 20)),
        manager: Arc::new(Manager::new(AdapterOrdinal::new(0).unwrap(), &settings).unwrap()),
    }
}

impl Rig {
    /// Doorbell `n` rings queue `n` of context `n`; its OS handle is 100 + n.
    fn create(&self, n: u32) -> Handle<DoorbellKind> {
        self.create_in(n, n)
    }

    fn create_in(&self, n: u32, context: u32) -> Handle<DoorbellKind> {
        let new = NewDoorbell {
            os: OsHandle(100 + n as usize),
            os_queue: OsHandle(200 + n as usize),
            queue: QueueId(n),
            context: ContextId(context),
            process: ProcessTag(u64::from(context)),
        };
        self.manager.create(Passive::entered(), &new).unwrap()
    }

    fn connect(&self, handle: Handle<DoorbellKind>) -> crate::error::Result<u32> {
        self.manager
            .connect(
                Passive::entered(),
                &self.platform,
                handle,
                Locations::Primary,
            )
            .map(|connection| connection.page.index())
    }

    fn disconnect(&self, handle: Handle<DoorbellKind>) {
        self.manager
            .disconnect(Passive::entered(), &self.platform, handle);
    }

    fn destroy(&self, handle: Handle<DoorbellKind>) {
        self.manager
            .destroy(Passive::entered(), &self.platform, handle);
    }

    fn state(&self, handle: Handle<DoorbellKind>) -> State {
        self.manager.inspect(handle).unwrap().0
    }

    fn set_busy(&self, queue: u32, busy: bool) {
        let field = core::mem::offset_of!(QueueDeviceHalf, activity) as u64;
        let at = QueueId(queue).table_offset() + DEVICE_HALF_OFFSET + field;
        self.platform.vram_store64(VramOffset(at), u64::from(busy));
    }

    fn grow_old(&self) {
        self.platform.clock.fetch_add(RESIDENCE, Ordering::Relaxed);
    }

    /// The device's view: which queue each page is bound to.
    fn bindings(&self, pages: u64) -> Vec<Option<u32>> {
        (0..pages)
            .map(|page| {
                let word = self.platform.read64(offset::DOORBELL_CONTROL + page * 8);
                DoorbellControl::from_bits(word)
                    .owner()
                    .map(|queue| queue.0)
            })
            .collect()
    }
}

/// contract: DBC-005, DBC-006
#[test]
fn create_touches_no_hardware_and_may_exceed_the_pages() {
    let rig = rig(1);
    for n in 0..100 {
        rig.create(n);
    }
    assert!(rig.platform.take_deeds().is_empty());
    assert_eq!(rig.manager.len(), 100);
}

/// contract: DBNR-004
#[test]
fn connect_binds_and_repeats_the_same_page() {
    let rig = rig(2);
    let a = rig.create(0);
    let page = rig.connect(a).unwrap();
    assert_eq!(rig.bindings(2)[page as usize], Some(0));
    rig.platform.take_deeds();
    assert_eq!(rig.connect(a), Ok(page));
    assert_eq!(
        rig.platform.take_deeds(),
        [Deed::Queue(QueueOperation::Look, 0, 0)],
        "a repeated connect looks and changes nothing"
    );
}

fn connect_at(rig: &Rig, handle: Handle<DoorbellKind>, locations: Locations) -> Connection {
    rig.manager
        .connect(Passive::entered(), &rig.platform, handle, locations)
        .unwrap()
}

/// contract: DBN-008, VIC-008, VIC-010
#[test]
fn a_victim_loses_its_page_in_the_order_that_loses_no_work() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.grow_old();
    rig.platform.take_deeds();
    assert_eq!(rig.connect(b), Ok(0));
    assert_eq!(
        rig.platform.take_deeds(),
        [
            Deed::Callback(OsHandle(100)),
            Deed::Control(0, DoorbellControl::UNBOUND),
            Deed::Queue(QueueOperation::Look, 0, 0),
            Deed::Control(0, DoorbellControl::bound_to(QueueId(1))),
        ]
    );
    assert_eq!(rig.state(a), State::Disconnected);
    assert_eq!(rig.manager.counters().victimizations, 1);
    assert_eq!(rig.manager.inspect(a).unwrap().1.victimized, 1);
}

/// contract: DBD-003, DBDR-001, DBDR-002
/// regression: DB-24
#[test]
fn the_os_disconnects_and_the_page_lingers_until_the_callback_has_returned() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.platform.take_deeds();
    rig.disconnect(a);
    assert_eq!(
        rig.platform.take_deeds(),
        [Deed::Queue(QueueOperation::Watch, 0, 0)]
    );
    assert_eq!(
        rig.bindings(1),
        [Some(0)],
        "late rings still reach the queue"
    );
    rig.disconnect(a);
    assert!(
        rig.platform.take_deeds().is_empty(),
        "disconnecting twice does nothing"
    );
    rig.connect(b).unwrap();
    assert_eq!(rig.platform.take_deeds()[0], Deed::Callback(OsHandle(100)));
    assert_eq!(rig.manager.counters().lingering_reclaimed, 1);
    assert_eq!(rig.manager.counters().victimizations, 0);
}

/// contract: DBD-007
#[test]
fn work_that_was_never_rung_is_found_when_the_process_ends() {
    let rig = rig(1);
    let a = rig.create(0);
    rig.disconnect(a);
    let look = Deed::Queue(QueueOperation::Look, 0, 0);
    assert_eq!(rig.platform.take_deeds(), [look]);
}

/// contract: DBD-004, DBN-016
#[test]
fn a_lingering_doorbell_gets_its_page_back_without_a_callback() {
    let rig = rig(1);
    let a = rig.create(0);
    rig.connect(a).unwrap();
    rig.disconnect(a);
    rig.platform.take_deeds();
    assert_eq!(rig.connect(a), Ok(0));
    assert_eq!(
        rig.platform.take_deeds(),
        [Deed::Control(0, DoorbellControl::bound_to(QueueId(0)))]
    );
}

/// contract: DBX-002, DBX-010
#[test]
fn destroy_while_connected_frees_the_page_and_kills_the_handle() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.destroy(a);
    assert_eq!(rig.bindings(1), [None]);
    rig.destroy(a);
    assert_eq!(rig.connect(a), Err(Error::InvalidHandle));
    rig.platform.take_deeds();
    rig.connect(b).unwrap();
    assert!(
        !rig.platform
            .take_deeds()
            .contains(&Deed::Callback(OsHandle(100)))
    );
}

/// contract: VICR-001
#[test]
fn idle_before_busy_and_own_context_last() {
    let rig = rig(3);
    let own = rig.create_in(0, 9);
    let busy = rig.create(1);
    let idle = rig.create(2);
    for doorbell in [own, busy, idle] {
        rig.connect(doorbell).unwrap();
    }
    rig.grow_old();
    rig.set_busy(1, true);
    let new = rig.create_in(3, 9);
    rig.connect(new).unwrap();
    assert_eq!(rig.state(idle), State::Disconnected);
    let another = rig.create_in(4, 9);
    rig.set_busy(3, true);
    rig.grow_old();
    rig.connect(another).unwrap();
    assert_eq!(
        rig.state(busy),
        State::Disconnected,
        "a busy stranger before an idle sibling"
    );
}

#[test]
fn a_busy_queue_keeps_its_page_for_the_residence_and_the_other_waits() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.set_busy(0, true);
    let before = rig.platform.now();
    rig.connect(b).unwrap();
    assert!(rig.platform.now().since(before) >= Ticks(RESIDENCE));
    assert!(rig.platform.pauses.load(Ordering::Relaxed) > 0);
}

/// contract: DBN-009, DBDR-003
#[test]
fn closed_refuses_connects_and_lets_the_rest_succeed_without_hardware() {
    let rig = rig(2);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.manager.close(Passive::entered());
    rig.platform.take_deeds();
    assert_eq!(rig.connect(a), Err(Error::DeviceGone));
    assert_eq!(rig.connect(b), Err(Error::DeviceGone));
    rig.disconnect(a);
    rig.destroy(a);
    rig.destroy(b);
    assert!(rig.platform.take_deeds().is_empty());
    assert!(rig.manager.is_empty());
}

/// Runs `meanwhile` inside the callback that takes A's page for B.
fn during_revocation(
    meanwhile: impl Fn(&Rig, Handle<DoorbellKind>, Handle<DoorbellKind>) + Send + Sync + 'static,
    outcome: DisconnectOutcome,
) -> (
    Rig,
    Handle<DoorbellKind>,
    Handle<DoorbellKind>,
    crate::error::Result<u32>,
) {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.grow_old();
    let inner = Rig {
        platform: rig.platform.clone(),
        manager: rig.manager.clone(),
    };
    let once = AtomicBool::new(false);
    rig.platform.on_disconnect(move |_, _| {
        if !once.swap(true, Ordering::SeqCst) {
            meanwhile(&inner, a, b);
        }
        outcome
    });
    let connected = rig.connect(b);
    (rig, a, b, connected)
}

/// contract: VICR-002, VICR-003
/// regression: DB-16
#[test]
fn the_callback_may_disconnect_the_same_doorbell() {
    let (rig, a, b, connected) =
        during_revocation(|rig, a, _| rig.disconnect(a), DisconnectOutcome::Rotated);
    assert_eq!(connected, Ok(0));
    assert_eq!(rig.state(a), State::Disconnected);
    assert!(matches!(rig.state(b), State::Connected(_)));
    assert_eq!(rig.bindings(1), [Some(1)]);
}

/// contract: DBXR-002, VICR-002, VICR-003
/// regression: DB-16
#[test]
fn the_victim_may_be_destroyed_during_the_callback() {
    let (rig, a, _, connected) =
        during_revocation(|rig, a, _| rig.destroy(a), DisconnectOutcome::AlreadyGone);
    assert_eq!(connected, Ok(0));
    assert!(rig.manager.inspect(a).is_none());
    assert_eq!(rig.manager.counters().callbacks_already_gone, 1);
    assert_eq!(rig.bindings(1), [Some(1)]);
}

/// contract: VICR-003
#[test]
fn the_connecting_doorbell_may_be_destroyed_during_the_callback() {
    let (rig, a, _, connected) =
        during_revocation(|rig, _, b| rig.destroy(b), DisconnectOutcome::Rotated);
    assert_eq!(connected, Err(Error::InvalidHandle));
    assert_eq!(rig.bindings(1), [None]);
    assert_eq!(rig.connect(a), Ok(0), "the page is free again");
}

/// contract: VICR-003
#[test]
fn closing_during_the_callback_fails_the_connect_and_keeps_the_page() {
    let (rig, _, b, connected) = during_revocation(
        |rig, _, _| rig.manager.close(Passive::entered()),
        DisconnectOutcome::Rotated,
    );
    assert_eq!(connected, Err(Error::DeviceGone));
    assert_eq!(rig.state(b), State::Disconnected);
}

/// contract: VICR-002, VICR-003
#[test]
fn the_victim_may_reconnect_before_the_callback_returns() {
    let rig = rig(2);
    let (a, b, c) = (rig.create(0), rig.create(1), rig.create(2));
    rig.connect(a).unwrap();
    rig.connect(c).unwrap();
    rig.grow_old();
    let inner = Rig {
        platform: rig.platform.clone(),
        manager: rig.manager.clone(),
    };
    let depth = AtomicU32::new(0);
    rig.platform.on_disconnect(move |_, doorbell| {
        if depth.fetch_add(1, Ordering::SeqCst) == 0 {
            let victim = if doorbell == OsHandle(100) { a } else { c };
            inner.connect(victim).unwrap();
        }
        DisconnectOutcome::Rotated
    });
    rig.connect(b).unwrap();
    let owners: Vec<_> = rig.bindings(2).into_iter().flatten().collect();
    assert_eq!(owners.len(), 2);
    assert!(owners.contains(&1));
    let connected = [a, b, c]
        .into_iter()
        .filter(|doorbell| matches!(rig.state(*doorbell), State::Connected(_)))
        .count();
    assert_eq!(connected, 2);
}

fn link(rig: &Rig, handle: Handle<DoorbellKind>) -> Connection {
    rig.manager
        .connect(
            Passive::entered(),
            &rig.platform,
            handle,
            Locations::Primary,
        )
        .unwrap()
}

/// contract: NTF-005, NTF-006, NTF-008
#[test]
fn notify_is_switched_by_disconnecting_and_answering_differently() {
    for model in [DoorbellModel::Dedicated, DoorbellModel::Global] {
        let rig = rig_of(model, 2);
        let a = rig.create(0);
        assert!(!link(&rig, a).notify);
        rig.platform.take_deeds();
        for notify in [true, false] {
            rig.manager
                .set_notify(Passive::entered(), &rig.platform, a, notify)
                .unwrap();
            let deeds = rig.platform.take_deeds();
            assert_eq!(deeds.first(), Some(&Deed::Callback(OsHandle(100))));
            assert_eq!(deeds.last(), Some(&Deed::Queue(QueueOperation::Look, 0, 0)));
            assert!(!matches!(rig.state(a), State::Connected(_)));
            assert_eq!(link(&rig, a).notify, notify);
            rig.platform.take_deeds();
            rig.manager
                .set_notify(Passive::entered(), &rig.platform, a, notify)
                .unwrap();
            assert!(rig.platform.take_deeds().is_empty(), "nothing to change");
        }
        rig.destroy(a);
        let gone = rig
            .manager
            .set_notify(Passive::entered(), &rig.platform, a, true);
        assert_eq!(gone, Err(Error::InvalidHandle));
    }
}

/// contract: DBN-012, DBN-013
/// regression: DB-14
#[test]
fn global_processes_have_a_page_each_and_nobody_is_a_victim() {
    let rig = rig_of(DoorbellModel::Global, 3);
    let mut pages = Vec::new();
    for (queue, process) in [(0, 7), (1, 7), (2, 8)] {
        let connection = link(&rig, rig.create_in(queue, process));
        assert!(!connection.notify);
        let at = QueueId(queue).table_offset() + QueueDriverHalf::PAGE_WORD;
        let named = rig.platform.vram_load64(VramOffset(at));
        assert_eq!(named, u64::from(connection.page.index()));
        pages.push(connection.page);
    }
    assert_eq!(pages[0], pages[1]);
    assert_ne!(pages[0], pages[2]);
    let crowd = rig.create_in(3, 9);
    let late = link(&rig, crowd);
    assert!(late.notify, "no page left: the client notifies");
    assert_eq!(late.page.index(), 2);
    assert_eq!(
        rig.bindings(3)[2],
        None,
        "rings on the common page reach nobody"
    );
    let deeds = rig.platform.take_deeds();
    assert!(!deeds.iter().any(|deed| matches!(deed, Deed::Callback(_))));
}

#[test]
fn a_global_page_is_unbound_with_the_last_doorbell_of_its_process() {
    let rig = rig_of(DoorbellModel::Global, 2);
    let (a, b) = (rig.create_in(0, 7), rig.create_in(1, 7));
    link(&rig, a);
    link(&rig, b);
    rig.disconnect(a);
    link(&rig, a);
    rig.destroy(a);
    assert!(rig.bindings(2)[0].is_some());
    rig.disconnect(b);
    rig.destroy(b);
    assert_eq!(rig.bindings(2)[0], None);
    assert_eq!(link(&rig, rig.create_in(2, 8)).page.index(), 0);
}

/// dxgkrnl may hold a lock of the doorbell across its connect and want the same one for the
/// callback: then the callback for a victim waits until the victim's own connect is done.
#[test]
fn a_victim_that_connects_while_its_callback_is_held_back_is_not_waited_for() {
    let rig = rig(1);
    let (a, b) = (rig.create(0), rig.create(1));
    rig.connect(a).unwrap();
    rig.grow_old();
    let inner = Rig {
        platform: rig.platform.clone(),
        manager: rig.manager.clone(),
    };
    let callbacks = AtomicU32::new(0);
    rig.platform.on_disconnect(move |_, _| {
        if callbacks.fetch_add(1, Ordering::SeqCst) == 0 {
            assert_eq!(inner.connect(a), Ok(0), "takes its page back");
            inner.grow_old();
        }
        DisconnectOutcome::Rotated
    });
    rig.platform.take_deeds();
    assert_eq!(rig.connect(b), Ok(0));
    assert_eq!(rig.bindings(1), [Some(1)]);
    assert_eq!(rig.state(a), State::Disconnected);
    let counters = rig.manager.counters();
    assert_eq!((counters.taken_back, counters.victimizations), (1, 1));
    let looks = rig.platform.take_deeds();
    let looks = looks
        .iter()
        .filter(|d| **d == Deed::Queue(QueueOperation::Look, 0, 0));
    assert_eq!(
        looks.count(),
        2,
        "after each callback, whoever has the page"
    );
}

#[test]
fn a_disconnect_by_the_os_during_the_revocation_is_watched() {
    let (rig, ..) = during_revocation(
        |rig, a, _| {
            rig.platform.take_deeds();
            rig.disconnect(a);
            let watch = Deed::Queue(QueueOperation::Watch, 0, 0);
            assert_eq!(rig.platform.take_deeds(), [watch]);
        },
        DisconnectOutcome::Rotated,
    );
    assert_eq!(rig.bindings(1), [Some(1)]);
}

/// contract: DBN-011
#[test]
fn many_threads_connect_at_once_and_get_distinct_pages() {
    const THREADS: u32 = 8;
    let rig = Arc::new(rig(3));
    let doorbells: Vec<_> = (0..THREADS).map(|n| rig.create(n)).collect();
    let start = Arc::new(Barrier::new(THREADS as usize));
    std::thread::scope(|scope| {
        for (n, doorbell) in doorbells.iter().copied().enumerate() {
            let (rig, start) = (rig.clone(), start.clone());
            scope.spawn(move || {
                start.wait();
                for round in 0..500 {
                    rig.connect(doorbell).unwrap();
                    match (round + n) % 5 {
                        0 => rig.disconnect(doorbell),
                        1 => rig.grow_old(),
                        _ => {}
                    }
                }
            });
        }
    });
    let mut pages = Vec::new();
    for (n, doorbell) in (0..).zip(&doorbells) {
        if let State::Connected(page) = rig.state(*doorbell) {
            assert!(!pages.contains(&page), "page {page:?} has two owners");
            assert_eq!(rig.bindings(3)[page.index() as usize], Some(n));
            pages.push(page);
        }
    }
    for doorbell in doorbells {
        rig.destroy(doorbell);
    }
    assert_eq!(rig.bindings(3), [None; 3]);
}
