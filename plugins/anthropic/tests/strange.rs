//! Requests and answers in which one value is something else: they are refused, told as lost or passed over, but nothing ever panics.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its cases has failed")]

use std::path::Path;

use serde_json::{Value, json};
use witgate_sdk::{Body, Call, Effect, Event, Head, Machine, Message, Simple};

type Chat = Simple<plugin_anthropic::Chat>;

/// Every case's folder.
fn cases() -> impl Iterator<Item = std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/chat");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path())
}

/// The value with each of its parts in turn replaced by each of the strange ones.
fn strange(value: &Value) -> Vec<Value> {
    let others = [Value::Null, json!(-1), json!(1e300), json!("x"), json!([]), json!([1]), json!({}), json!(true)];
    let mut pointers = Vec::new();
    collect(value, String::new(), &mut pointers);
    let with = |pointer: &String, other: &Value| {
        let mut changed = value.clone();
        *changed.pointer_mut(pointer).unwrap() = other.clone();
        changed
    };
    pointers.iter().flat_map(|pointer| others.iter().map(move |other| with(pointer, other))).collect()
}

fn collect(value: &Value, pointer: String, into: &mut Vec<String>) {
    let mut below = |name: &str, value: &Value| {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        into.push(pointer.clone());
        collect(value, pointer, into);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| below(name, value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value)),
        _ => {}
    }
}

fn ends(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Finish(_) | Effect::Fail(_)))
}

#[test]
fn every_request_is_sent_or_refused() {
    let mut seen = 0;
    for case in cases() {
        let known: Value = serde_json::from_str(&std::fs::read_to_string(case.join("case.json")).unwrap()).unwrap();
        let client: Value = serde_json::from_str(&std::fs::read_to_string(case.join("client.json")).unwrap()).unwrap();
        for body in strange(&client) {
            let call = Call {
                model: known["model"].as_str().unwrap_or_default().to_owned(),
                body: Body::parse(&body.to_string()).unwrap(),
                ..Call::default()
            };
            let effects = Chat::open(call).step(0, vec![Event::Start]);
            let sent = effects.iter().any(|effect| matches!(effect, Effect::Send(_)));
            assert!(sent != ends(&effects), "{}: {body}: {effects:?}", case.display());
            seen += 1;
        }
    }
    assert!(seen > 10_000, "only {seen} requests were tried");
}

#[test]
fn every_answer_comes_to_an_end() {
    let mut seen = 0;
    for case in cases() {
        let Ok(text) = std::fs::read_to_string(case.join("upstream-response.sse")) else { continue };
        let events: Vec<String> =
            text.lines().filter_map(|line| line.strip_prefix("data:")).map(|data| data.trim().to_owned()).collect();
        for (at, event) in events.iter().enumerate() {
            let Ok(event) = serde_json::from_str::<Value>(event) else { continue };
            for other in strange(&event) {
                let mut changed = events.clone();
                changed[at] = other.to_string();
                let effects = streamed(changed);
                assert!(ends(&effects), "{}: {other}: {effects:?}", case.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 1_000, "only {seen} answers were tried");
}

fn streamed(data: Vec<String>) -> Vec<Effect> {
    let body = r#"{"messages":[{"role":"user","content":"Hi."}],"stream":true}"#;
    let call = Call { streaming: true, body: Body::parse(body).unwrap(), ..Call::default() };
    let mut chat = Chat::open(call);
    chat.step(0, vec![Event::Start]);
    let head = Event::Head(Head { id: 1, status: 200, framing: "sse".to_owned(), ..Head::default() });
    let message = |data| Event::Message(Message { id: 1, data, ..Message::default() });
    let events = std::iter::once(head).chain(data.into_iter().map(message)).chain([Event::End(1)]);
    chat.step(0, events.collect())
}
