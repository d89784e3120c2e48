//! From an adapter's `send` effect to a request on the wire: the endpoint becomes an address, secrets go into approved places, held bytes
//! come back. Whatever the operator did not approve is refused here.

use std::borrow::Cow;

use bytes::Bytes;
use domain::{Fault, FaultCode, Origin, Placement, PlacementSpot};
use plugin_runtime::{
    Guest,
    machine::{self, Payload, Piece},
};
use upstream::{Framing, Outgoing, Reach};
use url::Url;

use crate::{held::Held, plan::Chosen};

/// Headers that belong to the connection, not to the adapter.
const FORBIDDEN: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "accept-encoding",
];

/// Builds the outgoing request of `request`.
pub(crate) fn outgoing(
    chosen: &Chosen,
    guest: &Guest,
    held: &Held<'_>,
    request: machine::Request,
    limits: upstream::Limits,
) -> Result<Outgoing, Fault> {
    let endpoint = chosen.endpoints.iter().find(|endpoint| endpoint.name == request.endpoint).ok_or_else(|| {
        broken(format!("the adapter named an endpoint `{}` that has no address on this channel", request.endpoint))
    })?;
    let filler = Filler { chosen, guest, endpoint: &request.endpoint };
    let query = filler.query(&request.query)?;
    let url = address(&endpoint.url, &request.path, query.as_deref())?;
    let reach = reach(chosen, &url)?;
    let mut headers = filler.headers(&request.headers)?;
    let body = body(request.body, held)?;
    if !headers.contains_key(http::header::CONTENT_TYPE) && !body.is_empty() {
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    }
    let method = http::Method::from_bytes(request.method.as_bytes())
        .map_err(|_| broken(format!("the adapter named a method `{}`", request.method)))?;
    let framing = Framing::parse(&request.framing)
        .ok_or_else(|| unsupported(format!("the framing `{}` is not one of this host", request.framing)))?;
    Ok(Outgoing { method, url, headers, body, framing, limits, reach })
}

/// The base with path and query appended byte for byte; neither can leave the base.
fn address(base: &Url, path: &str, query: Option<&str>) -> Result<Url, Fault> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\'));
    let climbs =
        path.split('/').any(|segment| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."));
    if !path.starts_with('/') || path.starts_with("//") || !plain || climbs {
        return Err(broken(format!("the adapter gave a path that is not allowed: `{path}`")));
    }
    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    let mut url =
        Url::parse(&text).map_err(|error| broken(format!("the adapter's path does not make a URL: {error}")))?;
    url.set_query(query);
    if Origin::of(&url) != Origin::of(base) {
        return Err(broken("the adapter's path leads to another host".to_owned()));
    }
    Ok(url)
}

/// Whether the operator approved this address, and whether it was typed by hand (then it may be private).
fn reach(chosen: &Chosen, url: &Url) -> Result<Reach, Fault> {
    let approval = &chosen.channel.approval;
    let origin = Origin::of(url).ok_or_else(|| broken("the endpoint has no host".to_owned()))?;
    if approval.typed_origins.contains(&origin) {
        return Ok(Reach::Typed);
    }
    if approval.origins.contains(&origin) {
        return Ok(Reach::Public);
    }
    Err(refused(format!(
        "the adapter asks for {origin}, which this channel does not approve; `witgate channel set {} --approve` approves it",
        chosen.channel.name
    )))
}

fn body(payload: Payload, held: &Held<'_>) -> Result<Bytes, Fault> {
    match payload {
        Payload::Empty => Ok(Bytes::new()),
        Payload::Text(text) => Ok(held.restore(text)),
        Payload::Bytes(bytes) => Ok(Bytes::from(bytes)),
        Payload::Held(name) if name == "request" => Ok(held.restore(held.text.clone().into_owned())),
        Payload::Held(name) => Err(unsupported(format!("nothing is held under the name `{name}`"))),
        Payload::Form(_) => Err(unsupported("form bodies are not offered by this host yet".to_owned())),
        Payload::Ext(extra) => Err(unsupported(format!("the body kind `{}` is not one of this host", extra.name))),
    }
}

/// Joins pieces into values, secrets included, where a placement allows them.
struct Filler<'a> {
    chosen: &'a Chosen,
    guest: &'a Guest,
    endpoint: &'a str,
}

impl Filler<'_> {
    fn headers(&self, fields: &[machine::Field]) -> Result<http::HeaderMap, Fault> {
        let mut headers = http::HeaderMap::with_capacity(fields.len() + 2);
        for field in fields {
            let name = field.name.to_ascii_lowercase();
            if FORBIDDEN.contains(&name.as_str()) {
                return Err(broken(format!("an adapter may not set the header `{name}`")));
            }
            let (value, secret) = self.join(PlacementSpot::Header, &name, &field.value)?;
            let name = http::HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| broken(format!("`{name}` is not a header name")))?;
            let mut value = http::HeaderValue::from_bytes(&value).map_err(|_| {
                broken(format!("the value of the header `{name}` has a line break or control character"))
            })?;
            value.set_sensitive(secret);
            headers.append(name, value);
        }
        Ok(headers)
    }

    fn query(&self, fields: &[machine::Field]) -> Result<Option<String>, Fault> {
        if fields.is_empty() {
            return Ok(None);
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for field in fields {
            let (value, _) = self.join(PlacementSpot::Query, &field.name, &field.value)?;
            let value = String::from_utf8(value)
                .map_err(|_| broken(format!("the query value `{}` is not text", field.name)))?;
            query.append_pair(&field.name, &value);
        }
        Ok(Some(query.finish()))
    }

    /// The joined value, and whether a secret is in it.
    fn join(&self, spot: PlacementSpot, name: &str, pieces: &[Piece]) -> Result<(Vec<u8>, bool), Fault> {
        let mut value = Vec::new();
        let mut secret = false;
        for piece in pieces {
            let bytes: Cow<'_, [u8]> = match piece {
                Piece::Text(text) => text.as_bytes().into(),
                Piece::Secret(wanted) => {
                    secret = true;
                    let found = self.chosen.channel.secrets.get(wanted);
                    found
                        .ok_or_else(|| refused(format!("the channel has no secret `{wanted}`")))?
                        .expose()
                        .as_bytes()
                        .into()
                }
                Piece::Opaque(number) => {
                    secret = true;
                    let found = self.guest.opaque(*number);
                    found.ok_or_else(|| broken(format!("there is no opaque value {number}")))?.into()
                }
                Piece::Ext(extra) => {
                    return Err(unsupported(format!("the piece `{}` is not one of this host", extra.name)));
                }
            };
            value.extend_from_slice(&bytes);
        }
        if secret {
            self.allow(spot, name)?;
        }
        Ok((value, secret))
    }

    fn allow(&self, spot: PlacementSpot, name: &str) -> Result<(), Fault> {
        let placement = Placement { endpoint: self.endpoint.to_owned(), spot, name: name.to_owned() };
        if !self.chosen.adapter.provider().placements.contains(&placement) {
            return Err(broken(format!(
                "the adapter put a secret into {placement}, which its catalog does not declare"
            )));
        }
        if !self.chosen.channel.approval.placements.contains(&placement) {
            return Err(refused(format!(
                "the adapter asks to put a secret into {placement}, which this channel does not approve; `witgate channel set {} --approve` approves it",
                self.chosen.channel.name
            )));
        }
        Ok(())
    }
}

fn broken(what: String) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model failed").with_detail(what)
}

fn refused(what: String) -> Fault {
    Fault::new(FaultCode::EgressRefused, "the gateway refused to send this request; its operator can see why")
        .with_detail(what)
}

fn unsupported(what: String) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model needs a newer gateway").with_detail(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_base() {
        let base = Url::parse("https://a.test/v1").unwrap();
        assert_eq!(address(&base, "/x/%2Fy", Some("k=v")).unwrap().as_str(), "https://a.test/v1/x/%2Fy?k=v");
        for path in
            ["x", "//evil.test", "/../x", "/%2e%2E/x", "/x?y", "/x#y", "/a b", "/\\evil", "@evil.test/", ".evil.test/"]
        {
            assert!(address(&base, path, None).is_err(), "{path}");
        }
    }
}
