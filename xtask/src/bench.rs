//! `cargo xtask bench`: direct to a mock vendor, through nginx and through the gateway, interleaved in one run on one machine.
//!
//! This half builds what is measured. The measuring half is xtask again, as a release build with the load generator in it: see `bench/inner.rs`.

#[cfg(feature = "bench")]
pub(crate) mod inner;
#[cfg(feature = "bench")]
mod load;
#[cfg(feature = "bench")]
mod process;
#[cfg(feature = "bench")]
mod report;
#[cfg(feature = "bench")]
mod sides;
#[cfg(feature = "bench")]
mod streams;
#[cfg(feature = "bench")]
mod swap;
#[cfg(feature = "bench")]
pub(crate) mod vendor;
#[cfg(feature = "bench")]
mod wire;

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Steps};
use crate::{plugins, tools};

/// The command.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    let quick = match arguments {
        [] => false,
        [argument] if argument == "--quick" => true,
        _ => bail!("`bench` takes nothing, or --quick"),
    };
    let mut steps = Steps::default();
    steps.run("tools", || tools::debian(&[tools::C_COMPILER, tools::NGINX]))?;
    build(&mut steps)?;
    let boundary = steps.run("plugin boundary", boundary)?;
    let mut inner = Command::new(MEASURE);
    inner.arg("bench-inner").args(quick.then_some("--quick"));
    inner.args(["--boundary", &boundary.0.to_string(), &boundary.1.to_string()]);
    steps.run("measure", || step::run(&mut inner))
}

/// Many swaps under load and nothing else, for `prove`.
pub(crate) fn swaps(steps: &mut Steps, count: u32) -> Result<()> {
    build(steps)?;
    let count = count.to_string();
    steps.run("swaps", || step::run(Command::new(MEASURE).args(["bench-inner", "--swaps-only", &count])))
}

const MEASURE: &str = "target/release/xtask";

/// Release builds of the gateway and of the measuring half, and the plugins with their second editions.
fn build(steps: &mut Steps) -> Result<()> {
    steps.run("plugins", || {
        tools::wasm_target()?;
        plugins::build()?;
        plugins::build_test_guests()
    })?;
    steps
        .run("gateway (release)", || step::run(tools::cargo().args(["build", "--release", "--package", "witgate"])))?;
    let generator = ["build", "--release", "--package", "xtask", "--features", "bench"];
    steps.run("load generator (release)", || step::run(tools::cargo().args(generator)))
}

/// What the crossing into a sandbox costs by itself, measured by the runtime's own example: microseconds a request (open, start, drop) and
/// an event, at p50, with the instances from the pool.
fn boundary() -> Result<(f64, f64)> {
    let example = ["run", "--release", "--package", "plugin-runtime", "--example", "boundary"];
    let printed = step::output(tools::cargo().args(example))?;
    print!("{printed}");
    median_of(&printed, "open+start+drop").zip(median_of(&printed, "event")).context("the example has not measured it")
}

/// The first line of this name: `  NAME  p50  12.34 µs   p99 ...`.
fn median_of(printed: &str, name: &str) -> Option<f64> {
    printed.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let is_it = words.next()? == name && words.next()? == "p50";
        is_it.then(|| words.next()?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_example_prints_is_understood() {
        let printed =
            "pooled: runtime 1.0 ms\n  event            p50   2.40 µs   p99  3 µs\non demand\n  event p50 9.00 µs";
        assert_eq!(median_of(printed, "event"), Some(2.4));
        assert_eq!(median_of(printed, "open+start+drop"), None);
    }
}
