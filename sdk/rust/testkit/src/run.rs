//! Drives one exchange as the host would: feeds the vendor's answer, honors `relay`, and holds the adapter to the contract's rules.

use crate::{Case, Step, frames};
use serde_json::Value;
use witgate_sdk::{Effect, Event, Failure, Framing, Head, Message, Request};

/// How many messages a step gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// One.
    Single,
    /// All there are.
    Batched,
}

/// What a client or the host got out of the exchange, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening {
    /// An effect, other than a request.
    Effect(Effect),
    /// A message that the host passed on by itself.
    Relayed(String),
}

/// A whole exchange.
pub(crate) struct Run {
    /// The request that was sent.
    pub(crate) request: Option<Request>,
    /// The rest.
    pub(crate) happenings: Vec<Happening>,
}

/// The same with what the host passed on as if the adapter had emitted it: how a batch with plain messages in it comes out.
pub(crate) fn without_relay(happenings: &[Happening]) -> Vec<Happening> {
    let plain = |happening: &Happening| match happening {
        Happening::Effect(Effect::Relay(_)) => None,
        Happening::Relayed(data) => Some(Happening::Effect(Effect::Emit(data.clone()))),
        other => Some(other.clone()),
    };
    happenings.iter().filter_map(plain).collect()
}

/// Runs the exchange to its end.
pub(crate) fn run(case: &Case, step: Step, pace: Pace) -> Result<Run, String> {
    let mut exchange =
        Exchange { step, now: case.now, relaying: false, over: false, request: None, happenings: Vec::new() };
    exchange.step(vec![Event::Start])?;
    if let Some(request) = exchange.request.clone() {
        let mut events = answer(case, &request)?;
        if pace == Pace::Batched && !events.is_empty() {
            exchange.step(events)?;
        } else {
            let mut seen_message = false;
            for event in events.drain(..) {
                exchange.feed(event, &mut seen_message)?;
            }
        }
    }
    if !exchange.over {
        return Err("the exchange never came to `finish` or `fail`".to_owned());
    }
    Ok(Run { request: exchange.request, happenings: exchange.happenings })
}

struct Exchange {
    step: Step,
    now: u32,
    relaying: bool,
    /// `finish` or `fail` was said.
    over: bool,
    request: Option<Request>,
    happenings: Vec<Happening>,
}

impl Exchange {
    /// One event, unless the host passes it on by itself. The first message always enters.
    fn feed(&mut self, event: Event, seen_message: &mut bool) -> Result<(), String> {
        if let Event::Message(message) = &event {
            if self.relaying && *seen_message && is_plain(&message.data) {
                self.happenings.push(Happening::Relayed(message.data.clone()));
                return Ok(());
            }
            *seen_message = true;
        }
        self.step(vec![event])
    }

    fn step(&mut self, events: Vec<Event>) -> Result<(), String> {
        for effect in (self.step)(self.now, events) {
            match effect {
                Effect::Send(request) if self.request.is_none() => self.request = Some(request),
                Effect::Send(_) => return Err("a second request was sent; a golden case answers one".to_owned()),
                Effect::Relay(id) if self.request.as_ref().is_some_and(|request| request.id == id) => {
                    self.relaying = true;
                    self.happenings.push(Happening::Effect(effect));
                }
                Effect::Relay(id) => return Err(format!("`relay` names request {id}, which was not sent")),
                effect => {
                    self.over |= matches!(effect, Effect::Finish(_) | Effect::Fail(_));
                    self.happenings.push(Happening::Effect(effect));
                }
            }
        }
        if self.request.is_none() && !self.over {
            return Err("the first step left nothing outstanding: no request, no `finish`, no `fail`".to_owned());
        }
        Ok(())
    }
}

/// The events of the vendor's answer.
fn answer(case: &Case, request: &Request) -> Result<Vec<Event>, String> {
    let id = request.id;
    let failed =
        case.answer.failure.as_ref().map(|code| {
            Event::Failed(Failure { id, code: code.clone(), text: format!("the connection failed: {code}") })
        });
    if matches!(case.answer.failure.as_deref(), Some("connect" | "timeout-first-byte" | "refused-by-host")) {
        return Ok(failed.into_iter().collect());
    }
    let Some((ending, text)) = &case.response else {
        return Err("a request was sent, but there is no upstream-response file".to_owned());
    };
    let whole = case.answer.status >= 400 || matches!(ending.as_str(), "json" | "txt");
    let frames = match (whole, request.framing, ending.as_str()) {
        (true, ..) if text.is_empty() => Vec::new(),
        (true, ..) => vec![(String::new(), text.clone())],
        (_, Framing::Sse, "sse") => frames::sse(text),
        (_, Framing::Ndjson, "ndjson") => frames::ndjson(text),
        (_, framing, _) => {
            return Err(format!("the answer is .{ending}, but the request asks for framing `{}`", framing.as_str()));
        }
    };
    let mut events = vec![Event::Head(head(case, id, ending))];
    events.extend(frames.into_iter().map(|(name, data)| Event::Message(Message { id, name, data })));
    events.push(failed.unwrap_or(Event::End(id)));
    Ok(events)
}

fn head(case: &Case, id: u32, ending: &str) -> Head {
    let mut headers: Vec<(String, String)> =
        case.answer.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
    if !headers.iter().any(|(name, _)| name == "content-type") {
        let kind = match ending {
            "json" => "application/json",
            "sse" => "text/event-stream",
            "ndjson" => "application/x-ndjson",
            _ => "text/plain",
        };
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Head { id, status: case.answer.status, headers }
}

/// Whether the host may pass a message on by itself: a chunk with choices, and nothing in it that somebody must act on.
fn is_plain(data: &str) -> bool {
    let Ok(chunk) = serde_json::from_str::<Value>(data) else { return false };
    let absent = |name: &str| chunk.get(name).is_none_or(Value::is_null);
    let open = |choice: &Value| choice.get("finish_reason").is_none_or(Value::is_null);
    chunk.get("object").and_then(Value::as_str) == Some("chat.completion.chunk")
        && absent("usage")
        && absent("error")
        && chunk.get("choices").and_then(Value::as_array).is_some_and(|list| !list.is_empty() && list.iter().all(open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_nobody_must_act_on_are_plain() {
        let chunk = |rest: &str| format!(r#"{{"object":"chat.completion.chunk",{rest}}}"#);
        assert!(is_plain(&chunk(r#""choices":[{"delta":{},"finish_reason":null}],"usage":null,"error":null"#)));
        for rest in [
            r#""choices":[]"#,
            r#""choices":[{"finish_reason":"stop"}]"#,
            r#""choices":[{}],"usage":{}"#,
            r#""choices":[{}],"error":{}"#,
            r#""x":1"#,
        ] {
            assert!(!is_plain(&chunk(rest)), "{rest}");
        }
        assert!(!is_plain("[DONE]") && !is_plain(r#"{"choices":[{}]}"#));
    }
}
