//! Puts a stream together again: canonical chunks in, one whole chat completion out.

use crate::{Body, Fault};
use serde_json::{Map, Value};

/// Collects the chunks of one answer, for vendors that only stream.
#[derive(Debug, Default)]
pub struct Aggregator {
    head: Map<String, Value>,
    choices: Vec<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    index: u64,
    message: Map<String, Value>,
    finish_reason: Value,
}

impl Aggregator {
    /// Nothing yet.
    pub fn new() -> Aggregator {
        Aggregator::default()
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// `upstream-broken` when it is not a JSON object.
    pub fn push(&mut self, chunk: &str) -> Result<(), Fault> {
        let chunk: Map<String, Value> = serde_json::from_str(chunk)
            .map_err(|error| Fault::upstream_broken(format!("a chunk is not a JSON object: {error}")))?;
        for (name, value) in chunk {
            match value {
                Value::Array(choices) if name == "choices" => choices.into_iter().for_each(|choice| self.add(choice)),
                Value::Null => {}
                value if name != "object" && name != "usage" && name != "choices" => {
                    self.head.entry(name).or_insert(value);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, mut choice: Value) {
        let index = choice.get("index").and_then(Value::as_u64).unwrap_or(0);
        let at = self.choices.iter().position(|known| known.index == index).unwrap_or_else(|| {
            self.choices.push(Choice { index, ..Choice::default() });
            self.choices.len() - 1
        });
        let known = &mut self.choices[at];
        if let Some(Value::Object(delta)) = choice.get_mut("delta").map(Value::take) {
            merge(&mut known.message, delta);
        }
        if let Some(reason) = choice.get_mut("finish_reason").map(Value::take).filter(|reason| !reason.is_null()) {
            known.finish_reason = reason;
        }
    }

    /// The finish reason of the first choice, once it is known.
    pub fn finish_reason(&self) -> Option<&str> {
        self.choices.iter().find(|choice| choice.index == 0)?.finish_reason.as_str()
    }

    /// The whole answer, JSON.
    pub fn finish(mut self) -> String {
        let mut answer = Body::new();
        for (name, value) in self.head {
            answer.set(&name, value);
        }
        answer.set("object", "chat.completion");
        self.choices.sort_by_key(|choice| choice.index);
        let choices: Vec<Body> = self.choices.into_iter().map(whole_choice).collect();
        answer.set("choices", choices);
        answer.to_string()
    }
}

fn whole_choice(choice: Choice) -> Body {
    let mut message = choice.message;
    message.entry("role").or_insert_with(|| "assistant".into());
    message.entry("content").or_insert(Value::Null);
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        calls.sort_by_key(|call| call.get("index").and_then(Value::as_u64));
        for call in calls.iter_mut().filter_map(Value::as_object_mut) {
            call.remove("index");
        }
    }
    let mut whole = Body::new();
    whole.set("index", choice.index);
    whole.set("message", message);
    whole.set("finish_reason", choice.finish_reason);
    whole
}

/// Adds a delta to what is known: texts grow, list items with an `index` meet their like, names and ids are set once.
fn merge(known: &mut Map<String, Value>, delta: Map<String, Value>) {
    for (name, value) in delta {
        match (known.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(_)), Value::String(_)) if matches!(name.as_str(), "role" | "id" | "type" | "name") => {}
            (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
            (Some(Value::Object(object)), Value::Object(more)) => merge(object, more),
            (Some(Value::Array(list)), Value::Array(more)) => more.into_iter().for_each(|item| merge_item(list, item)),
            (_, value) => {
                known.insert(name, value);
            }
        }
    }
}

fn merge_item(list: &mut Vec<Value>, item: Value) {
    let index = item.get("index").filter(|index| index.is_u64()).cloned();
    let like = index.and_then(|index| list.iter_mut().find(|known| known.get("index") == Some(&index)));
    match (like, item) {
        (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
        (_, item) => list.push(item),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whole(chunks: &[Value]) -> Value {
        let mut aggregator = Aggregator::new();
        for chunk in chunks {
            aggregator.push(&chunk.to_string()).unwrap();
        }
        serde_json::from_str(&aggregator.finish()).unwrap()
    }

    fn delta(delta: Value) -> Value {
        json!({"id": "c1", "object": "chat.completion.chunk", "created": 5, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
    }

    #[test]
    fn texts_are_joined_and_the_reason_is_kept() {
        let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
        let chunks = [
            delta(json!({"role": "assistant", "content": ""})),
            delta(json!({"reasoning_content": "hm"})),
            delta(json!({"content": "a"})),
            delta(json!({"content": "b", "role": "assistant"})),
            end,
        ];
        let message = json!({"role": "assistant", "content": "ab", "reasoning_content": "hm"});
        assert_eq!(
            whole(&chunks),
            json!({"id": "c1", "object": "chat.completion", "created": 5, "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        );
    }

    #[test]
    fn tool_calls_meet_by_index() {
        let part = |index: u32, rest: Value| {
            let mut call = json!({"index": index});
            call.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            delta(json!({"tool_calls": [call]}))
        };
        let chunks = [
            part(1, json!({"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}})),
            part(0, json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{"}})),
            part(0, json!({"function": {"arguments": "}"}})),
            part(1, json!({"id": "b", "function": {"arguments": "[]"}})),
        ];
        assert_eq!(
            whole(&chunks)["choices"][0]["message"],
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "[]"}}]})
        );
    }

    #[test]
    fn several_choices_stay_apart_and_rubbish_is_refused() {
        let choice = |index: u32| json!({"choices": [{"index": index, "delta": {"content": index.to_string()}}]});
        let answer = whole(&[choice(1), choice(0)]);
        assert_eq!(answer["choices"][0]["message"]["content"], "0");
        assert_eq!(answer["choices"][1]["message"]["content"], "1");
        assert!(Aggregator::new().push("[DONE]").is_err());
    }
}
