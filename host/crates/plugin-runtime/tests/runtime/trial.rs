//! A build that carries its own fixtures serves only when they pass.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use plugin_runtime::{Adapter, FIXTURES_SECTION, PluginState, RuntimeOptions, Trial, check_file, load_dir, watch_dir};

use crate::stage::{Stage, open, probe, status, until};

/// Writes down what it was given, and passes or not as it is told.
#[derive(Default)]
struct Recorded {
    fails: AtomicBool,
    hangs: AtomicBool,
    seen: Mutex<Vec<(String, String)>>,
}

#[async_trait::async_trait]
impl Trial for Recorded {
    async fn run(&self, adapters: &[Arc<Adapter>], fixtures: &[u8]) -> Result<(), String> {
        let ids = adapters.iter().map(|adapter| adapter.provider().id.clone()).collect();
        self.seen.lock().unwrap().push((ids, String::from_utf8_lossy(fixtures).into_owned()));
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::Relaxed) { Err("case `plain`: the answer differs".to_owned()) } else { Ok(()) }
    }
}

fn with_trial(trial: &Arc<Recorded>) -> impl FnOnce(&mut RuntimeOptions) {
    let trial = trial.clone();
    move |options| {
        options.trial = Some(trial);
        options.trial_wall = Duration::from_millis(200);
    }
}

/// Writes a component with fixtures packed into it.
fn packed(from: &Path, fixtures: &str, to: &Path) {
    let mut wasm = fs::read(from).unwrap();
    let content = [&[u8::try_from(FIXTURES_SECTION.len()).unwrap()], FIXTURES_SECTION.as_bytes(), fixtures.as_bytes()];
    let content = content.concat();
    assert!(content.len() < 128, "the length is one byte");
    wasm.extend([0, u8::try_from(content.len()).unwrap()]);
    wasm.extend(content);
    let hidden = to.with_extension("new");
    fs::write(&hidden, wasm).unwrap();
    fs::rename(hidden, to).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fails_its_own_fixtures_leaves_the_last_good_one() {
    let (trial, dir) = (Arc::<Recorded>::default(), tempfile::tempdir().unwrap());
    let stage = Stage::with(with_trial(&trial));
    let file = dir.path().join("probe.wasm");
    packed(&probe("probe.wasm"), "first", &file);
    let registry = load_dir(&stage.runtime, dir.path()).await;
    assert_eq!(status(&registry, "probe.wasm").unwrap().state, PluginState::Serving);
    assert_eq!(*trial.seen.lock().unwrap(), [("probe".to_owned(), "first".to_owned())]);

    trial.fails.store(true, Ordering::Relaxed);
    let watched = (stage.runtime.clone(), dir.path().to_owned(), registry.clone());
    watch_dir(watched.0, watched.1, watched.2, std::future::pending());
    packed(&probe("probe-two.wasm"), "second", &file);
    until(&registry, "the second build is judged", |registry| {
        status(registry, "probe.wasm").unwrap().state == PluginState::ServingLastGood
    })
    .await;
    let refused = status(&registry, "probe.wasm").unwrap();
    assert_eq!(refused.reason, "its own fixtures failed: case `plain`: the answer differs");
    assert_eq!(registry.provider("probe").unwrap().version(), "1.0.0");

    trial.fails.store(false, Ordering::Relaxed);
    packed(&probe("probe-two.wasm"), "third", &file);
    until(&registry, "a build that passes serves", |registry| {
        registry.provider("probe").is_some_and(|adapter| adapter.version() == "2.0.0")
    })
    .await;
}

#[tokio::test]
async fn a_check_runs_them_too_and_says_how_large_they_are() {
    let (trial, dir) = (Arc::<Recorded>::default(), tempfile::tempdir().unwrap());
    let stage = Stage::with(with_trial(&trial));
    let file = dir.path().join("probe.wasm");
    packed(&probe("probe.wasm"), "12345", &file);
    assert_eq!(check_file(&stage.runtime, &file).await.unwrap().fixtures, Some(5));

    trial.hangs.store(true, Ordering::Relaxed);
    let error = check_file(&stage.runtime, &file).await.unwrap_err().to_string();
    assert!(error.contains("longer than 200 ms"), "{error}");

    // Without fixtures there is nothing to run; without a trial nobody to run them.
    assert_eq!(check_file(&stage.runtime, &probe("probe.wasm")).await.unwrap().fixtures, None);
    assert_eq!(check_file(&Stage::new().runtime, &file).await.unwrap().fixtures, Some(5));
}

/// Makes the guest panic, and says what the operator would be told.
struct Panics;

#[async_trait::async_trait]
impl Trial for Panics {
    async fn run(&self, adapters: &[Arc<Adapter>], _fixtures: &[u8]) -> Result<(), String> {
        let fault = open(&adapters[0], "panic-in-constructor").await.unwrap_err();
        Err(fault.detail.unwrap_or_default())
    }
}

#[tokio::test]
async fn the_text_of_a_panic_is_told_in_the_trial_and_while_the_log_is_on() {
    const SAID: &str = "the constructor of the probe panicked";
    let dir = tempfile::tempdir().unwrap();
    let stage = Stage::with(|options| options.trial = Some(Arc::new(Panics)));
    let file = dir.path().join("probe.wasm");
    packed(&probe("probe.wasm"), "12345", &file);
    let error = check_file(&stage.runtime, &file).await.unwrap_err().to_string();
    assert!(error.contains(SAID), "{error}");

    let adapter = stage.probe().await;
    for (on, told) in [(false, false), (true, true), (false, false)] {
        adapter.keep_log(on);
        let detail = open(&adapter, "panic-in-constructor").await.unwrap_err().detail.unwrap_or_default();
        assert_eq!(detail.contains(SAID), told, "log on: {on}: {detail}");
    }
}
