//! One JSON array, each of whose elements is a message; one object in its place is one message. Elements are told apart, not parsed.

use super::{Format, Frame, utf8};

#[derive(Default)]
pub(crate) struct Array {
    place: Place,
    element: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// One object, no array.
    bare: bool,
}

#[derive(Default, PartialEq)]
enum Place {
    /// Before `[`.
    #[default]
    Before,
    /// Where an element may begin.
    Between,
    Element,
    /// After `]`.
    After,
}

impl Format for Array {
    fn byte(&mut self, byte: u8) -> Result<Option<Frame>, String> {
        match self.place {
            Place::Before | Place::After | Place::Between if byte.is_ascii_whitespace() => Ok(None),
            Place::Before if byte == b'[' => {
                self.place = Place::Between;
                Ok(None)
            }
            Place::Before if byte == b'{' => {
                self.bare = true;
                self.place = Place::Element;
                self.inside(byte)
            }
            Place::Before => Err("it is not a JSON array".to_owned()),
            Place::After => Err("something follows the array".to_owned()),
            Place::Between => match byte {
                b',' => Ok(None),
                b']' => {
                    self.place = Place::After;
                    Ok(None)
                }
                _ => {
                    self.place = Place::Element;
                    self.inside(byte)
                }
            },
            Place::Element => self.inside(byte),
        }
    }

    fn end(&mut self) -> Result<Option<Frame>, String> {
        if self.place == Place::After { Ok(None) } else { Err("the array is not closed".to_owned()) }
    }
}

impl Array {
    fn inside(&mut self, byte: u8) -> Result<Option<Frame>, String> {
        if self.in_string {
            self.element.push(byte);
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_string = false;
                    return if self.depth == 0 { self.complete() } else { Ok(None) };
                }
                _ => {}
            }
            return Ok(None);
        }
        if self.depth == 0 && matches!(byte, b',' | b']') {
            let frame = self.complete();
            if byte == b']' {
                self.place = Place::After;
            }
            return frame;
        }
        self.element.push(byte);
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return self.complete();
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn complete(&mut self) -> Result<Option<Frame>, String> {
        self.place = if self.bare { Place::After } else { Place::Between };
        let element = std::mem::take(&mut self.element);
        utf8(element.trim_ascii().to_vec()).map(|element| Some(Frame::text(element)))
    }
}

#[cfg(test)]
mod tests {
    use crate::frames::tests::texts;
    use witgate_sdk::Framing::JsonArray;

    #[test]
    fn elements_are_told_apart() {
        let check = |input: &str, expected: &[&str], broken: Option<&str>| {
            let expected = expected.iter().map(|text| format!("|{text}")).collect();
            assert_eq!(texts(JsonArray, input.as_bytes()), (expected, broken.map(str::to_owned)), "{input}");
        };
        check(
            " [{\"a\":\"]\\\",\"},\n\n[1, 2] , \"x,\", 1.50 ,null]\n",
            &["{\"a\":\"]\\\",\"}", "[1, 2]", "\"x,\"", "1.50", "null"],
            None,
        );
        check("[]", &[], None);
        check("[{}", &["{}"], Some("the array is not closed"));
        check("x", &[], Some("it is not a JSON array"));
        check(" {\"error\": {}} ", &["{\"error\": {}}"], None);
        check("[1] x", &["1"], Some("something follows the array"));
    }
}
