//! Clients that leave out a barrier, and those that do not (`docs/hardware.md` section 7.1).

mod common;

use carillon_hw::addr::GpuVa;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{ContextId, QueueFault};
use carillon_hw::regs::{Control, DoorbellControl, DoorbellModel, offset};
use carillon_hw::ring::RingEntry;
use carillon_vgpu::{Config, Fault, RingAction, Rule};
use common::{Client, Random, Rig, wait_for};

fn fill(at: u64, pattern: u32) -> Packet {
    Packet::Fill {
        destination: GpuVa(at),
        bytes: 4,
        pattern,
    }
}

/// Every ring overtakes whatever it can.
fn weakly_ordered(rig: &Rig) {
    rig.gpu.inject(Fault::always(Rule::Ring {
        page: None,
        action: RingAction::Overtake,
    }));
}

/// Rings and waits until the device has looked.
fn ring(rig: &Rig, client: &Client<'_>) {
    let rings = rig.gpu.stats().rings;
    rig.ring(0, client.write.get());
    wait_for("the ring", || rig.gpu.stats().rings > rings);
}

/// regression: RING-05
#[test]
fn a_client_without_a_barrier_is_caught_and_a_later_look_finds_its_work() {
    for model in [DoorbellModel::Dedicated, DoorbellModel::Global] {
        let rig = Rig::new(Config {
            model,
            ..Rig::small()
        });
        let target = rig.buffer(ContextId(0), 1);
        let client = rig.active_queue(0, 0);
        rig.bind(0, DoorbellControl::bound_to(client.id));
        weakly_ordered(&rig);
        let vram = rig.gpu.vram_memory();
        let looks = rig.gpu.stats().looks;
        client.put(&[fill(target, 1)]);
        ring(&rig, &client);
        rig.settle();
        // The ring was answered by a look, which saw nothing, and nobody comes back on his own:
        // that is how the missing barrier shows.
        assert_eq!(rig.gpu.stats().looks, looks + 1);
        assert_eq!(rig.gpu.stats().entries_fetched, 0);
        assert_eq!((client.read_pointer(), vram.load_u32(target)), (0, Ok(0)));
        // Nothing is broken by it.
        client.look();
        client.wait_done();
        assert_eq!(vram.load_u32(target), Ok(1));
        rig.settle();
        assert_eq!(rig.device_half(client.id).finished, 1);
        // A barrier behind the ring is too late.
        client.put(&[fill(target, 2)]);
        ring(&rig, &client);
        rig.settle();
        rig.gpu.client_barrier();
        rig.settle();
        assert_eq!(client.read_pointer(), 1);
        // The next submission's ring finds both, since its barrier covers both.
        client.put(&[fill(target + 4, 3)]);
        rig.gpu.client_barrier();
        ring(&rig, &client);
        client.wait_done();
        let found = (vram.load_u32(target), vram.load_u32(target + 4));
        assert_eq!(found, (Ok(2), Ok(3)));
    }
}

/// regression: RING-05
#[test]
fn a_client_with_its_barrier_is_served_by_every_ring() {
    let rig = Rig::new(Rig::small());
    let target = rig.buffer(ContextId(0), 1);
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    weakly_ordered(&rig);
    for pattern in 1..=500 {
        client.put(&[fill(target, pattern)]);
        rig.gpu.client_barrier();
        rig.ring(0, client.write.get());
        client.wait_done();
        assert_eq!(rig.gpu.vram_memory().load_u32(target), Ok(pattern));
    }
    rig.settle();
    assert_eq!(rig.device_half(client.id).finished, 500);
    assert_eq!(rig.gpu.stats().queue_faults, 0);
}

/// What a barrier made visible runs, what came after it does not.
///
/// regression: RING-05
#[test]
fn a_ring_sees_as_far_as_the_barrier() {
    let mut random = Random(common::seed());
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    weakly_ordered(&rig);
    let target = rig.buffer(ContextId(0), 1);
    for _ in 0..200 {
        for _ in 0..=random.below(3) {
            client.put(&[fill(target, 1)]);
        }
        rig.gpu.client_barrier();
        let visible = client.write.get();
        let hidden = random.below(3);
        for _ in 0..hidden {
            client.put(&[fill(target, 1)]);
        }
        ring(&rig, &client);
        wait_for("what is visible", || client.read_pointer() == visible);
        rig.settle();
        assert_eq!(client.read_pointer(), visible);
        client.look();
        client.wait_done();
    }
    assert_eq!(rig.gpu.stats().entries_fetched, client.write.get());
    assert_eq!(rig.gpu.stats().queue_faults, 0);
}

/// The other barrier, between entry and write pointer: a slot that was published before its bytes.
///
/// regression: RING-05
#[test]
fn a_write_pointer_before_its_entry_is_caught_and_runs_nothing() {
    let rig = Rig::new(Rig::small());
    let target = rig.buffer(ContextId(0), 1);
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    let words = common::assemble(&[fill(target, 1)]);
    let vram = rig.gpu.vram_memory();
    vram.write(client.buffers, zerocopy::IntoBytes::as_bytes(&words[..]))
        .unwrap();
    client.set_write_pointer(1);
    rig.ring(0, 1);
    // A slot that was never written has no length.
    let wanted = (QueueFault::RING_ENTRY, client.ring);
    assert_eq!(rig.fault_of(client.id), wanted);
    client.set_write_pointer(0);
    let length = u32::try_from(words.len()).unwrap();
    client.put_entry(&RingEntry::user(GpuVa(client.buffers), length).unwrap());
    rig.ring(0, 1);
    rig.settle();
    assert_eq!(vram.load_u32(target), Ok(0));
}

/// A suspended queue has no look to spoil; that of its resume sees everything.
///
/// regression: RING-05
#[test]
fn a_ring_while_suspended_does_not_spoil_the_resume() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    weakly_ordered(&rig);
    rig.suspend(client.id, 0);
    client.put(&[Packet::Nop { dwords: 1 }]);
    ring(&rig, &client);
    rig.settle();
    rig.command(carillon_hw::regs::QueueOperation::Resume, client.id);
    client.wait_done();
}

/// regression: RING-05
#[test]
fn a_ring_while_disabled_does_not_spoil_the_enable() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(client.id));
    weakly_ordered(&rig);
    rig.write32(offset::CONTROL, 0);
    client.put(&[Packet::Nop { dwords: 1 }]);
    ring(&rig, &client);
    rig.settle();
    let enable = Control::new().with_enable(true);
    rig.write32(offset::CONTROL, enable.into_bits());
    client.wait_done();
}
