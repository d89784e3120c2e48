//! Measures the plugin boundary by itself: opening, starting and dropping a guest, one event, loading from nothing and from the cache.
//!
//! `cargo run --release -p plugin-runtime --example boundary [COMPONENT PROVIDER MODEL MESSAGE]`; without arguments it takes the probe. MESSAGE
//! is what the guest is told with every event.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program that prints what it measured")]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use plugin_runtime::{
    Adapter, Runtime, RuntimeOptions, check_file, load_dir,
    machine::{Call, Event, Message, Payload},
    watch_dir,
};

const ROUNDS: usize = 20_000;
const EVENTS: usize = 20;
const MESSAGE: &str = r#"{"id":"x","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../target/plugins-test/probe.wasm"),
        PathBuf::from,
    );
    let provider = arguments.next().unwrap_or_else(|| "probe".to_owned());
    let model = arguments.next().unwrap_or_else(|| "hello".to_owned());
    let message = arguments.next().unwrap_or_else(|| MESSAGE.to_owned());
    let cache = tempfile::tempdir().expect("a directory");
    for (name, instances) in [("pooled", 4_000), ("on demand", 1_000_000)] {
        let mut options = RuntimeOptions::new(cache.path());
        options.instances = instances;
        let began = Instant::now();
        let runtime = Runtime::new(options).expect("a runtime");
        println!("{name}: runtime {:.1} ms (pool: {})", millis(began.elapsed()), runtime.pooled());
        for what in ["first load", "load again"] {
            let began = Instant::now();
            check_file(&runtime, &file).await.expect("the component loads");
            println!("  {what} {:.1} ms", millis(began.elapsed()));
        }
        let adapters = check_file(&runtime, &file).await.expect("the component loads").adapters;
        let found = adapters.into_iter().find(|adapter| adapter.provider().id == provider);
        measure(&found.expect("the component offers the provider"), &model, &message).await;
    }
    swap().await;
}

/// From a newer build of the probe being in place to it serving, compiled from nothing.
async fn swap() {
    let probes = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../target/plugins-test");
    let (cache, dir) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    std::fs::copy(probes.join("probe.wasm"), dir.path().join("probe.wasm")).expect("the probe is built");
    let runtime = Runtime::new(RuntimeOptions::new(cache.path())).expect("a runtime");
    let registry = load_dir(&runtime, dir.path()).await;
    watch_dir(runtime, dir.path().to_owned(), registry.clone(), std::future::pending());
    // The watcher has its notifications once it has seen something.
    std::fs::write(dir.path().join("z.wasm"), "x").expect("written");
    while registry.plugins().len() < 2 {
        registry.changed().await;
    }
    let began = Instant::now();
    std::fs::copy(probes.join("probe-two.wasm"), dir.path().join("probe.wasm")).expect("the probe is built");
    while registry.provider("probe").is_none_or(|adapter| adapter.version() != "2.0.0") {
        registry.changed().await;
    }
    println!("swap, compiled from nothing: {:.0} ms", millis(began.elapsed()));
}

async fn measure(adapter: &Adapter, model: &str, message: &str) {
    let mut times: [Vec<Duration>; 5] = Default::default();
    for _ in 0..ROUNDS {
        let call = call(adapter, model);
        let began = Instant::now();
        let mut guest = adapter.open("chat", call, BTreeMap::new()).await.expect("it opens");
        let opened = Instant::now();
        guest.step(0, vec![Event::Start]).await.expect("it starts");
        let started = Instant::now();
        let events: Vec<Event> = (0..EVENTS).map(|_| told(message)).collect();
        for event in events {
            guest.step(0, vec![event]).await.expect("it goes on");
        }
        let stepped = Instant::now();
        drop(guest);
        let dropped = Instant::now();
        times[0].push(opened - began);
        times[1].push(started - opened);
        times[2].push((stepped - started) / u32::try_from(EVENTS).expect("a small number"));
        times[3].push(dropped - stepped);
        times[4].push((started - began) + (dropped - stepped));
    }
    for (name, times) in ["open", "start", "event", "drop", "open+start+drop"].iter().zip(&mut times) {
        times.sort();
        let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e6;
        println!("  {name:16} p50 {:6.2} µs   p99 {:6.2} µs", at(50), at(99));
    }
}

fn told(message: &str) -> Event {
    let (name, data) = (String::new(), message.to_owned());
    Event::Message(Message { id: 1, name, headers: Vec::new(), data, extras: Vec::new() })
}

fn call(adapter: &Adapter, model: &str) -> Call {
    let body =
        r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"Say something about the weather."}]}"#;
    Call {
        operation: "chat".to_owned(),
        provider: adapter.provider().id.clone(),
        model: model.to_owned(),
        streaming: true,
        settings: adapter.check_settings("{}").unwrap_or_else(|_| "{}".to_owned()),
        secrets: vec!["key".to_owned()],
        key_parts: Vec::new(),
        endpoints: Vec::new(),
        dialect: "openai".to_owned(),
        headers: Vec::new(),
        now: 1_800_000_000,
        seed: "00112233445566778899aabbccddeeff".to_owned(),
        body: Payload::Text(body.to_owned()),
        resume: None,
        extras: Vec::new(),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
