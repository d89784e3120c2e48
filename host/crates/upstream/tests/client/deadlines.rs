//! The three deadlines, and that whoever gives up frees the connection.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};
use upstream::{FailureCode, Framing, Limits, Outgoing};
use url::Url;

use crate::server::{After, answer, request, serve, sized, soon, until_close};
use crate::{SHORT, client, drain, messages, outgoing, send, send_limited};

#[tokio::test]
async fn connecting_has_a_deadline() {
    // TCP connects at once, but nobody answers the TLS handshake.
    let at = serve(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let limits = Limits { connect: SHORT, ..Limits::default() };
    let url = Url::parse(&format!("https://{at}/")).unwrap();
    let failure = client().send(Outgoing { url, limits, ..outgoing(at, Framing::Text) }).await.unwrap_err();
    assert_eq!(
        (failure.code, failure.text.as_str()),
        (FailureCode::Connect, "connecting to the upstream took too long")
    );
    assert!(failure.detail.contains("50ms"), "{failure}");
}

#[tokio::test]
async fn the_head_has_a_deadline() {
    let at = answer("HTTP/1.1 200", After::Hang).await;
    let failure = send_limited(at, Framing::Sse, Limits { first_byte: SHORT, ..Limits::default() }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::TimeoutFirstByte);
}

#[tokio::test]
async fn the_body_may_not_stall() {
    let at =
        answer(sized("200 OK", "content-type: text/event-stream\r\n", "data: a\n\ndata: b", 100), After::Hang).await;
    let mut reply = send_limited(at, Framing::Sse, Limits { idle: SHORT, ..Limits::default() }).await.unwrap();
    let (frames, failure) = drain(&mut reply).await;
    assert_eq!(messages(&frames), ["|a"], "an event that is not complete is not delivered");
    assert_eq!(failure.unwrap().code, FailureCode::TimeoutIdle);
}

#[tokio::test]
async fn comments_keep_a_stream_alive() {
    let idle = Duration::from_secs(1);
    let at = serve(|mut stream| async move {
        request(&mut stream).await;
        stream.write_all(&until_close("text/event-stream", "")).await.unwrap();
        // Longer altogether than the idle deadline, never longer between two of them.
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        for _ in 0..13 {
            beat.tick().await;
            stream.write_all(b": wait\n\n").await.unwrap();
        }
        stream.write_all(b"data: done\n\n").await.unwrap();
    })
    .await;
    let mut reply = send_limited(at, Framing::Sse, Limits { idle, ..Limits::default() }).await.unwrap();
    let (frames, failure) = drain(&mut reply).await;
    assert_eq!((messages(&frames), failure), (vec!["|done".to_owned()], None));
}

/// A server that sends `bytes` and reports when the client has closed the connection.
async fn watched(bytes: Vec<u8>) -> (std::net::SocketAddr, mpsc::Receiver<&'static str>) {
    let (tell, told) = mpsc::channel(4);
    let at = serve(move |mut stream| {
        let (tell, bytes) = (tell.clone(), bytes.clone());
        async move {
            request(&mut stream).await;
            tell.send("asked").await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            // An end and a reset are both a closed connection.
            while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
            tell.send("closed").await.unwrap();
        }
    })
    .await;
    (at, told)
}

#[tokio::test]
async fn dropping_a_reply_closes_the_connection() {
    let (at, mut told) = watched(until_close("text/event-stream", "data: a\n\n")).await;
    let client = client();
    let mut reply = client.send(outgoing(at, Framing::Sse)).await.unwrap();
    assert!(reply.next().await.unwrap().is_ok());
    assert_eq!(soon(told.recv()).await, Some("asked"));
    assert!(told.try_recv().is_err(), "it is open while somebody reads");
    drop(reply);
    assert_eq!(soon(told.recv()).await, Some("closed"));
}

#[tokio::test]
async fn dropping_a_request_closes_the_connection() {
    let (at, mut told) = watched(Vec::new()).await;
    let client = client();
    let mut sending = Box::pin(client.send(outgoing(at, Framing::Sse)));
    tokio::select! {
        _ = &mut sending => panic!("there is no answer"),
        asked = soon(told.recv()) => assert_eq!(asked, Some("asked")),
    }
    drop(sending);
    assert_eq!(soon(told.recv()).await, Some("closed"));
}

#[tokio::test]
async fn an_idle_deadline_closes_the_connection() {
    let (at, mut told) = watched(until_close("text/event-stream", "data: a\n\n")).await;
    let mut reply = send_limited(at, Framing::Sse, Limits { idle: SHORT, ..Limits::default() }).await.unwrap();
    drain(&mut reply).await;
    assert_eq!(soon(told.recv()).await, Some("asked"));
    assert_eq!(soon(told.recv()).await, Some("closed"), "although the reply is still held");
}

#[tokio::test]
async fn a_connection_serves_again() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let at = serve(move |mut stream| {
        let tell = tell.clone();
        async move {
            let mut served = 0;
            while request(&mut stream).await.is_some() {
                stream.write_all(&sized("200 OK", "", "ok", 0)).await.unwrap();
                served += 1;
                let _ = tell.send(served);
            }
        }
    })
    .await;
    let client = client();
    // A connection goes back to the pool in a task of its own, so the very next request may still be too early for it.
    for _ in 0..100 {
        let mut reply = client.send(outgoing(at, Framing::Text)).await.unwrap();
        drain(&mut reply).await;
        if told.recv().await.unwrap() > 1 {
            return;
        }
    }
    panic!("every request had a connection of its own");
}

#[tokio::test]
async fn a_plain_answer_needs_no_deadline() {
    let at = answer(sized("200 OK", "", "ok", 0), After::Hang).await;
    assert_eq!(messages(&drain(&mut send(at, Framing::Text).await).await.0), ["|ok"]);
}

#[tokio::test]
async fn a_caller_that_is_called_away_does_not_prolong_the_wait() {
    let at = answer(sized("200 OK", "content-type: text/event-stream\r\n", "data: a\n\n", 100), After::Hang).await;
    let idle = Duration::from_millis(300);
    let mut reply = send_limited(at, Framing::Sse, Limits { idle, ..Limits::default() }).await.unwrap();
    assert!(reply.next().await.unwrap().is_ok());
    // What is buffered ends; then a caller with a timer of its own.
    let failure = soon(async {
        loop {
            tokio::select! {
                next = reply.next() => match next {
                    Some(Err(failure)) => return failure,
                    other => assert!(other.is_some()),
                },
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
            }
        }
    })
    .await;
    assert_eq!(failure.code, FailureCode::TimeoutIdle);
}

#[tokio::test]
async fn time_that_the_caller_spends_elsewhere_does_not_count() {
    let more = Arc::new(Notify::new());
    let wanted = Arc::clone(&more);
    let at = serve(move |mut stream| {
        let wanted = Arc::clone(&wanted);
        async move {
            request(&mut stream).await;
            stream.write_all(&until_close("text/event-stream", "data: a\n\n")).await.unwrap();
            wanted.notified().await;
            stream.write_all(b"data: b\n\n").await.unwrap();
        }
    })
    .await;
    let idle = Duration::from_millis(200);
    let mut reply = send_limited(at, Framing::Sse, Limits { idle, ..Limits::default() }).await.unwrap();
    assert!(reply.next().await.unwrap().is_ok());
    // A client that reads slowly: twice the deadline passes between two calls.
    tokio::time::sleep(idle * 2).await;
    more.notify_one();
    assert!(reply.next().await.unwrap().is_ok());
}
