//! Frames as they are on the wire, every type of header, and every way to break one.

use super::*;
use crate::frame::fuzz::{decode_event_stream, event_frame};

/// A frame that starts a message.
const START: &str = "000000760000005296d5fade0b3a6576656e742d7479706507000c6d65737361676553746172740d3a636f6e74656e742d74\
     7970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22726f6c65\
     223a22617373697374616e74227d6fa8c599";
/// A frame with a chunk of a model's native answer.
const CHUNK: &str = "000000e60000004b23b8750e0b3a6576656e742d747970650700056368756e6b0d3a636f6e74656e742d7479706507001061\
     70706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b226279746573223a2265794a\
     306558426c496a6f695932397564475675644639696247396a6131396b5a57783059534973496d6c755a475634496a6f774c\
     434a6b5a5778305953493665794a306558426c496a6f69644756346446396b5a57783059534973496e526c654851694f694a\
     4961534a3966513d3d222c2270223a226162636465666768227d8ec56ae9";
/// An exception in the middle of a stream.
const EXCEPTION: &str = "000000b0000000614f5086b30f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e\
     0d3a636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d74797065070009\
     657863657074696f6e7b226d657373616765223a22546f6f206d616e7920746f6b656e732c20706c65617365207761697420\
     6265666f726520747279696e6720616761696e2e227df70ae57f";

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn message(name: &str, headers: &[(&str, &str)], data: &str) -> Frame {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    Frame::Message(Message { name: name.to_owned(), headers, data: data.to_owned() })
}

fn expected() -> [Frame; 3] {
    let json = (":content-type", "application/json");
    [
        message(
            "messageStart",
            &[(":event-type", "messageStart"), json, (":message-type", "event")],
            "{\"role\":\"assistant\"}",
        ),
        message(
            "chunk",
            &[(":event-type", "chunk"), json, (":message-type", "event")],
            "{\"bytes\":\"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YSI6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiJIaSJ9fQ==\",\"p\":\"abcdefgh\"}",
        ),
        message(
            "throttlingException",
            &[(":exception-type", "throttlingException"), json, (":message-type", "exception")],
            "{\"message\":\"Too many tokens, please wait before trying again.\"}",
        ),
    ]
}

fn run(bytes: &[u8]) -> (Vec<Frame>, Result<(), FrameError>) {
    decode_event_stream(&[bytes], 1 << 20)
}

#[test]
fn frames_on_the_wire_are_read() {
    for (hex, expected) in [START, CHUNK, EXCEPTION].into_iter().zip(expected()) {
        assert_eq!(run(&bytes(hex)), (vec![expected], Ok(())));
    }
}

#[test]
fn frames_come_whole_however_they_are_cut() {
    let stream = [bytes(START), bytes(CHUNK), bytes(EXCEPTION)].concat();
    for at in 0..=stream.len() {
        let (left, right) = stream.split_at(at);
        assert_eq!(decode_event_stream(&[left, right], 1 << 20), (expected().to_vec(), Ok(())), "cut at {at}");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let frame = bytes(START);
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut broken = frame.clone();
            broken[at] ^= 1 << bit;
            let (frames, result) = run(&broken);
            assert_eq!(frames, [], "bit {bit} of byte {at}");
            let expected = if at < PRELUDE { BAD_PRELUDE } else { BAD_CHECKSUM };
            assert_eq!(result, Err(expected), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn an_end_inside_a_frame_is_an_error_after_the_good_frames() {
    let (start, chunk) = (bytes(START), bytes(CHUNK));
    for kept in 1..chunk.len() {
        let (frames, result) = run(&[&start[..], &chunk[..kept]].concat());
        assert_eq!((frames.len(), result), (1, Err(CUT)), "{kept} bytes of the second frame");
    }
    assert_eq!(run(b""), (vec![], Ok(())));
}

/// An encoded header.
fn header(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    [&[name.len() as u8][..], name.as_bytes(), &[kind], value].concat()
}

fn header_text(kind: u8, value: &[u8]) -> Result<String, FrameError> {
    let (mut frames, result) = run(&event_frame(&header("h", kind, value), b""));
    result?;
    match frames.pop() {
        Some(Frame::Message(message)) => Ok(message.headers[0].1.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_header_of_any_type_is_text() {
    let text = |kind, value: &[u8]| header_text(kind, value).unwrap();
    assert_eq!(text(0, b""), "true");
    assert_eq!(text(1, b""), "false");
    assert_eq!(text(2, &[0x80]), "-128");
    assert_eq!(text(3, &[0xff, 0xfe]), "-2");
    assert_eq!(text(4, &70_000_i32.to_be_bytes()), "70000");
    assert_eq!(text(5, &i64::MIN.to_be_bytes()), "-9223372036854775808");
    assert_eq!(text(6, b"\0\x03\xff\0\x01"), "/wAB");
    assert_eq!(text(7, b"\0\x03\xe4\xbd\xa0"), "你");
    assert_eq!(text(7, b"\0\0"), "");
    assert_eq!(text(8, &1_700_000_000_123_i64.to_be_bytes()), "1700000000123");
    assert_eq!(text(9, &(0..16).collect::<Vec<u8>>()), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    assert_eq!(header_text(7, b"\0\x02\xff\xff"), Err(FrameError::NotUtf8));
    for (kind, value) in [(10, &b""[..]), (2, b""), (4, b"123"), (7, b"\0"), (7, b"\0\x05abc"), (9, b"short")] {
        assert_eq!(header_text(kind, value), Err(BAD_HEADERS), "type {kind}");
    }
    assert_eq!(run(&event_frame(b"\x05ab", b"")).1, Err(BAD_HEADERS), "a name longer than the headers");
    assert_eq!(run(&event_frame(b"\x01a", b"payload")).1, Err(BAD_HEADERS), "the payload is no header");
}

#[test]
fn a_frame_is_named_by_the_first_header_that_can() {
    let name = |headers: &[(&str, &str)]| {
        let text = |value: &str| [&(value.len() as u16).to_be_bytes()[..], value.as_bytes()].concat();
        let encoded: Vec<u8> = headers.iter().flat_map(|(name, value)| header(name, 7, &text(value))).collect();
        match run(&event_frame(&encoded, b"")).0.pop() {
            Some(Frame::Message(message)) => message.name,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(name(&[(":error-code", "c"), (":exception-type", "x"), (":event-type", "e")]), "e");
    assert_eq!(name(&[(":error-code", "c"), (":exception-type", "x")]), "x");
    assert_eq!(name(&[(":error-message", "m"), (":error-code", "c")]), "c");
    assert_eq!(name(&[(":content-type", "e")]), "");
    assert_eq!(name(&[]), "");
}

#[test]
fn a_payload_that_is_not_text_stays_bytes() {
    let headers = header(":event-type", 7, b"\0\x05audio");
    let expected = Frame::Binary(Binary {
        name: "audio".to_owned(),
        headers: vec![(":event-type".to_owned(), "audio".to_owned())],
        data: Bytes::from_static(b"\xff\x00"),
    });
    assert_eq!(run(&event_frame(&headers, b"\xff\x00")), (vec![expected], Ok(())));
}

#[test]
fn lengths_are_believed_only_when_they_fit() {
    let prelude = |size: u32, headers: u32| {
        let mut bytes = [size.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_be_bytes());
        run(&bytes).1
    };
    assert_eq!(prelude(15, 0), Err(BAD_LENGTHS));
    assert_eq!(prelude(0, 0), Err(BAD_LENGTHS));
    assert_eq!(prelude(100, 85), Err(BAD_LENGTHS));
    assert_eq!(prelude(100, u32::MAX), Err(BAD_LENGTHS));
    assert_eq!(prelude(100, 84), Err(CUT));
    assert_eq!(prelude(u32::MAX, 0), Err(FrameError::TooLarge { limit: 1 << 20 }));
    let frame = event_frame(b"", &[b'x'; 84]);
    assert_eq!(decode_event_stream(&[&frame], 100).1, Ok(()));
    assert_eq!(decode_event_stream(&[&frame], 99), (vec![], Err(FrameError::TooLarge { limit: 99 })));
}
