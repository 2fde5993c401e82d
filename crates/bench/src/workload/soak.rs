//! Everything at once, for a long time: processes, queues, connects, losses, suspends, hostile
//! clients, exits, on real threads and on both doorbell models in turn. Every byte that a
//! well-behaved client wrote is compared.
//!
//! A run is a row of episodes. Each boots a machine, puts it under load for a few seconds and shuts
//! it down, so that loading, stopping and the leak check are part of the load. What an episode does
//! follows from the seed and its number; in which order the threads do it does not.

mod load;

use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_hw::regs::DoorbellModel;
use serde::Serialize;

use super::client::Random;
use super::machine::{Failure, Machine, MachineConfig};
use crate::dxgk::adapter::AdapterConfig;
use crate::dxgk::objects::{DisconnectMode, Options};
use crate::nt::Nt;

/// Shortest and longest episode.
const EPISODE: (Duration, Duration) = (Duration::from_millis(600), Duration::from_secs(5));
/// Episodes that a run is cut into, if the limits above allow.
const EPISODES: u32 = 8;
/// How often progress is reported.
const PROGRESS: Duration = Duration::from_secs(5);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct SoakOptions {
    /// Selects the work.
    pub seed: u64,
    /// How long to put load on machines. Ends of episodes come on top.
    pub duration: Duration,
    /// The first episode: with a seed from a report and the number named there, that episode is
    /// repeated.
    pub first_episode: u64,
}

impl Default for SoakOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            duration: Duration::from_mins(1),
            first_episode: 0,
        }
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What was done so far.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct SoakCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        #[derive(Debug, Default)]
        struct Counters {
            $($name: AtomicU64,)*
        }

        impl Counters {
            fn read(&self) -> SoakCounts {
                SoakCounts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters!(
    /// Machines booted and shut down.
    episodes,
    /// Command buffers submitted by clients whose results are checked.
    submissions,
    /// Those that completed.
    completions,
    /// Queues created and destroyed by clients.
    queues,
    /// Connects that reached the driver.
    connects,
    /// Doorbells taken from a queue for another.
    victimizations,
    /// Notifies that reached the driver.
    notifies,
    /// Doorbells that the OS disconnected on its own account.
    disconnects,
    /// Contexts suspended and resumed.
    suspends,
    /// Interrupt messages that no event stood behind.
    spurious_interrupts,
    /// Processes that ended the normal way, with work in flight.
    normal_exits,
    /// Processes that ended the abnormal way.
    abnormal_exits,
    /// Queues of hostile clients.
    hostile_queues,
    /// What they stored to rings, write pointers and doorbells.
    hostile_stores,
    /// Queues that the device stopped for a mistake.
    queue_faults,
    /// Bytes compared with what they must be.
    bytes_compared,
    /// Bytes that differed.
    bytes_wrong,
    /// Fences that were behind, or ahead, of what had been submitted.
    fences_wrong,
);

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SoakReport {
    /// Seed of the work.
    pub seed: u64,
    /// Seconds that the run took.
    pub seconds: f64,
    /// What was done.
    #[serde(flatten)]
    pub counts: SoakCounts,
    /// Number of the episode that ended the run early.
    pub failed_episode: Option<u64>,
    /// Why the run ended early, if it did.
    pub failure: Option<String>,
    /// What the verifier found.
    pub violations: Vec<String>,
    /// How many findings there were.
    pub verifier_violations: u64,
    /// Pool blocks that the driver did not free.
    pub pool_blocks_leaked: u64,
}

impl SoakReport {
    /// Whether nothing is off, and there was load.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
            && self.counts.submissions > 0
            && self.counts.submissions == self.counts.completions
            && self.counts.bytes_compared > 0
            && self.counts.bytes_wrong == 0
            && self.counts.fences_wrong == 0
            && self.verifier_violations == 0
            && self.pool_blocks_leaked == 0
    }
}

/// What the threads of an episode share.
struct Shared<'a> {
    counters: &'a Counters,
    /// Set when the load is over, or a thread has failed.
    stop: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Shared<'_> {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Keeps the first failure and ends the load.
    fn check(&self, who: &str, result: Result<(), Failure>) {
        if let Err(error) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(format!("{who}: {error}"));
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn take_failure(&self) -> Option<String> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }
}

fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

/// Runs episodes until the time is over or something is found; `progress` hears of the counts
/// every five seconds.
pub fn run(
    sys: &Path,
    options: &SoakOptions,
    progress: impl Fn(Duration, &SoakCounts) + Sync,
) -> SoakReport {
    let mut report = SoakReport {
        seed: options.seed,
        ..SoakReport::default()
    };
    let counters = Counters::default();
    let over = AtomicBool::new(false);
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut told = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
                if started.elapsed() >= told + PROGRESS {
                    told = started.elapsed();
                    progress(told, &counters.read());
                }
            }
        });
        let mut number = options.first_episode;
        while report.failure.is_none() {
            let left = options.duration.saturating_sub(started.elapsed());
            if left.is_zero() || report.verifier_violations != 0 {
                break;
            }
            let (shortest, longest) = EPISODE;
            let share = (options.duration / EPISODES).clamp(shortest, longest);
            let plan = Plan::new(options.seed, number, share.min(left.max(shortest)));
            episode(sys, &plan, &counters, &mut report);
            number += 1;
        }
        over.store(true, Ordering::Relaxed);
    });
    report.seconds = started.elapsed().as_secs_f64();
    report.counts = counters.read();
    report
}

/// What an episode does.
#[derive(Clone, Copy, Debug)]
struct Plan {
    number: u64,
    seed: u64,
    model: DoorbellModel,
    doorbells: u32,
    disconnect: DisconnectMode,
    processes: u64,
    clients: u64,
    load: Duration,
}

impl Plan {
    fn new(seed: u64, number: u64, load: Duration) -> Self {
        const MODES: [DisconnectMode; 3] = [
            DisconnectMode::Plain,
            DisconnectMode::Nested,
            DisconnectMode::Concurrent,
        ];
        let mut random = Random::new(seed ^ number.rotate_left(40));
        let doorbells = [1, 2, 4][usize::try_from(random.below(3)).unwrap_or(0)];
        Self {
            number,
            model: if number.is_multiple_of(2) {
                DoorbellModel::Dedicated
            } else {
                DoorbellModel::Global
            },
            doorbells,
            disconnect: MODES[usize::try_from(random.below(3)).unwrap_or(0)],
            processes: 1 + random.below(3),
            clients: 1 + random.below(3),
            seed: random.next(),
            load,
        }
    }
}

fn episode(sys: &Path, plan: &Plan, counters: &Counters, report: &mut SoakReport) {
    let nt = match Nt::new() {
        Ok(nt) => nt,
        Err(error) => {
            report.failure = Some(format!("no session: {error}"));
            return;
        }
    };
    let config = MachineConfig {
        gpu: carillon_vgpu::Config {
            doorbells: plan.doorbells,
            model: plan.model,
            ..carillon_vgpu::Config::default()
        },
        adapter: AdapterConfig {
            seed: plan.seed,
            ..AdapterConfig::default()
        },
    };
    let shared = Shared {
        counters,
        stop: AtomicBool::new(false),
        failure: Mutex::default(),
    };
    let ran = Machine::boot(&nt, sys, &config).and_then(|machine| {
        machine.manager().set_options(Options {
            disconnect: plan.disconnect,
            ..Options::default()
        });
        let ended = load::run(&machine, plan, &shared);
        let stats = machine.manager().stats();
        count(&counters.connects, stats.connects);
        count(&counters.victimizations, stats.disconnect_callbacks);
        count(&counters.notifies, stats.notifies);
        count(&counters.queue_faults, machine.gpu().stats().queue_faults);
        let stopped = machine.shut_down();
        ended.and(stopped)
    });
    count(&counters.episodes, 1);
    let failure = shared
        .take_failure()
        .or_else(|| ran.err().map(|error| error.to_string()));
    report.verifier_violations += nt.verifier.violation_count();
    let violations = nt.verifier.violations();
    let shown = violations.iter().take(20).map(ToString::to_string);
    report.violations.extend(shown);
    report.pool_blocks_leaked += nt.verifier.live_pool_blocks();
    if failure.is_some() || report.verifier_violations != 0 {
        report.failed_episode = Some(plan.number);
        report.failure = failure.map(|what| format!("episode {}: {what}; {plan:?}", plan.number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_follows_from_seed_and_number() {
        let plan = |seed, number| {
            let plan = Plan::new(seed, number, Duration::ZERO);
            format!("{plan:?}")
        };
        assert_eq!(plan(1, 2), plan(1, 2));
        assert_ne!(plan(1, 2), plan(1, 3));
        assert_ne!(plan(1, 2), plan(2, 2));
        let models = [0, 1].map(|number| Plan::new(7, number, Duration::ZERO).model);
        assert_eq!(models, [DoorbellModel::Dedicated, DoorbellModel::Global]);
    }

    #[test]
    fn a_report_without_load_has_not_passed() {
        let mut report = SoakReport::default();
        assert!(!report.passed());
        report.counts.submissions = 1;
        report.counts.completions = 1;
        report.counts.bytes_compared = 1;
        assert!(report.passed());
        for spoil in [
            |report: &mut SoakReport| report.counts.completions = 0,
            |report: &mut SoakReport| report.counts.bytes_wrong = 1,
            |report: &mut SoakReport| report.counts.fences_wrong = 1,
            |report: &mut SoakReport| report.verifier_violations = 1,
            |report: &mut SoakReport| report.pool_blocks_leaked = 1,
            |report: &mut SoakReport| report.failure = Some(String::new()),
        ] {
            let mut spoilt = report.clone();
            spoil(&mut spoilt);
            assert!(!spoilt.passed());
        }
    }
}
