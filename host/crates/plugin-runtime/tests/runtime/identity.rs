//! Who offers a provider: the file that came first keeps it, whoever else wants it is told whose it is.

use std::fs;

use plugin_runtime::{PluginState, load_dir};

use crate::{
    follow::Followed,
    stage::{Stage, plugin, probe, put, status, until},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_load_takes_files_in_the_order_of_their_names() {
    let (stage, dir) = (Stage::new(), tempfile::tempdir().unwrap());
    put(&probe("probe-two.wasm"), dir.path(), "b.wasm");
    put(&probe("probe.wasm"), dir.path(), "a.wasm");
    put(&plugin("echo.wasm"), dir.path(), "echo.wasm");
    let registry = load_dir(&stage.runtime, dir.path()).await;
    let adapter = registry.provider("probe").unwrap();
    assert_eq!((adapter.file(), adapter.version()), ("a.wasm", "1.0.0"));
    let refused = status(&registry, "b.wasm").unwrap();
    assert_eq!(refused.state, PluginState::Refused);
    assert!(refused.reason.contains("`probe`") && refused.reason.contains("a.wasm"), "{}", refused.reason);
    assert_eq!(status(&registry, "echo.wasm").unwrap().state, PluginState::Serving);
    assert_eq!(registry.plugins().len(), 3);
    assert_eq!(registry.adapters().iter().filter(|adapter| adapter.file() == "b.wasm").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_refused_for_anothers_provider_serves_when_that_one_goes() {
    let followed = Followed::new(&[("b.wasm", &probe("probe.wasm"))]).await;
    // Earlier by name, but later in time.
    put(&probe("probe-two.wasm"), followed.dir.path(), "a.wasm");
    followed.until_state("a.wasm", PluginState::Refused).await;
    assert_eq!(followed.registry.provider("probe").unwrap().file(), "b.wasm");
    fs::remove_file(followed.dir.path().join("b.wasm")).unwrap();
    until(&followed.registry, "a.wasm serves", |registry| {
        registry.provider("probe").is_some_and(|adapter| adapter.file() == "a.wasm")
    })
    .await;
    assert_eq!(status(&followed.registry, "a.wasm").unwrap().state, PluginState::Serving);
    assert_eq!(followed.registry.plugins().len(), 1);
}
