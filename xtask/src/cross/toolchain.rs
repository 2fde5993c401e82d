//! The Rust that builds the driver: rustup's, with a ready-made `core` for the target, or
//! Debian's, which builds `core` from its source package.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::layout::TARGET;
use crate::process;

/// Oldest Rust that the workspace builds with, from its own manifest.
const MINIMUM: &str = env!("CARGO_PKG_RUST_VERSION");

/// Variables by which an outer cargo or rustup would reach into the cross build.
const FOREIGN: [&str; 10] = [
    "CARGO",
    "RUSTC",
    "RUSTDOC",
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "RUSTUP_TOOLCHAIN",
];

/// A Rust that can build for the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The toolchain of rust-toolchain.toml, with the target added.
    Rustup { version: String },
    /// The distribution's cargo, rustc and library source.
    Distribution { version: String },
}

impl Toolchain {
    /// The first that is there, in the order of the enum.
    pub(crate) fn find(root: &Path) -> Result<Option<Self>> {
        if let Some(rustup) = Self::find_rustup(root)? {
            return Ok(Some(rustup));
        }
        Self::find_distribution()
    }

    /// The active toolchain's Rust, if `core` for the target lies in its sysroot.
    pub(crate) fn find_rustup(root: &Path) -> Result<Option<Self>> {
        let Some(rustc) = process::find_program("rustc") else {
            return Ok(None);
        };
        let mut print = Command::new(&rustc);
        print.current_dir(root).args(["--print", "sysroot"]);
        // Not every rustc on the PATH works in this folder: a rustup proxy fails when the pinned
        // toolchain is not installed. That is a Rust that cannot be used, not an error.
        let Ok(sysroot) = process::capture(&mut print) else {
            return Ok(None);
        };
        let libraries = PathBuf::from(sysroot.trim())
            .join("lib")
            .join("rustlib")
            .join(TARGET)
            .join("lib");
        if !holds_core(&libraries) {
            return Ok(None);
        }
        let version = version(Command::new(rustc).current_dir(root))?;
        Ok(Some(Self::Rustup { version }))
    }

    /// Debian's or Ubuntu's Rust, if its library source is there.
    pub(crate) fn find_distribution() -> Result<Option<Self>> {
        let programs = [DISTRIBUTION_CARGO, DISTRIBUTION_RUSTC];
        if !programs.iter().all(|program| Path::new(program).is_file()) {
            return Ok(None);
        }
        let sysroot =
            process::capture(Command::new(DISTRIBUTION_RUSTC).args(["--print", "sysroot"]))?;
        let source =
            PathBuf::from(sysroot.trim()).join("lib/rustlib/src/rust/library/core/src/lib.rs");
        if !source.is_file() {
            return Ok(None);
        }
        let version = version(&mut Command::new(DISTRIBUTION_RUSTC))?;
        ensure!(
            at_least(&version, MINIMUM),
            "{DISTRIBUTION_RUSTC} is Rust {version}, the driver needs {MINIMUM}: install \
             `rustc-web`, `cargo-web`, `rust-web-src` and `rust-web-clippy`, or run \
             `rustup target add {TARGET}`",
        );
        Ok(Some(Self::Distribution { version }))
    }

    /// Whether this Rust has clippy. rustup's has it from rust-toolchain.toml.
    pub(crate) fn has_clippy(&self) -> bool {
        match self {
            Self::Rustup { .. } => true,
            Self::Distribution { .. } => Path::new(DISTRIBUTION_CLIPPY).is_file(),
        }
    }

    /// One line for a person: which Rust, and where its `core` comes from.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Rustup { version } => format!("Rust {version} of rustup, target {TARGET}"),
            Self::Distribution { version } => {
                format!("Rust {version} of the distribution, core built from its source package")
            }
        }
    }

    /// A Cargo command of this toolchain, free of what an outer cargo left in the environment.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = match self {
            Self::Rustup { .. } => Command::new("cargo"),
            Self::Distribution { .. } => Command::new(DISTRIBUTION_CARGO),
        };
        for variable in FOREIGN {
            cargo.env_remove(variable);
        }
        if let Self::Distribution { .. } = self {
            // `cargo clippy` and build scripts find their programs on the PATH, where a rustup
            // proxy may come first.
            let old = std::env::var_os("PATH").unwrap_or_default();
            let mut path = std::ffi::OsString::from("/usr/bin:");
            path.push(old);
            cargo
                .env("PATH", path)
                .env("RUSTC", DISTRIBUTION_RUSTC)
                .env("RUSTC_BOOTSTRAP", "1");
        }
        cargo
    }

    /// What tells Cargo to build `core`, where it is not ready-made.
    pub(crate) fn build_std_flags(&self) -> &'static [&'static str] {
        match self {
            Self::Rustup { .. } => &[],
            // Without `compiler-builtins-mem`: memcpy and its kin come from ntoskrnl.exe, as they
            // do with rustup's ready-made library, so that both routes import the same.
            Self::Distribution { .. } => &[
                "-Zbuild-std=core,alloc,compiler_builtins",
                // Unoptimized, it keeps code that calls a C mathematics library.
                "--config",
                "profile.dev.package.compiler_builtins.opt-level=3",
            ],
        }
    }
}

const DISTRIBUTION_CARGO: &str = "/usr/bin/cargo";
const DISTRIBUTION_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DISTRIBUTION_RUSTC: &str = "/usr/bin/rustc";

fn holds_core(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

fn version(rustc: &mut Command) -> Result<String> {
    let text = process::capture(rustc.arg("--version"))?;
    let version = text
        .split_whitespace()
        .nth(1)
        .context("`rustc --version` names no version")?;
    Ok(version.to_owned())
}

/// Whether a `major.minor.patch` version is no older than another; missing parts count as 0.
fn at_least(version: &str, minimum: &str) -> bool {
    numbers(version) >= numbers(minimum)
}

fn numbers(version: &str) -> [u32; 3] {
    let release = version.split('-').next().unwrap_or_default();
    let mut parts = release.split('.').map(|part| part.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number_and_not_by_text() {
        assert!(at_least("1.95.0", "1.95"));
        assert!(at_least("1.100.0", "1.95"));
        assert!(at_least("2.0.0", "1.95"));
        assert!(!at_least("1.94.9", "1.95"));
        assert!(!at_least("1.63.0", "1.95"));
        assert!(at_least("1.96.0-nightly", "1.96.0"));
    }
}
