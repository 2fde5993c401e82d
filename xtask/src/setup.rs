//! What the cross build needs from the machine: found, installed, or asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cross::llvm::{Llvm, Search};
use crate::cross::toolchain::Toolchain;
use crate::layout::{Layout, TARGET};
use crate::process;

/// LLVM releases that are looked for in the distribution's packages, the best tried first.
const LLVM_PACKAGES: [u32; 5] = [19, 20, 18, 17, 16];

/// Where Debian and Ubuntu put mingw-w64's headers.
const MINGW_HEADERS: &str = "/usr/share/mingw-w64/include";

/// Everything that the cross build uses from outside the workspace.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) toolchain: Toolchain,
    pub(crate) llvm: Llvm,
    pub(crate) mingw_headers: PathBuf,
}

/// Finds the tools, installing what is missing where that is possible.
pub(crate) fn ensure(layout: &Layout) -> Result<Tools> {
    if let Some(tools) = find(layout)? {
        return Ok(tools);
    }
    install_rust(layout)?;
    let can_install = can_install();
    if can_install {
        // Which packages there are to choose from is only known with fresh lists.
        process::run(apt_get().arg("update"))?;
    }
    let packages = missing_packages(layout)?;
    if !packages.is_empty() {
        install_packages(&packages, can_install)?;
    }
    find(layout)?.with_context(|| {
        format!(
            "still missing after the installation: {}",
            missing(layout).join(", ")
        )
    })
}

/// Finds the tools and the clippy that belongs to them.
pub(crate) fn ensure_with_clippy(layout: &Layout) -> Result<Tools> {
    let tools = ensure(layout)?;
    if !tools.toolchain.has_clippy() {
        install_packages(&["rust-web-clippy".to_owned()], can_install())?;
    }
    Ok(tools)
}

fn find(layout: &Layout) -> Result<Option<Tools>> {
    let Some(toolchain) = Toolchain::find(layout.root())? else {
        return Ok(None);
    };
    let Some(llvm) = Search::new().complete() else {
        return Ok(None);
    };
    let Some(mingw_headers) = mingw_headers() else {
        return Ok(None);
    };
    Ok(Some(Tools {
        toolchain,
        llvm,
        mingw_headers,
    }))
}

fn mingw_headers() -> Option<PathBuf> {
    let folder = Path::new(MINGW_HEADERS);
    folder
        .join("ddk")
        .join("wdm.h")
        .is_file()
        .then(|| folder.to_path_buf())
}

/// What is missing, in words.
fn missing(layout: &Layout) -> Vec<String> {
    let mut missing = Vec::new();
    if !matches!(Toolchain::find(layout.root()), Ok(Some(_))) {
        missing.push(format!("a Rust for {TARGET}"));
    }
    let llvm = Search::new();
    let tools = [
        ("lld-link", llvm.linker.is_none()),
        ("llvm-dlltool", llvm.dlltool.is_none()),
        ("llvm-rc", llvm.resource_compiler.is_none()),
        ("libclang", llvm.libclang_folder.is_none()),
        ("mingw-w64's DDK headers", mingw_headers().is_none()),
    ];
    missing.extend(
        tools
            .iter()
            .filter(|(_, gone)| *gone)
            .map(|(name, _)| (*name).to_owned()),
    );
    missing
}

/// Adds the target to rustup's toolchain, which needs no root. When rustup cannot, the
/// distribution's packages are the other way.
fn install_rust(layout: &Layout) -> Result<()> {
    if Toolchain::find(layout.root())?.is_some() || process::find_program("rustup").is_none() {
        return Ok(());
    }
    eprintln!("setup: rustup target add {TARGET}");
    let added = process::run(
        Command::new("rustup")
            .current_dir(layout.root())
            .args(["target", "add", TARGET]),
    );
    if let Err(error) = added {
        eprintln!("setup: {error:#}; trying the distribution's Rust packages");
    }
    Ok(())
}

/// Packages that bring what is missing.
fn missing_packages(layout: &Layout) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    if Toolchain::find(layout.root())?.is_none() {
        let rust = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];
        packages.extend(rust.map(str::to_owned));
    }
    let search = Search::new();
    let llvm = newest_llvm_package();
    if search.linker.is_none() {
        packages.push(format!("lld-{llvm}"));
    }
    if search.dlltool.is_none() || search.resource_compiler.is_none() {
        packages.push(format!("llvm-{llvm}"));
    }
    if search.libclang_folder.is_none() {
        packages.push(format!("libclang-{llvm}-dev"));
    }
    if mingw_headers().is_none() {
        packages.push("mingw-w64-common".to_owned());
    }
    Ok(packages)
}

/// The release whose linker the distribution offers. Without package lists the first is named:
/// the installation then says what it could not find.
fn newest_llvm_package() -> u32 {
    let offered = |version: &u32| {
        process::capture(Command::new("apt-cache").args(["show", &format!("lld-{version}")]))
            .is_ok_and(|text| !text.trim().is_empty())
    };
    LLVM_PACKAGES
        .into_iter()
        .find(offered)
        .unwrap_or(LLVM_PACKAGES[0])
}

fn install_packages(packages: &[String], can_install: bool) -> Result<()> {
    let list = packages.join(" ");
    if can_install {
        eprintln!("setup: installing {list}");
        let mut install = apt_get();
        install
            .args(["install", "-y", "--no-install-recommends"])
            .args(packages);
        return process::run(&mut install);
    }
    if process::find_program("apt-get").is_none() {
        bail!(
            "the cross build needs what Debian calls {list}; this machine has no apt-get, \
             install their like by hand (docs/building.md says what each is for)"
        );
    }
    bail!(
        "the cross build needs packages; run\n\n    \
         sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n"
    );
}

/// apt-get that asks nothing and prints on standard error, which keeps standard output for results.
fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdout(std::io::stderr());
    command
}

fn can_install() -> bool {
    process::find_program("apt-get").is_some() && is_root()
}

fn is_root() -> bool {
    process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
