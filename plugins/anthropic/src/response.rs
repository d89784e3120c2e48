//! A whole message as a canonical answer.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use witgate_sdk::{Fault, Out, Stamp, ToolCalls};

use crate::citations::{self, Annotation};
use crate::fault;
use crate::names::Names;
use crate::wire::answer::{Block, Counts, Message};

/// What an answer is read with.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) stamp: Stamp,
    pub(crate) names: Names,
    /// The name of the tool whose input is the answer.
    pub(crate) answer_tool: Option<&'static str>,
    /// None yet.
    pub(crate) calls: ToolCalls,
}

/// What was thought, as a client hands it back in the next turn.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Thought<'a> {
    Thinking { thinking: &'a str, signature: &'a str },
    RedactedThinking { data: &'a str },
}

/// What the blocks of a message add up to.
struct Sum<'a> {
    text: String,
    thought: String,
    thoughts: Vec<Thought<'a>>,
    calls: ToolCalls,
    annotations: Vec<Annotation>,
}

/// Maps a whole answer with a success status.
pub(crate) fn map(text: &str, reading: &Reading, out: &mut Out) -> Result<(), Fault> {
    let Ok(message) = serde_json::from_str::<Message<'_>>(text) else { return Err(fault::not_a_message(text)) };
    if message.r#type.as_deref() == Some("error") {
        return Err(fault::in_answer(text));
    }
    let Some(content) = &message.content else { return Err(fault::not_a_message(text)) };
    let mut sum = Sum {
        text: String::new(),
        thought: String::new(),
        thoughts: Vec::new(),
        calls: reading.calls.clone(),
        annotations: Vec::new(),
    };
    for block in content {
        sum.add(block, reading);
    }
    let stamp = stamped(&reading.stamp, message.id.as_deref(), message.model.as_deref());
    let mut answer = stamp.completion();
    if !sum.text.is_empty() {
        answer = answer.text(&sum.text);
    }
    if !sum.thought.is_empty() {
        answer = answer.reasoning(&sum.thought);
    }
    if !sum.thoughts.is_empty() {
        answer = answer.set("thinking_blocks", &sum.thoughts);
    }
    if !sum.calls.is_empty() {
        answer = answer.tool_calls(sum.calls.list());
    }
    if !sum.annotations.is_empty() {
        answer = answer.set("annotations", &sum.annotations);
    }
    if let Some(refusal) = message.stop_details.as_ref().and_then(|details| details.explanation.as_deref()) {
        answer = answer.refusal(refusal);
    }
    if let Some(counts) = message.usage.and_then(Counts::read) {
        out.usage(counts.usage());
    }
    let reason = finish(message.stop_reason.as_deref(), !sum.calls.is_empty());
    out.emit(answer.finish(reason).to_json());
    out.finish(reason);
    Ok(())
}

impl<'a> Sum<'a> {
    fn add(&mut self, block: &'a Block<'_>, reading: &'a Reading) {
        let said = |text: &'a Option<Cow<'_, str>>| text.as_deref().unwrap_or_default();
        let input = block.input.map_or("{}", RawValue::get);
        match block.r#type.as_deref().unwrap_or_default() {
            "text" => {
                let from = self.text.chars().count();
                self.text.push_str(said(&block.text));
                if let Some(citations) = &block.citations {
                    let to = self.text.chars().count();
                    self.annotations.extend(citations::annotations(citations.clone(), from, to));
                }
            }
            "thinking" => {
                let (thinking, signature) = (said(&block.thinking), said(&block.signature));
                if !self.thought.is_empty() && !thinking.is_empty() {
                    self.thought.push_str(GAP);
                }
                self.thought.push_str(thinking);
                if !signature.is_empty() {
                    self.thoughts.push(Thought::Thinking { thinking, signature });
                }
            }
            "redacted_thinking" => self.thoughts.push(Thought::RedactedThinking { data: said(&block.data) }),
            "tool_use" if reading.answer_tool.is_some_and(|tool| tool == said(&block.name)) => {
                self.text.push_str(input)
            }
            "tool_use" => {
                let name = reading.names.own(said(&block.name));
                self.calls.whole(said(&block.id), name, &Value::from(input));
            }
            // What the vendor did on its own side, and what is newer than this adapter.
            _ => {}
        }
    }
}

/// Between two stretches of thinking.
pub(crate) const GAP: &str = "\n\n";

/// The stamp with the vendor's id and model.
pub(crate) fn stamped(stamp: &Stamp, id: Option<&str>, model: Option<&str>) -> Stamp {
    Stamp {
        id: id.unwrap_or(&stamp.id).to_owned(),
        created: stamp.created,
        model: model.unwrap_or(&stamp.model).to_owned(),
    }
}

/// The canonical finish reason. `called`: there are tool calls for the client.
pub(crate) fn finish(reason: Option<&str>, called: bool) -> &'static str {
    match reason {
        Some("tool_use") | None if called => "tool_calls",
        Some("max_tokens" | "model_context_window_exceeded") => "length",
        Some("refusal") => "content_filter",
        // end_turn, stop_sequence, pause_turn, and reasons that are newer than this adapter.
        _ => "stop",
    }
}
