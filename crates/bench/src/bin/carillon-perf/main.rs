//! Measures speed and size of a driver file on the virtual GPU, in one run.

mod latency;
mod oversub;
mod report;
mod scaling;
mod steps;
mod submission;
mod textbook;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use carillon_bench::nt::Nt;
use carillon_bench::workload::machine::{Failure, Machine, MachineConfig};
use clap::Parser;

use report::Report;
use scaling::{Cost, Doorbells};

/// Pages of the latency sweep.
const SWEEP: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Logical doorbells of the smaller table.
const FEW: usize = 64;
/// Pages in short supply, and as many as there are queues.
const PAGES: (u32, u32) = (4, oversub::QUEUES);
/// The most pages that the device can have.
const ALL_PAGES: u32 = 1024;
/// Queues that the driver and the bench make beside those counted.
const SPARE_QUEUES: usize = 64;
/// DDIs in which the driver shall leave the pool alone.
const POOL_FREE: [&str; 5] = [
    "DxgkDdiConnectDoorbell",
    "DxgkDdiDisconnectDoorbell",
    "DxgkDdiNotifyWorkSubmission",
    "DxgkDdiInterruptRoutine",
    "DxgkDdiDpcRoutine",
];

/// Measures speed and size of carillon.sys on the virtual GPU.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The driver file.
    #[arg(long, value_name = "PATH")]
    sys: PathBuf,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
    /// Fail when a limit is not met.
    #[arg(long)]
    strict: bool,
    /// Logical doorbells of the larger table.
    #[arg(long, default_value_t = 1_000_000)]
    doorbells: usize,
    /// Samples of each latency.
    #[arg(long, default_value_t = 2_000)]
    samples: usize,
    /// Rounds of oversubscription, each with few pages and with enough.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of each half of a round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn boot(
    sys: &Path,
    doorbells: u32,
    vram_bytes: Option<u64>,
) -> Result<(Arc<Nt>, Machine), Failure> {
    let nt = Nt::new()?;
    let mut config = MachineConfig::default();
    config.gpu.doorbells = doorbells;
    config.gpu.vram_bytes = vram_bytes.unwrap_or(config.gpu.vram_bytes);
    let machine = Machine::boot(&nt, sys, &config)?;
    steps::install()?;
    steps::tell_apart(machine.driver().image());
    Ok((nt, machine))
}

fn pool_calls(nt: &Nt) -> u64 {
    let stats = nt.verifier.ddi_stats();
    let calls = POOL_FREE.iter().filter_map(|ddi| stats.get(ddi));
    calls.map(|ddi| ddi.pool_calls).sum()
}

/// A machine on which objects were left behind on purpose: destroying them says nothing more.
fn leave(report: &mut Report, nt: &Nt, machine: Machine) -> Result<(), Failure> {
    report.pool_calls += pool_calls(nt);
    std::mem::forget(machine);
    match nt.verifier.violations().first() {
        Some(violation) => Err(violation.to_string().into()),
        None => Ok(()),
    }
}

fn paths(arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
    let pages = SWEEP.iter().max().copied().unwrap_or(1);
    let (nt, machine) = boot(&arguments.sys, u32::try_from(pages)?, None)?;
    report.submission = submission::measure(&machine)?;
    let submission = &report.submission;
    report.um_over_km_instructions = ratio(submission.user, submission.kernel);
    report.kernel_entries_per_submission = ratio(submission.entries, submission.submissions);
    let mut bells = latency::Bells::new(&machine)?;
    latency::separate(machine.gpu())?;
    for pages in SWEEP {
        bells.grow(pages)?;
        let measured = bells.measure(machine.gpu(), arguments.samples)?;
        report.watched_pages.push(measured);
    }
    latency::join()?;
    report.ring_to_fetch_ratio = report
        .watched_pages
        .first()
        .map_or(0.0, |first| first.ratio);
    drop(bells);
    leave(report, &nt, machine)
}

fn scaling(arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
    // The driver takes an eighth of local memory for descriptors of 128 bytes.
    let table =
        (arguments.doorbells + SPARE_QUEUES) as u64 * carillon_hw::queue::QUEUE_DESCRIPTOR_BYTES;
    let least = MachineConfig::default().gpu.vram_bytes;
    let vram = (table * 8).next_power_of_two().max(least);
    let (nt, machine) = boot(&arguments.sys, PAGES.0, Some(vram))?;
    let mut doorbells = Doorbells::new(&machine, PAGES.0)?;
    doorbells.grow(FEW)?;
    let few = doorbells.measure()?;
    let (bells, queues) = doorbells.grow(arguments.doorbells)?;
    let made = (arguments.doorbells - FEW.min(arguments.doorbells)) as u64;
    report.pool_bytes_per_doorbell = ratio(bells, made);
    report.pool_bytes_per_queue = ratio(queues, made);
    let many = doorbells.measure()?;
    report.connect_scaling_ratio = ratio(many.pair, few.pair);
    report.victim_scaling_ratio = ratio(many.victim, few.victim);
    leave(report, &nt, machine)?;
    report.connect = vec![few, many, all_pages(arguments, report)?];
    report.textbook = [PAGES.0, PAGES.1, ALL_PAGES].map(textbook::measure).into();
    report.textbook_find = textbook::find_in_list(arguments.doorbells, 10_000);
    Ok(())
}

/// As many pages as the device can have, all of them taken.
fn all_pages(arguments: &Arguments, report: &mut Report) -> Result<Cost, Failure> {
    let (nt, machine) = boot(&arguments.sys, ALL_PAGES, None)?;
    let mut doorbells = Doorbells::new(&machine, ALL_PAGES)?;
    doorbells.grow(2 * ALL_PAGES as usize)?;
    let cost = doorbells.measure()?;
    leave(report, &nt, machine)?;
    Ok(cost)
}

fn oversubscription(arguments: &Arguments, report: &mut Report) -> Result<(), Failure> {
    let time = Duration::from_secs_f64(arguments.seconds);
    let (mut fair, mut few, mut enough, mut ratios) = (vec![], vec![], vec![], vec![]);
    for _ in 0..arguments.rounds.max(1) {
        let mut half = |pages| -> Result<_, Failure> {
            let nt = Nt::new()?;
            let progress = oversub::run(&nt, &arguments.sys, pages, time)?;
            report.pool_calls += pool_calls(&nt);
            Ok(progress)
        };
        let (scarce, plenty) = (half(PAGES.0)?, half(PAGES.1)?);
        fair.push(scarce.min_over_mean);
        few.push(scarce.per_second);
        enough.push(plenty.per_second);
        ratios.push(scarce.per_second / plenty.per_second.max(1.0));
        report.oversub_victims += scarce.victims;
    }
    report.oversub_min_over_mean = median(fair);
    report.oversub_throughput_ratio = median(ratios);
    report.oversub_per_second = median(few);
    report.oversub_enough_pages_per_second = median(enough);
    Ok(())
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let mut report = Report {
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        ..Report::default()
    };
    eprintln!("submission, and from ring to fetch");
    paths(&arguments, &mut report)?;
    eprintln!(
        "connecting, with {FEW} and {} logical doorbells",
        arguments.doorbells
    );
    scaling(&arguments, &mut report)?;
    eprintln!("{} busy queues on {} pages", oversub::QUEUES, PAGES.0);
    oversubscription(&arguments, &mut report)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    let failed = arguments.strict && !report.is_met();
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
