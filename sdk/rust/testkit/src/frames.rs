//! Cuts a vendor's answer into messages the way the host does. Not the host's own decoder: a plain reading of the formats.

/// A message's name and text.
pub(crate) type Frame = (String, String);

/// Server-sent events. An event at the end of the text counts without its blank line.
pub(crate) fn sse(text: &str) -> Vec<Frame> {
    let mut frames = Vec::new();
    let (mut name, mut data) = (String::new(), None::<String>);
    for line in lines(text).chain([""]) {
        if line.is_empty() {
            let name = std::mem::take(&mut name);
            frames.extend(data.take().map(|data| (name, data)));
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => match &mut data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            "event" => value.clone_into(&mut name),
            _ => {}
        }
    }
    frames
}

/// Lines that are not empty.
pub(crate) fn ndjson(text: &str) -> Vec<Frame> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(|line| (String::new(), line.to_owned())).collect()
}

/// Lines that end in LF, CR LF or CR.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let ending = if text[at..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[at + ending..]);
        Some(&text[..at])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_as_the_format_says() {
        let frame = |name: &str, data: &str| (name.to_owned(), data.to_owned());
        assert_eq!(
            sse("data: a\n\n: comment\r\n\r\nevent: e\r\ndata:b\rdata: c\r\r"),
            [frame("", "a"), frame("e", "b\nc")]
        );
        assert_eq!(sse("id: 1\ndata: [DONE]"), [frame("", "[DONE]")]);
        assert_eq!(sse("event: lonely\n\ndata\n\n"), [frame("", "")]);
        assert_eq!(ndjson("{}\r\n\n[]"), [frame("", "{}"), frame("", "[]")]);
    }
}
