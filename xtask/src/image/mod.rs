//! Checks of a finished driver image: what Windows demands of it and what Carillon promises.

mod headers;
#[cfg(test)]
mod sample;
mod symbols;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use object::FileKind;
use object::read::pe::PeFile64;
use serde::Serialize;

/// What the image is compared with.
#[derive(Debug)]
pub(crate) struct Expected {
    /// File version of the resource, as in the INF.
    pub(crate) version: [u16; 4],
    /// Texts that must not occur in the image: paths of the machine that built it.
    pub(crate) forbidden: Vec<String>,
}

/// One checked statement.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// The statement.
    pub(crate) name: &'static str,
    /// Whether it holds.
    pub(crate) passed: bool,
    /// What was found.
    pub(crate) detail: String,
}

impl Check {
    /// A check from its outcome; both sides say what was found.
    fn new(name: &'static str, outcome: Result<String>) -> Self {
        match outcome {
            Ok(detail) => Self {
                name,
                passed: true,
                detail,
            },
            Err(error) => Self {
                name,
                passed: false,
                detail: format!("{error:#}"),
            },
        }
    }
}

/// An imported function.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) library: String,
    pub(crate) function: String,
}

/// All that was found out about an image.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) passed: bool,
    pub(crate) imports: Vec<Import>,
    pub(crate) checks: Vec<Check>,
}

impl Report {
    /// The report for a person.
    pub(crate) fn print(&self) {
        println!("{} ({} bytes)", self.path.display(), self.size);
        for check in &self.checks {
            let mark = if check.passed { "ok  " } else { "FAIL" };
            println!("  {mark} {}: {}", check.name, check.detail);
        }
    }
}

/// Checks the image and the PDB beside it.
///
/// # Errors
///
/// The file cannot be read or is no 64-bit PE image; everything else is a failed [`Check`].
pub(crate) fn check_file(path: &Path, expected: &Expected) -> Result<Report> {
    let data = std::fs::read(path).with_context(|| {
        format!(
            "cannot read {}: `cargo xtask build` makes it",
            path.display()
        )
    })?;
    let image = parse(&data).with_context(|| path.display().to_string())?;
    let mut checks = headers::checks(&image, &data, expected);
    checks.extend(symbols::checks(&image, &path.with_extension("pdb")));
    let passed = checks.iter().all(|check| check.passed);
    let imports = headers::imports(&image).unwrap_or_default();
    Ok(Report {
        path: path.to_path_buf(),
        size: data.len() as u64,
        passed,
        imports,
        checks,
    })
}

/// Reads the headers of a 64-bit PE image.
fn parse(data: &[u8]) -> Result<PeFile64<'_>> {
    match FileKind::parse(data) {
        Ok(FileKind::Pe64) => {}
        Ok(FileKind::Pe32) => bail!("this is a 32-bit PE image, a driver has 64 bits"),
        Ok(other) => bail!("this is no PE image: it looks like {other:?}"),
        Err(_) => bail!("this is no PE image: it does not start as one"),
    }
    let image = PeFile64::parse(data).context("the PE headers are damaged")?;
    for section in image.section_table().iter() {
        let (offset, size) = section.pe_file_range();
        let end = u64::from(offset) + u64::from(size);
        ensure!(
            end <= data.len() as u64,
            "section {} ends at {end:#x}, beyond the file's {:#x} bytes",
            headers::section_name(section),
            data.len(),
        );
    }
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::sample::Sample;
    use super::*;

    fn refusal(data: &[u8]) -> String {
        format!("{:#}", parse(data).expect_err("the image must be refused"))
    }

    #[test]
    fn a_sound_image_parses() {
        parse(&Sample::default().build()).unwrap();
    }

    #[test]
    fn a_file_that_is_no_pe_is_refused_by_what_it_looks_like() {
        assert!(refusal(b"not a program").contains("no PE image"));
        assert!(refusal(b"").contains("no PE image"));
        let elf = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 64]].concat();
        assert!(refusal(&elf).contains("Elf64"), "{}", refusal(&elf));
    }

    #[test]
    fn a_32_bit_image_is_refused() {
        let mut data = Sample::default().build();
        data[sample::OPTIONAL_HEADER..][..2].copy_from_slice(&0x10b_u16.to_le_bytes());
        assert!(refusal(&data).contains("32-bit"), "{}", refusal(&data));
    }

    #[test]
    fn headers_cut_short_are_refused() {
        let data = Sample::default().build();
        for length in [0x40, 0x60, 0x90, 0x150] {
            parse(&data[..length]).expect_err("a cut header must be refused");
        }
    }

    #[test]
    fn a_section_cut_short_is_refused_by_name() {
        let data = Sample::default().build();
        let error = refusal(&data[..data.len() - 1]);
        assert!(
            error.contains(".data") && error.contains("beyond the file"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_file_says_how_to_make_it() {
        let expected = Expected {
            version: [0; 4],
            forbidden: Vec::new(),
        };
        let error = check_file(Path::new("no/such/carillon.sys"), &expected).unwrap_err();
        assert!(format!("{error:#}").contains("cargo xtask build"));
    }
}
