//! A first look at canonical JSON (chunks and whole answers) without rebuilding it: the top level keeps its order and bytes.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The top level of a JSON object: names in their order, values as they came.
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The last value of this name; `null` counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value);
        found.filter(|value| value.get() != "null")
    }

    /// How often the name occurs.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(key, _)| key == name).count()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some(Name(name)) = map.next_key()? {
                    fields.push((name, map.next_value()?));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(Object)
    }
}

/// A key that borrows where it can: serde's own `Cow` always copies in key position.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(Name)
    }
}

/// What kind of canonical JSON this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `chat.completion.chunk`.
    Chunk,
    /// `chat.completion`.
    Whole,
    /// `list`: of embeddings.
    List,
    /// Anything else.
    Other,
}

/// The parts of a choice that the host looks at.
#[derive(Deserialize)]
pub(crate) struct Choice {
    pub(crate) delta: Option<Said>,
    pub(crate) message: Option<Said>,
    pub(crate) finish_reason: Option<String>,
}

/// What was said: the texts that count as output.
#[derive(Deserialize)]
pub(crate) struct Said {
    pub(crate) content: Option<String>,
    pub(crate) reasoning_content: Option<String>,
    pub(crate) reasoning: Option<String>,
    pub(crate) refusal: Option<String>,
    pub(crate) tool_calls: Option<Box<RawValue>>,
}

/// Canonical JSON, looked at.
pub(crate) struct Look<'a> {
    text: &'a str,
    fields: Object<'a>,
    pub(crate) kind: Kind,
    /// `None`: not an array, or of a shape we do not know.
    pub(crate) choices: Option<Vec<Choice>>,
}

impl<'a> Look<'a> {
    /// `None`: not a JSON object.
    pub(crate) fn at(text: &'a str) -> Option<Look<'a>> {
        let fields: Object<'a> = serde_json::from_str(text).ok()?;
        let kind = match fields.get("object").map(RawValue::get) {
            Some("\"chat.completion.chunk\"") => Kind::Chunk,
            Some("\"chat.completion\"") => Kind::Whole,
            Some("\"list\"") if fields.get("data").is_some() => Kind::List,
            _ => Kind::Other,
        };
        let choices = fields.get("choices").and_then(|raw| serde_json::from_str(raw.get()).ok());
        Some(Look { text, fields, kind, choices })
    }

    /// A chunk that only carries text or tool-call fragments: the host may pass it on without asking the adapter.
    pub(crate) fn is_plain(&self) -> bool {
        self.kind == Kind::Chunk
            && self.fields.get("usage").is_none()
            && self.fields.get("error").is_none()
            && self.choices.as_ref().is_some_and(|choices| {
                !choices.is_empty()
                    && choices.iter().all(|choice| choice.finish_reason.is_none() && choice.delta.is_some())
            })
    }

    /// Has usage and nothing else to say.
    pub(crate) fn is_only_usage(&self) -> bool {
        self.choices.as_ref().is_some_and(Vec::is_empty) && self.fields.get("usage").is_some()
    }

    /// Bytes of it.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The raw value of a top-level field.
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.fields.get(name)
    }

    /// Adds what was said to `produced`, for counting tokens where the vendor reports none.
    pub(crate) fn collect_text(&self, produced: &mut String) {
        for choice in self.choices.iter().flatten() {
            for said in [&choice.delta, &choice.message].into_iter().flatten() {
                for text in
                    [&said.content, &said.reasoning_content, &said.reasoning, &said.refusal].into_iter().flatten()
                {
                    produced.push_str(text);
                }
                if let Some(calls) = &said.tool_calls {
                    produced.push_str(calls.get());
                }
            }
        }
    }

    /// The text with `model` replaced and, when asked, usage left out; everything else byte for byte.
    pub(crate) fn rewritten(&self, model_json: &str, drop_usage: bool) -> Cow<'a, str> {
        let same_model = self.fields.get("model").is_some_and(|raw| raw.get() == model_json);
        let drops = drop_usage && self.fields.count("usage") > 0;
        if same_model && !drops {
            return Cow::Borrowed(self.text);
        }
        let mut out = String::with_capacity(self.text.len() + model_json.len() + 16);
        let mut seen_model = false;
        out.push('{');
        for (name, value) in &self.fields.0 {
            if drops && name == "usage" {
                continue;
            }
            let is_model = name == "model";
            seen_model |= is_model;
            push_field(&mut out, name, if is_model { model_json } else { value.get() });
        }
        if !seen_model {
            push_field(&mut out, "model", model_json);
        }
        out.push('}');
        Cow::Owned(out)
    }

    /// The whole answer with `model` replaced and `usage` set when the answer has none.
    pub(crate) fn completed(&self, model_json: &str, usage_json: Option<&str>) -> String {
        let mut out = self.rewritten(model_json, self.fields.get("usage").is_none()).into_owned();
        if let (None, Some(usage)) = (self.fields.get("usage"), usage_json) {
            out.pop();
            push_field(&mut out, "usage", usage);
            out.push('}');
        }
        out
    }
}

fn push_field(out: &mut String, name: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    out.push_str(&serde_json::Value::from(name).to_string());
    out.push(':');
    out.push_str(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: &str = r#"{"id":"1","object":"chat.completion.chunk", "zeta":1,"model":"up","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":null}"#;

    #[test]
    fn only_text_is_plain() {
        assert!(Look::at(CHUNK).unwrap().is_plain());
        for odd in [
            CHUNK.replace("\"finish_reason\":null", "\"finish_reason\":\"stop\""),
            CHUNK.replace("\"usage\":null", "\"usage\":{\"prompt_tokens\":1}"),
            CHUNK.replace("\"usage\":null", "\"error\":{\"message\":\"x\"}"),
            CHUNK.replace("{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}", ""),
            CHUNK.replace("\"hi\"", "[1]"),
            CHUNK.replace(".chunk", ""),
        ] {
            assert!(!Look::at(&odd).unwrap().is_plain(), "{odd}");
        }
        assert!(Look::at("[DONE]").is_none());
    }

    #[test]
    fn rewriting_touches_nothing_else() {
        let look = Look::at(CHUNK).unwrap();
        assert_eq!(look.rewritten("\"up\"", false), CHUNK);
        let expected =
            CHUNK.replace("\"up\"", "\"public\"").replace(", \"zeta\"", ",\"zeta\"").replace(",\"usage\":null", "");
        assert_eq!(look.rewritten("\"public\"", true), expected);
        let mut text = String::new();
        look.collect_text(&mut text);
        assert_eq!(text, "hi");
    }

    #[test]
    fn a_whole_answer_gets_usage_only_when_it_has_none() {
        let bare = r#"{"object":"chat.completion","choices":[]}"#;
        let done = Look::at(bare).unwrap().completed("\"m\"", Some("{\"total_tokens\":3}"));
        assert_eq!(done, r#"{"object":"chat.completion","choices":[],"model":"m","usage":{"total_tokens":3}}"#);
        let own = r#"{"object":"chat.completion","model":"m","usage":{"total_tokens":9,"x":1}}"#;
        assert_eq!(Look::at(own).unwrap().completed("\"m\"", Some("{}")), own);
    }
}
