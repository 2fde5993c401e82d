//! Build, check, test and demo tasks of Carillon: `cargo xtask help`.

mod cross;
mod image;
mod layout;
mod process;
mod setup;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};

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
    /// Check a driver image and the PDB beside it.
    CheckSys(CheckSysArgs),
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

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let layout = Layout::of_this_workspace()?;
    match Cli::parse().task {
        Task::Setup => {
            setup::ensure(&layout)?;
            Ok(())
        }
        Task::Build(args) => {
            let profile = if args.release {
                Profile::Release
            } else {
                Profile::Debug
            };
            cross::build(&layout, profile)?;
            Ok(())
        }
        Task::CheckSys(args) => check_sys(&layout, &args),
    }
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
