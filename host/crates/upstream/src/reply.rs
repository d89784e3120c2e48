//! An answer: its head, and its body as batches of frames under an idle deadline.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, header};
use tokio::time::Instant;

use crate::failure::Peer;
use crate::frame::{Decoder, Frame};
use crate::socket::{Incoming, Socket};
use crate::{Failure, FailureCode, Framing, Limits};

/// The most frames in one batch.
const BATCH_FRAMES: usize = 256;
/// The most bytes in one batch, unless a single frame is larger.
const BATCH_BYTES: usize = 1 << 20;

/// An answer whose head has arrived. Dropping it before its end closes the connection.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: HeaderMap,
    decoder: Decoder,
    phase: Phase,
    received: usize,
    silence: Silence,
    limits: Limits,
    /// For the texts of a failure.
    peer: Peer,
}

enum Phase {
    Reading(reqwest::Response),
    Open(Box<Socket>),
    /// The body is complete; `End` has not been given yet.
    Ended,
    Failed(Failure),
    Done,
}

impl Reply {
    pub(crate) fn new(
        mut response: reqwest::Response,
        asked: Framing,
        limits: Limits,
        peer: Peer,
    ) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        // That the upgrade was refused is an error too, whatever the status is.
        let is_error = status >= 400 || asked == Framing::WebSocket;
        let headers = std::mem::take(response.headers_mut());
        let mut phase = Phase::Reading(response);
        let decoder =
            if is_error { Decoder::error_text(&limits) } else { Decoder::new(effective(asked, &headers), &limits) };
        if let Some(encoding) = compressed(&headers)
            && decoder.framing() != Framing::Bytes
        {
            if !is_error {
                return Err(Failure::compressed(&peer, encoding));
            }
            // The status says what matters; the text would be noise.
            phase = Phase::Ended;
        }
        let mut reply = Reply {
            status,
            headers,
            decoder,
            phase: Phase::Done,
            received: 0,
            silence: Silence::default(),
            limits,
            peer,
        };
        if matches!(phase, Phase::Ended) {
            phase = reply.finished();
        }
        reply.phase = phase;
        Ok(reply)
    }

    /// The answer of a server that agreed to speak WebSocket.
    pub(crate) fn open(headers: HeaderMap, socket: Socket, limits: Limits, peer: Peer) -> Reply {
        let decoder = Decoder::new(Framing::WebSocket, &limits);
        Reply {
            status: 101,
            headers,
            decoder,
            phase: Phase::Open(Box::new(socket)),
            received: 0,
            silence: Silence::default(),
            limits,
            peer,
        }
    }

    /// Waits until it is known what the answer is: an event stream can turn out to be JSON or HTML under the wrong content type with its
    /// first byte. What goes wrong meanwhile is for [`next`](Reply::next) to tell.
    pub(crate) async fn decide(mut self) -> Reply {
        while self.decoder.is_undecided()
            && let Phase::Reading(response) = &mut self.phase
        {
            let read = tokio::time::timeout(self.limits.idle, response.chunk()).await.ok();
            self.accept(read);
        }
        self
    }

    /// How the answer really arrives: as it was asked for, or as `text` when it has an error status or is of another kind.
    pub fn framing(&self) -> &'static str {
        self.decoder.framing().as_str()
    }

    /// Everything that is buffered: waits for the first frame, then takes what is there without waiting, up to 256 frames or 1 MiB (a
    /// larger frame comes alone). `None` after `End` or a failure was given. Dropping the future loses nothing, and the time it waited counts
    /// for the idle deadline of the next.
    ///
    /// On a WebSocket this also writes what waits to be sent and answers pings.
    ///
    /// # Errors
    /// The body stalled, broke, is too large, or does not fit the framing. Frames that were complete before are given first.
    pub async fn next(&mut self) -> Option<Result<Vec<Frame>, Failure>> {
        let mut batch = Batch::default();
        loop {
            if batch.fill(&mut self.decoder) {
                return Some(Ok(batch.frames));
            }
            let wait = batch.frames.is_empty();
            match &mut self.phase {
                Phase::Reading(response) if wait => {
                    let read = self.silence.wait(self.limits.idle, response.chunk()).await;
                    self.accept(read);
                }
                Phase::Reading(response) => match response.chunk().now_or_never() {
                    Some(read) => self.accept(Some(read)),
                    None => return Some(Ok(batch.frames)),
                },
                Phase::Open(socket) if wait => {
                    // Pings are signs of life too, also those of a wait that was dropped half way.
                    self.silence.heard(socket.count());
                    let left = self.limits.idle.saturating_sub(self.silence.waited);
                    let waiting = Waiting::begin(&mut self.silence.waited);
                    let incoming = socket.read(left, self.limits.idle).await;
                    drop(waiting);
                    self.silence.heard(socket.count());
                    self.take_in(incoming);
                }
                Phase::Open(socket) => match socket.read_now() {
                    Some(incoming) => self.take_in(Some(incoming)),
                    None => return Some(Ok(batch.frames)),
                },
                _ => return self.close(batch.frames),
            }
        }
    }

    /// Puts a text message on the WebSocket. What cannot be written at once is written while [`next`](Reply::next) waits.
    ///
    /// # Errors
    /// The connection is closed or no WebSocket, or more than 256 messages or [`Limits::max_queued`] bytes would wait.
    pub fn ws_send_text(&mut self, text: String) -> Result<(), Failure> {
        self.socket()?.send(text.into())
    }

    /// Puts a binary message on the WebSocket.
    ///
    /// # Errors
    /// As [`ws_send_text`](Reply::ws_send_text).
    pub fn ws_send_binary(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.socket()?.send(bytes.into())
    }

    /// The content coding, when there is one.
    pub(crate) fn compression(&self) -> Option<&str> {
        compressed(&self.headers)
    }

    fn socket(&mut self) -> Result<&mut Socket, Failure> {
        match &mut self.phase {
            Phase::Open(socket) => Ok(socket),
            _ => {
                let text = match self.decoder {
                    Decoder::WebSocket(_) => "the WebSocket is closed, nothing can be sent on it any more",
                    _ => "nothing can be sent on this answer, it is not a WebSocket",
                };
                Err(Failure::new(FailureCode::Reset, text, text))
            }
        }
    }

    /// What came over the WebSocket; `None` for nothing in time.
    fn take_in(&mut self, incoming: Option<Incoming>) {
        match incoming {
            Some(Incoming::Frame(frame)) => self.decoder.ready().push_back(frame),
            Some(Incoming::End) => self.phase = Phase::Ended,
            Some(Incoming::Failed(failure)) => self.phase = Phase::Failed(failure),
            None => self.phase = Phase::Failed(Failure::idle(&self.peer, self.limits.idle)),
        }
    }

    /// Decodes what was read; `None` for nothing in time.
    fn accept(&mut self, read: Option<reqwest::Result<Option<Bytes>>>) {
        let chunk = match read {
            Some(Ok(Some(chunk))) => chunk,
            Some(Ok(None)) => return self.phase = self.finished(),
            Some(Err(error)) => return self.phase = Phase::Failed(Failure::in_body(error, &self.peer)),
            None => return self.phase = Phase::Failed(Failure::idle(&self.peer, self.limits.idle)),
        };
        self.received += chunk.len();
        if self.received > self.limits.max_body {
            self.phase = Phase::Failed(Failure::body_too_large(&self.peer, self.limits.max_body));
        } else if let Err(error) = self.decoder.push(chunk, self.limits.max_body) {
            self.phase = Phase::Failed(Failure::framing(error, &self.peer));
        } else if self.decoder.has_enough() {
            self.phase = self.finished();
        }
    }

    fn finished(&mut self) -> Phase {
        match self.decoder.finish() {
            Ok(()) => Phase::Ended,
            Err(error) => Phase::Failed(Failure::framing(error, &self.peer)),
        }
    }

    /// The last batches: what is left, then the end or the failure, then nothing.
    fn close(&mut self, mut frames: Vec<Frame>) -> Option<Result<Vec<Frame>, Failure>> {
        match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Ended => {
                frames.push(Frame::End);
                Some(Ok(frames))
            }
            Phase::Failed(failure) if frames.is_empty() => Some(Err(failure)),
            Phase::Done if frames.is_empty() => None,
            other => {
                self.phase = other;
                Some(Ok(frames))
            }
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("framing", &self.framing()).finish_non_exhaustive()
    }
}

/// How long nothing has come, over however many calls: whoever waits may be called away and come back.
#[derive(Default)]
struct Silence {
    waited: Duration,
    /// Bytes of a WebSocket when it was last looked at.
    count: u64,
}

impl Silence {
    /// A WebSocket has had so many bytes.
    fn heard(&mut self, count: u64) {
        if std::mem::replace(&mut self.count, count) != count {
            self.waited = Duration::ZERO;
        }
    }

    /// Waits for this, not longer than is left of `idle`. Time between two calls does not count: a slow client holds nobody's answer back.
    async fn wait<F: Future>(&mut self, idle: Duration, what: F) -> Option<F::Output> {
        let left = idle.saturating_sub(self.waited);
        let waiting = Waiting::begin(&mut self.waited);
        let came = tokio::time::timeout(left, what).await.ok();
        drop(waiting);
        if came.is_some() {
            self.waited = Duration::ZERO;
        }
        came
    }
}

/// Adds its own life to a duration, also when the wait is dropped half way.
struct Waiting<'a> {
    waited: &'a mut Duration,
    since: Instant,
}

impl<'a> Waiting<'a> {
    fn begin(waited: &'a mut Duration) -> Waiting<'a> {
        Waiting { waited, since: Instant::now() }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        *self.waited += self.since.elapsed();
    }
}

/// Frames to hand out together.
#[derive(Default)]
struct Batch {
    frames: Vec<Frame>,
    bytes: usize,
}

impl Batch {
    /// Moves frames over; true when no more fit.
    fn fill(&mut self, decoder: &mut Decoder) -> bool {
        let ready = decoder.ready();
        while let Some(next) = ready.front() {
            let size = next.size();
            if self.frames.len() == BATCH_FRAMES || (!self.frames.is_empty() && self.bytes + size > BATCH_BYTES) {
                return true;
            }
            self.bytes += size;
            self.frames.extend(ready.pop_front());
        }
        self.frames.len() == BATCH_FRAMES || self.bytes >= BATCH_BYTES
    }
}

/// What an answer with this content type can be cut as.
fn effective(asked: Framing, headers: &HeaderMap) -> Framing {
    let Some(content_type) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return asked;
    };
    let media = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let page = matches!(media.as_str(), "text/html" | "application/xhtml+xml" | "text/xml" | "application/xml");
    let fits = match asked {
        Framing::Text | Framing::Bytes | Framing::WebSocket => true,
        Framing::Sse => {
            !page
                && !matches!(
                    media.as_str(),
                    "application/json" | "text/json" | "application/problem+json" | "text/plain"
                )
        }
        Framing::Ndjson | Framing::JsonArray => {
            !page && !matches!(media.as_str(), "text/event-stream" | "application/problem+json")
        }
        Framing::AwsEventStream => !page && !media.starts_with("text/") && !media.ends_with("json"),
    };
    if fits { asked } else { Framing::Text }
}

fn compressed(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(header::CONTENT_ENCODING)?.to_str().unwrap_or("unreadable").trim();
    (!encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity")).then_some(encoding)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_content_type_decides_what_an_answer_can_be_cut_as() {
        use Framing::{AwsEventStream, Bytes, JsonArray, Ndjson, Sse, Text};
        for (asked, content_type, expected) in [
            (Sse, "text/event-stream; charset=utf-8", Sse),
            (Sse, "application/octet-stream", Sse),
            (Sse, "Application/JSON; charset=utf-8", Text),
            (Sse, "text/html", Text),
            (Sse, "text/plain", Text),
            (Ndjson, "application/x-ndjson", Ndjson),
            (Ndjson, "application/json", Ndjson),
            (Ndjson, "text/plain", Ndjson),
            (Ndjson, "text/html;charset=x", Text),
            (Ndjson, "text/event-stream", Text),
            (JsonArray, "application/json", JsonArray),
            (JsonArray, "text/html", Text),
            (JsonArray, "text/event-stream", Text),
            (AwsEventStream, "application/vnd.amazon.eventstream", AwsEventStream),
            (AwsEventStream, "application/octet-stream", AwsEventStream),
            (AwsEventStream, "application/json", Text),
            (AwsEventStream, "application/problem+json", Text),
            (AwsEventStream, "text/plain", Text),
            (AwsEventStream, "application/xml", Text),
            (Text, "text/html", Text),
            (Bytes, "text/html", Bytes),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(effective(asked, &headers), asked, "without a content type");
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(effective(asked, &headers), expected, "{asked:?} {content_type}");
        }
    }

    /// Sizes of the frames in each batch.
    fn batches(sizes: &[usize]) -> Vec<Vec<usize>> {
        let mut decoder = Decoder::new(Framing::Bytes, &Limits::default());
        for &size in sizes {
            decoder.push(Bytes::from(vec![0; size]), usize::MAX).unwrap();
        }
        let mut batches = Vec::new();
        while !decoder.ready().is_empty() {
            let mut batch = Batch::default();
            batch.fill(&mut decoder);
            batches.push(batch.frames.iter().map(Frame::size).collect());
        }
        batches
    }

    #[test]
    fn a_batch_is_bounded_by_count_and_by_size() {
        let half = BATCH_BYTES / 2;
        assert_eq!(batches(&[half, half, 1]), [vec![half, half], vec![1]]);
        assert_eq!(batches(&[1, BATCH_BYTES, 1]), [vec![1], vec![BATCH_BYTES], vec![1]]);
        assert_eq!(batches(&[3 * BATCH_BYTES, 1]), [vec![3 * BATCH_BYTES], vec![1]]);
        let counts: Vec<usize> = batches(&[1; 600]).iter().map(Vec::len).collect();
        assert_eq!(counts, [256, 256, 88]);
    }
}
