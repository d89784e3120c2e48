//! The client's request in the vendor's words. What has no counterpart is refused or reported as lost, never dropped in silence.

use witgate_sdk::conversation::{self, Part, Role, Said};
use witgate_sdk::{Body, Call, Fault, Framing, Out, Request, secret};

use crate::wire::Turn;

/// Fields of a chat completion that are mapped below, or that the host takes care of.
const MAPPED: &[&str] =
    &["model", "messages", "max_tokens", "max_completion_tokens", "temperature", "stream", "stream_options"];

pub(crate) fn build(call: &Call, out: &mut Out) -> Result<Request, Fault> {
    let (system, said) = conversation::without_system(conversation::read(&call.body)?);
    let turns: Vec<Turn> = said.iter().map(turn).collect::<Result<_, _>>()?;
    let mut body = Body::new();
    body.set("model", &call.model);
    if !system.is_empty() {
        body.set("instructions", system.join("\n"));
    }
    body.set("turns", turns);
    let limit = call.body.optional::<u32>("max_completion_tokens")?;
    if let Some(limit) = limit.or(call.body.optional("max_tokens")?) {
        body.set("length", limit);
    }
    if let Some(temperature) = call.body.raw("temperature") {
        body.set_raw("temperature", temperature.to_owned())?; // as the client wrote it
    }
    body.set("stream", call.streaming);
    for field in call.body.keys().filter(|field| !MAPPED.contains(field)) {
        out.loss(field, "the vendor has no such field");
    }
    let request = Request::post("/chat").bearer([secret("key")]).json(body.to_json());
    Ok(request.framing(if call.streaming { Framing::Sse } else { Framing::Text }))
}

fn turn(said: &Said) -> Result<Turn, Fault> {
    let unsupported = |what: &str| Err(Fault::unsupported(what).with_param("messages"));
    if said.role == Role::Tool || !said.tool_calls.is_empty() {
        return unsupported("this vendor has no tools");
    }
    if said.parts.iter().any(|part| !matches!(part, Part::Text { .. })) {
        return unsupported("this vendor reads text only");
    }
    let by = if said.role == Role::Assistant { "model" } else { "user" };
    Ok(Turn { by, text: said.text() })
}
