//! The annotated functions of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::annotation::{Annotated, Scan, scan};

/// Folders with sources.
const FOLDERS: [&str; 3] = ["crates", "src", "xtask/src"];

/// The crate whose functions watch the driver without being tests.
const BENCH: &str = "carillon_bench";

/// What kind of function watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A `#[test]`.
    Test,
    /// A scenario that the bench runs.
    Scenario,
    /// A check inside the OS model: active in every test that runs there.
    Watch,
}

/// A function that watches something.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) kind: Kind,
    /// Crate, modules, name.
    pub(crate) path: String,
    /// From the root of the workspace, with forward slashes.
    pub(crate) file: String,
    pub(crate) clauses: Vec<String>,
    pub(crate) regressions: Vec<String>,
}

/// A file's place: its crate, and its module there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    package: String,
    modules: Vec<String>,
}

/// Reads all sources below the root of the workspace.
pub(crate) fn checks(root: &Path) -> Result<Vec<Check>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut scans = Vec::new();
    let mut words: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for file in files {
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = relative(root, &file)?;
        let Scan {
            annotated,
            words: found,
        } = scan(&text).with_context(|| name.clone())?;
        let place = place(&name).with_context(|| format!("{name} belongs to no crate"))?;
        let sums = words.entry(place.package.clone()).or_default();
        for (word, count) in found {
            *sums.entry(word).or_default() += count;
        }
        scans.push((name, place, annotated));
    }
    let mut checks = Vec::new();
    for (file, place, annotated) in scans {
        for one in annotated {
            checks.push(judge(&file, &place, one, &words[&place.package])?);
        }
    }
    Ok(checks)
}

fn judge(
    file: &str,
    place: &Place,
    one: Annotated,
    words: &BTreeMap<String, usize>,
) -> Result<Check> {
    let kind = match (one.is_test, file.contains("scenario")) {
        (true, _) => Kind::Test,
        (false, true) => Kind::Scenario,
        (false, false) => Kind::Watch,
    };
    let name = one.path.last().map_or("", String::as_str);
    let line = one.line;
    if kind != Kind::Test {
        ensure!(
            place.package == BENCH,
            "{file}:{line}: {name} is annotated and no test"
        );
        ensure!(
            words.get(name).is_some_and(|count| *count > 1),
            "{file}:{line}: {name} is annotated, no test, and nobody runs it"
        );
    }
    let path = std::iter::once(&place.package)
        .chain(&place.modules)
        .chain(&one.path);
    Ok(Check {
        kind,
        path: path.map(String::as_str).collect::<Vec<_>>().join("::"),
        file: file.to_owned(),
        clauses: one.clauses,
        regressions: one.regressions,
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn relative(root: &Path, file: &Path) -> Result<String> {
    let parts: Vec<_> = file
        .strip_prefix(root)?
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    Ok(parts.join("/"))
}

/// Crate and module of a file, by the conventions of Cargo and of this workspace's names.
fn place(file: &str) -> Option<Place> {
    let parts: Vec<&str> = file.strip_suffix(".rs")?.split('/').collect();
    let (package, rest) = match &parts[..] {
        ["crates", name, "src", "bin", rest @ ..]
        | ["crates", name, "src" | "tests" | "benches", rest @ ..] => {
            (format!("carillon_{}", name.replace('-', "_")), rest)
        }
        ["crates", name, "build"] => (format!("carillon_{}", name.replace('-', "_")), &[][..]),
        ["src", rest @ ..] => (String::from("carillon"), rest),
        ["xtask", "src", rest @ ..] => (String::from("xtask"), rest),
        _ => return None,
    };
    let mut modules: Vec<String> = rest.iter().map(|part| (*part).to_owned()).collect();
    if modules
        .last()
        .is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str()))
    {
        modules.pop();
    }
    Some(Place { package, modules })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_crates_and_modules() {
        let shown = |file: &str| {
            let place = place(file)?;
            Some(format!("{}|{}", place.package, place.modules.join("::")))
        };
        for (file, expected) in [
            (
                "crates/core/src/doorbell/tests.rs",
                "carillon_core|doorbell::tests",
            ),
            ("crates/core/src/lib.rs", "carillon_core|"),
            ("crates/core/src/doorbell/mod.rs", "carillon_core|doorbell"),
            ("crates/bench/src/bin/demo.rs", "carillon_bench|demo"),
            (
                "crates/bench/tests/loader_verifier/main.rs",
                "carillon_bench|loader_verifier",
            ),
            ("src/lib.rs", "carillon|"),
            ("xtask/src/inf.rs", "xtask|inf"),
        ] {
            assert_eq!(shown(file).as_deref(), Some(expected), "{file}");
        }
        assert_eq!(shown("build.rs"), None);
    }

    fn judged(file: &str, is_test: bool, uses: usize) -> Result<Kind> {
        let one = Annotated {
            path: vec![String::from("f")],
            line: 7,
            is_test,
            clauses: vec![String::from("A-1")],
            regressions: Vec::new(),
        };
        let words = BTreeMap::from([(String::from("f"), uses)]);
        judge(file, &place(file).unwrap(), one, &words).map(|check| check.kind)
    }

    #[test]
    fn what_is_no_test_has_to_be_run_by_the_bench() {
        assert_eq!(judged("crates/core/src/a.rs", true, 1).unwrap(), Kind::Test);
        assert_eq!(
            judged("crates/bench/src/dxgk/a.rs", false, 2).unwrap(),
            Kind::Watch
        );
        assert_eq!(
            judged("crates/bench/src/scenarios/a.rs", false, 2).unwrap(),
            Kind::Scenario
        );
        let orphan = judged("crates/bench/src/scenarios/a.rs", false, 1).unwrap_err();
        assert!(orphan.to_string().contains("a.rs:7: f"), "{orphan}");
        assert!(judged("crates/core/src/a.rs", false, 2).is_err());
    }
}
