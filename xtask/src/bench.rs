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

use std::path::Path;
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
    let mut inner = Command::new(MEASURE);
    inner.arg("bench-inner").args(quick.then_some("--quick"));
    for adapter in ADAPTERS {
        let (request, event) = steps.run(&format!("plugin boundary, {}", adapter.name), || boundary(adapter))?;
        inner.args(["--boundary", adapter.name, &request.to_string(), &event.to_string()]);
    }
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

/// An adapter whose crossings are measured, and what it is told with every event.
struct Boundary {
    name: &'static str,
    component: &'static str,
    provider: &'static str,
    event: &'static str,
}

const ADAPTERS: &[Boundary] = &[
    Boundary {
        name: "compatible",
        component: "openai.wasm",
        provider: "compatible",
        event: r#"{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}"#,
    },
    Boundary {
        name: "anthropic",
        component: "anthropic.wasm",
        provider: "anthropic",
        event: r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"word "}}"#,
    },
];

/// What the crossing into a sandbox costs by itself, measured by the runtime's own example: microseconds a request (open, start, drop) and
/// an event, at p50, with the instances from the pool.
fn boundary(adapter: &Boundary) -> Result<(f64, f64)> {
    let example = ["run", "--release", "--package", "plugin-runtime", "--example", "boundary", "--"];
    let component = Path::new(plugins::PLUGINS).join(adapter.component);
    let mut cargo = tools::cargo();
    cargo.args(example).arg(component).args([adapter.provider, "bench", adapter.event]);
    let printed = step::output(&mut cargo)?;
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
