//! What an operator can set about the sandboxes, with defaults.

use std::{ffi::OsString, path::PathBuf, sync::Arc, time::Duration};

use crate::Trial;

/// Where components are compiled.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In this process: nothing limits what a hostile component makes the compiler do. For tests and one-off commands.
    InProcess,
    /// In a child process of its own with limits on memory, CPU and time: a program and the arguments that come before the input and
    /// output paths. The program runs [`compile_child`](crate::compile_child).
    Child(PathBuf, Vec<OsString>),
}

/// Limits and places. Made with [`RuntimeOptions::new`], then changed field by field.
#[derive(Clone, Debug)]
pub struct RuntimeOptions {
    /// Private directory of compiled code; made with mode 0700.
    pub cache_dir: PathBuf,
    /// Bytes of linear memory that one guest may have, all its memories together. 64 MiB.
    pub memory_max: usize,
    /// CPU time of one step. 50 ms.
    pub step_cpu: Duration,
    /// Wall-clock time of one step, waits included. 5 s.
    pub step_wall: Duration,
    /// Guests that the pool holds at once; as many again run outside it, slower. 4,000.
    pub instances: u32,
    /// Bytes of a component file. 64 MiB.
    pub file_max: u64,
    /// Bytes that one call may pass from the guest to the host. 16 MiB.
    pub hostcall_bytes: usize,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Wall-clock time of one compilation in a child process. 60 s.
    pub compile_wall: Duration,
    /// Bytes of memory that a compiling child process may have. 2 GiB.
    pub compile_memory: u64,
    /// Whether what plugins say (log lines, stderr of one that fails) goes to the log. It may quote what users said. Off.
    pub keep_log: bool,
    /// Runs the fixtures that are packed into a component before it serves. None: they are not run.
    pub trial: Option<Arc<dyn Trial>>,
    /// Wall-clock time of such a run. 30 s.
    pub trial_wall: Duration,
}

impl RuntimeOptions {
    /// The defaults, with this directory for compiled code.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        RuntimeOptions {
            cache_dir: cache_dir.into(),
            memory_max: 64 << 20,
            step_cpu: Duration::from_millis(50),
            step_wall: Duration::from_secs(5),
            instances: 4_000,
            file_max: 64 << 20,
            hostcall_bytes: 16 << 20,
            compiler: Compiler::InProcess,
            compile_wall: Duration::from_secs(60),
            compile_memory: 2 << 30,
            keep_log: false,
            trial: None,
            trial_wall: Duration::from_secs(30),
        }
    }
}
