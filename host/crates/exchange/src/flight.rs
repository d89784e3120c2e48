//! What an exchange waits for from outside: a request in flight (its access tokens first, then its head, then its frames), or a file that
//! is being fetched.

use std::{collections::BTreeMap, future::Future, pin::Pin};

use bytes::Bytes;
use domain::{Fault, Secret};
use plugin_runtime::machine;
use upstream::{Failure, Frame, Media, Outgoing, Reply, Upstream};

use crate::grants::Tokens;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Something under way. Dropping it closes its connection.
pub(crate) struct Flight {
    pub(crate) id: u32,
    /// The adapter asked the host to pass plain chunks on.
    pub(crate) relayed: bool,
    /// The adapter has seen a message: the first one is never passed by it.
    pub(crate) introduced: bool,
    /// The answer has an error status: what it says is not withheld from a grant.
    pub(crate) refused: bool,
    /// Which one it is; an id may be used again.
    pub(crate) serial: u64,
    /// Bytes that are set aside for the file that it fetches.
    pub(crate) set_aside: usize,
    /// The end of what came of an answer in bytes, not shown yet.
    pub(crate) tail: Vec<u8>,
    stage: Stage,
}

enum Stage {
    Granting(Box<machine::Request>, Boxed<Result<Tokens, Fault>>),
    Sending(Boxed<Result<Reply, Failure>>),
    Reading(Box<Reply>),
    Fetching(Boxed<Result<Media, Failure>>),
    Over,
}

/// What happened to a flight.
pub(crate) enum News {
    /// The access tokens that the request needs, or why there are none.
    Granted(Box<machine::Request>, Result<Tokens, Fault>),
    /// Status and headers, and how the answer arrives.
    Head(u16, http::HeaderMap, &'static str),
    /// What was buffered.
    Frames(Vec<Frame>),
    /// The file is here.
    Fetched(Media),
    /// It broke.
    Failed(Failure),
}

impl Flight {
    fn new(id: u32, stage: Stage) -> Flight {
        Flight {
            id,
            relayed: false,
            introduced: false,
            refused: false,
            serial: 0,
            set_aside: 0,
            tail: Vec::new(),
            stage,
        }
    }

    /// A request that is sent.
    pub(crate) fn launch(upstream: &Upstream, id: u32, outgoing: Outgoing) -> Flight {
        let upstream = upstream.clone();
        Flight::new(id, Stage::Sending(Box::pin(async move { upstream.send(outgoing).await })))
    }

    /// A request that waits for its access tokens.
    pub(crate) fn granting(request: machine::Request, tokens: Boxed<Result<Tokens, Fault>>) -> Flight {
        Flight::new(request.id, Stage::Granting(Box::new(request), tokens))
    }

    /// A file of an address that the client gave.
    pub(crate) fn fetching(id: u32, media: Boxed<Result<Media, Failure>>) -> Flight {
        Flight::new(id, Stage::Fetching(media))
    }

    /// Puts a message on an open WebSocket.
    pub(crate) fn ws_send(&mut self, frame: machine::Frame) -> Result<(), String> {
        let Stage::Reading(reply) = &mut self.stage else {
            return Err("a WebSocket message was sent before the connection was open".to_owned());
        };
        match frame {
            machine::Frame::Text(text) => reply.ws_send_text(text),
            machine::Frame::Bytes(bytes) => reply.ws_send_binary(Bytes::from(bytes)),
            machine::Frame::Ext(extra) => {
                return Err(format!("the message kind `{}` is not one of this host", extra.name));
            }
        }
        .map_err(|failure| failure.text)
    }

    /// Reads to the end and forgets what comes.
    pub(crate) async fn read_out(mut self) {
        if !matches!(self.stage, Stage::Sending(_) | Stage::Reading(_)) {
            return;
        }
        loop {
            match self.news().await {
                News::Frames(frames) if frames.last().is_some_and(|frame| matches!(frame, Frame::End)) => return,
                News::Frames(_) | News::Head(..) => {}
                News::Failed(_) | News::Granted(..) | News::Fetched(_) => return,
            }
        }
    }

    /// Waits for news. Safe to drop and call again. Must not be called after an end or a failure.
    pub(crate) async fn news(&mut self) -> News {
        match &mut self.stage {
            Stage::Granting(_, tokens) => {
                let tokens = tokens.await;
                match std::mem::replace(&mut self.stage, Stage::Over) {
                    Stage::Granting(request, _) => News::Granted(request, tokens),
                    _ => std::future::pending().await,
                }
            }
            Stage::Sending(sending) => match sending.await {
                Ok(mut reply) => {
                    // Taken, not cloned: header values keep the connection's read buffer alive for as long as they live.
                    let headers = std::mem::take(&mut reply.headers);
                    let news = News::Head(reply.status, headers, reply.framing());
                    self.refused = reply.status >= 400;
                    self.stage = Stage::Reading(Box::new(reply));
                    news
                }
                Err(failure) => self.over(failure),
            },
            Stage::Reading(reply) => match reply.next().await {
                Some(Ok(frames)) => News::Frames(frames),
                Some(Err(failure)) => self.over(failure),
                None => News::Frames(vec![Frame::End]),
            },
            Stage::Fetching(media) => match media.await {
                Ok(media) => {
                    self.stage = Stage::Over;
                    News::Fetched(media)
                }
                Err(failure) => self.over(failure),
            },
            Stage::Over => std::future::pending().await,
        }
    }

    fn over(&mut self, failure: Failure) -> News {
        self.stage = Stage::Over;
        News::Failed(failure)
    }
}

/// Waits for news of any of them; the position tells which.
pub(crate) async fn news_of(flights: &mut [Flight]) -> (usize, News) {
    match flights {
        [] => std::future::pending().await,
        // The usual case needs no list of futures.
        [only] => (0, only.news().await),
        several => {
            let waiting = several.iter_mut().map(|flight| Box::pin(flight.news()));
            let (news, at, _) = futures_util::future::select_all(waiting).await;
            (at, news)
        }
    }
}

/// No tokens.
pub(crate) fn no_tokens() -> Tokens {
    BTreeMap::<String, Secret>::new()
}
