//! What a component of contract 0.1 is told, in its types. What 0.1 has no words for is left out, or is an extra, which its components
//! ignore.

use super::interface as old;
use crate::machine as new;

/// The call. A 0.1 component knows no parts of keys.
pub(crate) fn call(call: new::Call) -> old::Call {
    old::Call {
        operation: call.operation,
        provider: call.provider,
        model: call.model,
        streaming: call.streaming,
        settings: call.settings,
        secrets: call.secrets,
        endpoints: call
            .endpoints
            .into_iter()
            .map(|endpoint| old::Endpoint { name: endpoint.name, url: endpoint.url })
            .collect(),
        dialect: call.dialect,
        headers: headers(call.headers),
        now: call.now,
        seed: call.seed,
        body: payload(call.body),
        resume: call.resume,
        extras: extras(call.extras),
    }
}

/// What happened.
pub(crate) fn batch(batch: new::Batch) -> old::Batch {
    old::Batch { now: batch.now, events: batch.events.into_iter().map(event).collect() }
}

fn event(event: new::Event) -> old::Event {
    match event {
        new::Event::Start => old::Event::Start,
        new::Event::Head(head) => old::Event::Head(old::Head {
            id: head.id,
            status: head.status,
            headers: headers(head.headers),
            extras: extras(head.extras),
        }),
        new::Event::Message(message) => old::Event::Message(old::Message {
            id: message.id,
            name: message.name,
            data: message.data,
            extras: extras(message.extras),
        }),
        new::Event::Body(chunk) => old::Event::Body(old::Chunk { id: chunk.id, data: chunk.data }),
        new::Event::End(id) => old::Event::End(id),
        new::Event::Timer(id) => old::Event::Timer(id),
        new::Event::Failed(failure) => old::Event::Failed(old::Failure {
            id: failure.id,
            code: failure.code,
            text: failure.text,
            extras: extras(failure.extras),
        }),
        new::Event::Abandoned => old::Event::Abandoned,
        new::Event::Ext(one) => old::Event::Ext(extra(one)),
        // Nothing that 0.1 can ask for is answered like this.
        new::Event::Binary(binary) => foreign("binary", binary.id),
        new::Event::Fetched(fetched) => foreign("fetched", fetched.id),
    }
}

fn foreign(name: &str, id: u32) -> old::Event {
    old::Event::Ext(old::Extra { name: name.to_owned(), json: format!(r#"{{"id":{id}}}"#) })
}

fn payload(payload: new::Payload) -> old::Payload {
    match payload {
        new::Payload::Empty => old::Payload::Empty,
        new::Payload::Text(text) => old::Payload::Text(text),
        new::Payload::Bytes(bytes) => old::Payload::Bytes(bytes),
        new::Payload::Held(name) => old::Payload::Held(name),
        new::Payload::Ext(one) => old::Payload::Ext(extra(one)),
        // A client's body is never handed over as a form.
        new::Payload::Form(_) => old::Payload::Ext(old::Extra { name: "form".to_owned(), json: "{}".to_owned() }),
    }
}

fn headers(headers: Vec<new::Header>) -> Vec<old::Header> {
    headers.into_iter().map(|header| old::Header { name: header.name, value: header.value }).collect()
}

fn extras(extras: Vec<new::Extra>) -> Vec<old::Extra> {
    extras.into_iter().map(extra).collect()
}

fn extra(extra: new::Extra) -> old::Extra {
    old::Extra { name: extra.name, json: extra.json }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra() -> new::Extra {
        new::Extra { name: "x-new".to_owned(), json: "[1]".to_owned() }
    }

    #[test]
    fn what_both_know_arrives_whole() {
        let header = new::Header { name: "retry-after".to_owned(), value: "3".to_owned() };
        let told = batch(new::Batch {
            now: 7,
            events: vec![
                new::Event::Head(new::Head {
                    id: 1,
                    status: 429,
                    headers: vec![header],
                    framing: "text".to_owned(),
                    extras: vec![extra()],
                }),
                new::Event::Failed(new::Failure {
                    id: 2,
                    code: "reset".to_owned(),
                    text: "gone".to_owned(),
                    extras: Vec::new(),
                }),
                new::Event::Ext(extra()),
            ],
        });
        let old_extra = || old::Extra { name: "x-new".to_owned(), json: "[1]".to_owned() };
        let head = old::Head {
            id: 1,
            status: 429,
            headers: vec![old::Header { name: "retry-after".to_owned(), value: "3".to_owned() }],
            extras: vec![old_extra()],
        };
        let failure = old::Failure { id: 2, code: "reset".to_owned(), text: "gone".to_owned(), extras: Vec::new() };
        let expected = vec![old::Event::Head(head), old::Event::Failed(failure), old::Event::Ext(old_extra())];
        assert_eq!(told, old::Batch { now: 7, events: expected });
    }

    #[test]
    fn what_0_1_does_not_know_is_an_extra() {
        let fetched = new::Fetched {
            id: 4,
            token: "t".to_owned(),
            content_type: "image/png".to_owned(),
            size: 3,
            extras: Vec::new(),
        };
        let old::Event::Ext(told) = event(new::Event::Fetched(fetched)) else { panic!("not an extra") };
        assert_eq!((told.name.as_str(), told.json.as_str()), ("fetched", r#"{"id":4}"#));
    }
}
