//! A small HTTP/1.1 client: one connection a request, nothing added behind the test's back, streams readable event by event.

mod raw;
mod sse;

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub use self::{
    raw::RawConnection,
    sse::{Collected, SseFrame, SseReader},
};
use crate::wait::within;

/// A request in the making.
#[derive(Clone)]
pub struct Call {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Call {
    /// `path` includes the query and is sent as it is.
    pub fn new(address: SocketAddr, method: &str, path: &str) -> Call {
        let method = method.parse().expect("an HTTP method");
        Call { address, method, path: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds the key as most clients send it.
    #[must_use]
    pub fn bearer(self, key: &str) -> Call {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// A body of any kind; the caller names its type.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Call {
        self.body = body.into();
        self
    }

    /// A JSON body, byte for byte.
    #[must_use]
    pub fn json_text(self, body: impl Into<Bytes>) -> Call {
        self.header("content-type", "application/json").body(body)
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Call {
        self.json_text(body.to_string())
    }

    /// Sends it and waits for the head of the answer.
    pub async fn open(self) -> SseReader {
        let what = format!("an answer to {} {}", self.method, self.path);
        match within(&what, self.try_open()).await {
            Ok(reader) => reader,
            Err(error) => panic!("no {what}: {error:#}"),
        }
    }

    /// Like [`Call::open`], for a server that may not answer at all.
    pub async fn try_open(self) -> anyhow::Result<SseReader> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut send, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move {
            // What breaks the connection also breaks the body, and that is where the test sees it.
            let _ = connection.await;
        });
        let mut request = Request::builder().method(self.method).uri(&self.path);
        request = request.header("host", self.address.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = send.send_request(request.body(Full::new(self.body))?).await?;
        let (head, body) = response.into_parts();
        Ok(SseReader::new(head.status, head.headers, body, connection))
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answered {
        self.open().await.whole().await
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, without transfer coding.
    pub body: Bytes,
    /// The connection broke before the body was complete.
    pub broken: bool,
}

impl Answered {
    /// A header as text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON. Panics when it is none.
    pub fn json(&self) -> Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("status {} with a body that is not JSON ({error}): {}", self.status, self.text()),
        }
    }

    /// The text of a plain chat completion.
    pub fn content(&self) -> String {
        let body = self.json();
        match body["choices"][0]["message"]["content"].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("status {} without a message: {body}", self.status),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn next_bytes(body: &mut Incoming) -> Option<Result<Bytes, hyper::Error>> {
    loop {
        match body.frame().await? {
            Ok(frame) => {
                if let Ok(bytes) = frame.into_data() {
                    return Some(Ok(bytes));
                }
            }
            Err(error) => return Some(Err(error)),
        }
    }
}
