//! Signatures that vendors ask for, each as a recipe over values that the host computes: the adapter says what is signed and where the result
//! goes, and never holds a key or a signature.
//!
//! A recipe takes the request as it will be sent and gives it back with what the signature adds. It signs the body's bytes, so a provider
//! that signs bodies says `whole_body` in its catalog; otherwise the host changes the body after it was signed. The component needs
//! `secrets` in [`adapter!`](crate::adapter).

mod bce;
mod jwt;
mod sigv4;
mod tc3;
mod url_hmac;

pub use bce::bce;
pub use jwt::{jwt_hs256, jwt_rs256};
pub use sigv4::{Scope, sigv4};
pub use tc3::tc3;
pub use url_hmac::url_hmac;

use crate::{Fault, Payload, Piece, Request};
use sha2::{Digest, Sha256};

/// A pair of keys: one that may be seen and one that may not.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    /// The public one itself: an access key id.
    pub id: &'a str,
    /// The name of the secret one in the catalog.
    pub secret: &'a str,
    /// The name of a session token in the catalog, when there is one on this channel.
    pub session: Option<&'a str>,
}

impl<'a> Keys<'a> {
    /// A pair without a session token.
    pub fn new(id: &'a str, secret: &'a str) -> Keys<'a> {
        Keys { id, secret, session: None }
    }
}

/// Where a request really goes.
struct Target<'a> {
    /// With the port, when the endpoint's URL has one.
    host: &'a str,
    /// The whole path, still encoded.
    path: String,
}

/// `url` is where the request's endpoint leads ([`Call::endpoint`](crate::Call::endpoint)).
fn target<'a>(request: &Request, url: &'a str) -> Target<'a> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let at = rest.find('/').unwrap_or(rest.len());
    Target { host: &rest[..at], path: format!("{}{}", &rest[at..], request.path) }
}

/// The body's bytes.
fn body(request: &Request) -> Result<&[u8], Fault> {
    match &request.body {
        Payload::Empty => Ok(&[]),
        Payload::Text(text) => Ok(text.as_bytes()),
        Payload::Bytes(bytes) => Ok(bytes),
        Payload::Form(_) | Payload::Held(_) => Err(Fault::adapter_broken(
            "a form or a body that the host keeps cannot be signed: its bytes are not known here",
        )),
    }
}

/// Query parameters as the host will write them, sorted as signers want them.
fn canonical_query(request: &Request) -> Result<String, Fault> {
    let mut pairs = Vec::with_capacity(request.query.len());
    for (name, value) in &request.query {
        let Some(value) = plain(value) else {
            return Err(Fault::adapter_broken(format!("the query parameter `{name}` is signed, so it must be text")));
        };
        pairs.push((encoded(name, ""), encoded(&value, "")));
    }
    pairs.sort();
    Ok(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

/// A value that is all text.
fn plain(value: &[Piece]) -> Option<String> {
    value.iter().map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None }).collect()
}

/// The text of the header of this name.
fn header(request: &Request, name: &str) -> Option<String> {
    request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| plain(value))
}

/// Percent-encoding of everything but unreserved characters and those in `kept`.
fn encoded(text: &str, kept: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || kept.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]).to_ascii_uppercase());
            out.push(char::from(HEX[usize::from(byte & 15)]).to_ascii_uppercase());
        }
    }
    out
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// SHA-256 in hex, of what the adapter knows.
fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{secret, text};

    #[test]
    fn the_target_is_the_endpoint_and_the_path() {
        let request = Request::get("/chat");
        for (url, host, path) in [
            ("https://h.test", "h.test", "/chat"),
            ("https://h.test:8443/v1", "h.test:8443", "/v1/chat"),
            ("h.test/a/b", "h.test", "/a/b/chat"),
        ] {
            let target = target(&request, url);
            assert_eq!((target.host, target.path.as_str()), (host, path), "{url}");
        }
    }

    #[test]
    fn queries_are_encoded_and_sorted() {
        let request = Request::get("/").query("b", [text("ü /")]).query("a", [text("2")]).query("a", [text("1~")]);
        assert_eq!(canonical_query(&request).unwrap(), "a=1~&a=2&b=%C3%BC%20%2F");
        assert!(canonical_query(&Request::get("/").query("k", [secret("key")])).is_err());
    }

    #[test]
    fn only_known_bytes_are_signed() {
        assert!(body(&Request::get("/").payload(Payload::Held("request".into()))).is_err());
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
