//! Running the program's other commands on the same data.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use super::TestGateway;

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

impl TestGateway {
    /// Runs a command on this gateway's data and waits for it.
    pub async fn cli(&self, args: &[&str]) -> CliOutput {
        self.cli_with_input(args, "").await
    }

    /// Runs a command with something on its standard input.
    pub async fn cli_with_input(&self, args: &[&str], input: &str) -> CliOutput {
        let mut command = Command::from(self.settings.command(self.dir.path()));
        command.args(args).args(self.settings.global_options(self.dir.path()));
        command.stdin(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("the program can be run");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        // A command that does not read its input may have closed it.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let shown = format!("witgate {}", args.join(" "));
        match tokio::time::timeout(PATIENCE, child.wait_with_output()).await {
            Ok(output) => CliOutput::new(shown, output.expect("the output of our own child")),
            Err(_) => panic!("`{shown}` did not end within {PATIENCE:?}"),
        }
    }
}

/// What a command said and how it ended.
#[derive(Clone, Debug)]
pub struct CliOutput {
    /// What was run.
    pub command: String,
    /// Whether it succeeded.
    pub success: bool,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

impl CliOutput {
    fn new(command: String, output: Output) -> CliOutput {
        CliOutput {
            command,
            success: output.status.success(),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Panics with what it said unless it succeeded.
    pub fn ok(self) -> CliOutput {
        assert!(self.success, "`{}` failed ({:?}):\n{}{}", self.command, self.code, self.stdout, self.stderr);
        self
    }

    /// Panics unless it failed, with an error and without a panic; gives everything it said.
    pub fn failed(self) -> String {
        let said = format!("{}{}", self.stdout, self.stderr);
        assert!(!self.success, "`{}` should have failed, but said:\n{said}", self.command);
        assert!(self.code.is_some() && !said.contains("panicked at"), "`{}` crashed:\n{said}", self.command);
        said
    }

    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("`{}` does not print JSON ({error}):\n{}{}", self.command, self.stdout, self.stderr),
        }
    }
}
