//! How a request to the vendor is written: with its values joined as they leave, the test secrets in them.

use crate::evaluate::joined;
use crate::{Case, json};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use witgate_sdk::{Body, Data, Form, Part, Payload, Piece, Request};

/// The request, pretty.
pub(super) fn shown(request: &Request, case: &Case) -> Result<String, String> {
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
    put(&mut shown, "body", payload(&request.body, case)?)?;
    Ok(json::pretty(&shown.to_string()) + "\n")
}

fn put(shown: &mut Body, name: &str, json: String) -> Result<(), String> {
    shown.set_raw(name, json).map_err(|fault| fault.message)
}

/// An object in the order of the fields; a name that comes twice is there twice.
fn fields(fields: &[(String, Vec<Piece>)], case: &Case) -> Result<String, String> {
    let mut shown = Vec::new();
    for (name, pieces) in fields {
        let value = joined(pieces, &case.secrets.0)?;
        shown.push(format!("{}:{}", Value::from(name.as_str()), Value::from(value)));
    }
    Ok(format!("{{{}}}", shown.join(",")))
}

fn payload(payload: &Payload, case: &Case) -> Result<String, String> {
    Ok(match payload {
        Payload::Empty => "null".to_owned(),
        Payload::Text(text) if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => text.clone(),
        Payload::Text(text) => Value::from(text.as_str()).to_string(),
        Payload::Bytes(bytes) => json!({ "base64": BASE64_STANDARD.encode(bytes) }).to_string(),
        Payload::Held(name) => json!({ "held": name }).to_string(),
        Payload::Form(form) => self::form(form, case)?,
    })
}

fn form(form: &Form, case: &Case) -> Result<String, String> {
    let parts = form.parts.iter().map(|part| self::part(part, case)).collect::<Result<Vec<_>, _>>()?;
    Ok(format!("{{\"form\":\"{}\",\"parts\":[{}]}}", form.encoding.as_str(), parts.join(",")))
}

fn part(part: &Part, case: &Case) -> Result<String, String> {
    let mut shown = Body::new();
    shown.set("name", &part.name);
    for (name, value) in [("filename", &part.filename), ("content_type", &part.content_type)] {
        if let Some(value) = value {
            shown.set(name, value);
        }
    }
    match &part.data {
        Data::Pieces(pieces) => shown.set("value", joined(pieces, &case.secrets.0)?),
        Data::Bytes(bytes) => shown.set("base64", BASE64_STANDARD.encode(bytes)),
        Data::Held(name) => shown.set("held", name),
    }
    Ok(shown.to_string())
}
