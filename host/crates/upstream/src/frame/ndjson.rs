//! One JSON text per line. The lines are not parsed here; they are only told apart.

use std::collections::VecDeque;

use memchr::memchr;

use super::{Carry, Frame, FrameError};

/// Lines out of bytes. A line ends with LF or CRLF; blank ones are skipped.
pub struct Ndjson {
    limit: usize,
    carry: Carry,
    ready: VecDeque<Frame>,
}

impl Ndjson {
    /// `limit` is the longest line, in bytes.
    pub fn new(limit: usize) -> Ndjson {
        Ndjson { limit, carry: Carry::default(), ready: VecDeque::new() }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A line over the limit, or invalid UTF-8. Nothing may be pushed afterwards.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let mut rest = piece;
        while let Some(end) = memchr(b'\n', rest) {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            self.end_line(line)?;
        }
        self.carry.keep(rest, self.limit)
    }

    /// The next line.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// The bytes are at their end: delivers the last line even when it has no line break.
    ///
    /// # Errors
    /// As `push`.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        self.end_line(b"")
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
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let data = std::str::from_utf8(line).map_err(|_| FrameError::NotUtf8)?.to_owned();
        self.ready.push_back(Frame::message("", data));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[&str]) {
        let mut ndjson = Ndjson::new(1 << 20);
        ndjson.push(input).unwrap();
        ndjson.finish().unwrap();
        let expected: Vec<Frame> = expected.iter().map(|&data| Frame::message("", data)).collect();
        assert_eq!(Vec::from_iter(ndjson.ready.drain(..)), expected, "{}", input.escape_ascii());
    }

    #[test]
    fn lines_end_with_lf_or_crlf() {
        check(b"{\"a\":1}\n{\"b\":2}\r\n", &["{\"a\":1}", "{\"b\":2}"]);
        check(b"\n\r\n{}\n\n \n{}\n", &["{}", "{}"]);
        check(b"{}\n{\"last\":true}", &["{}", "{\"last\":true}"]);
        check(b"{}\r", &["{}"]);
        check(b"a\rb\n", &["a\rb"]);
        check(b" { } \n", &[" { } "]);
        check(b"", &[]);
    }

    #[test]
    fn bad_lines_are_errors_after_the_good_ones() {
        let mut ndjson = Ndjson::new(10);
        assert_eq!(ndjson.push(b"{}\n\"\xFF\"\n"), Err(FrameError::NotUtf8));
        assert!(ndjson.pop().is_some());
        assert_eq!(ndjson.pop(), None);
        assert_eq!(Ndjson::new(4).push(b"1234\n"), Ok(()));
        assert_eq!(Ndjson::new(4).push(b"12345\n"), Err(FrameError::TooLarge { limit: 4 }));
        assert_eq!(Ndjson::new(4).push(b"12345"), Err(FrameError::TooLarge { limit: 4 }));
    }
}
