//! A streamed answer: each chunk checked, made canonical where it is not, and passed on; or handed to the host to pass on by itself.
//!
//! The answer is complete when every choice has a finish reason, or with `[DONE]`. Without either it was cut off.

use serde::de::IgnoredAny;
use witgate_sdk::{Fault, Message, Out, Usage};

use crate::mend::{self, Calls, Finish};
use crate::splice::Splice;
use crate::wire::{Answer, Choice, says};
use crate::{fault, response, usage};

/// What has been seen of a streamed answer.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    relay: bool,
    began: bool,
    choices: Vec<Seen>,
    /// How many choices the client asked for.
    expected: usize,
    usage: Option<Usage>,
}

/// What has been seen of one choice.
#[derive(Debug, Default)]
struct Seen {
    index: u32,
    role: bool,
    calls: Calls,
    reason: Option<String>,
}

impl Stream {
    /// `relay`: hand the answer to the host once its first chunk was good. `expected`: the number of choices.
    pub(crate) fn new(relay: bool, expected: usize) -> Self {
        Stream { relay, expected: expected.max(1), ..Stream::default() }
    }

    /// Maps one message.
    pub(crate) fn map(&mut self, message: Message, out: &mut Out) -> Result<(), Fault> {
        let text = message.data.trim();
        if text == "[DONE]" {
            return self.done(out);
        }
        if text.is_empty() {
            return Ok(());
        }
        if message.name == "error" {
            return Err(fault::in_answer(text));
        }
        let answer: Answer<'_> = match serde_json::from_str(text) {
            Ok(answer) => answer,
            // Valid, but of a shape that nothing here knows: for the client to read.
            Err(_) if text.starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                out.emit(message.data);
                return Ok(());
            }
            Err(_) => return Err(fault::not_an_answer(text)),
        };
        let choices = answer.choices.as_deref().unwrap_or_default();
        let aside = answer.x_groq.as_ref();
        if says(answer.error)
            || aside.is_some_and(|aside| says(aside.error))
            || choices.iter().any(|choice| says(choice.error))
        {
            return Err(fault::in_answer(text));
        }
        if !self.began && choices.first().is_some_and(|choice| choice.delta.is_none() && choice.message.is_some()) {
            // The vendor does not stream; the host will.
            return response::map(text, out);
        }
        let counts = choices.iter().rev().find_map(|choice| choice.usage);
        let counts = answer.usage.or(counts).or(aside.and_then(|aside| aside.usage));
        let counted = counts.and_then(usage::read);
        if choices.is_empty() && counted.is_none() && answer.choices.is_none() && fault::is_error(text) {
            return Err(fault::in_answer(text));
        }
        self.count(counted, out);
        if choices.is_empty() {
            // A usage chunk, which the host writes itself, or one with nothing in it, over which clients stumble.
            return Ok(());
        }
        let mut splice = Splice::new(text);
        if answer.object.is_none() {
            splice.prepend("\"object\":\"chat.completion.chunk\",");
        }
        for choice in choices {
            self.choice(choice, &mut splice)?;
        }
        let mended = (!splice.is_empty()).then(|| splice.finish());
        out.emit(mended.unwrap_or(message.data));
        if self.relay && !self.began {
            out.relay(message.id);
        }
        self.began = true;
        self.finish_when_all_have(self.expected, out);
        Ok(())
    }

    /// The vendor's stream has ended.
    pub(crate) fn end(&mut self, out: &mut Out) {
        self.finish_when_all_have(1, out);
    }

    fn choice<'a>(&mut self, choice: &Choice<'a>, splice: &mut Splice<'a>) -> Result<(), Fault> {
        let began = self.began;
        let seen = self.seen(choice.index());
        if let Some(said) = &choice.delta {
            if let Some(role) = said.role {
                // Clients join the roles of all chunks into one text.
                if seen.role || role.get() == "\"\"" {
                    splice.remove("role", role.get());
                } else {
                    seen.role = true;
                }
            }
            mend::said(splice, said, Some(&mut seen.calls));
            if let Some(so_far) = choice.message {
                splice.remove("message", so_far.get());
            }
        }
        if let Some(counts) = choice.usage {
            splice.remove("usage", counts.get());
        }
        if let (None, Some(index)) = (choice.finish_reason, choice.index) {
            splice.replace(index.get(), format!("{},\"finish_reason\":null", index.get()));
        }
        match mend::finish(splice, choice.finish_reason, seen.calls.any()) {
            Finish::Open => {}
            Finish::Reason(reason) => seen.reason = Some(reason.to_owned()),
            Finish::Failed(true) if began => {
                // What was produced is there and cut short, as with a full context.
                seen.reason = Some("length".to_owned());
                splice.replace(choice.finish_reason.map_or("", |raw| raw.get()), "\"length\"");
            }
            Finish::Failed(busy) => return Err(fault::gave_up(busy)),
        }
        Ok(())
    }

    fn seen(&mut self, index: u32) -> &mut Seen {
        let at = self.choices.iter().position(|seen| seen.index == index).unwrap_or_else(|| {
            self.choices.push(Seen { index, ..Seen::default() });
            self.choices.len() - 1
        });
        &mut self.choices[at]
    }

    fn count(&mut self, counted: Option<Usage>, out: &mut Out) {
        if counted.is_some() && counted != self.usage {
            self.usage = counted;
            out.usage(self.usage.clone().unwrap_or_default());
        }
    }

    fn finish_when_all_have(&self, expected: usize, out: &mut Out) {
        let all = self.choices.len() >= expected && self.choices.iter().all(|seen| seen.reason.is_some());
        if all && !out.is_finished() {
            let first = self.choices.iter().find(|seen| seen.index == 0).or(self.choices.first());
            out.finish(first.and_then(|seen| seen.reason.as_deref()).unwrap_or("stop"));
        }
    }

    fn done(&mut self, out: &mut Out) -> Result<(), Fault> {
        if out.is_finished() {
            return Ok(());
        }
        let Some(first) = self.choices.first() else {
            return Err(Fault::upstream_broken("the vendor ended its stream without an answer"));
        };
        let fallback = if first.calls.any() { "tool_calls" } else { "stop" };
        out.finish(first.reason.as_deref().unwrap_or(fallback));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
