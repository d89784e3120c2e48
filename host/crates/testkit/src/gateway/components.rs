//! Where built components are.

use std::path::{Path, PathBuf};

/// The file of a built component, by its name: the project's own, or a guest that exists for tests.
///
/// Looks in `WITGATE_PLUGINS` and `WITGATE_TEST_PLUGINS`, by default `target/plugins` and `target/plugins-test` of the workspace. Panics with the command
/// that builds it when it is in neither.
pub fn component(name: &str) -> PathBuf {
    let directories = [directory("WITGATE_PLUGINS", "plugins"), directory("WITGATE_TEST_PLUGINS", "plugins-test")];
    let file = format!("{name}.wasm");
    match directories.iter().map(|directory| directory.join(&file)).find(|path| path.is_file()) {
        Some(path) => path,
        None => panic!("no {file} in {directories:?}: run `cargo xtask plugins --test-guests` first"),
    }
}

fn directory(variable: &str, name: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target").join(name),
    }
}
