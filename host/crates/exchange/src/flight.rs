//! One upstream request in flight: first its head, then its frames.

use std::{future::Future, pin::Pin};

use upstream::{Failure, Frame, Outgoing, Reply, Upstream};

type Sending = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>>;

/// A request under way. Dropping it closes its connection.
pub(crate) struct Flight {
    pub(crate) id: u32,
    /// The adapter asked the host to pass plain chunks on.
    pub(crate) relayed: bool,
    /// The adapter has seen a message: the first one is never passed by it.
    pub(crate) introduced: bool,
    stage: Stage,
}

enum Stage {
    Sending(Sending),
    Reading(Box<Reply>),
    Over,
}

/// What happened to a flight.
pub(crate) enum News {
    /// Status and headers.
    Head(u16, http::HeaderMap),
    /// What was buffered.
    Frames(Vec<Frame>),
    /// It broke.
    Failed(Failure),
}

impl Flight {
    pub(crate) fn launch(upstream: &Upstream, id: u32, outgoing: Outgoing) -> Flight {
        let upstream = upstream.clone();
        let sending: Sending = Box::pin(async move { upstream.send(outgoing).await });
        Flight { id, relayed: false, introduced: false, stage: Stage::Sending(sending) }
    }

    /// Reads to the end and forgets what comes.
    pub(crate) async fn read_out(mut self) {
        loop {
            match self.news().await {
                News::Frames(frames) if frames.last().is_some_and(|frame| matches!(frame, Frame::End)) => return,
                News::Failed(_) => return,
                News::Frames(_) | News::Head(..) => {}
            }
        }
    }

    /// Waits for news. Safe to drop and call again. Must not be called after an end or a failure.
    pub(crate) async fn news(&mut self) -> News {
        match &mut self.stage {
            Stage::Sending(sending) => match sending.await {
                Ok(mut reply) => {
                    // Taken, not cloned: header values keep the connection's read buffer alive for as long as they live.
                    let news = News::Head(reply.status, std::mem::take(&mut reply.headers));
                    self.stage = Stage::Reading(Box::new(reply));
                    news
                }
                Err(failure) => {
                    self.stage = Stage::Over;
                    News::Failed(failure)
                }
            },
            Stage::Reading(reply) => match reply.next().await {
                Some(Ok(frames)) => News::Frames(frames),
                Some(Err(failure)) => {
                    self.stage = Stage::Over;
                    News::Failed(failure)
                }
                None => News::Frames(vec![Frame::End]),
            },
            Stage::Over => std::future::pending().await,
        }
    }
}
