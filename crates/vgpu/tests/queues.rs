//! Doorbells, looks and the life of queues.

mod common;

use carillon_hw::addr::GpuVa;
use carillon_hw::doorbell::NOT_RUNG;
use carillon_hw::packet::Packet;
use carillon_hw::queue::{QueueActivity, QueueId, QueueState};
use carillon_hw::regs::{DoorbellControl, QueueOperation};
use common::{Rig, wait_for};

fn fill(at: u64, pattern: u32) -> Packet {
    Packet::Fill {
        destination: GpuVa(at),
        bytes: 64,
        pattern,
    }
}

#[test]
fn a_ring_on_a_bound_page_runs_the_entry() {
    let rig = Rig::new(Rig::small());
    let target = rig.buffer(carillon_hw::queue::ContextId(1), 1);
    let client = rig.active_queue(3, 1);
    assert_eq!(rig.state(client.id), QueueState::RUNNABLE);
    rig.bind(2, DoorbellControl::bound_to(client.id));
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
    assert_eq!(rig.gpu.stats().rings, 1);
    assert_eq!(rig.gpu.stats().entries_fetched, 1);
}

#[test]
fn a_ring_on_an_unbound_page_is_dropped_and_a_look_repairs() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(0, 0);
    client.put(&[Packet::Nop { dwords: 1 }]);
    rig.ring(0, 1);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    assert_eq!(rig.doorbell_value(0), 1, "nobody took it");
    client.look();
    client.wait_done();
    rig.bind(0, DoorbellControl::bound_to(QueueId(5)));
    assert_eq!(rig.doorbell_value(0), NOT_RUNG);
    assert_eq!(rig.gpu.stats().rings, 0);
    assert_eq!(rig.gpu.stats().rings_dropped, 1);
}

#[test]
fn suspend_holds_work_until_resume() {
    let rig = Rig::new(Rig::small());
    let client = rig.active_queue(1, 0);
    rig.suspend(client.id, 77);
    assert_eq!(rig.state(client.id), QueueState::SUSPENDED);
    wait_for("completion", || {
        rig.take_event()
            == Some(carillon_hw::event::Event::SuspendCompleted {
                queue: client.id,
                tag: 77,
            })
    });
    client.submit(&[Packet::Nop { dwords: 1 }]);
    rig.settle();
    assert_eq!(client.read_pointer(), 0);
    rig.command(QueueOperation::Resume, client.id);
    client.wait_done();
    assert_eq!(rig.messages(), 1);
}
