//! From the bytes of an answer to frames. Pure state machines: bytes are pushed in pieces of any size, complete frames are popped, and where
//! the pieces were cut changes nothing.

mod decoder;
mod event_stream;
mod json_array;
mod ndjson;
mod sse;
mod whole;

#[doc(hidden)]
pub mod fuzz;

use bytes::Bytes;

pub(crate) use decoder::Decoder;
pub use event_stream::EventStream;
pub use json_array::JsonArray;
pub use ndjson::Ndjson;
pub use sse::Sse;
pub use whole::Whole;

/// What a caller gets of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An event, a line, an element, a frame or a message with text; or a whole body.
    Message(Message),
    /// A frame or a message whose bytes are not text.
    Binary(Binary),
    /// A piece of an answer that is not cut.
    Body(Bytes),
    /// The answer is complete.
    End,
}

/// One message with text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The event's name, or empty.
    pub name: String,
    /// Headers of an event-stream frame in their order, values of any type as text; else empty.
    pub headers: Vec<(String, String)>,
    /// The bytes, without the line break that ended them.
    pub data: String,
}

/// One message whose bytes are not text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary {
    /// The event's name, or empty.
    pub name: String,
    /// As those of [`Message`].
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub data: Bytes,
}

impl Frame {
    /// A message without headers.
    pub fn message(name: impl Into<String>, data: impl Into<String>) -> Frame {
        Frame::Message(Message { name: name.into(), headers: Vec::new(), data: data.into() })
    }

    /// Bytes that it carries.
    pub fn size(&self) -> usize {
        let with = |name: &str, headers: &[(String, String)]| {
            name.len() + headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
        };
        match self {
            Frame::Message(Message { name, headers, data }) => with(name, headers) + data.len(),
            Frame::Binary(Binary { name, headers, data }) => with(name, headers) + data.len(),
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
    /// It breaks a rule of its framing; the text says which.
    #[error("{0}")]
    Broken(&'static str),
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
