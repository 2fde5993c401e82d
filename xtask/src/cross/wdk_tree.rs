//! A folder shaped like an installed WDK, from mingw-w64's DDK headers and the files of
//! `xtask/wdk/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::cross::{exports, files};
use crate::layout::Layout;
use crate::process;
use crate::setup::Tools;

/// Kit version that the folders are named after; wdk-build picks the newest it finds.
const KIT: &str = "10.0.26100.0";

/// Libraries that wdk-build names for every WDM driver and of which the driver uses nothing.
const EMPTY_LIBRARIES: [&str; 3] = ["hal.lib", "wmilib.lib", "BufferOverflowFastFailK.lib"];

/// An archive without a member.
const EMPTY_ARCHIVE: &[u8] = b"!<arch>\n";

/// The folder that `WDKContentRoot` names.
#[derive(Debug)]
pub(crate) struct WdkTree {
    pub(crate) root: PathBuf,
}

/// Brings the folder up to date.
pub(crate) fn ensure(layout: &Layout, tools: &Tools) -> Result<WdkTree> {
    let root = layout.generated().join("wdk");
    headers(
        layout,
        &tools.mingw_headers,
        &root.join("Include").join(KIT),
    )?;
    libraries(
        layout,
        &tools.llvm.dlltool,
        &root.join("Lib").join(KIT).join("km").join("x64"),
    )?;
    Ok(WdkTree { root })
}

/// `km/crt` comes first in wdk-build's search order, so the supplements there wrap the headers of
/// the same name behind them.
fn headers(layout: &Layout, mingw: &Path, include: &Path) -> Result<()> {
    let km = include.join("km");
    let crt = km.join("crt");
    fs::create_dir_all(&crt).with_context(|| format!("cannot create {}", crt.display()))?;
    files::symlink(mingw, &include.join("shared"))?;
    for header in headers_in(&mingw.join("ddk"))? {
        let name = header.file_name().context("a header without a name")?;
        files::symlink(&header, &km.join(name))?;
    }
    for header in headers_in(&layout.wdk_sources())? {
        let name = header.file_name().context("a header without a name")?;
        files::copy_if_changed(&header, &crt.join(name))?;
    }
    Ok(())
}

fn headers_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| {
        format!(
            "cannot read the headers in {}: run `cargo xtask setup`",
            folder.display()
        )
    })?;
    let mut headers: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "h"))
        .collect();
    headers.sort();
    Ok(headers)
}

fn libraries(layout: &Layout, dlltool: &Path, folder: &Path) -> Result<()> {
    for library in EMPTY_LIBRARIES {
        files::write_if_changed(&folder.join(library), EMPTY_ARCHIVE)?;
    }
    let list = layout.wdk_sources().join("ntoskrnl.exports");
    let text =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let exports = exports::parse(&text).with_context(|| format!("in {}", list.display()))?;
    let definition = folder.join("ntoskrnl.def");
    let library = folder.join("ntoskrnl.lib");
    let changed = files::write_if_changed(
        &definition,
        exports::module_definition("ntoskrnl.exe", &exports).as_bytes(),
    )?;
    if changed || !library.is_file() {
        process::run(
            Command::new(dlltool)
                .args(["-m", "i386:x86-64", "-d"])
                .arg(&definition)
                .arg("-l")
                .arg(&library),
        )?;
    }
    Ok(())
}
