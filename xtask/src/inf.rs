//! Checks of the INX that need no Windows: sections, strings and files that are named exist, and
//! the statements that Carillon's installation rests on are there.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};

/// What the installation rests on: section, directive, value.
const STATEMENTS: [(&str, &str, &str); 7] = [
    ("Version", "Class", "Display"),
    (
        "Version",
        "ClassGuid",
        "{4d36e968-e325-11ce-bfc1-08002be10318}",
    ),
    ("Version", "CatalogFile", "carillon.cat"),
    ("Version", "PnpLockdown", "1"),
    ("DestinationDirs", "DefaultDestDir", "13"),
    // Demand start: a driver that fails must leave a machine that starts.
    ("Carillon_Service", "StartType", "3"),
    ("Carillon_Service", "ServiceBinary", "%13%\\carillon.sys"),
];

/// Hardware ID of the virtual GPU.
const HARDWARE_ID: &str = "PCI\\VEN_1234&DEV_CA11";

/// Directives whose values name sections of the same file.
const SECTION_DIRECTIVES: [&str; 4] = ["AddReg", "DelReg", "CopyFiles", "DelFiles"];

/// Sections by name, each a list of lines; names are compared without regard to case.
type Sections = BTreeMap<String, Vec<String>>;

/// Checks an INX and says how large it is.
pub(crate) fn check(text: &str) -> Result<String> {
    let sections = parse(text)?;
    strings_are_defined(&sections)?;
    sections_exist(&sections)?;
    files_have_a_source(&sections)?;
    for (section, directive, wanted) in STATEMENTS {
        let found = value(&sections, section, directive)
            .with_context(|| format!("[{section}] has no {directive}"))?;
        let found = expand(&sections, found);
        ensure!(
            found.eq_ignore_ascii_case(wanted),
            "[{section}] {directive} is `{found}` and not `{wanted}`",
        );
    }
    models(&sections)?;
    Ok(format!("{} sections", sections.len()))
}

fn parse(text: &str) -> Result<Sections> {
    let mut sections = Sections::new();
    let mut current: Option<String> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.split(';').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name
                .strip_suffix(']')
                .with_context(|| format!("line {}: a section name without `]`", index + 1))?;
            let name = name.trim().to_ascii_lowercase();
            ensure!(
                sections.insert(name.clone(), Vec::new()).is_none(),
                "line {}: section [{name}] stands twice",
                index + 1,
            );
            current = Some(name);
        } else {
            let lines = current.as_ref().and_then(|name| sections.get_mut(name));
            let lines =
                lines.with_context(|| format!("line {} stands before any section", index + 1))?;
            lines.push(line.to_owned());
        }
    }
    Ok(sections)
}

fn lines<'a>(sections: &'a Sections, name: &str) -> &'a [String] {
    sections
        .get(&name.to_ascii_lowercase())
        .map_or(&[], Vec::as_slice)
}

/// A line `directive = value`, taken apart.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let (directive, value) = line.split_once('=')?;
    Some((directive.trim(), value.trim()))
}

fn value<'a>(sections: &'a Sections, section: &str, directive: &str) -> Option<&'a str> {
    lines(sections, section)
        .iter()
        .filter_map(|line| assignment(line))
        .find(|(name, _)| name.eq_ignore_ascii_case(directive))
        .map(|(_, value)| value)
}

/// The names between percent signs; numbers are folders, and `%%` is a percent sign.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split('%')
        .skip(1)
        .step_by(2)
        .filter(|token| !token.is_empty() && !token.chars().all(|c| c.is_ascii_digit()))
}

/// A value that is one string token, replaced by the string.
fn expand<'a>(sections: &'a Sections, text: &'a str) -> &'a str {
    let token = text
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'));
    token
        .and_then(|token| value(sections, "Strings", token))
        .unwrap_or(text)
        .trim_matches('"')
}

fn strings_are_defined(sections: &Sections) -> Result<()> {
    for (name, lines) in sections.iter().filter(|(name, _)| *name != "strings") {
        for token in lines.iter().flat_map(|line| tokens(line)) {
            ensure!(
                value(sections, "Strings", token).is_some(),
                "[{name}] uses %{token}%, which [Strings] does not define",
            );
        }
    }
    Ok(())
}

fn sections_exist(sections: &Sections) -> Result<()> {
    let exists = |from: &str, name: &str| {
        let found = sections.contains_key(&name.to_ascii_lowercase());
        ensure!(
            found,
            "[{from}] names section [{name}], which does not exist"
        );
        Ok(())
    };
    for (from, lines) in sections {
        for (directive, value) in lines.iter().filter_map(|line| assignment(line)) {
            if SECTION_DIRECTIVES
                .iter()
                .any(|name| name.eq_ignore_ascii_case(directive))
            {
                for name in value
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.starts_with('@'))
                {
                    exists(from, name)?;
                }
            } else if directive.eq_ignore_ascii_case("AddService") {
                let name = value
                    .split(',')
                    .nth(2)
                    .context("AddService without a section")?;
                exists(from, name.trim())?;
            }
        }
    }
    Ok(())
}

fn files_have_a_source(sections: &Sections) -> Result<()> {
    let sources: BTreeSet<String> = lines(sections, "SourceDisksFiles")
        .iter()
        .filter_map(|line| assignment(line))
        .map(|(file, _)| file.to_ascii_lowercase())
        .collect();
    for lines in sections.values() {
        let copies = lines
            .iter()
            .filter_map(|line| assignment(line))
            .filter(|(directive, _)| directive.eq_ignore_ascii_case("CopyFiles"));
        for name in copies.flat_map(|(_, value)| value.split(',')) {
            for file in self::lines(sections, name.trim()) {
                let file = file.split(',').next().unwrap_or_default().trim();
                ensure!(
                    sources.contains(&file.to_ascii_lowercase()),
                    "{file} is copied, but [SourceDisksFiles] does not name it",
                );
            }
        }
    }
    Ok(())
}

/// Follows manufacturer, models and install section to the device.
fn models(sections: &Sections) -> Result<()> {
    let manufacturer = lines(sections, "Manufacturer")
        .first()
        .context("no [Manufacturer]")?;
    let (_, value) = assignment(manufacturer).context("[Manufacturer] names no models")?;
    let mut parts = value.split(',').map(str::trim);
    let models = parts.next().unwrap_or_default();
    for decoration in parts {
        let name = format!("{models}.{decoration}");
        let devices: Vec<(&str, &str)> = lines(sections, &name)
            .iter()
            .filter_map(|line| assignment(line))
            .collect();
        let device = devices.iter().find_map(|(_, value)| {
            let (install, id) = value.split_once(',')?;
            id.trim()
                .eq_ignore_ascii_case(HARDWARE_ID)
                .then_some(install.trim())
        });
        let install = device.with_context(|| format!("[{name}] does not name {HARDWARE_ID}"))?;
        for suffix in ["", ".HW", ".Services"] {
            let section = format!("{install}{suffix}");
            if lines(sections, &section).is_empty() {
                bail!("[{section}] is missing or empty");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INX: &str = include_str!("../../inf/carillon.inx");

    /// The error after one replacement, which must be one that changes the text.
    fn refusal(from: &str, to: &str) -> String {
        let broken = INX.replacen(from, to, 1);
        assert_ne!(broken, INX, "the INX does not contain `{from}`");
        check(&broken)
            .expect_err("the broken INX must be refused")
            .to_string()
    }

    #[test]
    fn the_checked_in_inx_is_sound() {
        check(INX).unwrap();
    }

    #[test]
    fn a_string_that_is_not_defined_is_named() {
        assert!(refusal("Device       = ", "Devices = ").contains("%Device%"));
    }

    #[test]
    fn a_section_that_does_not_exist_is_named() {
        assert!(refusal("[Carillon_Interrupts]", "[Other]").contains("Carillon_Interrupts"));
        assert!(refusal("[Carillon_Service]", "[Other]").contains("Carillon_Service"));
        assert!(refusal("[Carillon_Install.HW]", "[Other]").contains("Carillon_Install.HW"));
        assert!(refusal("[Carillon.NT$ARCH$", "[Other.NT$ARCH$").contains(HARDWARE_ID));
    }

    #[test]
    fn a_copied_file_without_a_source_is_named() {
        assert!(refusal("carillon.sys = 1", "other.sys = 1").contains("carillon.sys"));
    }

    #[test]
    fn a_boot_start_driver_is_refused() {
        assert!(refusal("SERVICE_DEMAND_START   = 3", "SERVICE_DEMAND_START = 0").contains("`0`"));
    }

    #[test]
    fn another_hardware_id_is_refused() {
        assert!(refusal("DEV_CA11", "DEV_CA12").contains(HARDWARE_ID));
    }

    #[test]
    fn a_repeated_section_and_a_stray_line_are_refused() {
        assert!(
            check("[a]\n[A]\n")
                .unwrap_err()
                .to_string()
                .contains("stands twice")
        );
        assert!(
            check("a = b\n")
                .unwrap_err()
                .to_string()
                .contains("before any section")
        );
        assert!(
            check("[a\n")
                .unwrap_err()
                .to_string()
                .contains("without `]`")
        );
    }
}
