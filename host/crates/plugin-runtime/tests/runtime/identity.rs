//! Who offers a provider: the file that came first keeps it, whoever else wants it is told whose it is.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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

/// Looks without a pause whether somebody serves the probe; ends with whether that was always so.
struct Lookout {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<bool>,
}

impl Lookout {
    fn on(followed: &Followed) -> Lookout {
        let (stop, registry) = (Arc::new(AtomicBool::new(false)), followed.registry.clone());
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut always = true;
            while !stopped.load(Ordering::Relaxed) {
                always &= registry.provider("probe").is_some();
                std::thread::yield_now();
            }
            always
        });
        Lookout { stop, thread }
    }

    fn always_served(self) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

async fn until_file(followed: &Followed, file: &str) {
    until(&followed.registry, &format!("{file} serves alone"), |registry| {
        registry.provider("probe").is_some_and(|adapter| adapter.file() == file) && registry.plugins().len() == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loaded_rival_takes_over_in_the_change_that_removes_its_holder() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    put(&probe("probe-two.wasm"), followed.dir.path(), "probe-0.2.wasm");
    followed.until_state("probe-0.2.wasm", PluginState::Refused).await;
    let (lookout, before) = (Lookout::on(&followed), followed.registry.generation());
    fs::remove_file(followed.dir.path().join("probe.wasm")).unwrap();
    until_file(&followed, "probe-0.2.wasm").await;
    assert!(lookout.always_served(), "the provider was missing in between");
    assert_eq!(followed.registry.generation(), before + 1);
    let shown = status(&followed.registry, "probe-0.2.wasm").unwrap();
    assert_eq!((shown.state, shown.reason.as_str(), shown.version.as_str()), (PluginState::Serving, "", "2.0.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rival_that_still_loads_takes_over_before_its_holder_is_dropped() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    let lookout = Lookout::on(&followed);
    put(&probe("probe-two.wasm"), followed.dir.path(), "probe-0.2.wasm");
    fs::remove_file(followed.dir.path().join("probe.wasm")).unwrap();
    until_file(&followed, "probe-0.2.wasm").await;
    fs::rename(followed.dir.path().join("probe-0.2.wasm"), followed.dir.path().join("renamed.wasm")).unwrap();
    until_file(&followed, "renamed.wasm").await;
    assert!(lookout.always_served(), "the provider was missing in between");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rival_that_goes_together_with_its_holder_takes_nothing_over() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    put(&probe("probe-two.wasm"), followed.dir.path(), "probe-0.2.wasm");
    followed.until_state("probe-0.2.wasm", PluginState::Refused).await;
    fs::remove_file(followed.dir.path().join("probe.wasm")).unwrap();
    fs::remove_file(followed.dir.path().join("probe-0.2.wasm")).unwrap();
    let registry = &followed.registry;
    loop {
        let generation = registry.generation();
        assert!(registry.provider("probe").is_none_or(|adapter| adapter.file() == "probe.wasm"));
        if registry.plugins().is_empty() {
            break;
        }
        registry.changed_since(generation).await;
    }
}
