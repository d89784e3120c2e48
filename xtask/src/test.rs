//! `cargo xtask test`: every check, as a list of steps. It stops at the first that fails and ends in a table of times.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Steps};
use crate::{hostile, new_plugin, plugins, tidy, tools};

struct Check {
    name: &'static str,
    run: fn() -> Result<()>,
}

/// In order: what is missing, then what is quick to say no, then what takes long.
const CHECKS: &[Check] = &[
    Check { name: "tools", run: install_tools },
    Check { name: "format", run: format },
    Check { name: "plugins", run: build_guests },
    Check { name: "tidy", run: tidy::check },
    Check { name: "lints", run: lints },
    Check { name: "lints of plugins", run: guest_lints },
    Check { name: "build", run: build },
    Check { name: "tests", run: unit_and_black_box },
    Check { name: "new plugin", run: new_plugin::prove },
    Check { name: "documentation", run: documentation },
    Check { name: "clients: packages", run: client_packages },
    Check { name: "clients: Python", run: python_clients },
    Check { name: "clients: Node", run: node_clients },
];

/// The command.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let chosen: Vec<&Check> = match words.as_slice() {
        [] => CHECKS.iter().collect(),
        ["--list"] => {
            CHECKS.iter().for_each(|check| println!("{}", check.name));
            return Ok(());
        }
        ["--only", name] => CHECKS.iter().filter(|check| check.name == *name).collect(),
        _ => bail!("`test` takes nothing, --list, or --only NAME"),
    };
    if chosen.is_empty() {
        bail!("there is no such step; `cargo xtask test --list` names them");
    }
    let mut steps = Steps::default();
    let outcome = chosen.iter().try_for_each(|check| steps.run(check.name, check.run));
    steps.summary(chosen.len());
    outcome
}

fn install_tools() -> Result<()> {
    tools::wasm_target()?;
    tools::debian(&[tools::C_COMPILER, tools::PYTHON, tools::NODE])
}

fn format() -> Result<()> {
    step::run(tools::cargo().args(["fmt", "--all", "--check"])).context("`cargo fmt --all` puts it right")
}

fn build_guests() -> Result<()> {
    plugins::build()?;
    plugins::build_test_guests()
}

fn lints() -> Result<()> {
    step::run(tools::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        "xtask/bench",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ]))
}

/// Guest code that is only compiled for WebAssembly (the exports) is not seen by the lints above.
fn guest_lints() -> Result<()> {
    let mut clippy = tools::cargo();
    clippy.args(["clippy", "--quiet", "--profile", "adapter", "--target", "wasm32-wasip2"]);
    for package in plugins::discover()? {
        clippy.args(["--package", &package]);
    }
    clippy.args(["--package", hostile::GUEST]);
    step::run(clippy.args(["--", "--deny", "warnings"]))
}

/// Builds everything that the later steps run: test programs, the gateway, the example that the client lanes use.
fn build() -> Result<()> {
    step::run(tools::cargo().args(["test", "--workspace", "--no-run", "--quiet"]))
}

fn unit_and_black_box() -> Result<()> {
    let mut tests = tools::cargo();
    tests.args(["test", "--workspace", "--quiet"]);
    step::run(with_plugins(&mut tests))
}

fn documentation() -> Result<()> {
    let mut doc = tools::cargo();
    doc.args(["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"]);
    step::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn client_packages() -> Result<()> {
    tools::python_environment()?;
    tools::node_modules(Path::new(NODE_CLIENTS))
}

const NODE_CLIENTS: &str = "examples/clients/node";
/// Starts a scripted vendor and a gateway with a channel to it, tells a command about them in its environment, and runs that.
const LANE: &str = "target/debug/examples/lane";

fn python_clients() -> Result<()> {
    let python = tools::python_environment()?;
    let mut lane = Command::new(LANE);
    lane.arg(python).args(["-m", "unittest", "discover", "--start-directory", "examples/clients/python"]);
    step::run(with_plugins(&mut lane))
}

fn node_clients() -> Result<()> {
    let mut lane = Command::new(LANE);
    lane.args(["node", "--test", "--test-reporter", "spec", "examples/clients/node/gateway.test.mjs"]);
    step::run(with_plugins(&mut lane))
}

/// Where tests find the built plugins.
pub(crate) fn with_plugins(command: &mut Command) -> &mut Command {
    command
        .env("WITGATE_PLUGINS", tools::root().join(plugins::PLUGINS))
        .env("WITGATE_TEST_PLUGINS", tools::root().join(plugins::TEST_PLUGINS))
}
