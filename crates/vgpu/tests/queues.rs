//! Doorbells, looks, write pointers and the life of queues.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::{GlobalDoorbellValue, NOT_RUNG};
use carillon_hw::event::Event;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{
    ContextId, QueueActivity, QueueDriverHalf, QueueFault, QueueId, QueueShape, QueueState,
};
use carillon_hw::regs::{
    DoorbellControl, DoorbellModel, QueueCommand, QueueOperation, TlbInvalidate, offset,
};
use carillon_vgpu::{Config, Fault, RingAction, Rule};
use common::{CONTEXTS, QUEUES, Rig, doorbell_page, wait_for};

const NOP: Packet = Packet::Nop { dwords: 1 };

fn fill(at: u64, pattern: u32) -> Packet {
    Packet::Fill {
        destination: GpuVa(at),
        bytes: 64,
        pattern,
    }
}

fn bound(id: QueueId) -> DoorbellControl {
    DoorbellControl::bound_to(id)
}

#[test]
fn a_ring_on_a_bound_page_runs_the_entry() {
    let rig = Rig::new(Rig::small());
    let target = rig.buffer(ContextId(1), 1);
    let client = rig.active_queue(3, 1);
    assert_eq!(rig.state(client.id), QueueState::RUNNABLE);
    rig.bind(2, bound(client.id));
    assert_eq!(rig.doorbell_value(2), NOT_RUNG);
    client.put(&[fill(target, 0xA5A5_5A5A)]);
    rig.ring(2, client.write.get());
    client.wait_done();
    let vram = rig.gpu.vram_memory();
    assert_eq!(vram.load_u32(target + 60), Ok(0xA5A5_5A5A));
    assert_eq!(vram.load_u32(target + 64), Ok(0));
    assert_eq!(rig.doorbell_value(2), NOT_RUNG);
    rig.settle();
    let half = rig.device_half(client.id);
    assert_eq!(half.read_pointer, 1);
    assert_eq!(half.seen_write_pointer, 1);
    assert_eq!(half.finished, 1);
    assert_eq!(half.useful_looks, 1);
    assert_eq!(half.activity, QueueActivity::IDLE);
    assert!(half.last_look > 0);
    let stats = rig.gpu.stats();
    assert_eq!((stats.rings, stats.entries_fetched), (1, 1));
    // The value is a hint: any value rings, an equal one rings again, and all ones is no ring.
    for value in [1, 1, 0, NOT_RUNG - 1] {
        client.put(&[NOP]);
        rig.ring(2, value);
        client.wait_done();
    }
    client.put(&[NOP]);
    rig.ring(2, NOT_RUNG);
    rig.settle();
    assert_eq!(client.read_pointer(), 5);
}

/// regression: DB-05
#[test]
fn a_ring_on_an_unbound_page_is_dropped_and_a_look_repairs() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    client.put(&[NOP]);
    rig.ring(0, 1);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    assert_eq!(rig.doorbell_value(0), 1, "nobody took it");
    client.look();
    client.wait_done();
    rig.bind(0, bound(QueueId(5)));
    assert_eq!(rig.doorbell_value(0), NOT_RUNG);
    assert_eq!(rig.gpu.stats().rings, 0);
    assert_eq!(rig.gpu.stats().rings_dropped, 1);
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
}

/// contract: DBNR-002
/// regression: RING-06
#[test]
fn binding_looks_at_the_new_owner_and_not_at_the_former() {
    let rig = Rig::new(Rig::small());
    let (first, second) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    first.put(&[NOP]);
    rig.bind(0, bound(first.id));
    first.wait_done();
    rig.settle();
    let looks = rig.gpu.stats().looks;
    first.put(&[NOP]);
    second.put(&[NOP]);
    rig.bind(0, bound(second.id));
    second.wait_done();
    rig.settle();
    assert_eq!(first.read_pointer(), 1, "the driver has not asked");
    assert_eq!(rig.gpu.stats().looks, looks + 1);
    first.look();
    first.wait_done();
    // Unbinding looks at nobody.
    second.put(&[NOP]);
    rig.bind(0, DoorbellControl::UNBOUND);
    rig.settle();
    assert_eq!(second.read_pointer(), 1);
}

/// regression: DB-01, DB-10
#[test]
fn a_recycled_page_rings_once_for_any_value() {
    // The old owner's last value must neither ring for the new owner nor hide its first ring.
    let rig = Rig::new(Rig::small());
    let old = rig.active_queue(0, 0);
    rig.bind(1, bound(old.id));
    for _ in 0..5 {
        old.put(&[NOP]);
        rig.ring(1, old.write.get());
        old.wait_done();
    }
    for (id, value) in [(1, 0), (2, 5), (3, 1)] {
        rig.bind(1, DoorbellControl::UNBOUND);
        // A late ring of the former owner.
        rig.ring(1, 5);
        let new = rig.active_queue(id, 0);
        rig.bind(1, bound(new.id));
        assert_eq!(rig.doorbell_value(1), NOT_RUNG);
        assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
        rig.settle();
        assert_eq!(rig.device_half(new.id).useful_looks, 0);
        new.put(&[NOP]);
        rig.ring(1, value);
        new.wait_done();
        rig.settle();
        assert_eq!(rig.device_half(new.id).finished, 1);
    }
}

#[test]
fn accessed_bits_are_set_by_rings_and_cleared_by_reading() {
    let rig = Rig::new(Config {
        doorbells: 40,
        ..Rig::small()
    });
    let client = rig.active_queue(0, 0);
    for page in [3, 39] {
        rig.bind(page, bound(client.id));
        rig.ring(page, 0);
        wait_for("the ring", || rig.doorbell_value(page) == NOT_RUNG);
    }
    wait_for("both rings", || rig.gpu.stats().rings == 2);
    rig.settle();
    let (low, high) = (doorbell_page(3), doorbell_page(39));
    assert_eq!(rig.read32(low.accessed_register()), low.accessed_bit());
    assert_eq!(rig.read32(low.accessed_register()), 0);
    assert_eq!(rig.read32(high.accessed_register()), high.accessed_bit());
}

#[test]
fn several_pages_may_serve_one_queue() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, bound(client.id));
    rig.bind(3, bound(client.id));
    for page in [0, 3, 0] {
        client.put(&[NOP]);
        rig.ring(page, 0);
        client.wait_done();
    }
    assert_eq!(
        rig.read64(doorbell_page(3).control_register()),
        bound(client.id).into_bits()
    );
}

#[test]
fn watched_queues_are_looked_at_until_a_page_is_bound() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(6, 0);
    client.put(&[NOP]);
    rig.command(QueueOperation::Watch, client.id);
    client.wait_done();
    for _ in 0..3 {
        client.put(&[NOP]);
        client.wait_done();
    }
    // Suspended, nothing is looked at; watching goes on after the resume.
    rig.suspend(client.id, 0);
    client.put(&[NOP]);
    rig.settle();
    assert_eq!(client.read_pointer(), 4);
    rig.command(QueueOperation::Resume, client.id);
    client.wait_done();
    client.put(&[NOP]);
    client.wait_done();
    // A page ends it.
    rig.bind(0, bound(client.id));
    rig.bind(0, DoorbellControl::UNBOUND);
    client.put(&[NOP]);
    rig.settle();
    assert_eq!(client.read_pointer(), 6);
    // So does a deactivate.
    rig.command(QueueOperation::Watch, client.id);
    client.wait_done();
    rig.command(QueueOperation::Deactivate, client.id);
    client.set_write_pointer(0);
    client.activate();
    client.put(&[NOP]);
    rig.settle();
    assert_eq!(rig.device_half(client.id).finished, 0);
}

/// regression: RING-04
#[test]
fn write_pointers_wrap_at_the_ring_and_at_two_to_the_64() {
    let rig = Rig::new(Rig::small());
    let client = rig.queue(0, 0);
    let target = rig.buffer(ContextId(0), 1);
    client.start_at(u64::MAX - 100);
    client.activate();
    assert_eq!(rig.device_half(client.id).read_pointer, u64::MAX - 100);
    // Full to the last slot, twice round, across the wrap.
    for round in 0..2 {
        for index in 0..128 {
            client.put(&[fill(target, round * 128 + index)]);
        }
        client.look();
        client.wait_done();
        let last = rig.gpu.vram_memory().load_u32(target);
        assert_eq!(last, Ok(round * 128 + 127));
    }
    assert_eq!(client.read_pointer(), 155);
    rig.settle();
    assert_eq!(rig.device_half(client.id).finished, 256);
    assert_eq!(rig.gpu.stats().queue_faults, 0);
}

/// contract: SECR-001
/// regression: RING-01, RING-02
#[test]
fn runaway_and_backward_write_pointers_fault_only_their_queue() {
    let rig = Rig::new(Rig::small());
    let neighbour = rig.active_queue(9, 0);
    for (id, start, write) in [
        (0, 0, 129),
        (1, 0, u64::MAX),
        (2, 50, 49),
        (3, u64::MAX, 128),
        (4, 1 << 63, 0),
    ] {
        let client = rig.queue(id, 0);
        client.start_at(start);
        client.activate();
        client.set_write_pointer(write);
        client.look();
        let wanted = (QueueFault::WRITE_POINTER, write);
        assert_eq!(rig.fault_of(client.id), wanted);
        let event = Event::QueueFaulted {
            queue: client.id,
            fault: QueueFault::WRITE_POINTER,
            address: write,
        };
        rig.expect_event("the fault event", |found| found == event);
        // It stays down until activated again.
        client.set_write_pointer(start.wrapping_add(1));
        client.look();
        rig.command(QueueOperation::Resume, client.id);
        assert_eq!(rig.state(client.id), QueueState::FAULTED);
        neighbour.submit(&[NOP]);
        neighbour.wait_done();
    }
    assert_eq!(rig.gpu.stats().entries_fetched, 5);
}

/// regression: RING-02
#[test]
fn a_write_pointer_that_runs_back_under_a_running_entry_faults() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    let fence = rig.buffer(ContextId(0), 1);
    client.submit(&[Packet::FenceWait {
        current: GpuVa(fence),
        value: 1,
        handle: 0,
    }]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    client.set_write_pointer(0);
    client.look();
    rig.gpu.vram_memory().store_u64(fence, 1).unwrap();
    assert_eq!(rig.fault_of(client.id), (QueueFault::WRITE_POINTER, 0));
}

/// contract: SUS-010
/// regression: SUSP-04
#[test]
fn suspend_holds_work_until_resume() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(1, 0);
    let completed = |tag| Event::SuspendCompleted {
        queue: client.id,
        tag,
    };
    rig.suspend(client.id, 77);
    assert_eq!(rig.state(client.id), QueueState::SUSPENDED);
    assert_eq!(rig.take_event(), Some(completed(77)));
    rig.bind(0, bound(client.id));
    client.submit(&[NOP]);
    rig.ring(0, 1);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    // On a queue that is suspended already: the event at once, with the largest tag.
    rig.suspend(client.id, (1 << 24) - 1);
    assert_eq!(rig.take_event(), Some(completed((1 << 24) - 1)));
    rig.command(QueueOperation::Resume, client.id);
    client.wait_done();
    wait_for("one message", || rig.messages() == 1);
}

#[test]
fn suspend_in_the_middle_of_a_buffer_goes_on_there() {
    let rig = Rig::new(Rig::small());
    let context = ContextId(0);
    let fence = rig.buffer(context, 1);
    let target = rig.buffer(context, 1);
    let client = rig.active_queue(0, 0);
    client.submit(&[
        fill(target, 1),
        Packet::FenceWait {
            current: GpuVa(fence),
            value: 1,
            handle: 0,
        },
        fill(target + 64, 2),
    ]);
    let vram = rig.gpu.vram_memory();
    wait_for("the first packet", || vram.load_u32(target) == Ok(1));
    rig.suspend(client.id, 0);
    vram.store_u32(target, 9).unwrap();
    vram.store_u64(fence, 1).unwrap();
    rig.settle();
    assert_eq!(vram.load_u32(target + 64), Ok(0), "it is suspended");
    rig.command(QueueOperation::Resume, client.id);
    client.wait_done();
    assert_eq!(vram.load_u32(target), Ok(9), "the first packet ran once");
    assert_eq!(vram.load_u32(target + 64), Ok(2));
}

#[test]
fn deactivate_drops_what_is_pending_and_activate_begins_anew() {
    let rig = Rig::new(Rig::small());
    let fence = rig.buffer(ContextId(0), 1);
    let client = rig.active_queue(0, 0);
    client.put(&[Packet::FenceWait {
        current: GpuVa(fence),
        value: 1,
        handle: 0,
    }]);
    client.submit(&[NOP]);
    wait_for("the fetch", || rig.gpu.stats().entries_fetched == 1);
    rig.command(QueueOperation::Deactivate, client.id);
    assert_eq!(rig.state(client.id), QueueState::INACTIVE);
    assert!(rig.status().idle());
    rig.gpu.vram_memory().store_u64(fence, 1).unwrap();
    rig.command(QueueOperation::Resume, client.id);
    client.look();
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    client.start_at(10);
    client.activate();
    client.submit(&[NOP]);
    client.wait_done();
    assert_eq!(rig.device_half(client.id).read_pointer, 11);
    // Activating an active queue changes nothing.
    client.activate();
    assert_eq!(rig.device_half(client.id).finished, 1);
}

/// regression: RING-12
#[test]
fn descriptors_that_cannot_be_used_fault_at_activate_and_reload() {
    type Change = fn(&mut QueueDriverHalf);
    let rig = Rig::new(Rig::small());
    let client = rig.queue(0, 0);
    let good = rig.driver_half(client.id);
    let changes: [Change; 14] = [
        |half| half.ring += 32,
        |half| half.ring = u64::MAX - 4095,
        |half| half.control += 64,
        |half| half.control = u64::MAX - 127,
        |half| half.shape.set_ring_entries_log2(6),
        |half| half.shape.set_ring_entries_log2(17),
        |half| half.shape.set_ring_entries_log2(31),
        |half| half.shape.set_engine(3),
        |half| half.context = CONTEXTS,
        |half| half.context = u32::MAX,
        |half| half.reserved0 = 1,
        |half| half.reserved1 = 1,
        |half| half.signal_log = 4,
        |half| (half.wait_log, half.log_entries) = (4096, 0),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut bad = good;
        change(&mut bad);
        for reload in [false, true] {
            rig.write_driver_half(client.id, &good);
            rig.command(QueueOperation::Deactivate, client.id);
            if reload {
                client.activate();
                assert_eq!(rig.state(client.id), QueueState::RUNNABLE);
            }
            rig.write_driver_half(client.id, &bad);
            let operation = if reload {
                QueueOperation::Reload
            } else {
                QueueOperation::Activate
            };
            rig.command(operation, client.id);
            let (fault, _) = rig.fault_of(client.id);
            assert_eq!(fault, QueueFault::DESCRIPTOR, "change {index}");
        }
    }
    rig.write_driver_half(client.id, &good);
    client.activate();
    client.submit(&[NOP]);
    client.wait_done();
    assert_eq!(rig.device_half(client.id).fault, QueueFault::NONE);
}

#[test]
fn reload_moves_ring_and_engine() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    client.submit(&[NOP]);
    client.wait_done();
    // Another ring, on another engine, for the same queue.
    let shape = QueueShape::new().with_engine(0).with_band(3);
    let other = rig.queue_on(0, 0, shape);
    other.set_write_pointer(1);
    other.put(&[NOP]);
    rig.command(QueueOperation::Reload, client.id);
    other.look();
    other.wait_done();
    assert_eq!(client.read_pointer(), 1, "the old control block is left");
    rig.expect_event("engine 0 idle", |event| {
        event == Event::EngineIdle { engine: 0 }
    });
}

#[test]
fn commands_for_queues_and_operations_that_do_not_exist_are_ignored() {
    let rig = Rig::new(Rig::small());
    for id in [QUEUES, u32::MAX] {
        for operation in [QueueOperation::Activate, QueueOperation::Deactivate] {
            rig.command(operation, QueueId(id));
        }
        rig.suspend(QueueId(id), 1);
        rig.bind(0, bound(QueueId(id)));
        rig.ring(0, 1);
        wait_for("the ring", || rig.doorbell_value(0) == NOT_RUNG);
    }
    let unknown = QueueCommand::from_bits(u64::MAX);
    assert_eq!(unknown.operation(), None);
    rig.write64(offset::QUEUE_COMMAND, unknown.into_bits());
    rig.write64(
        offset::TLB_INVALIDATE,
        TlbInvalidate::new().with_context(u32::MAX).into_bits(),
    );
    rig.settle();
    assert_eq!(rig.read32(offset::EVENT_WRITE), 0);
    assert_eq!(rig.gpu.stats().looks, 0);
    // The last queue of the table is one.
    let last = rig.active_queue(QUEUES - 1, 0);
    last.submit(&[NOP]);
    last.wait_done();
}

/// regression: DB-12
#[test]
fn a_table_of_a_million_queues() {
    let entries = 1 << 20;
    let mut rig = Rig::cold(Config::default());
    rig.queue_table = (128 << 20, entries);
    rig.start();
    let first = rig.active_queue(0, 0);
    let last = rig.active_queue(entries - 1, 0);
    let shared = rig.driver_half(last.id);
    // Many active ones, all with the ring of the last, which stays behind its write pointer.
    for id in 1..5000 {
        rig.write_driver_half(QueueId(id), &shared);
        rig.command(QueueOperation::Activate, QueueId(id));
    }
    rig.bind(0, bound(last.id));
    last.put(&[NOP]);
    rig.ring(0, 1);
    last.wait_done();
    first.submit(&[NOP]);
    first.wait_done();
    assert_eq!(rig.device_half(last.id).finished, 1);
    assert_eq!(rig.gpu.stats().entries_fetched, 2);
    assert_eq!(rig.gpu.stats().looks, 5000 + 1 + 1 + 1 + 1);
}

/// contract: SECR-002
#[test]
fn global_pages_ring_for_their_own_queues_only() {
    let rig = Rig::new(Config {
        model: DoorbellModel::Global,
        ..Rig::small()
    });
    let on_page = |id, page| {
        let client = rig.queue(id, 0);
        let mut half = rig.driver_half(client.id);
        half.doorbell_page = page;
        rig.write_driver_half(client.id, &half);
        client.activate();
        client
    };
    let (mine, also_mine, foreign) = (on_page(1, 2), on_page(2, 2), on_page(3, 1));
    let unbound = GlobalDoorbellValue::for_queue(mine.id);
    mine.put(&[NOP]);
    rig.ring(2, unbound.into_bits());
    rig.settle();
    assert_eq!(mine.read_pointer(), 0, "the page is not bound");
    // The queue field is ignored; binding looks at the page's queues.
    rig.bind(2, bound(foreign.id));
    mine.wait_done();
    // A ring that names a foreign queue serves the page's own ones all the same.
    for client in [&mine, &also_mine, &foreign] {
        client.put(&[NOP]);
    }
    let naming = GlobalDoorbellValue::for_queue(foreign.id);
    rig.ring(2, naming.into_bits());
    mine.wait_done();
    also_mine.wait_done();
    rig.settle();
    assert_eq!(foreign.read_pointer(), 0);
    rig.bind(1, bound(QueueId(0)));
    foreign.wait_done();
    // A queue that left the page is not served by it.
    rig.command(QueueOperation::Deactivate, also_mine.id);
    also_mine.put(&[NOP]);
    rig.ring(2, 0);
    wait_for("the ring", || rig.gpu.stats().rings == 2);
    rig.settle();
    assert_eq!(also_mine.read_pointer(), 1);
    // A page that does not exist cannot be named.
    let client = rig.queue(5, 0);
    let mut half = rig.driver_half(client.id);
    half.doorbell_page = 4;
    rig.write_driver_half(client.id, &half);
    client.activate();
    assert_eq!(rig.fault_of(client.id), (QueueFault::DESCRIPTOR, 4));
}

#[test]
fn rings_can_be_dropped_and_delayed() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, bound(client.id));
    let inject = |action| {
        let rule = Rule::Ring {
            page: Some(0),
            action,
        };
        rig.gpu.inject(Fault::once(rule));
    };
    inject(RingAction::Drop);
    client.put(&[NOP]);
    rig.ring(0, 1);
    wait_for("the ring", || rig.gpu.stats().rings == 1);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    client.look();
    client.wait_done();
    inject(RingAction::Delay { rounds: 100 });
    inject(RingAction::Delay { rounds: 0 });
    for _ in 0..3 {
        client.put(&[NOP]);
        rig.ring(0, 1);
        client.wait_done();
    }
}

/// Ends the other thread of a test, also when this one fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// regression: DB-05, DB-18
#[test]
fn a_racing_client_never_loses_a_submission() {
    // The client rings while the driver takes the page away and gives it back, as a driver does
    // it: unbind, look, bind.
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    let other = rig.active_queue(1, 0);
    let done = AtomicBool::new(false);
    let round = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut rebound = 0;
            while !done.load(Ordering::Relaxed) {
                // Once in a round, so that nothing but its own ring or look can help an entry.
                if round.load(Ordering::Acquire) == rebound {
                    std::hint::spin_loop();
                    continue;
                }
                rebound += 1;
                rig.bind(0, bound(other.id));
                rig.command(QueueOperation::Look, QueueId(0));
                rig.bind(0, bound(QueueId(0)));
            }
        });
        let _ends = Done(&done);
        for _ in 0..5000 {
            round.fetch_add(1, Ordering::Release);
            client.put(&[NOP]);
            rig.ring(0, client.write.get());
            client.wait_done();
        }
    });
    assert_eq!(rig.device_half(client.id).finished, 5000);
}
