//! From the generated types to the SDK's own: calls and events.

use super::shared::witgate::adapter::machine;
use crate::{Binary, Body, Call, Event, Extra, Failure, Fault, Fetched, Head, Message};

/// # Errors
/// `adapter-broken` when the host hands over what no canonical call is.
pub(super) fn call(call: machine::Call) -> Result<Call, Fault> {
    let body = match call.body {
        machine::Payload::Text(text) => Body::parse(&text)?,
        machine::Payload::Empty => Body::new(),
        _ => {
            return Err(Fault::adapter_broken(
                "this adapter reads a JSON body; the host kept it or sent something else",
            ));
        }
    };
    let settings = serde_json::from_str(&call.settings)
        .map_err(|error| Fault::adapter_broken(format!("the channel's settings are not JSON: {error}")))?;
    Ok(Call {
        operation: call.operation,
        provider: call.provider,
        model: call.model,
        streaming: call.streaming,
        settings,
        secrets: call.secrets,
        key_parts: headers(call.key_parts),
        endpoints: call.endpoints.into_iter().map(|endpoint| (endpoint.name, endpoint.url)).collect(),
        dialect: call.dialect,
        headers: headers(call.headers),
        now: call.now,
        seed: call.seed,
        body,
        resume: call.resume,
        extras: call.extras.into_iter().map(extra).collect(),
    })
}

/// The SDK's event.
pub(super) fn event(event: machine::Event) -> Event {
    match event {
        machine::Event::Start => Event::Start,
        machine::Event::Head(head) => Event::Head(Head {
            id: head.id,
            status: head.status,
            headers: headers(head.headers),
            framing: head.framing,
        }),
        machine::Event::Message(message) => Event::Message(Message {
            id: message.id,
            name: message.name,
            headers: headers(message.headers),
            data: message.data,
        }),
        machine::Event::Binary(binary) => Event::Binary(Binary {
            id: binary.id,
            name: binary.name,
            headers: headers(binary.headers),
            data: binary.data,
        }),
        machine::Event::Body(chunk) => Event::Body { id: chunk.id, data: chunk.data },
        machine::Event::End(id) => Event::End(id),
        machine::Event::Timer(id) => Event::Timer(id),
        machine::Event::Fetched(file) => {
            Event::Fetched(Fetched { id: file.id, token: file.token, content_type: file.content_type, size: file.size })
        }
        machine::Event::Failed(failure) => {
            Event::Failed(Failure { id: failure.id, code: failure.code, text: failure.text })
        }
        machine::Event::Abandoned => Event::Abandoned,
        machine::Event::Ext(ext) => Event::Ext(extra(ext)),
    }
}

fn headers(headers: Vec<machine::Header>) -> Vec<(String, String)> {
    headers.into_iter().map(|header| (header.name, header.value)).collect()
}

fn extra(extra: machine::Extra) -> Extra {
    Extra { name: extra.name, json: extra.json }
}
