//! Build, check, test and demo tasks of Carillon: `cargo xtask help`.

mod contract;
mod counts;
mod cross;
mod image;
mod inf;
mod layout;
mod process;
mod published_crates;
mod setup;
mod test;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::cross::published;
use crate::layout::{Layout, Profile};

/// Tasks of the Carillon workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Find what the cross build needs and install what is missing (as root on Debian or Ubuntu).
    Setup,
    /// Build carillon.sys and carillon.pdb on Linux.
    Build(BuildArgs),
    /// Run clippy on the driver package, which plain `cargo clippy` leaves out.
    Clippy,
    /// Check a driver image and the PDB beside it.
    CheckSys(CheckSysArgs),
    /// Make docs/contract.md and docs/regressions.md from the tables and the annotated tests.
    Contract(ContractArgs),
    /// Run every test and check; the last line counts them.
    Test,
    /// Build the driver and run it in the bench on the virtual GPU.
    Demo {
        /// Handed on to the demo: `--json` for one JSON object, `--help` after `--` for the rest.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build the driver and put it under everything at once for a minute.
    Soak {
        /// Handed on to the soak run: `--seconds N`, `--seed N`, `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Build the driver and measure speed and size of it in the bench.
    Bench {
        /// Handed on to the measurement: `--json`, `--strict`, `--doorbells N`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Check the model of the doorbell protocol, and that each of its rules is needed.
    Model {
        /// Handed on to the model: `--quick`, `--rule NAME`, `--json`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

#[derive(Args)]
struct BuildArgs {
    /// Optimized, as it is shipped and tested.
    #[arg(long)]
    release: bool,
}

#[derive(Args)]
struct CheckSysArgs {
    /// The image; the release build's if none is named.
    path: Option<PathBuf>,
    /// Print the report as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ContractArgs {
    /// Write nothing; fail naming the difference if a page is stale.
    #[arg(long)]
    check: bool,
    /// Fail naming the rows that need a check and have none.
    #[arg(long)]
    strict: bool,
    /// Print the figures as one JSON object.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let layout = Layout::of_this_workspace()?;
    match Cli::parse().task {
        Task::Setup => {
            let tools = setup::ensure(&layout)?;
            println!("ready to build with {}", tools.toolchain.describe());
        }
        Task::Build(args) => {
            let profile = if args.release {
                Profile::Release
            } else {
                Profile::Debug
            };
            cross::build(&layout, profile, None)?;
        }
        Task::Clippy => cross::clippy(&layout, None)?,
        Task::CheckSys(args) => check_sys(&layout, &args)?,
        Task::Contract(args) => contract(&layout, &args)?,
        Task::Test => {
            let counts = test::run(&layout)?;
            println!("{counts}");
            if counts.failed != 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
        Task::Demo { args } => with_driver(&layout, "carillon-demo", &args)?,
        Task::Soak { args } => with_driver(&layout, "carillon-soak", &args)?,
        Task::Bench { args } => with_driver(&layout, "carillon-perf", &args)?,
        Task::Model { args } => program(&layout, "carillon-model", "carillon-model", &args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn check_sys(layout: &Layout, args: &CheckSysArgs) -> Result<()> {
    let path = args
        .path
        .clone()
        .unwrap_or_else(|| layout.sys(Profile::Release));
    let report = image::check_file(&path, &layout.expected_image()?)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        report.print();
    }
    if !report.passed {
        bail!("{} fails its checks", path.display());
    }
    Ok(())
}

fn contract(layout: &Layout, args: &ContractArgs) -> Result<()> {
    let mode = if args.check {
        contract::Mode::Check
    } else {
        contract::Mode::Write
    };
    let coverage = contract::run(layout, mode)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(coverage.summary())?);
    } else {
        print!("{}", coverage.summary());
    }
    if args.strict {
        coverage.complete()?;
    }
    Ok(())
}

/// Runs a program of the workspace at full speed.
fn program(layout: &Layout, package: &str, name: &str, args: &[OsString]) -> Result<()> {
    let mut run = published::host_cargo();
    run.current_dir(layout.root())
        .args(["run", "--locked", "--profile", "host"])
        .args(["--package", package, "--bin", name, "--"])
        .args(args);
    process::run(&mut run)
}

/// Builds the driver and runs a program of the bench with it.
fn with_driver(layout: &Layout, name: &str, args: &[OsString]) -> Result<()> {
    let sys = cross::build(layout, Profile::Release, None)?;
    let mut all = vec![OsString::from("--sys"), sys.into_os_string()];
    all.extend_from_slice(args);
    program(layout, "carillon-bench", name, &all)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_demo_hands_its_options_on() {
        let cli = Cli::try_parse_from(["cargo xtask", "demo", "--json", "--seed", "7"]).unwrap();
        let Task::Demo { args } = cli.task else {
            panic!("another task was parsed")
        };
        assert_eq!(args, ["--json", "--seed", "7"]);
    }

    #[test]
    fn the_soak_run_gets_its_options() {
        let cli = Cli::try_parse_from(["cargo xtask", "soak", "--seconds", "5"]).unwrap();
        assert!(matches!(cli.task, Task::Soak { args } if args == ["--seconds", "5"]));
    }

    #[test]
    fn the_measurement_gets_its_options() {
        let cli = Cli::try_parse_from(["cargo xtask", "bench", "--json", "--strict"]).unwrap();
        assert!(matches!(cli.task, Task::Bench { args } if args == ["--json", "--strict"]));
    }

    #[test]
    fn an_unknown_task_is_refused() {
        assert!(Cli::try_parse_from(["cargo xtask", "sing"]).is_err());
    }
}
