//! Tool calls: put together from what a vendor streams, and cut into the deltas that clients expect.

use crate::Call;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// The tool calls of one answer, by the vendor's own numbers for them.
///
/// Clients want `index` counted over tool calls alone, the id, the type and the name once, and arguments that are a JSON object when all
/// of them are joined. Vendors number content blocks, leave ids out and send nothing for a call without arguments.
///
/// ```
/// use witgate_sdk::{Call, ToolCalls};
///
/// let mut calls = ToolCalls::new(&Call { seed: "0123456789abcdef".into(), ..Call::default() });
/// // The content block 3 is the first tool call.
/// assert_eq!(calls.begin(3, "t1", "find").to_string(),
///     r#"[{"function":{"arguments":"","name":"find"},"id":"t1","index":0,"type":"function"}]"#);
/// assert_eq!(calls.more(3, "{\"a\":1}").unwrap().to_string(), r#"[{"function":{"arguments":"{\"a\":1}"},"index":0}]"#);
/// assert!(calls.end(3).is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ToolCalls {
    calls: Vec<(u32, ToolCall)>,
    seed: String,
}

/// One call, complete once its answer is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// The call's id, which the tool's result names.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, a JSON text.
    pub arguments: String,
    /// Other fields beside `id` and `function`, such as `extra_content`.
    pub extra: Map<String, Value>,
}

impl ToolCall {
    /// As OpenAI lists it in a message.
    pub fn to_value(&self) -> Value {
        let arguments = if self.arguments.trim().is_empty() { "{}" } else { &self.arguments };
        let mut value =
            json!({"id": self.id, "type": "function", "function": {"name": self.name, "arguments": arguments}});
        if let Some(object) = value.as_object_mut() {
            object.extend(self.extra.clone());
        }
        value
    }
}

impl ToolCalls {
    /// None yet. The call's seed makes ids for vendors that send none.
    pub fn new(call: &Call) -> ToolCalls {
        ToolCalls { calls: Vec::new(), seed: call.seed.chars().take(16).collect() }
    }

    /// A call begins; `key` is the vendor's number for it. Gives the delta for [`Chunk::tool_calls`](crate::Chunk). An empty id is made up.
    pub fn begin(&mut self, key: u32, id: &str, name: &str) -> Value {
        let index = self.calls.len();
        let id = if id.is_empty() { format!("call_{}_{index}", self.seed) } else { id.to_owned() };
        let delta =
            json!([{"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]);
        self.calls.push((key, ToolCall { id, name: name.to_owned(), ..ToolCall::default() }));
        delta
    }

    /// More of a call's arguments. Gives the delta; none when there is nothing to say, or no such call.
    pub fn more(&mut self, key: u32, arguments: &str) -> Option<Value> {
        let (index, call) = self.find(key)?;
        call.arguments.push_str(arguments);
        (!arguments.is_empty()).then(|| json!([{"index": index, "function": {"arguments": arguments}}]))
    }

    /// The call is complete. Gives a last delta when it had no arguments: clients read an empty object.
    pub fn end(&mut self, key: u32) -> Option<Value> {
        let empty = self.find(key).is_some_and(|(_, call)| call.arguments.trim().is_empty());
        if empty { self.more(key, "{}") } else { None }
    }

    /// A call that came whole. Gives the delta, with everything in it. `arguments` may be any value: a text is taken as it is, and `null` is
    /// an empty object.
    pub fn whole(&mut self, id: &str, name: &str, arguments: &Value) -> Value {
        let key = u32::MAX - u32::try_from(self.calls.len()).unwrap_or(0); // of no vendor's numbering
        let mut delta = self.begin(key, id, name);
        let arguments = match arguments {
            Value::String(text) => text.clone(),
            Value::Null => "{}".to_owned(),
            value => value.to_string(),
        };
        delta[0]["function"]["arguments"] = arguments.as_str().into();
        if let Some((_, call)) = self.find(key) {
            call.arguments = arguments;
        }
        delta
    }

    /// A field beside the function of the last call, such as `extra_content`, for [`ToolCalls::list`].
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some((_, call)) = self.calls.last_mut() {
            call.extra.insert(name.to_owned(), value.into());
        }
    }

    fn find(&mut self, key: u32) -> Option<(usize, &mut ToolCall)> {
        let at = self.calls.iter().rposition(|(known, _)| *known == key)?;
        Some((at, &mut self.calls[at].1))
    }

    /// Whether this call has begun.
    pub fn contains(&self, key: u32) -> bool {
        self.calls.iter().any(|(known, _)| *known == key)
    }

    /// Whether there was none: then the answer did not end with `tool_calls`.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.calls.iter().map(|(_, call)| call)
    }

    /// All of them, for [`Completion::tool_calls`](crate::Completion).
    pub fn list(&self) -> impl Serialize + use<> {
        self.calls().map(ToolCall::to_value).collect::<Vec<_>>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> ToolCalls {
        ToolCalls::new(&Call { seed: "00112233445566778899".into(), ..Call::default() })
    }

    #[test]
    fn calls_are_counted_on_their_own_and_put_together() {
        let mut calls = calls();
        assert!(calls.is_empty() && calls.more(9, "x").is_none());
        calls.begin(1, "a", "f");
        let second = calls.begin(4, "", "g");
        assert_eq!((second[0]["index"].as_u64(), second[0]["id"].as_str()), (Some(1), Some("call_0011223344556677_1")));
        assert_eq!(calls.more(1, "{\"x\":").unwrap()[0]["index"], 0);
        calls.more(1, "1}");
        assert_eq!(calls.more(4, ""), None);
        assert_eq!(calls.end(1), None);
        assert_eq!(calls.end(4).unwrap()[0]["function"]["arguments"], "{}");
        let list = serde_json::to_value(calls.list()).unwrap();
        assert_eq!(
            list,
            json!([{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "call_0011223344556677_1", "type": "function", "function": {"name": "g", "arguments": "{}"}}])
        );
    }

    #[test]
    fn calls_that_come_whole_are_one_delta() {
        let mut calls = calls();
        for (arguments, expected) in [(json!({"b": 1}), "{\"b\":1}"), (Value::Null, "{}"), ("{}".into(), "{}")] {
            assert_eq!(calls.whole("i", "f", &arguments)[0]["function"]["arguments"], expected);
        }
        calls.set("extra_content", json!({"google": {"thought_signature": "s"}}));
        let last = calls.calls().last().unwrap().to_value();
        assert_eq!(last["extra_content"]["google"]["thought_signature"], "s");
        assert_eq!(calls.calls().count(), 3);
    }
}
