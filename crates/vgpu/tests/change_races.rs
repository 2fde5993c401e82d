//! Queues that go over to other rings at random moments.

mod common;

use carillon_hw::regs::{DoorbellControl, QueueOperation, offset};
use common::trace::{Trace, fetched};
use common::{Random, Rig, wait_for};

/// One round of [`random_changes_lose_nothing_and_run_nothing_twice`].
fn random_round(random: &mut Random) {
    let rig = Rig::new(Rig::small());
    let trace = Trace::new(&rig);
    let mut present = rig.active_queue(0, 0);
    rig.bind(0, DoorbellControl::bound_to(present.id));
    let (mut fence, mut waits, mut changes) = (0, 0, 0);
    for _ in 0..6 {
        // An entry that holds the ring lets the client publish to it after the command.
        let holds = random.below(2) == 0;
        if holds {
            fence += 1;
            waits += 1;
            present.put(&[trace.wait(fence)]);
        }
        for _ in 0..random.below(30) {
            trace.put(&present);
        }
        match random.below(3) {
            0 => rig.ring(0, 0),
            1 => present.look(),
            _ => {}
        }
        let suspended = random.below(4) == 0;
        if suspended {
            rig.suspend(present.id, 0);
        }
        let stopped = random.below(4) == 0;
        if stopped {
            // An engine reset would fault the queue that runs: only one that does not run.
            rig.suspend(present.id, 0);
            rig.write32(offset::ENGINE_RESET, 1);
        }
        let start = random.0;
        let log2 = 7 + u32::try_from(random.below(2)).unwrap();
        let next = present.next_ring(log2, start);
        next.change_ring();
        changes += 1;
        if holds {
            for _ in 0..random.below(30) {
                trace.put(&present);
            }
        }
        for _ in 0..random.below(30) {
            trace.put(&next);
            if random.below(8) == 0 {
                rig.ring(0, 0);
            }
        }
        if stopped {
            rig.write32(offset::ENGINE_RESUME, 1);
        }
        if suspended || stopped {
            rig.command(QueueOperation::Resume, present.id);
        }
        trace.signal(fence);
        rig.ring(0, 0);
        if random.below(2) == 0 {
            next.wait_done();
        } else {
            wait_for("the change", || {
                rig.device_half(next.id).ring_changes == changes
            });
        }
        present = next;
    }
    present.look();
    present.wait_done();
    rig.settle();
    trace.assert_in_order();
    let half = rig.device_half(present.id);
    assert_eq!(half.finished, trace.next.get() + waits);
    assert_eq!(fetched(&rig), half.finished, "each once");
    assert_eq!(rig.gpu.stats().queue_faults, 0);
}

#[test]
fn random_changes_lose_nothing_and_run_nothing_twice() {
    let mut random = Random(common::seed());
    for round in 0..60 {
        println!("round {round} starts at {}", random.0);
        random_round(&mut random);
    }
}
