//! Out of D0 and back.

use super::*;

/// contract: PWD-006, PWDR-001, PWDR-003, DBDR-003
/// regression: SUSP-04, SUSP-08
#[test]
fn sleep_frees_every_page_and_wake_puts_each_queue_back_where_it_was() {
    let adapter = start();
    let (o, suspended) = (objects(&adapter), objects(&adapter));
    let handle = connected(&adapter, &o);
    connected(&adapter, &suspended);
    let kernel = queue(&adapter, o.context, Submission::KernelMode);
    let target = PhysicalTarget::Vram(VramOffset(0x20_0000));
    adapter.set_root(PASSIVE, o.context, target, 2).unwrap();
    adapter
        .suspend_context(PASSIVE, suspended.context, 1)
        .unwrap();
    for (queue, reached) in [(o.queue, 5), (suspended.queue, u64::MAX), (kernel, 3)] {
        adapter.platform.set_queue(queue_id(queue), |half| {
            half.read_pointer = reached;
            half.finished = reached;
        });
    }
    adapter.sleep(PASSIVE);
    adapter.sleep(PASSIVE);
    adapter.platform.dark.store(true, Ordering::Relaxed);
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, handle, Locations::Primary),
        Err(Error::DeviceGone)
    );
    adapter.disconnect_doorbell(PASSIVE, handle);
    adapter.notify_work_submission(PASSIVE, o.queue);
    assert!(!adapter.interrupt());
    adapter.dpc(DISPATCH);
    adapter
        .submit_to_queue(DISPATCH, kernel, GpuVa(0x1000), 4, 4)
        .unwrap();
    let late = objects(&adapter);
    let late_bell = adapter
        .create_doorbell(PASSIVE, &doorbell(&late, private_data().as_bytes()))
        .unwrap();
    let brief = objects(&adapter);
    let bell = adapter
        .create_doorbell(PASSIVE, &doorbell(&brief, private_data().as_bytes()))
        .unwrap();
    adapter.destroy_doorbell(PASSIVE, bell.handle);
    adapter.destroy_queue(PASSIVE, brief.queue).unwrap();
    adapter.platform.dark.store(false, Ordering::Relaxed);
    assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);
    // What the power took.
    for word in &adapter.platform.vram {
        word.store(0, Ordering::Relaxed);
    }

    adapter.wake(PASSIVE);
    assert_eq!(driver_half(&adapter, queue_id(o.queue)).start, 5);
    assert_eq!(driver_half(&adapter, queue_id(kernel)).start, 3);
    assert_eq!(
        driver_half(&adapter, queue_id(suspended.queue)).start,
        u64::MAX
    );
    assert_eq!(driver_half(&adapter, queue_id(late.queue)).start, 0);
    assert_eq!(root(&adapter, o.context).root_entries, 2);
    assert_eq!(
        adapter.queue_state(queue_id(suspended.queue)),
        QueueState::SUSPENDED
    );
    assert_eq!(
        adapter.queue_state(queue_id(o.queue)),
        QueueState::RUNNABLE,
        "without its doorbell"
    );
    // Two pages, both free: nobody is a victim.
    adapter.platform.take_deeds();
    adapter
        .connect_doorbell(PASSIVE, handle, Locations::Primary)
        .unwrap();
    adapter
        .connect_doorbell(PASSIVE, late_bell.handle, Locations::Primary)
        .unwrap();
    let deeds = adapter.platform.take_deeds();
    let callbacks = deeds.iter().filter(|d| matches!(d, Deed::Callback(_)));
    assert_eq!(callbacks.count(), 0);
    adapter.resume_context(PASSIVE, suspended.context).unwrap();
    adapter.wake(PASSIVE);
    assert_eq!(adapter.platform.resets.load(Ordering::Relaxed), 3);
}

/// contract: PWD-003
#[test]
fn nothing_runs_on_waking_before_suspended_queues_are_suspended_again() {
    let adapter = start();
    let o = objects(&adapter);
    connected(&adapter, &o);
    adapter.suspend_context(PASSIVE, o.context, 1).unwrap();
    adapter.reset_engine(PASSIVE, 2).unwrap();
    adapter.sleep(PASSIVE);
    adapter.platform.take_deeds();
    adapter.wake(PASSIVE);
    let deeds = adapter.platform.take_deeds();
    let place = |deed: &dyn Fn(&Deed) -> bool| deeds.iter().position(deed).unwrap();
    let id = queue_id(o.queue).0;
    let suspended = place(&|d| matches!(d, Deed::Queue(QueueOperation::Suspend, q, _) if *q == id));
    let activated = place(&|d| matches!(d, Deed::Queue(QueueOperation::Activate, ..)));
    for engine in 0..NODES {
        assert!(place(&|d| *d == Deed::EngineReset(engine)) < activated);
    }
    for engine in 0..2 {
        assert!(place(&|d| *d == Deed::EngineResume(engine)) > suspended);
    }
    // The OS has stopped this one and has not resumed it.
    assert!(!deeds.contains(&Deed::EngineResume(2)));
    adapter.resume_engine(PASSIVE, 2).unwrap();
    assert_eq!(adapter.platform.take_deeds(), [Deed::EngineResume(2)]);
}

/// contract: PWD-004, SUS-011
#[test]
fn a_context_resumed_after_the_wake_runs_and_a_second_sleep_goes_on_from_there() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = connected(&adapter, &o);
    let id = queue_id(o.queue);
    adapter.suspend_context(PASSIVE, o.context, 1).unwrap();
    post(
        &adapter,
        0,
        &[Event::SuspendCompleted { queue: id, tag: 1 }],
    );
    adapter.dpc(DISPATCH);
    let reached = |reached, finished| {
        adapter.platform.set_queue(id, |half| {
            half.read_pointer = reached;
            half.finished = finished;
        });
    };
    reached(5, 5);
    adapter.sleep(PASSIVE);
    adapter.wake(PASSIVE);
    adapter
        .connect_doorbell(PASSIVE, handle, Locations::Primary)
        .unwrap();
    adapter.platform.take_deeds();
    post(
        &adapter,
        0,
        &[Event::SuspendCompleted { queue: id, tag: 1 }],
    );
    adapter.dpc(DISPATCH);
    adapter.resume_context(PASSIVE, o.context).unwrap();
    assert_eq!(
        operations(&adapter, id).last(),
        Some(&QueueOperation::Resume)
    );
    // The sixth entry is under way: taken, not finished.
    reached(8, 2);
    adapter.sleep(PASSIVE);
    adapter.wake(PASSIVE);
    assert_eq!(driver_half(&adapter, id).start, 7);
}

/// contract: PWD-006
#[test]
fn a_sleep_lets_what_runs_end_but_does_not_wait_for_ever() {
    // The third entry of the paging node is under way.
    let node = QueueId(2);
    for (pauses, reached) in [(1, 3), (99, 3), (u64::MAX, 2)] {
        let adapter = start();
        adapter.platform.set_queue(node, |half| {
            half.activity = QueueActivity::BUSY;
            half.read_pointer = 3;
            half.finished = 2;
        });
        let waited = adapter.platform.pauses.load(Ordering::Relaxed);
        *adapter.platform.drains.lock().unwrap() = Some((node, waited.saturating_add(pauses)));
        adapter.sleep(PASSIVE);
        assert_eq!(
            operations(&adapter, node),
            [QueueOperation::Suspend],
            "after {pauses}"
        );
        let waited = adapter.platform.pauses.load(Ordering::Relaxed) - waited;
        assert_eq!(waited, pauses.min(100));
        adapter.wake(PASSIVE);
        assert_eq!(driver_half(&adapter, node).start, reached);
    }
}

#[test]
fn a_faulted_queue_stays_down_over_a_sleep_and_a_new_ring_revives_it() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = connected(&adapter, &o);
    let id = queue_id(o.queue);
    adapter.platform.set_queue(id, |half| {
        half.state = QueueState::FAULTED;
        half.fault = QueueFault::PAGE;
    });
    adapter.sleep(PASSIVE);
    adapter.platform.take_deeds();
    adapter.wake(PASSIVE);
    assert!(operations(&adapter, id).is_empty());
    adapter.destroy_doorbell(PASSIVE, handle);
    adapter.platform.take_deeds();
    connected(&adapter, &o);
    assert_eq!(
        operations(&adapter, id).first(),
        Some(&QueueOperation::Activate)
    );
}

/// regression: SUSP-07
#[test]
fn resets_stops_and_removals_of_a_sleeping_device_do_not_touch_it() {
    for end in 0..3 {
        let adapter = start();
        adapter.sleep(PASSIVE);
        adapter.platform.dark.store(true, Ordering::Relaxed);
        match end {
            0 => adapter.stop(PASSIVE),
            1 => adapter.surprise_removed(PASSIVE),
            _ => adapter.reset_all(PASSIVE).unwrap(),
        }
        assert_eq!(adapter.platform.dark_accesses.load(Ordering::Relaxed), 0);
        adapter.platform.dark.store(false, Ordering::Relaxed);
        assert_eq!(adapter.unconfirmed_teardowns(), 0);
        adapter.wake(PASSIVE);
        assert!(adapter.is_gone(), "only a restart ends a reset");
        assert_eq!(adapter.restart(PASSIVE), Ok(()), "case {end}");
        assert_eq!(adapter.is_gone(), end < 2);
    }
}

#[test]
fn a_device_that_does_not_wake_is_lost() {
    let adapter = start();
    let o = objects(&adapter);
    let handle = connected(&adapter, &o);
    adapter.sleep(PASSIVE);
    adapter.platform.register(offset::CONTROL, 2);
    adapter.wake(PASSIVE);
    assert!(adapter.is_lost());
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, handle, Locations::Primary),
        Err(Error::DeviceGone)
    );
}

/// contract: PWDR-001
/// regression: MAP-04
#[test]
fn a_connect_that_the_power_leaves_in_the_middle_gives_up_its_page_once() {
    let adapter: &'static Adapter<Fake> = std::boxed::Box::leak(start().into());
    let bells = [0; 3].map(|_| {
        let o = objects(adapter);
        adapter
            .create_doorbell(PASSIVE, &doorbell(&o, private_data().as_bytes()))
            .unwrap()
            .handle
    });
    for bell in &bells[..2] {
        adapter
            .connect_doorbell(PASSIVE, *bell, Locations::Primary)
            .unwrap();
    }
    adapter.platform.on_disconnect(|_, _| {
        adapter.sleep(PASSIVE);
        adapter.wake(PASSIVE);
        crate::platform::DisconnectOutcome::Rotated
    });
    assert_eq!(
        adapter.connect_doorbell(PASSIVE, bells[2], Locations::Primary),
        Err(Error::DeviceGone)
    );
    adapter
        .platform
        .on_disconnect(|_, _| panic!("both pages are free"));
    let first = adapter
        .connect_doorbell(PASSIVE, bells[2], Locations::Primary)
        .unwrap();
    let second = adapter
        .connect_doorbell(PASSIVE, bells[0], Locations::Primary)
        .unwrap();
    assert_ne!(first.page, second.page);
}
