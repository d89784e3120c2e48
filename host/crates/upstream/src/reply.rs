//! An answer: its head, and its body as batches of frames under an idle deadline.

use std::fmt;

use bytes::Bytes;
use futures_util::FutureExt;
use http::{HeaderMap, header};

use crate::frame::{Decoder, Frame};
use crate::{Failure, Framing, Limits};

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
    limits: Limits,
    /// For the operator's detail of a failure.
    origin: String,
}

enum Phase {
    Reading(reqwest::Response),
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
        origin: String,
    ) -> Result<Reply, Failure> {
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut phase = Phase::Reading(response);
        let decoder = if status >= 400 {
            Decoder::error_text(&limits)
        } else {
            Decoder::new(effective(asked, &headers), &limits)
        };
        if let Some(encoding) = compressed(&headers)
            && decoder.framing() != Framing::Bytes
        {
            if status < 400 {
                return Err(Failure::compressed(&origin, encoding));
            }
            // The status says what matters; the text would be noise.
            phase = Phase::Ended;
        }
        let mut reply = Reply { status, headers, decoder, phase: Phase::Done, received: 0, limits, origin };
        if matches!(phase, Phase::Ended) {
            phase = reply.finished();
        }
        reply.phase = phase;
        Ok(reply)
    }

    /// The framing that is really used: `Text` for an answer with an error status and for one that is not what was asked for.
    ///
    /// It can still turn from `Sse` to `Text` with the first batch, when the body turns out to be JSON or HTML under the wrong content type.
    pub fn framing(&self) -> Framing {
        self.decoder.framing()
    }

    /// Everything that is buffered: waits for the first frame, then takes what is there without waiting, up to 256 frames or 1 MiB (a
    /// larger frame comes alone). `None` after `End` or a failure was given. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The body stalled, broke, is too large, or does not fit the framing. Frames that were complete before are given first.
    pub async fn next(&mut self) -> Option<Result<Vec<Frame>, Failure>> {
        let mut batch = Batch::default();
        loop {
            if batch.fill(&mut self.decoder) {
                return Some(Ok(batch.frames));
            }
            let Phase::Reading(response) = &mut self.phase else {
                return self.close(batch.frames);
            };
            let read = if batch.frames.is_empty() {
                match tokio::time::timeout(self.limits.idle, response.chunk()).await {
                    Ok(read) => read,
                    Err(_) => {
                        self.phase = Phase::Failed(Failure::idle(&self.origin, self.limits.idle));
                        continue;
                    }
                }
            } else {
                match response.chunk().now_or_never() {
                    Some(read) => read,
                    None => return Some(Ok(batch.frames)),
                }
            };
            if let Some(over) = self.accept(read) {
                self.phase = over;
            }
        }
    }

    /// Decodes what was read; the new phase when the reading is over.
    fn accept(&mut self, read: reqwest::Result<Option<Bytes>>) -> Option<Phase> {
        let chunk = match read {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Some(self.finished()),
            Err(error) => return Some(Phase::Failed(Failure::in_body(error, &self.origin))),
        };
        self.received += chunk.len();
        if self.received > self.limits.max_body {
            return Some(Phase::Failed(Failure::body_too_large(&self.origin, self.limits.max_body)));
        }
        if let Err(error) = self.decoder.push(chunk, self.limits.max_body) {
            return Some(Phase::Failed(Failure::framing(error, &self.origin)));
        }
        self.decoder.has_enough().then(|| self.finished())
    }

    fn finished(&mut self) -> Phase {
        match self.decoder.finish() {
            Ok(()) => Phase::Ended,
            Err(error) => Phase::Failed(Failure::framing(error, &self.origin)),
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
        Framing::Text | Framing::Bytes => true,
        Framing::Sse => {
            !page
                && !matches!(
                    media.as_str(),
                    "application/json" | "text/json" | "application/problem+json" | "text/plain"
                )
        }
        Framing::Ndjson => !page && !matches!(media.as_str(), "text/event-stream" | "application/problem+json"),
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
        use Framing::{Bytes, Ndjson, Sse, Text};
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
