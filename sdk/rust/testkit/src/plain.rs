//! Which messages of a relayed answer pass an adapter by.

use serde_json::Value;

/// Whether the host may pass a message on by itself: a chunk with choices, and nothing in it that somebody must act on.
pub(crate) fn is_plain(data: &str) -> bool {
    let Ok(chunk) = serde_json::from_str::<Value>(data) else { return false };
    let absent = |name: &str| chunk.get(name).is_none_or(Value::is_null);
    let open = |choice: &Value| choice.get("finish_reason").is_none_or(Value::is_null);
    chunk.get("object").and_then(Value::as_str) == Some("chat.completion.chunk")
        && absent("usage")
        && absent("error")
        && chunk.get("choices").and_then(Value::as_array).is_some_and(|list| !list.is_empty() && list.iter().all(open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_that_nobody_must_act_on_are_plain() {
        let chunk = |rest: &str| format!(r#"{{"object":"chat.completion.chunk",{rest}}}"#);
        assert!(is_plain(&chunk(r#""choices":[{"delta":{},"finish_reason":null}],"usage":null,"error":null"#)));
        for rest in [
            r#""choices":[]"#,
            r#""choices":[{"finish_reason":"stop"}]"#,
            r#""choices":[{}],"usage":{}"#,
            r#""choices":[{}],"error":{}"#,
            r#""x":1"#,
        ] {
            assert!(!is_plain(&chunk(rest)), "{rest}");
        }
        assert!(!is_plain("[DONE]") && !is_plain(r#"{"choices":[{}]}"#));
    }
}
