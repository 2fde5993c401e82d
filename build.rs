//! Build script of the driver: the linker arguments of a WDM driver and the version resource.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The resource script and what is compiled from it, in the build's output folder.
const SCRIPT: &str = "carillon.rc";
const RESOURCE: &str = "carillon.res";

fn main() -> Result<(), Box<dyn Error>> {
    wdk_build::configure_wdk_binary_build()?;
    // The header checksum, which Windows verifies for every kernel image.
    println!("cargo::rustc-cdylib-link-arg=/RELEASE");
    displib();
    version_resource()
}

/// Links the WDK's `displib.lib`, which holds `DxgkInitialize` and comes with a WDK only. Off
/// Windows there is none: without the `displib` cfg the driver brings its own registration.
fn displib() {
    println!("cargo::rustc-check-cfg=cfg(displib)");
    if cfg!(windows) {
        println!("cargo::rustc-cfg=displib");
        println!("cargo::rustc-link-lib=displib");
    }
}

/// Compiles the version resource and has the linker take it in.
///
/// `RC` names the resource compiler; without it `rc` is taken from the PATH, where `cargo make`
/// and an eWDK prompt put the kit's own.
fn version_resource() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=RC");
    println!("cargo::rerun-if-changed=build.rs");
    let folder = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(folder.join(SCRIPT), resource_script()?)?;

    let compiler = env::var("RC").unwrap_or_else(|_| "rc".to_owned());
    let mut command = Command::new(&compiler);
    if compiler.contains("llvm-rc") {
        // The script includes nothing; without this llvm-rc looks for a C preprocessor.
        command.arg("/no-preprocess");
    }
    // Both compilers read an argument that begins with a slash as an option: `/check/out/x.rc`
    // would be `/c` with a value. Names relative to the folder cannot be mistaken for one.
    let status = command
        .current_dir(&folder)
        .args(["/fo", RESOURCE, SCRIPT])
        .status()
        .map_err(|error| {
            format!(
                "cannot start the resource compiler `{compiler}` ({error}): set RC to rc or llvm-rc"
            )
        })?;
    if !status.success() {
        return Err(format!("`{compiler}` refused {}", folder.join(SCRIPT).display()).into());
    }
    println!(
        "cargo::rustc-cdylib-link-arg={}",
        folder.join(RESOURCE).display()
    );
    Ok(())
}

/// The resource script, in numbers only so that no header of a kit is needed. The version is the
/// workspace's, as in the INF.
fn resource_script() -> Result<String, Box<dyn Error>> {
    let major = env::var("CARGO_PKG_VERSION_MAJOR")?;
    let minor = env::var("CARGO_PKG_VERSION_MINOR")?;
    let patch = env::var("CARGO_PKG_VERSION_PATCH")?;
    // FILEOS 0x40004: VOS_NT_WINDOWS32. FILETYPE 3, FILESUBTYPE 4: a display driver. The block
    // 040904b0 is US English in Unicode.
    Ok(format!(
        r#"1 VERSIONINFO
FILEVERSION {major},{minor},{patch},0
PRODUCTVERSION {major},{minor},{patch},0
FILEFLAGSMASK 0x3f
FILEFLAGS 0x0
FILEOS 0x40004
FILETYPE 0x3
FILESUBTYPE 0x4
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
      VALUE "CompanyName", "The Carillon authors"
      VALUE "FileDescription", "Carillon display miniport driver"
      VALUE "FileVersion", "{major}.{minor}.{patch}.0"
      VALUE "InternalName", "carillon.sys"
      VALUE "LegalCopyright", "MIT OR Apache-2.0"
      VALUE "OriginalFilename", "carillon.sys"
      VALUE "ProductName", "Carillon"
      VALUE "ProductVersion", "{major}.{minor}.{patch}.0"
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
"#
    ))
}
