//! Runs a property with a seed that is printed when it fails.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Replays the seed that a failure printed.
const SEED: &str = "CARILLON_SEED";
/// Multiplies the number of cases, for long runs.
const EFFORT: &str = "CARILLON_EFFORT";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}: {text} is no number")),
    )
}

/// Tries `property`, which panics if it does not hold, on `cases` values.
pub(crate) fn run<S>(cases: u32, strategy: &S, property: impl Fn(&S::Value))
where
    S: Strategy,
    S::Value: Debug,
{
    let seed = number(SEED).unwrap_or_else(|| RandomState::new().hash_one(0));
    let effort = u32::try_from(number(EFFORT).unwrap_or(1)).expect("a sane effort");
    let config = Config {
        cases: cases * effort,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let result = TestRunner::new(config).run(strategy, |value| {
        property(&value);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{SEED}={seed} replays this: {error}");
    }
}
