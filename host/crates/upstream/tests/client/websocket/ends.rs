//! Every way in which a WebSocket ends or fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use upstream::{FailureCode, Frame, Limits, Outgoing, Reach};
use url::Url;

use super::{agree, ask, heard, one, open, open_limited, talking};
use crate::server::{After, answer, serve, soon};
use crate::{SHORT, client, drain, messages, texts};

#[tokio::test]
async fn a_planned_close_is_the_end_and_any_other_is_a_failure() {
    for (code, reason) in
        [(None, ""), (Some(1000), "done"), (Some(1001), ""), (Some(1011), "out of capacity"), (Some(4001), "")]
    {
        let (tell, mut told) = mpsc::channel(1);
        let at = talking(move |mut socket| {
            let tell = tell.clone();
            async move {
                socket.send(Message::text("last")).await.unwrap();
                let frame = code.map(|code: u16| CloseFrame { code: code.into(), reason: reason.into() });
                socket.close(frame).await.unwrap();
                tell.send(matches!(heard(&mut socket).await, Some(Ok(Message::Close(_))))).await.unwrap();
            }
        })
        .await;
        let mut reply = open(at).await;
        let (frames, failure) = soon(drain(&mut reply)).await;
        assert_eq!(messages(&frames), ["|last"]);
        assert!(soon(told.recv()).await.unwrap(), "the close is answered");
        let Some(code) = code.filter(|&code| code > 1001) else {
            assert_eq!((frames.last(), failure), (Some(&Frame::End), None));
            continue;
        };
        let failure = failure.unwrap();
        assert_eq!(failure.code, FailureCode::Reset);
        let expected = format!("the upstream closed the WebSocket with code {code}");
        let expected = if reason.is_empty() { expected } else { format!("{expected}: {reason}") };
        assert_eq!(failure.text, expected);
    }
}

#[tokio::test]
async fn an_end_without_a_close_is_a_failure() {
    for reset in [false, true] {
        let at = serve(move |mut stream| async move {
            agree(&mut stream).await;
            stream.write_all(b"\x81\x01a").await.unwrap();
            // The message must be read before a reset, which would overtake it.
            stream.read_exact(&mut [0; 7]).await.unwrap();
            if reset {
                stream.set_zero_linger().unwrap();
            }
        })
        .await;
        let mut reply = open(at).await;
        assert_eq!(one(&mut reply).await, Frame::message("", "a"));
        reply.ws_send_text("b".to_owned()).unwrap();
        let (frames, failure) = soon(drain(&mut reply)).await;
        assert_eq!((frames, failure.unwrap().code), (vec![], FailureCode::Reset));
    }
}

#[tokio::test]
async fn what_is_not_websocket_is_a_failure() {
    let too_large = (FailureCode::TooLarge, "one message is larger than 100 bytes");
    let broken = (FailureCode::BadFraming, "breaks the rules of WebSocket");
    let whole = [&b"\x81\x65"[..], &[b'x'; 101]].concat();
    let fragments = [&b"\x01\x40"[..], &[b'x'; 64], b"\x80\x40", &[b'x'; 64]].concat();
    for (bytes, (code, says)) in [
        (whole, too_large),
        (fragments, too_large),
        // 2^62 bytes are announced.
        (b"\x82\x7f\x40\0\0\0\0\0\0\0".to_vec(), too_large),
        (b"\x81\x02\xff\xff".to_vec(), (FailureCode::BadFraming, "not valid UTF-8")),
        (b"\x81\x81\0\0\0\0x".to_vec(), broken),
        (b"\xc1\x01x".to_vec(), broken),
        (b"\x83\x01x".to_vec(), broken),
        (b"\x80\x01x".to_vec(), broken),
        ([b'H'; 100].to_vec(), broken),
    ] {
        let at = raw([b"\x81\x01a", &bytes[..]].concat()).await;
        let mut reply = open_limited(at, Limits { max_message: 100, ..Limits::default() }).await.unwrap();
        let (frames, failure) = soon(drain(&mut reply)).await;
        assert_eq!(messages(&frames), ["|a"], "{}", bytes.escape_ascii());
        let failure = failure.unwrap();
        assert_eq!(failure.code, code, "{}: {failure}", bytes.escape_ascii());
        assert!(failure.text.contains(says), "{failure}");
    }
}

#[tokio::test]
async fn all_messages_together_have_a_limit() {
    let at = raw(b"\x81\x04abcd\x82\x04abcd\x81\x04abcd").await;
    let mut reply = open_limited(at, Limits { max_body: 14, ..Limits::default() }).await.unwrap();
    let (frames, failure) = soon(drain(&mut reply)).await;
    assert_eq!((frames.len(), failure.unwrap().code), (2, FailureCode::TooLarge));
    // A flood of pings is no message and no silence either.
    let at = raw(b"\x89\0".repeat(10_000)).await;
    let mut reply = open_limited(at, Limits { max_body: 10_000, ..Limits::default() }).await.unwrap();
    let (frames, failure) = soon(drain(&mut reply)).await;
    assert_eq!((frames, failure.unwrap().code), (vec![], FailureCode::TooLarge));
}

#[tokio::test]
async fn what_waits_to_be_written_has_a_limit() {
    let at = raw_deaf().await;
    let limits = Limits { max_queued: 1 << 20, ..Limits::default() };
    let mut reply = open_limited(at, limits).await.unwrap();
    let failure = reply.ws_send_binary(Bytes::from(vec![0; (1 << 20) + 1])).unwrap_err();
    assert_eq!(failure.code, FailureCode::TooLarge);
    // The connection's own buffers take some before the queue fills up.
    let full = (0..2000).find_map(|_| reply.ws_send_binary(Bytes::from(vec![0; 64 << 10])).err());
    assert_eq!(full.expect("it must be full").code, FailureCode::TooLarge);
    let mut reply = open_limited(at, Limits { max_queued: usize::MAX, ..limits }).await.unwrap();
    let full = (0..2000).find_map(|_| reply.ws_send_binary(Bytes::from(vec![0; 64 << 10])).err());
    assert!(full.expect("it must be full").text.contains("256"), "messages are counted too");
}

/// A server that agrees and then neither reads nor writes.
async fn raw_deaf() -> SocketAddr {
    serve(|mut stream| async move {
        agree(&mut stream).await;
        std::future::pending().await
    })
    .await
}

#[tokio::test]
async fn silence_is_a_failure_and_a_slow_message_is_not() {
    let mut reply = open_limited(raw_deaf().await, Limits { idle: SHORT, ..Limits::default() }).await.unwrap();
    assert_eq!(soon(drain(&mut reply)).await.1.unwrap().code, FailureCode::TimeoutIdle);
    let at = serve(|mut stream| async move {
        agree(&mut stream).await;
        // Longer altogether than the idle deadline, never longer between two bytes.
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        for byte in b"\x81\x0bslow but on\x88\0" {
            beat.tick().await;
            stream.write_all(&[*byte]).await.unwrap();
        }
        while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
    })
    .await;
    let mut reply = open_limited(at, Limits { idle: Duration::from_secs(1), ..Limits::default() }).await.unwrap();
    assert_eq!(texts(&mut reply).await, ["|slow but on"]);
}

#[tokio::test]
async fn a_caller_that_is_called_away_does_not_prolong_silence() {
    let idle = Duration::from_millis(300);
    let mut reply = open_limited(raw_deaf().await, Limits { idle, ..Limits::default() }).await.unwrap();
    let failure = soon(async {
        loop {
            if let Ok(next) = timeout(Duration::from_millis(20), reply.next()).await {
                return next.unwrap().unwrap_err();
            }
        }
    })
    .await;
    assert_eq!(failure.code, FailureCode::TimeoutIdle);
}

#[tokio::test]
async fn a_byte_gives_back_all_of_the_time() {
    let more = Arc::new(Notify::new());
    let wanted = Arc::clone(&more);
    let at = serve(move |mut stream| {
        let wanted = Arc::clone(&wanted);
        async move {
            agree(&mut stream).await;
            wanted.notified().await;
            let mut beat = tokio::time::interval(Duration::from_millis(400));
            for bytes in [&b"\x81\x02"[..], b"o", b"n\x88\0"] {
                beat.tick().await;
                stream.write_all(bytes).await.unwrap();
            }
            while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
        }
    })
    .await;
    let idle = Duration::from_secs(1);
    let mut reply = open_limited(at, Limits { idle, ..Limits::default() }).await.unwrap();
    // Most of the deadline is used up, then the bytes come more slowly than the rest of it would allow.
    assert!(timeout(Duration::from_millis(750), reply.next()).await.is_err(), "there is nothing yet");
    more.notify_one();
    assert_eq!(soon(texts(&mut reply)).await, ["|on"]);
}

#[tokio::test]
async fn the_handshake_has_deadlines() {
    let at = answer("HTTP/1.1 101", After::Hang).await;
    let failure = open_limited(at, Limits { first_byte: SHORT, ..Limits::default() }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::TimeoutFirstByte);
}

#[tokio::test]
async fn an_address_out_of_reach_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    for (host, reach) in [("127.0.0.1", Reach::Public), ("localhost", Reach::Public), ("169.254.169.254", Reach::Typed)]
    {
        let url = Url::parse(&format!("http://{host}:{}/", at.port())).unwrap();
        let failure = client().send(Outgoing { url, reach, ..ask(at) }).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::RefusedByHost, "{host}: {failure}");
    }
    assert!(listener.accept().now_or_never().is_none(), "nobody may have connected");
}

/// A server that agrees, writes these bytes and then waits for the client to go.
async fn raw(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    serve(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            agree(&mut stream).await;
            // The client may have had enough before everything is written.
            let _ = stream.write_all(&bytes).await;
            while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
        }
    })
    .await
}
