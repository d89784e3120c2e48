//! A JSON object that is edited rather than rebuilt: what an adapter does not touch keeps its bytes and its place.

use crate::Fault;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON object whose values keep their bytes and order. Prompt caches and signatures depend on bytes, so unknown fields survive as they are.
///
/// Of fields with the same name the last one counts, as for most servers; the others are dropped when the text is parsed.
#[derive(Clone, Debug, Default)]
pub struct Body {
    fields: Vec<(String, Box<RawValue>)>,
}

impl Body {
    /// An object without fields.
    pub fn new() -> Body {
        Body::default()
    }

    /// Reads an object.
    ///
    /// # Errors
    /// `invalid-request` when the text is not a JSON object.
    pub fn parse(text: &str) -> Result<Body, Fault> {
        serde_json::from_str(text).map_err(|error| {
            let what = if error.is_data() { reason(&error) } else { error.to_string() };
            Fault::invalid_request(format!("not a JSON object: {what}"))
        })
    }

    fn place(&self, key: &str) -> Option<usize> {
        self.fields.iter().position(|(name, _)| name == key)
    }

    /// The field's value as a Rust value; `None` when there is no such field.
    ///
    /// # Errors
    /// `invalid-request` naming the field when its value has another type.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<Result<T, Fault>> {
        let read = serde_json::from_str(self.raw(key)?);
        Some(read.map_err(|error| Fault::invalid_request(format!("`{key}`: {}", reason(&error)))))
    }

    /// The field's value, where absent and `null` both mean `None`.
    ///
    /// # Errors
    /// `invalid-request` naming the field when its value has another type.
    pub fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        self.get::<Option<T>>(key).transpose().map(Option::flatten)
    }

    /// The field's value, which must be there and must not be `null`.
    ///
    /// # Errors
    /// `invalid-request` naming the field when it is missing or its value has another type.
    pub fn required<T: DeserializeOwned>(&self, key: &str) -> Result<T, Fault> {
        self.optional(key)?.ok_or_else(|| Fault::invalid_request(format!("`{key}` is required")))
    }

    /// The field's JSON text, byte for byte.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.place(key).map(|at| self.fields[at].1.get())
    }

    /// Sets a field: in its place when it is there, else at the end.
    ///
    /// # Panics
    /// When the value is none that JSON knows (a map whose keys are not text): a mistake of the adapter.
    #[expect(
        clippy::panic,
        reason = "a wrong map key type is a mistake in the adapter's code; the host reports a trap as such"
    )]
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        match serde_json::value::to_raw_value(&value) {
            Ok(raw) => self.put(key, raw),
            Err(error) => panic!("the value of `{key}` cannot be JSON: {error}"),
        }
    }

    /// Sets a field to a JSON text that is kept byte for byte.
    ///
    /// # Errors
    /// `adapter-broken` when the text is not JSON.
    pub fn set_raw(&mut self, key: &str, json: String) -> Result<(), Fault> {
        let raw = RawValue::from_string(json);
        self.put(
            key,
            raw.map_err(|error| Fault::adapter_broken(format!("the text for `{key}` is not JSON: {error}")))?,
        );
        Ok(())
    }

    fn put(&mut self, key: &str, raw: Box<RawValue>) {
        match self.place(key) {
            Some(at) => self.fields[at].1 = raw,
            None => self.fields.push((key.to_owned(), raw)),
        }
    }

    /// Takes a field out; says whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let found = self.place(key);
        if let Some(at) = found {
            self.fields.remove(at);
        }
        found.is_some()
    }

    /// Gives a field another name in its place, instead of any field that has that name already; says whether it was there.
    pub fn rename(&mut self, from: &str, to: &str) -> bool {
        if from == to || !self.contains(from) {
            return self.contains(from);
        }
        self.remove(to);
        if let Some(at) = self.place(from) {
            to.clone_into(&mut self.fields[at].0);
        }
        true
    }

    /// Whether the field is there, `null` included.
    pub fn contains(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// The names of the fields in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| name.as_str())
    }

    /// The JSON text.
    pub fn to_json(&self) -> String {
        let size: usize = self.fields.iter().map(|(name, raw)| name.len() + raw.get().len() + 4).sum();
        let mut out = String::with_capacity(size + 2);
        self.write(&mut out);
        out
    }

    /// Appends the JSON text.
    pub(crate) fn write(&self, out: &mut String) {
        out.push('{');
        for (index, (name, raw)) in self.fields.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_text(out, name);
            out.push(':');
            out.push_str(raw.get());
        }
        out.push('}');
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// serde's message without the position, which says nothing where a type is wrong.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

/// Writes a text as JSON. Most texts have nothing to escape, and every answer is made of many.
pub(crate) fn push_text(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields.iter().map(|(name, raw)| (name, raw)))
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Body, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Vec<(String, Box<RawValue>)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(16);
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Fields).map(|fields| Body { fields: last_of_each(fields) })
    }
}

/// Drops fields that a later one of the same name overrules. Sorted rather than searched: a hostile body has very many fields.
fn last_of_each(fields: Vec<(String, Box<RawValue>)>) -> Vec<(String, Box<RawValue>)> {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.sort_by(|a, b| fields[*a].0.cmp(&fields[*b].0).then(a.cmp(b)));
    let mut overruled = vec![false; fields.len()];
    for pair in order.windows(2) {
        overruled[pair[0]] = fields[pair[0]].0 == fields[pair[1]].0;
    }
    fields.into_iter().zip(overruled).filter(|(_, overruled)| !overruled).map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn untouched_values_keep_their_bytes_and_their_order() {
        let mut body = Body::parse(r#"{"z": 1.50, "model":"a", "x": {"b" : 1e2, "a":[ ]}}"#).unwrap();
        body.set("model", "gpt");
        body.set("n", 2);
        assert_eq!(body.to_string(), r#"{"z":1.50,"model":"gpt","x":{"b" : 1e2, "a":[ ]},"n":2}"#);
        assert_eq!(serde_json::to_string(&body).unwrap(), body.to_string());
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let text =
            r#"{"big":18446744073709551617,"far":1e999,"fine":0.1000,"minus":-0,"inner":{"seed":9007199254740993}}"#;
        let mut body = Body::parse(text).unwrap();
        body.set("n", 1);
        body.remove("n");
        assert_eq!(body.to_json(), text);
        let inner: Body = body.required("inner").unwrap();
        assert_eq!(inner.raw("seed"), Some("9007199254740993"));
    }

    #[test]
    fn fields_are_renamed_in_place_and_removed() {
        let mut body = Body::parse(r#"{"a":1,"b":2,"c":3}"#).unwrap();
        assert!(body.rename("a", "c"));
        assert!(!body.rename("nothing", "c"));
        assert!(body.rename("b", "b"));
        assert_eq!(body.to_string(), r#"{"c":1,"b":2}"#);
        assert!(body.remove("b") && !body.remove("b"));
        assert_eq!(body.keys().collect::<Vec<_>>(), ["c"]);
    }

    #[test]
    fn the_last_field_of_a_name_counts() {
        let body = Body::parse(r#"{"model":"a","n":1,"model":"b","model":"c"}"#).unwrap();
        assert_eq!(body.to_string(), r#"{"n":1,"model":"c"}"#);
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        let body = Body::parse(r#"{"n":"two","m":null}"#).unwrap();
        let fault = body.get::<u32>("n").unwrap().unwrap_err();
        assert_eq!(fault.code, Code::InvalidRequest);
        assert_eq!(fault.message, "`n`: invalid type: string \"two\", expected u32");
        assert_eq!(body.optional::<u32>("m"), Ok(None));
        assert_eq!(body.optional::<u32>("k"), Ok(None));
        assert_eq!(body.required::<u32>("m").unwrap_err().message, "`m` is required");
        assert!(body.get::<u32>("k").is_none());
    }

    #[test]
    fn only_objects_are_bodies() {
        for text in ["[]", "1", "", "{", r#"{"a":1} x"#] {
            assert_eq!(Body::parse(text).unwrap_err().code, Code::InvalidRequest, "{text}");
        }
        let message = "not a JSON object: invalid type: sequence, expected a JSON object";
        assert_eq!(Body::parse("[]").unwrap_err().message, message);
        assert!(Body::new().set_raw("a", "{".into()).is_err());
        assert_eq!(Body::parse(r#"{"a\"b":1}"#).unwrap().to_string(), r#"{"a\"b":1}"#);
    }
}
