//! A whole answer as a stream, for models that cannot stream: at most ten pieces of text per choice.

use serde_json::{Map, Value, json};

/// The most pieces that a text is cut into.
const PIECES: usize = 10;
/// Shorter pieces than this are not worth a pause, characters.
const PIECE_MIN: usize = 80;

/// The chunks that say the same as the whole answer `json`; the first carries the role. `None` when it has no choices.
pub(crate) fn rechunked(json: &str, model_json: &str) -> Option<Vec<String>> {
    let whole: Value = serde_json::from_str(json).ok()?;
    let choices = whole.get("choices")?.as_array().filter(|choices| !choices.is_empty())?;
    let model: Value = serde_json::from_str(model_json).ok()?;
    let chunk = |choice: Value| {
        let mut chunk = Map::new();
        chunk.insert("id".into(), whole.get("id").cloned().unwrap_or_else(|| "chatcmpl-witgate".into()));
        chunk.insert("object".into(), "chat.completion.chunk".into());
        chunk.insert("created".into(), whole.get("created").cloned().unwrap_or_else(|| 0.into()));
        chunk.insert("model".into(), model.clone());
        for name in ["system_fingerprint", "service_tier"] {
            if let Some(value) = whole.get(name) {
                chunk.insert(name.into(), value.clone());
            }
        }
        chunk.insert("choices".into(), json!([choice]));
        Value::Object(chunk).to_string()
    };
    let mut chunks = Vec::new();
    for choice in choices {
        let index = choice.get("index").cloned().unwrap_or_else(|| 0.into());
        let mut delta = |delta: Value| {
            chunks.push(chunk(json!({"index": index, "delta": delta, "finish_reason": null})));
        };
        delta(json!({"role": "assistant", "content": ""}));
        let message = choice.get("message").and_then(Value::as_object);
        for (name, value) in message.into_iter().flatten() {
            match (name.as_str(), value) {
                ("role", _) | (_, Value::Null) => {}
                ("content" | "reasoning_content" | "reasoning" | "refusal", Value::String(text)) => {
                    pieces(text).into_iter().for_each(|piece| delta(json!({ name: piece })));
                }
                ("tool_calls", Value::Array(calls)) => {
                    for (at, call) in calls.iter().enumerate() {
                        let mut call = call.clone();
                        call["index"] = at.into();
                        delta(json!({ "tool_calls": [call] }));
                    }
                }
                (_, other) => delta(json!({ name: other })),
            }
        }
        let reason = choice.get("finish_reason").cloned().unwrap_or_else(|| "stop".into());
        chunks.push(chunk(json!({"index": index, "delta": {}, "finish_reason": reason})));
    }
    Some(chunks)
}

/// Cuts between characters, into equal parts.
fn pieces(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = letters.len().div_ceil(PIECE_MIN).clamp(1, PIECES);
    letters.chunks(letters.len().div_ceil(count).max(1)).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::Assembly;

    #[test]
    fn chunks_say_the_same_as_the_whole() {
        let text = "水 and wine. ".repeat(200);
        let whole = json!({"id": "x", "object": "chat.completion", "created": 5, "model": "up", "choices": [{
            "index": 0, "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": text, "reasoning_content": "hm", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}}]});
        let chunks = rechunked(&whole.to_string(), "\"m\"").unwrap();
        assert_eq!(chunks.len(), 1 + PIECES + 1 + 2 + 1);
        let mut assembly = Assembly::default();
        chunks.iter().for_each(|chunk| assembly.push(chunk).unwrap());
        let mut expected = whole;
        expected["model"] = "m".into();
        assert_eq!(serde_json::from_str::<Value>(&assembly.finish()).unwrap(), expected);
        assert!(rechunked(r#"{"choices":[]}"#, "\"m\"").is_none());
    }
}
