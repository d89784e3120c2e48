//! What the host passes on by itself must be what the adapter would have emitted: shown for every recorded answer of a relaying provider.

use std::path::Path;

use serde_json::Value;
use witgate_sdk::{Body, Call, Effect, Event, Head, Machine, Message, Simple};

use crate::{Chat, dialect::Dialect, request};

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What the host does not hand to the adapter, by the contract.
fn is_plain(chunk: &Value) -> bool {
    let choices = chunk["choices"].as_array().map_or(&[][..], Vec::as_slice);
    let plain = |choice: &Value| choice["finish_reason"].is_null() && choice["delta"].is_object();
    chunk["usage"].is_null() && chunk["error"].is_null() && !choices.is_empty() && choices.iter().all(plain)
}

#[test]
fn chunks_that_are_relayed_need_no_mending() {
    let mut providers = std::collections::BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/chat")).unwrap() {
        let folder = entry.unwrap().path();
        let provider = read(&folder.join("case.json"))["provider"].as_str().unwrap().to_owned();
        let mut body = Body::parse(&read(&folder.join("client.json")).to_string()).unwrap();
        let Ok(answer) = std::fs::read_to_string(folder.join("upstream-response.sse")) else { continue };
        if !request::may_relay(&body, &Dialect::of(&provider).unwrap()) {
            continue;
        }
        // With tools, every chunk goes through the adapter.
        body.set("tools", [0]);
        let mut machine =
            Simple::<Chat>::open(Call { provider: provider.clone(), streaming: true, body, ..Call::default() });
        machine.step(0, vec![Event::Start, Event::Head(Head { id: 1, status: 200, ..Head::default() })]);
        for data in answer.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let message = Message { id: 1, data: data.to_owned(), ..Message::default() };
            let effects = machine.step(0, vec![Event::Message(message)]);
            if serde_json::from_str(data).is_ok_and(|chunk| is_plain(&chunk)) {
                assert_eq!(effects, [Effect::Emit(data.to_owned())], "{}", folder.display());
                providers.insert(provider.clone());
            }
        }
    }
    // A provider that relays has a recorded answer that shows it may.
    for (id, _) in crate::catalog::FILES {
        let relays = Dialect::of(id).is_some_and(|dialect| dialect.relay);
        assert_eq!(relays, providers.contains(*id), "{id}");
    }
}
