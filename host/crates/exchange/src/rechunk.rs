//! A whole answer as a stream, for models that cannot stream: at most ten pieces of text per choice.

use serde_json::{Map, Value, json};

/// The most pieces that a text is cut into.
const PIECES: usize = 10;
/// Shorter pieces than this are not worth a pause, characters.
const PIECE_MIN: usize = 80;

/// A chunk, and whether it may wait a little before it is sent.
pub(crate) struct Piece {
    pub(crate) json: String,
    pub(crate) pause: bool,
}

/// The chunks that say the same as the whole answer `json`; the first carries the role. `None` when it has no choices. `stamp` is `id` and
/// `created`, JSON.
pub(crate) fn rechunked(json: &str, model_json: &str, stamp: &(String, String)) -> Option<Vec<Piece>> {
    let whole: Value = serde_json::from_str(json).ok()?;
    let choices = whole.get("choices")?.as_array().filter(|choices| !choices.is_empty())?;
    let mut head = Map::new();
    head.insert("id".into(), serde_json::from_str(&stamp.0).ok()?);
    head.insert("object".into(), "chat.completion.chunk".into());
    head.insert("created".into(), serde_json::from_str(&stamp.1).ok()?);
    head.insert("model".into(), serde_json::from_str(model_json).ok()?);
    for name in ["system_fingerprint", "service_tier"] {
        if let Some(value) = whole.get(name) {
            head.insert(name.into(), value.clone());
        }
    }
    let mut pieces = Vec::new();
    for choice in choices {
        let index = choice.get("index").cloned().unwrap_or_else(|| 0.into());
        let mut push = |delta: Value, finish: Value, pause: bool| {
            let mut chunk = head.clone();
            chunk.insert("choices".into(), json!([{"index": index, "delta": delta, "finish_reason": finish}]));
            pieces.push(Piece { json: Value::Object(chunk).to_string(), pause });
        };
        push(json!({"role": "assistant", "content": ""}), Value::Null, false);
        let message = choice.get("message").and_then(Value::as_object);
        for (name, value) in message.into_iter().flatten() {
            match (name.as_str(), value) {
                ("role", _) | (_, Value::Null) => {}
                ("content" | "reasoning_content" | "reasoning" | "refusal", Value::String(text)) => {
                    for (at, part) in parts(text).into_iter().enumerate() {
                        push(json!({ name: part }), Value::Null, at > 0);
                    }
                }
                ("tool_calls", Value::Array(calls)) => {
                    for (at, call) in calls.iter().enumerate() {
                        let mut call = call.clone();
                        if let Some(call) = call.as_object_mut() {
                            call.insert("index".into(), at.into());
                        }
                        push(json!({ "tool_calls": [call] }), Value::Null, false);
                    }
                }
                (_, other) => push(json!({ name: other }), Value::Null, false),
            }
        }
        push(json!({}), choice.get("finish_reason").cloned().unwrap_or_else(|| "stop".into()), false);
    }
    Some(pieces)
}

/// Cuts between characters, into equal parts.
fn parts(text: &str) -> Vec<String> {
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
        let stamp = ("\"x\"".to_owned(), "5".to_owned());
        let chunks = rechunked(&whole.to_string(), "\"m\"", &stamp).unwrap();
        assert_eq!(chunks.len(), 1 + PIECES + 1 + 2 + 1);
        let mut assembly = Assembly::default();
        chunks.iter().for_each(|chunk| assembly.push(&chunk.json).unwrap());
        assert_eq!(chunks.iter().filter(|chunk| chunk.pause).count(), PIECES - 1);
        let mut expected = whole;
        expected["model"] = "m".into();
        assert_eq!(serde_json::from_str::<Value>(&assembly.finish()).unwrap(), expected);
        assert!(rechunked(r#"{"choices":[]}"#, "\"m\"", &stamp).is_none());
        let odd = r#"{"choices":[{"message":{"tool_calls":["x"]}}]}"#;
        assert_eq!(rechunked(odd, "\"m\"", &stamp).unwrap().len(), 3, "an odd tool call is passed on as it is");
    }
}
