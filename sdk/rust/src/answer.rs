//! Builds canonical answers: OpenAI's chat completion chunks and whole chat completions.

use crate::{Body, Call, body::push_text};
use serde::Serialize;
use std::fmt::Write as _;

/// What all chunks of one answer share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The answer's id.
    pub id: String,
    /// Unix seconds.
    pub created: u32,
    /// The model's name as the vendor spells it; the host writes the client's.
    pub model: String,
}

impl Stamp {
    /// A stamp made from the call's seed, time and model, for vendors that send none.
    pub fn new(call: &Call) -> Stamp {
        Stamp { id: format!("chatcmpl-{}", call.seed), created: call.now, model: call.model.clone() }
    }

    /// A chunk without content, of the first choice.
    pub fn chunk(&self) -> Chunk<'_> {
        Chunk { stamp: self, index: 0, delta: Body::new(), finish_reason: None }
    }

    /// A whole answer without content, with one choice.
    pub fn completion(&self) -> Completion<'_> {
        let mut message = Body::new();
        message.set("role", "assistant");
        message.set("content", ());
        Completion { stamp: self, message, finish_reason: None }
    }
}

/// One `chat.completion.chunk` with one choice.
#[derive(Clone, Debug)]
pub struct Chunk<'a> {
    stamp: &'a Stamp,
    index: u32,
    delta: Body,
    finish_reason: Option<&'a str>,
}

impl<'a> Chunk<'a> {
    /// Of another choice than the first.
    #[must_use]
    pub fn index(mut self, index: u32) -> Self {
        self.index = index;
        self
    }

    /// With the role, which belongs into a choice's first chunk.
    #[must_use]
    pub fn role(self, role: &str) -> Self {
        self.delta("role", role)
    }

    /// With more of the text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.delta("content", text)
    }

    /// With more of the reasoning, in the field that most clients read.
    #[must_use]
    pub fn reasoning(self, text: &str) -> Self {
        self.delta("reasoning_content", text)
    }

    /// With parts of tool calls, as OpenAI streams them: a list of objects with `index`.
    #[must_use]
    pub fn tool_calls(self, calls: impl Serialize) -> Self {
        self.delta("tool_calls", calls)
    }

    /// With any other field of the delta.
    #[must_use]
    pub fn delta(mut self, name: &str, value: impl Serialize) -> Self {
        self.delta.set(name, value);
        self
    }

    /// With the reason the choice ended.
    #[must_use]
    pub fn finish(mut self, reason: &'a str) -> Self {
        self.finish_reason = Some(reason);
        self
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        envelope(self.stamp, "chat.completion.chunk", self.index, ("delta", &self.delta), self.finish_reason)
    }
}

/// A whole `chat.completion` with one choice.
#[derive(Clone, Debug)]
pub struct Completion<'a> {
    stamp: &'a Stamp,
    message: Body,
    finish_reason: Option<&'a str>,
}

impl<'a> Completion<'a> {
    /// With the text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.field("content", text)
    }

    /// With the reasoning, in the field that most clients read.
    #[must_use]
    pub fn reasoning(self, text: &str) -> Self {
        self.field("reasoning_content", text)
    }

    /// With tool calls, as OpenAI lists them.
    #[must_use]
    pub fn tool_calls(self, calls: impl Serialize) -> Self {
        self.field("tool_calls", calls)
    }

    /// With any other field of the message.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        self.message.set(name, value);
        self
    }

    /// With the reason the choice ended.
    #[must_use]
    pub fn finish(mut self, reason: &'a str) -> Self {
        self.finish_reason = Some(reason);
        self
    }

    /// The JSON text. Usage is not in it: the host writes what [`Out::usage`](crate::Out::usage) was told.
    pub fn to_json(&self) -> String {
        envelope(self.stamp, "chat.completion", 0, ("message", &self.message), self.finish_reason)
    }
}

/// Written as text, not built from values: a stream has one for every few letters.
fn envelope(stamp: &Stamp, object: &str, index: u32, said: (&str, &Body), reason: Option<&str>) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("{\"id\":");
    push_text(&mut out, &stamp.id);
    let _never_fails = write!(out, ",\"object\":\"{object}\",\"created\":{},\"model\":", stamp.created);
    push_text(&mut out, &stamp.model);
    let _never_fails = write!(out, ",\"choices\":[{{\"index\":{index},\"{}\":", said.0);
    said.1.write(&mut out);
    out.push_str(",\"finish_reason\":");
    match reason {
        Some(reason) => push_text(&mut out, reason),
        None => out.push_str("null"),
    }
    out.push_str("}]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stamp() -> Stamp {
        Stamp::new(&Call { seed: "00ff".into(), now: 7, model: "m".into(), ..Call::default() })
    }

    #[test]
    fn chunks_have_the_canonical_shape() {
        assert_eq!(
            stamp().chunk().role("assistant").text("a\"b").to_json(),
            r#"{"id":"chatcmpl-00ff","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"a\"b"},"finish_reason":null}]}"#
        );
        let last = stamp().chunk().index(1).finish("stop").to_json();
        assert!(last.ends_with(r#""choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#), "{last}");
    }

    #[test]
    fn whole_answers_have_the_canonical_shape() {
        let answer = stamp().completion().tool_calls(json!([{"id": "c"}])).finish("tool_calls").to_json();
        let message = r#"{"role":"assistant","content":null,"tool_calls":[{"id":"c"}]}"#;
        assert!(
            answer
                .ends_with(&format!(r#""choices":[{{"index":0,"message":{message},"finish_reason":"tool_calls"}}]}}"#)),
            "{answer}"
        );
    }
}
