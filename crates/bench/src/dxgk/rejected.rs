//! A check of the OS that a driver did not pass.

use std::fmt;

/// Why the OS refuses a driver or an adapter: one answer that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The structure member or slot that is wrong.
    pub field: String,
    /// What it held.
    pub value: String,
    /// What it has to be.
    pub rule: &'static str,
    /// Where the rule is written: a page of the documentation, or an observation of a real system.
    pub source: &'static str,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            value,
            rule,
            source,
        } = self;
        write!(f, "{field} = {value}: {rule} [{source}]")
    }
}

impl std::error::Error for Rejected {}

/// One rule of the OS.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// What has to hold.
    pub text: &'static str,
    /// Where it is written.
    pub source: &'static str,
}

impl Rule {
    /// The rule `text`, written at `source`.
    pub const fn new(text: &'static str, source: &'static str) -> Self {
        Self { text, source }
    }

    /// Passes if `holds`.
    ///
    /// # Errors
    /// The rejection that names `field` and its `value`.
    pub fn demand(self, holds: bool, field: &str, value: impl fmt::Debug) -> Result<(), Rejected> {
        if holds {
            Ok(())
        } else {
            Err(self.broken(field, value))
        }
    }

    /// The rejection that names `field` and its `value`.
    #[must_use]
    pub fn broken(self, field: &str, value: impl fmt::Debug) -> Rejected {
        let Self { text, source } = self;
        Rejected {
            field: field.into(),
            value: format!("{value:?}"),
            rule: text,
            source,
        }
    }
}
