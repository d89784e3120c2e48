//! What came of an exchange.

use crate::dialogue::Line;
use crate::play::Pace;
use std::collections::BTreeMap;
use witgate_sdk::{Effect, Request};

/// Splits of one answer that are tried.
const SPLITS_MAX: usize = 256;

/// What a client or the host got out of the exchange, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Happening {
    /// An effect, other than a request or a message on a WebSocket.
    Effect(Effect),
    /// A message that the host passed on by itself.
    Relayed(String),
    /// A request, by its number; the first goes without saying.
    Sent(usize),
}

/// A whole exchange.
#[derive(Debug, Default)]
pub struct Run {
    /// The requests that were sent, in order.
    pub(crate) requests: Vec<Request>,
    pub(crate) happenings: Vec<Happening>,
    /// What was said over WebSockets, by the request's number.
    pub(crate) dialogues: BTreeMap<usize, Vec<Line>>,
    /// Where answers can be split, by the request's number.
    pub(crate) cuts: BTreeMap<usize, Vec<usize>>,
    /// How many files were fetched.
    pub(crate) fetched: usize,
}

impl Run {
    /// The other paces at which the same must come out.
    pub fn paces(&self) -> Vec<Pace> {
        let splits = self.cuts.iter().flat_map(|(request, cuts)| {
            // A place for every message is enough; of a long answer not even that.
            let step = cuts.len() / SPLITS_MAX + 1;
            cuts.iter().step_by(step).map(|after| Pace::Split { request: *request, after: *after })
        });
        std::iter::once(Pace::Whole).chain(splits).collect()
    }
}

/// The same with what the host passed on as if the adapter had emitted it: how a batch with plain messages in it comes out. Whether
/// something is cancelled depends on how much of it is over already.
pub(crate) fn without_relay(happenings: &[Happening]) -> Vec<Happening> {
    let plain = |happening: &Happening| match happening {
        Happening::Effect(Effect::Relay(_) | Effect::Cancel(_)) => None,
        Happening::Relayed(data) => Some(Happening::Effect(Effect::Emit(data.clone()))),
        other => Some(other.clone()),
    };
    happenings.iter().filter_map(plain).collect()
}
