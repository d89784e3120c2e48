//! AWS event-stream frames: read, and written from the list that a case has of them. A frame is two lengths, their checksum, headers, a
//! payload, and the checksum of it all.

use super::{Content, Format, Frame};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Lengths and their checksum.
const PRELUDE: usize = 12;
/// The checksum at the end.
const CHECKSUM: usize = 4;
/// The only type of header that cases write.
const STRING: u8 = 7;

#[derive(Default)]
pub(crate) struct EventStream {
    bytes: Vec<u8>,
}

impl Format for EventStream {
    fn byte(&mut self, byte: u8) -> Result<Option<Frame>, String> {
        self.bytes.push(byte);
        if self.bytes.len() < PRELUDE {
            return Ok(None);
        }
        let total = number(&self.bytes, 0);
        if self.bytes.len() == PRELUDE {
            check(&self.bytes[..8], number(&self.bytes, 8), "prelude")?;
            if total < PRELUDE + CHECKSUM + number(&self.bytes, 4) {
                return Err("a frame's lengths contradict each other".to_owned());
            }
        }
        if self.bytes.len() < total {
            return Ok(None);
        }
        let frame = std::mem::take(&mut self.bytes);
        read(&frame).map(Some)
    }

    fn end(&mut self) -> Result<Option<Frame>, String> {
        if self.bytes.is_empty() { Ok(None) } else { Err("the last frame is cut off".to_owned()) }
    }
}

fn read(frame: &[u8]) -> Result<Frame, String> {
    let end = frame.len() - CHECKSUM;
    check(&frame[..end], number(frame, end), "frame")?;
    let (mut rest, payload) = frame[PRELUDE..end].split_at(number(frame, 4));
    let mut headers = Vec::new();
    while !rest.is_empty() {
        let cut = || "a frame's headers are cut off".to_owned();
        let name = take_short(&mut rest).ok_or_else(cut)?;
        let value = value(&mut rest).ok_or_else(cut)?;
        headers.push((String::from_utf8_lossy(name).into_owned(), value));
    }
    let typed = |wanted: &&str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let name = [":event-type", ":exception-type", ":error-code"].iter().find_map(typed).unwrap_or_default();
    let content = match std::str::from_utf8(payload) {
        Ok(text) => Content::Text(text.to_owned()),
        Err(_) => Content::Bytes(payload.to_vec()),
    };
    Ok(Frame { name, headers, content })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(taken)
}

fn take_short<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(rest, 1)?[0];
    take(rest, length.into())
}

/// A header's value of any type, as text.
fn value(rest: &mut &[u8]) -> Option<String> {
    let signed = |bytes: &[u8]| {
        let negative = bytes[0] & 0x80 != 0;
        bytes.iter().fold(if negative { -1_i64 } else { 0 }, |value, byte| value << 8 | i64::from(*byte))
    };
    Some(match take(rest, 1)?[0] {
        0 => "true".to_owned(),
        1 => "false".to_owned(),
        2 => signed(take(rest, 1)?).to_string(),
        3 => signed(take(rest, 2)?).to_string(),
        4 => signed(take(rest, 4)?).to_string(),
        5 | 8 => signed(take(rest, 8)?).to_string(),
        kind @ (6 | STRING) => {
            let length = take(rest, 2)?;
            let bytes = take(rest, usize::from(length[0]) << 8 | usize::from(length[1]))?;
            if kind == STRING { String::from_utf8_lossy(bytes).into_owned() } else { BASE64_STANDARD.encode(bytes) }
        }
        9 => uuid(take(rest, 16)?),
        _ => return None,
    })
}

fn uuid(bytes: &[u8]) -> String {
    let groups = [0..4, 4..6, 6..8, 8..10, 10..16];
    groups.map(|group| hex::encode(&bytes[group])).join("-")
}

fn number(bytes: &[u8], at: usize) -> usize {
    bytes[at..at + 4].iter().fold(0, |value, byte| value << 8 | usize::from(*byte))
}

fn check(bytes: &[u8], expected: usize, what: &str) -> Result<(), String> {
    if crc32(bytes) as usize == expected { Ok(()) } else { Err(format!("the checksum of a {what} is wrong")) }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A frame as `upstream-response.events.json` lists it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    event: Option<String>,
    exception: Option<String>,
    error: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    payload: Option<Box<RawValue>>,
    base64: Option<String>,
}

/// The bytes that a list of frames stands for.
pub(crate) fn encode(list: &str) -> Result<Vec<u8>, String> {
    let items: Vec<Item> = serde_json::from_str(list).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    for (index, item) in items.iter().enumerate() {
        out.extend(encode_item(item).map_err(|what| format!("frame {}: {what}", index + 1))?);
    }
    Ok(out)
}

fn encode_item(item: &Item) -> Result<Vec<u8>, String> {
    let (payload, json) = match (&item.payload, &item.base64) {
        (Some(_), Some(_)) => return Err("it has both `payload` and `base64`".to_owned()),
        (Some(payload), None) => match serde_json::from_str::<String>(payload.get()) {
            Ok(text) => (text.into_bytes(), false),
            Err(_) => (crate::json::squeezed(payload.get()).into_bytes(), true),
        },
        (None, Some(base64)) => (BASE64_STANDARD.decode(base64).map_err(|error| error.to_string())?, false),
        (None, None) => (Vec::new(), false),
    };
    let mut headers: Vec<(&str, &str)> = Vec::new();
    let kinds = [("event", &item.event), ("exception", &item.exception), ("error", &item.error)];
    for (kind, name) in kinds {
        let Some(name) = name else { continue };
        headers.push((type_header(kind), name));
        if json {
            headers.push((":content-type", "application/json"));
        }
        headers.push((":message-type", kind));
    }
    headers.retain(|(name, _)| !item.headers.contains_key(*name));
    headers.extend(item.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    frame(&headers, &payload)
}

/// The header that says which event, exception or error it is.
fn type_header(kind: &str) -> &'static str {
    match kind {
        "event" => ":event-type",
        "exception" => ":exception-type",
        _ => ":error-code",
    }
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Result<Vec<u8>, String> {
    let mut written = Vec::new();
    for (name, value) in headers {
        let too_long = |_| format!("the header {name} is too long");
        written.push(u8::try_from(name.len()).map_err(too_long)?);
        written.extend_from_slice(name.as_bytes());
        written.push(STRING);
        written.extend(u16::try_from(value.len()).map_err(too_long)?.to_be_bytes());
        written.extend_from_slice(value.as_bytes());
    }
    let size = |bytes: usize| u32::try_from(bytes).map_err(|_| "it is too long".to_owned());
    let mut out = size(PRELUDE + written.len() + payload.len() + CHECKSUM)?.to_be_bytes().to_vec();
    out.extend(size(written.len())?.to_be_bytes());
    out.extend(crc32(&out).to_be_bytes());
    out.extend(written);
    out.extend_from_slice(payload);
    out.extend(crc32(&out).to_be_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::tests::texts;
    use witgate_sdk::Framing::AwsEventStream;

    /// A frame of a real answer.
    const START: &str = "000000760000005296d5fade0b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d747970650700\
                         106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22726f6c65223a2261737369737461\
                         6e74227d6fa8c599";

    #[test]
    fn a_list_becomes_the_bytes_that_a_vendor_sends() {
        let list = r#"[{"event": "messageStart", "payload": {"role": "assistant"}}]"#;
        assert_eq!(hex::encode(encode(list).unwrap()), START);
        let list = r#"[{"event": "messageStart", "payload": {"role": "assistant"}}, {"exception": "slow", "payload": "text"},
            {"error": "E", "headers": {"x": "y"}, "base64": "/w=="}, {"payload": []}]"#;
        let bytes = encode(list).unwrap();
        let expected = ["messageStart|{\"role\":\"assistant\"}", "slow|text", "E|[255]", "|[]"].map(str::to_owned);
        assert_eq!(texts(AwsEventStream, &bytes), (expected.to_vec(), None));
    }

    #[test]
    fn broken_frames_are_errors() {
        let good = hex::decode(START).unwrap();
        for (at, expected) in [(3, "prelude"), (40, "frame"), (good.len() - 1, "frame")] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            let (messages, broken) = texts(AwsEventStream, &bad);
            assert!(messages.is_empty() && broken.unwrap().contains(expected), "byte {at}");
        }
        assert_eq!(texts(AwsEventStream, &good[..50]).1.unwrap(), "the last frame is cut off");
        for list in
            ["{}", r#"[{"event": "a", "payload": 1, "base64": ""}]"#, r#"[{"base64": "?"}]"#, r#"[{"evnt": "a"}]"#]
        {
            assert!(encode(list).is_err(), "{list}");
        }
    }

    #[test]
    fn headers_of_every_type_are_text() {
        for (bytes, expected) in [
            (&b"\0"[..], "true"),
            (b"\x01", "false"),
            (b"\x02\xff", "-1"),
            (b"\x03\x01\0", "256"),
            (b"\x04\xff\xff\xff\xfe", "-2"),
            (b"\x08\0\0\0\0\0\0\x01\0", "256"),
            (b"\x06\0\x01\xff", "/w=="),
            (b"\x07\0\x02ab", "ab"),
            (
                b"\x09\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f",
                "00010203-0405-0607-0809-0a0b0c0d0e0f",
            ),
        ] {
            assert_eq!(value(&mut &*bytes).as_deref(), Some(expected));
        }
        assert_eq!(value(&mut &b"\x0a"[..]), None);
    }
}
