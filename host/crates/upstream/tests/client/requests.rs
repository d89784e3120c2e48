//! What goes over the wire.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use upstream::{Framing, Outgoing};
use url::Url;

use crate::server::{request, serve, sized};
use crate::{client, drain, outgoing};

/// Sends and gives back what the server got, in lower case.
async fn sent(make: impl FnOnce(Outgoing) -> Outgoing) -> (String, String) {
    let (tell, mut told) = mpsc::channel(4);
    let tell = Arc::new(tell);
    let at = serve(move |mut stream| {
        let tell = tell.clone();
        async move {
            while let Some(got) = request(&mut stream).await {
                tell.send(got).await.unwrap();
                stream.write_all(&sized("200 OK", "set-cookie: a=b\r\n", "", 0)).await.unwrap();
            }
        }
    })
    .await;
    let client = client();
    let ask = make(outgoing(at, Framing::Text));
    // Twice, because what the first answer set must not be in the second request.
    let mut first = String::new();
    for turn in 0..2 {
        drain(&mut client.send(ask.clone()).await.unwrap()).await;
        let got = told.recv().await.unwrap();
        if turn == 0 {
            first = got;
        } else {
            assert_eq!(got, first);
        }
    }
    let (head, body) = first.split_once("\r\n\r\n").unwrap();
    (head.replace(&at.to_string(), "HOST"), body.to_owned())
}

#[tokio::test]
async fn a_request_is_sent_as_it_is() {
    let (head, body) = sent(|mut out| {
        out.headers.insert("authorization", "Bearer k".parse().unwrap());
        out.headers.insert("content-type", "application/json".parse().unwrap());
        out
    })
    .await;
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /v1/chat?key=secret HTTP/1.1",
            "accept-encoding: identity",
            "accept: */*",
            "authorization: Bearer k",
            "content-length: 14",
            "content-type: application/json",
            "host: HOST",
            "user-agent: test/1",
        ]
    );
    assert_eq!(body, "{\"question\":1}");
}

#[tokio::test]
async fn headers_of_the_connection_are_ours() {
    let (head, body) = sent(|mut out| {
        for (name, value) in [
            ("host", "evil.test"),
            ("content-length", "3"),
            ("transfer-encoding", "chunked"),
            ("connection", "close, x-hop"),
            ("accept-encoding", "gzip"),
            ("upgrade", "websocket"),
            ("user-agent", "mine/2"),
        ] {
            out.headers.insert(name, value.parse().unwrap());
        }
        out
    })
    .await;
    for gone in ["evil", "chunked", "close", "gzip", "websocket", "test/1"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
    assert!(head.contains("user-agent: mine/2") && head.contains("content-length: 14"), "{head}");
    assert_eq!(body.len(), 14);
}

#[tokio::test]
async fn a_get_has_no_body_and_a_path_keeps_its_bytes() {
    let (head, body) = sent(|out| Outgoing {
        method: Method::GET,
        url: Url::parse(&format!("{}v1/a%2Fb%3Ac?q=%7E+1&q=x%20y", out.url.join("/").unwrap())).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        ..out
    })
    .await;
    assert!(head.starts_with("GET /v1/a%2Fb%3Ac?q=%7E+1&q=x%20y HTTP/1.1\r\n"), "{head}");
    assert!(!head.contains("content-length"), "{head}");
    assert_eq!(body, "");
}

/// Sends a GET with this path and query and gives back the target on the wire.
async fn target(path: &str, query: Option<&str>) -> String {
    let (head, _) = sent(|out| {
        let mut url =
            Url::parse(&format!("{}{path}", out.url.join("/").unwrap().as_str().trim_end_matches('/'))).unwrap();
        url.set_query(query);
        Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new(), ..out }
    })
    .await;
    head.lines().next().unwrap().strip_prefix("GET ").unwrap().strip_suffix(" HTTP/1.1").unwrap().to_owned()
}

/// A signature is made over these bytes.
#[tokio::test]
async fn path_and_query_go_out_byte_for_byte() {
    for (path, query) in [
        ("/a%2Fb/%E4%BD%A0/model:predict", "a=%20b&c=~"),
        ("/model/us.vendor.name-v1%3A0/invoke", "X-Date=2026%2F01&b=%2f&c=%7E&d=&e"),
        ("/-._~!$&'()*+,;=:@/%25%2e%2E%61", "-._~!$&()*+,;=:@/?%25%27"),
        ("/a//b/", ""),
        ("/", "q=%E4%BD%A0+x"),
    ] {
        assert_eq!(target(path, Some(query)).await, format!("{path}?{query}"));
    }
}

/// The printable letters that are not sent as they are; whoever makes the URL must encode them itself.
#[tokio::test]
async fn what_the_url_library_changes_is_known() {
    let (mut in_path, mut in_query) = (String::new(), String::new());
    for letter in ('!'..='~').filter(|letter| !"%?#".contains(*letter)) {
        let text = format!("/a{letter}b");
        if target(&text, None).await != text {
            in_path.push(letter);
        }
        if target("/", Some(&text)).await != format!("/?{text}") {
            in_query.push(letter);
        }
    }
    assert_eq!((in_path.as_str(), in_query.as_str()), ("\"<>\\`{}", "\"'<>"));
}
