//! Build, check, test and demo tasks of Carillon: `cargo xtask help`.

mod cross;
mod layout;
mod process;
mod setup;

use std::process::ExitCode;

use anyhow::Result;
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
}

#[derive(Args)]
struct BuildArgs {
    /// Optimized, as it is shipped and tested.
    #[arg(long)]
    release: bool,
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
    }
}
