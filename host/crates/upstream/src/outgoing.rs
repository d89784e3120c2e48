//! What to send and how far to go for it: the request, the framing of its answer, its deadlines and sizes.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use url::Url;

use crate::Reach;

/// One request, complete: nothing is added but what HTTP itself needs.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// `http` or `https`, without user name and password.
    pub url: Url,
    /// Headers. Those that belong to the connection (`host`, `content-length`, `connection`, `accept-encoding`...) are replaced by ours.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
    /// How to cut the answer.
    pub framing: Framing,
    /// Deadlines and sizes.
    pub limits: Limits,
    /// Which addresses it may go to.
    pub reach: Reach,
}

/// How an answer is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// One message with the whole body.
    Text,
    /// The bytes as they come.
    Bytes,
    /// One message per server-sent event.
    Sse,
    /// One message per line.
    Ndjson,
    /// One message per element of the one array that the body is.
    JsonArray,
    /// One message per frame of `application/vnd.amazon.eventstream`.
    AwsEventStream,
    /// The connection becomes a WebSocket: one message per message, and messages can be sent.
    WebSocket,
}

impl Framing {
    /// Every framing.
    pub const ALL: [Framing; 7] = [
        Framing::Text,
        Framing::Bytes,
        Framing::Sse,
        Framing::Ndjson,
        Framing::JsonArray,
        Framing::AwsEventStream,
        Framing::WebSocket,
    ];

    /// Reads the text form; `None` for anything else.
    pub fn parse(text: &str) -> Option<Framing> {
        Framing::ALL.into_iter().find(|framing| framing.as_str() == text)
    }

    /// As the adapter contract spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Framing::Text => "text",
            Framing::Bytes => "bytes",
            Framing::Sse => "sse",
            Framing::Ndjson => "ndjson",
            Framing::JsonArray => "json-array",
            Framing::AwsEventStream => "aws-event-stream",
            Framing::WebSocket => "websocket",
        }
    }
}

/// Deadlines and sizes of one request. A deadline for the whole answer is the caller's business: it drops the [`Reply`](crate::Reply).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a new connection stands: name resolution, TCP and TLS. 10 s.
    pub connect: Duration,
    /// Until the head of the answer is there, counted from `send`. 30 s.
    pub first_byte: Duration,
    /// Between two reads of the body. 60 s.
    pub idle: Duration,
    /// Bytes of a whole answer, whatever its framing. 64 MiB.
    pub max_body: usize,
    /// Bytes of one event, line, element, frame or WebSocket message. 16 MiB.
    pub max_message: usize,
    /// Bytes of WebSocket messages that wait to be written. 16 MiB.
    pub max_queued: usize,
    /// Bytes kept of an answer with an error status; the rest is cut off. 1 MiB.
    pub max_error_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            max_body: 64 << 20,
            max_message: 16 << 20,
            max_queued: 16 << 20,
            max_error_body: 1 << 20,
        }
    }
}

/// Headers that describe the connection or the body's encoding, which are ours to write. A `host` of the caller's choosing would reach
/// another site behind the same address.
const OURS: [HeaderName; 11] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("keep-alive"),
];

impl Outgoing {
    pub(crate) fn into_request(self) -> reqwest::Request {
        let mut request = reqwest::Request::new(self.method, self.url);
        let mut headers = self.headers;
        for name in OURS {
            headers.remove(name);
        }
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        *request.headers_mut() = headers;
        if !self.body.is_empty() {
            *request.body_mut() = Some(self.body.into());
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framings_read_back() {
        for framing in Framing::ALL {
            assert_eq!(Framing::parse(framing.as_str()), Some(framing));
        }
        assert_eq!(Framing::parse("SSE"), None);
        assert_eq!(Framing::parse(""), None);
    }
}
