//! What the vendor was sent, and how it is read from the socket.

use std::io;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt};

/// A request as it arrived at the vendor.
#[derive(Clone, Debug)]
pub struct VendorRequest {
    /// `POST`.
    pub method: String,
    /// The path without the query, byte for byte.
    pub path: String,
    /// What follows the question mark; empty when there is none.
    pub query: String,
    /// Headers in order; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer coding.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// Whether the gateway hung up before the answer was complete.
    pub disconnected: bool,
    /// Whether the answer was sent to its end, as the script has it.
    pub answered: bool,
}

impl VendorRequest {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text. Panics when it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the gateway sends UTF-8")
    }

    /// The body as JSON. Panics when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the gateway sends JSON")
    }

    /// The `model` of a JSON body.
    pub fn model(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        Some(body.get("model")?.as_str()?.to_owned())
    }
}

/// Reads requests off one connection.
pub(super) struct RequestReader<R> {
    stream: R,
    buffer: Vec<u8>,
    connection: usize,
}

impl<R: AsyncRead + Unpin> RequestReader<R> {
    pub(super) fn new(stream: R, connection: usize) -> Self {
        RequestReader { stream, buffer: Vec::new(), connection }
    }

    /// The next request; `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> io::Result<Option<VendorRequest>> {
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at;
            }
            if !self.fill().await? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        self.buffer.drain(..head_end + 4);
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let method = first.next().unwrap_or_default().to_owned();
        let target = first.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut request = VendorRequest {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: Vec::new(),
            connection: self.connection,
            disconnected: false,
            answered: false,
        };
        request.body = match (request.header("content-length"), request.header("transfer-encoding")) {
            (_, Some(_)) => self.chunked().await?,
            (Some(length), None) => self.take(length.parse().map_err(io::Error::other)?).await?,
            (None, None) => Vec::new(),
        };
        Ok(Some(request))
    }

    /// Resolves when the other side hangs up. What it sends meanwhile is kept for the next request.
    pub(super) async fn hung_up(&mut self) {
        while matches!(self.fill().await, Ok(true)) {}
    }

    async fn fill(&mut self) -> io::Result<bool> {
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }

    async fn take(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            if !self.fill().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.drain(..length).collect())
    }

    async fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.buffer, b"\r\n") {
                    break at;
                }
                if !self.fill().await? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            };
            let line = self.take(line_end + 2).await?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.trim().split(';').next().unwrap_or_default(), 16);
            let size = size.map_err(io::Error::other)?;
            let mut chunk = self.take(size + 2).await?;
            chunk.truncate(size);
            body.append(&mut chunk);
            if size == 0 {
                return Ok(body);
            }
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
