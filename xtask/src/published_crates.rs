//! The check that the driver is made of the wdk crates as published.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::layout::{Layout, TARGET};
use crate::process;

/// The crates that Microsoft publishes for Rust drivers and that Carillon is built on.
const WDK_CRATES: [&str; 5] = ["wdk", "wdk-sys", "wdk-build", "wdk-alloc", "wdk-panic"];

/// Start and end of what Cargo.lock says of a crate that comes from crates.io.
const CRATES_IO: [&str; 2] = ["source = \"registry+", "/crates.io-index\""];

/// Looks at `cargo tree`, Cargo.lock and the manifests. Says what versions the driver has.
pub(crate) fn check(layout: &Layout) -> Result<String> {
    let tree = process::capture(
        Command::new("cargo")
            .current_dir(layout.root())
            .args([
                "tree",
                "--locked",
                "--package",
                "carillon",
                "--target",
                TARGET,
            ])
            .args([
                "--edges",
                "normal,build",
                "--prefix",
                "none",
                "--format",
                "{p}",
            ]),
    )?;
    let mut found = Vec::new();
    for name in WDK_CRATES {
        found.push(format!("{name} {}", published_version(&tree, name)?));
    }
    let lock = read(layout, "Cargo.lock")?;
    for name in WDK_CRATES {
        ensure!(
            locked_to_crates_io(&lock, name),
            "Cargo.lock does not take {name} from crates.io"
        );
    }
    for file in ["Cargo.toml", ".cargo/config.toml"] {
        let text = read(layout, file)?;
        if let Some(line) = overriding_line(&text) {
            bail!("{file} overrides dependencies: `{line}`");
        }
    }
    Ok(found.join(", "))
}

fn read(layout: &Layout, file: &str) -> Result<String> {
    let path = layout.root().join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The version of a crate in `cargo tree`'s output; a crate that comes from elsewhere has a path or
/// an address in parentheses behind it.
fn published_version<'a>(tree: &'a str, name: &str) -> Result<&'a str> {
    let Some(line) = tree
        .lines()
        .find(|line| line.split(' ').next() == Some(name))
    else {
        bail!("the driver does not depend on {name}");
    };
    let line = line.trim_end_matches(" (*)");
    let mut words = line.split(' ').skip(1);
    let version = words
        .next()
        .with_context(|| format!("`{line}` names no version"))?;
    if let Some(source) = words.next() {
        ensure!(
            source == "(proc-macro)",
            "{name} does not come from crates.io but from {source}"
        );
    }
    Ok(version)
}

fn locked_to_crates_io(lock: &str, name: &str) -> bool {
    let mut packages = lock.split("[[package]]").filter(|package| {
        package
            .lines()
            .any(|line| line.trim() == format!("name = \"{name}\""))
    });
    let [start, end] = CRATES_IO;
    let is_source = |line: &str| line.starts_with(start) && line.ends_with(end);
    packages
        .next()
        .is_some_and(|package| package.lines().map(str::trim).any(is_source))
        && packages.next().is_none()
}

/// The first line that makes Cargo take a dependency from elsewhere.
fn overriding_line(manifest: &str) -> Option<&str> {
    manifest.lines().map(str::trim).find(|line| {
        ["[patch", "[replace", "[source", "paths ", "paths="]
            .iter()
            .any(|start| line.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_crate_shows_its_version() {
        let tree = "carillon v0.1.0 (/x)\nwdk v0.5.0\nwdk-sys v0.5.2\nwdk-sys v0.5.2 (*)\n";
        assert_eq!(published_version(tree, "wdk").unwrap(), "v0.5.0");
        assert_eq!(published_version(tree, "wdk-sys").unwrap(), "v0.5.2");
    }

    #[test]
    fn a_crate_from_a_folder_is_refused() {
        let error = published_version("wdk v0.5.0 (/patched/wdk)\n", "wdk").unwrap_err();
        assert!(error.to_string().contains("/patched/wdk"), "{error}");
    }

    #[test]
    fn a_missing_crate_is_named() {
        let error = published_version("wdk-sys v0.5.2\n", "wdk").unwrap_err();
        assert!(
            error.to_string().contains("does not depend on wdk"),
            "{error}"
        );
    }

    #[test]
    fn the_lock_file_must_name_crates_io_once() {
        let package =
            |source: &str| format!("[[package]]\nname = \"wdk\"\nversion = \"0.5.0\"\n{source}\n");
        let [start, end] = CRATES_IO;
        let published = package(&format!("{start}index.example{end}"));
        assert!(locked_to_crates_io(&published, "wdk"));
        assert!(!locked_to_crates_io(&package(""), "wdk"));
        assert!(!locked_to_crates_io(&published.repeat(2), "wdk"));
        assert!(!locked_to_crates_io(&published, "wdk-sys"));
    }

    #[test]
    fn a_patch_section_is_found() {
        assert_eq!(
            overriding_line("[a]\n[patch.crates-io]\n"),
            Some("[patch.crates-io]")
        );
        assert_eq!(overriding_line("paths = [\"x\"]"), Some("paths = [\"x\"]"));
        assert_eq!(overriding_line("[dependencies]\nwdk = \"0.5\"\n"), None);
    }
}
