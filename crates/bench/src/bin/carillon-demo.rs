//! Runs a driver file end to end: load, start on the virtual GPU, put clients to work through
//! doorbells, compare every byte, stop, unload, and the verdict.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use carillon_bench::workload::demo::{DemoOptions, DemoReport, run};
use carillon_hw::regs::DoorbellModel;
use clap::{Parser, ValueEnum};

/// Runs carillon.sys, the file that a user installs, on the virtual GPU.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The driver file.
    #[arg(long, value_name = "PATH")]
    sys: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Selects the work, and among the orders that the documents leave open.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// User-mode processes.
    #[arg(long, default_value_t = 3)]
    processes: u32,
    /// User-mode queues over all processes.
    #[arg(long, default_value_t = 8)]
    queues: u32,
    /// Physical doorbells of the device.
    #[arg(long, default_value_t = 4)]
    doorbells: u32,
    /// Submissions over all queues.
    #[arg(long, default_value_t = 10_000)]
    submissions: u64,
    /// Doorbell model of the device.
    #[arg(long, value_enum, default_value_t = Model::Dedicated)]
    model: Model,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    /// A page serves one queue at a time.
    Dedicated,
    /// A page serves a process.
    Global,
}

fn print(report: &DemoReport) {
    println!(
        "driver     {} bytes, {} imports from ntoskrnl.exe",
        report.sys_size,
        report.imports.len()
    );
    println!("start-up");
    for step in &report.start_up {
        println!("    {step}");
    }
    println!("queues");
    println!("    process  node  submitted  completed  retries  connects  victimized");
    for queue in &report.queues {
        println!(
            "    {:>7}  {:>4}  {:>9}  {:>9}  {:>7}  {:>8}  {:>10}",
            queue.process,
            queue.node,
            queue.submissions,
            queue.completions,
            queue.retries,
            queue.connects,
            queue.victimizations
        );
    }
    println!(
        "work       {} submitted, {} completed in {:.2} s, {} victimizations",
        report.submissions, report.completions, report.seconds, report.victimizations
    );
    println!(
        "memory     {} bytes compared, {} wrong; {} fences wrong",
        report.bytes_compared, report.bytes_wrong, report.fences_wrong
    );
    println!(
        "kernel     {} entries per submission on the connected path ({} submissions), {:.3} with connects",
        report.kernel_entries_per_submission,
        report.connected_submissions,
        report.kernel_entries_with_connects_per_submission
    );
    println!(
        "latency    ring to fetch {} ns, plain two-thread ping {} ns (medians)",
        report.ring_to_fetch_ns, report.ping_ns
    );
    println!(
        "device     {} register accesses, {} interrupts",
        report.register_accesses, report.interrupts
    );
    for violation in &report.violations {
        println!("violation  {violation}");
    }
    if let Some(failure) = &report.failure {
        println!("failed     {failure}");
    }
    println!(
        "verifier   {} violations, {} pool blocks leaked",
        report.verifier_violations, report.pool_blocks_leaked
    );
    println!(
        "verdict    {} (seed {})",
        if report.passed() { "passed" } else { "FAILED" },
        report.seed
    );
}

fn main() -> Result<ExitCode, serde_json::Error> {
    let arguments = Arguments::parse();
    let options = DemoOptions {
        seed: arguments.seed,
        processes: arguments.processes,
        queues: arguments.queues,
        doorbells: arguments.doorbells,
        submissions: arguments.submissions,
        model: match arguments.model {
            Model::Dedicated => DoorbellModel::Dedicated,
            Model::Global => DoorbellModel::Global,
        },
        ..DemoOptions::default()
    };
    let told = AtomicU64::new(0);
    let report = run(&arguments.sys, &options, |done, total| {
        let tenth = done * 10 / total.max(1);
        if told.fetch_max(tenth, Ordering::Relaxed) < tenth {
            eprintln!("submitted {done} of {total}");
        }
    });
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
