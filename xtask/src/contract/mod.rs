//! `cargo xtask contract`: which test watches which clause of the contract.
//!
//! The clauses and the known failures of other drivers are tables in `docs/contract/`. A test says
//! what it watches in a line of its doc comment, `contract:` or `regression:` and ids behind it.
//! From both come `docs/contract.md` and `docs/regressions.md`.

mod annotation;
mod coverage;
mod page;
mod source;
mod table;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::layout::Layout;
use coverage::Coverage;
use table::Tables;

/// What to do with the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write them.
    Write,
    /// Fail if they are not what would be written.
    Check,
}

/// Makes or checks the pages; the result is what the tables and the annotations have in common.
pub(crate) fn run(layout: &Layout, mode: Mode) -> Result<Coverage> {
    let tables = Tables::read(&layout.root().join("docs").join("contract"))?;
    let checks = source::checks(layout.root())?;
    let coverage = Coverage::new(&tables, checks)?;
    let pages = [
        ("contract.md", page::contract(&tables, &coverage)),
        ("regressions.md", page::regressions(&tables, &coverage)),
    ];
    for (name, text) in pages {
        let path = layout.root().join("docs").join(name);
        match mode {
            Mode::Write => fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?,
            Mode::Check => compare(&path, &text)?,
        }
    }
    Ok(coverage)
}

fn compare(path: &PathBuf, text: &str) -> Result<()> {
    let found =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let changes = page::difference(&found, text);
    ensure!(
        changes.is_empty(),
        "{} is stale; `cargo xtask contract` makes it anew:\n{}",
        path.display(),
        changes.join("\n"),
    );
    Ok(())
}
