//! One JSON text per line. Lines end in LF or CR LF; blank ones are none.

use super::{Format, Frame, utf8};

#[derive(Default)]
pub(crate) struct Lines {
    line: Vec<u8>,
}

impl Format for Lines {
    fn byte(&mut self, byte: u8) -> Result<Option<Frame>, String> {
        if byte == b'\n' {
            return self.end();
        }
        self.line.push(byte);
        Ok(None)
    }

    fn end(&mut self) -> Result<Option<Frame>, String> {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        utf8(line).map(|line| Some(Frame::text(line)))
    }
}

#[cfg(test)]
mod tests {
    use crate::frames::tests::texts;

    #[test]
    fn blank_lines_are_none_and_the_last_needs_no_end() {
        let (texts, broken) = texts(witgate_sdk::Framing::Ndjson, b"{}\r\n\n \n[]\n{\"last\":1}");
        assert_eq!((texts, broken), (vec!["|{}".to_owned(), "|[]".to_owned(), "|{\"last\":1}".to_owned()], None));
    }
}
