//! Compiles a component, off the request path and, where it can, in a process of its own with limits.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};
use wasmtime::Engine;

use crate::{
    Compiler, LoadError, Runtime, RuntimeOptions,
    cache::{CacheKey, write_private},
    plugin_log::cut,
    runtime::config,
};

/// How the parent tells the child its limits; nothing else is in the child's environment.
const MEMORY_VARIABLE: &str = "WITGATE_COMPILE_MEMORY";
const SECONDS_VARIABLE: &str = "WITGATE_COMPILE_SECONDS";
/// Bytes that a child may write to a file: compiled code is two to four times the size of a component.
const OUTPUT_MAX: u64 = 1 << 30;

/// Compiles these bytes and keeps the result in the cache under this key.
pub(crate) async fn compile(runtime: &Runtime, key: &CacheKey, wasm: Bytes) -> Result<(), LoadError> {
    let _turn = runtime.compilations().acquire().await;
    let input = Scratch(runtime.cache().scratch("wasm"));
    let output = Scratch(runtime.cache().scratch("cwasm"));
    let path = input.0.clone();
    blocking(move || write_private(&path, &wasm).map_err(|error| LoadError::Cache(error.to_string()))).await?;
    match &runtime.options().compiler {
        Compiler::InProcess => {
            let (input, output) = (input.0.clone(), output.0.clone());
            blocking(move || compile_file(&input, &output).map_err(LoadError::Compile)).await?;
        }
        Compiler::Child(program, arguments) => {
            in_child(runtime.options(), program, arguments, &input.0, &output.0).await.map_err(LoadError::Compile)?;
        }
    }
    let (runtime, key, path) = (runtime.clone(), key.clone(), output.0.clone());
    blocking(move || runtime.cache().store(&key, &path).map_err(|error| LoadError::Cache(error.to_string()))).await
}

/// Runs what reads files or computes for long on a thread where that holds up nobody.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(LoadError::Compile(format!("the loader failed: {error}"))))
}

/// A file that is deleted when it is no longer needed.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn in_child(
    options: &RuntimeOptions,
    program: &Path,
    arguments: &[OsString],
    input: &Path,
    output: &Path,
) -> Result<(), String> {
    let wall = options.compile_wall;
    let mut child = Command::new(program)
        .args(arguments)
        .args([input, output])
        .env_clear()
        .env(MEMORY_VARIABLE, options.compile_memory.to_string())
        .env(SECONDS_VARIABLE, wall.as_secs().max(1).to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the compiler process could not be started ({}): {error}", program.display()))?;
    let mut said = Vec::new();
    let stderr = child.stderr.take();
    let finished = timeout(wall, async {
        if let Some(stderr) = stderr {
            let _ = stderr.take(8 << 10).read_to_end(&mut said).await;
        }
        child.wait().await
    })
    .await;
    let Ok(status) = finished else {
        let _ = child.kill().await;
        return Err(format!("the compiler was stopped after {} s", wall.as_secs_f32()));
    };
    let status = status.map_err(|error| format!("the compiler process: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let limit = options.compile_memory >> 20;
    Err(format!("the compiler process failed ({status}; its memory limit is {limit} MiB): {}", cut(said.trim(), 2000)))
}

/// What the compiling child process does: limits itself, compiles `input` (a component) and writes the code to `output`.
///
/// # Errors
/// What the program should print to standard error before it ends with a code other than 0.
pub fn compile_child(input: &Path, output: &Path) -> Result<(), String> {
    limit_self()?;
    compile_file(input, output)
}

fn compile_file(input: &Path, output: &Path) -> Result<(), String> {
    let wasm = fs::read(input).map_err(|error| format!("{}: {error}", input.display()))?;
    let engine = Engine::new(&config()).map_err(|error| format!("{error:#}"))?;
    let code = engine.precompile_component(&wasm).map_err(|error| format!("{error:#}"))?;
    write_private(output, &code).map_err(|error| format!("{}: {error}", output.display()))
}

/// Done by the child itself, before it reads its input: a process that is not under attack yet can be trusted to limit itself.
fn limit_self() -> Result<(), String> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut limits = vec![(Resource::Core, 0), (Resource::Fsize, OUTPUT_MAX), (Resource::Nofile, 64)];
    if let Some(memory) = number(MEMORY_VARIABLE) {
        // Data counts what can be written to; address space also counts what allocators and threads only reserve.
        limits.extend([(Resource::Data, memory), (Resource::As, memory.saturating_mul(4))]);
    }
    if let Some(seconds) = number(SECONDS_VARIABLE) {
        limits.push((Resource::Cpu, seconds.saturating_mul(cores)));
    }
    for (resource, wanted) in limits {
        // A limit that is lower already stays.
        let value = getrlimit(resource).maximum.map_or(wanted, |maximum| maximum.min(wanted));
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
            .map_err(|error| format!("limit {resource:?}: {error}"))?;
    }
    Ok(())
}
