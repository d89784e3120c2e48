//! Vendor messages are passed on to clients, but addresses, keys and account ids in them are not.

use std::collections::BTreeMap;

use domain::Secret;

/// The longest vendor message that is passed on, characters.
const LONGEST: usize = 2_000;

/// `text` with the channel's secrets, URLs, host names with a port and long identifiers masked.
pub(crate) fn masked(text: &str, secrets: &BTreeMap<String, Secret>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.values().map(Secret::expose).filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "[secret]");
    }
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().take(LONGEST) {
        if letter.is_whitespace() || matches!(letter, '"' | '\'' | '`' | '(' | ')' | '<' | '>' | ',' | ';' | '{' | '}')
        {
            push_word(&mut out, &word);
            word.clear();
            out.push(letter);
        } else {
            word.push(letter);
        }
    }
    push_word(&mut out, &word);
    out
}

fn push_word(out: &mut String, word: &str) {
    if word.contains("://") {
        out.push_str("[url]");
    } else if looks_like_an_id(word) {
        out.push_str("[id]");
    } else {
        out.push_str(word);
    }
}

/// Keys and account ids: at least 16 characters of letters, digits, `-`, `_`, `*` or `.` with a digit or a mask in them, or 10 and more digits.
/// Model names are shorter, or made of words and short numbers.
fn looks_like_an_id(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ':', '!', '?']);
    if word.len() >= 10 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'.');
    if word.len() < 12 || !word.bytes().all(alphabet) {
        return false;
    }
    word.contains("***")
        || word.split(['-', '_', '.']).any(|part| part.len() >= 16 && part.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_identifies_an_account_is_masked() {
        let secrets = BTreeMap::from([("key".to_owned(), Secret::new("hunter22"))]);
        for (text, expected) in [
            ("see https://vendor.test/account?key=1 now", "see [url] now"),
            ("Incorrect API key provided: sk-abcd********************wxyz.", "Incorrect API key provided: [id]"),
            ("org `org-A1b2C3d4E5f6G7h8J9` is out of quota", "org `[id]` is out of quota"),
            ("account 123456789012 is suspended", "account [id] is suspended"),
            ("your key hunter22 is wrong", "your key [secret] is wrong"),
            (
                "This model's maximum context length is 128000 tokens, gpt-4o-mini-2024-07-18",
                "This model's maximum context length is 128000 tokens, gpt-4o-mini-2024-07-18",
            ),
        ] {
            assert_eq!(masked(text, &secrets), expected);
        }
    }
}
