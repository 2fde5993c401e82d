//! `cargo xtask test`: every check of the workspace, a line per step and one count line at the end.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::Metadata;

use crate::contract;
use crate::counts::Counts;
use crate::cross::{self, published};
use crate::image;
use crate::inf;
use crate::layout::{Layout, Profile};
use crate::process;
use crate::published_crates;

/// The crate whose tests need the linked driver, and the feature that builds those tests.
const BENCH: &str = "carillon-bench";
const SYS_FEATURE: &str = "sys";

/// Names the driver image for the tests that need it.
const SYS_VARIABLE: &str = "CARILLON_SYS";

/// Runs everything, with a line for each step, and counts it.
pub(crate) fn run(layout: &Layout) -> Result<Counts> {
    let metadata = published::metadata(layout)?;
    let mut session = Session::new(layout)?;
    session.command("formatting", host("fmt", layout).args(["--all", "--check"]));
    session.command("clippy, host crates", &mut host_clippy(layout, &metadata));
    session.tests("tests, host crates", &mut host_tests(layout));
    session.tests("loom", &mut loom_tests(layout));
    session.command("model", &mut quick_model(layout));
    session.check("wdk crates as published", || {
        published_crates::check(layout)
    });
    session.check("INF", || inf(layout));
    session.check("contract pages", || {
        let coverage = contract::run(layout, contract::Mode::Check)?;
        coverage.complete()?;
        Ok(coverage.summary().to_string())
    });
    session.step("clippy, driver", |log| {
        cross::clippy(layout, Some(log))?;
        Ok(Counts::one(true))
    });
    let built = session.step("cross build", |log| {
        cross::build(layout, Profile::Release, Some(log))?;
        Ok(Counts::one(true))
    });
    if built {
        session.image(layout);
        session.step("driver in the bench", |log| {
            let mut tests = bench_tests(layout, &metadata)?;
            run_tests(&mut tests, log)
        });
    } else {
        session.check("image", || bail!("not checked: there is no image"));
        session.check("driver in the bench", || {
            bail!("not run: there is no image")
        });
    }
    session.print_failures();
    Ok(session.counts)
}

fn inf(layout: &Layout) -> Result<String> {
    let path = layout.root().join("inf").join("carillon.inx");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    inf::check(&text).with_context(|| path.display().to_string())
}

/// A cargo command for the host. What the cargo that runs this task set for itself stays out.
fn host(subcommand: &str, layout: &Layout) -> Command {
    let mut cargo = published::host_cargo();
    cargo
        .current_dir(layout.root())
        .env_remove(SYS_VARIABLE)
        .arg(subcommand);
    cargo
}

fn host_clippy(layout: &Layout, metadata: &Metadata) -> Command {
    let mut clippy = host("clippy", layout);
    clippy.args([
        "--locked",
        "--workspace",
        "--exclude",
        "carillon",
        "--all-targets",
    ]);
    if sys_tests(metadata).is_ok() {
        clippy
            .arg("--features")
            .arg(format!("{BENCH}/{SYS_FEATURE}"));
    }
    clippy.args(["--", "-D", "warnings"]);
    clippy
}

fn host_tests(layout: &Layout) -> Command {
    let mut tests = host("test", layout);
    tests.args([
        "--locked",
        "--workspace",
        "--exclude",
        "carillon",
        "--no-fail-fast",
    ]);
    tests
}

/// Every interleaving of what the driver's core shares with its interrupt routine. The `loom` cfg
/// changes every crate, so these have a target folder of their own.
fn loom_tests(layout: &Layout) -> Command {
    let mut tests = host("test", layout);
    tests.args(["--locked", "--profile", "host"]);
    tests.args(["--package", "carillon-core", "--test", "loom"]);
    tests.env("RUSTFLAGS", "--cfg loom");
    tests.env("CARGO_TARGET_DIR", layout.generated().join("loom"));
    tests
}

/// The protocol's model in its small configurations, each rule left out in turn.
fn quick_model(layout: &Layout) -> Command {
    let mut model = host("run", layout);
    model.args(["--locked", "--profile", "host"]);
    model.args(["--package", "carillon-model", "--bin", "carillon-model"]);
    model.args(["--", "--quick"]);
    model
}

/// The tests that run the linked driver, and only those: the bench's others ran with the host's.
fn bench_tests(layout: &Layout, metadata: &Metadata) -> Result<Command> {
    let mut tests = host("test", layout);
    tests.args([
        "--locked",
        "--package",
        BENCH,
        "--features",
        SYS_FEATURE,
        "--no-fail-fast",
    ]);
    for target in sys_tests(metadata)? {
        tests.args(["--test", &target]);
    }
    tests.env(SYS_VARIABLE, layout.sys(Profile::Release));
    Ok(tests)
}

/// Test targets of the bench that demand the feature.
fn sys_tests(metadata: &Metadata) -> Result<Vec<String>> {
    let bench = metadata
        .packages
        .iter()
        .find(|package| package.name == BENCH)
        .with_context(|| format!("the workspace has no package {BENCH}"))?;
    let targets: Vec<String> = bench
        .targets
        .iter()
        .filter(|target| target.is_test())
        .filter(|target| {
            target
                .required_features
                .iter()
                .any(|feature| feature == SYS_FEATURE)
        })
        .map(|target| target.name.clone())
        .collect();
    ensure!(
        !targets.is_empty(),
        "{BENCH} has no test target with required-features = [\"{SYS_FEATURE}\"]",
    );
    Ok(targets)
}

/// Runs a `cargo test` command and counts its results. A run that ends badly without a failed test,
/// as one that does not compile, counts as one failure.
fn run_tests(command: &mut Command, log: &Path) -> Result<Counts> {
    let success = process::run_logged(command, log)?;
    let output =
        fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    let mut counts = Counts::of_cargo_test(&output);
    if !success && counts.failed == 0 {
        counts.failed = 1;
    }
    ensure!(counts != Counts::default(), "no test ran");
    Ok(counts)
}

/// The run as it goes: what was counted, and where the logs are.
struct Session {
    logs: PathBuf,
    counts: Counts,
    steps: usize,
    failures: Vec<Failure>,
}

/// A step that failed: what to print again at the end, where whoever sees only the end of a long
/// output finds it.
struct Failure {
    step: String,
    log: PathBuf,
    error: Option<String>,
}

/// Lines of a log that say why it failed, and how many of them are printed at the end.
const TELLING: [&str; 5] = ["error:", "error[", "panicked at", "FAILED", "assertion"];
const TOLD: usize = 30;

impl Failure {
    fn print(&self) {
        println!("FAILED: {} ({})", self.step, self.log.display());
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        for line in telling_lines(&log) {
            println!("    {line}");
        }
        if let Some(error) = &self.error {
            println!("    {error}");
        }
    }
}

/// The first lines that say what went wrong; what build scripts print about files to watch does not.
fn telling_lines(log: &str) -> impl Iterator<Item = &str> {
    log.lines()
        .filter(|line| !line.trim_start().starts_with("cargo:"))
        .filter(|line| TELLING.iter().any(|word| line.contains(word)))
        .take(TOLD)
}

impl Session {
    fn new(layout: &Layout) -> Result<Self> {
        let logs = layout.generated().join("test-logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        Ok(Self {
            logs,
            counts: Counts::default(),
            steps: 0,
            failures: Vec::new(),
        })
    }

    /// A step that counts for itself. Says whether nothing in it failed.
    fn step(&mut self, name: &str, work: impl FnOnce(&Path) -> Result<Counts>) -> bool {
        self.steps += 1;
        let log = self.logs.join(format!("{:02}.log", self.steps));
        print!("[{:2}] {name}: ", self.steps);
        // Without a terminal nothing is lost by failing to show the name early.
        let _ = std::io::stdout().flush();
        let start = Instant::now();
        let outcome = fs::write(&log, "")
            .context("cannot start a log")
            .and_then(|()| work(&log));
        let seconds = start.elapsed().as_secs_f64();
        let counts = match &outcome {
            Ok(counts) => *counts,
            Err(_) => Counts::one(false),
        };
        let verdict = if counts.failed == 0 { "ok" } else { "FAILED" };
        println!("{verdict} ({counts}, {seconds:.1} s)");
        if counts.failed != 0 {
            print!("{}", fs::read_to_string(&log).unwrap_or_default());
            let error = outcome.err().map(|error| format!("{error:#}"));
            if let Some(error) = &error {
                println!("     {error}");
            }
            self.failures.push(Failure {
                step: name.to_owned(),
                log,
                error,
            });
        }
        self.counts += counts;
        counts.failed == 0
    }

    /// What failed, in short.
    fn print_failures(&self) {
        for failure in &self.failures {
            failure.print();
        }
    }

    /// A step that is one command.
    fn command(&mut self, name: &str, command: &mut Command) {
        self.step(name, |log| {
            Ok(Counts::one(process::run_logged(command, log)?))
        });
    }

    /// A step that is one run of tests.
    fn tests(&mut self, name: &str, command: &mut Command) {
        self.step(name, |log| run_tests(command, log));
    }

    /// A step that is one check inside this program.
    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<String>) {
        self.step(name, |log| {
            fs::write(log, check()?)?;
            Ok(Counts::one(true))
        });
    }

    /// The checks of the image, each counted.
    fn image(&mut self, layout: &Layout) {
        self.step("image", |log| {
            let report =
                image::check_file(&layout.sys(Profile::Release), &layout.expected_image()?)?;
            let mut counts = Counts::default();
            for check in &report.checks {
                counts += Counts::one(check.passed);
            }
            fs::write(log, serde_json::to_string_pretty(&report)?)?;
            Ok(counts)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_names_what_failed_and_leaves_the_rest_out() {
        let log = "cargo:rerun-if-changed=error.rs\n   Compiling thiserror v1\ntest y ... ok\n\
            test result: ok. 1 passed; 0 failed; 0 ignored\ntest x ... FAILED\nerror: no\n";
        let told: Vec<_> = telling_lines(log).collect();
        assert_eq!(told, ["test x ... FAILED", "error: no"]);
    }

    #[test]
    fn a_long_log_is_cut() {
        let log = "error: no\n".repeat(TOLD + 1);
        assert_eq!(telling_lines(&log).count(), TOLD);
        assert_eq!(telling_lines("").count(), 0);
    }
}
