//! Long base64 in a request stays with the host: the guest sees a short token, the wire gets the real bytes back.

use std::borrow::Cow;

use bytes::Bytes;

/// The body as the guest sees it, and what the tokens stand for.
pub(crate) struct Held<'a> {
    pub(crate) text: Cow<'a, str>,
    kept: Vec<(String, &'a str)>,
}

/// Replaces every JSON string that holds more than `over` bytes of base64 (bare, or behind `data:...;base64,`). `seed` makes the tokens
/// unguessable, so that a client cannot write one into its prompt.
pub(crate) fn hold<'a>(body: &'a str, over: usize, seed: &str) -> Held<'a> {
    let mut kept = Vec::new();
    if body.len() <= over {
        return Held { text: Cow::Borrowed(body), kept };
    }
    let mut text = String::new();
    let mut copied = 0;
    for (start, end) in strings(body).filter(|(start, end)| end - start > over) {
        let Some(from) = base64_from(&body.as_bytes()[start..end]).map(|offset| start + offset) else { continue };
        if end - from <= over {
            continue;
        }
        let token = format!("witgate-held-{seed}-{}", kept.len());
        let (Some(before), Some(payload)) = (body.get(copied..from), body.get(from..end)) else { continue };
        text.push_str(before);
        text.push_str(&token);
        kept.push((token, payload));
        copied = end;
    }
    if kept.is_empty() {
        return Held { text: Cow::Borrowed(body), kept };
    }
    text.push_str(body.get(copied..).unwrap_or_default());
    Held { text: Cow::Owned(text), kept }
}

impl Held<'_> {
    /// Puts the real bytes back.
    pub(crate) fn restore(&self, text: String) -> Bytes {
        if self.kept.is_empty() {
            return Bytes::from(text);
        }
        let extra: usize = self.kept.iter().map(|(_, payload)| payload.len()).sum();
        let mut out = String::with_capacity(text.len() + extra);
        let mut rest = text.as_str();
        // Tokens may have moved or be gone: the next one in the text is looked for each time.
        while let Some((at, token, payload)) = self
            .kept
            .iter()
            .filter_map(|(token, payload)| find_whole(rest, token).map(|at| (at, token, *payload)))
            .min_by_key(|(at, _, _)| *at)
        {
            let (before, after) = rest.split_at(at);
            out.push_str(before);
            out.push_str(payload);
            rest = after.get(token.len()..).unwrap_or_default();
        }
        out.push_str(rest);
        Bytes::from(out)
    }
}

/// `witgate-held-..-1` must not match inside `witgate-held-..-12`.
fn find_whole(text: &str, token: &str) -> Option<usize> {
    text.match_indices(token)
        .map(|(at, _)| at)
        .find(|at| !text.as_bytes().get(at + token.len()).is_some_and(u8::is_ascii_digit))
}

/// The insides of the JSON strings of `body`, as byte ranges. Strings with an escape are skipped over: base64 has none.
fn strings(body: &str) -> impl Iterator<Item = (usize, usize)> {
    let bytes = body.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes.get(at..)?.iter().position(|&byte| byte == b'"')? + 1;
        let mut end = start;
        loop {
            end += bytes.get(end..)?.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
            if bytes[end] == b'"' {
                break;
            }
            end += 2;
        }
        at = end + 1;
        Some((start, end))
    })
}

/// Where the base64 begins; `None` when the string is something else.
fn base64_from(text: &[u8]) -> Option<usize> {
    let from = if text.starts_with(b"data:") { text.iter().take(256).position(|&byte| byte == b',')? + 1 } else { 0 };
    if from > 0 && !text[..from].ends_with(b";base64,") {
        return None;
    }
    let plain = |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=');
    text[from..].iter().all(plain).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_base64_goes_out_and_comes_back() {
        let (a, b) = ("A".repeat(100), "b+/=".repeat(40));
        let prose = "not base64, but long. ".repeat(20);
        let escaped = format!("{}\\n", "C".repeat(200));
        let body = format!(r#"{{"x":"{prose}","e":"{escaped}","i":["data:image/png;base64,{a}","{b}"],"s":"AAAA"}}"#);
        let held = hold(&body, 64, "seed");
        let expected = format!(
            r#"{{"x":"{prose}","e":"{escaped}","i":["data:image/png;base64,witgate-held-seed-0","witgate-held-seed-1"],"s":"AAAA"}}"#
        );
        assert_eq!(held.text, expected);
        assert_eq!(held.restore(held.text.clone().into_owned()), body);
        assert_eq!(held.restore("witgate-held-seed-1 witgate-held-seed-0".into()), format!("{b} {a}"));
    }

    #[test]
    fn short_bodies_are_not_copied() {
        assert!(matches!(hold(r#"{"a":"AAAA"}"#, 64, "s").text, Cow::Borrowed(_)));
    }
}
