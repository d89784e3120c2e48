//! Our own count of tokens, for vendors that report none. The vocabulary is compiled in; nothing is ever fetched.

use bytes::Bytes;
use domain::{TokenClass, Usage};
use serde_json::Value;

/// What a message costs beside its text: role and separators, tokens.
const PER_MESSAGE: usize = 4;

/// Bytes that are counted; what comes after them is taken to be like them. Counting takes a second for some megabytes.
const COUNTED_MAX: usize = 1 << 20;

/// More tokens than a body of this many bytes can have: a token is at least one byte.
pub(crate) fn upper_bound(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Counts a request and what was produced for it. Marked estimated. Runs off the async threads: a long text takes milliseconds.
pub(crate) async fn estimate(request: Bytes, produced: String) -> Usage {
    let counted = tokio::task::spawn_blocking(move || {
        let mut prompt = String::new();
        let mut messages = 0;
        if let Ok(body) = serde_json::from_slice::<Value>(&request) {
            messages = body.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
            for name in ["messages", "tools", "functions", "input"] {
                collect(body.get(name), &mut prompt);
            }
        }
        (tokens(&prompt) + messages * PER_MESSAGE, tokens(&produced))
    });
    let (input, output) = counted.await.unwrap_or((0, 0));
    let count = |tokens: usize| u32::try_from(tokens).unwrap_or(u32::MAX);
    Usage { counts: [(TokenClass::Input, count(input)), (TokenClass::Output, count(output))].into(), estimated: true }
}

fn tokens(text: &str) -> usize {
    if text.is_empty() {
        return 0;
    }
    let (counted, rest) = text.split_at(text.floor_char_boundary(COUNTED_MAX));
    let tokens =
        tiktoken::get_encoding("o200k_base").map_or(counted.len() / 3, |encoding| encoding.encode(counted).len());
    tokens + (rest.len() as u64 * tokens as u64 / counted.len().max(1) as u64) as usize
}

/// Every text of a value; binary data in URLs is not text.
fn collect(value: Option<&Value>, into: &mut String) {
    match value {
        Some(Value::String(text)) if !text.starts_with("data:") => {
            into.push_str(text);
            into.push('\n');
        }
        Some(Value::Array(items)) => items.iter().for_each(|item| collect(Some(item), into)),
        Some(Value::Object(fields)) => fields.values().for_each(|item| collect(Some(item), into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn texts_are_counted_and_images_are_not() {
        let image = "A".repeat(100_000);
        let body = serde_json::json!({"messages": [{"role": "user", "content": [
            {"type": "text", "text": "How many tokens are in this sentence?"},
            {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{image}")}}]}]});
        let usage = estimate(body.to_string().into(), "About eight of them.".into()).await;
        assert!(usage.estimated);
        assert!((8..40).contains(&usage.prompt_tokens()), "{usage:?}");
        assert!((4..8).contains(&usage.completion_tokens()), "{usage:?}");
    }
}
