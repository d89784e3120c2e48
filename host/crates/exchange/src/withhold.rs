//! What a grant may see of an answer: everything but what could be a token. The grant then says where in the answer the token is.

use domain::Secret;
use serde_json::Value;

/// A text this long and without white space could be a token. Codes and messages of errors are shorter, or sentences.
const TOKEN_MIN: usize = 24;
/// What stands in its place.
const WITHHELD: &str = "(withheld)";
/// The headers that a grant sees; any other could carry a token.
pub(crate) const HEADERS: &[&str] = &["content-type", "date", "retry-after", "retry-after-ms"];

/// The answer without what could be a token.
pub(crate) fn withheld(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            withhold(&mut value);
            value.to_string()
        }
        Err(_) => words(text),
    }
}

fn withhold(value: &mut Value) {
    match value {
        Value::String(text) => *text = words(text),
        Value::Array(items) => items.iter_mut().for_each(withhold),
        Value::Object(fields) => {
            if fields.keys().any(|name| could_be_token(name)) {
                let kept = std::mem::take(fields).into_iter();
                *fields = kept
                    .map(|(name, value)| (if could_be_token(&name) { WITHHELD.to_owned() } else { name }, value))
                    .collect();
            }
            fields.values_mut().for_each(withhold);
        }
        _ => {}
    }
}

/// The text without its long words.
fn words(text: &str) -> String {
    if !text.split_whitespace().any(could_be_token) {
        return text.to_owned();
    }
    let shown = |word: &'_ str| -> String {
        match word.trim_end() {
            token if could_be_token(token) => format!("{WITHHELD}{}", &word[token.len()..]),
            _ => word.to_owned(),
        }
    };
    text.split_inclusive(char::is_whitespace).map(shown).collect()
}

fn could_be_token(text: &str) -> bool {
    text.len() >= TOKEN_MIN && !text.contains(char::is_whitespace)
}

/// The text at this place of an answer; an empty pointer is the whole of an answer that is no JSON.
pub(crate) fn at(answer: &str, pointer: &str) -> Option<Secret> {
    let text = match serde_json::from_str::<Value>(answer) {
        Ok(value) => value.pointer(pointer)?.as_str()?.to_owned(),
        Err(_) if pointer.is_empty() => answer.trim().to_owned(),
        Err(_) => return None,
    };
    (!text.is_empty()).then(|| Secret::new(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"access_token":"ya29.c.Kp0BCRe-abcdefghijklmnop","expires_in":3599,"error":"invalid_client","deep":[{"message":"a sentence that is longer than that"}]}"#;

    #[test]
    fn what_could_be_a_token_is_withheld_and_can_be_named() {
        let seen: Value = serde_json::from_str(&withheld(ANSWER)).unwrap();
        assert_eq!(seen["access_token"], WITHHELD);
        assert_eq!((seen["expires_in"].as_u64(), seen["error"].as_str()), (Some(3599), Some("invalid_client")));
        assert_eq!(seen["deep"][0]["message"], "a sentence that is longer than that");
        assert_eq!(at(ANSWER, "/access_token").unwrap().expose(), "ya29.c.Kp0BCRe-abcdefghijklmnop");
        assert!(at(ANSWER, "/expires_in").is_none() && at(ANSWER, "/none").is_none());
        assert_eq!(withheld("eyJhbGciOiJSUzI1NiJ9.eyJhbGciOiJSUzI1NiJ9"), WITHHELD);
        assert_eq!(withheld("token eyJhbGciOiJSUzI1NiJ9.eyJhbGciOiJSUzI1NiJ9 ok"), "token (withheld) ok");
        assert_eq!(at("plain-text-token\n", "").unwrap().expose(), "plain-text-token");
        let wordy = r#"{"note":"Bearer eyJhbGciOiJSUzI1NiJ9.eyJhbGciOiJSUzI1NiJ9 it is"}"#;
        assert_eq!(withheld(wordy), r#"{"note":"Bearer (withheld) it is"}"#);
        let names = withheld(r#"{"eyJhbGciOiJSUzI1NiJ9.eyJhbGciOiJSUzI1NiJ9":1}"#);
        assert_eq!(names, r#"{"(withheld)":1}"#);
    }
}
