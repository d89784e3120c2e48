//! What cargo says about the workspace: packages, who depends on whom, licenses.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::{step, tools};

/// The part of `cargo metadata` that the rules need.
#[derive(Default, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    /// None for a package of this repository.
    pub(super) source: Option<String>,
    pub(super) license: Option<String>,
    pub(super) manifest_path: String,
    pub(super) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(super) struct Dependency {
    pub(super) name: String,
    /// None for an ordinary dependency, else `dev` or `build`.
    pub(super) kind: Option<String>,
}

impl Metadata {
    pub(super) fn read() -> Result<Self> {
        let text = step::output(tools::cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
        serde_json::from_str(&text).context("cannot read what `cargo metadata` says")
    }

    /// The packages of this repository.
    pub(super) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }
}

impl Package {
    /// Path of the manifest from the root.
    pub(super) fn manifest(&self) -> String {
        let path = std::path::Path::new(&self.manifest_path);
        path.strip_prefix(tools::root()).unwrap_or(path).display().to_string()
    }
}
