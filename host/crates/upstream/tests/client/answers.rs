//! Well-formed answers: framing, fallback to text, sizes, batches.

use tokio::io::AsyncWriteExt;
use upstream::frame::fuzz::event_frame;
use upstream::{Binary, FailureCode, Frame, Framing, Limits, Message};

use crate::server::{After, answer, request, serve, sized, soon, until_close};
use crate::{drain, messages, send, send_limited, texts};

const SSE: &str = "text/event-stream";

#[tokio::test]
async fn events_come_in_order_and_then_the_end() {
    let body = "event: delta\ndata: a\n\n: comment\n\ndata: b\n\ndata: [DONE]\n\n";
    let at = answer(until_close(SSE, body), After::Close).await;
    let mut reply = send(at, Framing::Sse).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers["content-type"], SSE);
    assert_eq!(reply.framing(), "sse");
    assert_eq!(texts(&mut reply).await, ["delta|a", "|b", "|[DONE]"]);
}

#[tokio::test]
async fn each_framing_cuts_its_own_way() {
    let body = "{\"a\":1}\n{\"b\":2}\n";
    let at = answer(sized("200 OK", "content-type: application/x-ndjson\r\n", body, 0), After::Hang).await;
    assert_eq!(texts(&mut send(at, Framing::Ndjson).await).await, ["|{\"a\":1}", "|{\"b\":2}"]);
    assert_eq!(texts(&mut send(at, Framing::Text).await).await, ["|{\"a\":1}\n{\"b\":2}\n"]);
    let (frames, failure) = drain(&mut send(at, Framing::Bytes).await).await;
    assert_eq!(failure, None);
    let bytes: Vec<u8> =
        frames.iter().flat_map(|frame| if let Frame::Body(b) = frame { b.to_vec() } else { vec![] }).collect();
    assert_eq!(bytes, body.as_bytes());
    assert_eq!(frames.last(), Some(&Frame::End));
}

#[tokio::test]
async fn the_elements_of_an_array_are_messages() {
    let body = "[{\"a\":1}\r\n,\n{\"b\":[2]}]\n";
    let at = answer(sized("200 OK", "content-type: application/json\r\n", body, 0), After::Hang).await;
    let mut reply = send(at, Framing::JsonArray).await;
    assert_eq!(reply.framing(), "json-array");
    assert_eq!(texts(&mut reply).await, ["|{\"a\":1}", "|{\"b\":[2]}"]);
    let at = answer(until_close("application/json", "[{\"a\":1},"), After::Close).await;
    let (frames, failure) = drain(&mut send(at, Framing::JsonArray).await).await;
    assert_eq!(messages(&frames), ["|{\"a\":1}"]);
    let failure = failure.unwrap();
    assert_eq!(failure.code, FailureCode::BadFraming);
    assert_eq!(failure.text, "the upstream's answer cannot be read: its JSON array is not complete");
}

#[tokio::test]
async fn binary_frames_are_messages_with_headers_or_bytes() {
    let named = |name: &str| [b"\x0b:event-type\x07\0", &[name.len() as u8][..], name.as_bytes()].concat();
    let mut body = event_frame(&named("delta"), b"{\"a\":1}");
    body.extend(event_frame(&named("audio"), b"\xff\xfe"));
    let kind = "application/vnd.amazon.eventstream";
    let headers = |name: &str| vec![(":event-type".to_owned(), name.to_owned())];
    let delta =
        Frame::Message(Message { name: "delta".to_owned(), headers: headers("delta"), data: "{\"a\":1}".to_owned() });
    let audio = Frame::Binary(Binary {
        name: "audio".to_owned(),
        headers: headers("audio"),
        data: b"\xff\xfe".to_vec().into(),
    });
    let at = answer(until_close(kind, &body), After::Close).await;
    let mut reply = send(at, Framing::AwsEventStream).await;
    assert_eq!(reply.framing(), "aws-event-stream");
    assert_eq!(drain(&mut reply).await, (vec![delta.clone(), audio, Frame::End], None));
    let last = body.len() - 1;
    body[last] ^= 1;
    let at = answer(until_close(kind, body), After::Close).await;
    let (frames, failure) = drain(&mut send(at, Framing::AwsEventStream).await).await;
    assert_eq!(frames, [delta]);
    let failure = failure.unwrap();
    assert_eq!(failure.code, FailureCode::BadFraming);
    assert!(failure.text.ends_with("the checksum of an event-stream frame is wrong"), "{failure}");
}

#[tokio::test]
async fn what_is_not_a_stream_comes_as_text() {
    for (content_type, body) in [
        ("text/html; charset=utf-8", "<html>Bad gateway</html>"),
        ("application/json", "{\"error\":{\"message\":\"no\"}}"),
        (SSE, "{\"error\":{\"message\":\"mislabeled\"}}"),
        (SSE, "<!doctype html>"),
    ] {
        let at = answer(until_close(content_type, body), After::Close).await;
        let mut reply = send(at, Framing::Sse).await;
        // Known with the head already: what is told of it then does not change any more.
        assert_eq!(reply.framing(), "text");
        assert_eq!(texts(&mut reply).await, [format!("|{body}")]);
    }
}

#[tokio::test]
async fn an_error_status_comes_as_text_whatever_was_asked_for() {
    for framing in Framing::ALL.into_iter().filter(|&framing| framing != Framing::WebSocket) {
        let at = answer(sized("429 Too Many Requests", "retry-after: 7\r\n", "{\"error\":1}", 0), After::Hang).await;
        let mut reply = send(at, framing).await;
        assert_eq!((reply.status, reply.framing()), (429, "text"));
        assert_eq!(reply.headers["retry-after"], "7");
        assert_eq!(texts(&mut reply).await, ["|{\"error\":1}"]);
    }
}

#[tokio::test]
async fn an_error_body_is_cut_and_repaired() {
    let body = [&b"oops \xFF "[..], &[b'x'; 100_000]].concat();
    let at = answer(sized("500 Internal Server Error", "", body, 1 << 30), After::Hang).await;
    let limits = Limits { max_error_body: 1000, ..Limits::default() };
    let mut reply = send_limited(at, Framing::Sse, limits).await.unwrap();
    let texts = texts(&mut reply).await;
    assert!(texts[0].starts_with("|oops \u{fffd} xxx"), "{texts:?}");
    assert_eq!(texts[0].len(), 1 + 1000 + 2, "the replacement is two bytes longer");
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let at = answer(sized("302 Found", "location: /elsewhere\r\n", "", 0), After::Hang).await;
    let mut reply = send(at, Framing::Text).await;
    assert_eq!((reply.status, &reply.headers["location"]), (302, &"/elsewhere".parse().unwrap()));
    assert_eq!(texts(&mut reply).await, ["|"]);
}

#[tokio::test]
async fn a_compressed_answer_is_not_misread() {
    let gzip = "content-encoding: gzip\r\n";
    let at = answer(sized("200 OK", gzip, b"\x1f\x8b\x08\x00", 0), After::Hang).await;
    let failure = send_limited(at, Framing::Sse, Limits::default()).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::BadFraming);
    let at = answer(sized("401 Unauthorized", gzip, b"\x1f\x8b\x08\x00", 0), After::Hang).await;
    let mut reply = send(at, Framing::Sse).await;
    assert_eq!(reply.status, 401);
    assert_eq!(texts(&mut reply).await, ["|"]);
}

#[tokio::test]
async fn a_large_line_is_fine_until_its_limit() {
    let line = "x".repeat(4 << 20);
    let body = format!("data: {line}\n\n");
    let at = answer(until_close(SSE, &body), After::Close).await;
    let limits = |max_message, max_body| Limits { max_message, max_body, ..Limits::default() };
    let mut reply = send_limited(at, Framing::Sse, limits(5 << 20, 6 << 20)).await.unwrap();
    assert_eq!(texts(&mut reply).await, [format!("|{line}")]);
    for (max_message, max_body) in [(1 << 20, 6 << 20), (5 << 20, 1 << 20)] {
        let mut reply = send_limited(at, Framing::Sse, limits(max_message, max_body)).await.unwrap();
        let (frames, failure) = drain(&mut reply).await;
        assert_eq!(frames, []);
        assert_eq!(failure.unwrap().code, FailureCode::TooLarge);
    }
}

#[tokio::test]
async fn what_is_buffered_comes_together_up_to_a_bound() {
    let body: String = (0..2000).map(|n| format!("data: {n}\n\n")).collect();
    let at = answer(until_close(SSE, body), After::Close).await;
    let mut reply = send(at, Framing::Sse).await;
    let mut frames = Vec::new();
    let mut largest = 0;
    while let Some(batch) = reply.next().await {
        let batch = batch.unwrap();
        largest = largest.max(batch.len());
        frames.extend(batch);
    }
    assert!(largest > 1 && largest <= 256, "the largest had {largest}");
    let expected: Vec<String> = (0..2000).map(|n| format!("|{n}")).collect();
    assert_eq!(messages(&frames), expected);
    assert_eq!(frames.last(), Some(&Frame::End));
}

#[tokio::test]
async fn a_read_that_is_given_up_loses_nothing() {
    let (go, went) = tokio::sync::mpsc::channel::<()>(8);
    let went = std::sync::Arc::new(tokio::sync::Mutex::new(went));
    let at = serve(move |mut stream| {
        let went = went.clone();
        async move {
            request(&mut stream).await;
            let mut went = went.lock().await;
            for byte in until_close(SSE, "data: a\n\ndata: b\n\n").chunks(1) {
                if byte == b":" {
                    went.recv().await;
                }
                stream.write_all(byte).await.unwrap();
            }
        }
    })
    .await;
    // The head has colons too.
    for _ in 0..2 {
        go.send(()).await.unwrap();
    }
    let mut reply = soon(send(at, Framing::Sse)).await;
    for _ in 0..10 {
        assert!(futures_util::FutureExt::now_or_never(reply.next()).is_none(), "nothing is there yet");
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        go.send(()).await.unwrap();
    }
    assert_eq!(soon(texts(&mut reply)).await, ["|a", "|b"]);
}
