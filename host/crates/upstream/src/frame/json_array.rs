//! One JSON array whose elements arrive over time. The elements keep their bytes; they are told apart, not parsed.

use std::collections::VecDeque;

use memchr::memchr2;

use super::{Carry, Frame, FrameError, KEEP_BUFFER};

const NOT_AN_ARRAY: FrameError = FrameError::Broken("it is not a JSON array");
const BAD_SEPARATOR: FrameError = FrameError::Broken("the elements of its JSON array are not separated by commas");
const BAD_BRACKETS: FrameError = FrameError::Broken("the brackets in an element of its JSON array do not match");
const BAD_SCALAR: FrameError = FrameError::Broken("an element of its JSON array is not JSON");
const TRAILING: FrameError = FrameError::Broken("something follows its JSON array");
const CUT: FrameError = FrameError::Broken("its JSON array is not complete");

/// Elements out of bytes. A body that is one object instead of an array is one message: so vendors send errors.
pub struct JsonArray {
    limit: usize,
    carry: Carry,
    /// Bytes of the current element so far.
    size: usize,
    /// The closing brackets that the current element still needs.
    open: Vec<u8>,
    /// There is no array around the current element.
    bare: bool,
    state: State,
    ready: VecDeque<Frame>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far.
    Start,
    /// After the bracket that opens the array.
    First,
    /// After a comma.
    Next,
    /// After an element.
    Separator,
    /// In an object or an array.
    Nested,
    /// In a string, its own or of an object or array.
    Text,
    /// After a backslash.
    Escape,
    /// In a number, `true`, `false` or `null`.
    Scalar,
    Done,
}

impl JsonArray {
    /// `limit` is the largest element, in bytes.
    pub fn new(limit: usize) -> JsonArray {
        JsonArray {
            limit,
            carry: Carry::default(),
            size: 0,
            open: Vec::new(),
            bare: false,
            state: State::Start,
            ready: VecDeque::new(),
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// An element over the limit, invalid UTF-8 in one, or what is not one array. Nothing may be pushed afterwards.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FrameError> {
        let (mut at, mut start) = (0, 0);
        while let Some(&byte) = piece.get(at) {
            match self.state {
                State::Text => {
                    let plain = memchr2(b'"', b'\\', &piece[at..]);
                    self.grow(plain.map_or(piece.len() - at, |plain| plain + 1))?;
                    let Some(plain) = plain else { break };
                    at += plain + 1;
                    match piece[at - 1] {
                        b'\\' => self.state = State::Escape,
                        _ if self.open.is_empty() => self.end_element(&piece[start..at])?,
                        _ => self.state = State::Nested,
                    }
                    continue;
                }
                State::Escape => {
                    self.grow(1)?;
                    self.state = State::Text;
                }
                State::Nested => {
                    self.grow(1)?;
                    self.nested(byte)?;
                    if self.open.is_empty() {
                        self.end_element(&piece[start..=at])?;
                    }
                }
                State::Scalar if matches!(byte, b',' | b']') || is_space(byte) => {
                    self.end_element(&piece[start..at])?;
                    continue;
                }
                State::Scalar => {
                    self.grow(1)?;
                    if !is_scalar(byte) {
                        return Err(BAD_SCALAR);
                    }
                }
                _ if is_space(byte) => {}
                _ => {
                    start = at;
                    self.between(byte)?;
                }
            }
            at += 1;
        }
        match self.state {
            State::Text | State::Escape | State::Nested | State::Scalar => self.carry.keep(&piece[start..], self.limit),
            _ => Ok(()),
        }
    }

    /// The next element.
    pub fn pop(&mut self) -> Option<Frame> {
        self.ready.pop_front()
    }

    /// The bytes are at their end.
    ///
    /// # Errors
    /// The array is not complete.
    pub fn finish(&mut self) -> Result<(), FrameError> {
        if self.state == State::Done { Ok(()) } else { Err(CUT) }
    }

    pub(super) fn ready(&mut self) -> &mut VecDeque<Frame> {
        &mut self.ready
    }

    /// A byte outside of every element, not white space.
    fn between(&mut self, byte: u8) -> Result<(), FrameError> {
        match (self.state, byte) {
            (State::Start, b'[') => self.state = State::First,
            (State::Start, b'{') => {
                self.bare = true;
                return self.begin(byte);
            }
            (State::Start, _) => return Err(NOT_AN_ARRAY),
            (State::First | State::Separator, b']') => self.state = State::Done,
            (State::Separator, b',') => self.state = State::Next,
            (State::First | State::Next, _) => return self.begin(byte),
            (State::Separator, _) => return Err(BAD_SEPARATOR),
            _ => return Err(TRAILING),
        }
        Ok(())
    }

    /// The first byte of an element.
    fn begin(&mut self, byte: u8) -> Result<(), FrameError> {
        self.grow(1)?;
        match byte {
            b'{' | b'[' => {
                self.state = State::Nested;
                self.nested(byte)?;
            }
            b'"' => self.state = State::Text,
            _ if is_scalar(byte) => self.state = State::Scalar,
            _ => return Err(BAD_SCALAR),
        }
        Ok(())
    }

    /// A byte of an object or an array, outside of its strings.
    fn nested(&mut self, byte: u8) -> Result<(), FrameError> {
        match byte {
            b'{' => self.open.push(b'}'),
            b'[' => self.open.push(b']'),
            b'}' | b']' if self.open.pop() != Some(byte) => return Err(BAD_BRACKETS),
            b'"' => self.state = State::Text,
            _ => {}
        }
        Ok(())
    }

    /// Counts before anything else is looked at, so that the first error is the same wherever the bytes are cut.
    fn grow(&mut self, bytes: usize) -> Result<(), FrameError> {
        self.size += bytes;
        if self.size > self.limit { Err(FrameError::TooLarge { limit: self.limit }) } else { Ok(()) }
    }

    /// An element is complete: what was carried over and `rest`.
    fn end_element(&mut self, rest: &[u8]) -> Result<(), FrameError> {
        self.state = if self.bare { State::Done } else { State::Separator };
        self.size = 0;
        let done = if self.carry.bytes.is_empty() {
            self.element(rest)
        } else {
            self.carry.keep(rest, self.limit)?;
            let whole = self.carry.take();
            let done = self.element(&whole);
            self.carry.reuse(whole);
            done
        };
        // One element that is nested a million times leaves a large buffer.
        self.open.shrink_to(KEEP_BUFFER);
        done
    }

    fn element(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let data = std::str::from_utf8(bytes).map_err(|_| FrameError::NotUtf8)?;
        self.ready.push_back(Frame::message("", data));
        Ok(())
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests;
