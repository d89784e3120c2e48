//! The check that a new plugin is what it is said to be: it is formatted, free of lints, passes its tests and loads into the gateway.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::template::{self, Home};
use crate::{step, tools};

/// Where it happens. The build is kept from one run to the next.
const FOLDER: &str = "target/new-plugin";
/// No name that a plugin of this repository has, and one with every kind of character.
const NAME: &str = "new-plugin-2";
const GATEWAY: &str = "target/debug/witgate";

/// Lints of the workspace that a crate with a workspace of its own does not inherit.
const LINTS: &[&str] = &["warnings", "missing-docs", "unreachable-pub", "clippy::unwrap_used", "clippy::panic"];

/// Makes a plugin outside of the workspace and does with it what its README says.
pub(crate) fn prove() -> Result<()> {
    let root = tools::root();
    let (folder, build) = (root.join(FOLDER).join(NAME), root.join(FOLDER).join("build"));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(root.join(FOLDER))?;
    super::write(&folder, &template::files(NAME, Home::Alone { root })?)?;
    let cargo = |arguments: &[&str]| {
        let mut cargo = tools::cargo();
        cargo.args(arguments).current_dir(&folder).env("CARGO_TARGET_DIR", &build);
        cargo
    };
    step::run(&mut cargo(&["fmt", "--check"]))?;
    step::run(&mut cargo(&["test", "--quiet"]))?;
    let mut clippy = cargo(&["clippy", "--quiet", "--all-targets", "--"]);
    LINTS.iter().for_each(|lint| {
        clippy.args(["--deny", lint]);
    });
    step::run(&mut clippy)?;
    step::run(&mut cargo(&["build", "--quiet", "--target", "wasm32-wasip2", "--profile", "adapter"]))?;

    ensure!(Path::new(GATEWAY).exists(), "{GATEWAY} is missing; build it: cargo build --workspace --bin witgate");
    let built = build.join(format!("wasm32-wasip2/adapter/plugin_{}.wasm", NAME.replace('-', "_")));
    let packed = folder.join("packed.wasm");
    // No data directory: what is compiled is dropped.
    let nowhere = folder.join("no-data");
    let plugin = |arguments: &[&Path]| {
        step::output(Command::new(GATEWAY).arg("plugin").args(arguments).arg("--data-dir").arg(&nowhere))
    };
    plugin(&[
        Path::new("pack"),
        &built,
        Path::new("--fixtures"),
        &folder.join("fixtures"),
        Path::new("--out"),
        &packed,
    ])?;
    let checked = plugin(&[Path::new("check"), &packed, Path::new("--json")])?;
    let checked: serde_json::Value =
        serde_json::from_str(&checked).context("`plugin check --json` did not answer with JSON")?;
    if checked["providers"][0]["id"] != NAME || checked["warnings"] != serde_json::json!([]) {
        bail!("`plugin check` says {checked}");
    }
    let tested = plugin(&[Path::new("test"), &packed])?;
    ensure!(tested.contains("3 cases, 3 passed"), "`plugin test` says {tested}");
    println!("    {} KiB, {}", fs::metadata(&packed)?.len().div_ceil(1024), tested.trim());
    Ok(())
}
