//! Fix-ups that make a compatible server's choice canonical: the same for chunks and whole answers, each only where it is needed.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::splice::Splice;
use crate::wire::{Said, ToolCall};

/// The tool calls of one streamed choice, by the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    ids: Vec<String>,
    /// The server's index and the place in `ids` it stands for now.
    slots: Vec<(u32, usize)>,
}

impl Calls {
    /// Whether a tool was called.
    pub(crate) fn any(&self) -> bool {
        !self.ids.is_empty()
    }

    /// The canonical index of a piece of a call, and whether the call begins with it. Servers number parallel calls all 0, or not at all.
    fn place(&mut self, call: &ToolCall<'_>) -> (usize, bool) {
        let key = call.index.unwrap_or(u32::MAX);
        let id = call.id.as_deref().unwrap_or("");
        let named = call
            .function
            .as_ref()
            .is_some_and(|function| function.name.as_deref().is_some_and(|name| !name.is_empty()));
        let slot = self.slots.iter().position(|(index, _)| *index == key);
        if let Some(slot) = slot {
            let at = self.slots[slot].1;
            let other = named && !id.is_empty() && !self.ids[at].is_empty() && self.ids[at] != id;
            if !other {
                return (at, false);
            }
            self.slots.remove(slot);
        }
        self.ids.push(id.to_owned());
        self.slots.push((key, self.ids.len() - 1));
        (self.ids.len() - 1, true)
    }
}

/// Makes what a choice says canonical. `calls` is the state of a streamed choice; a whole message has none.
pub(crate) fn said<'a>(splice: &mut Splice<'a>, said: &Said<'a>, calls: Option<&mut Calls>) {
    if let (Some(reasoning), None) = (said.reasoning, said.reasoning_content)
        && reasoning.get().starts_with('"')
    {
        splice.rename("reasoning", reasoning.get(), "reasoning_content");
    }
    if let Some(content) = said.content.map(RawValue::get).filter(|raw| raw.starts_with('[')) {
        let reasons = said.reasoning.is_some() || said.reasoning_content.is_some();
        if let Some(flat) = flatten(content, reasons) {
            splice.replace(content, flat);
        }
    }
    let Some(raw) = said.tool_calls.map(RawValue::get) else { return };
    let Ok(pieces) = serde_json::from_str::<Vec<ToolCall<'_>>>(raw) else { return };
    if pieces.is_empty() {
        splice.remove("tool_calls", raw);
    } else if let Some(mended) = tool_calls(raw, &pieces, calls) {
        splice.replace(raw, mended);
    }
}

/// The text of a content that came in parts, with what was thought as a member beside it; `None` when there are parts of other kinds.
fn flatten(content: &str, reasons: bool) -> Option<String> {
    let parts: Vec<Value> = serde_json::from_str(content).ok()?;
    let (mut text, mut thought) = (String::new(), String::new());
    for part in &parts {
        match part["type"].as_str()? {
            "text" => text.push_str(part["text"].as_str()?),
            "thinking" => {
                for piece in part["thinking"].as_array()? {
                    thought.push_str(piece["text"].as_str().unwrap_or_default());
                }
            }
            "reference" => {}
            _ => return None,
        }
    }
    let text = Value::from(text).to_string();
    if thought.is_empty() || reasons {
        return Some(text);
    }
    Some(format!("{text},\"reasoning_content\":{}", Value::from(thought)))
}

/// The tool calls with a canonical index, a type where a call begins, and arguments as text; `None` when they are so already.
fn tool_calls(raw: &str, pieces: &[ToolCall<'_>], mut calls: Option<&mut Calls>) -> Option<String> {
    let mut wanted = Vec::with_capacity(pieces.len());
    let mut odd = false;
    for piece in pieces {
        let placed = calls.as_deref_mut().map(|calls| calls.place(piece));
        let begins = placed.is_none_or(|(_, begins)| begins);
        let index = placed.map(|(index, _)| index as u32);
        let untyped = begins && piece.function.is_some() && piece.r#type.as_deref().is_none_or(str::is_empty);
        let arguments = piece.function.as_ref().and_then(|function| function.arguments).map(RawValue::get);
        let unquoted = arguments.filter(|raw| raw.starts_with(['{', '[']));
        odd |= untyped || unquoted.is_some() || (index.is_some() && index != piece.index);
        wanted.push((index, untyped, unquoted));
    }
    if !odd {
        return None;
    }
    let mut whole: Vec<Value> = serde_json::from_str(raw).ok()?;
    for (call, (index, untyped, unquoted)) in whole.iter_mut().zip(wanted) {
        if let Some(index) = index {
            call["index"] = index.into();
        }
        if untyped {
            call["type"] = "function".into();
        }
        if let Some(arguments) = unquoted {
            call["function"]["arguments"] = arguments.into();
        }
    }
    serde_json::to_string(&whole).ok()
}

/// Why a choice ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish<'a> {
    /// It has not.
    Open,
    /// For this canonical reason, or one that is unknown here and passed on.
    Reason(&'a str),
    /// The vendor gave up; `true` when it was busy.
    Failed(bool),
}

/// Reads a finish reason and makes it canonical where it lies. `called`: a tool was called, which some servers end with `stop`.
pub(crate) fn finish<'a>(splice: &mut Splice<'a>, raw: Option<&'a RawValue>, called: bool) -> Finish<'a> {
    let Some(raw) = raw.map(RawValue::get) else { return Finish::Open };
    let said = raw.trim_matches('"');
    let reason = match said {
        "null" if raw == said => return Finish::Open,
        "" | "null" => {
            splice.replace(raw, "null");
            return Finish::Open;
        }
        "error" => return Finish::Failed(false),
        "insufficient_system_resource" => return Finish::Failed(true),
        "stop" | "eos" | "eos_token" | "end_turn" if called => "tool_calls",
        "eos" | "eos_token" | "end_turn" => "stop",
        "model_length" | "max_tokens" => "length",
        other => other,
    };
    if reason != said {
        splice.replace(raw, format!("\"{reason}\""));
    }
    Finish::Reason(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(delta: &str, calls: Option<&mut Calls>) -> String {
        let parsed: Said<'_> = serde_json::from_str(delta).unwrap();
        let mut splice = Splice::new(delta);
        said(&mut splice, &parsed, calls);
        splice.finish()
    }

    #[test]
    fn what_is_canonical_is_not_touched() {
        for delta in [
            r#"{"role": "assistant", "content":null, "reasoning_content":"r"}"#,
            r#"{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}"#,
            r#"{"content":[{"type":"image_url","image_url":{}}]}"#,
            r#"{"reasoning":{"effort":"high"}}"#,
            r#"{"tool_calls":null}"#,
        ] {
            assert_eq!(mended(delta, Some(&mut Calls::default())), delta);
        }
    }

    #[test]
    fn reasoning_gets_the_name_that_clients_read() {
        assert_eq!(mended(r#"{"content":"", "reasoning":"hm"}"#, None), r#"{"content":"", "reasoning_content":"hm"}"#);
        let both = r#"{"reasoning":"hm","reasoning_content":"hm"}"#;
        assert_eq!(mended(both, None), both);
        let parts =
            r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]},{"type":"text","text":"Hi"}]}"#;
        assert_eq!(mended(parts, None), r#"{"content":"Hi","reasoning_content":"Hm"}"#);
    }

    #[test]
    fn parallel_calls_under_one_index_are_told_apart() {
        let mut calls = Calls::default();
        let call = |id: &str| {
            format!(
                r#"{{"tool_calls":[{{"index":0,"id":"{id}","type":"function","function":{{"name":"f","arguments":""}}}}]}}"#
            )
        };
        let index = |delta: &str, calls: &mut Calls| -> u64 {
            let value: Value = serde_json::from_str(&mended(delta, Some(calls))).unwrap();
            value["tool_calls"][0]["index"].as_u64().unwrap()
        };
        assert_eq!(index(&call("a"), &mut calls), 0);
        assert_eq!(index(&call("a"), &mut calls), 0);
        assert_eq!(index(&call("b"), &mut calls), 1);
        assert_eq!(index(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#, &mut calls), 1);
    }

    #[test]
    fn calls_of_older_servers_become_canonical() {
        let delta = r#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":{"x":1.50}}}]}"#;
        let value: Value = serde_json::from_str(&mended(delta, Some(&mut Calls::default()))).unwrap();
        let expected = serde_json::json!([{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1.50}"}}]);
        assert_eq!(value["tool_calls"], expected);
        assert_eq!(mended(r#"{"content":"a","tool_calls":[]}"#, None), r#"{"content":"a"}"#);
    }

    #[test]
    fn finish_reasons_become_canonical() {
        let check = |json: &str, called: bool, text: &str, expected: Finish<'_>| {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let mut splice = Splice::new(raw.get());
            assert_eq!(finish(&mut splice, Some(raw), called), expected, "{json}");
            assert_eq!(splice.finish(), text, "{json}");
        };
        check(r#""""#, false, "null", Finish::Open);
        check("null", false, "null", Finish::Open);
        check(r#""stop""#, false, r#""stop""#, Finish::Reason("stop"));
        check(r#""stop""#, true, r#""tool_calls""#, Finish::Reason("tool_calls"));
        check(r#""eos""#, false, r#""stop""#, Finish::Reason("stop"));
        check(r#""model_length""#, false, r#""length""#, Finish::Reason("length"));
        check(r#""length""#, true, r#""length""#, Finish::Reason("length"));
        check(r#""error""#, false, r#""error""#, Finish::Failed(false));
    }
}
