//! A whole body as one message.

use std::collections::VecDeque;

use super::{Frame, FrameError};

/// Collects a body.
pub struct Whole {
    limit: usize,
    /// Cut at the limit and repair what is not UTF-8, instead of failing.
    lossy: bool,
    bytes: Vec<u8>,
    has_enough: bool,
    ready: VecDeque<Frame>,
}

impl Whole {
    /// A body over `limit` bytes or one that is not UTF-8 is an error.
    pub fn strict(limit: usize) -> Whole {
        Whole { limit, lossy: false, bytes: Vec::new(), has_enough: false, ready: VecDeque::new() }
    }

    /// What is over `limit` bytes is cut off and what is not UTF-8 is replaced.
    pub fn lossy(limit: usize) -> Whole {
        Whole { lossy: true, ..Whole::strict(limit) }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// A strict body over the limit.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let room = self.limit - self.bytes.len();
        if piece.len() > room {
            if !self.lossy {
                return Err(FrameError::TooLarge { limit: self.limit });
            }
            self.has_enough = true;
        }
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        Ok(())
    }

    /// Whether the body was cut, so that the rest need not be read.
    pub fn has_enough(&self) -> bool {
        self.has_enough
    }

    /// The message, after `finish`.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// The body is at its end, or there is enough of it. An empty one is a message too.
    ///
    /// # Errors
    /// A strict body that is not UTF-8.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        let bytes = std::mem::take(&mut self.bytes);
        let data = match String::from_utf8(bytes) {
            Ok(data) => data,
            Err(error) if self.lossy => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(_) => return Err(FrameError::NotUtf8),
        };
        self.ready.push_back(Frame::message("", data));
        Ok(())
    }

    pub(super) fn ready(&mut self) -> &mut VecDeque<Frame> {
        &mut self.ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn run(mut whole: Whole, pieces: &[&[u8]]) -> Result<String, FrameError> {
        pieces.iter().try_for_each(|piece| whole.push(piece))?;
        whole.finish()?;
        match whole.pop() {
            Some(Frame::Message(Message { name, data, .. })) if name.is_empty() => Ok(data),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_strict_body_is_all_or_nothing() {
        assert_eq!(run(Whole::strict(9), &[b"{\"a\"", b":\xC3", b"\xA9}"]), Ok("{\"a\":é}".to_owned()));
        assert_eq!(run(Whole::strict(9), &[]), Ok(String::new()));
        assert_eq!(run(Whole::strict(4), &[b"abc", b"de"]), Err(FrameError::TooLarge { limit: 4 }));
        assert_eq!(run(Whole::strict(9), &[b"\xC3"]), Err(FrameError::NotUtf8));
    }

    #[test]
    fn a_lossy_body_is_cut_and_repaired() {
        assert_eq!(run(Whole::lossy(4), &[b"abc", b"de", b"fgh"]), Ok("abcd".to_owned()));
        assert_eq!(run(Whole::lossy(9), &[b"a\xFFb"]), Ok("a\u{fffd}b".to_owned()));
        let mut whole = Whole::lossy(2);
        whole.push(b"ab").unwrap();
        assert!(!whole.has_enough(), "it may end here");
        whole.push(b"c").unwrap();
        assert!(whole.has_enough());
    }
}
