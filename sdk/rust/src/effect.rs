//! What an adapter may ask for.

use crate::{Extra, Fault, Request, Usage};

/// What the host is to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request. One is in flight at a time.
    Send(Request),
    /// Drop the request of this id; nothing more of it arrives.
    Cancel(u32),
    /// Wait; answered by [`Event::Timer`](crate::Event::Timer) with the same id.
    Sleep {
        /// Chosen by the adapter.
        id: u32,
        /// Milliseconds.
        ms: u32,
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
    /// Something newer than this SDK.
    Ext(Extra),
}
