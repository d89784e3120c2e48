//! Broken upstreams: each way to break has its code, and what was complete before is delivered.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use upstream::{Failure, FailureCode, Framing, Limits, Outgoing, Reach};
use url::Url;

use crate::server::{After, answer, serve, sized, until_close};
use crate::{client, drain, messages, outgoing, send, send_limited};

const SSE: &str = "content-type: text/event-stream\r\n";

/// Nothing of where it was sent to may reach a client, and no key may reach anybody.
fn check(failure: &Failure, code: FailureCode, at: SocketAddr) {
    assert_eq!(failure.code, code, "{failure}");
    for secret in [at.ip().to_string(), at.port().to_string(), "://".to_owned(), "secret".to_owned()] {
        assert!(!failure.text.contains(&secret), "{secret} in {}", failure.text);
    }
    assert!(failure.detail.contains(&at.to_string()), "{failure}");
    assert!(!failure.to_string().contains("secret") && !failure.to_string().contains("/v1"), "{failure}");
}

async fn fails(bytes: impl Into<Vec<u8>>, after: After, framing: Framing, code: FailureCode, before: &[&str]) {
    let at = answer(bytes, after).await;
    let mut reply = send(at, framing).await;
    let (frames, failure) = drain(&mut reply).await;
    assert_eq!(messages(&frames), before);
    check(&failure.expect("it must fail"), code, at);
}

#[tokio::test]
async fn a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let failure = send_limited(at, Framing::Sse, Limits::default()).await.unwrap_err();
    check(&failure, FailureCode::Connect, at);
    assert_eq!(failure.text, "could not connect to the upstream");
}

#[tokio::test]
async fn a_name_that_does_not_exist() {
    let at = SocketAddr::from(([127, 0, 0, 1], 1));
    let url = Url::parse("http://no-such-name.invalid/").unwrap();
    let failure = client().send(Outgoing { url, ..outgoing(at, Framing::Sse) }).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Connect, "{failure}");
    assert_eq!(failure.text, "the upstream's host name could not be resolved");
}

#[tokio::test]
async fn a_server_without_tls() {
    let at = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let url = Url::parse(&format!("https://{at}/")).unwrap();
    let failure = client().send(Outgoing { url, ..outgoing(at, Framing::Sse) }).await.unwrap_err();
    check(&failure, FailureCode::Connect, at);
}

#[tokio::test]
async fn an_end_before_the_head() {
    for after in [After::Close, After::Reset] {
        for bytes in ["", "HTTP/1.1 20"] {
            let at = answer(bytes, after).await;
            let failure = send_limited(at, Framing::Sse, Limits::default()).await.unwrap_err();
            check(&failure, FailureCode::Reset, at);
        }
    }
}

#[tokio::test]
async fn something_that_is_not_http() {
    let at = answer("SSH-2.0-OpenSSH_9.2\r\n\r\n", After::Hang).await;
    let failure = send_limited(at, Framing::Sse, Limits::default()).await.unwrap_err();
    check(&failure, FailureCode::BadFraming, at);
}

#[tokio::test]
async fn a_truncated_body() {
    let events = "data: a\n\ndata: b";
    for after in [After::Close, After::Reset] {
        fails(sized("200 OK", SSE, events, 10), after, Framing::Sse, FailureCode::Reset, &["|a"]).await;
        fails(sized("200 OK", "", "{\"half\":", 10), after, Framing::Text, FailureCode::Reset, &[]).await;
        fails(sized("500 No", "", "half", 10), after, Framing::Text, FailureCode::Reset, &[]).await;
    }
    let chunked = format!("HTTP/1.1 200 OK\r\n{SSE}transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n9\r\ndata");
    fails(chunked, After::Close, Framing::Sse, FailureCode::Reset, &["|a"]).await;
    let no_last_chunk = format!("HTTP/1.1 200 OK\r\n{SSE}transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\n");
    fails(no_last_chunk, After::Close, Framing::Sse, FailureCode::Reset, &["|a"]).await;
}

#[tokio::test]
async fn a_reset_without_a_length() {
    // The end of the connection is the end of the body here, but a reset is not an end.
    let at = answer(until_close("text/event-stream", "data: a\n\ndata: b"), After::Reset).await;
    // The reset may even overtake the head.
    let failure = match send_limited(at, Framing::Sse, Limits::default()).await {
        Ok(mut reply) => drain(&mut reply).await.1.expect("it must fail"),
        Err(failure) => failure,
    };
    check(&failure, FailureCode::Reset, at);
}

#[tokio::test]
async fn broken_chunks() {
    let bytes = format!("HTTP/1.1 200 OK\r\n{SSE}transfer-encoding: chunked\r\n\r\n9\r\ndata: a\n\n\r\nzz\r\n");
    fails(bytes, After::Hang, Framing::Sse, FailureCode::BadFraming, &["|a"]).await;
}

#[tokio::test]
async fn invalid_utf8() {
    let events = b"data: a\n\ndata: \xFF\xFE\n\ndata: never\n\n";
    fails(sized("200 OK", SSE, events, 0), After::Hang, Framing::Sse, FailureCode::BadFraming, &["|a"]).await;
    fails(sized("200 OK", "", b"{}\n\xC3\n", 0), After::Hang, Framing::Ndjson, FailureCode::BadFraming, &["|{}"]).await;
    fails(sized("200 OK", "", b"\xC3", 0), After::Hang, Framing::Text, FailureCode::BadFraming, &[]).await;
}

#[tokio::test]
async fn an_address_out_of_reach() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let port = at.port();
    for (url, reach) in [
        (format!("http://127.0.0.1:{port}/"), Reach::Public),
        (format!("http://localhost:{port}/"), Reach::Public),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), Reach::Public),
        ("http://169.254.169.254/latest/meta-data".to_owned(), Reach::Typed),
    ] {
        let url = Url::parse(&url).unwrap();
        let failure =
            client().send(Outgoing { url: url.clone(), reach, ..outgoing(at, Framing::Text) }).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::RefusedByHost, "{url}: {failure}");
        assert!(failure.text.contains("address, which only") || failure.text.contains("metadata"), "{failure}");
    }
    assert!(futures_util::FutureExt::now_or_never(listener.accept()).is_none(), "nobody may have connected");
}
