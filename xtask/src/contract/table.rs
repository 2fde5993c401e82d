//! The tables in `docs/contract/`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Areas whose documented clauses all need a check.
const REQUIRED_AREAS: [&str; 9] = [
    "doorbell-create",
    "doorbell-connect",
    "doorbell-disconnect",
    "doorbell-destroy",
    "victimize",
    "notify",
    "ring-buffer-residency",
    "progress-fence",
    "umd-protocol",
];

/// Families of known failures that all need a check.
const REQUIRED_FAMILIES: [&str; 5] = ["DB", "MAP", "RING", "LIFE", "LOCK"];

/// A requirement of the contract.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Clause {
    pub(crate) id: String,
    pub(crate) area: String,
    pub(crate) who: String,
    pub(crate) requirement: String,
    /// Implied by the documents and not stated.
    #[serde(skip)]
    pub(crate) derived: bool,
}

impl Clause {
    /// Whether there has to be a check.
    pub(crate) fn required(&self) -> bool {
        !self.derived && REQUIRED_AREAS.contains(&self.area.as_str())
    }
}

/// A failure that another driver had.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Regression {
    pub(crate) id: String,
    pub(crate) situation: String,
    pub(crate) what_broke: String,
    pub(crate) expected: String,
}

impl Regression {
    /// The letters in front of the number.
    pub(crate) fn family(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// Whether there has to be a check.
    pub(crate) fn required(&self) -> bool {
        REQUIRED_FAMILIES.contains(&self.family())
    }
}

/// Why a row cannot have a check.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NotApplicable {
    pub(crate) id: String,
    pub(crate) reason: String,
}

/// All tables, in the order of their files; derived clauses behind the documented ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) regressions: Vec<Regression>,
    pub(crate) not_applicable: Vec<NotApplicable>,
}

impl Tables {
    /// Reads and checks the tables in a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut clauses: Vec<Clause> = rows(&folder.join("ledger.csv"))?;
        let mut derived: Vec<Clause> = rows(&folder.join("derived.csv"))?;
        for clause in &mut derived {
            clause.derived = true;
        }
        clauses.append(&mut derived);
        let tables = Self {
            clauses,
            regressions: rows(&folder.join("regressions.csv"))?,
            not_applicable: rows(&folder.join("not-applicable.csv"))?,
        };
        tables.check()?;
        Ok(tables)
    }

    fn check(&self) -> Result<()> {
        let mut known = BTreeSet::new();
        let clauses = self.clauses.iter().map(|clause| &clause.id);
        for id in clauses.chain(self.regressions.iter().map(|row| &row.id)) {
            ensure!(known.insert(id), "{id} is in the tables twice");
        }
        let mut excused = BTreeSet::new();
        for row in &self.not_applicable {
            let id = &row.id;
            ensure!(
                known.contains(id),
                "not-applicable.csv names {id}, which no table has"
            );
            ensure!(excused.insert(id), "not-applicable.csv names {id} twice");
            ensure!(
                !row.reason.trim().is_empty(),
                "not-applicable.csv gives no reason for {id}"
            );
        }
        Ok(())
    }

    /// Why the row with this id cannot have a check, if it cannot.
    pub(crate) fn excuse(&self, id: &str) -> Option<&str> {
        let row = self.not_applicable.iter().find(|row| row.id == id)?;
        Some(&row.reason)
    }

    /// The areas in the order of the ledger, those that need checks first.
    pub(crate) fn areas(&self) -> Vec<&str> {
        let mut areas = REQUIRED_AREAS.to_vec();
        for clause in &self.clauses {
            if !areas.contains(&clause.area.as_str()) {
                areas.push(&clause.area);
            }
        }
        areas
    }

    /// The families of failures in the order of the table.
    pub(crate) fn families(&self) -> Vec<&str> {
        let mut families = Vec::new();
        for row in &self.regressions {
            if !families.contains(&row.family()) {
                families.push(row.family());
            }
        }
        families
    }
}

fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excuse(id: &str, reason: &str) -> NotApplicable {
        NotApplicable {
            id: id.into(),
            reason: reason.into(),
        }
    }

    fn regression(id: &str) -> Regression {
        Regression {
            id: id.into(),
            situation: String::new(),
            what_broke: String::new(),
            expected: String::new(),
        }
    }

    fn failure(tables: &Tables) -> String {
        tables.check().unwrap_err().to_string()
    }

    #[test]
    fn rows_are_unique_and_excuses_name_them_with_a_reason() {
        let mut tables = Tables {
            regressions: vec![regression("DB-01"), regression("DB-02")],
            not_applicable: vec![excuse("DB-02", "there is no such part")],
            ..Tables::default()
        };
        tables.check().unwrap();
        assert_eq!(tables.excuse("DB-02"), Some("there is no such part"));
        assert_eq!(tables.excuse("DB-01"), None);
        tables.not_applicable.push(excuse("DB-03", "why"));
        assert!(failure(&tables).contains("DB-03"));
        tables.not_applicable[1] = excuse("DB-02", "again");
        assert!(failure(&tables).contains("twice"));
        tables.not_applicable[1] = excuse("DB-01", "  ");
        assert!(failure(&tables).contains("no reason for DB-01"));
        tables.not_applicable.clear();
        tables.regressions.push(regression("DB-01"));
        assert!(failure(&tables).contains("DB-01"));
    }

    #[test]
    fn five_families_need_checks() {
        let required = |id: &str| regression(id).required();
        for id in ["DB-01", "MAP-01", "RING-01", "LIFE-01", "LOCK-01"] {
            assert!(required(id), "{id}");
        }
        for id in ["SUSP-02", "RST-02", "BLD-01", "DBX-1", ""] {
            assert!(!required(id), "{id}");
        }
    }

    #[test]
    fn documented_clauses_of_nine_areas_need_checks() {
        let required = |area: &str, derived| {
            let clause = Clause {
                id: String::from("X-1"),
                area: area.into(),
                who: String::new(),
                requirement: String::new(),
                derived,
            };
            clause.required()
        };
        for area in REQUIRED_AREAS {
            assert!(required(area, false) && !required(area, true), "{area}");
        }
        assert!(!required("caps", false));
    }

    #[test]
    fn the_checked_in_tables_are_sound() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let tables = Tables::read(&root.join("docs").join("contract")).unwrap();
        assert!(tables.clauses.iter().any(|clause| clause.derived));
        for area in REQUIRED_AREAS {
            assert!(tables.clauses.iter().any(|clause| clause.area == area));
        }
        for family in REQUIRED_FAMILIES {
            assert!(tables.families().contains(&family), "{family}");
        }
    }
}
