//! The binary event stream (`application/vnd.amazon.eventstream`): frames with a prelude, typed headers, a payload and two checksums.

use std::collections::VecDeque;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{Binary, Frame, FrameError, KEEP_BUFFER, Message};

/// Two lengths and their checksum.
const PRELUDE: usize = 12;
/// A frame without headers and payload: the prelude and the checksum of the whole.
const SMALLEST: usize = PRELUDE + 4;
/// The format's own limit for the headers of a frame. A header can be as short as two bytes, and takes far more memory than that.
const HEADERS_MAX: usize = 128 * 1024;
/// The headers that say what a frame is, the first that is there counts.
const NAMES: [&str; 3] = [":event-type", ":exception-type", ":error-code"];

const BAD_PRELUDE: FrameError = FrameError::Broken("the checksum over the lengths of an event-stream frame is wrong");
const BAD_CHECKSUM: FrameError = FrameError::Broken("the checksum of an event-stream frame is wrong");
const BAD_LENGTHS: FrameError = FrameError::Broken("the lengths of an event-stream frame contradict each other");
const BAD_HEADERS: FrameError = FrameError::Broken("the headers of an event-stream frame cannot be read");
const CUT: FrameError = FrameError::Broken("it ends in the middle of an event-stream frame");

/// Frames out of bytes.
pub struct EventStream {
    limit: usize,
    /// The current frame so far.
    frame: Vec<u8>,
    /// How many bytes the current frame needs for the next step: its prelude, then all of it.
    need: usize,
    ready: VecDeque<Frame>,
}

impl EventStream {
    /// `limit` is the largest frame, in bytes, headers and checksums included.
    pub fn new(limit: usize) -> EventStream {
        EventStream { limit, frame: Vec::new(), need: PRELUDE, ready: VecDeque::new() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A frame over the limit, a wrong checksum, or headers that cannot be read. Nothing may be pushed afterwards.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (part, tail) = rest.split_at(rest.len().min(self.need - self.frame.len()));
            self.frame.extend_from_slice(part);
            rest = tail;
            if self.frame.len() < self.need {
                break;
            }
            if self.need == PRELUDE {
                self.need = frame_size(&self.frame, self.limit)?;
                continue;
            }
            let frame = decode(&self.frame)?;
            self.ready.push_back(frame);
            self.need = PRELUDE;
            self.frame.clear();
            self.frame.shrink_to(KEEP_BUFFER);
        }
        Ok(())
    }

    /// The next frame.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// The bytes are at their end.
    ///
    /// # Errors
    /// The last frame is not complete.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        if self.frame.is_empty() { Ok(()) } else { Err(CUT) }
    }

    pub(super) fn ready(&mut self) -> &mut VecDeque<Frame> {
        &mut self.ready
    }
}

/// The size of a frame by its prelude, whose checksum is looked at first: a length out of broken bytes says nothing.
fn frame_size(prelude: &[u8], limit: usize) -> Result<usize, FrameError> {
    let mut reader = Reader(prelude);
    let (size, headers, checksum) = (reader.u32()?, reader.u32()?, reader.u32()?);
    if crc32fast::hash(&prelude[..8]) != checksum {
        return Err(BAD_PRELUDE);
    }
    let (size, headers) = (size as usize, headers as usize);
    if size < SMALLEST || headers > size - SMALLEST {
        return Err(BAD_LENGTHS);
    }
    if headers > HEADERS_MAX {
        return Err(FrameError::TooLarge { limit: HEADERS_MAX });
    }
    if size > limit {
        return Err(FrameError::TooLarge { limit });
    }
    Ok(size)
}

/// A complete frame whose prelude is known to be good.
fn decode(frame: &[u8]) -> Result<Frame, FrameError> {
    let (checked, checksum) = frame.split_at(frame.len() - 4);
    if crc32fast::hash(checked) != Reader(checksum).u32()? {
        return Err(BAD_CHECKSUM);
    }
    let mut reader = Reader(checked);
    reader.u32()?;
    let size = reader.u32()? as usize;
    reader.u32()?;
    let mut fields = Reader(reader.take(size)?);
    let payload = reader.0;
    let mut headers = Vec::new();
    while !fields.0.is_empty() {
        headers.push(fields.header()?);
    }
    let name = NAMES
        .iter()
        .find_map(|wanted| headers.iter().find(|(name, _)| name == wanted))
        .map(|(_, value)| value.clone())
        .unwrap_or_default();
    Ok(match std::str::from_utf8(payload) {
        Ok(data) => Frame::Message(Message { name, headers, data: data.to_owned() }),
        Err(_) => Frame::Binary(Binary { name, headers, data: Bytes::copy_from_slice(payload) }),
    })
}

/// Big-endian values off the front of a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(BAD_HEADERS)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(BAD_HEADERS)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        self.array().map(u32::from_be_bytes)
    }

    /// What has its length before it, in two bytes.
    fn sized(&mut self) -> Result<&'a [u8], FrameError> {
        let size = u16::from_be_bytes(self.array()?);
        self.take(size.into())
    }

    /// One header, its value as text: integers and timestamps (milliseconds since 1970) in decimal, bytes in base64, a UUID in its usual
    /// form.
    fn header(&mut self) -> Result<(String, String), FrameError> {
        let [size] = self.array()?;
        let name = text(self.take(size.into())?)?;
        let [kind] = self.array()?;
        let value = match kind {
            0 => "true".to_owned(),
            1 => "false".to_owned(),
            2 => i8::from_be_bytes(self.array()?).to_string(),
            3 => i16::from_be_bytes(self.array()?).to_string(),
            4 => i32::from_be_bytes(self.array()?).to_string(),
            5 | 8 => i64::from_be_bytes(self.array()?).to_string(),
            6 => STANDARD.encode(self.sized()?),
            7 => text(self.sized()?)?,
            9 => uuid(self.array()?),
            _ => return Err(BAD_HEADERS),
        };
        Ok((name, value))
    }
}

fn text(bytes: &[u8]) -> Result<String, FrameError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| FrameError::NotUtf8)
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests;
