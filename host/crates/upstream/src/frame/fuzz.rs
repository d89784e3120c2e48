//! What the fuzz targets check, callable from ordinary tests too: no input panics, and no cut changes what comes out.

use super::{EventStream, Frame, FrameError, JsonArray, Ndjson, Sse, Whole};

/// Frames, and how the answer ended.
pub type Outcome = (Vec<Frame>, Result<(), FrameError>);

/// Small enough to be hit by small inputs, and large enough never to be.
const LIMITS: [usize; 3] = [12, 64, 1 << 30];

/// Server-sent events.
pub fn sse(input: &[u8]) {
    for limit in LIMITS {
        every_cut_is_equal(input, |pieces| decode_sse(pieces, limit));
    }
}

/// Lines.
pub fn ndjson(input: &[u8]) {
    for limit in LIMITS {
        every_cut_is_equal(input, |pieces| decode_ndjson(pieces, limit));
    }
}

/// The elements of one array.
pub fn json_array(input: &[u8]) {
    for limit in LIMITS {
        every_cut_is_equal(input, |pieces| decode_json_array(pieces, limit));
    }
}

/// Binary frames: the input as it is, and as the headers and the payload of a frame whose checksums are right, which chance would never
/// make.
pub fn event_stream(input: &[u8]) {
    let (headers, payload) = match input.split_first() {
        Some((&at, rest)) => rest.split_at(rest.len().min(at.into())),
        None => (input, input),
    };
    let mut sound = event_frame(headers, payload);
    sound.extend_from_slice(input);
    for limit in LIMITS {
        every_cut_is_equal(input, |pieces| decode_event_stream(pieces, limit));
        every_cut_is_equal(&sound, |pieces| decode_event_stream(pieces, limit));
    }
}

/// A binary frame with right lengths and checksums around encoded headers and a payload.
pub fn event_frame(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&((headers.len() + payload.len() + 16) as u32).to_be_bytes());
    frame.extend_from_slice(&(headers.len() as u32).to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(headers);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// A whole body, strict and lossy.
pub fn whole(input: &[u8]) {
    for limit in LIMITS {
        every_cut_is_equal(input, |pieces| decode_whole(pieces, Whole::strict(limit)));
        every_cut_is_equal(input, |pieces| decode_whole(pieces, Whole::lossy(limit)));
    }
}

/// Decodes the pieces of an event stream.
pub fn decode_sse(pieces: &[&[u8]], limit: usize) -> Outcome {
    let mut sse = Sse::new(limit);
    let result = pieces.iter().try_for_each(|piece| sse.push(piece)).and_then(|()| sse.finish());
    (std::iter::from_fn(|| sse.pop()).collect(), result)
}

/// Decodes the pieces of a stream of lines.
pub fn decode_ndjson(pieces: &[&[u8]], limit: usize) -> Outcome {
    let mut ndjson = Ndjson::new(limit);
    let result = pieces.iter().try_for_each(|piece| ndjson.push(piece)).and_then(|()| ndjson.finish());
    (std::iter::from_fn(|| ndjson.pop()).collect(), result)
}

/// Decodes the pieces of an array.
pub fn decode_json_array(pieces: &[&[u8]], limit: usize) -> Outcome {
    let mut array = JsonArray::new(limit);
    let result = pieces.iter().try_for_each(|piece| array.push(piece)).and_then(|()| array.finish());
    (std::iter::from_fn(|| array.pop()).collect(), result)
}

/// Decodes the pieces of a stream of binary frames.
pub fn decode_event_stream(pieces: &[&[u8]], limit: usize) -> Outcome {
    let mut stream = EventStream::new(limit);
    let result = pieces.iter().try_for_each(|piece| stream.push(piece)).and_then(|()| stream.finish());
    (std::iter::from_fn(|| stream.pop()).collect(), result)
}

/// Decodes the pieces of a whole body.
pub fn decode_whole(pieces: &[&[u8]], mut whole: Whole) -> Outcome {
    let result = pieces.iter().try_for_each(|piece| whole.push(piece)).and_then(|()| whole.finish());
    (std::iter::from_fn(|| whole.pop()).collect(), result)
}

/// In one piece, byte by byte, in two at every place, and in pieces of pseudo-random sizes.
fn every_cut_is_equal(input: &[u8], decode: impl Fn(&[&[u8]]) -> Outcome) {
    let expected = decode(&[input]);
    let single: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode(&single), expected, "byte by byte: {}", input.escape_ascii());
    // Quadratic in the input: beyond a size, only some of the places.
    let step = input.len() / 256 + 1;
    for at in (0..input.len()).step_by(step) {
        let (left, right) = input.split_at(at);
        assert_eq!(decode(&[left, right]), expected, "cut at {at}: {}", input.escape_ascii());
    }
    let mut pieces = Vec::new();
    let (mut rest, mut state) = (input, input.len() as u32 | 1);
    while !rest.is_empty() {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let (piece, tail) = rest.split_at(((state >> 28) as usize).min(rest.len()));
        pieces.push(piece);
        rest = tail;
    }
    assert_eq!(decode(&pieces), expected, "in random pieces: {}", input.escape_ascii());
}
