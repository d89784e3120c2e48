//! Keeps secrets, and what was computed from them, out of what an upstream sends back: a vendor that echoes a header must not tell the
//! guest or the client what was in it.

use std::borrow::Cow;

/// Shorter ones would be found in innocent text.
const SHORTEST: usize = 8;
/// What stands in their place.
const MASK: &str = "[secret]";

/// The texts that must not come back.
#[derive(Default)]
pub(crate) struct Veil {
    needles: Vec<String>,
}

impl Veil {
    /// Adds a value, and the forms in which an echo would show it: percent-encoded (as we send it, and as others do), and as the inside of
    /// a JSON string (of writers that escape the slash, too).
    pub(crate) fn add(&mut self, value: &[u8]) {
        let Ok(text) = std::str::from_utf8(value) else { return };
        if text.len() < SHORTEST {
            return;
        }
        let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let quoted = serde_json::Value::from(text).to_string();
        let (sent, slashed) = (crate::send::encoded(value), quoted.replace('/', "\\/"));
        for form in [text, &encoded, &sent, quoted.trim_matches('"'), slashed.trim_matches('"')] {
            if !self.needles.iter().any(|known| known == form) {
                self.needles.push(form.to_owned());
            }
        }
        // A value may hold another: the longer one first.
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
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
