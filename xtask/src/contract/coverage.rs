//! Rows of the tables and the checks that watch them.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::source::Check;
use super::table::Tables;

/// Which checks watch which row.
#[derive(Debug)]
pub(crate) struct Coverage {
    by_id: BTreeMap<String, Vec<Check>>,
    summary: Summary,
}

/// Figures of the rows that need a check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) clauses: Figures,
    pub(crate) regressions: Figures,
}

/// Figures of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Figures {
    pub(crate) required: usize,
    pub(crate) checked: usize,
    pub(crate) not_applicable: usize,
    /// Neither checked nor excused.
    pub(crate) missing: Vec<String>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "clauses: {}", self.clauses)?;
        writeln!(f, "regressions: {}", self.regressions)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            required,
            checked,
            not_applicable,
            missing,
        } = self;
        write!(
            f,
            "{required} need a check, {checked} have one, {not_applicable} cannot apply"
        )?;
        if missing.is_empty() {
            return Ok(());
        }
        write!(f, "; without: {}", missing.join(", "))
    }
}

impl Figures {
    fn count(&mut self, id: &str, checked: bool, excused: bool) {
        self.required += 1;
        if checked {
            self.checked += 1;
        } else if excused {
            self.not_applicable += 1;
        } else {
            self.missing.push(id.to_owned());
        }
    }
}

impl Coverage {
    /// Brings tables and checks together.
    ///
    /// # Errors
    /// When a check names an id that its table does not have, or one that is said not to apply.
    pub(crate) fn new(tables: &Tables, checks: Vec<Check>) -> Result<Self> {
        let mut by_id: BTreeMap<String, Vec<Check>> = BTreeMap::new();
        for check in checks {
            let is_clause = |id: &String| tables.clauses.iter().any(|clause| clause.id == *id);
            let is_regression = |id: &String| tables.regressions.iter().any(|row| row.id == *id);
            let at = format!("{}: {}", check.file, check.path);
            for id in &check.clauses {
                ensure!(is_clause(id), "{at} names the unknown clause {id}");
            }
            for id in &check.regressions {
                ensure!(is_regression(id), "{at} names the unknown regression {id}");
            }
            for id in check.clauses.iter().chain(&check.regressions) {
                ensure!(
                    tables.excuse(id).is_none(),
                    "{at} watches {id}, which not-applicable.csv says cannot apply"
                );
                by_id.entry(id.clone()).or_default().push(check.clone());
            }
        }
        for checks in by_id.values_mut() {
            checks.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
            checks.dedup_by(|a, b| a.path == b.path);
        }
        let mut summary = Summary::default();
        let checked = |id: &str| by_id.contains_key(id);
        let excused = |id: &str| tables.excuse(id).is_some();
        for clause in tables.clauses.iter().filter(|clause| clause.required()) {
            let id = &clause.id;
            summary.clauses.count(id, checked(id), excused(id));
        }
        for row in tables.regressions.iter().filter(|row| row.required()) {
            let id = &row.id;
            summary.regressions.count(id, checked(id), excused(id));
        }
        Ok(Self { by_id, summary })
    }

    /// The checks of a row.
    pub(crate) fn of(&self, id: &str) -> &[Check] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }

    /// Figures of what needs a check.
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Fails naming the rows that need a check and have none.
    pub(crate) fn complete(&self) -> Result<()> {
        let Summary {
            clauses,
            regressions,
        } = &self.summary;
        let missing = [&clauses.missing[..], &regressions.missing[..]].concat();
        ensure!(
            missing.is_empty(),
            "without a check ({}): {}",
            missing.len(),
            missing.join(", ")
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::Kind;
    use super::super::table::{Clause, NotApplicable, Regression};
    use super::*;

    fn clause(id: &str, area: &str) -> Clause {
        Clause {
            id: id.into(),
            area: area.into(),
            who: "KMD".into(),
            requirement: "It holds.".into(),
            derived: false,
        }
    }

    fn tables() -> Tables {
        Tables {
            clauses: vec![
                clause("DBC-001", "doorbell-create"),
                clause("DBC-002", "doorbell-create"),
                clause("CAP-001", "caps"),
            ],
            regressions: vec![Regression {
                id: "DB-01".into(),
                situation: "s".into(),
                what_broke: "b".into(),
                expected: "e".into(),
            }],
            not_applicable: vec![NotApplicable {
                id: "DBC-002".into(),
                reason: "no such thing".into(),
            }],
        }
    }

    fn check(clauses: &[&str], regressions: &[&str]) -> Check {
        let own = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Check {
            kind: Kind::Test,
            path: "a::b".into(),
            file: "src/a.rs".into(),
            clauses: own(clauses),
            regressions: own(regressions),
        }
    }

    #[test]
    fn what_is_neither_checked_nor_excused_is_missing() {
        let coverage = Coverage::new(&tables(), vec![check(&["DBC-001"], &[])]).unwrap();
        let Summary {
            clauses,
            regressions,
        } = coverage.summary().clone();
        assert_eq!(
            (clauses.required, clauses.checked, clauses.not_applicable),
            (2, 1, 1)
        );
        assert!(clauses.missing.is_empty());
        assert_eq!(regressions.missing, ["DB-01"]);
        let error = coverage.complete().unwrap_err().to_string();
        assert!(error.contains("without a check (1): DB-01"), "{error}");
        let all = vec![check(&["DBC-001"], &["DB-01"])];
        Coverage::new(&tables(), all).unwrap().complete().unwrap();
    }

    #[test]
    fn unknown_and_excused_ids_are_refused() {
        for (bad, what) in [
            (check(&["DBC-009"], &[]), "unknown clause DBC-009"),
            (check(&["DB-01"], &[]), "unknown clause DB-01"),
            (check(&[], &["DBC-001"]), "unknown regression DBC-001"),
            (check(&["DBC-002"], &[]), "cannot apply"),
        ] {
            let error = Coverage::new(&tables(), vec![bad]).unwrap_err().to_string();
            assert!(error.contains(what) && error.contains("a::b"), "{error}");
        }
    }

    #[test]
    fn a_check_is_listed_once_a_row() {
        let twice = vec![check(&["DBC-001", "DBC-001"], &[])];
        let coverage = Coverage::new(&tables(), twice).unwrap();
        assert_eq!(coverage.of("DBC-001").len(), 1);
        assert!(coverage.of("CAP-001").is_empty());
    }
}
