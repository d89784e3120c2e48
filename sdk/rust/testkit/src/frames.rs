//! Cuts a vendor's answer into messages the way the host does. Not the host's own decoders: a plain reading of the formats, byte by byte.

pub(crate) mod array;
pub(crate) mod event_stream;
pub(crate) mod lines;
pub(crate) mod sse;

use witgate_sdk::Framing;

/// A message of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The SSE event's name or the frame's type, else empty.
    pub name: String,
    /// The frame's headers.
    pub headers: Vec<(String, String)>,
    /// Its content.
    pub content: Content,
}

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Frame {
    /// A text without name and headers.
    pub fn text(data: impl Into<String>) -> Frame {
        Frame { name: String::new(), headers: Vec::new(), content: Content::Text(data.into()) }
    }
}

/// The messages of an answer, each with the number of bytes that must have arrived before it is complete; and how the cutting ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Complete messages in order.
    pub frames: Vec<(usize, Frame)>,
    /// What is wrong with the bytes after them.
    pub broken: Option<String>,
}

impl Cut {
    /// The same, but broken.
    #[must_use]
    pub fn too_many(self) -> Cut {
        Cut { broken: Some(format!("it has more than {FRAMES_MAX} messages")), ..self }
    }
}

/// Messages of one answer; a case that has more is none that a person wrote.
pub const FRAMES_MAX: usize = 10_000;

/// How the bytes of an answer become messages. The native runner has its own; the host brings the decoders that it really uses.
pub trait Cutter: Sync {
    /// Cuts a streamed answer. `complete`: it did not break off, so that a last message counts without its end.
    ///
    /// # Errors
    /// When the cutter contradicts itself: the messages depend on where the bytes were split.
    fn cut(&self, framing: Framing, bytes: &[u8], complete: bool) -> Result<Cut, String>;
}

/// The native runner's reading of the formats. It sees one byte at a time, so where an answer is split changes nothing.
pub struct Plain;

impl Cutter for Plain {
    fn cut(&self, framing: Framing, bytes: &[u8], complete: bool) -> Result<Cut, String> {
        Ok(match framing {
            Framing::Sse => feed(sse::Sse::default(), bytes, complete),
            Framing::Ndjson => feed(lines::Lines::default(), bytes, complete),
            Framing::JsonArray => feed(array::Array::default(), bytes, complete),
            Framing::AwsEventStream => feed(event_stream::EventStream::default(), bytes, complete),
            Framing::Text | Framing::Bytes | Framing::WebSocket => {
                return Err(format!("framing `{}` has no messages to cut", framing.as_str()));
            }
        })
    }
}

/// A format, read byte by byte.
trait Format {
    /// Takes a byte; the message that it completes.
    fn byte(&mut self, byte: u8) -> Result<Option<Frame>, String>;
    /// The bytes are at their end; the message that this completes.
    fn end(&mut self) -> Result<Option<Frame>, String>;
}

fn feed(mut format: impl Format, bytes: &[u8], complete: bool) -> Cut {
    let mut cut = Cut::default();
    for (at, byte) in bytes.iter().enumerate() {
        if cut.frames.len() > FRAMES_MAX {
            return cut.too_many();
        }
        match format.byte(*byte) {
            Ok(frame) => cut.frames.extend(frame.map(|frame| (at + 1, frame))),
            Err(what) => return Cut { broken: Some(what), ..cut },
        }
    }
    if complete {
        match format.end() {
            Ok(frame) => cut.frames.extend(frame.map(|frame| (bytes.len(), frame))),
            Err(what) => cut.broken = Some(what),
        }
    }
    cut
}

/// Bytes that must be text.
fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a format makes of these bytes, each message as `name|text`.
    pub(crate) fn texts(framing: Framing, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let cut = Plain.cut(framing, bytes, true).unwrap();
        let text = |(_, frame): (usize, Frame)| match frame.content {
            Content::Text(text) => format!("{}|{text}", frame.name),
            Content::Bytes(bytes) => format!("{}|{bytes:?}", frame.name),
        };
        (cut.frames.into_iter().map(text).collect(), cut.broken)
    }

    #[test]
    fn a_message_is_complete_with_its_last_byte() {
        let cut = Plain.cut(Framing::Sse, b"data: a\n\ndata: b\n", true).unwrap();
        assert_eq!(cut.frames.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [9, 17]);
        let broken_off = Plain.cut(Framing::Sse, b"data: a\n\ndata: b\n", false).unwrap();
        assert_eq!(broken_off.frames.len(), 1);
    }

    #[test]
    fn an_answer_has_so_many_messages_and_no_more() {
        let cut = Plain.cut(Framing::Ndjson, &b"1\n".repeat(FRAMES_MAX), true).unwrap();
        assert_eq!((cut.frames.len(), cut.broken), (FRAMES_MAX, None));
        let cut = Plain.cut(Framing::Ndjson, &b"1\n".repeat(FRAMES_MAX + 2), true).unwrap();
        assert!(cut.broken.unwrap().contains("more than"));
    }

    #[test]
    fn what_is_not_text_is_an_error_after_what_is() {
        let (texts, broken) = texts(Framing::Ndjson, b"{}\n\xff\n[]\n");
        assert_eq!((texts, broken.as_deref()), (vec!["|{}".to_owned()], Some("it is not valid UTF-8")));
    }
}
