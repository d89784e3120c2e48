//! Components of every released contract, kept and run for ever: what was built once goes on working. The same exchanges run through the
//! build of today.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::Secret;
use plugin_runtime::{
    Adapter, Capability, Guest, check_file,
    machine::{Call, Effect, Event, Head, Message, Payload, Piece, Request},
};
use serde_json::{Value, json};

use crate::stage::{NOW, Stage, call, probe};

/// The released contracts that are served.
const RELEASED: [&str; 2] = ["0.1.0", "0.2.0"];

fn sample(contract: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit/frozen").join(contract).join("sample.wasm")
}

/// The sample of every released contract, and its build of today.
async fn hellos(stage: &Stage) -> Vec<Arc<Adapter>> {
    let mut adapters = Vec::new();
    for file in RELEASED.map(sample).into_iter().chain([probe("hello.wasm")]) {
        adapters.extend(check_file(&stage.runtime, &file).await.unwrap().adapters);
    }
    assert_eq!(adapters.len(), RELEASED.len() + 1);
    adapters
}

async fn open(adapter: &Arc<Adapter>, streaming: bool) -> Guest {
    let body = json!({"model": "m", "stream": streaming, "temperature": 0.5, "messages": [{"role": "user", "content": "Say hi."}]});
    let secrets = vec!["key".to_owned()];
    let call = Call {
        provider: "hello".to_owned(),
        streaming,
        secrets,
        body: Payload::Text(body.to_string()),
        ..call("hello-1")
    };
    adapter.open("chat", call, BTreeMap::from([("key".to_owned(), Secret::new("canary-4711"))])).await.unwrap()
}

/// The first step: what it reported as lost, and what it sent.
async fn sent(guest: &mut Guest) -> Request {
    let mut effects = guest.step(NOW, vec![Event::Start]).await.unwrap();
    assert_eq!(effects.len(), 2, "{effects:?}");
    let Effect::Send(request) = effects.remove(1) else { panic!("{effects:?}") };
    let Effect::Loss(lost) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!(lost.field, "temperature");
    request
}

fn head(status: u16, framing: &str) -> Event {
    Event::Head(Head { id: 1, status, headers: Vec::new(), framing: framing.to_owned(), extras: Vec::new() })
}

fn message(data: &Value) -> Event {
    let data = data.to_string();
    Event::Message(Message { id: 1, name: String::new(), headers: Vec::new(), data, extras: Vec::new() })
}

fn emitted(effects: &[Effect]) -> Vec<Value> {
    let emits = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(text) => Some(serde_json::from_str(text).unwrap()),
        _ => None,
    });
    emits.collect()
}

/// What was counted and why it ended.
fn ended(effects: &[Effect]) -> (Vec<(&str, u32)>, &str) {
    let amounts = effects.iter().find_map(|effect| match effect {
        Effect::Usage(usage) => {
            Some(usage.amounts.iter().map(|amount| (amount.class.as_str(), amount.count)).collect())
        }
        _ => None,
    });
    let reason = effects.iter().find_map(|effect| match effect {
        Effect::Finish(reason) => Some(reason.as_str()),
        _ => None,
    });
    (amounts.unwrap(), reason.unwrap())
}

#[tokio::test]
async fn a_component_of_contract_0_1_is_told_apart() {
    let report = check_file(&Stage::new().runtime, &sample("0.1.0")).await.unwrap();
    assert_eq!(report.contract, "0.1.0");
    assert!(report.exports.iter().any(|name| name == "witgate:adapter/chat@0.1.0"), "{:?}", report.exports);
    assert!(report.imports.iter().any(|name| name == "witgate:adapter/machine@0.1.0"), "{:?}", report.imports);
    assert!(report.core_modules > 0 && report.core_bytes > 10_000 && report.core_bytes < report.bytes);
    assert!(report.memory_minimum >= 1 << 16);
    assert_eq!((report.fixtures, report.providers.len()), (None, 1));
    let asks = &report.providers[0];
    assert_eq!(asks.id, "hello");
    assert_eq!(asks.endpoints, [("api".to_owned(), "https://api.hello.example/v1".to_owned())]);
    assert_eq!(asks.secrets, [("key".to_owned(), true)]);
    assert_eq!(asks.placements.len(), 1);
    assert!(asks.grants.is_empty() && asks.settings.is_empty());
    let adapter = &report.adapters[0];
    assert!(adapter.supports("chat") && adapter.offers(Capability::Chat));
    assert!(!adapter.supports("embeddings") && !adapter.offers(Capability::Embeddings) && !adapter.grants("access"));
}

#[tokio::test]
async fn every_released_component_streams() {
    let stage = Stage::new();
    for adapter in hellos(&stage).await {
        let mut guest = open(&adapter, true).await;
        let request = sent(&mut guest).await;
        assert_eq!(
            (request.method.as_str(), request.endpoint.as_str(), request.path.as_str()),
            ("POST", "api", "/say")
        );
        assert_eq!(request.framing, "ndjson");
        let field = request.headers.iter().find(|field| field.name == "authorization").unwrap();
        assert_eq!(field.value, [Piece::Text("Bearer ".to_owned()), Piece::Secret("key".to_owned())]);
        let Payload::Text(body) = &request.body else { panic!("{request:?}") };
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body, json!({"model": "hello-1", "prompt": "Say hi.", "stream": true}));

        assert!(guest.step(NOW, vec![head(200, "ndjson")]).await.unwrap().is_empty());
        let first = guest.step(NOW, vec![message(&json!({"part": "Hi"}))]).await.unwrap();
        assert_eq!(emitted(&first)[0]["choices"][0]["delta"], json!({"role": "assistant", "content": "Hi"}));
        let events = vec![message(&json!({"part": " you"})), message(&json!({"words_in": 2, "words_out": 3}))];
        let rest = guest.step(NOW, events).await.unwrap();
        let chunks = emitted(&rest);
        assert_eq!(chunks[0]["choices"][0]["delta"], json!({"content": " you"}));
        assert_eq!(chunks[1]["choices"][0]["finish_reason"], "stop");
        assert_eq!(ended(&rest), (vec![("input", 2), ("output", 3)], "stop"));
        guest.step(NOW, vec![Event::End(1)]).await.unwrap();
    }
}

#[tokio::test]
async fn every_released_component_answers_at_once() {
    let stage = Stage::new();
    for adapter in hellos(&stage).await {
        let mut guest = open(&adapter, false).await;
        assert_eq!(sent(&mut guest).await.framing, "text");
        let answer = json!({"text": "Hi you", "words_in": 2, "words_out": 3});
        let effects = guest.step(NOW, vec![head(200, "text"), message(&answer), Event::End(1)]).await.unwrap();
        assert_eq!(emitted(&effects)[0]["choices"][0]["message"]["content"], "Hi you");
        assert_eq!(ended(&effects), (vec![("input", 2), ("output", 3)], "stop"));
    }
}

#[tokio::test]
async fn every_released_component_says_what_went_wrong() {
    let stage = Stage::new();
    for adapter in hellos(&stage).await {
        let mut guest = open(&adapter, true).await;
        sent(&mut guest).await;
        let error = message(&json!({"error": "no such key"}));
        let effects = guest.step(NOW, vec![head(401, "text"), error, Event::End(1)]).await.unwrap();
        let Some(Effect::Fail(fault)) = effects.last() else { panic!("{effects:?}") };
        assert_eq!((fault.code.as_str(), fault.status), ("credential-dead", 401));
        assert!(fault.message.contains("no such key"), "{fault:?}");
        assert_eq!((fault.until, fault.param.clone()), (None, None));
    }
}

#[tokio::test]
async fn every_released_component_refuses_what_is_no_request() {
    let stage = Stage::new();
    for adapter in hellos(&stage).await {
        let call = Call { body: Payload::Text("not json".to_owned()), ..call("hello-1") };
        let mut guest = adapter.open("chat", call, BTreeMap::new()).await.unwrap();
        let effects = guest.step(NOW, vec![Event::Start]).await.unwrap();
        let [Effect::Fail(fault)] = &effects[..] else { panic!("{effects:?}") };
        assert_eq!(fault.code, "invalid-request");
    }
}

#[tokio::test]
async fn a_component_of_contract_0_1_is_held_to_the_limits_of_all() {
    let stage = Stage::with(|options| options.memory_max = 1 << 20);
    let refused = check_file(&stage.runtime, &sample("0.1.0")).await.unwrap_err().to_string();
    assert!(refused.contains("bytes of memory, the limit is 1048576"), "{refused}");
    let stage = Stage::with(|options| options.hostcall_bytes = 16);
    let refused = check_file(&stage.runtime, &sample("0.1.0")).await.unwrap_err().to_string();
    assert!(refused.contains("too much data"), "{refused}");
}

#[test]
fn the_newest_contract_is_the_one_that_was_frozen() {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../wit");
    let frozen = wit.join("frozen").join(RELEASED[RELEASED.len() - 1]).join("wit");
    for entry in std::fs::read_dir(frozen).unwrap() {
        let (frozen, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        let words = |path: &Path| -> Vec<String> {
            let text = std::fs::read_to_string(path).unwrap();
            // Documentation may be mended; what is compiled may not change inside a version.
            let code = text.lines().filter(|line| !line.trim_start().starts_with("///"));
            code.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        let what = "the contract changed without a new version: see wit/frozen/README.md";
        assert_eq!(words(&wit.join(&name)), words(&frozen), "{}: {what}", name.display());
    }
}
