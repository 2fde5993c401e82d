//! The demonstration: three processes, eight user-mode queues, four physical doorbells.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use carillon_client::kmt::{Kmt, NodeOrdinal};
use carillon_hw::regs::DoorbellModel;
use serde::Serialize;

use super::client::{Client, Tally};
use super::latency::{self, Latency};
use super::machine::{Failure, Machine, MachineConfig};
use crate::dxgk::adapter::AdapterConfig;
use crate::dxgk::kmt::KmtProcess;
use crate::dxgk::objects::exit::Exit;
use crate::nt::Nt;

/// Submissions between two comparisons of a client's memory.
const COMPARE_EVERY: u64 = 50;
/// Nodes that user-mode queues may be created on: 3D and compute.
const USER_NODES: u32 = 2;
/// How long a process may take to end.
const EXIT_PATIENCE: Duration = Duration::from_secs(30);

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Selects the work, and among the orders that the documents leave open.
    pub seed: u64,
    /// User-mode processes.
    pub processes: u32,
    /// User-mode queues over all processes.
    pub queues: u32,
    /// Physical doorbells of the device.
    pub doorbells: u32,
    /// Submissions over all queues.
    pub submissions: u64,
    /// Samples of the latency measurement; 0 leaves it out.
    pub latency_samples: usize,
    /// Doorbell model of the device.
    pub model: DoorbellModel,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            processes: 3,
            queues: 8,
            doorbells: 4,
            submissions: 10_000,
            latency_samples: 2_000,
            model: DoorbellModel::Dedicated,
        }
    }
}

/// One queue in the report.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct QueueReport {
    /// Process of the queue.
    pub process: u32,
    /// Its node.
    pub node: u32,
    /// Command buffers submitted.
    pub submissions: u64,
    /// Progress fence value at the end.
    pub completions: u64,
    /// Rings that found the doorbell gone.
    pub retries: u64,
    /// Connects of its doorbell.
    pub connects: u64,
    /// Times that its doorbell was taken for another queue.
    pub victimizations: u64,
}

/// What a run found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DemoReport {
    /// Seed that repeats the work.
    pub seed: u64,
    /// Bytes of the driver file.
    pub sys_size: u64,
    /// Kernel functions that the driver imports.
    pub imports: Vec<String>,
    /// The start-up sequence, one line for each step.
    pub start_up: Vec<String>,
    /// The queues.
    pub queues: Vec<QueueReport>,
    /// Command buffers submitted.
    pub submissions: u64,
    /// Command buffers completed.
    pub completions: u64,
    /// Doorbells taken from a queue for another.
    pub victimizations: u64,
    /// Fewest victimizations that show something: there are more queues than doorbells.
    pub victimizations_expected: u64,
    /// Submissions that found their doorbell connected.
    pub connected_submissions: u64,
    /// Kernel entries during those, per submission.
    pub kernel_entries_per_submission: f64,
    /// Kernel entries of all submissions, connects included, per submission.
    pub kernel_entries_with_connects_per_submission: f64,
    /// Median nanoseconds from the doorbell store to the fetch.
    pub ring_to_fetch_ns: u64,
    /// Median nanoseconds from a store of one thread to the load of another.
    pub ping_ns: u64,
    /// Bytes compared with what they must be.
    pub bytes_compared: u64,
    /// Bytes that differed.
    pub bytes_wrong: u64,
    /// Fences that were behind.
    pub fences_wrong: u64,
    /// Interrupts delivered to the driver.
    pub interrupts: u64,
    /// Register accesses of the driver.
    pub register_accesses: u64,
    /// Seconds that the submissions took.
    pub seconds: f64,
    /// Why the run ended early, if it did.
    pub failure: Option<String>,
    /// What the verifier found.
    pub violations: Vec<String>,
    /// How many findings there were.
    pub verifier_violations: u64,
    /// Pool blocks that the driver did not free.
    pub pool_blocks_leaked: u64,
}

impl DemoReport {
    /// Whether not one byte, fence or pool block is off, and what was to be shown happened.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
            && self.victimizations >= self.victimizations_expected
            && self.bytes_wrong == 0
            && self.bytes_compared > 0
            && self.fences_wrong == 0
            && self.submissions == self.completions
            && self.kernel_entries_per_submission == 0.0
            && self.verifier_violations == 0
            && self.pool_blocks_leaked == 0
    }
}

/// Runs everything. Failures are in the report; `progress` hears of submissions done so far.
pub fn run(
    sys: &Path,
    options: &DemoOptions,
    progress: impl Fn(u64, u64) + Send + Sync,
) -> DemoReport {
    let mut report = DemoReport {
        seed: options.seed,
        ..DemoReport::default()
    };
    match Nt::new() {
        Ok(nt) => {
            if let Err(error) = on_machine(&nt, sys, options, &mut report, &progress) {
                report.failure = Some(error.to_string());
            }
            report.verifier_violations = nt.verifier.violation_count();
            let violations = nt.verifier.violations();
            report.violations = violations.iter().map(ToString::to_string).collect();
            report.pool_blocks_leaked = nt.verifier.live_pool_blocks();
        }
        Err(error) => report.failure = Some(format!("no session: {error}")),
    }
    report
}

fn on_machine(
    nt: &Arc<Nt>,
    sys: &Path,
    options: &DemoOptions,
    report: &mut DemoReport,
    progress: &(impl Fn(u64, u64) + Send + Sync),
) -> Result<(), Failure> {
    let config = MachineConfig {
        gpu: carillon_vgpu::Config {
            doorbells: options.doorbells,
            model: options.model,
            ..carillon_vgpu::Config::default()
        },
        adapter: AdapterConfig {
            seed: options.seed,
            ..AdapterConfig::default()
        },
    };
    let machine = Machine::boot(nt, sys, &config)?;
    let info = machine.driver().image().info();
    report.sys_size = info.file_size;
    report.imports = info.imports.iter().map(|i| i.name.clone()).collect();
    report.start_up = machine.adapter().steps();
    let worked = work(&machine, options, report, progress);
    let measured = worked.and_then(|()| measure(&machine, options));
    report.interrupts = machine.adapter().interrupt_counts().interrupts;
    let (reads, writes) = machine.adapter().device().register_exits();
    report.register_accesses = reads + writes;
    let stopped = machine.shut_down();
    let latency = measured?;
    report.ring_to_fetch_ns = latency.ring_to_fetch_ns;
    report.ping_ns = latency.ping_ns;
    stopped
}

/// The connected path alone, one queue: nothing else disturbs the measurement.
fn measure(machine: &Machine, options: &DemoOptions) -> Result<Latency, Failure> {
    if options.latency_samples == 0 {
        return Ok(Latency::default());
    }
    let process = machine.process()?;
    let kmt: Arc<dyn Kmt> = process.clone();
    let latency = latency::measure(machine.gpu(), &kmt, NodeOrdinal(0), options.latency_samples)?;
    if latency.kernel_entries != 0 {
        let entries = latency.kernel_entries;
        return Err(format!("{entries} kernel entries on the connected path").into());
    }
    // SAFETY: the queue of the measurement is gone and nothing else was made in this process.
    unsafe { process.end(Exit::Normal, EXIT_PATIENCE) }?;
    Ok(latency)
}

fn work(
    machine: &Machine,
    options: &DemoOptions,
    report: &mut DemoReport,
    progress: &(impl Fn(u64, u64) + Send + Sync),
) -> Result<(), Failure> {
    let processes = (0..options.processes.max(1))
        .map(|_| machine.process())
        .collect::<Result<Vec<_>, _>>()?;
    let share = options
        .submissions
        .div_ceil(u64::from(options.queues.max(1)));
    let total = share * u64::from(options.queues);
    let done = AtomicU64::new(0);
    let started = Instant::now();
    let tallies = thread::scope(|scope| {
        let threads: Vec<_> = (0..options.queues)
            .map(|queue| {
                let process = queue % options.processes.max(1);
                let kmt: Arc<dyn Kmt> = processes[process as usize].clone();
                let done = &done;
                let node = queue % USER_NODES;
                let seed = options.seed ^ (u64::from(queue) << 32);
                let run = move || {
                    client(kmt, NodeOrdinal(node), seed, share, |submitted| {
                        let done = done.fetch_add(submitted, Ordering::Relaxed) + submitted;
                        progress(done, total);
                    })
                };
                (process, node, scope.spawn(run))
            })
            .collect();
        threads
            .into_iter()
            .zip(0..)
            .map(|((process, node, thread), queue)| {
                let tally = thread.join().map_err(|_| "the client panicked".into());
                match tally.and_then(|tally: Result<Tally, Failure>| tally) {
                    Ok(tally) => Ok((process, node, tally)),
                    Err(error) => {
                        Err(format!("queue {queue} of process {process}: {error}").into())
                    }
                }
            })
            .collect::<Vec<Result<_, Failure>>>()
    });
    report.seconds = started.elapsed().as_secs_f64();
    let tallies = tallies.into_iter().collect::<Result<Vec<_>, _>>()?;
    summarize(report, &tallies);
    report.victimizations = machine.manager().stats().disconnect_callbacks;
    if options.model == DoorbellModel::Dedicated {
        report.victimizations_expected =
            u64::from(options.queues.saturating_sub(options.doorbells));
    }
    for process in processes {
        end(&process)?;
    }
    Ok(())
}

fn end(process: &KmtProcess) -> Result<(), Failure> {
    // SAFETY: every client of the process has finished and given its words up.
    let way = unsafe { process.end(Exit::Normal, EXIT_PATIENCE) }?;
    if way != Exit::Normal {
        return Err("a process could not end the normal way".into());
    }
    Ok(())
}

fn client(
    kmt: Arc<dyn Kmt>,
    node: NodeOrdinal,
    seed: u64,
    submissions: u64,
    progress: impl Fn(u64),
) -> Result<Tally, Failure> {
    let mut client = Client::create(kmt, node, seed)?;
    for submission in 1..=submissions {
        client.submit()?;
        if submission % COMPARE_EVERY == 0 {
            client.compare()?;
            progress(COMPARE_EVERY);
        }
    }
    client.finish()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts far below 2^52, for a ratio"
)]
fn summarize(report: &mut DemoReport, tallies: &[(u32, u32, Tally)]) {
    let mut connected_entries = 0;
    let mut other_entries = 0;
    for (process, node, tally) in tallies {
        report.queues.push(QueueReport {
            process: *process,
            node: *node,
            submissions: tally.queue.submissions,
            completions: tally.completions,
            retries: tally.queue.retries,
            connects: tally.queue.connects,
            // Each connect but the first follows a loss.
            victimizations: tally.queue.connects.saturating_sub(1),
        });
        report.submissions += tally.queue.submissions;
        report.completions += tally.completions;
        report.connected_submissions += tally.connected_submissions;
        report.bytes_compared += tally.bytes_compared;
        report.bytes_wrong += tally.bytes_wrong;
        report.fences_wrong += tally.fences_wrong;
        connected_entries += tally.connected_entries;
        other_entries += tally.other_entries;
    }
    let connected = report.connected_submissions.max(1) as f64;
    report.kernel_entries_per_submission = connected_entries as f64 / connected;
    report.kernel_entries_with_connects_per_submission =
        (connected_entries + other_entries) as f64 / report.submissions.max(1) as f64;
}
