//! Settings given as `NAME=VALUE` texts: each is read as the type that the provider's JSON Schema gives it, then the whole is checked.

use domain::{Channel, Provider};
use serde_json::{Map, Value};

use super::Offer;

/// Puts texts over a channel's settings and checks the result.
pub(super) fn set(channel: &mut Channel, offer: &Offer, texts: &[(String, String)], errors: &mut Vec<String>) {
    let provider = &*offer.provider;
    let schema: Value = serde_json::from_str(&provider.settings_schema).unwrap_or_default();
    let mut settings: Map<String, Value> = serde_json::from_str(&channel.settings).unwrap_or_default();
    let before = errors.len();
    for (name, text) in texts {
        if text.is_empty() {
            settings.remove(name);
            continue;
        }
        match read(&schema, provider, name, text) {
            Ok(value) => {
                settings.insert(name.clone(), value);
            }
            Err(error) => errors.push(error),
        }
    }
    channel.settings = Value::Object(settings).to_string();
    // What could not be read is missing now; complaints about that would only confuse.
    if errors.len() == before
        && let Err(wrong) = (offer.check_settings)(&channel.settings)
    {
        errors.extend(wrong);
    }
}

fn read(schema: &Value, provider: &Provider, name: &str, text: &str) -> Result<Value, String> {
    let Some(property) = schema.get("properties").and_then(|properties| properties.get(name)) else {
        // A schema that takes any name says so; silence would hide a mistyped name.
        return match schema.get("additionalProperties") {
            Some(Value::Bool(true) | Value::Object(_)) => Ok(guess(text)),
            _ => Err(unknown(schema, provider, name)),
        };
    };
    let kinds: Vec<&str> = match property.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(guess(text)),
    };
    if kinds.contains(&"string") {
        return Ok(Value::String(text.to_owned()));
    }
    let value: Result<Value, _> = serde_json::from_str(text);
    let fits = |value: &Value| kinds.iter().any(|kind| is(value, kind));
    match value {
        Ok(value) if fits(&value) => Ok(value),
        _ => Err(format!("setting `{name}`: `{text}` is not of type {}", kinds.join(" or "))),
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

/// Without a type: JSON when it is JSON, else the text itself.
fn guess(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn unknown(schema: &Value, provider: &Provider, name: &str) -> String {
    let known: Vec<_> = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|properties| properties.keys())
        .map(|known| format!("`{known}`"))
        .collect();
    let has = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
    format!("provider `{}` has no setting `{name}`; {has}", provider.id)
}
