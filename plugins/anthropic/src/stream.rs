//! A streamed message, event by event, as canonical chunks.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use witgate_sdk::{Chunk, Fault, Message, Out, Stamp, ToolCalls};

use crate::citations;
use crate::fault;
use crate::response::{self, GAP, Reading, Thought, stamped};
use crate::wire::answer::{self, Block, Citation, Counts, Delta, Event};

/// What has been seen of a streamed message.
#[derive(Debug)]
pub(crate) struct Stream {
    reading: Reading,
    /// The role was said.
    begun: bool,
    /// Blocks that are open, by the vendor's index.
    open: Vec<(u32, Open)>,
    /// Tool calls by their blocks: canonical calls are numbered by themselves, not among all blocks.
    calls: ToolCalls,
    /// Characters of text so far.
    written: usize,
    thought: bool,
    counts: Option<Counts>,
    reason: Option<String>,
    refusal: Option<String>,
}

/// A block that has begun.
#[derive(Debug)]
enum Open {
    Text {
        from: usize,
        citations: Vec<Citation>,
    },
    Thinking {
        thinking: String,
        signature: String,
    },
    /// `said`: the input came in pieces. Else `input` is all of it.
    Call {
        said: bool,
        input: String,
    },
    Answer {
        said: bool,
        input: String,
    },
}

fn said<'a>(text: &'a Option<Cow<'_, str>>) -> &'a str {
    text.as_deref().unwrap_or_default()
}

impl Stream {
    pub(crate) fn new(reading: Reading) -> Self {
        Stream {
            calls: reading.calls.clone(),
            reading,
            begun: false,
            open: Vec::new(),
            written: 0,
            thought: false,
            counts: None,
            reason: None,
            refusal: None,
        }
    }

    /// Maps one event.
    pub(crate) fn map(&mut self, message: &Message, out: &mut Out) -> Result<(), Fault> {
        let text = message.data.trim();
        let event: Event<'_> = match serde_json::from_str(text) {
            Ok(event) => event,
            _ if message.name == "error" => return Err(fault::in_answer(text)),
            // Of a shape that is newer than this adapter, or the end mark of another dialect.
            Err(_) if text.is_empty() || text == "[DONE]" || serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                return Ok(());
            }
            Err(_) => return Err(fault::not_a_message(text)),
        };
        match event.r#type.as_deref().unwrap_or(&message.name) {
            "message_start" => self.begin(event.message.unwrap_or_default(), out),
            "content_block_start" => self.open(event.index, &event.content_block.unwrap_or_default(), out),
            "content_block_delta" => self.grow(event.index, event.delta.unwrap_or_default(), out),
            "content_block_stop" => self.close(event.index, out),
            "message_delta" => {
                self.count(event.usage);
                self.ending(event.delta.unwrap_or_default());
            }
            "message_stop" => self.finish(out),
            "error" => return Err(fault::in_answer(text)),
            // ping, and events that are newer than this adapter.
            _ => {}
        }
        Ok(())
    }

    /// The vendor's stream has ended. A message whose end was announced is complete.
    pub(crate) fn end(&mut self, out: &mut Out) {
        if self.reason.is_some() && !out.is_finished() {
            self.finish(out);
        }
    }

    /// Nothing is said to the client yet: until something is, another channel may take over.
    fn begin(&mut self, message: answer::Message<'_>, out: &mut Out) {
        self.reading.stamp = stamped(&self.reading.stamp, message.id.as_deref(), message.model.as_deref());
        self.count(message.usage);
        for (index, block) in (0..).zip(message.content.iter().flatten()) {
            self.open(index, block, out);
            self.close(index, out);
        }
    }

    fn open(&mut self, index: u32, block: &Block<'_>, out: &mut Out) {
        // A tool without arguments has an empty input and says nothing; some servers send all of it here.
        let input = block.input.map_or("{}", RawValue::get).to_owned();
        let open = match block.r#type.as_deref().unwrap_or_default() {
            "text" => {
                let from = self.written;
                self.text(said(&block.text), out);
                Open::Text { from, citations: block.citations.clone().unwrap_or_default() }
            }
            "thinking" => {
                let thinking = String::new();
                let mut open = Open::Thinking { thinking, signature: said(&block.signature).to_owned() };
                self.think(&mut open, said(&block.thinking), out);
                open
            }
            "redacted_thinking" => {
                let thought = [Thought::RedactedThinking { data: said(&block.data) }];
                return self.emit(out, |chunk| chunk.set("thinking_blocks", &thought));
            }
            "tool_use" if self.reading.answer_tool.is_some_and(|tool| tool == said(&block.name)) => {
                Open::Answer { said: false, input }
            }
            "tool_use" => {
                let call = self.calls.begin(index, said(&block.id), self.reading.names.own(said(&block.name)));
                self.emit(out, |chunk| chunk.tool_calls(call));
                Open::Call { said: false, input }
            }
            // What the vendor does on its own side, and what is newer than this adapter.
            _ => return,
        };
        self.open.push((index, open));
    }

    fn grow(&mut self, index: u32, delta: Delta<'_>, out: &mut Out) {
        let Some(at) = self.open.iter().position(|(known, _)| *known == index) else { return };
        let mut block = self.open.swap_remove(at);
        match (said(&delta.r#type), &mut block.1) {
            ("text_delta", Open::Text { .. }) => self.text(said(&delta.text), out),
            ("citations_delta", Open::Text { citations, .. }) => citations.extend(delta.citation),
            ("thinking_delta", open) => self.think(open, said(&delta.thinking), out),
            ("signature_delta", Open::Thinking { signature, .. }) => signature.push_str(said(&delta.signature)),
            ("input_json_delta", Open::Call { said: some, .. }) => {
                *some |= self.arguments(index, said(&delta.partial_json), out);
            }
            ("input_json_delta", Open::Answer { said: some, .. }) => {
                let piece = said(&delta.partial_json);
                *some |= !piece.is_empty();
                self.text(piece, out);
            }
            _ => {}
        }
        self.open.push(block);
    }

    fn close(&mut self, index: u32, out: &mut Out) {
        let Some(at) = self.open.iter().position(|(known, _)| *known == index) else { return };
        match self.open.swap_remove(at).1 {
            Open::Text { from, citations } => {
                let annotations = citations::annotations(citations, from, self.written);
                if !annotations.is_empty() {
                    self.emit(out, |chunk| chunk.set("annotations", &annotations));
                }
            }
            Open::Thinking { thinking, signature } if !signature.is_empty() => {
                let thought = [Thought::Thinking { thinking: &thinking, signature: &signature }];
                self.emit(out, |chunk| chunk.set("thinking_blocks", &thought));
            }
            Open::Call { said: false, input } => {
                self.arguments(index, &input, out);
            }
            Open::Answer { said: false, input } => self.text(&input, out),
            _ => {}
        }
    }

    fn ending(&mut self, delta: Delta<'_>) {
        if let Some(reason) = delta.stop_reason {
            self.reason = Some(reason.into_owned());
        }
        if let Some(explanation) = delta.stop_details.and_then(|details| details.explanation) {
            self.refusal = Some(explanation.into_owned());
        }
    }

    fn finish(&mut self, out: &mut Out) {
        if out.is_finished() {
            return;
        }
        // Some servers do not say that a block is complete.
        let open: Vec<u32> = self.open.iter().map(|(index, _)| *index).collect();
        open.into_iter().for_each(|index| self.close(index, out));
        if let Some(refusal) = self.refusal.take() {
            self.emit(out, |chunk| chunk.refusal(&refusal));
        }
        if !self.begun {
            self.emit(out, |chunk| chunk.text(""));
        }
        let reason = response::finish(self.reason.as_deref(), !self.calls.is_empty());
        out.emit(self.reading.stamp.chunk().finish(reason).to_json());
        if let Some(counts) = &self.counts {
            out.usage(counts.usage());
        }
        out.finish(reason);
    }

    fn text(&mut self, text: &str, out: &mut Out) {
        if !text.is_empty() {
            self.written += text.chars().count();
            self.emit(out, |chunk| chunk.text(text));
        }
    }

    fn think(&mut self, open: &mut Open, text: &str, out: &mut Out) {
        let Open::Thinking { thinking, .. } = open else { return };
        if text.is_empty() {
            return;
        }
        let gap = if thinking.is_empty() && self.thought { GAP } else { "" };
        thinking.push_str(text);
        self.thought = true;
        self.emit(out, |chunk| chunk.reasoning(&format!("{gap}{text}")));
    }

    /// Says whether there were any.
    fn arguments(&mut self, index: u32, arguments: &str, out: &mut Out) -> bool {
        let more = self.calls.more(index, arguments);
        let some = more.is_some();
        if let Some(more) = more {
            self.emit(out, |chunk| chunk.tool_calls(more));
        }
        some
    }

    fn count(&mut self, raw: Option<&RawValue>) {
        if let Some(counts) = raw.and_then(Counts::read) {
            self.counts.get_or_insert_default().update(counts);
        }
    }

    /// Emits a chunk; the first one says the role.
    fn emit<'s>(&'s mut self, out: &mut Out, fill: impl FnOnce(Chunk<'s>) -> Chunk<'s>) {
        let begun = std::mem::replace(&mut self.begun, true);
        let stamp: &'s Stamp = &self.reading.stamp;
        let chunk = if begun { stamp.chunk() } else { stamp.chunk().role("assistant") };
        out.emit(fill(chunk).to_json());
    }
}
