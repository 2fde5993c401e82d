//! Where things are: the workspace and what the tasks generate below its `target/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cross::published;
use crate::image::Expected;

/// Target triple of the driver.
pub(crate) const TARGET: &str = "x86_64-pc-windows-msvc";

/// Cargo profile of a driver build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Debug,
    Release,
}

impl Profile {
    /// Name of the folder that Cargo keeps this profile's artifacts in.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// Paths of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The workspace that this xtask was built from.
    pub(crate) fn of_this_workspace() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask/ has no parent folder")?
            .to_path_buf();
        Ok(Self { root })
    }

    /// The workspace root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Checked-in inputs of the cross build: header supplements and the export list.
    pub(crate) fn wdk_sources(&self) -> PathBuf {
        self.root.join("xtask").join("wdk")
    }

    /// Everything that the cross build generates. It lies below the workspace whatever
    /// `CARGO_TARGET_DIR` says: wdk-build looks for Cargo.lock in the folders above its own output.
    pub(crate) fn generated(&self) -> PathBuf {
        self.root.join("target").join("carillon")
    }

    /// Cargo's target folder of the cross build.
    pub(crate) fn cross_target(&self) -> PathBuf {
        self.generated().join("build")
    }

    /// Folder of the finished `carillon.sys` and `carillon.pdb`.
    pub(crate) fn output(&self, profile: Profile) -> PathBuf {
        self.generated().join(profile.folder())
    }

    /// What a driver image built from this workspace must be like.
    pub(crate) fn expected_image(&self) -> Result<Expected> {
        let part = |text: &str| {
            text.parse()
                .context("the workspace version is not in numbers")
        };
        let version = [
            part(env!("CARGO_PKG_VERSION_MAJOR"))?,
            part(env!("CARGO_PKG_VERSION_MINOR"))?,
            part(env!("CARGO_PKG_VERSION_PATCH"))?,
            0,
        ];
        let forbidden = [self.root.clone(), published::cargo_home()?]
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        Ok(Expected { version, forbidden })
    }

    /// The finished driver image.
    pub(crate) fn sys(&self, profile: Profile) -> PathBuf {
        self.output(profile).join("carillon.sys")
    }
}
