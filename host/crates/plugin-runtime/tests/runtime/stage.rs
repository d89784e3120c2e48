//! What the tests stand on: a runtime with a small pool, the built components, calls, directories.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use plugin_runtime::{
    Adapter, Guest, PluginStatus, Registry, Runtime, RuntimeOptions, check_file,
    machine::{Call, Effect, Event, Payload},
};

pub(crate) const NOW: u32 = 1_800_000_000;

/// A runtime. Compiled code is kept between tests and runs, as a gateway keeps it between starts.
pub(crate) struct Stage {
    pub(crate) runtime: Runtime,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        Stage::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut RuntimeOptions)) -> Stage {
        let mut options = RuntimeOptions::new(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
        options.instances = 16;
        change(&mut options);
        Stage { runtime: Runtime::new(options).unwrap() }
    }

    /// The probe's adapter.
    pub(crate) async fn probe(&self) -> Arc<Adapter> {
        check_file(&self.runtime, &probe("probe.wasm")).await.unwrap().adapters.remove(0)
    }
}

/// A component that `cargo xtask plugins` built for tests.
pub(crate) fn probe(file: &str) -> PathBuf {
    built("WITGATE_TEST_PLUGINS", "target/plugins-test", file)
}

/// A component that ships.
pub(crate) fn plugin(file: &str) -> PathBuf {
    built("WITGATE_PLUGINS", "target/plugins", file)
}

fn built(variable: &str, default: &str, file: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let dir = std::env::var_os(variable).map_or_else(|| root.join(default), PathBuf::from);
    let path = dir.join(file);
    assert!(path.exists(), "{} is missing; build it with `cargo xtask plugins` (or set {variable})", path.display());
    path
}

pub(crate) fn call(model: &str) -> Call {
    Call {
        operation: "chat".to_owned(),
        provider: "probe".to_owned(),
        model: model.to_owned(),
        streaming: false,
        settings: "{}".to_owned(),
        secrets: Vec::new(),
        key_parts: Vec::new(),
        endpoints: Vec::new(),
        dialect: "openai".to_owned(),
        headers: Vec::new(),
        now: NOW,
        seed: "00112233445566778899aabbccddeeff".to_owned(),
        body: Payload::Text("{}".to_owned()),
        resume: None,
        extras: Vec::new(),
    }
}

pub(crate) async fn open(adapter: &Adapter, model: &str) -> Result<Guest, domain::Fault> {
    adapter.open("chat", call(model), BTreeMap::new()).await
}

/// Opens an exchange, starts it and returns what it emitted first, or the fault.
pub(crate) async fn ask(adapter: &Adapter, model: &str) -> Result<String, domain::Fault> {
    let mut guest = open(adapter, model).await?;
    start(&mut guest).await
}

pub(crate) async fn start(guest: &mut Guest) -> Result<String, domain::Fault> {
    Ok(emitted(&guest.step(NOW, vec![Event::Start]).await?))
}

pub(crate) fn emitted(effects: &[Effect]) -> String {
    let Some(Effect::Emit(text)) = effects.first() else { panic!("nothing was emitted: {effects:?}") };
    text.clone()
}

/// Puts a file where it is seen whole or not at all.
pub(crate) fn put(from: &Path, dir: &Path, name: &str) {
    let hidden = dir.join(format!(".{name}.new"));
    fs::copy(from, &hidden).unwrap();
    fs::rename(hidden, dir.join(name)).unwrap();
}

pub(crate) fn status(registry: &Registry, file: &str) -> Option<PluginStatus> {
    registry.plugins().into_iter().find(|status| status.file == file)
}

/// Waits until the registry looks as expected.
pub(crate) async fn until(registry: &Registry, what: &str, expected: impl Fn(&Registry) -> bool) {
    let wait = async {
        loop {
            let generation = registry.generation();
            if expected(registry) {
                return;
            }
            registry.changed_since(generation).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(waited.is_ok(), "waited in vain until {what}: {:?}", registry.plugins());
}
