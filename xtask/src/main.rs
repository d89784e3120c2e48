//! What this repository does besides compiling: build the plugins, start the gateway, run every check, measure, prove.
#![expect(clippy::print_stdout, reason = "a command-line tool answers on standard output")]

mod bench;
mod hostile;
mod new_plugin;
mod plugins;
mod prove;
mod start;
mod step;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// One command: its name, what `cargo xtask` says about it, and what it does with the arguments after its name.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "start",
        about: "build what is missing and run the gateway on ./data; arguments after `--` go to `witgate serve`",
        run: start::start,
    },
    Command {
        name: "test",
        about: "every check that CI runs; --list names the steps, --only NAME runs one",
        run: test::test,
    },
    Command { name: "tidy", about: "the invariants and house numbers that no compiler checks", run: tidy::tidy },
    Command {
        name: "plugins",
        about: "build every plugin to target/plugins; --test-guests adds those that only tests load",
        run: plugins::plugins,
    },
    Command {
        name: "new-plugin",
        about: "NAME: a plugin that builds and is tested, to start from; --dir PATH: outside of this repository",
        run: new_plugin::new_plugin,
    },
    Command {
        name: "hostile",
        about: "drop the guests of examples/hostile into a gateway and see that nothing happens; --each: one file each",
        run: hostile::hostile,
    },
    Command {
        name: "bench",
        about: "direct, nginx and the gateway side by side, as ratios; --quick for a glance",
        run: bench::bench,
    },
    Command {
        name: "prove",
        about: "the long proofs: a thousand swaps, fuzzing (--minutes N a target)",
        run: prove::prove,
    },
];

/// Run by the commands above in a process of its own, so not listed.
const INNER: &[Command] = &[
    Command {
        name: "announce",
        about: "waits for the gateway of `start`, then prints how to call it",
        run: start::announce,
    },
    #[cfg(feature = "bench")]
    Command { name: "bench-inner", about: "the measuring half of `bench`", run: bench::inner::measure },
    #[cfg(feature = "bench")]
    Command { name: "bench-vendor", about: "the mock vendor of `bench`", run: bench::vendor::serve },
];

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    tools::enter_root()?;
    let Some((name, rest)) = arguments.split_first() else {
        usage();
        return Ok(());
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        usage();
        return Ok(());
    }
    match COMMANDS.iter().chain(INNER).find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => {
            usage();
            bail!("there is no command `{name}`")
        }
    }
}

fn usage() {
    println!("cargo xtask COMMAND\n");
    for command in COMMANDS {
        println!("  {:<12}{}", command.name, command.about);
    }
}
