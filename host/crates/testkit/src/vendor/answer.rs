//! What the vendor answers with: a head, then steps of bytes and gates, then an end that may be a broken one.

use bytes::Bytes;
use serde_json::Value;

use super::Gate;

/// One step of an answer.
#[derive(Clone)]
pub enum Step {
    /// Sent and flushed at once.
    Bytes(Bytes),
    /// Waits for the test.
    Wait(Gate),
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As HTTP wants it; the connection stays open for the next request.
    Proper,
    /// The connection is closed without the end of the body.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing more happens until the other side hangs up.
    Hang,
}

/// How the length of the body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// `content-length` of all steps together.
    Length,
    /// `content-length` with this value, whatever the body is.
    Claimed(usize),
    Chunked,
    /// No head at all: the steps are everything that is written.
    Raw,
}

/// A scripted answer. Steps are sent in order, each flushed by itself.
#[derive(Clone)]
pub struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    /// Before the head is sent.
    pub(super) before: Vec<Step>,
    pub(super) steps: Vec<Step>,
    pub(super) framing: Framing,
    pub(super) end: End,
}

impl Answer {
    /// A whole answer with a `content-length`.
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
        Answer {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            before: Vec::new(),
            steps: vec![Step::Bytes(body.into())],
            framing: Framing::Length,
            end: End::Proper,
        }
    }

    /// 200 with a JSON document.
    pub fn json(body: &Value) -> Answer {
        Answer::error(200, body)
    }

    /// 200 with a text that is served as JSON, byte for byte.
    pub fn json_text(body: impl Into<String>) -> Answer {
        Answer::bytes(200, "application/json", body.into())
    }

    /// A JSON document with any status.
    pub fn error(status: u16, body: &Value) -> Answer {
        Answer::bytes(status, "application/json", body.to_string())
    }

    /// An HTML page, as proxies send them.
    pub fn html(status: u16, page: &str) -> Answer {
        Answer::bytes(status, "text/html; charset=utf-8", page.to_owned())
    }

    /// 302 to somewhere else.
    pub fn redirect(location: &str) -> Answer {
        Answer::bytes(302, "text/plain", "moved").header("location", location)
    }

    /// 200 with `size` bytes of one JSON string.
    pub fn large(size: usize) -> Answer {
        let mut body = Vec::with_capacity(size);
        body.push(b'"');
        body.resize(size.saturating_sub(1).max(1), b'a');
        body.push(b'"');
        Answer::bytes(200, "application/json", body)
    }

    /// An event stream without events, to be built up: it ends properly, but without `[DONE]` unless [`Answer::done`] adds it.
    pub fn stream() -> Answer {
        Answer {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/event-stream".to_owned())],
            before: Vec::new(),
            steps: Vec::new(),
            framing: Framing::Chunked,
            end: End::Proper,
        }
    }

    /// An event stream of these documents and `[DONE]`.
    pub fn sse<'a>(chunks: impl IntoIterator<Item = &'a Value>) -> Answer {
        chunks.into_iter().fold(Answer::stream(), |answer, chunk| answer.data(chunk)).done()
    }

    /// Bytes in place of an HTTP answer, then the connection is closed.
    pub fn raw(bytes: impl Into<Bytes>) -> Answer {
        let mut answer = Answer::stream().push(bytes).end(End::Close);
        answer.framing = Framing::Raw;
        answer
    }

    /// The connection is closed before anything was sent.
    pub fn closed() -> Answer {
        Answer::raw(Bytes::new())
    }

    /// The connection is reset before anything was sent.
    pub fn reset() -> Answer {
        Answer::raw(Bytes::new()).end(End::Reset)
    }

    /// Nothing is sent until the other side hangs up.
    pub fn silence() -> Answer {
        Answer::raw(Bytes::new()).end(End::Hang)
    }

    /// Sends `body`, claims that it is longer, and closes.
    pub fn cut_short(body: impl Into<Bytes>, claimed: usize) -> Answer {
        let mut answer = Answer::bytes(200, "application/json", body).end(End::Close);
        answer.framing = Framing::Claimed(claimed);
        answer
    }

    /// Adds a header, or replaces the one of this name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Answer {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Answer {
        self.status = status;
        self
    }

    /// Waits at the gate before the head is sent.
    #[must_use]
    pub fn gate_head(mut self, gate: &Gate) -> Answer {
        self.before.push(Step::Wait(gate.clone()));
        self
    }

    /// Waits at the gate here.
    #[must_use]
    pub fn gate(mut self, gate: &Gate) -> Answer {
        self.steps.push(Step::Wait(gate.clone()));
        self
    }

    /// Bytes as they are.
    #[must_use]
    pub fn push(mut self, bytes: impl Into<Bytes>) -> Answer {
        self.steps.push(Step::Bytes(bytes.into()));
        self
    }

    /// An SSE event with a JSON document.
    #[must_use]
    pub fn data(self, data: &Value) -> Answer {
        self.push(format!("data: {data}\n\n"))
    }

    /// An SSE comment.
    #[must_use]
    pub fn comment(self, text: &str) -> Answer {
        self.push(format!(": {text}\n\n"))
    }

    /// The event that ends an OpenAI stream.
    #[must_use]
    pub fn done(self) -> Answer {
        self.push("data: [DONE]\n\n")
    }

    /// Another end.
    #[must_use]
    pub fn end(mut self, end: End) -> Answer {
        self.end = end;
        self
    }
}
