//! Anchored edits: exact text that must be there exactly as often as expected, or the edit fails.

use anyhow::{Result, ensure};

/// One replacement in one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    /// File, relative to the crate's root.
    pub(crate) file: &'static str,
    /// Text that must be found.
    pub(crate) anchor: &'static str,
    /// How often it must be found; every occurrence is replaced.
    pub(crate) times: usize,
    /// What takes its place.
    pub(crate) replacement: &'static str,
}

/// Applies an edit to a file's text.
pub(crate) fn apply(text: &str, edit: &Edit) -> Result<String> {
    ensure!(
        !edit.anchor.is_empty(),
        "an edit of {} has an empty anchor",
        edit.file
    );
    let found = text.matches(edit.anchor).count();
    ensure!(
        found == edit.times,
        "the edit of {} expects its anchor {} time(s) and found it {found} time(s); the anchor is:\n{}",
        edit.file,
        edit.times,
        edit.anchor,
    );
    Ok(text.replace(edit.anchor, edit.replacement))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDIT: Edit = Edit {
        file: "f.rs",
        anchor: "old",
        times: 1,
        replacement: "new old",
    };

    #[test]
    fn an_anchor_found_as_often_as_expected_is_replaced_once() {
        assert_eq!(apply("an old line", &EDIT).unwrap(), "an new old line");
        let twice = Edit { times: 2, ..EDIT };
        assert_eq!(apply("old, old", &twice).unwrap(), "new old, new old");
    }

    #[test]
    fn a_missing_anchor_is_an_error_that_shows_file_and_anchor() {
        let error = apply("nothing here", &EDIT).unwrap_err().to_string();
        assert!(error.contains("f.rs") && error.contains("old"), "{error}");
        assert!(error.contains("found it 0 time(s)"), "{error}");
    }

    #[test]
    fn an_anchor_found_too_often_is_an_error() {
        let error = apply("old old", &EDIT).unwrap_err().to_string();
        assert!(error.contains("found it 2 time(s)"), "{error}");
    }

    #[test]
    fn an_empty_anchor_is_an_error() {
        let empty = Edit {
            anchor: "",
            times: 0,
            ..EDIT
        };
        assert!(apply("", &empty).is_err());
    }
}
