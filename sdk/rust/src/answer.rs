//! Builds canonical answers: OpenAI's chat completion chunks and whole chat completions.

use crate::{Body, Call, body::push_text};
use serde::Serialize;
use std::fmt::Write as _;
use std::marker::PhantomData;

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
        Answer::new(self, Body::new())
    }

    /// A whole answer without content, with one choice.
    pub fn completion(&self) -> Completion<'_> {
        let mut message = Body::new();
        message.set("role", "assistant");
        message.set("content", ());
        Answer::new(self, message)
    }
}

/// One `chat.completion.chunk` with one choice.
pub type Chunk<'a> = Answer<'a, Part>;

/// A whole `chat.completion` with one choice. Usage is not in it: the host writes what [`Out::usage`](crate::Out::usage) was told.
pub type Completion<'a> = Answer<'a, Whole>;

/// A canonical answer or a part of one: what is said goes into the `delta` of a [`Chunk`] and into the `message` of a [`Completion`].
#[derive(Clone, Debug)]
pub struct Answer<'a, K> {
    stamp: &'a Stamp,
    index: u32,
    said: Body,
    finish_reason: Option<&'a str>,
    /// Fields of the choice.
    beside: Body,
    /// Fields of the answer.
    top: Body,
    kind: PhantomData<K>,
}

/// Of a stream.
#[derive(Clone, Copy, Debug)]
pub enum Part {}

/// All of it.
#[derive(Clone, Copy, Debug)]
pub enum Whole {}

/// What tells parts from wholes.
pub trait Kind {
    /// `object` of the answer.
    const OBJECT: &'static str;
    /// The field of the choice that holds what is said.
    const SAID: &'static str;
}

impl Kind for Part {
    const OBJECT: &'static str = "chat.completion.chunk";
    const SAID: &'static str = "delta";
}

impl Kind for Whole {
    const OBJECT: &'static str = "chat.completion";
    const SAID: &'static str = "message";
}

impl<'a, K: Kind> Answer<'a, K> {
    fn new(stamp: &'a Stamp, said: Body) -> Self {
        Answer { stamp, index: 0, said, finish_reason: None, beside: Body::new(), top: Body::new(), kind: PhantomData }
    }

    /// Of another choice than the first.
    #[must_use]
    pub fn index(mut self, index: u32) -> Self {
        self.index = index;
        self
    }

    /// With the role, which belongs into a choice's first chunk.
    #[must_use]
    pub fn role(self, role: &str) -> Self {
        self.set("role", role)
    }

    /// With the text, or more of it.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.set("content", text)
    }

    /// With the reasoning, or more of it, in the field that most clients read.
    #[must_use]
    pub fn reasoning(self, text: &str) -> Self {
        self.set("reasoning_content", text)
    }

    /// With the model's words for why it refuses, or more of them.
    #[must_use]
    pub fn refusal(self, text: &str) -> Self {
        self.set("refusal", text)
    }

    /// With tool calls: in a chunk objects with `index` (see [`ToolCalls`](crate::ToolCalls)), in a whole answer as OpenAI lists them.
    #[must_use]
    pub fn tool_calls(self, calls: impl Serialize) -> Self {
        self.set("tool_calls", calls)
    }

    /// With any other field of what is said: `annotations`, `thinking_blocks`, `audio`.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Serialize) -> Self {
        self.said.set(name, value);
        self
    }

    /// With a field of the choice, such as `logprobs`.
    #[must_use]
    pub fn beside(mut self, name: &str, value: impl Serialize) -> Self {
        self.beside.set(name, value);
        self
    }

    /// With a field of the whole answer, such as `citations` or `service_tier`.
    #[must_use]
    pub fn top(mut self, name: &str, value: impl Serialize) -> Self {
        self.top.set(name, value);
        self
    }

    /// With the reason the choice ended.
    #[must_use]
    pub fn finish(mut self, reason: &'a str) -> Self {
        self.finish_reason = Some(reason);
        self
    }

    /// The JSON text. Written as text, not built from values: a stream has one for every few letters.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(256);
        out.push_str("{\"id\":");
        push_text(&mut out, &self.stamp.id);
        let _never_fails = write!(out, ",\"object\":\"{}\",\"created\":{},\"model\":", K::OBJECT, self.stamp.created);
        push_text(&mut out, &self.stamp.model);
        let _never_fails = write!(out, ",\"choices\":[{{\"index\":{},\"{}\":", self.index, K::SAID);
        self.said.write(&mut out);
        push_fields(&mut out, &self.beside);
        out.push_str(",\"finish_reason\":");
        match self.finish_reason {
            Some(reason) => push_text(&mut out, reason),
            None => out.push_str("null"),
        }
        out.push_str("}]");
        push_fields(&mut out, &self.top);
        out.push('}');
        out
    }
}

/// The fields of a body, each after a comma.
fn push_fields(out: &mut String, fields: &Body) {
    for name in fields.keys() {
        out.push(',');
        push_text(out, name);
        out.push(':');
        out.push_str(fields.raw(name).unwrap_or("null"));
    }
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

    #[test]
    fn what_few_vendors_send_has_a_place_too() {
        let answer = stamp()
            .completion()
            .refusal("no")
            .reasoning("hm")
            .set("annotations", json!([1]))
            .beside("logprobs", ())
            .top("citations", ["u"])
            .finish("stop")
            .to_json();
        let message =
            r#"{"role":"assistant","content":null,"refusal":"no","reasoning_content":"hm","annotations":[1]}"#;
        let end = format!(
            r#""choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":"stop"}}],"citations":["u"]}}"#
        );
        assert!(answer.ends_with(&end), "{answer}");
    }
}
