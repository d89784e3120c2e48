//! An upstream for tests: every connection is handed to the test's own function.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Listens on a free port; dies with the test's runtime.
pub(crate) async fn serve<F, Fut>(handle: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(stream));
        }
    });
    at
}

/// What happens after the bytes of an answer.
#[derive(Clone, Copy)]
pub(crate) enum After {
    Close,
    Reset,
    Hang,
}

/// Answers the first request of every connection with these bytes.
pub(crate) async fn answer(bytes: impl Into<Vec<u8>>, after: After) -> SocketAddr {
    let bytes = bytes.into();
    serve(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            request(&mut stream).await;
            // The client may have had enough before everything is written.
            let _ = stream.write_all(&bytes).await;
            match after {
                After::Close => {}
                After::Reset => stream.set_zero_linger().unwrap(),
                After::Hang => pending().await,
            }
        }
    })
    .await
}

/// Reads one request, head and body; `None` when the client closed the connection instead.
pub(crate) async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut got = Vec::new();
    loop {
        if stream.read_buf(&mut got).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&got);
        let Some(head) = text.find("\r\n\r\n") else { continue };
        let length = text[..head].lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse().unwrap())
        });
        if got.len() >= head + 4 + length.unwrap_or(0) {
            return Some(text.into_owned());
        }
    }
}

/// An answer whose end is the end of the connection.
pub(crate) fn until_close(content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body.as_ref()].concat()
}

/// An answer that says how long it is; `missing` bytes of it never come.
pub(crate) fn sized(status: &str, headers: &str, body: impl AsRef<[u8]>, missing: usize) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len() + missing);
    [head.as_bytes(), body].concat()
}

/// For conditions that are certain to come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it must happen")
}
