//! Framing properties: generated streams come out the same however they are cut, and the fuzz corpora replay.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use upstream::Frame;
use upstream::frame::fuzz::{self, Outcome};

#[test]
fn the_corpora_replay() {
    type Check = fn(&[u8]);
    for (target, check) in [("sse", fuzz::sse as Check), ("ndjson", fuzz::ndjson), ("whole", fuzz::whole)] {
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
            (Frame::Message { name: name.unwrap_or_default(), data: data.join("\n") }, lines)
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
        fuzz::whole(&input);
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
        let expected = lines.into_iter().map(|data| Frame::Message { name: String::new(), data }).collect();
        prop_assert_eq!(decode(fuzz::decode_ndjson, &cut(text.as_bytes(), &places)), (expected, Ok(())));
    }
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
