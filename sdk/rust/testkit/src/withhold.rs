//! What a grant sees of an answer: everything but what could be a token.

use serde_json::Value;

/// A text this long and without white space could be a token.
const TOKEN_MIN: usize = 24;
const WITHHELD: &str = "(withheld)";
/// The headers that a grant sees.
pub(crate) const HEADERS: [&str; 4] = ["content-type", "date", "retry-after", "retry-after-ms"];

/// The answer without what could be a token.
pub(crate) fn withheld(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(value) => without(value).to_string(),
        Err(_) => text.split_inclusive(char::is_whitespace).map(word).collect(),
    }
}

/// The token at this place of the answer.
pub(crate) fn at(answer: &str, pointer: &str) -> Option<String> {
    let token = match serde_json::from_str::<Value>(answer) {
        Ok(value) => value.pointer(pointer)?.as_str()?.to_owned(),
        Err(_) if pointer.is_empty() => answer.trim().to_owned(),
        Err(_) => return None,
    };
    (!token.is_empty()).then_some(token)
}

fn without(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(hidden(text)),
        Value::Array(items) => items.into_iter().map(without).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (hidden(name), without(value))).collect(),
        other => other,
    }
}

fn hidden(text: String) -> String {
    if text.len() >= TOKEN_MIN && !text.contains(char::is_whitespace) { WITHHELD.to_owned() } else { text }
}

fn word(word: &str) -> &str {
    if word.trim().len() >= TOKEN_MIN { WITHHELD } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_token_is_withheld_and_can_be_named() {
        let answer = r#"{"expires_in": 60, "note": "a sentence that is longer", "t": ["0123456789abcdef01234567"]}"#;
        assert_eq!(withheld(answer), r#"{"expires_in":60,"note":"a sentence that is longer","t":["(withheld)"]}"#);
        assert_eq!(at(answer, "/t/0").as_deref(), Some("0123456789abcdef01234567"));
        assert_eq!((at(answer, "/expires_in"), at(answer, "/x")), (None, None));
        assert_eq!(withheld("token 0123456789abcdef01234567\n"), "token (withheld)");
        assert_eq!(at("plain\n", "").as_deref(), Some("plain"));
    }
}
