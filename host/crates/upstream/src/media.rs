//! Files at addresses that a client gave: fetched from public addresses only, without credentials, up to a size.

use bytes::{Bytes, BytesMut};
use domain::Origin;
use http::{HeaderMap, Method, header};
use url::Url;

use crate::failure::Peer;
use crate::{Failure, FailureCode, Frame, Framing, Limits, Outgoing, Reach, Reply, Upstream};

/// Redirects that are followed; file hosts need one or two.
const REDIRECTS: usize = 3;
/// What a file is taken for whose server does not say.
const UNKNOWN: &str = "application/octet-stream";

/// A fetched file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// All of it.
    pub bytes: Bytes,
    /// As its server says, in lower case and without parameters; `application/octet-stream` when it does not say.
    pub content_type: String,
}

impl Upstream {
    /// Fetches the file at `url`. `allowed` are origins that may have private addresses: an operator's own object store.
    ///
    /// Up to three redirects are followed, each under the same rules, never from `https` to `http`. Of `limits` the deadlines count, each for
    /// one server; a deadline for everything is the caller's business.
    ///
    /// # Errors
    /// `refused-by-host` for an address, scheme or redirect that is not allowed, `too-large` for a file over `max_bytes`, `bad-framing` for
    /// an answer that is not the file, and what every request can fail with. The texts have no part of the URL.
    pub async fn media(
        &self,
        url: &str,
        max_bytes: usize,
        limits: Limits,
        allowed: &[Origin],
    ) -> Result<Media, Failure> {
        let mut url = Url::parse(url).map_err(|error| {
            let text = format!("the file's address is not a URL: {error}");
            Failure::new(FailureCode::RefusedByHost, text.clone(), text)
        })?;
        let limits = Limits { max_body: max_bytes, ..limits };
        for _ in 0..=REDIRECTS {
            let peer = Peer::file_server(&url);
            check_scheme(&url, &peer)?;
            let is_allowed = Origin::of(&url).is_some_and(|origin| allowed.contains(&origin));
            let reach = if is_allowed { Reach::Typed } else { Reach::Public };
            let reply = self.send_to(ask(url.clone(), limits, reach), peer.clone()).await?;
            match next_hop(&url, reply.status, &reply.headers, &peer)? {
                Some(next) => url = next,
                None => return read(reply, max_bytes, &peer).await,
            }
        }
        let detail = format!("more than {REDIRECTS} redirects");
        Err(Failure::of(&Peer::file_server(&url), FailureCode::RefusedByHost, " redirects too often", detail))
    }
}

fn ask(url: Url, limits: Limits, reach: Reach) -> Outgoing {
    Outgoing {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        framing: Framing::Bytes,
        limits,
        reach,
    }
}

/// Before the egress rules, for a text that says what to do.
fn check_scheme(url: &Url, peer: &Peer) -> Result<(), Failure> {
    let text = match url.scheme() {
        "http" | "https" => return Ok(()),
        "data" => " is not asked for a `data:` URL: send the file itself instead",
        _ => " is not asked: only http and https addresses are fetched",
    };
    Err(Failure::of(peer, FailureCode::RefusedByHost, text, format!("scheme {}", url.scheme())))
}

/// Where a redirect leads; `None` for the file itself.
fn next_hop(from: &Url, status: u16, headers: &HeaderMap, peer: &Peer) -> Result<Option<Url>, Failure> {
    match status {
        200..=299 => return Ok(None),
        301 | 302 | 303 | 307 | 308 => {}
        _ => {
            let what = format!(" does not give the file: it answers with status {status}");
            return Err(Failure::of(peer, FailureCode::BadFraming, &what, format!("status {status}")));
        }
    }
    let location = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    let Some(to) = location.and_then(|location| from.join(location).ok()) else {
        let what = format!(" answers with status {status} and no address that can be followed");
        return Err(Failure::of(peer, FailureCode::BadFraming, &what, format!("status {status} without location")));
    };
    if from.scheme() == "https" && to.scheme() == "http" {
        let what = " redirects from https to http, which is not followed";
        return Err(Failure::of(peer, FailureCode::RefusedByHost, what, "redirect to http"));
    }
    Ok(Some(to))
}

async fn read(mut reply: Reply, max_bytes: usize, peer: &Peer) -> Result<Media, Failure> {
    if let Some(encoding) = reply.compression() {
        return Err(Failure::compressed(peer, encoding));
    }
    let announced = reply.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|size: u64| size > max_bytes as u64) {
        return Err(Failure::body_too_large(peer, max_bytes));
    }
    let mut bytes = BytesMut::new();
    while let Some(frames) = reply.next().await {
        for frame in frames? {
            if let Frame::Body(piece) = frame {
                bytes.extend_from_slice(&piece);
            }
        }
    }
    Ok(Media { bytes: bytes.freeze(), content_type: content_type(&reply.headers) })
}

/// `type/subtype` of well-formed headers: the value ends up in requests to vendors.
fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte))
    };
    match media.split_once('/') {
        Some((kind, subtype)) if is_token(kind) && is_token(subtype) => media,
        _ => UNKNOWN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_content_type_is_believed() {
        for (value, expected) in [
            ("image/png", "image/png"),
            ("Image/JPEG; charset=binary", "image/jpeg"),
            ("image/svg+xml ;x", "image/svg+xml"),
            ("", UNKNOWN),
            ("png", UNKNOWN),
            ("image/", UNKNOWN),
            ("image/png,text/html", UNKNOWN),
            ("a/b/c", UNKNOWN),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(content_type(&headers), UNKNOWN);
            headers.insert(header::CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(content_type(&headers), expected, "{value}");
        }
    }

    #[test]
    fn a_redirect_may_go_anywhere_but_from_https_to_http() {
        let hop = |from: &str, status, to: &str| {
            let from = Url::parse(from).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, to.parse().unwrap());
            next_hop(&from, status, &headers, &Peer::file_server(&from))
                .map(|next| next.map(String::from))
                .map_err(|failure| failure.code)
        };
        let to = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(hop("https://a.test/x/y?q=1", 302, "../z"), to("https://a.test/z"));
        assert_eq!(hop("https://a.test/x", 307, "https://b.test/y"), to("https://b.test/y"));
        assert_eq!(hop("http://a.test/x", 301, "https://a.test/x"), to("https://a.test/x"));
        assert_eq!(hop("http://a.test/x", 308, "//b.test/x"), to("http://b.test/x"));
        assert_eq!(hop("https://a.test/x", 302, "http://a.test/x"), Err(FailureCode::RefusedByHost));
        assert_eq!(hop("https://a.test/x", 302, "http://["), Err(FailureCode::BadFraming));
        assert_eq!(hop("https://a.test/x", 200, "http://a.test/x"), Ok(None));
        assert_eq!(hop("https://a.test/x", 304, "https://a.test/y"), Err(FailureCode::BadFraming));
        assert_eq!(hop("https://a.test/x", 404, "https://a.test/y"), Err(FailureCode::BadFraming));
        let from = Url::parse("https://a.test/x").unwrap();
        assert!(next_hop(&from, 302, &HeaderMap::new(), &Peer::file_server(&from)).is_err());
    }
}
