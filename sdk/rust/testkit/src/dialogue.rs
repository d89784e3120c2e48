//! What is said over a WebSocket: a line for each message, the adapter's and the vendor's, in the order in which they depend on each other.

use crate::frames::Content;
use crate::json;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A message and who says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Expected of the adapter.
    Adapter(Content),
    /// Said by the vendor as soon as everything before it was said.
    Vendor(Content),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    adapter: Option<Box<RawValue>>,
    adapter_base64: Option<String>,
    vendor: Option<Box<RawValue>>,
    vendor_base64: Option<String>,
}

/// Reads a `.ws.ndjson` file.
pub(crate) fn read(bytes: &[u8]) -> Result<Vec<Line>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(at, line)| read_line(line).map_err(|what| format!("line {}: {what}", at + 1))).collect()
}

fn read_line(line: &str) -> Result<Line, String> {
    let written: Written = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let bytes = |base64: &str| BASE64_STANDARD.decode(base64).map(Content::Bytes).map_err(|error| error.to_string());
    match (written.adapter, written.adapter_base64, written.vendor, written.vendor_base64) {
        (Some(said), None, None, None) => Ok(Line::Adapter(text(&said))),
        (None, Some(said), None, None) => bytes(&said).map(Line::Adapter),
        (None, None, Some(said), None) => Ok(Line::Vendor(text(&said))),
        (None, None, None, Some(said)) => bytes(&said).map(Line::Vendor),
        _ => Err("it needs one of `adapter`, `adapter_base64`, `vendor`, `vendor_base64`".to_owned()),
    }
}

/// A string is the message itself; any other JSON is a message with that text.
fn text(said: &RawValue) -> Content {
    let string = serde_json::from_str::<String>(said.get());
    Content::Text(string.unwrap_or_else(|_| json::squeezed(said.get())))
}

/// Writes a `.ws.ndjson` file.
pub(crate) fn write(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let (who, said) = match line {
            Line::Adapter(said) => ("adapter", said),
            Line::Vendor(said) => ("vendor", said),
        };
        match said {
            Content::Text(text) => format!("{{\"{who}\": {}}}\n", shown(text)),
            Content::Bytes(bytes) => format!("{{\"{who}_base64\": \"{}\"}}\n", BASE64_STANDARD.encode(bytes)),
        }
    };
    lines.iter().map(line).collect()
}

fn shown(text: &str) -> String {
    let structured = text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if structured { json::squeezed(text) } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written() {
        let file =
            "{\"adapter\": {\"a\":1.50}}\n{\"vendor\": \"hi\"}\n{\"adapter_base64\": \"/w==\"}\n{\"vendor\": [1]}\n";
        let lines = read(file.as_bytes()).unwrap();
        let text = |text: &str| Content::Text(text.to_owned());
        assert_eq!(lines[..2], [Line::Adapter(text("{\"a\":1.50}")), Line::Vendor(text("hi"))]);
        assert_eq!(lines[2], Line::Adapter(Content::Bytes(vec![255])));
        assert_eq!(write(&lines), file);
        for line in ["{}", "x", r#"{"adapter": 1, "vendor": 1}"#, r#"{"vendor_base64": "?"}"#, r#"{"vender": ""}"#] {
            assert!(read(format!("\n{line}").as_bytes()).unwrap_err().starts_with("line 2: "), "{line}");
        }
    }
}
