//! Vendor messages are passed on to clients, but addresses, keys and account ids in them are not.

use std::collections::BTreeMap;

use domain::Secret;

/// The longest vendor message that is passed on, characters.
const LONGEST: usize = 2_000;

/// `text` with the channel's secrets, URLs, host names with a port or path, and long identifiers masked.
pub(crate) fn masked(text: &str, secrets: &BTreeMap<String, Secret>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.values().map(Secret::expose).filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "[secret]");
    }
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().take(LONGEST) {
        if letter.is_ascii_graphic()
            && !matches!(letter, '"' | '\'' | '`' | '(' | ')' | '<' | '>' | ',' | ';' | '{' | '}' | '|')
        {
            word.push(letter);
        } else {
            push_word(&mut out, &word);
            word.clear();
            out.push(letter);
        }
    }
    push_word(&mut out, &word);
    out
}

/// A run of printable ASCII without quotes, brackets and commas.
fn push_word(out: &mut String, word: &str) {
    if let Some(at) = word.find("://") {
        let (before, _) = word.split_at(at);
        out.push_str(before.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric()));
        out.push_str("[url]");
        return;
    }
    let start = word.rfind(['=', '@']).map_or(0, |at| at + 1);
    let (before, tail) = word.split_at(start);
    if is_address(tail) {
        push_pieces(out, before);
        out.push_str("[url]");
    } else {
        push_pieces(out, word);
    }
}

/// Masks identifiers in a word: they may stand behind a `key=` or between slashes.
fn push_pieces(out: &mut String, word: &str) {
    let mut rest = word;
    while !rest.is_empty() {
        let length = rest.bytes().take_while(|&byte| in_id(byte)).count();
        let (piece, behind) = rest.split_at(length);
        out.push_str(if looks_like_an_id(piece) { "[id]" } else { piece });
        let other = behind.bytes().take_while(|&byte| !in_id(byte)).count();
        let (separators, behind) = behind.split_at(other);
        out.push_str(separators);
        rest = behind;
    }
}

/// A dotted host with a port or a path behind it.
fn is_address(word: &str) -> bool {
    let Some(end) = word.find(['/', ':']) else { return false };
    let (host, behind) = word.split_at(end);
    let labels: Vec<&str> = host.split('.').collect();
    let is_label =
        |label: &&str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let top = labels.last().copied().unwrap_or_default();
    let numeric = labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok());
    let named = labels.len() >= 2 && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
    let followed = behind.starts_with('/') || behind.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    labels.iter().all(is_label) && (numeric || named) && followed
}

fn in_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'.')
}

/// Keys and account ids: ten and more digits, or at least 12 characters with `***` or a part of 16 and more with a digit in it. Model names are
/// shorter, or made of words and short numbers.
fn looks_like_an_id(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    if word.len() >= 10 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let long = |part: &str| part.len() >= 16 && part.bytes().any(|byte| byte.is_ascii_digit());
    word.len() >= 12 && (word.contains("***") || word.split(['-', '_', '.']).any(long))
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
            ("无效的密钥sk-abcd1234efgh5678ijkl9012：请检查", "无效的密钥[id]：请检查"),
            ("key:sk-zz***********wxyz org=org-A1b2C3d4E5f6G7h8J9", "key:[id] org=[id]"),
            ("api.vendor.test/acct/12345678901234 and 10.0.0.7:8443", "[url] and [url]"),
            ("host=api.vendor.test:443, at 12:30, v1.2/3", "host=[url], at 12:30, v1.2/3"),
            (
                "This model's maximum context length is 128000 tokens, gpt-4o-mini-2024-07-18",
                "This model's maximum context length is 128000 tokens, gpt-4o-mini-2024-07-18",
            ),
        ] {
            assert_eq!(masked(text, &secrets), expected);
        }
    }
}
