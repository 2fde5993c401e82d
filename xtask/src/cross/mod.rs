//! The cross build: the driver for Windows, linked on Linux from the published wdk crates.
//!
//! Four things stand in for what a Windows machine has: [`toolchain`] picks a Rust that can build
//! `core` for the target, [`wdk_tree`] lays out a folder shaped like an installed WDK,
//! [`published`] keeps edited copies of the two published crates that refuse a Linux host, and
//! [`llvm`] finds linker, import-library tool, resource compiler and libclang.

pub(crate) mod edit;
pub(crate) mod exports;
pub(crate) mod files;
pub(crate) mod llvm;
pub(crate) mod published;
pub(crate) mod toolchain;
pub(crate) mod wdk_tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::layout::{Layout, Profile, TARGET};
use crate::process;
use crate::setup::{self, Tools};

/// Builds the driver and copies image and symbols to the output folder. Cargo's output goes to the
/// log file, if one is named.
pub(crate) fn build(layout: &Layout, profile: Profile, log: Option<&Path>) -> Result<PathBuf> {
    let tools = setup::ensure(layout)?;
    let mut cargo = cargo(layout, &tools, "build")?;
    if profile == Profile::Release {
        cargo.arg("--release");
    }
    match log {
        None => {
            eprintln!("cross build with {}", tools.toolchain.describe());
            process::run(&mut cargo)?;
        }
        Some(log) => ensure!(
            process::run_logged(&mut cargo, log)?,
            "the driver does not build"
        ),
    }

    let artifacts = layout.cross_target().join(TARGET).join(profile.folder());
    let sys = layout.sys(profile);
    files::copy_if_changed(&artifacts.join("carillon.dll"), &sys)?;
    files::copy_if_changed(&artifacts.join("carillon.pdb"), &sys.with_extension("pdb"))?;
    let size = std::fs::metadata(&sys)
        .context("the driver image vanished")?
        .len();
    if log.is_none() {
        eprintln!("{} ({size} bytes)", sys.display());
    }
    Ok(sys)
}

/// Runs clippy on the driver package with the cross toolchain, warnings denied. Its output goes to
/// the log file, if one is named. The crates below it are linted with the host's.
pub(crate) fn clippy(layout: &Layout, log: Option<&Path>) -> Result<()> {
    let tools = setup::ensure_with_clippy(layout)?;
    let mut cargo = cargo(layout, &tools, "clippy")?;
    cargo.args(["--no-deps", "--", "-D", "warnings"]);
    match log {
        None => process::run(&mut cargo),
        Some(log) => {
            ensure!(
                process::run_logged(&mut cargo, log)?,
                "clippy objects to the driver"
            );
            Ok(())
        }
    }
}

/// A Cargo command on the driver package, set up for the cross build.
fn cargo(layout: &Layout, tools: &Tools, subcommand: &str) -> Result<Command> {
    let wdk = wdk_tree::ensure(layout, tools)?;
    let overrides = published::ensure(layout)?;

    let mut cargo = tools.toolchain.cargo();
    cargo
        .current_dir(layout.root())
        .arg(subcommand)
        .args(["--locked", "--package", "carillon", "--target", TARGET])
        .arg("--target-dir")
        .arg(layout.cross_target())
        .args(tools.toolchain.build_std_flags())
        .arg("--config")
        .arg(format!("paths={}", toml_strings(&overrides)))
        .arg("--config")
        .arg(format!(
            "target.{TARGET}.rustflags={}",
            toml_strings(&rustflags(layout)?)
        ))
        .env("WDKContentRoot", &wdk.root)
        // An eWDK prompt's variable would send wdk-build to another version's folder.
        .env_remove("Version_Number")
        .env("LIBCLANG_PATH", &tools.llvm.libclang_folder)
        .env("RC", &tools.llvm.resource_compiler)
        .env(
            "CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER",
            &tools.llvm.linker,
        );
    Ok(cargo)
}

/// Compiler flags of the cross build, added to those of `.cargo/config.toml`.
fn rustflags(layout: &Layout) -> Result<Vec<String>> {
    let mut flags = vec![
        // The same inputs give the same bytes: no time stamp in the headers.
        "-Clink-arg=/BREPRO".to_owned(),
    ];
    // Panic locations and debug records must not tell where the image was built.
    let cargo_home = published::cargo_home()?;
    flags.push(format!(
        "--remap-path-prefix={}=carillon",
        layout.root().display()
    ));
    flags.push(format!(
        "--remap-path-prefix={}=cargo",
        cargo_home.display()
    ));
    Ok(flags)
}

/// A TOML array of basic strings.
fn toml_strings<T: AsRef<std::ffi::OsStr>>(values: &[T]) -> String {
    let quoted: Vec<String> = values
        .iter()
        .map(|value| {
            let text = value.as_ref().to_string_lossy();
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        })
        .collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toml_strings_escapes_quotes_and_backslashes() {
        assert_eq!(toml_strings::<&str>(&[]), "[]");
        assert_eq!(toml_strings(&["a", r#"b"c\d"#]), r#"["a","b\"c\\d"]"#);
    }
}
