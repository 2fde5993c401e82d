//! Queues that go over to another ring.

mod common;

use carillon_hw::addr::BusAddress;
use carillon_hw::event::Event;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{
    ContextId, QueueActivity, QueueDriverHalf, QueueFault, QueueId, QueueShape, QueueState,
};
use carillon_hw::regs::{DoorbellControl, QueueOperation, offset};
use carillon_hw::ring::RingEntry;
use carillon_vgpu::{Fault, FetchAction, Rule};
use common::trace::{Trace, fetched, held};
use common::{HOST, Rig, wait_for};
use zerocopy::{FromZeros, IntoBytes};

const CONTEXT: ContextId = ContextId(0);
const NOP: Packet = Packet::Nop { dwords: 1 };

#[test]
fn an_empty_ring_is_left_at_once() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = rig.active_queue(0, 0);
    for _ in 0..3 {
        trace.put(&old);
    }
    old.look();
    old.wait_done();
    rig.settle();
    let before = rig.device_half(old.id);
    assert_eq!(before.ring_changes, 0);
    let new = old.next_ring(7, 0);
    trace.put(&new);
    new.change_ring();
    new.wait_done();
    rig.settle();
    let half = rig.device_half(old.id);
    assert_eq!((half.read_pointer, half.seen_write_pointer), (1, 1));
    assert_eq!((half.ring_changes, half.finished), (1, 4));
    assert_eq!(half.state, QueueState::RUNNABLE);
    assert_eq!(half.activity, QueueActivity::IDLE);
    assert_eq!(old.read_pointer(), 3, "the old control block is left");
    // The ring before is not read any more.
    trace.put(&old);
    old.look();
    rig.settle();
    assert_eq!(fetched(&rig), 4);
    assert_eq!(trace.time(4), 0);
}

#[test]
fn work_in_flight_in_both_rings_runs_once_and_in_order() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    for _ in 0..5 {
        trace.put(&old);
    }
    let new = old.next_ring(8, 1000);
    new.change_ring();
    // The old write pointer may still move, and nobody need ring for it.
    for _ in 0..5 {
        trace.put(&old);
    }
    for _ in 0..7 {
        trace.put(&new);
    }
    rig.settle_busy();
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
    assert_eq!(new.read_pointer(), 0, "not reported before the change");
    trace.signal(1);
    new.wait_done();
    old.wait_done();
    rig.settle();
    trace.assert_in_order();
    let half = rig.device_half(old.id);
    assert_eq!((half.read_pointer, half.finished), (1007, 18));
    assert_eq!(half.ring_changes, 1);
    assert_eq!(fetched(&rig), 18);
}

#[test]
fn rings_reach_the_present_ring() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(old.id));
    let mut present = old;
    for change in 1..=20 {
        // Two by the ring of the page, the first of which is fetched before the page is taken.
        for _ in 0..2 {
            trace.put(&present);
            rig.ring(0, present.write.get());
            present.wait_done();
        }
        let next = present.next_ring(7 + change % 3, u64::from(change));
        trace.put(&present);
        rig.ring(0, 0);
        next.change_ring();
        trace.put(&next);
        rig.ring(0, 0);
        next.wait_done();
        assert_eq!(rig.device_half(next.id).ring_changes, change);
        present = next;
    }
    trace.assert_in_order();
    rig.settle();
    assert_eq!(rig.device_half(present.id).finished, 80);
    assert_eq!(fetched(&rig), 80);
}

#[test]
fn the_new_read_pointer_is_there_before_the_count_says_so() {
    let rig = Rig::new(Rig::small());
    let old = rig.active_queue(0, 0);
    let mut rings = vec![old];
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = 0;
            while seen < 300 {
                let changes = rig.device_half(QueueId(0)).ring_changes;
                if changes == seen {
                    continue;
                }
                seen = changes;
                // Ring n starts at n * 1000 and runs one entry; the device may be further by now.
                let half = rig.device_half(QueueId(0));
                assert!(half.read_pointer >= u64::from(seen) * 1000);
            }
        });
        for change in 1..=300 {
            let last = &rings[rings.len() - 1];
            last.submit(&[NOP]);
            // Two rings in turn, so that local memory lasts.
            let next = if rings.len() < 2 {
                last.next_ring(7, change * 1000)
            } else {
                let other = rings.remove(0);
                let mut half = rig.driver_half(other.id);
                (half.ring, half.control) = (other.ring, other.control);
                half.start = change * 1000;
                rig.write_driver_half(other.id, &half);
                other.set_write_pointer(half.start);
                other
            };
            next.change_ring();
            wait_for("the change", || {
                u64::from(rig.device_half(next.id).ring_changes) == change
            });
            assert_eq!(next.read_pointer(), change * 1000);
            rings.push(next);
        }
        watcher.join().unwrap();
    });
    assert_eq!(rig.device_half(QueueId(0)).finished, 300);
}

#[test]
fn rings_of_every_size_start_anywhere() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let mut present = rig.active_queue(0, 0);
    for (log2, start) in [
        (9, 0),
        (7, u64::MAX - 10),
        (8, u64::MAX),
        (7, 1 << 63),
        (9, 127),
    ] {
        let next = present.next_ring(log2, start);
        next.change_ring();
        assert_eq!(next.read_pointer(), start);
        let half = rig.device_half(next.id);
        assert_eq!((half.read_pointer, half.seen_write_pointer), (start, start));
        // Full to the last slot, then across the end.
        for count in [next.size.entries(), 20] {
            for _ in 0..count {
                trace.put(&next);
            }
            next.look();
            next.wait_done();
        }
        // One more than fits is a mistake of this ring's size.
        present = next;
    }
    trace.assert_in_order();
    assert_eq!(rig.device_half(present.id).finished, trace.next.get());
    let write = present.write.get() + present.size.entries() + 1;
    present.set_write_pointer(write);
    present.look();
    let wanted = (QueueFault::WRITE_POINTER, write);
    assert_eq!(rig.fault_of(present.id), wanted);
}

#[test]
fn a_suspended_queue_changes_at_its_resume() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = rig.active_queue(0, 0);
    rig.suspend(old.id, 1);
    trace.put(&old);
    let new = old.next_ring(7, 40);
    trace.put(&new);
    new.change_ring();
    rig.settle();
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
    assert_eq!((old.read_pointer(), new.read_pointer()), (0, 0));
    rig.command(QueueOperation::Resume, old.id);
    new.wait_done();
    rig.settle();
    trace.assert_in_order();
    assert_eq!(rig.device_half(old.id).finished, 2);
}

#[test]
fn a_suspend_in_the_middle_of_the_old_ring_changes_nothing() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    let new = old.next_ring(7, 5);
    trace.put(&new);
    new.change_ring();
    rig.suspend(old.id, 1);
    trace.signal(1);
    rig.settle();
    assert_eq!(trace.time(0), 0);
    rig.command(QueueOperation::Resume, old.id);
    new.wait_done();
    trace.assert_in_order();
    assert_eq!(old.read_pointer(), 1);
}

#[test]
fn changes_while_the_engine_is_stopped_come_with_its_resume() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = rig.active_queue(0, 0);
    rig.write32(offset::ENGINE_RESET, 1);
    trace.put(&old);
    let new = old.next_ring(7, 9);
    new.change_ring();
    trace.put(&old);
    trace.put(&new);
    old.look();
    rig.settle();
    assert_eq!(fetched(&rig), 0);
    rig.write32(offset::ENGINE_RESUME, 1);
    new.wait_done();
    rig.settle();
    trace.assert_in_order();
    assert_eq!(rig.device_half(old.id).finished, 3);
}

#[test]
fn a_second_change_replaces_the_ring_kept_aside() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    let never = old.next_ring(8, 77);
    never.put(&[NOP]);
    never.change_ring();
    let new = old.next_ring(7, 3);
    trace.put(&new);
    new.change_ring();
    trace.signal(1);
    new.wait_done();
    rig.settle();
    trace.assert_in_order();
    assert_eq!(never.read_pointer(), 0);
    let half = rig.device_half(old.id);
    assert_eq!((half.ring_changes, half.finished), (1, 2));
}

#[test]
fn take_ring_gives_up_what_is_left() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    // In the middle of a buffer, with entries behind it.
    let old = held(&rig, &trace);
    for _ in 0..4 {
        trace.put(&old);
    }
    let given_up = trace.next.get();
    let new = old.next_ring(7, u64::MAX);
    trace.put(&new);
    new.change_ring();
    new.take_ring();
    let half = rig.device_half(old.id);
    assert_eq!((half.ring_changes, half.state), (1, QueueState::RUNNABLE));
    new.wait_done();
    // From the command on nothing is read or written in the old ring.
    old.put(&[trace.mark()]);
    trace.signal(1);
    old.look();
    rig.settle();
    assert_eq!(old.read_pointer(), 0);
    for index in (0..given_up).chain([given_up + 1]) {
        assert_eq!(trace.time(index), 0, "entry {index}");
    }
    assert!(trace.time(given_up) > 0);
    let half = rig.device_half(old.id);
    assert_eq!((half.read_pointer, half.finished), (0, 1));
    assert_eq!(fetched(&rig), 2);
}

#[test]
fn nothing_is_left_under_a_running_entry() {
    // A client whose write pointer runs back makes its ring look empty while an entry runs.
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    let new = old.next_ring(7, 4);
    trace.put(&new);
    old.set_write_pointer(0);
    new.change_ring();
    rig.settle_busy();
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
    new.take_ring();
    new.wait_done();
    assert_eq!(trace.time(0), 0, "given up");
}

#[test]
fn take_ring_frees_a_suspended_queue_of_its_ring() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    rig.suspend(old.id, 0);
    let new = old.next_ring(7, 6);
    trace.put(&new);
    new.change_ring();
    new.take_ring();
    let half = rig.device_half(old.id);
    assert_eq!((half.read_pointer, half.ring_changes), (6, 1));
    assert_eq!(
        (half.state, half.activity),
        (QueueState::SUSPENDED, QueueActivity::IDLE)
    );
    assert_eq!(new.read_pointer(), 6);
    rig.settle();
    assert_eq!(trace.time(1), 0, "it is suspended");
    trace.signal(1);
    rig.command(QueueOperation::Resume, old.id);
    new.wait_done();
    assert_eq!(trace.time(0), 0, "given up");
}

#[test]
fn take_ring_without_a_change_does_nothing() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let client = held(&rig, &trace);
    // Even with another ring in the descriptor.
    let other = client.next_ring(7, 50);
    other.put(&[NOP]);
    client.take_ring();
    rig.settle_busy();
    trace.signal(1);
    client.wait_done();
    trace.assert_in_order();
    // Nor after a change that is done already.
    other.change_ring();
    other.wait_done();
    other.take_ring();
    rig.settle();
    let half = rig.device_half(client.id);
    assert_eq!(
        (half.ring_changes, half.finished, half.read_pointer),
        (1, 2, 51)
    );
}

#[test]
fn a_hung_packet_keeps_its_ring_until_the_reset() {
    let rig = Rig::new(Rig::small());
    let old = rig.active_queue(0, 0);
    rig.gpu.inject(Fault::once(Rule::Fetch {
        queue: None,
        action: FetchAction::Hang,
    }));
    old.submit(&[NOP]);
    wait_for("the fetch", || fetched(&rig) == 1);
    let new = old.next_ring(7, 0);
    new.put(&[NOP]);
    new.change_ring();
    new.take_ring();
    rig.settle_busy();
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
    rig.write32(offset::ENGINE_RESET, 1);
    assert_eq!(rig.fault_of(old.id).0, QueueFault::ENGINE_RESET);
    rig.write32(offset::ENGINE_RESUME, 1);
    rig.settle();
    assert_eq!(new.read_pointer(), 0);
}

#[test]
fn reload_while_a_change_is_pending_moves_everything_but_the_ring() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    trace.put(&old);
    let new = old.next_ring(8, 11);
    trace.put(&new);
    new.change_ring();
    let mut half = rig.driver_half(old.id);
    half.shape.set_engine(2);
    half.start = 99;
    rig.write_driver_half(old.id, &half);
    rig.command(QueueOperation::Reload, old.id);
    trace.signal(1);
    new.wait_done();
    old.wait_done();
    trace.assert_in_order();
    let done = rig.device_half(old.id);
    assert_eq!((done.read_pointer, done.ring_changes), (12, 1));
    rig.expect_event("the other engine idles", |event| {
        event == Event::EngineIdle { engine: 2 }
    });
    // Once it is done a reload moves the ring as ever.
    let last = new.next_ring(7, 0);
    last.set_write_pointer(12);
    last.put(&[NOP]);
    rig.command(QueueOperation::Reload, old.id);
    last.look();
    last.wait_done();
}

#[test]
fn a_reload_that_changes_the_context_takes_both_rings_along() {
    let rig = Rig::new(Rig::small());
    let old = rig.active_queue(0, 0);
    rig.suspend(old.id, 0);
    old.put(&[NOP]);
    let new = old.next_ring(7, 0);
    new.put(&[NOP]);
    new.change_ring();
    for client in [&old, &new] {
        rig.map_local(ContextId(3), client.ring, 1);
        rig.map_local(ContextId(3), client.control, 1);
        rig.map_local(ContextId(3), client.buffers, 8);
    }
    let mut half = rig.driver_half(old.id);
    half.context = 3;
    rig.write_driver_half(old.id, &half);
    rig.command(QueueOperation::Reload, old.id);
    // The context before is gone.
    rig.set_context(CONTEXT, 0, 0);
    rig.invalidate_all();
    rig.command(QueueOperation::Resume, old.id);
    new.wait_done();
    old.wait_done();
}

#[test]
fn deactivate_forgets_the_change() {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let old = held(&rig, &trace);
    let new = old.next_ring(7, 20);
    trace.put(&new);
    new.change_ring();
    rig.command(QueueOperation::Deactivate, old.id);
    assert_eq!(rig.state(old.id), QueueState::INACTIVE);
    trace.signal(1);
    new.change_ring();
    new.take_ring();
    rig.settle();
    assert_eq!(trace.time(1), 0);
    let mut half = rig.driver_half(old.id);
    (half.ring, half.control, half.start) = (old.ring, old.control, 1);
    rig.write_driver_half(old.id, &half);
    old.activate();
    old.submit(&[NOP]);
    old.wait_done();
    new.take_ring();
    rig.settle();
    let half = rig.device_half(old.id);
    assert_eq!((half.ring_changes, half.finished), (0, 1));
    // A count of changes starts anew as well.
    let next = old.next_ring(7, 0);
    next.change_ring();
    assert_eq!(rig.device_half(old.id).ring_changes, 1);
    rig.command(QueueOperation::Deactivate, old.id);
    next.activate();
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
}

#[test]
fn descriptors_that_cannot_be_used_fault_at_the_change() {
    type Change = fn(&mut QueueDriverHalf);
    let rig = Rig::new(Rig::small());
    let changes: [Change; 6] = [
        |half| half.ring += 32,
        |half| half.ring = u64::MAX - 4095,
        |half| half.control += 64,
        |half| half.shape.set_ring_entries_log2(6),
        |half| half.shape.set_ring_entries_log2(17),
        |half| half.reserved0 = 1,
    ];
    for (change, id) in changes.into_iter().zip(0..) {
        for suspended in [false, true] {
            let client = rig.active_queue(id, 0);
            client.submit(&[NOP]);
            client.wait_done();
            if suspended {
                rig.suspend(client.id, 0);
            }
            let mut half = rig.driver_half(client.id);
            change(&mut half);
            rig.write_driver_half(client.id, &half);
            client.change_ring();
            assert_eq!(rig.fault_of(client.id).0, QueueFault::DESCRIPTOR, "{id}");
            assert_eq!(rig.device_half(client.id).ring_changes, 0);
            client.take_ring();
            client.change_ring();
            assert_eq!(rig.state(client.id), QueueState::FAULTED);
            rig.command(QueueOperation::Deactivate, client.id);
        }
    }
}

#[test]
fn a_new_control_block_that_is_not_there_faults_before_the_count() {
    let rig = Rig::new(Rig::small());
    let old = rig.active_queue(0, 0);
    let new = old.next_ring(7, 0);
    let nowhere = 0x7000_0000;
    let mut half = rig.driver_half(old.id);
    half.control = nowhere;
    rig.write_driver_half(old.id, &half);
    new.change_ring();
    assert_eq!(rig.fault_of(old.id), (QueueFault::PAGE, nowhere + 64));
    assert_eq!(rig.device_half(old.id).ring_changes, 0);
}

#[test]
fn kernel_rings_change_too_and_report_what_ran() {
    let rig = Rig::new(Rig::small());
    let host = &rig.host.memory;
    let shape = QueueShape::new().with_engine(1).with_kernel(true);
    let id = QueueId(0);
    let mut half = QueueDriverHalf::new_zeroed();
    half.shape = shape.with_ring_entries_log2(7);
    let rings = [0x1000_u64, 0x3000];
    for ring in rings {
        let words = common::assemble(&[NOP]);
        host.write(ring + 0x1800, words.as_bytes()).unwrap();
        let entry = RingEntry::kernel_bus(BusAddress(HOST + ring + 0x1800), 1, ring).unwrap();
        host.write(ring, entry.as_bytes()).unwrap();
        host.store_u64(ring + 0x1000, 1).unwrap();
    }
    for (ring, operation) in [
        (rings[0], QueueOperation::Activate),
        (rings[1], QueueOperation::ChangeRing),
    ] {
        half.ring = HOST + ring;
        half.control = HOST + ring + 0x1000;
        rig.write_driver_half(id, &half);
        rig.command(operation, id);
        let wanted = Event::BufferCompleted {
            queue: id,
            cookie: ring,
        };
        rig.expect_event("the entry", |event| event == wanted);
    }
    assert_eq!(rig.device_half(id).ring_changes, 1);
    assert_eq!(rig.device_half(id).finished, 2);
}
