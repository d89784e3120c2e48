//! An open WebSocket: messages in both directions, and how it ends.

mod handshake;
mod meter;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{Sink, StreamExt};
use reqwest::Upgraded;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Raw};

use crate::failure::Peer;
use crate::frame::{Binary, Frame, FrameError};
use crate::{Failure, FailureCode, Limits};

pub(crate) use handshake::Handshake;
use meter::Meter;

/// The most messages that may wait to be written.
const QUEUE: usize = 256;
/// A socket keeps this much for reading for as long as it lives.
const READ_BUFFER: usize = 16 << 10;

/// An open WebSocket.
pub(crate) struct Socket {
    stream: WebSocketStream<Meter<Upgraded>>,
    queue: VecDeque<Raw>,
    /// Bytes in `queue`.
    queued: usize,
    /// Bytes of everything that came, pings too.
    received: usize,
    limits: Limits,
    peer: Peer,
}

/// What came over a WebSocket.
pub(crate) enum Incoming {
    Frame(Frame),
    /// It was closed as planned.
    End,
    Failed(Failure),
}

impl Socket {
    async fn new(upgraded: Upgraded, limits: Limits, peer: Peer) -> Socket {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(limits.max_message))
            .max_frame_size(Some(limits.max_message));
        let stream = WebSocketStream::from_raw_socket(Meter::new(upgraded), Role::Client, Some(config)).await;
        Socket { stream, queue: VecDeque::new(), queued: 0, received: 0, limits, peer }
    }

    /// Queues a message and writes as much as the connection takes at once.
    pub(crate) fn send(&mut self, message: Raw) -> Result<(), Failure> {
        if self.queue.len() >= QUEUE || self.queued.saturating_add(message.len()) > self.limits.max_queued {
            let limit = self.limits.max_queued;
            return Err(Failure::of(
                &self.peer,
                FailureCode::TooLarge,
                &format!(" does not take the messages: more than {QUEUE} of them or {limit} bytes would wait"),
                format!("{} messages with {} bytes wait", self.queue.len(), self.queued),
            ));
        }
        self.queued += message.len();
        self.queue.push_back(message);
        // Nobody needs to be woken: whoever waits for frames next tries again.
        self.write(&mut Context::from_waker(Waker::noop()));
        Ok(())
    }

    /// The next message; `None` when there were no bytes at all within `left`, or within `idle` after some.
    pub(crate) async fn read(&mut self, left: Duration, idle: Duration) -> Option<Incoming> {
        let mut silence = pin!(tokio::time::sleep(left));
        let mut seen = self.stream.get_ref().count();
        poll_fn(|cx| {
            if let Poll::Ready(incoming) = self.poll_read(cx) {
                return Poll::Ready(Some(incoming));
            }
            let count = self.stream.get_ref().count();
            if count != seen {
                seen = count;
                silence.as_mut().reset(Instant::now() + idle);
            }
            silence.as_mut().poll(cx).map(|()| None)
        })
        .await
    }

    /// Bytes that have come so far: pings count as a sign of life too.
    pub(crate) fn count(&self) -> u64 {
        self.stream.get_ref().count()
    }

    /// The next message if it is here already.
    pub(crate) fn read_now(&mut self) -> Option<Incoming> {
        match self.poll_read(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(incoming) => Some(incoming),
            Poll::Pending => None,
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            self.write(cx);
            let read = match self.stream.poll_next_unpin(cx) {
                Poll::Ready(read) => read,
                Poll::Pending => return Poll::Pending,
            };
            if let Some(Ok(message)) = &read {
                // A message has at least two bytes around it.
                self.received += message.len() + 2;
                if self.received > self.limits.max_body {
                    return Poll::Ready(Incoming::Failed(Failure::body_too_large(&self.peer, self.limits.max_body)));
                }
            }
            return Poll::Ready(match read {
                Some(Ok(Raw::Text(text))) => Incoming::Frame(Frame::message("", text.as_str())),
                Some(Ok(Raw::Binary(data))) => Incoming::Frame(Frame::Binary(Binary { data, ..Binary::default() })),
                // The library answers pings by itself, with the next read or write.
                Some(Ok(Raw::Ping(_) | Raw::Pong(_) | Raw::Frame(_))) => continue,
                Some(Ok(Raw::Close(frame))) => {
                    // Our answer to it goes out now or never.
                    let _ = Pin::new(&mut self.stream).poll_flush(cx);
                    self.closed(frame)
                }
                Some(Err(error)) => Incoming::Failed(self.failure(&error)),
                None => Incoming::Failed(self.reset("the connection ended")),
            });
        }
    }

    /// Hands over what waits, as far as the connection takes it. A connection that no longer takes anything is for the reading to report:
    /// there may still be messages in it.
    fn write(&mut self, cx: &mut Context<'_>) {
        let mut stream = Pin::new(&mut self.stream);
        while !self.queue.is_empty() {
            match stream.as_mut().poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => self.queue.clear(),
                Poll::Pending => return,
            }
            let Some(message) = self.queue.pop_front() else { break };
            self.queued -= message.len();
            if stream.as_mut().start_send(message).is_err() {
                self.queue.clear();
            }
        }
        if self.queue.is_empty() {
            self.queued = 0;
        }
        let _ = stream.poll_flush(cx);
    }

    fn closed(&self, frame: Option<CloseFrame>) -> Incoming {
        let Some(CloseFrame { code, reason }) = frame else { return Incoming::End };
        if matches!(code, CloseCode::Normal | CloseCode::Away) {
            return Incoming::End;
        }
        let code = u16::from(code);
        let what = if reason.is_empty() {
            format!(" closed the WebSocket with code {code}")
        } else {
            format!(" closed the WebSocket with code {code}: {reason}")
        };
        Incoming::Failed(Failure::of(&self.peer, FailureCode::Reset, &what, format!("close code {code}")))
    }

    fn failure(&self, error: &Error) -> Failure {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                Failure::framing(FrameError::TooLarge { limit: self.limits.max_message }, &self.peer)
            }
            Error::Utf8(_) => Failure::framing(FrameError::NotUtf8, &self.peer),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) | Error::Io(_) => self.reset(error),
            _ => Failure::of(
                &self.peer,
                FailureCode::BadFraming,
                "'s answer cannot be read: it breaks the rules of WebSocket",
                error,
            ),
        }
    }

    fn reset(&self, detail: impl std::fmt::Display) -> Failure {
        Failure::of(&self.peer, FailureCode::Reset, " closed the connection without closing the WebSocket", detail)
    }
}
