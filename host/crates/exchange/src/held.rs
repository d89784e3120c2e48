//! Long base64 in a request, and files that were fetched for it, stay with the host: the guest sees a short token, the wire gets the real
//! bytes.

use std::borrow::Cow;

use base64::Engine as _;
use bytes::Bytes;
use domain::Fault;

use crate::driver::{broken, unsupported};

/// How often each held file may stand in a request, on average: a token is short, what it stands for is not.
const REPEATS: usize = 4;

/// The body as the guest sees it, and what the tokens stand for.
pub(crate) struct Held<'a> {
    pub(crate) text: Cow<'a, str>,
    /// What every token begins with; its number follows.
    prefix: String,
    kept: Vec<Cow<'a, str>>,
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
        kept.push(Cow::Borrowed(payload));
        copied = end;
    }
    if kept.is_empty() {
        return Held { text: Cow::Borrowed(body), prefix, kept };
    }
    text.push_str(body.get(copied..).unwrap_or_default());
    Held { text: Cow::Owned(text), prefix, kept }
}

impl Held<'_> {
    /// For machines without a client.
    pub(crate) fn nothing() -> Held<'static> {
        Held { text: Cow::Borrowed(""), prefix: "witgate-held-".to_owned(), kept: Vec::new() }
    }

    /// How many bytes of files one request may have.
    pub(crate) fn room(&self) -> usize {
        REPEATS * self.kept.iter().map(|payload| payload.len()).sum::<usize>()
    }

    /// Keeps a file and returns the token that stands for its base64.
    pub(crate) fn keep(&mut self, file: &[u8]) -> String {
        let token = format!("{}{}", self.prefix, self.kept.len());
        self.kept.push(Cow::Owned(base64::engine::general_purpose::STANDARD.encode(file)));
        token
    }

    /// The base64 that a token stands for.
    pub(crate) fn base64(&self, token: &str) -> Option<String> {
        let number = token.strip_prefix(&self.prefix)?.parse::<usize>().ok()?;
        self.kept.get(number).map(|kept| kept.clone().into_owned())
    }

    /// The bytes that a token stands for.
    pub(crate) fn file(&self, token: &str) -> Result<Bytes, Fault> {
        let number = token.strip_prefix(&self.prefix).and_then(|number| number.parse::<usize>().ok());
        let kept = number.and_then(|number| self.kept.get(number));
        let unknown = || unsupported(&format!("a file held under the name `{}`", token.escape_debug()));
        let kept = kept.ok_or_else(unknown)?;
        let decoded = base64::engine::general_purpose::STANDARD.decode(kept.as_bytes());
        decoded.map(Bytes::from).map_err(|_| unsupported("bytes of what is no standard base64"))
    }

    /// Puts the real bytes back, in one pass: tokens may have moved, be doubled or be gone.
    ///
    /// # Errors
    /// A text that repeats its tokens so often that four times their bytes would not do.
    pub(crate) fn restore(&self, text: String) -> Result<Bytes, Fault> {
        if self.kept.is_empty() {
            return Ok(Bytes::from(text));
        }
        let extra: usize = self.kept.iter().map(|payload| payload.len()).sum();
        let most = text.len() + self.room();
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
            if out.len() > most {
                return Err(repeated());
            }
            rest = behind;
        }
        out.push_str(rest);
        Ok(Bytes::from(out))
    }
}

/// The fault of an adapter that makes much of little.
pub(crate) fn repeated() -> Fault {
    broken("the adapter repeated files of the request in its own".to_owned())
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
        assert_eq!(held.restore(held.text.clone().into_owned()).unwrap(), body);
        let moved = "witgate-held-seed-1 witgate-held-seed-0 witgate-held-seed-7 witgate-held-seed-";
        let back = format!("{b} {a} witgate-held-seed-7 witgate-held-seed-");
        assert_eq!(held.restore(moved.into()).unwrap(), back);
        assert!(held.restore("witgate-held-seed-0 ".repeat(50)).is_err());
    }

    #[test]
    fn fetched_files_are_held_too() {
        let mut held = hold("{}", 64, "seed");
        let token = held.keep(b"\x89PNG");
        assert_eq!(held.restore(format!("[\"{token}\"]")).unwrap(), "[\"iVBORw==\"]");
        assert_eq!(held.file(&token).unwrap().as_ref(), b"\x89PNG");
        assert!(held.file("witgate-held-seed-9").is_err() && held.file("request").is_err());
    }

    #[test]
    fn short_bodies_are_not_copied() {
        assert!(matches!(hold(r#"{"a":"AAAA"}"#, 64, "s").text, Cow::Borrowed(_)));
    }
}
