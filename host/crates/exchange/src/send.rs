//! From the adapter's request to one that can be sent: endpoint name to address, pieces to values. Whatever the operator did not approve
//! is refused here.

use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{Fault, Origin, PlacementSpot, Secret};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use plugin_runtime::{
    Guest,
    machine::{self, Payload},
};
use upstream::{Framing, Outgoing, Reach};
use url::Url;

use crate::{
    chosen::Chosen,
    driver::{broken, refused, unsupported},
    fill::Filler,
    form,
    held::Held,
};

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
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
];

/// Headers of one request. A map of headers that is asked to hold tens of thousands panics.
const HEADERS_MAX: usize = 256;

/// What a vendor can be asked with. `CONNECT` would make a tunnel of the connection, `TRACE` echo the secrets in it.
const METHODS: [http::Method; 5] =
    [http::Method::GET, http::Method::POST, http::Method::PUT, http::Method::PATCH, http::Method::DELETE];

/// Everything but the unreserved characters of RFC 3986: the form that signatures are made over.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The letters of a path that stay as they are on their way out: RFC 3986's, so that a signature over them holds.
const PATH_EXTRA: &[u8] = b"-._~!$&'()*+,;=:@/%";

/// What a request is filled in from.
pub(crate) struct Sources<'a> {
    pub(crate) chosen: &'a Chosen,
    pub(crate) guest: &'a Guest,
    pub(crate) held: &'a Held<'a>,
    pub(crate) tokens: &'a BTreeMap<String, Secret>,
}

/// Builds the outgoing request of `request`. With it comes what was computed for it and must not be seen when it is echoed.
pub(crate) fn outgoing(
    sources: &Sources<'_>,
    request: machine::Request,
    limits: upstream::Limits,
) -> Result<(Outgoing, Vec<Vec<u8>>), Fault> {
    let chosen = sources.chosen;
    let endpoint = chosen.endpoints.iter().find(|endpoint| endpoint.name == request.endpoint).ok_or_else(|| {
        broken(format!("the adapter named an endpoint `{}` that has no address on this channel", request.endpoint))
    })?;
    let filler = Filler::new(chosen, sources.guest, &request.endpoint, sources.tokens);
    let query = query(&filler, &request.query)?;
    let url = address(&endpoint.url, &request.path, query.as_deref())?;
    let reach = reach(chosen, &url)?;
    let mut headers = headers(&filler, &request.headers)?;
    let (body, content_type) = body(request.body, &filler, sources.held)?;
    if !body.is_empty() {
        let content_type = http::HeaderValue::try_from(content_type)
            .map_err(|_| broken("the body has no content type that can be sent".to_owned()))?;
        headers.entry(http::header::CONTENT_TYPE).or_insert(content_type);
    }
    let method = http::Method::from_bytes(request.method.as_bytes()).ok().filter(|method| METHODS.contains(method));
    let method =
        method.ok_or_else(|| broken(format!("the adapter named a method `{}`", request.method.escape_debug())))?;
    let framing =
        Framing::parse(&request.framing).ok_or_else(|| unsupported(&format!("the framing `{}`", request.framing)))?;
    Ok((Outgoing { method, url, headers, body, framing, limits, reach }, filler.computed.into_inner()))
}

/// The names of the access tokens that a request refers to.
pub(crate) fn tokens_of(request: &machine::Request) -> Vec<String> {
    let mut names = Vec::new();
    let mut note = |name: &String| {
        if !names.contains(name) {
            names.push(name.clone());
        }
    };
    let parts = match &request.body {
        Payload::Form(form) => form.parts.as_slice(),
        _ => &[],
    };
    let in_parts = parts.iter().filter_map(|part| match &part.data {
        machine::Data::Pieces(pieces) => Some(pieces),
        _ => None,
    });
    let fields = request.query.iter().chain(&request.headers).map(|field| &field.value);
    for piece in fields.chain(in_parts).flatten() {
        match piece {
            machine::Piece::Token(name) => note(name),
            machine::Piece::Basic(basic) => {
                for atom in basic.user.iter().chain(&basic.password) {
                    if let machine::Atom::Token(name) = atom {
                        note(name);
                    }
                }
            }
            _ => {}
        }
    }
    names
}

/// The base with path and query appended byte for byte; neither can leave the base.
fn address(base: &Url, path: &str, query: Option<&str>) -> Result<Url, Fault> {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || PATH_EXTRA.contains(&byte));
    // Some servers decode before they look for segments.
    let decoded =
        path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").replace("%3b", ";");
    // What follows a `;` is a parameter of the segment to some of them.
    let climbs = decoded.split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")));
    if !path.starts_with('/') || path.starts_with("//") || !plain || climbs {
        return Err(broken(format!(
            "the adapter gave a path that is not allowed: `{}` (it starts with one `/`, has no `.` or `..` segment, and what is not a path character of RFC 3986 is percent-encoded)",
            path.escape_debug()
        )));
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

fn body(payload: Payload, filler: &Filler<'_>, held: &Held<'_>) -> Result<(Bytes, String), Fault> {
    let json = "application/json".to_owned();
    match payload {
        Payload::Empty => Ok((Bytes::new(), json)),
        Payload::Text(text) => Ok((held.restore(text)?, json)),
        Payload::Bytes(bytes) => Ok((Bytes::from(bytes), "application/octet-stream".to_owned())),
        Payload::Held(name) if name == "request" => Ok((held.restore(held.text.clone().into_owned())?, json)),
        Payload::Held(name) => Ok((held.file(&name)?, "application/octet-stream".to_owned())),
        Payload::Form(form) => form::body(form, filler, held),
        Payload::Ext(extra) => Err(unsupported(&format!("the body kind `{}`", extra.name))),
    }
}

fn headers(filler: &Filler<'_>, fields: &[machine::Field]) -> Result<http::HeaderMap, Fault> {
    if fields.len() > HEADERS_MAX {
        return Err(broken(format!("the adapter gave {} headers, a request has at most {HEADERS_MAX}", fields.len())));
    }
    let mut headers = http::HeaderMap::with_capacity(fields.len() + 2);
    for field in fields {
        let name = field.name.to_ascii_lowercase();
        if FORBIDDEN.contains(&name.as_str()) {
            return Err(broken(format!("an adapter may not set the header `{name}`")));
        }
        let joined = filler.join(PlacementSpot::Header, &name, &field.value)?;
        let name = http::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| broken(format!("`{}` is not a header name", name.escape_debug())))?;
        let mut value = http::HeaderValue::from_bytes(&joined.value)
            .map_err(|_| broken(format!("the value of the header `{name}` has a line break or control character")))?;
        value.set_sensitive(joined.secret);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Names and values percent-encoded in the one form that signatures are made over; pieces are joined before.
fn query(filler: &Filler<'_>, fields: &[machine::Field]) -> Result<Option<String>, Fault> {
    if fields.is_empty() {
        return Ok(None);
    }
    let mut query = String::new();
    for field in fields {
        let joined = filler.join(PlacementSpot::Query, &field.name, &field.value)?;
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(&encoded(field.name.as_bytes()));
        query.push('=');
        query.push_str(&encoded(&joined.value));
    }
    Ok(Some(query))
}

/// Percent-encoded, everything but the unreserved characters.
pub(crate) fn encoded(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_its_base() {
        let base = Url::parse("https://a.test/v1").unwrap();
        let url = address(&base, "/x/%2Fy/m:go@1,2;v='(z)'", Some("k=%20v~")).unwrap();
        assert_eq!(url.as_str(), "https://a.test/v1/x/%2Fy/m:go@1,2;v='(z)'?k=%20v~");
        for path in [
            "x",
            "//evil.test",
            "/../x",
            "/%2e%2E/x",
            "/x%2F..%2fy",
            "/..%5cx",
            "/..;a/x",
            "/x/..%3Bb/y",
            "/x?y",
            "/x#y",
            "/a b",
            "/\\evil",
            "@evil.test/",
            ".evil.test/",
            "/{id}",
            "/a|b",
            "/ä",
            "/a\r\nhost: evil.test",
        ] {
            assert!(address(&base, path, None).is_err(), "{path}");
        }
    }

    #[test]
    fn only_unreserved_characters_go_out_as_they_are() {
        assert_eq!(encoded("a b/ä~-._+".as_bytes()), "a%20b%2F%C3%A4~-._%2B");
    }
}
