//! The checked-in list of ntoskrnl exports and the module-definition file made from it.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};

/// Reads the list: one export per line, `#` starts a comment.
pub(crate) fn parse(list: &str) -> Result<Vec<&str>> {
    let mut seen = BTreeSet::new();
    let mut exports = Vec::new();
    for (index, line) in list.lines().enumerate() {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        let number = index + 1;
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        ensure!(
            plain,
            "line {number} of the export list: `{name}` is no export name"
        );
        if !seen.insert(name) {
            bail!("line {number} of the export list: `{name}` is listed twice");
        }
        exports.push(name);
    }
    ensure!(!exports.is_empty(), "the export list names no export");
    Ok(exports)
}

/// The module-definition file that describes `module` with these exports.
pub(crate) fn module_definition(module: &str, exports: &[&str]) -> String {
    let mut definition = format!("LIBRARY {module}\nEXPORTS\n");
    for export in exports {
        definition.push_str(export);
        definition.push('\n');
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_name_no_export() {
        let list = "# Pool\n\n  ExAllocatePool2 # tagged\nmemcpy\n";
        assert_eq!(parse(list).unwrap(), ["ExAllocatePool2", "memcpy"]);
    }

    #[test]
    fn a_line_with_two_words_is_an_error_that_names_the_line() {
        let error = parse("memcpy\nEx Allocate\n").unwrap_err().to_string();
        assert!(
            error.contains("line 2") && error.contains("Ex Allocate"),
            "{error}"
        );
    }

    #[test]
    fn a_repeated_export_is_an_error() {
        let error = parse("memcpy\nmemset\nmemcpy\n").unwrap_err().to_string();
        assert!(
            error.contains("line 3") && error.contains("twice"),
            "{error}"
        );
    }

    #[test]
    fn an_empty_list_is_an_error() {
        assert!(parse("# nothing\n").is_err());
    }

    #[test]
    fn the_checked_in_list_parses() {
        let exports = parse(include_str!("../../wdk/ntoskrnl.exports")).unwrap();
        assert!(
            exports.contains(&"KeBugCheckEx"),
            "the panic handler needs KeBugCheckEx"
        );
    }

    #[test]
    fn the_module_definition_lists_every_export_on_its_own_line() {
        let definition = module_definition("ntoskrnl.exe", &["a", "b"]);
        assert_eq!(definition, "LIBRARY ntoskrnl.exe\nEXPORTS\na\nb\n");
    }
}
