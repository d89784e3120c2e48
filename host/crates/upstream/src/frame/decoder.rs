//! The one decoder that an answer needs, chosen by its framing.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{EventStream, Frame, FrameError, JsonArray, Ndjson, Sse, Whole, sse};
use crate::{Framing, Limits};

/// The decoder that an answer needs.
pub(crate) enum Decoder {
    /// Server-sent events; `seen` once the first byte that is not white space came.
    Sse {
        events: Sse,
        seen: bool,
    },
    Ndjson(Ndjson),
    Whole(Whole),
    JsonArray(JsonArray),
    EventStream(EventStream),
    Bytes(VecDeque<Frame>),
    /// The messages of a WebSocket arrive whole and are put here as they are.
    WebSocket(VecDeque<Frame>),
}

impl Decoder {
    pub(crate) fn new(framing: Framing, limits: &Limits) -> Decoder {
        match framing {
            Framing::Text => Decoder::Whole(Whole::strict(limits.max_body)),
            Framing::Bytes => Decoder::Bytes(VecDeque::new()),
            Framing::Sse => Decoder::Sse { events: Sse::new(limits.max_message), seen: false },
            Framing::Ndjson => Decoder::Ndjson(Ndjson::new(limits.max_message)),
            Framing::JsonArray => Decoder::JsonArray(JsonArray::new(limits.max_message)),
            Framing::AwsEventStream => Decoder::EventStream(EventStream::new(limits.max_message)),
            Framing::WebSocket => Decoder::WebSocket(VecDeque::new()),
        }
    }

    /// For an answer with an error status: as much text as is to be had.
    pub(crate) fn error_text(limits: &Limits) -> Decoder {
        Decoder::Whole(Whole::lossy(limits.max_error_body))
    }

    pub(crate) fn framing(&self) -> Framing {
        match self {
            Decoder::Sse { .. } => Framing::Sse,
            Decoder::Ndjson(_) => Framing::Ndjson,
            Decoder::Whole(_) => Framing::Text,
            Decoder::JsonArray(_) => Framing::JsonArray,
            Decoder::EventStream(_) => Framing::AwsEventStream,
            Decoder::Bytes(_) => Framing::Bytes,
            Decoder::WebSocket(_) => Framing::WebSocket,
        }
    }

    /// `max_body` is the limit of the whole text that a mislabeled event stream turns out to be.
    pub(crate) fn push(&mut self, chunk: Bytes, max_body: usize) -> Result<(), FrameError> {
        match self {
            Decoder::Sse { events, seen } => {
                let Some(first) = (!*seen).then(|| sse::first_visible(&chunk)).flatten() else {
                    return events.push(&chunk);
                };
                *seen = true;
                // No event stream starts like this. An error page under the wrong content type would read as a stream without events.
                if matches!(chunk[first], b'{' | b'<') {
                    let mut whole = Whole::strict(max_body);
                    let pushed = whole.push(&chunk[first..]);
                    *self = Decoder::Whole(whole);
                    return pushed;
                }
                events.push(&chunk)
            }
            Decoder::Ndjson(lines) => lines.push(&chunk),
            Decoder::Whole(whole) => whole.push(&chunk),
            Decoder::JsonArray(array) => array.push(&chunk),
            Decoder::EventStream(stream) => stream.push(&chunk),
            Decoder::Bytes(ready) | Decoder::WebSocket(ready) => {
                if !chunk.is_empty() {
                    ready.push_back(Frame::Body(chunk));
                }
                Ok(())
            }
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), FrameError> {
        match self {
            Decoder::Sse { events, .. } => events.finish(),
            Decoder::Ndjson(lines) => lines.finish(),
            Decoder::Whole(whole) => whole.finish(),
            Decoder::JsonArray(array) => array.finish(),
            Decoder::EventStream(stream) => stream.finish(),
            Decoder::Bytes(_) | Decoder::WebSocket(_) => Ok(()),
        }
    }

    /// Whether it takes the first byte that is not white space to tell what the answer is.
    pub(crate) fn is_undecided(&self) -> bool {
        matches!(self, Decoder::Sse { seen: false, .. })
    }

    /// Whether more bytes would only be thrown away.
    pub(crate) fn has_enough(&self) -> bool {
        matches!(self, Decoder::Whole(whole) if whole.has_enough())
    }

    pub(crate) fn ready(&mut self) -> &mut VecDeque<Frame> {
        match self {
            Decoder::Sse { events, .. } => events.ready(),
            Decoder::Ndjson(lines) => lines.ready(),
            Decoder::Whole(whole) => whole.ready(),
            Decoder::JsonArray(array) => array.ready(),
            Decoder::EventStream(stream) => stream.ready(),
            Decoder::Bytes(ready) | Decoder::WebSocket(ready) => ready,
        }
    }
}
