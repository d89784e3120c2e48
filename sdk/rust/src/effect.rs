//! What an adapter may ask for.

use crate::{Extra, Fault, Request, Usage};

/// A message for a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// What the host is to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request. Several may be in flight.
    Send(Request),
    /// Send a message on an open WebSocket.
    WsSend {
        /// The request that opened it.
        id: u32,
        /// The message.
        message: Frame,
    },
    /// Drop the request, the sleep or the fetch of this id; nothing more of it arrives.
    Cancel(u32),
    /// Wait; answered by [`Event::Timer`](crate::Event::Timer) with the same id.
    Sleep {
        /// Chosen by the adapter.
        id: u32,
        /// Milliseconds.
        ms: u32,
    },
    /// Fetch a file that the client named; answered by [`Event::Fetched`](crate::Event::Fetched) with the same id. The host goes to public
    /// addresses only, without credentials, up to a size.
    Fetch {
        /// Chosen by the adapter.
        id: u32,
        /// `http` or `https`.
        url: String,
    },
    /// A canonical chunk (when streaming) or the whole canonical answer, JSON.
    Emit(String),
    /// The answer to this request is canonical already: the host passes plain messages through and only comes back with the others.
    Relay(u32),
    /// Absolute counts so far; the last report wins.
    Usage(Usage),
    /// A field of the client's request that could not be mapped.
    Loss {
        /// Its name in the canonical form.
        field: String,
        /// What became of it.
        what: String,
    },
    /// The answer is complete, with this finish reason. Usage may follow.
    Finish(String),
    /// The exchange has failed.
    Fail(Fault),
    /// Drop this instance and resume a fresh one later.
    Park {
        /// Handed back as [`Call::resume`](crate::Call::resume).
        state: String,
        /// Milliseconds until then.
        ms: u32,
    },
    /// The access token is the text at this JSON pointer in the answer to a request. Only in the capability `grant`.
    Grant {
        /// The request whose answer holds it.
        id: u32,
        /// Where: `/access_token`.
        pointer: String,
        /// How long it is good for, in seconds.
        lifetime_s: u32,
    },
    /// Something newer than this SDK.
    Ext(Extra),
}
