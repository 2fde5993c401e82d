//! Checks that need the symbols: the PDB is the image's own, nothing in the image can panic, and no
//! function eats the kernel stack.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use object::Object;
use object::read::pe::PeFile64;
use pdb2::{FallibleIterator, PDB, SymbolData};

use super::Check;

/// Parts of names that only panicking code has. Every panic ends in the handler, so one of them is
/// there whenever any code path can panic, however the rest was inlined.
const PANIC_NAMES: [&str; 6] = [
    "panicking",
    "rust_begin_unwind",
    "wdk_panic",
    "unwrap_failed",
    "expect_failed",
    "handle_alloc_error",
];

/// Largest stack frame of one function in bytes: a kernel stack has 24 KiB for every frame of every
/// driver in the call chain.
const FRAME_LIMIT: u32 = 4096;

/// What the PDB tells about the code.
#[derive(Debug, Default)]
struct Symbols {
    names: Vec<String>,
    /// Largest frame and the function that has it.
    frame: Option<(u32, String)>,
}

/// All checks of this module.
pub(super) fn checks(image: &PeFile64<'_>, pdb: &Path) -> Vec<Check> {
    let symbols = read(pdb);
    let scan = |check: fn(&Symbols) -> Result<String>| match &symbols {
        Ok(symbols) => check(symbols),
        Err(error) => bail!("{error:#}"),
    };
    vec![
        Check::new("PDB matches the image", matches(image, pdb)),
        Check::new("nothing in the image can panic", scan(no_panic)),
        Check::new("no stack frame exceeds 4 KiB", scan(frames)),
    ]
}

fn matches(image: &PeFile64<'_>, path: &Path) -> Result<String> {
    let record = image
        .pdb_info()
        .context("the debug directory is damaged")?
        .context("the image names no PDB")?;
    let mut pdb = open(path)?;
    let information = pdb
        .pdb_information()
        .context("the PDB has no information stream")?;
    let age = pdb
        .debug_information()
        .context("the PDB has no debug stream")?
        .age();
    ensure!(
        information.guid.to_bytes_le() == record.guid(),
        "{} belongs to another build of the image",
        path.display(),
    );
    ensure!(
        age == Some(record.age()),
        "the PDB's age is {age:?}, the image asks for {}",
        record.age(),
    );
    let name = String::from_utf8_lossy(record.path()).into_owned();
    let bare = path
        .file_name()
        .is_some_and(|file| file.to_string_lossy() == name);
    ensure!(bare, "the image looks for its PDB at `{name}`");
    Ok(format!("{}, age {}", information.guid, record.age()))
}

fn open(path: &Path) -> Result<PDB<'static, File>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    PDB::open(file).with_context(|| format!("{} is no PDB", path.display()))
}

fn read(path: &Path) -> Result<Symbols> {
    let mut pdb = open(path)?;
    let mut symbols = Symbols::default();
    let publics = pdb.global_symbols()?;
    let mut iterator = publics.iter();
    while let Some(symbol) = iterator.next()? {
        if let Ok(SymbolData::Public(public)) = symbol.parse() {
            symbols.names.push(public.name.to_string().into_owned());
        }
    }
    let debug = pdb.debug_information()?;
    let mut modules = debug.modules()?;
    while let Some(module) = modules.next()? {
        if let Some(information) = pdb.module_info(&module)? {
            symbols.read_module(information.symbols()?)?;
        }
    }
    Ok(symbols)
}

impl Symbols {
    fn read_module(&mut self, mut iterator: pdb2::SymbolIter<'_>) -> Result<()> {
        let mut function = String::new();
        while let Some(symbol) = iterator.next()? {
            match symbol.parse() {
                Ok(SymbolData::Procedure(procedure)) => {
                    function = procedure.name.to_string().into_owned();
                    self.names.push(function.clone());
                }
                Ok(SymbolData::FrameProcedure(frame)) => {
                    let bytes = frame.frame_byte_count;
                    if self
                        .frame
                        .as_ref()
                        .is_none_or(|(largest, _)| bytes > *largest)
                    {
                        self.frame = Some((bytes, function.clone()));
                    }
                }
                // The other kinds say nothing about functions, and pdb2 does not know all of them.
                _ => {}
            }
        }
        Ok(())
    }
}

fn no_panic(symbols: &Symbols) -> Result<String> {
    ensure!(
        symbols.names.iter().any(|name| name == "DriverEntry"),
        "the PDB does not even name DriverEntry: it cannot be searched",
    );
    let mut culprits: Vec<&str> = symbols
        .names
        .iter()
        .filter(|name| PANIC_NAMES.iter().any(|part| name.contains(part)))
        .map(String::as_str)
        .collect();
    culprits.sort_unstable();
    culprits.dedup();
    ensure!(culprits.is_empty(), "linked: {}", culprits.join(", "));
    Ok(format!("{} names searched", symbols.names.len()))
}

fn frames(symbols: &Symbols) -> Result<String> {
    let (bytes, function) = symbols
        .frame
        .as_ref()
        .context("the PDB records no stack frame: it cannot be searched")?;
    ensure!(*bytes <= FRAME_LIMIT, "{function} needs {bytes} bytes");
    Ok(format!("largest is {bytes} bytes, {function}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Symbols {
        Symbols {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            frame: None,
        }
    }

    #[test]
    fn names_of_panicking_code_are_found_plain_and_mangled() {
        for name in [
            "core::panicking::panic_fmt",
            "_RNvNtCs1234_4core9panicking9panic_fmt",
            "wdk_panic::kernel_panic_handler::panic",
            "rust_begin_unwind",
            "core::option::unwrap_failed",
            "core::result::unwrap_failed",
            "alloc::alloc::handle_alloc_error",
        ] {
            let error = no_panic(&named(&["DriverEntry", name]))
                .unwrap_err()
                .to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn an_image_without_panicking_code_passes() {
        no_panic(&named(&["DriverEntry", "carillon::start", "memcpy"])).unwrap();
    }

    #[test]
    fn a_pdb_without_names_is_no_proof() {
        assert!(no_panic(&named(&[])).is_err());
        assert!(frames(&named(&["DriverEntry"])).is_err());
    }

    #[test]
    fn a_frame_at_the_limit_passes_and_one_byte_more_fails() {
        let with = |bytes| Symbols {
            frame: Some((bytes, "f".to_owned())),
            ..Symbols::default()
        };
        frames(&with(FRAME_LIMIT)).unwrap();
        let error = frames(&with(FRAME_LIMIT + 1)).unwrap_err().to_string();
        assert!(error.contains("f needs 4097"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_pdb_is_an_error() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let error = read(&manifest).unwrap_err();
        assert!(format!("{error:#}").contains("is no PDB"), "{error:#}");
    }
}
