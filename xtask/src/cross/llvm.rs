//! The LLVM tools of the cross build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::process;

/// Newest and oldest LLVM that is looked for. Debian installs each under its own suffix.
const VERSIONS: std::ops::RangeInclusive<u32> = 16..=22;

/// LLVM tools that were found.
#[derive(Debug)]
pub(crate) struct Llvm {
    /// Linker of the COFF flavour, as Cargo's `linker` setting takes it.
    pub(crate) linker: OsString,
    /// Makes import libraries.
    pub(crate) dlltool: PathBuf,
    /// Compiles the version resource.
    pub(crate) resource_compiler: PathBuf,
    /// Folder of libclang, for bindgen.
    pub(crate) libclang_folder: PathBuf,
}

/// What the search for one tool found; `None` is what setup must install.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) linker: Option<OsString>,
    pub(crate) dlltool: Option<PathBuf>,
    pub(crate) resource_compiler: Option<PathBuf>,
    pub(crate) libclang_folder: Option<PathBuf>,
}

impl Search {
    /// Looks for every tool, newest version first.
    pub(crate) fn new() -> Self {
        Self {
            linker: tool("lld-link").map(PathBuf::into_os_string),
            dlltool: tool("llvm-dlltool"),
            resource_compiler: tool("llvm-rc"),
            libclang_folder: libclang_folder(),
        }
    }

    /// All tools, if none is missing.
    pub(crate) fn complete(self) -> Option<Llvm> {
        Some(Llvm {
            linker: self.linker?,
            dlltool: self.dlltool?,
            resource_compiler: self.resource_compiler?,
            libclang_folder: self.libclang_folder?,
        })
    }
}

/// A tool with Debian's version suffix, or without one as other packagers install it.
fn tool(name: &str) -> Option<PathBuf> {
    VERSIONS
        .rev()
        .find_map(|version| process::find_program(&format!("{name}-{version}")))
        .or_else(|| process::find_program(name))
}

fn libclang_folder() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("LIBCLANG_PATH") {
        return Some(PathBuf::from(folder));
    }
    VERSIONS
        .rev()
        .map(|version| PathBuf::from(format!("/usr/lib/llvm-{version}/lib")))
        .find(|folder| holds_libclang(folder))
}

fn holds_libclang(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| is_libclang(&entry.file_name().to_string_lossy()))
}

/// Whether bindgen takes this file for libclang: `libclang.so`, `libclang-19.so`, `libclang.so.1`.
fn is_libclang(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else {
        return false;
    };
    (rest.starts_with(".so") || rest.starts_with('-'))
        && rest.contains(".so")
        && !rest.starts_with("-cpp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_is_told_from_the_cpp_library() {
        for name in [
            "libclang.so",
            "libclang.so.1",
            "libclang-19.so",
            "libclang-19.so.19",
        ] {
            assert!(is_libclang(name), "{name}");
        }
        for name in [
            "libclang-cpp.so.19.1",
            "libclang.a",
            "libclangAST.a",
            "libLLVM.so",
        ] {
            assert!(!is_libclang(name), "{name}");
        }
    }
}
