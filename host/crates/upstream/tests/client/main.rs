//! The client against real sockets: a tiny server in the test plays the upstream, well-behaved or not.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, a panic is the report")]

mod answers;
mod deadlines;
mod faults;
mod media;
mod requests;
mod server;
mod websocket;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use upstream::{Failure, Frame, Framing, Limits, Message, Outgoing, Reach, Reply, Upstream};
use url::Url;

/// A deadline that is meant to pass.
const SHORT: Duration = Duration::from_millis(50);

fn client() -> Upstream {
    Upstream::new("test/1").unwrap()
}

fn outgoing(at: SocketAddr, framing: Framing) -> Outgoing {
    Outgoing {
        method: Method::POST,
        url: Url::parse(&format!("http://{at}/v1/chat?key=secret")).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::from_static(b"{\"question\":1}"),
        framing,
        limits: Limits::default(),
        reach: Reach::Typed,
    }
}

async fn send(at: SocketAddr, framing: Framing) -> Reply {
    client().send(outgoing(at, framing)).await.unwrap()
}

async fn send_limited(at: SocketAddr, framing: Framing, limits: Limits) -> Result<Reply, Failure> {
    client().send(Outgoing { limits, ..outgoing(at, framing) }).await
}

/// All frames until the end or a failure, and that nothing comes after.
async fn drain(reply: &mut Reply) -> (Vec<Frame>, Option<Failure>) {
    let mut frames = Vec::new();
    let mut failure = None;
    while let Some(batch) = reply.next().await {
        assert!(failure.is_none(), "nothing comes after a failure");
        assert_ne!(frames.last(), Some(&Frame::End), "nothing comes after the end");
        match batch {
            Ok(batch) => {
                assert!(!batch.is_empty(), "a batch has at least one frame");
                frames.extend(batch);
            }
            Err(failed) => failure = Some(failed),
        }
    }
    assert!(reply.next().await.is_none());
    (frames, failure)
}

/// The frames of an answer that ends well, messages as `name|data`.
async fn texts(reply: &mut Reply) -> Vec<String> {
    let (frames, failure) = drain(reply).await;
    assert_eq!(failure, None);
    assert_eq!(frames.last(), Some(&Frame::End));
    messages(&frames)
}

fn messages(frames: &[Frame]) -> Vec<String> {
    let text = |frame: &Frame| match frame {
        Frame::Message(Message { name, data, .. }) => Some(format!("{name}|{data}")),
        _ => None,
    };
    frames.iter().filter_map(text).collect()
}
