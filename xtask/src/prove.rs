//! `cargo xtask prove`: the proofs that take long: ten thousand hot swaps under load, and a search by every fuzz target (`fuzz/README.md`).

use std::fs;
use std::num::NonZeroU64;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Steps};
use crate::{bench, tools};

const SWAPS: u32 = 10_000;

/// The command.
pub(crate) fn prove(arguments: &[String]) -> Result<()> {
    // Zero would search for ever.
    let mut minutes = const { NonZeroU64::new(5).unwrap() };
    let mut only = None;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.next()) {
            ("--minutes", Some(number)) => minutes = number.parse().context("--minutes takes a number above zero")?,
            ("--only", Some(proof)) if matches!(proof.as_str(), "swaps" | "fuzz") => only = Some(proof.as_str()),
            _ => bail!("`prove` takes --minutes N (for each fuzz target) and --only swaps|fuzz"),
        }
    }
    let mut steps = Steps::default();
    let outcome = run(&mut steps, minutes, only);
    steps.summary(0);
    outcome
}

fn run(steps: &mut Steps, minutes: NonZeroU64, only: Option<&str>) -> Result<()> {
    if only.is_none_or(|proof| proof == "swaps") {
        bench::swaps(steps, SWAPS)?;
    }
    if only.is_none_or(|proof| proof == "fuzz") {
        let targets = fuzz_targets()?;
        steps.run("fuzz targets", build_fuzz_targets)?;
        for target in targets {
            steps.run(&format!("fuzz {target}"), || fuzz(&target, minutes))?;
        }
    }
    Ok(())
}

fn fuzz_targets() -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir("fuzz/fuzz_targets").context("cannot list the fuzz targets")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem()
        {
            targets.push(name.to_string_lossy().into_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

/// Instrumentation that libFuzzer follows. No sanitizer: those need a nightly compiler, and safe code has little for them to find.
const INSTRUMENTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

fn build_fuzz_targets() -> Result<()> {
    tools::debian(&[tools::CPP_COMPILER])?;
    // Naming the target, even the machine's own, keeps the flags away from build scripts and macros.
    let host = host_target()?;
    let mut cargo = tools::cargo();
    cargo.args(["build", "--release", "--locked", "--target", &host]);
    step::run(cargo.current_dir("fuzz").env("RUSTFLAGS", INSTRUMENTED))
}

fn fuzz(target: &str, minutes: NonZeroU64) -> Result<()> {
    let found = format!("target/found/{target}");
    fs::create_dir_all(Path::new("fuzz").join(&found))?;
    let mut search =
        Command::new(Path::new("fuzz/target").join(host_target()?).join("release").join(target).canonicalize()?);
    search.args([
        &found,
        &format!("corpus/{target}"),
        "-max_len=512",
        "-artifact_prefix=target/found/",
        "-verbosity=0",
    ]);
    search.args(["-print_final_stats=1".to_owned(), format!("-max_total_time={}", minutes.get() * 60)]);
    let dictionary = format!("{target}.dict");
    if Path::new("fuzz").join(&dictionary).exists() {
        search.arg(format!("-dict={dictionary}"));
    }
    step::run(search.current_dir("fuzz"))
        .context("the input that broke it is in fuzz/target/found; make a seed of it once it is fixed")
}

/// The target triple of this machine.
fn host_target() -> Result<String> {
    let printed = step::output(Command::new("rustc").arg("-vV"))?;
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.to_owned())
}
