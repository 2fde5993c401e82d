//! Random sequences of the doorbell DDIs, with an OS that answers the callback in every way it may.

mod ops;
mod reference;
mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use carillon_hw::regs::DoorbellModel;

use crate::runner::run;
use ops::{Op, op};
use world::World;

const CASES: u32 = 2_000;

fn setting() -> impl Strategy<Value = (u32, u64, Vec<Op>)> {
    (1..=8u32, 0..3_000u64, vec(op(), 1..60))
}

fn play(model: DoorbellModel, (pages, residence, ops): &(u32, u64, Vec<Op>)) {
    let world = World::new(model, *pages, *residence);
    for op in ops {
        world.apply(op);
        world.check();
    }
    world.finish();
}

#[test]
fn a_repeated_connect_on_the_common_page_says_notify_again() {
    let world = World::new(DoorbellModel::Global, 1, 0);
    world.apply(&Op::Create {
        process: 0,
        context: 0,
    });
    for _ in 0..2 {
        world.apply(&ops::plain_connect(0));
        world.check();
    }
}

#[test]
fn random_sequences_of_the_dedicated_model() {
    run(CASES, &setting(), |case| {
        play(DoorbellModel::Dedicated, case);
    });
}

#[test]
fn random_sequences_of_the_global_model() {
    run(CASES, &setting(), |case| play(DoorbellModel::Global, case));
}
