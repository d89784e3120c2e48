//! Why a request failed: a code from the contract, a text for the client, a detail for the operator.

use std::error::Error;
use std::{fmt, io, iter};

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

impl Failure {
    pub(crate) fn new(code: FailureCode, text: impl Into<String>, detail: impl Into<String>) -> Failure {
        Failure { code, text: text.into(), detail: detail.into() }
    }

    /// The address is forbidden.
    pub(crate) fn refused(refused: &Refused, origin: &str) -> Failure {
        Failure::new(
            FailureCode::RefusedByHost,
            format!("the gateway may not connect to the upstream's address: {}", refused.reason),
            format!("{origin}: {refused}"),
        )
    }

    /// What went wrong before the head of the answer was there.
    pub(crate) fn in_send(error: reqwest::Error, origin: &str) -> Failure {
        let error = error.without_url();
        let detail = format!("{origin}: {}", causes(&error));
        if let Some(refused) = cause::<Refused>(&error) {
            return Failure::refused(refused, origin);
        }
        if cause::<ConnectTimedOut>(&error).is_some() {
            return Failure::new(FailureCode::Connect, "connecting to the upstream took too long", detail);
        }
        if error.is_connect() {
            let text = if error.is_dns() {
                "the upstream's host name could not be resolved"
            } else {
                "could not connect to the upstream"
            };
            return Failure::new(FailureCode::Connect, text, detail);
        }
        Failure::broken(&error, detail)
    }

    /// What went wrong while the body was read.
    pub(crate) fn in_body(error: reqwest::Error, origin: &str) -> Failure {
        let error = error.without_url();
        let detail = format!("{origin}: {}", causes(&error));
        Failure::broken(&error, detail)
    }

    fn broken(error: &reqwest::Error, detail: String) -> Failure {
        let not_http = cause::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
            || cause::<io::Error>(error)
                .is_some_and(|e| matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData));
        if not_http {
            return Failure::new(FailureCode::BadFraming, "the upstream's answer is not valid HTTP", detail);
        }
        Failure::new(FailureCode::Reset, "the upstream closed the connection before its answer was complete", detail)
    }

    /// The head did not come.
    pub(crate) fn no_head(origin: &str, after: std::time::Duration) -> Failure {
        Failure::new(
            FailureCode::TimeoutFirstByte,
            "the upstream did not answer in time",
            format!("{origin}: no response head within {after:?}"),
        )
    }

    /// The body stalled.
    pub(crate) fn idle(origin: &str, after: std::time::Duration) -> Failure {
        Failure::new(
            FailureCode::TimeoutIdle,
            "the upstream stopped sending in the middle of its answer",
            format!("{origin}: no bytes for {after:?}"),
        )
    }

    /// The whole answer is too large.
    pub(crate) fn body_too_large(origin: &str, limit: usize) -> Failure {
        Failure::new(
            FailureCode::TooLarge,
            format!("the upstream's answer is larger than {limit} bytes"),
            format!("{origin}: answer over {limit} bytes"),
        )
    }

    /// The bytes do not fit the framing.
    pub(crate) fn framing(error: FrameError, origin: &str) -> Failure {
        let code = match error {
            FrameError::TooLarge { .. } => FailureCode::TooLarge,
            FrameError::NotUtf8 => FailureCode::BadFraming,
        };
        Failure::new(code, format!("the upstream's answer cannot be read: {error}"), format!("{origin}: {error}"))
    }

    /// The answer is compressed although we asked for it plain.
    pub(crate) fn compressed(origin: &str, encoding: &str) -> Failure {
        Failure::new(
            FailureCode::BadFraming,
            "the upstream's answer is compressed although that was not asked for",
            format!("{origin}: content-encoding {encoding}"),
        )
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
