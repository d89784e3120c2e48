//! Framing properties: generated streams come out the same however they are cut, and the fuzz corpora replay.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use upstream::frame::fuzz::{self, Outcome};
use upstream::{Binary, Frame, Message};

#[test]
fn the_corpora_replay() {
    type Check = fn(&[u8]);
    for (target, check) in [
        ("sse", fuzz::sse as Check),
        ("ndjson", fuzz::ndjson),
        ("json_array", fuzz::json_array),
        ("event_stream", fuzz::event_stream),
        ("whole", fuzz::whole),
    ] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus").join(target);
        let mut replayed = 0;
        for entry in fs::read_dir(&directory).unwrap() {
            check(&fs::read(entry.unwrap().path()).unwrap());
            replayed += 1;
        }
        assert!(replayed > 3, "{} holds {replayed} inputs", directory.display());
    }
}

/// Bytes that hit every rule of the decoders more often than chance would.
fn telling_bytes() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        6 => prop::sample::select(vec![
            &b"data:"[..], b"data: ", b"data", b"event: e", b"id: 1", b": c", b"\n", b"\r", b"\r\n", b"\n\n", b"x", b"{}",
            b"[DONE]", b" ", b"\xEF\xBB\xBF", "é".as_bytes(), "\u{1f980}".as_bytes(), b"\xF0\x9F", b"\xFF", b":",
        ])
        .prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// The same for arrays.
fn telling_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        8 => prop::sample::select(vec![
            &b"["[..], b"]", b"{", b"}", b",", b"\n", b" ", b"\"", b"\\", b"\"a\"", b":", b"1", b"null", b"{}", b"[{},", b"]}",
            "你".as_bytes(), b"\xE4\xBD", b"\xFF",
        ])
        .prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// A JSON value, written in some way.
fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "\"([ -!#-\\[\\]-~é你]|\\\\[\"\\\\/bn]){0,12}\"",
        "-?[1-9][0-9]{0,4}(\\.[0-9])?",
        Just("null".to_owned()),
        Just("true".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let space = "[ \n]{0,2}";
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), space)
                .prop_map(|(items, space)| format!("[{space}{}]", items.join(&format!("{space},")))),
            (prop::collection::vec(("[a-z{}\\[\\],]{0,4}", inner), 0..4), space).prop_map(|(members, space)| {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("\"{key}\":{space}{value}")).collect();
                format!("{{{space}{}}}", members.join(","))
            }),
        ]
    })
}

/// The headers of a binary frame, all of them strings, and the payload.
fn binary_frame() -> impl Strategy<Value = (Vec<(String, String)>, Vec<u8>)> {
    let headers = prop::collection::vec(("[a-z:-]{1,12}", "[ -~é]{0,20}"), 0..4);
    (headers, prop::collection::vec(any::<u8>(), 0..60))
}

/// An event as it is meant, and the lines that say so.
fn event() -> impl Strategy<Value = (Frame, Vec<String>)> {
    let line = "[ -~é\u{1f980}]{0,20}";
    (prop::option::of("[a-z_.]{1,10}"), prop::collection::vec(line, 1..4), any::<bool>()).prop_map(
        |(name, data, space)| {
            let mut lines: Vec<String> = name.iter().map(|name| format!("event: {name}")).collect();
            // Without the space of its own, a leading space of the value would be taken for it.
            let separator = |value: &str| if space || value.starts_with(' ') { "data: " } else { "data:" };
            lines.extend(data.iter().map(|value| format!("{}{value}", separator(value))));
            lines.push(String::new());
            (Frame::message(name.unwrap_or_default(), data.join("\n")), lines)
        },
    )
}

fn cut(bytes: &[u8], places: &[prop::sample::Index]) -> Vec<Vec<u8>> {
    let mut ends: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let piece = bytes[start..end].to_vec();
            start = end;
            piece
        })
        .collect()
}

fn decode(decoder: fn(&[&[u8]], usize) -> Outcome, pieces: &[Vec<u8>]) -> Outcome {
    decoder(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>(), 1 << 20)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn where_the_bytes_are_cut_changes_nothing(input in telling_bytes()) {
        fuzz::sse(&input);
        fuzz::ndjson(&input);
        fuzz::event_stream(&input);
        fuzz::whole(&input);
    }

    #[test]
    fn where_an_array_is_cut_changes_nothing(input in telling_json()) {
        fuzz::json_array(&input);
    }

    #[test]
    fn elements_come_out_as_they_were_meant(
        values in prop::collection::vec(json_value(), 0..6),
        space in "[ \t\r\n]{0,3}",
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let text = format!("{space}[{space}{}{space}]{space}", values.join(&format!("{space},{space}")));
        let expected = values.into_iter().map(|data| Frame::message("", data)).collect();
        prop_assert_eq!(decode(fuzz::decode_json_array, &cut(text.as_bytes(), &places)), (expected, Ok(())));
    }

    #[test]
    fn binary_frames_come_out_as_they_were_meant(
        frames in prop::collection::vec(binary_frame(), 0..5),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (headers, payload) in frames {
            let encode = |(name, value): &(String, String)| {
                let size = (value.len() as u16).to_be_bytes();
                [&[name.len() as u8][..], name.as_bytes(), &[7], &size, value.as_bytes()].concat()
            };
            bytes.extend(fuzz::event_frame(&headers.iter().flat_map(encode).collect::<Vec<u8>>(), &payload));
            let name = String::new();
            expected.push(match String::from_utf8(payload) {
                Ok(data) => Frame::Message(Message { name, headers, data }),
                Err(error) => Frame::Binary(Binary { name, headers, data: error.into_bytes().into() }),
            });
        }
        prop_assert_eq!(decode(fuzz::decode_event_stream, &cut(&bytes, &places)), (expected, Ok(())));
    }

    #[test]
    fn events_come_out_as_they_were_meant(
        events in prop::collection::vec(event(), 0..6),
        ends in prop::collection::vec(prop::sample::select(vec!["\n", "\r", "\r\n"]), 1..8),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        let mut ends = ends.iter().cycle();
        for (frame, lines) in events {
            expected.push(frame);
            for line in lines {
                bytes.extend_from_slice(line.as_bytes());
                // A CR before an LF would be one line end where two are meant.
                let end = *ends.next().unwrap();
                let joins = bytes.last() == Some(&b'\r') && end == "\n";
                bytes.extend_from_slice(if joins { "\r" } else { end }.as_bytes());
            }
        }
        prop_assert_eq!(decode(fuzz::decode_sse, &cut(&bytes, &places)), (expected, Ok(())));
    }

    #[test]
    fn lines_come_out_as_they_were_meant(
        lines in prop::collection::vec("\\{[ -~é]{0,30}\\}", 0..8),
        crlf in any::<bool>(),
        last_end in any::<bool>(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = lines.join(end);
        if last_end {
            text.push_str(end);
        }
        let expected = lines.into_iter().map(|data| Frame::message("", data)).collect();
        prop_assert_eq!(decode(fuzz::decode_ndjson, &cut(text.as_bytes(), &places)), (expected, Ok(())));
    }
}

/// The same for an array's element and for a binary frame.
#[test]
fn a_large_element_in_small_pieces_is_read_once() {
    let size = 16 << 20;
    let text = vec![b'x'; size - 2];
    let mut pieces: Vec<&[u8]> = vec![b"[\""];
    pieces.extend(text.chunks(16));
    pieces.push(b"\"]");
    let (frames, result) = fuzz::decode_json_array(&pieces, size);
    assert_eq!((result, frames.iter().map(Frame::size).collect::<Vec<_>>()), (Ok(()), vec![size]));
    let frame = fuzz::event_frame(b"", &text);
    let pieces: Vec<&[u8]> = frame.chunks(16).collect();
    let (frames, result) = fuzz::decode_event_stream(&pieces, frame.len());
    assert_eq!((result, frames.iter().map(Frame::size).collect::<Vec<_>>()), (Ok(()), vec![text.len()]));
}

/// 16 MiB that arrive in small pieces; scanning from the start at each of them would take minutes.
#[test]
fn a_large_line_in_small_pieces_is_read_once() {
    let line = vec![b'x'; 16 << 20];
    let mut pieces: Vec<&[u8]> = vec![b"data: "];
    pieces.extend(line.chunks(16));
    pieces.push(b"\n\n");
    let (frames, result) = fuzz::decode_sse(&pieces, 17 << 20);
    assert_eq!(result, Ok(()));
    assert_eq!(frames.iter().map(Frame::size).collect::<Vec<_>>(), [16 << 20]);
}
