//! `cargo xtask plugins`: builds every plugin for WebAssembly and puts `<name>.wasm` where the gateway and the tests look for it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use witgate_sdk_testkit::archive;

use crate::hostile;
use crate::step::{self, Steps};
use crate::tools;

/// What `start` and `bench` load.
pub(crate) const PLUGINS: &str = "target/plugins";
/// What only tests load: the probe, and second editions of adapters to swap in.
pub(crate) const TEST_PLUGINS: &str = "target/plugins-test";

const TARGET: &str = "wasm32-wasip2";
const PROBE: &str = "guest-probe";
/// The smallest adapter, for authors to copy: built as its README says, so that this stays true.
const HELLO: &str = "hello-plugin";
/// One adapter for each shape of a vendor's API.
const FLOWS: &str = "flows-plugin";

/// The command.
pub(crate) fn plugins(arguments: &[String]) -> Result<()> {
    let mut test_guests = false;
    for argument in arguments {
        match argument.as_str() {
            "--test-guests" => test_guests = true,
            other => bail!("`plugins` does not know `{other}`; it takes --test-guests"),
        }
    }
    let mut steps = Steps::default();
    steps.run("WebAssembly target", tools::wasm_target)?;
    steps.run("plugins", build)?;
    if test_guests {
        steps.run("test guests", build_test_guests)?;
    }
    Ok(())
}

/// Builds the plugins of the repository, in one call to cargo.
pub(crate) fn build() -> Result<()> {
    let packages = discover()?;
    compile(&packages, &[], Path::new("target"))?;
    for package in &packages {
        install(Path::new("target"), package, &Path::new(PLUGINS).join(format!("{}.wasm", short(package))))?;
    }
    Ok(())
}

/// Builds the guests that only tests load. Second editions live in a target directory of their own: a feature that flips would
/// otherwise rebuild the plain ones every time.
pub(crate) fn build_test_guests() -> Result<()> {
    let (plain, editions, out) = (Path::new("target"), Path::new("target/editions"), Path::new(TEST_PLUGINS));
    let guests = [PROBE, HELLO, FLOWS, hostile::GUEST].map(str::to_owned);
    compile(&guests, &[], plain)?;
    install(plain, PROBE, &out.join("probe.wasm"))?;
    install(plain, HELLO, &out.join("hello.wasm"))?;
    install(plain, FLOWS, &out.join("flows.wasm"))?;
    hostile::stamp_all(&built(plain, hostile::GUEST), &out.join("hostile"))?;
    let echo = "plugin-echo";
    compile(&[PROBE.to_owned(), echo.to_owned()], &["guest-probe/edition-two", "plugin-echo/edition-two"], editions)?;
    install(editions, PROBE, &out.join("probe-two.wasm"))?;
    install(editions, echo, &out.join("echo-two.wasm"))
}

/// Package names of all crates under `plugins/`, in order.
pub(crate) fn discover() -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let mut packages = Vec::new();
    for entry in fs::read_dir("plugins").context("cannot list plugins/")? {
        let manifest = entry?.path().join("Cargo.toml");
        if !manifest.exists() {
            continue;
        }
        let parsed: Manifest = toml::from_str(&fs::read_to_string(&manifest)?)
            .with_context(|| format!("cannot read {}", manifest.display()))?;
        packages.push(parsed.package.name);
    }
    packages.sort();
    Ok(packages)
}

fn compile(packages: &[String], features: &[&str], target: &Path) -> Result<()> {
    let mut cargo = tools::cargo();
    cargo.args(["build", "--profile", "adapter", "--target", TARGET, "--target-dir"]).arg(target);
    for package in packages {
        cargo.args(["--package", package]);
    }
    if !features.is_empty() {
        cargo.args(["--features", &features.join(",")]);
    }
    step::run(&mut cargo)
}

fn install(target: &Path, package: &str, to: &Path) -> Result<()> {
    let built = built(target, package);
    let wasm = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let word = if tools::place(&packed(&wasm, package)?, to)? { "new" } else { "unchanged" };
    println!("    {} ({} KiB, {word})", to.display(), fs::metadata(to)?.len().div_ceil(1024));
    Ok(())
}

/// With the plugin's fixtures packed into it, when it has some: the gateway runs them before the plugin serves.
fn packed(wasm: &[u8], package: &str) -> Result<Vec<u8>> {
    let example = package.strip_suffix("-plugin").unwrap_or(package);
    let folders = [
        Path::new("plugins").join(short(package)),
        Path::new("examples").join(package),
        Path::new("examples").join(example),
    ];
    let Some(folder) = folders.iter().map(|folder| folder.join("fixtures")).find(|folder| archive::has_cases(folder))
    else {
        return Ok(wasm.to_vec());
    };
    archive::pack(wasm, &folder).map_err(|what| anyhow::anyhow!("the fixtures of {package} cannot be packed: {what}"))
}

/// What cargo leaves of a guest.
fn built(target: &Path, package: &str) -> PathBuf {
    target.join(TARGET).join("adapter").join(format!("{}.wasm", package.replace('-', "_")))
}

/// `plugin-echo` is the crate, `echo` the plugin.
fn short(package: &str) -> &str {
    package.strip_prefix("plugin-").unwrap_or(package)
}
