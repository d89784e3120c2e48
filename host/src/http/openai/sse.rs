//! An exchange's parts as OpenAI's event stream. Everything that is ready goes out in one write.

use std::{
    convert::Infallible,
    fmt::Write,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use domain::{Fault, FaultCode};
use exchange::Part;
use http_body::Frame;
use tokio::sync::mpsc::Receiver;

use super::error;

/// One write is at most about this long, bytes.
const BATCH: usize = 64 * 1024;

/// The body of a streamed answer. Dropping it tells the exchange that the client left.
pub(super) struct EventStream {
    parts: Receiver<Part>,
    over: bool,
}

impl EventStream {
    pub(super) fn new(parts: Receiver<Part>) -> EventStream {
        EventStream { parts, over: false }
    }

    /// Adds one part as text; a broken stream ends without `[DONE]`.
    fn write(&mut self, part: Part, out: &mut String) {
        match part {
            Part::Chunk(json) => event(out, &json),
            Part::Ping => out.push_str(": keep-alive\n\n"),
            Part::Done => {
                event(out, "[DONE]");
                self.over = true;
            }
            Part::Fault(fault) => {
                event(out, &error::envelope(&fault).to_string());
                self.over = true;
            }
        }
    }
}

/// One event. A line break in JSON is only ever white space between tokens.
fn event(out: &mut String, data: &str) {
    let written = if data.contains(['\n', '\r']) {
        writeln!(out, "data: {}\n", data.replace(['\n', '\r'], " "))
    } else {
        writeln!(out, "data: {data}\n")
    };
    debug_assert!(written.is_ok(), "writing to a string cannot fail");
}

impl http_body::Body for EventStream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut out = String::new();
        while !self.over && out.len() < BATCH {
            match self.parts.poll_recv(cx) {
                Poll::Ready(Some(part)) => self.write(part, &mut out),
                // The exchange ended without an end: that must not look like a complete answer.
                Poll::Ready(None) => {
                    self.write(Part::Fault(Fault::new(FaultCode::Internal, "the stream broke off")), &mut out);
                }
                Poll::Pending if out.is_empty() => return Poll::Pending,
                Poll::Pending => break,
            }
        }
        if out.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(Bytes::from(out))))) }
    }
}
