//! Files that a client named: where they may come from, how large they may be, and that nothing goes out or comes back with them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use domain::Origin;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use upstream::{Failure, FailureCode, Limits, Media};

use crate::server::{After, answer, request, serve, sized, soon, until_close};
use crate::{SHORT, client};

const PNG: &str = "content-type: Image/PNG; charset=x\r\n";

fn origin(at: SocketAddr) -> Origin {
    Origin::parse(&format!("http://{at}")).unwrap()
}

/// Fetches from a server that an operator allowed.
async fn fetch(at: SocketAddr, max_bytes: usize) -> Result<Media, Failure> {
    let url = format!("http://{at}/dir/file.png?sig=secret#part");
    soon(client().media(&url, max_bytes, Limits::default(), &[origin(at)])).await
}

fn check(failure: &Failure, code: FailureCode, says: &str) {
    assert_eq!(failure.code, code, "{failure}");
    assert!(failure.text.contains(says), "{says}: {failure}");
    let all = failure.to_string();
    for hidden in ["secret", "/dir", "sig=", "?"] {
        assert!(!all.contains(hidden), "{hidden} in {all}");
    }
    assert!(!failure.text.contains("127.0.0.1"), "{failure}");
}

#[tokio::test]
async fn a_file_comes_with_its_bytes_and_its_kind() {
    let file = Bytes::from_static(b"\x89PNG\0\xff");
    for (headers, content_type) in [(PNG, "image/png"), ("", "application/octet-stream")] {
        let media = fetch(answer(sized("200 OK", headers, &file, 0), After::Hang).await, 6).await.unwrap();
        assert_eq!(media, Media { bytes: file.clone(), content_type: content_type.to_owned() });
    }
}

#[tokio::test]
async fn nothing_but_the_request_goes_out() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let at = serve(move |mut stream| {
        let tell = tell.clone();
        async move {
            while let Some(got) = request(&mut stream).await {
                let first = got.starts_with("GET /dir/file.png");
                tell.send(got).unwrap();
                let (status, headers) = if first {
                    ("302 Found", "location: /other?x=1\r\nset-cookie: a=b\r\nconnection: keep-alive\r\n")
                } else {
                    ("200 OK", "")
                };
                stream.write_all(&sized(status, headers, "", 0)).await.unwrap();
            }
        }
    })
    .await;
    fetch(at, 10).await.unwrap();
    for target in ["/dir/file.png?sig=secret", "/other?x=1"] {
        let got = told.recv().await.unwrap();
        let mut lines: Vec<&str> = got.lines().filter(|line| !line.is_empty()).collect();
        lines[1..].sort_unstable();
        let (first, host) = (format!("GET {target} HTTP/1.1"), format!("host: {at}"));
        assert_eq!(
            lines,
            [first.as_str(), "accept-encoding: identity", "accept: */*", host.as_str(), "user-agent: test/1"]
        );
    }
}

#[tokio::test]
async fn private_addresses_are_refused_unless_the_operator_allows_their_origin() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let port = at.port();
    let other = Origin::parse(&format!("http://127.0.0.1:{}", port.wrapping_add(1).max(1))).unwrap();
    for url in [
        format!("http://{at}/dir?sig=secret"),
        format!("http://localhost:{port}/dir?sig=secret"),
        format!("https://{at}/dir?sig=secret"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://2130706433:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ] {
        for allowed in [&[][..], std::slice::from_ref(&other)] {
            let failure = client().media(&url, 10, Limits::default(), allowed).await.unwrap_err();
            check(&failure, FailureCode::RefusedByHost, "the gateway may not connect to the file's server");
        }
    }
    let metadata = Origin::parse("http://169.254.169.254").unwrap();
    let url = "http://169.254.169.254/latest/meta-data";
    let failure = client().media(url, 10, Limits::default(), &[metadata]).await.unwrap_err();
    check(&failure, FailureCode::RefusedByHost, "metadata");
    assert!(futures_util::FutureExt::now_or_never(listener.accept()).is_none(), "nobody may have connected");
}

#[tokio::test]
async fn only_plain_addresses_are_fetched() {
    for (url, says) in [
        ("data:image/png;base64,c2VjcmV0", "send the file itself"),
        ("file:///etc/secret", "only http and https"),
        ("ftp://files.test/secret", "only http and https"),
        ("ws://files.test/secret", "only http and https"),
        ("https://user:secret@files.test/", "user name"),
        ("files.test/secret", "not a URL"),
        ("", "not a URL"),
    ] {
        let failure = client().media(url, 10, Limits::default(), &[]).await.unwrap_err();
        check(&failure, FailureCode::RefusedByHost, says);
    }
}

/// A server that redirects `count` times and then has a file.
async fn redirecting(count: usize) -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let at = serve(move |mut stream| {
        let counter = counter.clone();
        async move {
            while request(&mut stream).await.is_some() {
                let turn = counter.fetch_add(1, Ordering::SeqCst);
                let bytes = if turn < count {
                    sized("307 Temporary Redirect", &format!("location: hop{turn}?sig=secret\r\n"), "elsewhere", 0)
                } else {
                    sized("200 OK", PNG, "file", 0)
                };
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    })
    .await;
    (at, asked)
}

#[tokio::test]
async fn three_redirects_are_followed_and_no_more() {
    let (at, asked) = redirecting(3).await;
    assert_eq!(fetch(at, 10).await.unwrap().bytes, "file");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
    let (at, asked) = redirecting(4).await;
    check(&fetch(at, 10).await.unwrap_err(), FailureCode::RefusedByHost, "redirects too often");
    assert_eq!(asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_redirect_leads_only_where_the_first_address_could() {
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = inner.local_addr().unwrap();
    for (location, says) in [
        (format!("http://{there}/dir?sig=secret"), "may not connect"),
        ("http://169.254.169.254/latest".to_owned(), "may not connect"),
        (format!("http://user@{there}/"), "user name"),
        ("data:text/plain,secret".to_owned(), "`data:`"),
        ("file:///etc/secret".to_owned(), "only http and https"),
    ] {
        let at = answer(sized("302 Found", &format!("location: {location}\r\n"), "", 0), After::Hang).await;
        check(&fetch(at, 10).await.unwrap_err(), FailureCode::RefusedByHost, says);
    }
    assert!(futures_util::FutureExt::now_or_never(inner.accept()).is_none(), "nobody may have connected");
    for headers in ["", "location: http://[secret\r\n"] {
        let at = answer(sized("302 Found", headers, "", 0), After::Hang).await;
        check(&fetch(at, 10).await.unwrap_err(), FailureCode::BadFraming, "status 302 and no address");
    }
}

#[tokio::test]
async fn a_file_has_a_size_limit() {
    let large = "the file's server's answer is larger than 10 bytes";
    // A gigabyte that is announced is not waited for.
    let announced = sized("200 OK", PNG, "x", 1 << 30);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n";
    for bytes in [announced, chunked.into(), until_close("image/png", [b'x'; 11])] {
        check(&fetch(answer(bytes, After::Hang).await, 10).await.unwrap_err(), FailureCode::TooLarge, large);
    }
    let at = answer(until_close("image/png", [b'x'; 10]), After::Close).await;
    assert_eq!(fetch(at, 10).await.unwrap().bytes.len(), 10);
}

#[tokio::test]
async fn what_is_not_the_file_is_a_failure() {
    for (status, says) in [
        ("404 Not Found", "status 404"),
        ("403 Forbidden", "status 403"),
        ("500 Oh", "status 500"),
        ("304 Not Modified", "status 304"),
    ] {
        let at = answer(sized(status, "", "", 0), After::Hang).await;
        check(&fetch(at, 10).await.unwrap_err(), FailureCode::BadFraming, says);
    }
    let at = answer(sized("200 OK", "content-encoding: gzip\r\n", "x", 0), After::Hang).await;
    check(&fetch(at, 10).await.unwrap_err(), FailureCode::BadFraming, "compressed");
    let at = answer(sized("200 OK", "", "x", 5), After::Close).await;
    check(&fetch(at, 10).await.unwrap_err(), FailureCode::Reset, "closed the connection");
    let at = answer("HTTP/1.1 20", After::Close).await;
    check(&fetch(at, 10).await.unwrap_err(), FailureCode::Reset, "the file's server closed");
}

#[tokio::test]
async fn a_slow_server_is_given_up() {
    let limits = Limits { idle: SHORT, first_byte: SHORT, ..Limits::default() };
    for (bytes, code) in
        [(sized("200 OK", "", "x", 5), FailureCode::TimeoutIdle), (Vec::new(), FailureCode::TimeoutFirstByte)]
    {
        let at = answer(bytes, After::Hang).await;
        let url = format!("http://{at}/dir?sig=secret");
        let failure = soon(client().media(&url, 10, limits, &[origin(at)])).await.unwrap_err();
        check(&failure, code, "the file's server");
    }
}
