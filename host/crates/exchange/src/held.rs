//! Long base64 in a request stays with the host: the guest sees a short token, the wire gets the real bytes back.

use std::borrow::Cow;

use bytes::Bytes;

/// The body as the guest sees it, and what the tokens stand for.
pub(crate) struct Held<'a> {
    pub(crate) text: Cow<'a, str>,
    /// What every token begins with; its number follows.
    prefix: String,
    kept: Vec<&'a str>,
}

/// Replaces every JSON string that holds more than `over` bytes of base64 (bare, or behind `data:...;base64,`). `seed` makes the tokens
/// unguessable, so that a client cannot write one into its prompt.
pub(crate) fn hold<'a>(body: &'a str, over: usize, seed: &str) -> Held<'a> {
    let prefix = format!("witgate-held-{seed}-");
    let mut kept = Vec::new();
    if body.len() <= over {
        return Held { text: Cow::Borrowed(body), prefix, kept };
    }
    let mut text = String::new();
    let mut copied = 0;
    for (start, end) in strings(body).filter(|(start, end)| end - start > over) {
        let Some(from) = base64_from(&body.as_bytes()[start..end]).map(|offset| start + offset) else { continue };
        if end - from <= over {
            continue;
        }
        let (Some(before), Some(payload)) = (body.get(copied..from), body.get(from..end)) else { continue };
        text.push_str(before);
        text.push_str(&prefix);
        text.push_str(&kept.len().to_string());
        kept.push(payload);
        copied = end;
    }
    if kept.is_empty() {
        return Held { text: Cow::Borrowed(body), prefix, kept };
    }
    text.push_str(body.get(copied..).unwrap_or_default());
    Held { text: Cow::Owned(text), prefix, kept }
}

impl Held<'_> {
    /// Puts the real bytes back, in one pass: tokens may have moved, be doubled or be gone.
    pub(crate) fn restore(&self, text: String) -> Bytes {
        if self.kept.is_empty() {
            return Bytes::from(text);
        }
        let extra: usize = self.kept.iter().map(|payload| payload.len()).sum();
        let mut out = String::with_capacity(text.len() + extra);
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(&self.prefix) {
            out.push_str(before);
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (number, behind) = after.split_at(digits);
            match number.parse::<usize>().ok().and_then(|number| self.kept.get(number)) {
                Some(payload) => out.push_str(payload),
                None => {
                    out.push_str(&self.prefix);
                    out.push_str(number);
                }
            }
            rest = behind;
        }
        out.push_str(rest);
        Bytes::from(out)
    }
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
        let moved = "witgate-held-seed-1 witgate-held-seed-0 witgate-held-seed-7 witgate-held-seed-";
        let back = format!("{b} {a} witgate-held-seed-7 witgate-held-seed-");
        assert_eq!(held.restore(moved.into()), back);
    }

    #[test]
    fn short_bodies_are_not_copied() {
        assert!(matches!(hold(r#"{"a":"AAAA"}"#, 64, "s").text, Cow::Borrowed(_)));
    }
}
