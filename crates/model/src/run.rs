//! Runs the checker on one configuration.

use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use stateright::{Checker, HasDiscoveries, Model, Path};

use crate::config::Config;
use crate::protocol::Action;
use crate::state::State;

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Everything, with as little memory as possible; stops at the first counterexample.
    Everything,
    /// Shortest first, until this property has a counterexample.
    Shortest(&'static str),
}

/// A step of a counterexample and the state after it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The step.
    pub action: Action,
    /// The state before it.
    pub before: State,
    /// The state after it.
    pub after: State,
}

/// What a run found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Different states visited.
    pub states: usize,
    /// The longest path from the start.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Properties with a counterexample, and the counterexample.
    pub broken: Vec<(&'static str, Vec<Step>)>,
}

impl Outcome {
    /// The counterexample to `property`.
    pub fn counterexample(&self, property: &str) -> Option<&[Step]> {
        self.broken
            .iter()
            .find(|(name, _)| *name == property)
            .map(|(_, steps)| steps.as_slice())
    }
}

/// Checks `config`.
pub fn check(config: &Config, search: Search) -> Outcome {
    let start = Instant::now();
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let builder = config.clone().checker();
    match search {
        Search::Everything => {
            let builder = builder
                .threads(threads)
                .finish_when(HasDiscoveries::AnyFailures);
            let builder = match config.topology.symmetry {
                Some(representative) => builder.symmetry_fn(representative),
                None => builder,
            };
            outcome(&builder.spawn_dfs().join(), start)
        }
        // One thread: the order of a breadth-first search is the order of lengths only then.
        Search::Shortest(property) => {
            let until = HasDiscoveries::AllOf([property].into());
            outcome(
                &builder.threads(1).finish_when(until).spawn_bfs().join(),
                start,
            )
        }
    }
}

fn outcome(checker: &impl Checker<Config>, start: Instant) -> Outcome {
    let mut broken: Vec<_> = checker
        .discoveries()
        .into_iter()
        .map(|(name, path)| (name, steps(path)))
        .collect();
    broken.sort_by_key(|(name, _)| *name);
    Outcome {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        time: start.elapsed(),
        broken,
    }
}

fn steps(path: Path<State, Action>) -> Vec<Step> {
    let path = path.into_vec();
    path.windows(2)
        .filter_map(|pair| {
            let action = pair[0].1?;
            Some(Step {
                action,
                before: pair[0].0,
                after: pair[1].0,
            })
        })
        .collect()
}
