//! From the bytes of an answer to frames. Pure state machines: bytes are pushed in pieces of any size, complete frames are popped, and where
//! the pieces were cut changes nothing.

mod ndjson;
mod sse;
mod whole;

#[doc(hidden)]
pub mod fuzz;

use std::collections::VecDeque;

use bytes::Bytes;

pub use ndjson::Ndjson;
pub use sse::Sse;
pub use whole::Whole;

use crate::{Framing, Limits};

/// What a caller gets of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An event, a line, or a whole body.
    Message {
        /// The event's name, or empty.
        name: String,
        /// Its data, without the line break that ended it.
        data: String,
    },
    /// A piece of an answer that is not cut.
    Body(Bytes),
    /// The answer is complete.
    End,
}

impl Frame {
    /// Bytes that it carries.
    pub fn size(&self) -> usize {
        match self {
            Frame::Message { name, data } => name.len() + data.len(),
            Frame::Body(bytes) => bytes.len(),
            Frame::End => 0,
        }
    }
}

/// The bytes do not fit the framing. Frames that were complete before can still be popped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// One message is larger than its limit.
    #[error("one message is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// Replacement characters would be silent loss.
    #[error("it is not valid UTF-8")]
    NotUtf8,
}

/// The decoder that an answer needs.
pub(crate) enum Decoder {
    /// Server-sent events; `seen` once the first byte that is not white space came.
    Sse {
        events: Sse,
        seen: bool,
    },
    Ndjson(Ndjson),
    Whole(Whole),
    Bytes(VecDeque<Frame>),
}

impl Decoder {
    pub(crate) fn new(framing: Framing, limits: &Limits) -> Decoder {
        match framing {
            Framing::Text => Decoder::Whole(Whole::strict(limits.max_body)),
            Framing::Bytes => Decoder::Bytes(VecDeque::new()),
            Framing::Sse => Decoder::Sse { events: Sse::new(limits.max_message), seen: false },
            Framing::Ndjson => Decoder::Ndjson(Ndjson::new(limits.max_message)),
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
            Decoder::Bytes(_) => Framing::Bytes,
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
            Decoder::Bytes(ready) => {
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
            Decoder::Bytes(_) => Ok(()),
        }
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
            Decoder::Bytes(ready) => ready,
        }
    }
}

/// A buffer grown by one large message is not kept for the rest of the stream.
const KEEP_BUFFER: usize = 64 << 10;

/// Lines that may be cut anywhere: the part of a line that is still without its end.
#[derive(Default)]
struct Carry {
    bytes: Vec<u8>,
}

impl Carry {
    /// Keeps the unfinished end of a piece.
    fn keep(&mut self, piece: &[u8], limit: usize) -> Result<(), FrameError> {
        if self.bytes.len() + piece.len() > limit {
            return Err(FrameError::TooLarge { limit });
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Takes what was kept; give the buffer back with `reuse`.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn reuse(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= KEEP_BUFFER {
            buffer.clear();
            self.bytes = buffer;
        }
    }
}
