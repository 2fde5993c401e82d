//! Edited copies of the two published crates that do not build on a Linux host.
//!
//! The copies live below `target/` and only the cross build sees them, through a Cargo `paths`
//! override: manifests and Cargo.lock keep naming the published crates, which is also what Cargo
//! checks the copies against. No dependency list is edited, since an override must not change it.
//!
//! - wdk-build refuses to compile off Windows, reads the registry and makes a Windows symlink. None
//!   of that is reached by a build script that is given `WDKContentRoot`.
//! - windows-future, below wdk-build's `windows` dependency, uses functions that its siblings
//!   declare on Windows only. Off Windows `windows` itself is empty, so this crate may be too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::cross::edit::{self, Edit};
use crate::cross::files;
use crate::layout::Layout;

/// A published crate and the edits that were made for one version of it.
#[derive(Debug)]
struct Published {
    name: &'static str,
    version: &'static str,
    edits: &'static [Edit],
}

const PUBLISHED: [Published; 2] = [
    Published {
        name: "wdk-build",
        version: "0.6.0",
        edits: &[
            Edit {
                file: "src/utils.rs",
                anchor: "    ffi::{CStr, OsStr},\n",
                times: 1,
                replacement: "    ffi::OsStr,\n",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "\nuse windows::{\n    Win32::System::Registry::{",
                times: 1,
                replacement: "
#[cfg(not(windows))]
macro_rules! s {
    ($text:literal) => {
        $text
    };
}
#[cfg(not(windows))]
const HKEY_LOCAL_MACHINE: () = ();

#[cfg(windows)]
use std::ffi::CStr;
#[cfg(windows)]
use windows::{
    Win32::System::Registry::{",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "\n/// Read a string value from a registry key\n",
                times: 1,
                replacement: "
#[cfg(not(windows))]
fn read_registry_key_string_value(_key: (), _sub_key: &str, _value: &str) -> Option<String> {
    None
}

#[cfg(windows)]
/// Read a string value from a registry key\n",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "#[cfg(target_os = \"windows\")]\npub fn set_var<K, V>(key: K, value: V)\n",
                times: 1,
                replacement: "pub fn set_var<K, V>(key: K, value: V)\n",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "#[cfg(not(target_os = \"windows\"))]\npub fn set_var<K, V>(_key: K",
                times: 1,
                replacement: "#[cfg(any())]\npub fn set_var<K, V>(_key: K",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "#[cfg(target_os = \"windows\")]\npub fn remove_var<K>(key: K)\n",
                times: 1,
                replacement: "pub fn remove_var<K>(key: K)\n",
            },
            Edit {
                file: "src/utils.rs",
                anchor: "#[cfg(not(target_os = \"windows\"))]\npub fn remove_var<K>(_key: K)\n",
                times: 1,
                replacement: "#[cfg(any())]\npub fn remove_var<K>(_key: K)\n",
            },
            Edit {
                file: "src/cargo_make.rs",
                anchor: "std::os::windows::fs::symlink_file(",
                times: 2,
                replacement: "std::os::unix::fs::symlink(",
            },
        ],
    },
    Published {
        name: "windows-future",
        version: "0.3.2",
        edits: &[
            // Expectations of warnings that an empty crate does not give.
            Edit {
                file: "src/lib.rs",
                anchor: "#![expect(",
                times: 1,
                replacement: "#![allow(",
            },
            Edit {
                file: "src/lib.rs",
                anchor: "#![doc = include_str!(\"../readme.md\")]\n",
                times: 1,
                replacement: "#![cfg(windows)]\n",
            },
        ],
    },
];

/// Brings the copies up to date and names their folders.
pub(crate) fn ensure(layout: &Layout) -> Result<Vec<PathBuf>> {
    let metadata = metadata(layout)?;
    PUBLISHED
        .iter()
        .map(|published| published.copy(layout, &metadata))
        .collect()
}

/// Cargo's own folder, below which it unpacks published crates.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::home_dir().context("neither CARGO_HOME nor a home folder is known")?;
    Ok(home.join(".cargo"))
}

/// Cargo's resolved view of the workspace; Cargo downloads what is not there yet.
pub(crate) fn metadata(layout: &Layout) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command
        .current_dir(layout.root())
        .other_options(vec!["--locked".to_owned()]);
    command
        .exec()
        .context("cannot read the workspace's dependencies")
}

impl Published {
    fn copy(&self, layout: &Layout, metadata: &Metadata) -> Result<PathBuf> {
        let source = self.source(metadata)?;
        let copy = layout
            .generated()
            .join("published")
            .join(format!("{}-{}", self.name, self.version));
        for file in files_below(&source)? {
            let relative = file
                .strip_prefix(&source)
                .context("a file outside its crate")?;
            let contents =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let contents = self.edited(relative, contents)?;
            files::write_if_changed(&copy.join(relative), &contents)?;
        }
        Ok(copy)
    }

    /// Where Cargo unpacked the crate.
    fn source(&self, metadata: &Metadata) -> Result<PathBuf> {
        let mut found = metadata
            .packages
            .iter()
            .filter(|package| package.name == self.name);
        let Some(package) = found.next() else {
            bail!(
                "{} is no dependency of the driver any more; its edits can go",
                self.name
            )
        };
        ensure!(
            found.next().is_none(),
            "Cargo.lock holds {} more than once",
            self.name
        );
        let version = package.version.to_string();
        ensure!(
            version == self.version,
            "Cargo.lock holds {} {version}, the edits in xtask/src/cross/published.rs were made \
             for {}: check each edit against the new source, then change the version there",
            self.name,
            self.version,
        );
        let folder = package
            .manifest_path
            .parent()
            .context("a manifest without a folder")?;
        Ok(folder.as_std_path().to_path_buf())
    }

    /// A file's contents after every edit of that file.
    fn edited(&self, relative: &Path, contents: Vec<u8>) -> Result<Vec<u8>> {
        let edits: Vec<&Edit> = self
            .edits
            .iter()
            .filter(|edit| Path::new(edit.file) == relative)
            .collect();
        if edits.is_empty() {
            return Ok(contents);
        }
        let text = String::from_utf8(contents)
            .with_context(|| format!("{} {} is no UTF-8", self.name, relative.display()))?;
        // Some releases are packed with Windows line ends, some are not.
        let mut text = text.replace("\r\n", "\n");
        for edit in edits {
            text = edit::apply(&text, edit).with_context(|| {
                format!(
                    "{} {} is not what its edits were made for",
                    self.name, self.version
                )
            })?;
        }
        Ok(text.into_bytes())
    }
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(folder) = pending.pop() {
        let entries = fs::read_dir(&folder)
            .with_context(|| format!("cannot read the crate source in {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Cargo, as the one that runs this task or the one on the PATH.
pub(crate) fn host_cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Published = Published {
        name: "sample",
        version: "1.0.0",
        edits: &[Edit {
            file: "src/a.rs",
            anchor: "one",
            times: 1,
            replacement: "two",
        }],
    };

    #[test]
    fn only_the_named_file_is_edited() {
        let edited = SAMPLE
            .edited(Path::new("src/a.rs"), b"one".to_vec())
            .unwrap();
        assert_eq!(edited, b"two");
        let other = SAMPLE
            .edited(Path::new("src/b.rs"), b"one".to_vec())
            .unwrap();
        assert_eq!(other, b"one");
    }

    #[test]
    fn windows_line_ends_do_not_hide_an_anchor() {
        let edits = &[Edit {
            file: "a.rs",
            anchor: "x\ny\n",
            times: 1,
            replacement: "z\n",
        }] as &[Edit];
        let sample = Published { edits, ..SAMPLE };
        assert_eq!(
            sample
                .edited(Path::new("a.rs"), b"x\r\ny\r\n".to_vec())
                .unwrap(),
            b"z\n"
        );
    }

    #[test]
    fn an_edit_that_no_longer_fits_names_crate_and_version() {
        let error = SAMPLE
            .edited(Path::new("src/a.rs"), b"1".to_vec())
            .unwrap_err();
        assert!(error.to_string().contains("sample 1.0.0"), "{error:#}");
    }
}
