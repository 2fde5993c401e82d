//! Random sequences of object DDIs, events and refused reports.

mod device;
mod world;

use proptest::collection::vec;

use crate::runner::run;
use world::{Op, World, op};

const CASES: u32 = 1_000;

fn play(ops: &[Op]) {
    let mut world = World::new();
    for op in ops {
        world.apply(op);
        world.check();
    }
    world.settle();
}

#[test]
fn random_sequences_of_suspends_packets_and_lost_events() {
    run(CASES, &vec(op(), 1..60), |ops| play(ops));
}

#[test]
fn two_suspends_that_teardown_completes_are_both_reported() {
    play(&[
        Op::CreateQueue { context: 0 },
        Op::CreateQueue { context: 1 },
        Op::Suspend { context: 0 },
        Op::Suspend { context: 1 },
        Op::DestroyQueue { queue: 0 },
        Op::DestroyQueue { queue: 0 },
    ]);
}

#[test]
fn a_completion_whose_event_was_lost_survives_a_refused_report() {
    play(&[
        Op::Submit { node: 0 },
        Op::Complete {
            node: 0,
            lost: true,
        },
        Op::Refuse { times: 1 },
    ]);
}

#[test]
fn a_full_ring_does_not_complete_what_is_under_way() {
    let mut ops = vec![Op::Submit { node: 0 }; 1024];
    ops.push(Op::Complete {
        node: 0,
        lost: true,
    });
    ops.push(Op::Submit { node: 0 });
    ops.push(Op::Dpc);
    play(&ops);
}

#[test]
fn a_suspend_whose_event_was_lost_completes() {
    play(&[
        Op::CreateQueue { context: 0 },
        Op::Suspend { context: 0 },
        Op::Deliver {
            event: 0,
            lost: true,
        },
    ]);
}
