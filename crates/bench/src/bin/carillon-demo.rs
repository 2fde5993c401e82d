//! Runs a driver file: load, register, start on the virtual GPU, stop, unload, and the verdict.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use carillon_bench::device::virtual_gpu;
use carillon_bench::dxgk::adapter::{Adapter, AdapterConfig};
use carillon_bench::dxgk::load::LoadedDriver;
use carillon_bench::nt::Nt;
use clap::Parser;
use serde::Serialize;

type Failure = Box<dyn std::error::Error>;

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
    /// Selects among the orders that the documents leave open.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// What a run found.
#[derive(Default, Serialize)]
struct Report {
    /// Bytes of the driver file.
    sys_size: u64,
    /// Kernel functions that the driver imports.
    imports: Vec<String>,
    /// The start-up sequence, one line for each step.
    start_up: Vec<String>,
    /// Interrupts delivered to the driver.
    interrupts: u64,
    /// Accesses to registers.
    register_accesses: u64,
    /// Why the run ended early, if it did.
    failure: Option<String>,
    /// What the verifier found.
    violations: Vec<String>,
    /// How many findings there were.
    verifier_violations: u64,
    /// Pool blocks that the driver did not free.
    pool_blocks_leaked: u64,
}

impl Report {
    fn passed(&self) -> bool {
        self.failure.is_none() && self.verifier_violations == 0 && self.pool_blocks_leaked == 0
    }
}

/// Loads, starts, stops and unloads; what was learned before a failure stays in `report`.
fn run(arguments: &Arguments, nt: &Arc<Nt>, report: &mut Report) -> Result<(), Failure> {
    let driver = LoadedDriver::load(nt, &arguments.sys)?;
    let info = driver.image().info();
    report.sys_size = info.file_size;
    report.imports = info
        .imports
        .iter()
        .map(|import| import.name.clone())
        .collect();
    let (device, _gpu) = virtual_gpu::attach(nt, carillon_vgpu::Config::default())?;
    let config = AdapterConfig {
        seed: arguments.seed,
        ..AdapterConfig::default()
    };
    let adapter = Adapter::add(driver.dxgkrnl(), device, config)?;
    let started = adapter.start();
    let removed = adapter.remove();
    report.start_up = adapter.steps();
    report.interrupts = adapter.interrupt_counts().interrupts;
    let (reads, writes) = adapter.device().register_exits();
    report.register_accesses = reads + writes;
    started?;
    removed?;
    driver.dxgkrnl().unload()?;
    Ok(())
}

fn print(report: &Report) {
    println!(
        "driver: {} bytes, {} imports",
        report.sys_size,
        report.imports.len()
    );
    println!("start-up:");
    for step in &report.start_up {
        println!("  {step}");
    }
    println!(
        "{} register accesses, {} interrupts",
        report.register_accesses, report.interrupts
    );
    for violation in &report.violations {
        println!("violation: {violation}");
    }
    if let Some(failure) = &report.failure {
        println!("failed: {failure}");
    }
    println!(
        "verifier: {} violations, {} pool blocks leaked",
        report.verifier_violations, report.pool_blocks_leaked
    );
}

fn main() -> Result<ExitCode, Failure> {
    let arguments = Arguments::parse();
    let nt = Nt::new()?;
    let mut report = Report::default();
    if let Err(error) = run(&arguments, &nt, &mut report) {
        report.failure = Some(error.to_string());
    }
    report.verifier_violations = nt.verifier.violation_count();
    report.violations = nt
        .verifier
        .violations()
        .iter()
        .map(ToString::to_string)
        .collect();
    report.pool_blocks_leaked = nt.verifier.live_pool_blocks();
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
