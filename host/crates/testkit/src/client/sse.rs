//! Reading a streamed answer event by event, as strictly as a picky client would.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{Answered, header, next_bytes};
use crate::wait::within;

/// What stood between two blank lines of an event stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseFrame {
    /// The `event:` field.
    pub event: Option<String>,
    /// The `data:` lines, joined; `None` when there was none.
    pub data: Option<String>,
    /// Comments, without the colon.
    pub comments: Vec<String>,
}

impl SseFrame {
    fn parse(text: &str) -> SseFrame {
        let mut frame = SseFrame::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match field {
                "" => frame.comments.push(value),
                "event" => frame.event = Some(value),
                "data" => match &mut frame.data {
                    Some(data) => {
                        data.push('\n');
                        data.push_str(&value);
                    }
                    None => frame.data = Some(value),
                },
                _ => {}
            }
        }
        frame
    }

    /// The data as JSON; `None` for a comment and for `[DONE]`. Panics when it is neither.
    pub fn json(&self) -> Option<Value> {
        match self.data.as_deref()? {
            "[DONE]" => None,
            text => match serde_json::from_str(text) {
                Ok(value) => Some(value),
                Err(error) => panic!("an event that is not JSON ({error}): {text}"),
            },
        }
    }

    /// Whether this is the event that ends a stream.
    pub fn is_done(&self) -> bool {
        self.data.as_deref() == Some("[DONE]")
    }
}

/// An answer whose body is still arriving. Dropping it hangs up.
pub struct SseReader {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    buffer: Vec<u8>,
    broken: bool,
    ended: bool,
    connection: JoinHandle<()>,
}

impl SseReader {
    pub(super) fn new(status: StatusCode, headers: HeaderMap, body: Incoming, connection: JoinHandle<()>) -> Self {
        SseReader { status, headers, body, buffer: Vec::new(), broken: false, ended: false, connection }
    }

    /// A header as text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        header(&self.headers, name)
    }

    /// The next event or comment; `None` at the end of the body.
    pub async fn next(&mut self) -> Option<SseFrame> {
        loop {
            if let Some((length, gap)) = blank_line(&self.buffer) {
                let block: Vec<u8> = self.buffer.drain(..length + gap).take(length).collect();
                let text = std::str::from_utf8(&block).expect("a stream in UTF-8");
                return Some(SseFrame::parse(text));
            }
            if !self.fill().await {
                assert!(self.broken || self.buffer.is_empty(), "bytes after the last event: {:?}", self.buffer);
                return None;
            }
        }
    }

    /// The next event that has data, passing over comments.
    pub async fn next_data(&mut self) -> Option<SseFrame> {
        loop {
            let frame = self.next().await?;
            if frame.data.is_some() {
                return Some(frame);
            }
        }
    }

    /// Reads to the end.
    pub async fn collect(mut self) -> Collected {
        let mut collected =
            Collected { status: Some(self.status), headers: self.headers.clone(), ..Collected::default() };
        while let Some(frame) = self.next().await {
            collected.comments.extend(frame.comments.iter().cloned());
            if frame.data.is_none() {
                continue;
            }
            assert!(!collected.done, "an event after [DONE]: {frame:?}");
            match frame.json() {
                None => collected.done = true,
                Some(value) if value.get("error").is_some() => collected.error = Some(value),
                Some(value) => collected.chunks.push(value),
            }
        }
        collected.broken = self.broken;
        collected
    }

    /// Reads the rest as one body.
    pub async fn whole(mut self) -> Answered {
        while self.fill().await {}
        let body = Bytes::from(std::mem::take(&mut self.buffer));
        Answered { status: self.status, headers: std::mem::take(&mut self.headers), body, broken: self.broken }
    }

    /// More bytes into the buffer; false at the end.
    async fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        match within("more of the answer", next_bytes(&mut self.body)).await {
            Some(Ok(bytes)) => {
                self.buffer.extend_from_slice(&bytes);
                return true;
            }
            Some(Err(_)) => self.broken = true,
            None => {}
        }
        self.ended = true;
        false
    }
}

impl Drop for SseReader {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Where the first block ends, and how long the gap after it is.
fn blank_line(buffer: &[u8]) -> Option<(usize, usize)> {
    let find = |needle: &[u8]| buffer.windows(needle.len()).position(|window| window == needle);
    match (find(b"\n\n"), find(b"\r\n\r\n")) {
        (Some(lf), Some(crlf)) if crlf < lf => Some((crlf, 4)),
        (Some(lf), _) => Some((lf, 2)),
        (None, Some(crlf)) => Some((crlf, 4)),
        (None, None) => None,
    }
}

/// A stream that was read to its end.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The status.
    pub status: Option<StatusCode>,
    /// The headers.
    pub headers: HeaderMap,
    /// Every event with a JSON document that is not an error.
    pub chunks: Vec<Value>,
    /// The error event.
    pub error: Option<Value>,
    /// Whether `[DONE]` came.
    pub done: bool,
    /// Every comment.
    pub comments: Vec<String>,
    /// The connection broke before the body was complete.
    pub broken: bool,
}

impl Collected {
    /// The text of the first choice.
    pub fn content(&self) -> String {
        self.chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
    }

    /// The finish reason of the first choice; empty when none came.
    pub fn finish_reason(&self) -> String {
        let mut reasons = self.chunks.iter().filter_map(|chunk| chunk["choices"][0]["finish_reason"].as_str());
        reasons.next_back().unwrap_or_default().to_owned()
    }

    /// The usage of the last chunk that has one.
    pub fn usage(&self) -> Option<&Value> {
        self.chunks.iter().rev().map(|chunk| &chunk["usage"]).find(|usage| usage.is_object())
    }
}
