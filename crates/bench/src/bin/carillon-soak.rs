//! Puts a driver file under everything at once for a while, and says what was found.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use carillon_bench::workload::soak::{SoakCounts, SoakOptions, SoakReport, run};
use clap::Parser;

/// Runs carillon.sys on virtual GPUs under random load, with every result checked.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The driver file.
    #[arg(long, value_name = "PATH")]
    sys: PathBuf,
    /// How long, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// Selects the work; the order in which threads do it is the machine's.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of the first episode, to repeat one that a report names.
    #[arg(long, default_value_t = 0)]
    episode: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

fn tell(elapsed: Duration, counts: &SoakCounts) {
    eprintln!(
        "{:>5} s: {} episodes, {} submissions, {} queues, {} disconnects, {} suspends, {} exits, {} \
         hostile queues, {} bytes wrong",
        elapsed.as_secs(),
        counts.episodes,
        counts.submissions,
        counts.queues,
        counts.disconnects,
        counts.suspends,
        counts.normal_exits + counts.abnormal_exits,
        counts.hostile_queues,
        counts.bytes_wrong
    );
}

fn print(report: &SoakReport) -> Result<(), serde_json::Error> {
    if let serde_json::Value::Object(counts) = serde_json::to_value(report.counts)? {
        for (name, value) in counts {
            println!("{name:<20} {value}");
        }
    }
    for violation in &report.violations {
        println!("violation            {violation}");
    }
    if let Some(failure) = &report.failure {
        println!("failed               {failure}");
    }
    println!("pool_blocks_leaked   {}", report.pool_blocks_leaked);
    println!("verifier_violations  {}", report.verifier_violations);
    let verdict = if report.passed() { "passed" } else { "FAILED" };
    println!(
        "verdict              {verdict} in {:.1} s, seed {}",
        report.seconds, report.seed
    );
    if let Some(episode) = report.failed_episode {
        println!(
            "replay               cargo xtask soak --seed {} --episode {episode}",
            report.seed
        );
    }
    Ok(())
}

fn main() -> Result<ExitCode, serde_json::Error> {
    let arguments = Arguments::parse();
    let options = SoakOptions {
        seed: arguments.seed,
        duration: Duration::from_secs(arguments.seconds),
        first_episode: arguments.episode,
    };
    let report = run(&arguments.sys, &options, tell);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report)?;
    }
    Ok(if report.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
