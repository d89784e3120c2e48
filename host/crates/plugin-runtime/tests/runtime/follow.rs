//! A directory of plugins is followed: new, changed, broken, restored and deleted files, under load.

use std::{
    fs,
    io::Write,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use plugin_runtime::{PluginState, Registry, load_dir, watch_dir};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::stage::{Stage, ask, open, probe, put, start, status, until};

/// A followed directory.
pub(crate) struct Followed {
    pub(crate) dir: TempDir,
    pub(crate) registry: Registry,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Followed {
    pub(crate) async fn new(files: &[(&str, &Path)]) -> Followed {
        let stage = Stage::new();
        let dir = tempfile::tempdir().unwrap();
        for (name, from) in files {
            put(from, dir.path(), name);
        }
        let registry = load_dir(&stage.runtime, dir.path()).await;
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let task = watch_dir(stage.runtime, dir.path().to_owned(), registry.clone(), stopped);
        Followed { dir, registry, stop, task }
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    pub(crate) async fn until_state(&self, file: &str, state: PluginState) {
        until(&self.registry, &format!("{file} is {state:?}"), |registry| {
            status(registry, file).is_some_and(|status| status.state == state)
        })
        .await;
    }

    pub(crate) async fn until_version(&self, version: &str) {
        until(&self.registry, &format!("version {version} serves"), |registry| {
            registry.provider("probe").is_some_and(|adapter| adapter.version() == version)
        })
        .await;
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_serves_and_a_newer_build_takes_over_while_streams_finish_on_the_old_one() {
    let followed = Followed::new(&[]).await;
    assert!(followed.registry.plugins().is_empty());
    put(&probe("probe.wasm"), followed.dir.path(), "probe.wasm");
    followed.until_version("1.0.0").await;
    let shown = status(&followed.registry, "probe.wasm").unwrap();
    assert_eq!((shown.state, shown.models, shown.reason.as_str()), (PluginState::Serving, 2, ""));
    assert_eq!(shown.providers, ["probe"]);

    let old = followed.registry.provider("probe").unwrap();
    let mut stream = open(&old, "hello").await.unwrap();
    assert!(start(&mut stream).await.unwrap().starts_with("the first edition"));
    put(&probe("probe-two.wasm"), followed.dir.path(), "probe.wasm");
    followed.until_version("2.0.0").await;
    let new = followed.registry.provider("probe").unwrap();
    assert_ne!(new.digest(), old.digest());
    assert!(ask(&new, "hello").await.unwrap().starts_with("the second edition"));
    assert!(start(&mut stream).await.unwrap().starts_with("the first edition"));
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_leaves_the_good_version_and_says_why_until_the_file_is_good_again() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    followed.write("probe.wasm", b"this is not WebAssembly");
    followed.until_state("probe.wasm", PluginState::ServingLastGood).await;
    let shown = status(&followed.registry, "probe.wasm").unwrap();
    assert!(shown.reason.contains("not a WebAssembly component"), "{}", shown.reason);
    assert_eq!(shown.version, "1.0.0");
    assert!(ask(&followed.registry.provider("probe").unwrap(), "hello").await.is_ok());

    // Cut off in the middle, and with a body that does not compile.
    let good = fs::read(probe("probe.wasm")).unwrap();
    followed.write("probe.wasm", &good[..good.len() / 2]);
    until(&followed.registry, "the cut file is judged", |registry| {
        status(registry, "probe.wasm").is_some_and(|s| s.reason != shown.reason)
    })
    .await;
    assert_eq!(status(&followed.registry, "probe.wasm").unwrap().state, PluginState::ServingLastGood);

    followed.write("probe.wasm", &good);
    followed.until_state("probe.wasm", PluginState::Serving).await;
    assert_eq!(status(&followed.registry, "probe.wasm").unwrap().reason, "");
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_never_worked_is_refused_with_its_reason() {
    let importing = wat::parse_str(
        r#"(component (import "wasi:http/outgoing-handler@0.2.3" (instance)) (instance $c)
             (export "witgate:adapter/catalog@0.2.0" (instance $c)))"#,
    );
    let newer = wat::parse_str(r#"(component (instance $c) (export "witgate:adapter/catalog@0.3.0" (instance $c)))"#);
    // A patch version that this host has not heard of is taken as the generation that it is of.
    let hollow = wat::parse_str(r#"(component (instance $c) (export "witgate:adapter/catalog@0.2.7" (instance $c)))"#);
    let followed = Followed::new(&[]).await;
    for (name, bytes, expected) in [
        ("empty.wasm", Vec::new(), "not a WebAssembly component"),
        ("module.wasm", wat::parse_str("(module)").unwrap(), "core module"),
        ("http.wasm", importing.unwrap(), "wasi:http/outgoing-handler@0.2.3"),
        (
            "newer.wasm",
            newer.unwrap(),
            "built for adapter contract 0.3.0, this host serves 0.2.x and 0.1.x: update the host",
        ),
        ("hollow.wasm", hollow.unwrap(), "providers"),
    ] {
        followed.write(name, &bytes);
        followed.until_state(name, PluginState::Refused).await;
        let shown = status(&followed.registry, name).unwrap();
        assert!(shown.reason.contains(expected), "{name}: {}", shown.reason);
        assert!(shown.providers.is_empty());
    }
    followed.write("code.cwasm", b"compiled code is never taken from here");
    followed.write(".hidden.wasm", b"neither are hidden files");
    followed.write("last.wasm", b"x");
    followed.until_state("last.wasm", PluginState::Refused).await;
    assert_eq!(followed.registry.plugins().len(), 6);
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_file_stops_serving_and_its_streams_finish() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    let adapter = followed.registry.provider("probe").unwrap();
    let mut stream = open(&adapter, "hello").await.unwrap();
    drop(adapter);
    fs::remove_file(followed.dir.path().join("probe.wasm")).unwrap();
    until(&followed.registry, "nothing serves", |registry| registry.provider("probe").is_none()).await;
    assert!(followed.registry.plugins().is_empty());
    assert!(start(&mut stream).await.is_ok());
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_bytes_again_are_no_change() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    let before = followed.registry.generation();
    let adapter = followed.registry.provider("probe").unwrap();
    put(&probe("probe.wasm"), followed.dir.path(), "probe.wasm");
    // What is written after it is seen after it.
    followed.write("z.wasm", b"x");
    followed.until_state("z.wasm", PluginState::Refused).await;
    assert!(Arc::ptr_eq(&adapter, &followed.registry.provider("probe").unwrap()));
    // One change for `z.wasm` being loaded, one for its refusal.
    assert_eq!(followed.registry.generation(), before + 2);
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_still_being_copied_is_not_judged() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    let bytes = fs::read(probe("probe-two.wasm")).unwrap();
    let mut file = fs::File::create(followed.dir.path().join("probe.wasm")).unwrap();
    let mut pace = tokio::time::interval(Duration::from_millis(30));
    for chunk in bytes.chunks(bytes.len() / 20 + 1) {
        pace.tick().await;
        file.write_all(chunk).unwrap();
        let shown = status(&followed.registry, "probe.wasm").unwrap();
        assert_eq!((shown.state, shown.version.as_str()), (PluginState::Serving, "1.0.0"), "{}", shown.reason);
    }
    followed.until_version("2.0.0").await;
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_exchange_fails_while_versions_are_swapped() {
    let followed = Followed::new(&[("probe.wasm", &probe("probe.wasm"))]).await;
    let (done, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let load = {
        let (done, served, registry) = (done.clone(), served.clone(), followed.registry.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let adapter = registry.provider("probe").expect("it always serves");
                let said = ask(&adapter, "hello").await.expect("no exchange fails");
                assert!(said.contains(adapter.version()), "{said}");
                served.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    for round in 0..10 {
        let (file, version) = if round % 2 == 0 { ("probe-two.wasm", "2.0.0") } else { ("probe.wasm", "1.0.0") };
        put(&probe(file), followed.dir.path(), "probe.wasm");
        followed.until_version(version).await;
    }
    done.store(true, Ordering::Relaxed);
    load.await.unwrap();
    assert!(served.load(Ordering::Relaxed) > 100, "{served:?} exchanges ran meanwhile");
    followed.end().await;
}
