//! Request bodies that are forms: their fields are the only part of a body in which a secret may stand.

use bytes::Bytes;
use domain::{Fault, PlacementSpot};
use plugin_runtime::machine::{Data, Form, Part};

use crate::{
    driver::{broken, unsupported},
    fill::Filler,
    held::{Held, repeated},
    send::encoded,
};

/// The body and its content type.
pub(crate) fn body(form: Form, filler: &Filler<'_>, held: &Held<'_>) -> Result<(Bytes, String), Fault> {
    match form.encoding.as_str() {
        "urlencoded" => {
            let body = urlencoded(&form.parts, filler)?;
            Ok((Bytes::from(body), "application/x-www-form-urlencoded".to_owned()))
        }
        "multipart" => {
            // Long and random: no part can contain it by chance, and no client can guess it.
            let boundary = format!("witgate-{:032x}", rand::random::<u128>());
            let body = multipart(form.parts, &boundary, filler, held)?;
            Ok((Bytes::from(body), format!("multipart/form-data; boundary={boundary}")))
        }
        other => Err(unsupported(&format!("the form encoding `{other}`"))),
    }
}

fn urlencoded(parts: &[Part], filler: &Filler<'_>) -> Result<String, Fault> {
    let mut body = String::new();
    for part in parts {
        let Data::Pieces(pieces) = &part.data else {
            return Err(broken(format!("the part `{}` of an urlencoded form is no text", part.name)));
        };
        let value = filler.join(PlacementSpot::Form, &part.name, pieces)?.value;
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(&encoded(part.name.as_bytes()));
        body.push('=');
        body.push_str(&encoded(&value));
    }
    Ok(body)
}

fn multipart(parts: Vec<Part>, boundary: &str, filler: &Filler<'_>, held: &Held<'_>) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let mut room = held.room();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\ncontent-disposition: form-data; name=\"").as_bytes());
        body.extend_from_slice(quoted(&part.name)?.as_bytes());
        body.push(b'"');
        if let Some(filename) = &part.filename {
            body.extend_from_slice(format!("; filename=\"{}\"", quoted(filename)?).as_bytes());
        }
        if let Some(kind) = &part.content_type {
            body.extend_from_slice(format!("\r\ncontent-type: {}", quoted(kind)?).as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        match part.data {
            Data::Pieces(pieces) => body.extend(filler.join(PlacementSpot::Form, &part.name, &pieces)?.value),
            Data::Bytes(bytes) => body.extend(bytes),
            Data::Held(name) => {
                let file = held.file(&name)?;
                room = room.checked_sub(file.len()).ok_or_else(repeated)?;
                body.extend_from_slice(&file);
            }
            Data::Ext(extra) => return Err(unsupported(&format!("the part `{}`", extra.name))),
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(body)
}

/// A name inside quotes of a part's header: what could end it is encoded as browsers do, what could end the line is refused.
fn quoted(text: &str) -> Result<String, Fault> {
    if text.chars().any(char::is_control) {
        return Err(broken(format!("the part name {text:?} of a form has a line break or control character")));
    }
    Ok(text.replace('"', "%22"))
}
