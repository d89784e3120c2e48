//! A stream as one whole answer, for clients that did not ask for a stream of an adapter that only streams.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The answer so far.
#[derive(Clone, Default)]
pub(crate) struct Assembly {
    head: Map<String, Value>,
    choices: BTreeMap<u64, Map<String, Value>>,
}

impl Assembly {
    /// Adds a canonical chunk. The error says what is wrong with it.
    pub(crate) fn push(&mut self, chunk: &str) -> Result<(), String> {
        let chunk: Value = serde_json::from_str(chunk).map_err(|error| format!("a chunk is not JSON: {error}"))?;
        let Value::Object(chunk) = chunk else { return Err("a chunk is not an object".into()) };
        for (name, value) in chunk {
            match (name.as_str(), value) {
                ("choices", Value::Array(choices)) => choices.into_iter().for_each(|choice| self.choice(choice)),
                ("object" | "obfuscation", _) | (_, Value::Null) => {}
                (_, value) => {
                    self.head.insert(name, value);
                }
            }
        }
        Ok(())
    }

    fn choice(&mut self, choice: Value) {
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
        let whole = self.choices.entry(index).or_default();
        let Value::Object(choice) = choice else { return };
        for (name, value) in choice {
            match (name.as_str(), value) {
                ("delta", Value::Object(delta)) => {
                    let message =
                        whole.entry("message").or_insert_with(|| json!({"role": "assistant", "content": null}));
                    merge(message, Value::Object(delta));
                }
                ("index" | "delta", _) => {}
                ("logprobs", value) => merge(whole.entry("logprobs").or_insert(Value::Null), value),
                (_, Value::Null) => {}
                (_, value) => {
                    whole.insert(name, value);
                }
            }
        }
    }

    /// The whole answer, JSON.
    pub(crate) fn finish(self) -> String {
        let choices: Vec<Value> = self
            .choices
            .into_iter()
            .map(|(index, mut choice)| {
                choice.insert("index".into(), index.into());
                choice.entry("finish_reason").or_insert_with(|| "stop".into());
                if let Some(message) = choice.get_mut("message") {
                    drop_positions(message);
                }
                if choice.get("logprobs").is_some_and(Value::is_null) {
                    choice.remove("logprobs");
                }
                Value::Object(choice)
            })
            .collect();
        let mut whole = self.head;
        whole.insert("object".into(), "chat.completion".into());
        whole.insert("choices".into(), choices.into());
        Value::Object(whole).to_string()
    }
}

/// Adds a delta: texts are joined, indexed lists merged by index, other lists joined, the rest replaced.
fn merge(into: &mut Value, delta: Value) {
    match (into, delta) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(delta)) => {
            for (name, value) in delta {
                match name.as_str() {
                    "role" | "id" | "type" | "index" | "name" if into.get(&name).is_some_and(|v| !v.is_null()) => {}
                    _ => merge(into.entry(name).or_insert(Value::Null), value),
                }
            }
        }
        (Value::String(into), Value::String(delta)) => into.push_str(&delta),
        (into @ Value::Null, Value::Array(delta)) => {
            *into = json!([]);
            merge(into, Value::Array(delta));
        }
        (Value::Array(into), Value::Array(delta)) => delta.into_iter().for_each(|item| merge_item(into, item)),
        (into, delta) => *into = delta,
    }
}

/// Items with an `index` are merged by it, wherever the vendor starts to count; items without one are added.
fn merge_item(into: &mut Vec<Value>, item: Value) {
    let index = item.get("index").filter(|index| index.is_number()).cloned();
    match index.and_then(|index| into.iter_mut().find(|known| known.get("index") == Some(&index))) {
        Some(known) => merge(known, item),
        None => into.push(item),
    }
}

/// A whole answer has no positions in its lists.
fn drop_positions(message: &mut Value) {
    for list in message.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_array_mut) {
        list.iter_mut().filter_map(Value::as_object_mut).for_each(|item| {
            item.remove("index");
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_become_one_answer() {
        let mut assembly = Assembly::default();
        for delta in [
            json!({"role": "assistant", "content": ""}),
            json!({"content": "Hel"}),
            json!({"content": "lo", "tool_calls": [{"index": 1, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
            json!({"tool_calls": [{"index": 1, "function": {"arguments": "{\"x\":"}}]}),
            json!({"tool_calls": [{"index": 1, "function": {"arguments": "1}"}}, {"index": 2, "id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
        ] {
            let chunk = json!({"id": "i", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
            assembly.push(&chunk.to_string()).unwrap();
        }
        let last = json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]});
        assembly.push(&last.to_string()).unwrap();
        let whole: Value = serde_json::from_str(&assembly.finish()).unwrap();
        assert_eq!(
            whole,
            json!({"id": "i", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
                "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "Hello", "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                    {"id": "b", "function": {"name": "g", "arguments": "{}"}}]}}]})
        );
    }
}
