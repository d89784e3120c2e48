//! The way to the client: an answer once, then, for a stream, its parts. The HTTP edge turns both into its dialect.

use domain::{Fault, FaultCode, RequestId};
use tokio::sync::{mpsc, oneshot};

/// How many parts may wait for a slow client before the upstream is held back.
const PARTS: usize = 64;
/// How many rate-limit headers of a vendor are passed on.
const RATE_LIMITS: usize = 24;

/// What the client gets.
#[derive(Debug)]
pub struct Answer {
    /// Names the request.
    pub request: RequestId,
    /// Request fields that the adapter could not map, as far as known when the answer began.
    pub losses: Vec<String>,
    /// The vendor's rate-limit headers, names in lower case. Clients pace themselves by them.
    pub rate_limits: Vec<(String, String)>,
    /// Whole or in parts.
    pub body: AnswerBody,
}

/// The body of an answer.
#[derive(Debug)]
pub enum AnswerBody {
    /// A whole canonical answer, JSON.
    Whole(String),
    /// Nothing yet: the exchange goes on without the client, who may ask for the answer later.
    Accepted,
    /// A stream; its last part is `Done` or `Fault`.
    Stream(mpsc::Receiver<Part>),
}

/// One part of a stream.
#[derive(Debug)]
pub enum Part {
    /// A canonical chunk, JSON.
    Chunk(String),
    /// Nothing to say, but still here.
    Ping,
    /// Complete and settled.
    Done,
    /// Broken: what came before is all there is.
    Fault(Fault),
}

/// The exchange's end of the way.
pub(crate) struct Outlet {
    request: RequestId,
    answer: Option<oneshot::Sender<Result<Answer, Fault>>>,
    parts: Option<mpsc::Sender<Part>>,
    rate_limits: Vec<(String, String)>,
}

impl Outlet {
    pub(crate) fn new(request: RequestId) -> (Outlet, oneshot::Receiver<Result<Answer, Fault>>) {
        let (sender, receiver) = oneshot::channel();
        (Outlet { request, answer: Some(sender), parts: None, rate_limits: Vec::new() }, receiver)
    }

    /// Whether anything has gone to the client.
    pub(crate) fn opened(&self) -> bool {
        self.answer.is_none()
    }

    /// Whether the client is known to be gone.
    pub(crate) fn is_closed(&self) -> bool {
        match (&self.answer, &self.parts) {
            (Some(answer), _) => answer.is_closed(),
            (None, Some(parts)) => parts.is_closed(),
            (None, None) => false,
        }
    }

    /// Resolves when the client left.
    pub(crate) async fn left(&mut self) {
        match (&mut self.answer, &self.parts) {
            (Some(answer), _) => answer.closed().await,
            (None, Some(parts)) => parts.closed().await,
            (None, None) => std::future::pending().await,
        }
    }

    /// Keeps the rate-limit headers of an upstream's answer; those of the last attempt count.
    pub(crate) fn pass_on(&mut self, headers: &http::HeaderMap) {
        let limits = headers.iter().filter(|(name, _)| name.as_str().contains("ratelimit-")).take(RATE_LIMITS);
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        self.rate_limits = limits.filter_map(text).collect();
    }

    /// Answers as a whole or with a refusal.
    pub(crate) fn answer(&mut self, result: Result<(String, Vec<String>), Fault>) {
        let Some(answer) = self.answer.take() else { return };
        let rate_limits = std::mem::take(&mut self.rate_limits);
        let result = match result {
            Ok((json, losses)) => {
                Ok(Answer { request: self.request.clone(), losses, rate_limits, body: AnswerBody::Whole(json) })
            }
            Err(fault) => Err(Fault { rate_limits, ..fault }),
        };
        // The client may be gone; the settlement says so.
        let _unheard = answer.send(result);
    }

    /// Tells the client, who asked for that, that the answer comes later.
    pub(crate) fn accept(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        let body = AnswerBody::Accepted;
        let accepted = Answer { request: self.request.clone(), losses: Vec::new(), rate_limits: Vec::new(), body };
        // The client may be gone; it has no less than it would have had.
        let _unheard = answer.send(Ok(accepted));
    }

    /// Sends a part, opening the stream with the first one. A part that comes back has to wait: the client reads slowly.
    pub(crate) fn try_part(&mut self, part: Part, losses: &[String]) -> Result<Option<Part>, Fault> {
        if let Some(answer) = self.answer.take() {
            let (sender, receiver) = mpsc::channel(PARTS);
            let body = AnswerBody::Stream(receiver);
            let opened = Answer {
                request: self.request.clone(),
                losses: losses.to_vec(),
                rate_limits: std::mem::take(&mut self.rate_limits),
                body,
            };
            self.parts = Some(sender);
            answer.send(Ok(opened)).map_err(|_| gone())?;
        }
        match self.parts.as_ref().ok_or_else(gone)?.try_send(part) {
            Ok(()) => Ok(None),
            Err(mpsc::error::TrySendError::Full(part)) => Ok(Some(part)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
        }
    }

    /// Ends the client's stream where it is, without an end that says that it was whole.
    pub(crate) fn cut(&mut self) {
        self.parts = None;
    }

    /// Waits for a slow client and sends.
    pub(crate) async fn part_when_read(&self, part: Part) -> Result<(), Fault> {
        self.parts.as_ref().ok_or_else(gone)?.send(part).await.map_err(|_| gone())
    }
}

/// The client closed its connection.
pub(crate) fn gone() -> Fault {
    Fault::new(FaultCode::ClientGone, "the client closed the connection")
}
