//! Work in named steps: each says what it is doing, what it runs and how long it took; a list of them ends in a table.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The steps of one command, in the order they ran.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, bool)>,
}

impl Steps {
    /// Runs `work` under a heading and remembers how long it took. The name is added to its error.
    pub(crate) fn run<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("==> {name}");
        let begin = Instant::now();
        let outcome = work();
        let took = begin.elapsed();
        self.done.push((name.to_owned(), took, outcome.is_ok()));
        match outcome {
            Ok(value) => {
                println!("    {name}: {}", seconds(took));
                Ok(value)
            }
            Err(error) => Err(error).with_context(|| format!("step `{name}` failed after {}", seconds(took))),
        }
    }

    /// The table of what ran. `planned` is how many steps there were to run.
    pub(crate) fn summary(&self, planned: usize) {
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        println!("\n    {:<32} {:>10}", "step", "time");
        for (name, took, passed) in &self.done {
            println!("    {name:<32} {:>10}  {}", seconds(*took), if *passed { "ok" } else { "FAILED" });
        }
        println!("    {:<32} {:>10}", "total", seconds(total));
        let left = planned.saturating_sub(self.done.len());
        if left > 0 {
            println!("    {left} more steps were not run");
        }
    }
}

/// Runs a command to its end and passes its output on. A status other than success is an error with the command line in it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    println!("    $ {line}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("cannot run `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Runs a command quietly and returns what it wrote to standard output. An error carries what it wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}:\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` wrote something that is not UTF-8"))
}

/// The command as one would type it: variables it sets, program, arguments.
fn command_line(command: &Command) -> String {
    let quoted = |text: &std::ffi::OsStr| {
        let text = text.to_string_lossy().into_owned();
        if text.is_empty() || text.contains(char::is_whitespace) { format!("'{text}'") } else { text }
    };
    let set =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))));
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    set.chain([quoted(program)]).chain(command.get_args().map(quoted)).collect::<Vec<_>>().join(" ")
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
