//! The command line: reads arguments and configuration, runs one command, turns its end into an exit code.
//! 0 is success, 1 a failure, 64 a command line that cannot be read.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, error::ErrorKind};

use crate::config::{self, Config, Flags};

mod channel;
mod doctor;
mod key;
mod plugin;
mod table;

/// The code for a command line that cannot be read, as `sysexits.h` has it.
const USAGE: u8 = 64;

/// One endpoint for every language model; every vendor is a plugin.
#[derive(Parser)]
#[command(name = "witgate", version, arg_required_else_help = true, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Global {
    /// TOML file to read instead of ./witgate.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Directory of database, plugins and caches [default: data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,
    /// Database [default: SQLite in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// Directory of plugins [default: plugins in the data directory]
    #[arg(long, global = true, value_name = "DIR")]
    plugins_dir: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway
    Serve(Serve),
    /// Accounts at providers that requests go to
    #[command(subcommand)]
    Channel(channel::Command),
    /// Keys that client programs send
    #[command(subcommand)]
    Key(key::Command),
    /// Vendor adapters
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Check the installation and show the configuration with its origins
    Doctor(doctor::Doctor),
    /// What a server starts to compile a plugin in a process of its own
    #[command(hide = true)]
    PluginCompile { input: PathBuf, output: PathBuf },
}

#[derive(Args)]
struct Serve {
    /// Address and port to listen on [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Port to listen on, on the same address
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Append logs to witgate.log in this directory instead of writing them to standard error
    #[arg(long, value_name = "DIR")]
    log_dir: Option<String>,
}

/// Why a command failed: one line for each thing that is wrong.
#[derive(Debug)]
struct Failure {
    lines: Vec<String>,
    code: u8,
}

impl Failure {
    /// What was asked for cannot be done.
    fn new(lines: Vec<String>) -> Failure {
        Failure { lines, code: 1 }
    }

    /// The arguments cannot be read.
    fn usage(lines: Vec<String>) -> Failure {
        Failure { lines, code: USAGE }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Failure {
        let error = error.into();
        // Whoever read the output has seen enough: nobody is left to tell.
        let closed = error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        Failure::new(if closed { Vec::new() } else { vec![format!("{error:#}")] })
    }
}

type Done = Result<(), Failure>;

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Nothing is left to do when even that cannot be written.
            let _ = error.print();
            return if asked { ExitCode::SUCCESS } else { ExitCode::from(USAGE) };
        }
    };
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let mut stderr = io::stderr().lock();
            for line in failure.lines {
                let _ = writeln!(stderr, "error: {}", table::harmless(&line));
            }
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(cli: Cli) -> Done {
    // It runs in an empty environment under tight limits: no configuration, no threads.
    if let Command::PluginCompile { input, output } = &cli.command {
        return plugin_runtime::compile_child(input, output).map_err(|error| Failure::new(vec![error]));
    }
    let flags = flags(&cli);
    let (config, errors) = config::load(&flags, &std::env::current_dir()?);
    if !errors.is_empty() && !matches!(cli.command, Command::Doctor(_)) {
        return Err(Failure::new(errors));
    }
    match cli.command {
        Command::Serve(_) => serve(config),
        Command::Channel(command) => runtime(false)?.block_on(channel::run(command, &config)),
        Command::Key(command) => runtime(false)?.block_on(key::run(command, &config)),
        Command::Plugin(command) => runtime(false)?.block_on(plugin::run(command, &config)),
        // Already done: see above.
        Command::PluginCompile { .. } => Ok(()),
        Command::Doctor(doctor) => runtime(false)?.block_on(doctor::run(&doctor, &config, &errors)),
    }
}

fn serve(config: Config) -> Done {
    if let Some(dir) = &config.server.log_dir {
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make the log directory {}", dir.display()))?;
    }
    telemetry::init(&config.log_options())?;
    for note in &config.notes {
        tracing::warn!("{note}");
    }
    for variable in &config.variables {
        let (name, became, says) = (variable.name, variable.became, &variable.says);
        match became {
            "used" => {}
            "ignored" | "overridden" => tracing::warn!("{name} is {became}: {says}"),
            _ => tracing::info!("{name} is set, {became}: {says}"),
        }
    }
    Ok(runtime(true)?.block_on(crate::serve::run(config))?)
}

/// The server uses every core; a command that asks the database one thing needs one thread.
fn runtime(many: bool) -> io::Result<tokio::runtime::Runtime> {
    let mut builder =
        if many { tokio::runtime::Builder::new_multi_thread() } else { tokio::runtime::Builder::new_current_thread() };
    builder.enable_all().build()
}

/// What the command line says about the configuration.
fn flags(cli: &Cli) -> Flags {
    let mut keys = vec![
        ("--data-dir", "data.dir", cli.global.data_dir.clone()),
        ("--database", "data.database", cli.global.database.clone()),
        ("--plugins-dir", "plugins.dir", cli.global.plugins_dir.clone()),
    ];
    let mut port = None;
    if let Command::Serve(serve) = &cli.command {
        keys.push(("--listen", "server.listen", serve.listen.clone()));
        keys.push(("--log-dir", "server.log_dir", serve.log_dir.clone()));
        port = serve.port;
    }
    let keys = keys.into_iter().filter_map(|(flag, key, text)| Some((flag, key, text?))).collect();
    Flags { file: cli.global.config.clone(), keys, port }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn global_options_may_come_after_the_command() {
        let cli =
            Cli::try_parse_from(["witgate", "serve", "--port", "8", "--data-dir", "d", "--plugins-dir", "p"]).unwrap();
        let flags = flags(&cli);
        assert_eq!(flags.port, Some(8));
        let keys: Vec<_> = flags.keys.iter().map(|(flag, key, text)| (*flag, *key, text.as_str())).collect();
        assert_eq!(keys, [("--data-dir", "data.dir", "d"), ("--plugins-dir", "plugins.dir", "p")]);
        assert!(Cli::try_parse_from(["witgate", "key", "list", "--json", "--database", "sqlite:x"]).is_ok());
    }
}
