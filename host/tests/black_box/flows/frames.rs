//! Streams in other frames than lines: one JSON array, and binary frames with checksums.

use serde_json::{Value, json};
use testkit::Answer;

use super::{MODEL, flow};
use crate::{
    expect,
    setup::{question, streaming},
};

#[tokio::test]
async fn the_elements_of_one_array_are_a_stream() {
    let setup = flow("flow-array", "array-secret-0123456789").await;
    let part = |text: &str| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}).to_string();
    let last = json!({"candidates": [{"content": {"parts": [{"text": "g"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 6, "candidatesTokenCount": 2}});
    // As it comes over the wire: elements cut anywhere, commas of their own.
    let whole = format!("[{}\n,\r\n{},{last}]", part("po"), part("n ] \\\" [ "));
    let (first, second) = whole.split_at(whole.len() / 2);
    let answer = Answer::bytes(200, "application/json", first.to_owned()).push(second.to_owned());
    setup.vendor.reply(answer.clone()).reply(answer);
    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert!(stream.done && stream.content() == "pon ] \\\" [ g", "{stream:?}");
    let request = setup.vendor.last_request();
    assert_eq!(request.path, "/models/flow-1:streamGenerateContent");
    assert_eq!(request.query, "key=array-secret-0123456789");
    let plain = setup.chat(&question(MODEL)).await;
    assert_eq!((plain.content().as_str(), plain.json()["usage"]["total_tokens"].as_u64()), ("pon ] \\\" [ g", Some(8)));
}

#[tokio::test]
async fn an_array_that_breaks_off_is_a_truncated_stream() {
    let setup = flow("flow-array", "array-secret-0123456789").await;
    let part = json!({"candidates": [{"content": {"parts": [{"text": "po"}]}}]});
    setup.vendor.reply(Answer::json_text(format!("[{part},{{\"candi")));
    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert_eq!(stream.content(), "po");
    expect::broken_stream(&stream);
}

/// A frame with these headers (all text) and this payload.
fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(12 + head.len() + payload.len() + 4).unwrap();
    let mut frame = total.to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32(&frame).to_be_bytes());
    frame
}

/// CRC-32 as in zip files, a bit at a time: another way than the host's.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    let headers = [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")];
    frame(&headers, payload.to_string().as_bytes())
}

async fn bedrock_like() -> crate::setup::Setup {
    flow("flow-sigv4", "AKIDTEST0001|made-up-Secret/Key+ForTests0123456789abcd|eu-west-9").await
}

#[tokio::test]
async fn binary_frames_are_a_stream() {
    let setup = bedrock_like().await;
    let mut wire = event("messageStart", &json!({"role": "assistant"}));
    wire.extend(event("contentBlockDelta", &json!({"delta": {"text": "po"}})));
    wire.extend(event("contentBlockDelta", &json!({"delta": {"text": "ng"}})));
    wire.extend(event("metadata", &json!({"usage": {"inputTokens": 5, "outputTokens": 2}})));
    let mut answer = Answer::stream().header("content-type", "application/vnd.amazon.eventstream");
    for piece in wire.chunks(33) {
        answer = answer.push(piece.to_vec());
    }
    setup.vendor.reply(answer);
    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert!(stream.done && stream.content() == "pong", "{stream:?}");
    assert_eq!(setup.vendor.last_request().path, "/model/vendor.flow-1-v1%3A0/invoke-with-response-stream");
}

#[tokio::test]
async fn an_exception_frame_and_a_wrong_checksum_are_faults() {
    let setup = bedrock_like().await;
    let exception = frame(
        &[(":exception-type", "throttlingException"), (":message-type", "exception")],
        br#"{"message":"slow down"}"#,
    );
    let mut broken = event("contentBlockDelta", &json!({"delta": {"text": "po"}}));
    let last = broken.len() - 5;
    broken[last] ^= 1;
    for (wire, expected) in [(exception, expect::RATE_LIMITED), (broken, expect::BROKEN)] {
        let kind = "application/vnd.amazon.eventstream";
        setup.vendor.reply(Answer::stream().header("content-type", kind).push(wire));
        let answer = setup.chat(&streaming(MODEL)).await;
        expect::error(&answer, expected);
    }
}
