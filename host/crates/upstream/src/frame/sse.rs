//! Server-sent events, as the HTML standard describes them, with two differences: a last event without its blank line is delivered, and
//! invalid UTF-8 is an error.

use std::collections::VecDeque;

use memchr::{memchr, memchr2};

use super::{Carry, Frame, FrameError};

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Events out of bytes. A line ends with LF, CR or CRLF.
pub struct Sse {
    limit: usize,
    carry: Carry,
    /// The last byte was a CR: an LF that comes next belongs to it.
    after_cr: bool,
    first_line: bool,
    name: String,
    /// `None` until the event has a data line: an event without one is not delivered.
    data: Option<String>,
    ready: VecDeque<Frame>,
}

impl Sse {
    /// `limit` is the largest event and the longest line, in bytes.
    pub fn new(limit: usize) -> Sse {
        Sse {
            limit,
            carry: Carry::default(),
            after_cr: false,
            first_line: true,
            name: String::new(),
            data: None,
            ready: VecDeque::new(),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// An event or a line over the limit, or invalid UTF-8. Nothing may be pushed afterwards.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let mut rest = piece;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, tail) = (&rest[..end], &rest[end + 1..]);
            rest = tail;
            if piece_is_cr(piece, tail) {
                match tail.strip_prefix(b"\n") {
                    Some(after) => rest = after,
                    None => self.after_cr = tail.is_empty(),
                }
            }
            self.end_line(line)?;
        }
        self.carry.keep(rest, self.limit)
    }

    /// The next complete event.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// The bytes are at their end: delivers the last event even when its blank line is missing.
    ///
    /// # Errors
    /// As `push`.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        self.end_line(b"")?;
        self.end_event();
        Ok(())
    }

    pub(super) fn ready(&mut self) -> &mut VecDeque<Frame> {
        &mut self.ready
    }

    /// A line is complete: what was carried over and `rest`.
    fn end_line(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        if self.carry.bytes.is_empty() {
            if rest.len() > self.limit {
                return Err(FrameError::TooLarge { limit: self.limit });
            }
            return self.line(rest);
        }
        self.carry.keep(rest, self.limit)?;
        let whole = self.carry.take();
        let done = self.line(&whole);
        self.carry.reuse(whole);
        done
    }

    fn line(&mut self, line: &[u8]) -> Result<(), FrameError> {
        let line = if self.first_line { line.strip_prefix(BOM).unwrap_or(line) } else { line };
        self.first_line = false;
        if line.is_empty() {
            self.end_event();
            return Ok(());
        }
        let line = std::str::from_utf8(line).map_err(|_| FrameError::NotUtf8)?;
        let (field, value) = match memchr(b':', line.as_bytes()) {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, ""),
        };
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.add_data(value),
            "event" => {
                value.clone_into(&mut self.name);
                Ok(())
            }
            // Comments have an empty field name. `id` and `retry` are for clients that reconnect.
            _ => Ok(()),
        }
    }

    fn add_data(&mut self, value: &str) -> Result<(), FrameError> {
        let Some(data) = &mut self.data else {
            self.data = Some(value.to_owned());
            return Ok(());
        };
        if data.len() + 1 + value.len() > self.limit {
            return Err(FrameError::TooLarge { limit: self.limit });
        }
        data.push('\n');
        data.push_str(value);
        Ok(())
    }

    fn end_event(&mut self) {
        match self.data.take() {
            Some(data) => self.ready.push_back(Frame::message(std::mem::take(&mut self.name), data)),
            None => self.name.clear(),
        }
    }
}

/// Whether the line before `tail`, which is the end of `piece`, ended with a CR.
fn piece_is_cr(piece: &[u8], tail: &[u8]) -> bool {
    piece[piece.len() - tail.len() - 1] == b'\r'
}

/// Where the first byte is that is neither white space nor part of a byte order mark.
pub(super) fn first_visible(piece: &[u8]) -> Option<usize> {
    piece.iter().position(|byte| !byte.is_ascii_whitespace() && !BOM.contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    /// Each expected event is `name|data`.
    fn check(input: &[u8], expected: &[&str]) {
        let mut sse = Sse::new(1 << 20);
        sse.push(input).unwrap();
        sse.finish().unwrap();
        let got: Vec<String> = std::iter::from_fn(|| sse.pop())
            .map(|frame| match frame {
                Frame::Message(Message { name, data, .. }) => format!("{name}|{data}"),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(got, expected, "{}", input.escape_ascii());
    }

    #[test]
    fn fields_follow_the_standard() {
        check(b"data: hello\n\n", &["|hello"]);
        check(b"data:hello\n\n", &["|hello"]);
        check(b"data:  hello \n\n", &["| hello "]);
        check(b"data: a\ndata:b\ndata:  c\n\n", &["|a\nb\n c"]);
        check(b"event: delta\ndata: x\n\ndata: y\n\n", &["delta|x", "|y"]);
        check(b"data: x\nevent: late\n\n", &["late|x"]);
        check(b"event: a\nevent: b\ndata: x\n\n", &["b|x"]);
        check(b": comment\n\n:\ndata: x\n: more\n\n", &["|x"]);
        check(b"id: 1\nretry: 10\ndata: x\nnonsense\nfoo: bar\n\n", &["|x"]);
        check(b"data: {\"a\":\"b: c\"}\n\ndata: [DONE]\n\n", &["|{\"a\":\"b: c\"}", "|[DONE]"]);
        check(b" data: x\n\nDATA: x\n\ndata : x\n\n", &[]);
    }

    #[test]
    fn an_event_needs_a_data_line_and_no_more() {
        check(b"event: ping\n\ndata: x\n\n", &["|x"]);
        check(b"data\n\n", &["|"]);
        check(b"data:\n\n", &["|"]);
        check(b"data\ndata\n\n", &["|\n"]);
        check(b"\n\n\n", &[]);
        check(b"", &[]);
    }

    #[test]
    fn all_line_ends_are_one() {
        check(b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", &["|a", "|b", "|c"]);
        check(b"data: a\r\ndata: b\rdata: c\ndata: d\n\r\n", &["|a\nb\nc\nd"]);
        check(b"data: a\n\rdata: b\r\n\n", &["|a", "|b"]);
    }

    #[test]
    fn a_byte_order_mark_counts_only_at_the_start() {
        check(b"\xEF\xBB\xBFdata: x\n\n", &["|x"]);
        check(b"\xEF\xBB\xBF\n\ndata: x\n\n", &["|x"]);
        check(b"data: \xEF\xBB\xBFx\n\n\xEF\xBB\xBFdata: y\n\n", &["|\u{feff}x"]);
    }

    #[test]
    fn the_last_event_may_lack_its_end() {
        check(b"data: x\n", &["|x"]);
        check(b"data: x", &["|x"]);
        check(b"data: x\r", &["|x"]);
        check(b"data: a\n\nevent: e\ndata: b", &["|a", "e|b"]);
        check(b"event: e", &[]);
        check(b"data", &["|"]);
    }

    #[test]
    fn crlf_cut_in_two_is_one_line_end() {
        let mut sse = Sse::new(100);
        for piece in [&b"data: a\r"[..], b"", b"\ndata: b\r", b"data: c\r", b"\n\r", b"\ndata: d\r", b"\r", b"\n"] {
            sse.push(piece).unwrap();
        }
        assert_eq!(sse.pop(), Some(Frame::message("", "a\nb\nc")));
        assert_eq!(sse.pop(), Some(Frame::message("", "d")));
        assert_eq!(sse.pop(), None);
    }

    #[test]
    fn utf8_cut_in_two_is_whole_again_and_broken_is_an_error() {
        let mut sse = Sse::new(100);
        sse.push(b"data: \xE4\xBD").unwrap();
        sse.push(b"\xA0\n\n").unwrap();
        assert_eq!(sse.pop(), Some(Frame::message("", "你")));
        assert_eq!(sse.push(b"data: ok\n\ndata: \xE4\xBD\n\n"), Err(FrameError::NotUtf8));
        assert!(sse.pop().is_some(), "what was complete before stays");
        assert_eq!(Sse::new(100).push(b": \xFF\n"), Err(FrameError::NotUtf8));
        let mut cut = Sse::new(100);
        cut.push(b"data: \xE4\xBD").unwrap();
        assert_eq!(cut.finish(), Err(FrameError::NotUtf8));
    }

    #[test]
    fn an_event_over_the_limit_is_an_error() {
        let too_large = Err(FrameError::TooLarge { limit: 10 });
        assert_eq!(Sse::new(10).push(b"data: 1234\n\n"), Ok(()));
        assert_eq!(Sse::new(10).push(b"data: 12345\n\n"), too_large);
        assert_eq!(Sse::new(10).push(b"data: 12345"), too_large);
        assert_eq!(Sse::new(10).push(b"data:12345\ndata:1234\n\n"), Ok(()));
        assert_eq!(Sse::new(10).push(b"data:12345\ndata:12345\n\n"), too_large);
        assert_eq!(Sse::new(10).push(b"data:12345\n\ndata:12345\n\n"), Ok(()));
    }
}
