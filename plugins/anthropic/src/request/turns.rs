//! Messages as the vendor wants them: system prompts by themselves, and turns of user and assistant that alternate.

use std::borrow::Cow;

use serde_json::value::RawValue;
use witgate_sdk::Fault;
use witgate_sdk::conversation::{Side, Turns};

use super::parts::{self, Place};
use crate::fault::refused;
use crate::lost::Lost;
use crate::names::Names;
use crate::wire::ask::{Block, Content, Role, Turn};
use crate::wire::canonical::{Said, Thought, ToolCall};

/// Stands where the vendor wants a user turn and the client has none.
const OPENING: &str = ".";
/// Stands behind a last message of the assistant that the model would not continue.
const CONTINUE: &str = "Continue.";

/// A conversation.
#[derive(Default)]
pub(crate) struct Conversation<'a> {
    pub(crate) system: Vec<Block<'a>>,
    turns: Turns<Block<'a>>,
    /// The tools that were called, by the vendor's names.
    pub(crate) called: Vec<Cow<'a, str>>,
    /// The model is in the middle of using tools, and its last message does not begin with what it thought.
    pub(crate) unthought: bool,
    /// The assistant's last message begins with what it thought.
    thought: bool,
    ids: Names,
}

impl<'a> Conversation<'a> {
    /// Reads the client's messages.
    pub(crate) fn read(messages: Vec<Said<'a>>, names: &mut Names, lost: &mut Lost) -> Result<Self, Fault> {
        let mut conversation = Conversation::default();
        for (at, said) in messages.into_iter().enumerate() {
            let place = Place { message: at };
            if said.name.is_some() {
                lost.add("messages.name", "the vendor has no names of participants");
            }
            if said.function_call.is_some() || said.role == "function" {
                return Err(place.refused("functions are not supported, use tools"));
            }
            match said.role.as_ref() {
                "system" | "developer" => conversation.system(said, place, lost)?,
                "user" => conversation.user(said, place, lost)?,
                "assistant" => conversation.assistant(said, place, names, lost)?,
                "tool" => conversation.tool(said, place, lost)?,
                other => return Err(place.refused(format!("the role `{other}` is not supported"))),
            }
        }
        Ok(conversation)
    }

    fn system(&mut self, said: Said<'a>, place: Place, lost: &mut Lost) -> Result<(), Fault> {
        if !self.turns.is_empty() {
            lost.add("messages.role", "a system message inside the conversation was moved to the beginning");
        }
        let mut blocks = parts::read(said.content, place, lost)?;
        if !blocks.iter().all(|block| matches!(block, Block::Text { .. })) {
            return Err(place.refused("a system message can only hold text"));
        }
        mark_last(&mut blocks, said.cache_control);
        self.system.append(&mut blocks);
        Ok(())
    }

    fn user(&mut self, said: Said<'a>, place: Place, lost: &mut Lost) -> Result<(), Fault> {
        let mut blocks = parts::read(said.content, place, lost)?;
        mark_last(&mut blocks, said.cache_control);
        self.turns.push(Side::User, blocks);
        Ok(())
    }

    fn assistant(&mut self, said: Said<'a>, place: Place, names: &mut Names, lost: &mut Lost) -> Result<(), Fault> {
        if said.audio.is_some() {
            return Err(place.refused("the model cannot hear what it said: `audio` is not supported"));
        }
        let reasoned = said.reasoning_content.is_some() || said.reasoning.is_some();
        let thoughts = said.thinking_blocks.unwrap_or_default();
        if reasoned && thoughts.is_empty() {
            lost.add("messages.reasoning_content", "only signed thinking_blocks can be handed back to the vendor");
        }
        let mut blocks: Vec<Block<'a>> = thoughts.into_iter().filter_map(|thought| signed(thought, lost)).collect();
        let mut texts = parts::read(said.content, place, lost)?;
        if !texts.iter().all(|block| matches!(block, Block::Text { .. })) {
            return Err(place.refused("a message of the assistant can only hold text"));
        }
        blocks.append(&mut texts);
        blocks.extend(said.refusal.filter(|text| !text.is_empty()).map(Block::text));
        for (at, call) in said.tool_calls.unwrap_or_default().into_iter().enumerate() {
            blocks.push(self.tool_use(call, place, at, names)?);
        }
        mark_last(&mut blocks, said.cache_control);
        self.thought = matches!(blocks.first(), Some(Block::Thinking { .. } | Block::RedactedThinking { .. }));
        self.unthought = false;
        self.turns.push(Side::Model, blocks);
        Ok(())
    }

    fn tool_use(&mut self, call: ToolCall<'a>, place: Place, at: usize, names: &mut Names) -> Result<Block<'a>, Fault> {
        let here = format!("messages[{}].tool_calls[{at}]", place.message);
        let (Some(id), Some(function)) = (call.id, call.function) else {
            return Err(refused(here, "only calls of functions, with an id, are supported"));
        };
        let input = arguments(function.arguments)
            .ok_or_else(|| refused(format!("{here}.function.arguments"), "must be the JSON text of an object"))?;
        let name = names.fit(function.name);
        if !self.called.contains(&name) {
            self.called.push(name.clone());
        }
        Ok(Block::ToolUse { id: self.ids.fit(id), name, input, cache_control: call.cache_control })
    }

    fn tool(&mut self, said: Said<'a>, place: Place, lost: &mut Lost) -> Result<(), Fault> {
        let Some(id) = said.tool_call_id else {
            return Err(refused(format!("messages[{}].tool_call_id", place.message), "is missing"));
        };
        let result = Block::ToolResult {
            tool_use_id: self.ids.fit(id),
            content: Content(parts::read(said.content, place, lost)?),
            is_error: said.is_error.unwrap_or(false),
            cache_control: said.cache_control,
        };
        self.unthought = !self.thought;
        self.turns.push(Side::User, [result]);
        Ok(())
    }

    /// The turns, the first and the last as the vendor wants them. `prefills`: the model continues a last message of the assistant.
    pub(crate) fn close(mut self, prefills: bool, lost: &mut Lost) -> Result<Vec<Turn<'a>>, Fault> {
        if self.turns.is_empty() {
            return Err(refused("messages", "there is no message of a user with anything in it"));
        }
        let all = self.turns.len();
        self.turns.begin_with_user(|| Block::text(OPENING));
        if self.turns.len() > all {
            lost.add("messages", "the vendor wants a user to begin: a turn with a full stop was put in front");
        }
        let last = self.turns.last_mut().filter(|turn| turn.side == Side::Model);
        match last.map(|turn| &mut turn.parts) {
            Some(blocks) if prefills => trim_end(blocks),
            // Calls without results are the client's mistake, and the vendor's to name.
            Some(blocks) if !matches!(blocks.last(), Some(Block::ToolUse { .. })) => {
                lost.add(
                    "messages",
                    "the model does not continue a last message of the assistant: it is asked to go on",
                );
                self.turns.end_with_user(|| Block::text(CONTINUE));
            }
            _ => {}
        }
        Ok(self.turns.into_iter().map(turn).collect())
    }
}

/// A turn as the vendor takes it: all results of tools come before anything else.
fn turn(turn: witgate_sdk::conversation::Turn<Block<'_>>) -> Turn<'_> {
    let mut blocks = turn.parts;
    blocks.sort_by_key(|block| !matches!(block, Block::ToolResult { .. }));
    let role = if turn.side == Side::User { Role::User } else { Role::Assistant };
    Turn { role, content: Content(blocks) }
}

/// A mark on a whole message is one on its last block.
fn mark_last<'a>(blocks: &mut [Block<'a>], mark: Option<&'a RawValue>) {
    if let Some(last) = blocks.last_mut() {
        last.mark(mark);
    }
}

/// The text that the model is to continue must not end in white space.
fn trim_end(blocks: &mut [Block<'_>]) {
    if let Some(Block::Text { text, .. }) = blocks.last_mut() {
        text.trim_end();
    }
}

/// A block of thinking as it was, if the vendor signed it.
fn signed<'a>(thought: Thought<'a>, lost: &mut Lost) -> Option<Block<'a>> {
    if let Some(data) = thought.data {
        return Some(Block::RedactedThinking { data });
    }
    let Some(signature) = thought.signature.filter(|signature| !signature.is_empty()) else {
        lost.add("messages.thinking_blocks", "thinking without a signature cannot be handed back to the vendor");
        return None;
    };
    Some(Block::Thinking { thinking: thought.thinking.unwrap_or_default(), signature })
}

/// The arguments of a call as an object, every byte kept; none at all is an empty one. `None` when they are something else.
fn arguments(text: Option<Cow<'_, str>>) -> Option<Box<RawValue>> {
    let text = text.unwrap_or_default();
    let text = match text.trim() {
        "" | "null" => "{}",
        text => text,
    };
    text.starts_with('{').then(|| RawValue::from_string(text.to_owned()).ok()).flatten()
}
