//! A queue that goes over to another ring.

use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::DoorbellPrivateData;
use carillon_hw::queue::{QueueDriverHalf, QueueFault, QueueState};
use std::sync::Arc;
use zerocopy::IntoBytes;

use super::recovery::{driver_half, operations};
use super::*;
use crate::doorbell::DoorbellKind;

const OLD: u64 = 0x10_0000;
const NEW: u64 = 0x30_0000;

fn create(
    adapter: &Adapter<Fake>,
    o: &Objects,
    ring: u64,
    resize: bool,
) -> Result<Handle<DoorbellKind>> {
    let data = DoorbellPrivateData::new(GpuVa(ring), GpuVa(0x20_0000)).unwrap();
    let mut new = doorbell(o, data.as_bytes());
    new.os = OsHandle(usize::try_from(ring).unwrap());
    new.resize = resize;
    let created = adapter.create_doorbell(PASSIVE, &new)?;
    Ok(created.handle)
}

fn connect(adapter: &Adapter<Fake>, doorbell: Handle<DoorbellKind>) {
    adapter
        .connect_doorbell(PASSIVE, doorbell, Locations::Primary)
        .unwrap();
}

/// A queue that runs the old ring, and a second doorbell that is not connected.
fn staged(adapter: &Adapter<Fake>) -> (Objects, Handle<DoorbellKind>, Handle<DoorbellKind>) {
    let mut o = objects(adapter);
    let old = create(adapter, &o, OLD, false).unwrap();
    connect(adapter, old);
    o.ring = adapter.create_allocation(PASSIVE, 16384).unwrap();
    adapter.platform.take_deeds();
    let new = create(adapter, &o, NEW, true).unwrap();
    assert!(adapter.platform.take_deeds().is_empty(), "nothing moves");
    (o, old, new)
}

fn half(adapter: &Adapter<Fake>, o: &Objects) -> QueueDriverHalf {
    driver_half(adapter, queue_id(o.queue))
}

/// The queue commands since the last look, but those that only look.
fn orders(adapter: &Adapter<Fake>, o: &Objects) -> Vec<QueueOperation> {
    let all = operations(adapter, queue_id(o.queue));
    let looks = [QueueOperation::Look, QueueOperation::Watch];
    all.into_iter().filter(|op| !looks.contains(op)).collect()
}

/// contract: DBC-025, DBCR-004
#[test]
fn the_first_connect_of_the_new_doorbell_changes_the_ring_and_the_end_of_the_old_takes_it() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    assert_eq!(half(&adapter, &o).ring, OLD);
    connect(&adapter, new);
    let changed = half(&adapter, &o);
    assert_eq!((changed.ring, changed.start), (NEW, 0));
    assert_eq!(changed.shape.ring_entries_log2(), 9, "16384 bytes");
    assert_eq!(orders(&adapter, &o), [QueueOperation::ChangeRing]);
    connect(&adapter, new);
    connect(&adapter, old);
    assert_eq!(orders(&adapter, &o), [], "only once");
    for resize in [false, true] {
        assert_eq!(
            create(&adapter, &o, NEW, resize),
            Err(Error::InvalidState),
            "never a third"
        );
    }
    adapter.destroy_doorbell(PASSIVE, old);
    assert_eq!(orders(&adapter, &o), [QueueOperation::TakeRing]);
    assert_eq!(
        create(&adapter, &o, OLD, false),
        Err(Error::InvalidState),
        "the new doorbell lives"
    );
    // And on to the next one.
    let third = create(&adapter, &o, OLD, true).unwrap();
    connect(&adapter, third);
    adapter.destroy_doorbell(PASSIVE, new);
    let orders = orders(&adapter, &o);
    let expected = [QueueOperation::ChangeRing, QueueOperation::TakeRing];
    assert_eq!(orders, expected);
    assert_eq!(half(&adapter, &o).ring, OLD);
}

/// contract: DBC-025
#[test]
fn the_old_destroyed_first_the_new_one_goes_to_work_at_its_connect() {
    for model in [false, true] {
        let fake = Fake::new(3, VRAM);
        let caps = DoorbellCaps::new().with_pages(3).with_global(model);
        fake.register(offset::DOORBELL_CAPS, u64::from(caps.into_bits()));
        let adapter = start_with(fake).unwrap();
        let (o, old, new) = staged(&adapter);
        adapter.destroy_doorbell(PASSIVE, old);
        assert_eq!(orders(&adapter, &o), [QueueOperation::Deactivate]);
        let connection = adapter.connect_doorbell(PASSIVE, new, Locations::Primary);
        let half = half(&adapter, &o);
        assert_eq!((half.ring, half.start), (NEW, 0));
        let own = connection.unwrap().page.index();
        let never_bound = 2;
        let page = if model { own } else { never_bound };
        assert_eq!(half.doorbell_page, page, "the activation keeps the page");
        let mut orders = orders(&adapter, &o);
        orders.retain(|op| *op != QueueOperation::Reload);
        assert_eq!(orders, [QueueOperation::Activate]);
    }
}

#[test]
fn the_new_destroyed_before_its_connect_is_forgotten_and_after_it_the_queue_has_no_ring() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    adapter.destroy_doorbell(PASSIVE, new);
    connect(&adapter, old);
    assert_eq!(orders(&adapter, &o), []);
    assert_eq!(half(&adapter, &o).ring, OLD);
    let new = create(&adapter, &o, NEW, true).unwrap();
    connect(&adapter, new);
    orders(&adapter, &o);
    adapter.destroy_doorbell(PASSIVE, new);
    assert_eq!(orders(&adapter, &o), [QueueOperation::Deactivate]);
    connect(&adapter, old);
    assert_eq!(
        orders(&adapter, &o),
        [],
        "the old ring is not taken up again"
    );
    adapter.destroy_doorbell(PASSIVE, old);
    create(&adapter, &o, OLD, false).unwrap();
    let last = orders(&adapter, &o).pop();
    assert_eq!(last, Some(QueueOperation::Activate));
}

/// The binding of one doorbell's page ends the watch that the other one's client may need.
#[test]
fn a_queue_with_two_doorbells_is_watched_after_each_connect() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    adapter.disconnect_doorbell(PASSIVE, old);
    adapter.platform.take_deeds();
    connect(&adapter, new);
    let last = operations(&adapter, queue_id(o.queue)).pop();
    assert_eq!(last, Some(QueueOperation::Watch));
    adapter.destroy_doorbell(PASSIVE, old);
    adapter.platform.take_deeds();
    connect(&adapter, new);
    let found = operations(&adapter, queue_id(o.queue));
    assert!(!found.contains(&QueueOperation::Watch));
}

/// Two pages may be bound to one queue; a connect that finds nothing else takes that of the same
/// queue.
#[test]
fn the_doorbells_of_a_queue_have_a_page_each_and_are_each_others_last_victims() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    let page = |doorbell| {
        let found = adapter.connect_doorbell(PASSIVE, doorbell, Locations::Primary);
        found.unwrap().page.index()
    };
    let pages = (page(old), page(new));
    assert_ne!(pages.0, pages.1);
    let stranger = objects(&adapter);
    let third = create(&adapter, &stranger, 0x50_0000, false).unwrap();
    page(third);
    adapter.platform.take_deeds();
    adapter.platform.clock.fetch_add(100_000, Ordering::Relaxed);
    page(old);
    page(new);
    let deeds = adapter.platform.take_deeds();
    assert!(
        deeds.contains(&Deed::Callback(OsHandle(0x50_0000))),
        "the stranger goes first: {deeds:?}"
    );
    adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    for doorbell in [old, new] {
        assert_eq!(adapter.inspect_doorbell(doorbell), None, "both end with it");
    }
}

fn sleep_and_wake(adapter: &Adapter<Fake>) {
    adapter.sleep(PASSIVE);
    for word in &adapter.platform.vram {
        word.store(0, Ordering::Relaxed);
    }
    adapter.platform.take_deeds();
    adapter.wake(PASSIVE);
}

/// contract: DBC-025
#[test]
fn a_change_that_power_interrupts_is_made_after_it_and_none_is_made_twice() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    let id = queue_id(o.queue);
    connect(&adapter, new);
    adapter.platform.set_queue(id, |half| {
        half.read_pointer = 8;
        half.finished = 7;
    });
    // What the device reads of the descriptor at each command.
    let read = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = read.clone();
    adapter.platform.on_command(move |operation, half| {
        log.lock().unwrap().push((operation, half.ring, half.start));
    });
    let of_user = || {
        let mut read = read.lock().unwrap();
        let mut found = std::mem::take(&mut *read);
        found.retain(|(_, ring, _)| [OLD, NEW].contains(ring));
        found
    };
    sleep_and_wake(&adapter);
    let again = [
        (QueueOperation::Activate, OLD, 7),
        (QueueOperation::ChangeRing, NEW, 0),
    ];
    let woken = || {
        let mut found = of_user();
        found.retain(|(operation, ..)| *operation != QueueOperation::Suspend);
        found
    };
    assert_eq!(woken(), again);
    // It goes over, runs 3, begins a fourth.
    adapter.platform.set_queue(id, |half| {
        half.ring_changes = 1;
        half.read_pointer = 4;
        half.finished = 9;
        half.finished_before = 6;
    });
    sleep_and_wake(&adapter);
    assert_eq!(woken(), [(QueueOperation::Activate, NEW, 3)]);
    orders(&adapter, &o);
    connect(&adapter, old);
    connect(&adapter, new);
    assert_eq!(orders(&adapter, &o), []);
    adapter.destroy_doorbell(PASSIVE, old);
    assert_eq!(half(&adapter, &o).ring, NEW);
}

#[test]
fn a_staged_ring_sleeps_too() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    sleep_and_wake(&adapter);
    assert_eq!(half(&adapter, &o).ring, OLD);
    orders(&adapter, &o);
    connect(&adapter, new);
    assert_eq!(orders(&adapter, &o), [QueueOperation::ChangeRing]);
    adapter.destroy_doorbell(PASSIVE, old);
    let newer = create(&adapter, &o, OLD, true).unwrap();
    adapter.destroy_doorbell(PASSIVE, new);
    sleep_and_wake(&adapter);
    let found = orders(&adapter, &o);
    assert_eq!(found, [], "it waits for its connect, awake or not");
    connect(&adapter, newer);
    assert_eq!(orders(&adapter, &o), [QueueOperation::Activate]);
}

#[test]
fn a_suspended_queue_changes_its_ring_and_stays_suspended() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    adapter.suspend_context(PASSIVE, o.context, 1).unwrap();
    adapter.platform.take_deeds();
    connect(&adapter, new);
    assert_eq!(orders(&adapter, &o), [QueueOperation::ChangeRing]);
    adapter.destroy_doorbell(PASSIVE, old);
    let third = create(&adapter, &o, OLD, true).unwrap();
    adapter.destroy_doorbell(PASSIVE, new);
    orders(&adapter, &o);
    connect(&adapter, third);
    assert_eq!(
        orders(&adapter, &o),
        [QueueOperation::Activate, QueueOperation::Suspend],
        "what goes to work in a suspended context follows it off"
    );
}

#[test]
fn resets_and_losses_leave_neither_doorbell_connectable_and_both_destroyable() {
    for lost in [false, true] {
        let adapter = start();
        let (o, old, new) = staged(&adapter);
        connect(&adapter, new);
        if lost {
            adapter.surprise_removed(PASSIVE);
        } else {
            adapter.reset_all(PASSIVE).unwrap();
            adapter.restart(PASSIVE).unwrap();
        }
        adapter.platform.take_deeds();
        for doorbell in [old, new] {
            assert_eq!(
                adapter.connect_doorbell(PASSIVE, doorbell, Locations::Primary),
                Err(Error::DeviceGone)
            );
            adapter.disconnect_doorbell(PASSIVE, doorbell);
            adapter.destroy_doorbell(PASSIVE, doorbell);
        }
        let found = orders(&adapter, &o);
        assert!(!found.contains(&QueueOperation::Activate), "{found:?}");
        adapter.destroy_queue(PASSIVE, o.queue).unwrap();
    }
}

#[test]
fn an_engine_reset_spares_a_waiting_queue_and_its_change() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    let running = objects(&adapter);
    create(&adapter, &running, 0x50_0000, false).unwrap();
    connect(&adapter, new);
    let hung = queue_id(running.queue);
    *adapter.platform.running.lock().unwrap() = Some(hung);
    adapter.platform.take_deeds();
    adapter.reset_engine(PASSIVE, 0).unwrap();
    adapter.resume_engine(PASSIVE, 0).unwrap();
    assert_eq!(adapter.queue_fault(hung), QueueFault::ENGINE_RESET);
    assert_eq!(orders(&adapter, &o), [], "the device keeps the change");
    adapter.destroy_doorbell(PASSIVE, old);
    assert_eq!(orders(&adapter, &o), [QueueOperation::TakeRing]);
    assert_eq!(adapter.queue_state(queue_id(o.queue)), QueueState::RUNNABLE);
}

/// contract: DBC-025
#[test]
fn a_change_of_logs_or_band_does_not_change_the_ring() {
    let adapter = start();
    let (o, _, new) = staged(&adapter);
    adapter
        .set_fence_logs(DISPATCH, o.queue, |logs| logs.waits = 0x7000)
        .unwrap();
    let before = half(&adapter, &o);
    assert_eq!((before.ring, before.wait_log), (OLD, 0x7000));
    assert_eq!(before.shape.ring_entries_log2(), 7);
    connect(&adapter, new);
    let changed = half(&adapter, &o);
    assert_eq!((changed.ring, changed.wait_log), (NEW, 0x7000));
}

/// While a hung queue is waited for, another ring comes and is connected: it goes to work when the
/// device has let go, not before.
#[test]
fn a_ring_that_comes_while_the_last_one_is_let_go_of_waits() {
    let adapter = start();
    let (o, old, new) = staged(&adapter);
    let id = queue_id(o.queue);
    adapter.platform.stuck.store(true, Ordering::SeqCst);
    std::thread::scope(|scope| {
        let teardown = scope.spawn(|| adapter.destroy_doorbell(PASSIVE, old));
        while adapter.platform.pauses.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        connect(&adapter, new);
        assert!(!orders(&adapter, &o).contains(&QueueOperation::Activate));
        adapter
            .platform
            .set_queue(id, |half| half.state = QueueState::INACTIVE);
        teardown.join().unwrap();
    });
    assert_eq!(orders(&adapter, &o).last(), Some(&QueueOperation::Activate));
    assert_eq!(half(&adapter, &o).ring, NEW);
}

#[test]
fn a_second_doorbell_that_is_refused_leaves_the_first_as_it_was() {
    let adapter = start();
    let (mut o, _, new) = staged(&adapter);
    adapter.destroy_doorbell(PASSIVE, new);
    let count = adapter.doorbells.len();
    o.ring = adapter.create_allocation(PASSIVE, 5000).unwrap();
    assert_eq!(
        create(&adapter, &o, NEW, true),
        Err(Error::InvalidParameter)
    );
    o.control = o.ring;
    o.ring = adapter.create_allocation(PASSIVE, 8192).unwrap();
    let stranger = device(&adapter, 0xF0);
    let foreign = adapter.open_allocation(PASSIVE, stranger, o.ring).unwrap();
    let data = DoorbellPrivateData::new(GpuVa(NEW), GpuVa(0x20_0000)).unwrap();
    let mut other = doorbell(&o, data.as_bytes());
    other.resize = true;
    other.ring = foreign.bits();
    assert_eq!(
        adapter.create_doorbell(PASSIVE, &other),
        Err(Error::InvalidParameter),
        "another process's memory"
    );
    assert_eq!(adapter.doorbells.len(), count);
    assert_eq!(orders(&adapter, &o), []);
    assert_eq!(half(&adapter, &o).ring, OLD);
    create(&adapter, &o, NEW, true).unwrap();
}
