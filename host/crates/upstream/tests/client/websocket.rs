//! WebSocket against real sockets: the handshake and messages in both directions.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};
use upstream::{Binary, Failure, FailureCode, Frame, Framing, Limits, Outgoing, Reply};
use url::Url;

use crate::server::{After, answer, request, serve, sized, soon};
use crate::{client, drain, outgoing, send, texts};

mod ends;

fn ask(at: SocketAddr) -> Outgoing {
    Outgoing { method: Method::GET, body: Bytes::new(), ..outgoing(at, Framing::WebSocket) }
}

async fn open_limited(at: SocketAddr, limits: Limits) -> Result<Reply, Failure> {
    soon(client().send(Outgoing { limits, ..ask(at) })).await
}

async fn open(at: SocketAddr) -> Reply {
    open_limited(at, Limits::default()).await.unwrap()
}

/// A server that does the handshake and leaves the talking to the test.
async fn talking<F, Fut>(talk: F) -> SocketAddr
where
    F: Fn(WebSocketStream<TcpStream>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    serve(move |stream| {
        let talk = talk.clone();
        async move {
            let socket = accept_async(stream).await.unwrap();
            talk(socket).await;
        }
    })
    .await
}

/// Answers the handshake by hand, so that the test can write what no library would.
async fn agree(stream: &mut TcpStream) {
    let asked = request(stream).await.unwrap();
    let key = asked.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let accept = derive_accept_key(key.as_bytes());
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// The next message of the other side, without the control frames between.
async fn heard(socket: &mut WebSocketStream<TcpStream>) -> Option<Result<Message, Error>> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            other => return other,
        }
    }
}

async fn one(reply: &mut Reply) -> Frame {
    let mut frames = soon(reply.next()).await.unwrap().unwrap();
    assert_eq!(frames.len(), 1, "{frames:?}");
    frames.remove(0)
}

#[tokio::test]
async fn messages_go_both_ways_in_turns() {
    let at = talking(|mut socket| async move {
        while let Some(Ok(message)) = heard(&mut socket).await {
            if message == Message::text("bye") {
                socket.close(None).await.unwrap();
            } else if !message.is_close() {
                socket.send(message).await.unwrap();
            }
        }
    })
    .await;
    let mut reply = open(at).await;
    assert_eq!((reply.status, reply.framing()), (101, "websocket"));
    assert_eq!(reply.headers["upgrade"], "websocket");
    for turn in 0..3 {
        reply.ws_send_text(format!("{{\"turn\":{turn}}}")).unwrap();
        assert_eq!(one(&mut reply).await, Frame::message("", format!("{{\"turn\":{turn}}}")));
        let data = Bytes::from(vec![0xff, turn]);
        reply.ws_send_binary(data.clone()).unwrap();
        assert_eq!(one(&mut reply).await, Frame::Binary(Binary { data, ..Binary::default() }));
    }
    // More than the connection's own buffers hold, so that the rest is written while the answer is awaited.
    let large = "x".repeat(12 << 20);
    reply.ws_send_text(large.clone()).unwrap();
    assert_eq!(one(&mut reply).await, Frame::message("", large));
    reply.ws_send_text("bye".to_owned()).unwrap();
    assert_eq!(soon(drain(&mut reply)).await, (vec![Frame::End], None));
    let failure = reply.ws_send_text("late".to_owned()).unwrap_err();
    assert!(failure.text.contains("is closed"), "{failure}");
}

#[tokio::test]
async fn the_handshake_is_the_request_and_its_own_headers() {
    let (tell, mut told) = mpsc::channel(1);
    let at = serve(move |mut stream| {
        let tell = tell.clone();
        async move {
            tell.send(request(&mut stream).await.unwrap()).await.unwrap();
            let _ = stream.write_all(&sized("403 Forbidden", "", "", 0)).await;
        }
    })
    .await;
    let mut out = ask(at);
    for (name, value) in [
        ("authorization", "Bearer k"),
        ("sec-websocket-protocol", "realtime, v1"),
        ("sec-websocket-extensions", "permessage-deflate"),
        ("connection", "close"),
        ("host", "evil.test"),
    ] {
        out.headers.insert(name, value.parse().unwrap());
    }
    client().send(out).await.unwrap();
    let got = told.recv().await.unwrap().replace(&at.to_string(), "HOST");
    let mut lines: Vec<&str> = got.lines().filter(|line| !line.is_empty()).collect();
    lines[1..].sort_unstable();
    let key = lines.iter().position(|line| line.starts_with("sec-websocket-key: ")).unwrap();
    assert_eq!(lines.remove(key).len(), "sec-websocket-key: ".len() + 24);
    assert_eq!(
        lines,
        [
            "GET /v1/chat?key=secret HTTP/1.1",
            "accept-encoding: identity",
            "accept: */*",
            "authorization: Bearer k",
            "connection: Upgrade",
            "host: HOST",
            "sec-websocket-protocol: realtime, v1",
            "sec-websocket-version: 13",
            "upgrade: websocket",
            "user-agent: test/1",
        ]
    );
}

#[tokio::test]
async fn a_refused_upgrade_is_an_answer_with_text() {
    for (status, code) in [("401 Unauthorized", 401), ("503 Busy", 503), ("200 OK", 200), ("302 Found", 302)] {
        let at = answer(sized(status, "x-why: key\r\n", "{\"error\":1}", 0), After::Hang).await;
        let mut reply = open(at).await;
        assert_eq!((reply.status, reply.framing()), (code, "text"));
        assert_eq!(reply.headers["x-why"], "key");
        let failure = reply.ws_send_text("x".to_owned()).unwrap_err();
        assert!(failure.text.contains("not a WebSocket"), "{failure}");
        assert_eq!(texts(&mut reply).await, ["|{\"error\":1}"]);
    }
}

#[tokio::test]
async fn a_wrong_handshake_is_not_believed() {
    let head = |headers: &str| format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n");
    let upgrade = "connection: Upgrade\r\nupgrade: websocket\r\n";
    for (headers, says) in [
        ("connection: Upgrade\r\nupgrade: h2c\r\n".to_owned(), "does not upgrade"),
        (upgrade.to_owned(), "does not answer our key"),
        (format!("{upgrade}sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "does not answer our key"),
    ] {
        let failure = open_limited(answer(head(&headers), After::Hang).await, Limits::default()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::BadFraming, "{failure}");
        assert!(failure.text.contains(says), "{failure}");
    }
    for (extra, says) in [
        ("sec-websocket-extensions: permessage-deflate", "extension"),
        ("sec-websocket-protocol: other", "subprotocol"),
    ] {
        let at = serve(move |mut stream| async move {
            let asked = request(&mut stream).await.unwrap();
            let key = asked.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
            let accept = derive_accept_key(key.as_bytes());
            let head = format!(
                "HTTP/1.1 101 OK\r\nconnection: x, upgrade\r\nupgrade: WebSocket\r\nsec-websocket-accept: {accept}\r\n{extra}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            std::future::pending().await
        })
        .await;
        let failure = open_limited(at, Limits::default()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::BadFraming, "{failure}");
        assert!(failure.text.contains(says), "{failure}");
        let mut out = ask(at);
        out.headers.insert("sec-websocket-protocol", "mine, other".parse().unwrap());
        assert_eq!(soon(client().send(out)).await.is_ok(), says == "subprotocol");
    }
}

#[tokio::test]
async fn frames_are_messages_however_they_are_cut() {
    // A text in two fragments with a ping between them, bytes, and a close with code 1000.
    let bytes: &[u8] = b"\x01\x03\xe4\xbd\xa0\x89\x02hi\x80\x01!\x82\x02\xff\0\x88\x02\x03\xe8";
    let expected =
        [Frame::message("", "你!"), Frame::Binary(Binary { data: vec![0xff, 0].into(), ..Binary::default() })];
    for at in 1..bytes.len() {
        let (left, right) = bytes.split_at(at);
        let (go, went) = mpsc::channel::<()>(1);
        let went = std::sync::Arc::new(tokio::sync::Mutex::new(went));
        let at = serve(move |mut stream| {
            let went = went.clone();
            async move {
                agree(&mut stream).await;
                stream.write_all(left).await.unwrap();
                went.lock().await.recv().await;
                stream.write_all(right).await.unwrap();
                while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {}
            }
        })
        .await;
        let mut reply = open(at).await;
        let mut frames = Vec::new();
        // Reads that are given up in the middle lose nothing.
        for _ in 0..10 {
            if let Some(Some(batch)) = reply.next().now_or_never() {
                frames.extend(batch.unwrap());
            }
            tokio::task::yield_now().await;
        }
        go.send(()).await.unwrap();
        if frames.last() != Some(&Frame::End) {
            let (rest, failure) = soon(drain(&mut reply)).await;
            assert_eq!(failure, None);
            frames.extend(rest);
        }
        assert_eq!(frames.pop(), Some(Frame::End));
        assert_eq!(frames, expected);
    }
}

#[tokio::test]
async fn a_ping_is_answered_while_somebody_waits() {
    let (tell, mut told) = mpsc::channel(1);
    let at = talking(move |mut socket| {
        let tell = tell.clone();
        async move {
            socket.send(Message::Ping("are you there".into())).await.unwrap();
            tell.send(socket.next().await.unwrap().unwrap()).await.unwrap();
            socket.close(None).await.unwrap();
            heard(&mut socket).await;
        }
    })
    .await;
    let mut reply = open(at).await;
    assert_eq!(soon(drain(&mut reply)).await, (vec![Frame::End], None));
    assert_eq!(told.recv().await, Some(Message::Pong("are you there".into())));
}

/// HTTP/2 has no upgrade: it must not be offered. Nobody answers the TLS handshake, so connecting has its deadline too.
#[tokio::test]
async fn over_tls_only_http1_is_offered() {
    let (tell, mut told) = mpsc::channel(1);
    let at = serve(move |mut stream| {
        let tell = tell.clone();
        async move {
            let mut head = [0; 5];
            stream.read_exact(&mut head).await.unwrap();
            let mut hello = vec![0; u16::from_be_bytes([head[3], head[4]]).into()];
            stream.read_exact(&mut hello).await.unwrap();
            tell.send(hello).await.unwrap();
            std::future::pending().await
        }
    })
    .await;
    for (framing, offers_h2) in [(Framing::WebSocket, false), (Framing::Sse, true)] {
        let url = Url::parse(&format!("https://{at}/")).unwrap();
        let limits = Limits { connect: Duration::from_secs(1), ..Limits::default() };
        let failure = client().send(Outgoing { url, framing, limits, ..ask(at) }).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::Connect, "{failure}");
        let hello = told.recv().await.unwrap();
        let has = |name: &[u8]| hello.windows(name.len()).any(|window| window == name);
        assert!(has(b"\x08http/1.1"));
        assert_eq!(has(b"\x02h2"), offers_h2);
    }
}

#[tokio::test]
async fn only_a_get_without_a_body_opens_one() {
    let at = answer("", After::Hang).await;
    for out in [Outgoing { method: Method::POST, ..ask(at) }, Outgoing { body: Bytes::from("x"), ..ask(at) }] {
        let failure = client().send(out).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::RefusedByHost);
        assert!(failure.text.contains("GET"), "{failure}");
    }
    let failure = send(answer(sized("200 OK", "", "ok", 0), After::Hang).await, Framing::Text)
        .await
        .ws_send_binary(Bytes::new())
        .unwrap_err();
    assert!(failure.text.contains("not a WebSocket"), "{failure}");
}

#[tokio::test]
async fn dropping_a_reply_closes_the_connection() {
    let (tell, mut told) = mpsc::channel(1);
    let at = talking(move |mut socket| {
        let tell = tell.clone();
        async move {
            let first = heard(&mut socket).await.unwrap().unwrap();
            let _ = heard(&mut socket).await;
            tell.send(first).await.unwrap();
        }
    })
    .await;
    let client = client();
    let mut reply = soon(client.send(ask(at))).await.unwrap();
    // Nobody waits for an answer: what the connection takes is written at once.
    reply.ws_send_text("stop".to_owned()).unwrap();
    drop(reply);
    assert_eq!(soon(told.recv()).await, Some(Message::text("stop")));
}
