//! Why a request failed: a code from the contract, a text for the client, a detail for the operator.

use std::error::Error;
use std::time::Duration;
use std::{fmt, io, iter};

use url::Url;

use crate::connect::ConnectTimedOut;
use crate::egress::Refused;
use crate::frame::FrameError;

/// The closed list of reasons, as the adapter contract spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// No connection: the name, TCP or TLS, or their deadline.
    Connect,
    /// The head of the answer did not come in time.
    TimeoutFirstByte,
    /// The body stalled.
    TimeoutIdle,
    /// The connection broke, or the answer ended before its end.
    Reset,
    /// The answer or one message is larger than its limit.
    TooLarge,
    /// The bytes are not what the framing needs, or not HTTP.
    BadFraming,
    /// The egress rules forbid the address.
    RefusedByHost,
}

impl FailureCode {
    /// The text form, `kebab-case`.
    pub fn as_str(self) -> &'static str {
        match self {
            FailureCode::Connect => "connect",
            FailureCode::TimeoutFirstByte => "timeout-first-byte",
            FailureCode::TimeoutIdle => "timeout-idle",
            FailureCode::Reset => "reset",
            FailureCode::TooLarge => "too-large",
            FailureCode::BadFraming => "bad-framing",
            FailureCode::RefusedByHost => "refused-by-host",
        }
    }
}

/// A failed request. `text` is fit for a client: it has no hosts, addresses, keys or URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why.
    pub code: FailureCode,
    /// For the client.
    pub text: String,
    /// For the operator: the origin and the causes. Never a path, a query or a header, where keys may be.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.code.as_str(), self.text, self.detail)
    }
}

impl Error for Failure {}

/// Whom a failure is about: the word for the client, the origin for the operator.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    who: &'static str,
    origin: String,
}

impl Peer {
    /// A vendor.
    pub(crate) fn upstream(url: &Url) -> Peer {
        Peer::new("the upstream", url)
    }

    /// The server of a file that a client named.
    pub(crate) fn file_server(url: &Url) -> Peer {
        Peer::new("the file's server", url)
    }

    fn new(who: &'static str, url: &Url) -> Peer {
        let origin = domain::Origin::of(url).map_or_else(|| "no origin".to_owned(), |origin| origin.to_string());
        Peer { who, origin }
    }
}

impl Failure {
    pub(crate) fn new(code: FailureCode, text: impl Into<String>, detail: impl Into<String>) -> Failure {
        Failure { code, text: text.into(), detail: detail.into() }
    }

    /// `what` follows the name of the peer: ` closed the connection`, `'s answer is too large`.
    pub(crate) fn of(peer: &Peer, code: FailureCode, what: &str, detail: impl fmt::Display) -> Failure {
        Failure::new(code, format!("{}{what}", peer.who), format!("{}: {detail}", peer.origin))
    }

    /// The address is forbidden.
    pub(crate) fn refused(refused: &Refused, peer: &Peer) -> Failure {
        Failure::new(
            FailureCode::RefusedByHost,
            format!("the gateway may not connect to {}'s address: {}", peer.who, refused.reason),
            format!("{}: {refused}", peer.origin),
        )
    }

    /// What went wrong before the head of the answer was there.
    pub(crate) fn in_send(error: reqwest::Error, peer: &Peer) -> Failure {
        let error = error.without_url();
        let causes = causes(&error);
        if let Some(refused) = cause::<Refused>(&error) {
            return Failure::refused(refused, peer);
        }
        if cause::<ConnectTimedOut>(&error).is_some() {
            let text = format!("connecting to {} took too long", peer.who);
            return Failure::new(FailureCode::Connect, text, format!("{}: {causes}", peer.origin));
        }
        if error.is_dns() {
            return Failure::of(peer, FailureCode::Connect, "'s host name could not be resolved", causes);
        }
        if error.is_connect() {
            let text = format!("could not connect to {}", peer.who);
            return Failure::new(FailureCode::Connect, text, format!("{}: {causes}", peer.origin));
        }
        Failure::broken(&error, peer, causes)
    }

    /// What went wrong while the body was read.
    pub(crate) fn in_body(error: reqwest::Error, peer: &Peer) -> Failure {
        let error = error.without_url();
        let causes = causes(&error);
        Failure::broken(&error, peer, causes)
    }

    fn broken(error: &reqwest::Error, peer: &Peer, causes: String) -> Failure {
        let not_http = cause::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
            || cause::<io::Error>(error)
                .is_some_and(|e| matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
        if not_http {
            return Failure::of(peer, FailureCode::BadFraming, "'s answer is not valid HTTP", causes);
        }
        Failure::of(peer, FailureCode::Reset, " closed the connection before its answer was complete", causes)
    }

    /// The head did not come.
    pub(crate) fn no_head(peer: &Peer, after: Duration) -> Failure {
        let detail = format!("no response head within {after:?}");
        Failure::of(peer, FailureCode::TimeoutFirstByte, " did not answer in time", detail)
    }

    /// The body stalled.
    pub(crate) fn idle(peer: &Peer, after: Duration) -> Failure {
        let detail = format!("no bytes for {after:?}");
        Failure::of(peer, FailureCode::TimeoutIdle, " stopped sending in the middle of its answer", detail)
    }

    /// The whole answer is too large.
    pub(crate) fn body_too_large(peer: &Peer, limit: usize) -> Failure {
        let what = format!("'s answer is larger than {limit} bytes");
        Failure::of(peer, FailureCode::TooLarge, &what, format!("answer over {limit} bytes"))
    }

    /// The bytes do not fit the framing.
    pub(crate) fn framing(error: FrameError, peer: &Peer) -> Failure {
        let code = match error {
            FrameError::TooLarge { .. } => FailureCode::TooLarge,
            FrameError::NotUtf8 | FrameError::Broken(_) => FailureCode::BadFraming,
        };
        Failure::of(peer, code, &format!("'s answer cannot be read: {error}"), error)
    }

    /// The answer is compressed although we asked for it plain.
    pub(crate) fn compressed(peer: &Peer, encoding: &str) -> Failure {
        let what = "'s answer is compressed although that was not asked for";
        Failure::of(peer, FailureCode::BadFraming, what, format!("content-encoding {encoding}"))
    }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| error.source())
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

fn causes(error: &(dyn Error + 'static)) -> String {
    chain(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
