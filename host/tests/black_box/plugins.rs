//! The plugins directory of a running server: what is dropped in, overwritten, broken and taken away.

mod cases;
mod swap;

use std::{fs, path::Path};

use serde_json::Value;
use testkit::{
    TestGateway, eventually,
    gateway::{FOLLOWS, component},
};

use crate::{
    expect,
    setup::{self, question},
};

/// Puts a component under a name as careful people do: written elsewhere, then moved.
pub(crate) fn install(gateway: &TestGateway, built: &str, name: &str) {
    place(gateway, &fs::read(component(built)).unwrap(), name);
}

fn place(gateway: &TestGateway, bytes: &[u8], name: &str) {
    let aside = gateway.work_dir().join("aside");
    fs::write(&aside, bytes).unwrap();
    fs::rename(aside, gateway.plugins_dir().join(name)).unwrap();
}

/// What `plugin list --json` says of a file; null when it does not name it.
async fn row(gateway: &TestGateway, file: &str) -> Value {
    let list = gateway.cli(&["plugin", "list", "--json"]).await.ok().json();
    let row = list.as_array().expect("an array").iter().find(|row| row["file"] == file).cloned();
    row.unwrap_or(Value::Null)
}

/// Waits until a file is in a state, and gives its row.
pub(crate) async fn state(gateway: &TestGateway, file: &str, state: &str) -> Value {
    eventually(&format!("{file} is {state}"), FOLLOWS, async || row(gateway, file).await["state"] == state).await;
    row(gateway, file).await
}

#[tokio::test]
async fn a_component_that_is_dropped_in_serves_without_a_restart() {
    let gateway = setup::bare().start().await;
    let key = gateway.key("app").await;
    expect::error(&gateway.chat(&key, &question("echo")).await, expect::MODEL_UNKNOWN);
    install(&gateway, "echo", "echo.wasm");
    gateway.wait_for_model(&key, "echo").await;
    assert!(gateway.chat(&key, &question("echo")).await.content().contains("ping"));
    let row = state(&gateway, "echo.wasm", "serving").await;
    assert_eq!(row["providers"], serde_json::json!(["echo"]), "{row}");
    assert_eq!(row["digest"].as_str().map(str::len), Some(64), "{row}");
    let log = gateway.log();
    let line = log
        .lines()
        .find(|line| line.contains("echo") && line.contains("INFO"))
        .unwrap_or_else(|| panic!("no line about it: {log}"));
    assert!(line.contains(&row["digest"].as_str().unwrap()[..8]) || line.contains("digest"), "{line}");
}

#[tokio::test]
async fn a_component_that_is_written_slowly_in_place_is_loaded_when_it_is_complete() {
    let gateway = setup::bare().start().await;
    let key = gateway.key("app").await;
    let bytes = fs::read(component("echo")).unwrap();
    let mut file = fs::File::create(gateway.plugins_dir().join("echo.wasm")).unwrap();
    for part in bytes.chunks(bytes.len() / 4 + 1) {
        std::io::Write::write_all(&mut file, part).unwrap();
        tokio::task::yield_now().await;
    }
    drop(file);
    gateway.wait_for_model(&key, "echo").await;
}

#[tokio::test]
async fn garbage_over_a_good_component_changes_nothing_and_is_explained() {
    let (gateway, key) = setup::echo().await;
    let good = row(&gateway, "echo.wasm").await["digest"].clone();
    let whole = fs::read(component("echo")).unwrap();
    for bytes in [b"garbage".to_vec(), Vec::new(), whole[..whole.len() / 2].to_vec(), b"\0asm\x01\0\0\0".to_vec()] {
        place(&gateway, &bytes, "echo.wasm");
        let row = state(&gateway, "echo.wasm", "serving-last-good").await;
        assert!(row["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{row}");
        assert_eq!(row["digest"], good, "{row}");
        assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
        install(&gateway, "echo", "echo.wasm");
        state(&gateway, "echo.wasm", "serving").await;
    }
}

#[tokio::test]
async fn a_component_that_is_deleted_leaves_a_clear_error() {
    let setup = setup::vendor().await;
    fs::remove_file(setup.gateway.plugins_dir().join("openai.wasm")).unwrap();
    let gone = async || setup.ask().await.status != 200;
    eventually("the plugin is gone", FOLLOWS, gone).await;
    let message = expect::error(&setup.ask().await, expect::NO_CHANNEL);
    assert!(message.contains("compatible"), "it names what is missing: {message}");
    assert_eq!(row(&setup.gateway, "openai.wasm").await, Value::Null);
    install(&setup.gateway, "openai", "openai.wasm");
    eventually("it is back", FOLLOWS, async || setup.ask().await.status == 200).await;
}

#[tokio::test]
async fn an_open_stream_outlives_its_component() {
    let setup = setup::vendor().await;
    let gate = testkit::Gate::new();
    let answer = testkit::Answer::stream().data(&setup::text_chunk("one")).gate(&gate).data(&setup::text_chunk(" two"));
    setup.vendor.reply(answer.data(&setup::last_chunk()).done());
    let mut stream = setup.ask_stream().await;
    assert!(stream.next_data().await.is_some());
    fs::remove_file(setup.gateway.plugins_dir().join("openai.wasm")).unwrap();
    eventually("the plugin is gone", FOLLOWS, async || setup.ask().await.status != 200).await;
    gate.open();
    let rest = stream.collect().await;
    assert_eq!((rest.content().as_str(), rest.done), (" two", true));
}

#[tokio::test]
async fn a_second_file_with_the_same_provider_is_refused_by_name() {
    let (gateway, key) = setup::echo().await;
    install(&gateway, "echo", "another.wasm");
    let refused = state(&gateway, "another.wasm", "refused").await;
    let reason = refused["reason"].as_str().unwrap_or_default();
    assert!(reason.contains("echo") && reason.contains("echo.wasm"), "{reason}");
    assert_eq!(row(&gateway, "echo.wasm").await["state"], "serving");
    assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
    fs::remove_file(gateway.plugins_dir().join("echo.wasm")).unwrap();
    state(&gateway, "another.wasm", "serving").await;
    eventually("the second one serves", FOLLOWS, async || gateway.chat(&key, &question("echo")).await.status == 200)
        .await;
}

#[tokio::test]
async fn a_forbidden_import_is_refused_by_its_name() {
    let gateway = setup::bare().start().await;
    place(&gateway, &importing("evil:host/shell@1.0.0"), "evil.wasm");
    let refused = state(&gateway, "evil.wasm", "refused").await;
    assert!(refused["reason"].as_str().is_some_and(|reason| reason.contains("evil:host/shell@1.0.0")), "{refused}");
    let file = gateway.work_dir().join("evil.wasm");
    fs::write(&file, importing("wasi:http/outgoing-handler@0.2.3")).unwrap();
    let said = gateway.cli(&["plugin", "check", file.to_str().unwrap()]).await.failed();
    assert!(said.contains("wasi:http/outgoing-handler@0.2.3"), "{said}");
}

#[tokio::test]
async fn files_that_are_no_components_are_left_alone() {
    let (gateway, key) = setup::echo().await;
    for name in ["README.md", "echo.wasm.part", ".hidden.wasm", "module.cwasm"] {
        fs::write(gateway.plugins_dir().join(name), "text").unwrap();
    }
    fs::create_dir(gateway.plugins_dir().join("directory.wasm")).unwrap();
    install(&gateway, "openai", "openai.wasm");
    state(&gateway, "openai.wasm", "serving").await;
    for name in ["README.md", "echo.wasm.part", "module.cwasm"] {
        assert_eq!(row(&gateway, name).await, Value::Null, "{name}");
    }
    assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
}

#[tokio::test]
async fn a_plugins_directory_elsewhere_is_watched_too() {
    let elsewhere = tempfile::tempdir().unwrap();
    let path: &Path = elsewhere.path();
    let gateway = setup::bare().args(&["--plugins-dir", path.to_str().unwrap()]).default_plugins_dir().start().await;
    let key = gateway.key("app").await;
    fs::copy(component("echo"), path.join("echo.wasm")).unwrap();
    gateway.wait_for_model(&key, "echo").await;
}

#[tokio::test]
async fn the_command_line_agrees_with_a_server_that_serves_the_last_good_build() {
    let setup = setup::vendor().await;
    let gateway = &setup.gateway;
    place(gateway, b"garbage", "openai.wasm");
    state(gateway, "openai.wasm", "serving-last-good").await;
    let doctor = gateway.cli(&["doctor"]).await.failed();
    assert!(doctor.contains("the file is refused") && doctor.contains("serves the last good build"), "{doctor}");
    assert!(!doctor.contains("no plugin offers"), "{doctor}");
    let said =
        gateway.cli(&["channel", "add", "--name", "x", "--provider", "openai", "--secret", "key=k"]).await.failed();
    assert!(said.contains("does not load") && !said.contains("another directory"), "{said}");
}

#[tokio::test]
async fn a_plugins_directory_that_is_named_must_be_there() {
    let gateway = setup::bare().prepare();
    let said = gateway.cli(&["serve", "--listen", "127.0.0.1:0", "--plugins-dir", "no-such-dir"]).await.failed();
    assert!(said.contains("no-such-dir") && said.contains("plugins.dir"), "{said}");
}

/// The smallest component that imports an empty instance under this name, byte by byte.
fn importing(name: &str) -> Vec<u8> {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    // Section 7, types: one, an instance without members.
    component.extend([7, 3, 1, 0x42, 0]);
    let length = u8::try_from(name.len()).unwrap();
    // Section 10, imports: one, by plain name, an instance of type 0.
    component.extend([10, length + 5, 1, 0, length]);
    component.extend(name.as_bytes());
    component.extend([5, 0]);
    component
}
