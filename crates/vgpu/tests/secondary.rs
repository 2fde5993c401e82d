//! Secondary doorbell pages.

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use carillon_hw::doorbell::{GlobalDoorbellValue, NOT_RUNG};
use carillon_hw::packet::Packet;
use carillon_hw::queue::QueueId;
use carillon_hw::regs::{
    Control, DoorbellCaps, DoorbellControl, DoorbellModel, QueueOperation, offset,
};
use carillon_vgpu::{Config, Fault, RingAction, Rule};
use common::{Rig, doorbell_page, wait_for};

const NOP: Packet = Packet::Nop { dwords: 1 };
const PAGES: u32 = 3;

fn config() -> Config {
    Config {
        doorbells: PAGES,
        secondary_pages: true,
        ..Rig::small()
    }
}

fn bound(id: QueueId) -> DoorbellControl {
    DoorbellControl::bound_to(id)
}

fn bound_twice(id: QueueId) -> DoorbellControl {
    bound(id).with_secondary(true)
}

fn place(page: u32) -> u64 {
    doorbell_page(page).secondary_bar_offset(PAGES)
}

/// What a client stores to the secondary page.
fn ring_second(rig: &Rig, page: u32, value: u64) {
    let memory = rig.gpu.doorbell_memory();
    memory.store_u64(place(page), value).unwrap();
}

fn second_value(rig: &Rig, page: u32) -> u64 {
    rig.gpu.doorbell_memory().load_u64(place(page)).unwrap()
}

#[test]
fn only_a_device_that_has_them_says_so() {
    for secondary_pages in [false, true] {
        let rig = Rig::cold(Config {
            secondary_pages,
            ..config()
        });
        let caps = DoorbellCaps::from_bits(rig.read32(offset::DOORBELL_CAPS));
        assert_eq!((caps.pages(), caps.secondary()), (PAGES, secondary_pages));
        let pages = if secondary_pages { 8 } else { 4 };
        assert_eq!(rig.gpu.doorbell_memory().len(), pages * 4096);
        // The bit is kept where it means something.
        rig.bind(2, bound_twice(QueueId(7)));
        let read = rig.read64(doorbell_page(2).control_register());
        let wanted = bound(QueueId(7)).with_secondary(secondary_pages);
        assert_eq!(read, wanted.into_bits());
    }
}

#[test]
fn both_pages_ring_for_the_queue_and_set_one_accessed_bit() {
    let rig = Rig::new(config());
    let client = rig.active_queue(0, 0);
    for page in [0, PAGES - 1] {
        rig.bind(page, bound_twice(client.id));
        let bit = doorbell_page(page).accessed_bit();
        assert_eq!(second_value(&rig, page), NOT_RUNG);
        for second in [true, false, true, true] {
            client.put(&[NOP]);
            if second {
                ring_second(&rig, page, 0);
            } else {
                rig.ring(page, 0);
            }
            client.wait_done();
            rig.settle();
            assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), bit);
            assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
        }
        assert_eq!(second_value(&rig, page), NOT_RUNG, "it was taken");
    }
    assert_eq!(rig.gpu.stats().rings, 8);
    assert_eq!(rig.device_half(client.id).finished, 8);
}

#[test]
fn a_secondary_page_that_is_not_bound_as_one_reaches_nobody() {
    let rig = Rig::new(config());
    let client = rig.active_queue(0, 0);
    for control in [
        bound(client.id),
        DoorbellControl::UNBOUND,
        DoorbellControl::UNBOUND.with_secondary(true),
    ] {
        rig.bind(1, control);
        let dropped = rig.gpu.stats().rings_dropped;
        client.put(&[NOP]);
        ring_second(&rig, 1, 5);
        rig.settle();
        assert_eq!(second_value(&rig, 1), 5, "nobody took it");
        assert_ne!(client.read_pointer(), client.write.get());
        assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
        client.look();
        client.wait_done();
        // It does not ring for whoever comes next.
        let next = rig.queue(1, 0);
        next.activate();
        rig.bind(1, bound_twice(next.id));
        assert_eq!(second_value(&rig, 1), NOT_RUNG);
        assert_eq!(rig.gpu.stats().rings_dropped, dropped + 1);
        rig.settle();
        assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
    }
    assert_eq!(rig.gpu.stats().rings, 0);
}

#[test]
fn a_new_binding_clears_both_pages() {
    let rig = Rig::new(config());
    let (old, new) = (rig.active_queue(0, 0), rig.active_queue(1, 0));
    rig.bind(0, bound_twice(old.id));
    rig.ring(0, 1);
    ring_second(&rig, 0, 1);
    wait_for("both rings", || rig.gpu.stats().rings == 2);
    rig.bind(0, DoorbellControl::UNBOUND);
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
    rig.ring(0, 2);
    ring_second(&rig, 0, 3);
    new.put(&[NOP]);
    rig.bind(0, bound_twice(new.id));
    assert_eq!(
        (rig.doorbell_value(0), second_value(&rig, 0)),
        (NOT_RUNG, NOT_RUNG)
    );
    assert_eq!(rig.gpu.stats().rings_dropped, 2);
    new.wait_done();
    rig.settle();
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
    // From both to one: the other is deaf from then on.
    rig.bind(0, bound(new.id));
    new.put(&[NOP]);
    ring_second(&rig, 0, 4);
    rig.settle();
    assert_eq!(new.read_pointer(), 1);
    rig.ring(0, 4);
    new.wait_done();
}

#[test]
fn a_reset_clears_both_pages_and_watches_neither() {
    let rig = Rig::new(config());
    let client = rig.active_queue(0, 0);
    rig.bind(2, bound_twice(client.id));
    ring_second(&rig, 2, 1);
    wait_for("the ring", || second_value(&rig, 2) == NOT_RUNG);
    rig.write32(offset::CONTROL, Control::new().with_reset(true).into());
    assert_eq!(rig.read64(doorbell_page(2).control_register()), 0);
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), 0);
    rig.ring(2, 6);
    ring_second(&rig, 2, 7);
    rig.settle();
    assert_eq!((rig.doorbell_value(2), second_value(&rig, 2)), (6, 7));
    rig.start();
    assert_eq!(
        (rig.doorbell_value(2), second_value(&rig, 2)),
        (NOT_RUNG, NOT_RUNG)
    );
}

#[test]
fn global_pages_have_secondary_ones_too() {
    let rig = Rig::new(Config {
        model: DoorbellModel::Global,
        ..config()
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
    let everybody = [&mine, &also_mine, &foreign];
    rig.bind(2, bound(QueueId(0)));
    for client in everybody {
        client.put(&[NOP]);
    }
    let naming = |queue| GlobalDoorbellValue::for_queue(queue).into_bits();
    ring_second(&rig, 2, naming(mine.id));
    rig.settle();
    assert_eq!(mine.read_pointer(), 0, "not bound as a secondary page");
    rig.bind(2, bound_twice(QueueId(0)));
    mine.wait_done();
    also_mine.wait_done();
    for client in everybody {
        client.put(&[NOP]);
    }
    ring_second(&rig, 2, naming(foreign.id));
    mine.wait_done();
    also_mine.wait_done();
    rig.settle();
    assert_eq!(foreign.read_pointer(), 0);
    let bit = doorbell_page(2).accessed_bit();
    assert_eq!(rig.read32(offset::DOORBELL_ACCESSED), bit);
}

#[test]
fn faults_of_a_page_meet_its_secondary_rings() {
    let rig = Rig::new(config());
    let client = rig.active_queue(0, 0);
    rig.bind(1, bound_twice(client.id));
    rig.gpu.inject(Fault::once(Rule::Ring {
        page: Some(1),
        action: RingAction::Drop,
    }));
    client.put(&[NOP]);
    ring_second(&rig, 1, 0);
    wait_for("the ring", || rig.gpu.stats().rings == 1);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    ring_second(&rig, 1, 0);
    client.wait_done();
}

#[test]
fn two_threads_that_ring_one_page_each_lose_nothing() {
    let rig = Rig::new(Config {
        model: DoorbellModel::Global,
        ..config()
    });
    for id in 0..2 {
        rig.queue(id, 0).activate();
    }
    rig.bind(0, bound_twice(QueueId(0)));
    let submit = |id, ring: &dyn Fn()| {
        let client = rig.client_of(id, 0);
        for _ in 0..3000 {
            client.put(&[NOP]);
            ring();
            client.wait_done();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| submit(1, &|| ring_second(&rig, 0, 1)));
        submit(0, &|| rig.ring(0, 0));
    });
    for id in 0..2 {
        assert_eq!(rig.device_half(QueueId(id)).finished, 3000);
    }
}

/// Ends the other thread of a test, also when this one fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_client_of_the_secondary_page_races_with_new_bindings() {
    let rig = Rig::new(config());
    let client = rig.active_queue(0, 0);
    let other = rig.active_queue(1, 0);
    let (done, round) = (AtomicBool::new(false), AtomicU64::new(0));
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
                rig.bind(0, bound_twice(other.id));
                rig.command(QueueOperation::Look, QueueId(0));
                rig.bind(0, bound_twice(QueueId(0)));
            }
        });
        let _ends = Done(&done);
        for _ in 0..3000 {
            round.fetch_add(1, Ordering::Release);
            client.put(&[NOP]);
            ring_second(&rig, 0, 0);
            client.wait_done();
        }
    });
    assert_eq!(rig.device_half(client.id).finished, 3000);
}
