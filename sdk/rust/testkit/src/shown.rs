//! How requests and effects are written in a case's files.

use crate::run::Happening;
use crate::{Case, json};
use serde_json::{Value, json};
use witgate_sdk::{Body, Effect, Fault, Opaque, Payload, Piece, Request, Usage};

/// The request to the vendor, pretty.
pub(crate) fn request(request: &Request, case: &Case) -> Result<String, String> {
    let mut shown = Body::new();
    shown.set("method", &request.method);
    shown.set("endpoint", &request.endpoint);
    shown.set("path", &request.path);
    for (name, fields) in [("query", &request.query), ("headers", &request.headers)] {
        if !fields.is_empty() {
            put(&mut shown, name, self::fields(fields, case)?)?;
        }
    }
    shown.set("framing", request.framing.as_str());
    put(&mut shown, "body", payload(&request.body))?;
    Ok(json::pretty(&shown.to_string()) + "\n")
}

fn put(shown: &mut Body, name: &str, json: String) -> Result<(), String> {
    shown.set_raw(name, json).map_err(|fault| fault.message)
}

/// An object in the order of the fields; a name that comes twice is there twice.
fn fields(fields: &[(String, Vec<Piece>)], case: &Case) -> Result<String, String> {
    let mut shown = Vec::new();
    for (name, pieces) in fields {
        let value = pieces.iter().map(|piece| self::piece(piece, case)).collect::<Result<String, String>>()?;
        shown.push(format!("{}:{}", Value::from(name.as_str()), Value::from(value)));
    }
    Ok(format!("{{{}}}", shown.join(",")))
}

fn piece(piece: &Piece, case: &Case) -> Result<String, String> {
    match piece {
        Piece::Text(text) => Ok(text.clone()),
        Piece::Secret(name) => known_secret(name, case).map(|()| format!("{{secret:{name}}}")),
        Piece::Opaque(value) => known_secrets(value, case).map(|()| format!("{{opaque:{value}}}")),
    }
}

fn known_secret(name: &str, case: &Case) -> Result<(), String> {
    if case.secrets.iter().any(|known| known == name) {
        return Ok(());
    }
    Err(format!("the request holds the secret `{name}`, which is not set in case.json"))
}

fn known_secrets(value: &Opaque, case: &Case) -> Result<(), String> {
    match value {
        Opaque::Secret(name) => known_secret(name, case),
        Opaque::Text(_) => Ok(()),
        Opaque::Concat(values) => values.iter().try_for_each(|value| known_secrets(value, case)),
        Opaque::Hmac(_, key, data) => known_secrets(key, case).and_then(|()| known_secrets(data, case)),
        Opaque::Hash(_, data) | Opaque::Encode(_, data) => known_secrets(data, case),
    }
}

fn payload(payload: &Payload) -> String {
    match payload {
        Payload::Empty => "null".to_owned(),
        Payload::Text(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => text.clone(),
        Payload::Text(text) => Value::from(text.as_str()).to_string(),
        Payload::Bytes(bytes) => json!({ "bytes": bytes.len() }).to_string(),
        Payload::Held(name) => json!({ "held": name }).to_string(),
        Payload::Form(parts) => {
            let part = |part: &witgate_sdk::Part| json!({"name": part.name, "filename": part.filename, "data": format!("{:?}", part.data)});
            Value::from(parts.iter().map(part).collect::<Vec<_>>()).to_string()
        }
    }
}

/// Everything else, a line each.
pub(crate) fn happenings(happenings: &[Happening]) -> Result<String, String> {
    let lines = happenings.iter().map(happening).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("[\n  {}\n]\n", lines.join(",\n  ")))
}

fn happening(happening: &Happening) -> Result<String, String> {
    let (name, json) = match happening {
        Happening::Relayed(data) => ("relayed", canonical(data)?),
        Happening::Effect(effect) => match effect {
            Effect::Emit(text) => ("emit", canonical(text)?),
            Effect::Relay(id) => ("relay", id.to_string()),
            Effect::Usage(usage) => ("usage", self::usage(usage)),
            Effect::Loss { field, what } => {
                ("loss", object([("field", field.as_str().into()), ("what", what.as_str().into())]))
            }
            Effect::Finish(reason) => ("finish", Value::from(reason.as_str()).to_string()),
            Effect::Fail(fault) => ("fail", self::fault(fault)),
            other => ("effect", Value::from(format!("{other:?}")).to_string()),
        },
    };
    Ok(format!("{{\"{name}\": {json}}}"))
}

/// What a client gets must be a chat completion or a chunk of one.
fn canonical(text: &str) -> Result<String, String> {
    let body = Body::parse(text).map_err(|fault| format!("emitted {text:?}: {}", fault.message))?;
    match body.get::<String>("object") {
        Some(Ok(object)) if matches!(object.as_str(), "chat.completion" | "chat.completion.chunk") => {
            Ok(text.to_owned())
        }
        _ => Err(format!("emitted what is neither a chat.completion nor a chunk of one: {text}")),
    }
}

fn usage(usage: &Usage) -> String {
    let mut shown = Body::new();
    for (class, count) in &usage.amounts {
        shown.set(class.as_str(), count);
    }
    if usage.estimated {
        shown.set("estimated", true);
    }
    shown.to_string()
}

fn fault(fault: &Fault) -> String {
    let mut shown = Body::new();
    shown.set("code", fault.code.as_str());
    shown.set("status", fault.status);
    if let Some(ms) = fault.retry_after_ms {
        shown.set("retry_after_ms", ms);
    }
    shown.set("message", &fault.message);
    if !fault.vendor.is_empty() {
        shown.set("vendor", &fault.vendor);
    }
    shown.to_string()
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> String {
    let mut shown = Body::new();
    for (name, value) in fields {
        shown.set(name, value);
    }
    shown.to_string()
}
