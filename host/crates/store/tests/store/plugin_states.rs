//! What the server publishes is what the command line reads.

use store::PluginState;

use crate::{open, opening::tamper};

fn state(file: &str, models: u32) -> PluginState {
    PluginState {
        file: file.to_owned(),
        providers: vec!["vendor".to_owned(), "vendor-2".to_owned()],
        version: "1.0.0".to_owned(),
        digest: "cd".repeat(32),
        models,
        state: "serving-last-good".to_owned(),
        reason: "the new file is no component".to_owned(),
        changed_ms: 1_700_000_000_000,
    }
}

#[tokio::test]
async fn a_list_replaces_the_one_before() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()).await, open(dir.path()).await);
    assert!(command.plugin_states().await.unwrap().is_empty());
    let first = vec![state("b.wasm", u32::MAX), state("a.wasm", 0)];
    server.publish_plugins(&first).await.unwrap();
    assert_eq!(command.plugin_states().await.unwrap(), first);
    server.publish_plugins(&first[1..]).await.unwrap();
    assert_eq!(command.plugin_states().await.unwrap(), first[1..]);
    server.close().await;
    command.close().await;
}

#[tokio::test]
async fn a_server_is_alive_from_its_first_beat_to_its_close() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()).await, open(dir.path()).await);
    assert_eq!(command.server_alive().await.unwrap(), None);
    server.heartbeat("127.0.0.1:3000").await.unwrap();
    server.heartbeat("127.0.0.1:3001").await.unwrap();
    assert_eq!(command.server_alive().await.unwrap().as_deref(), Some("127.0.0.1:3001"));
    tamper(dir.path(), "UPDATE server_beats SET beat_ms = beat_ms - 10001").await;
    assert_eq!(command.server_alive().await.unwrap(), None, "a beat gets old");
    server.heartbeat("127.0.0.1:3000").await.unwrap();
    server.close().await;
    assert_eq!(command.server_alive().await.unwrap(), None);
    command.close().await;
}
