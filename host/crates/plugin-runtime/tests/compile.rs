//! Compiling in a child process with limits. This program is also that child: `plugin-compile IN OUT`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    reason = "a test without a harness"
)]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use plugin_runtime::{Compiler, LoadError, Runtime, RuntimeOptions, check_file, compile_child};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|mode| mode.to_str()) {
        Some("plugin-compile") => match compile_child(Path::new(&arguments[1]), Path::new(&arguments[2])) {
            Ok(()) => ExitCode::SUCCESS,
            Err(what) => {
                eprintln!("{what}");
                ExitCode::FAILURE
            }
        },
        Some("hang") => loop {
            std::thread::park();
        },
        Some("environment") => {
            let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
            eprintln!("environment: {}", names.join(" "));
            ExitCode::FAILURE
        }
        // Test runners ask for a list.
        Some("--list") => ExitCode::SUCCESS,
        _ => {
            tokio::runtime::Runtime::new().expect("a runtime").block_on(check());
            ExitCode::SUCCESS
        }
    }
}

async fn check() {
    let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/plugins-test");
    let probe = std::env::var_os("WITGATE_TEST_PLUGINS").map_or(probe, PathBuf::from).join("probe.wasm");
    assert!(probe.exists(), "{} is missing; build it with `cargo xtask plugins`", probe.display());

    let loaded = compile("plugin-compile", |_| {}, &probe).await.expect("the probe compiles in a child");
    assert_eq!(loaded, "1.0.0");
    println!("a component is compiled in a child process ... ok");

    let error = compile("hang", |options| options.compile_wall = Duration::from_millis(300), &probe).await;
    expect_error(error, "stopped after 0.3 s");
    println!("a compiler that takes too long is stopped ... ok");

    let error = compile("plugin-compile", |options| options.compile_memory = 8 << 20, &probe).await;
    expect_error(error, "its memory limit is 8 MiB");
    println!("a compiler that wants too much memory is stopped ... ok");

    let error = compile("environment", |_| {}, &probe).await;
    expect_error(error, "environment: WITGATE_COMPILE_MEMORY WITGATE_COMPILE_SECONDS");
    println!("a compiler sees nothing of the environment ... ok");

    let dir = tempfile::tempdir().expect("a directory");
    let broken = dir.path().join("broken.wasm");
    let text = r#"(component (core module (func (result i32))) (instance) (export "witgate:adapter/catalog@0.2.0" (instance 0)))"#;
    std::fs::write(&broken, wat::parse_str(text).expect("a component")).expect("written");
    expect_error(compile("plugin-compile", |_| {}, &broken).await, "type mismatch");
    println!("what the compiler says is passed on ... ok");
}

async fn compile(mode: &str, change: impl FnOnce(&mut RuntimeOptions), wasm: &Path) -> Result<String, LoadError> {
    let dir = tempfile::tempdir().expect("a directory");
    let mut options = RuntimeOptions::new(dir.path());
    options.instances = 4;
    options.compiler = Compiler::Child(std::env::current_exe().expect("this program"), vec![mode.into()]);
    change(&mut options);
    let runtime = Runtime::new(options).expect("a runtime");
    let adapters = check_file(&runtime, wasm).await?.adapters;
    let left = std::fs::read_dir(dir.path()).expect("a directory").flatten();
    let left: Vec<_> = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp-")).collect();
    assert!(left.is_empty(), "scratch files are left: {left:?}");
    Ok(adapters[0].version().to_owned())
}

fn expect_error(result: Result<String, LoadError>, expected: &str) {
    match result {
        Err(LoadError::Compile(what)) if what.contains(expected) => {}
        other => panic!("expected a compile error with `{expected}`, got {other:?}"),
    }
}
