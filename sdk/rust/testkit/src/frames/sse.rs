//! Server-sent events. An event at the end of the bytes counts without its blank line.

use super::{Content, Format, Frame, utf8};

#[derive(Default)]
pub(crate) struct Sse {
    line: Vec<u8>,
    after_cr: bool,
    not_first: bool,
    name: String,
    data: Option<String>,
}

impl Format for Sse {
    fn byte(&mut self, byte: u8) -> Result<Option<Frame>, String> {
        let pair = std::mem::replace(&mut self.after_cr, byte == b'\r') && byte == b'\n';
        match byte {
            _ if pair => Ok(None),
            b'\n' | b'\r' => self.end_line(),
            byte => {
                self.line.push(byte);
                Ok(None)
            }
        }
    }

    fn end(&mut self) -> Result<Option<Frame>, String> {
        let last = self.end_line()?;
        Ok(last.or_else(|| self.end_event()))
    }
}

impl Sse {
    fn end_line(&mut self) -> Result<Option<Frame>, String> {
        let line = utf8(std::mem::take(&mut self.line))?;
        let marked = !std::mem::replace(&mut self.not_first, true);
        let line = if marked { line.strip_prefix('\u{feff}').unwrap_or(&line) } else { &line };
        if line.is_empty() {
            return Ok(self.end_event());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", data) => *data = Some(value.to_owned()),
            ("event", _) => value.clone_into(&mut self.name),
            _ => {}
        }
        Ok(None)
    }

    fn end_event(&mut self) -> Option<Frame> {
        let name = std::mem::take(&mut self.name);
        let data = self.data.take()?;
        Some(Frame { name, headers: Vec::new(), content: Content::Text(data) })
    }
}

#[cfg(test)]
mod tests {
    use crate::frames::tests::texts;
    use witgate_sdk::Framing::Sse;

    #[test]
    fn events_are_cut_as_the_format_says() {
        let check = |input: &str, expected: &[&str]| {
            let expected = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(texts(Sse, input.as_bytes()), (expected, None), "{input:?}");
        };
        check("data: a\n\n: comment\r\n\r\nevent: e\r\ndata:b\rdata: c\r\r", &["|a", "e|b\nc"]);
        check("id: 1\ndata: [DONE]", &["|[DONE]"]);
        check("data: x\n", &["|x"]);
        check("event: lonely\n\ndata\n\n", &["|"]);
        check("\u{feff}data: x\n\ndata: \u{feff}y\n\n", &["|x", "|\u{feff}y"]);
        check("data: a\n\rdata: b\r\n\n", &["|a", "|b"]);
    }
}
