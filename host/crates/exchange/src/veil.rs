//! Keeps secrets, and what was computed from them, out of what an upstream sends back: a vendor that echoes a header must not tell the
//! guest or the client what was in it.

use std::borrow::Cow;

/// Shorter ones would be found in innocent text.
const SHORTEST: usize = 8;
/// A line of a secret with several is looked for by itself when it is this long.
const LINE: usize = 16;
/// What stands in their place.
const MASK: &str = "[secret]";

/// The texts that must not come back.
#[derive(Default)]
pub(crate) struct Veil {
    needles: Vec<String>,
}

impl Veil {
    /// Adds a value, and the forms in which an echo would show it: percent-encoded (as we send it, and as others do), as the inside of a
    /// JSON string (of writers that escape the slash, too), line by line; what is no text in hex.
    pub(crate) fn add(&mut self, value: &[u8]) {
        if value.len() < SHORTEST {
            return;
        }
        let everything = percent_encoding::percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut forms = vec![everything, crate::send::encoded(value)];
        match std::str::from_utf8(value) {
            Ok(text) => {
                let quoted = serde_json::Value::from(text).to_string();
                forms.push(quoted.replace('/', "\\/").trim_matches('"').to_owned());
                forms.push(quoted.trim_matches('"').to_owned());
                // A PEM comes back in lines.
                forms.extend(text.lines().filter(|line| line.len() >= LINE).map(str::to_owned));
                forms.push(text.to_owned());
            }
            Err(_) => forms.push(value.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
        for form in forms {
            if !self.needles.contains(&form) {
                self.needles.push(form);
            }
        }
        // A value may hold another: the longer one first.
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    }

    /// Bytes of the longest text that is looked for.
    pub(crate) fn longest(&self) -> usize {
        self.needles.first().map_or(0, String::len)
    }

    /// The text without them.
    pub(crate) fn text(&self, text: String) -> String {
        match self.over(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => masked,
        }
    }

    /// The text without them, copied only when there was one.
    pub(crate) fn over<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Cow::Borrowed(text);
        for needle in &self.needles {
            if memchr::memmem::find(masked.as_bytes(), needle.as_bytes()).is_some() {
                masked = Cow::Owned(masked.replace(needle.as_str(), MASK));
            }
        }
        masked
    }

    /// Bytes without them.
    pub(crate) fn bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let found = self.needles.iter().any(|needle| memchr::memmem::find(&bytes, needle.as_bytes()).is_some());
        if !found {
            return bytes;
        }
        // Binary data with a secret in it is an echo, not a picture.
        self.over(&String::from_utf8_lossy(&bytes)).into_owned().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_masked_in_every_form() {
        let mut veil = Veil::default();
        veil.add(b"sk-abc/def+123");
        veil.add(b"Bearer sk-abc/def+123");
        veil.add(b"a\"quoted\"one");
        veil.add(b"short");
        let echo = r#"{"a":"Bearer sk-abc/def+123","b":"sk-abc/def+123","u":"k=sk%2Dabc%2Fdef%2B123","w":"k=sk-abc%2Fdef%2B123","p":"sk-abc\/def+123","q":"a\"quoted\"one","s":"short"}"#;
        let expected = r#"{"a":"[secret]","b":"[secret]","u":"k=[secret]","w":"k=[secret]","p":"[secret]","q":"[secret]","s":"short"}"#;
        assert_eq!(veil.text(echo.to_owned()), expected);
        assert!(matches!(veil.over("nothing here"), Cow::Borrowed(_)));
        assert_eq!(veil.bytes(b"\xff sk-abc/def+123".to_vec()), "\u{fffd} [secret]".as_bytes());
    }
}
