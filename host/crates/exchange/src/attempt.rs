//! One try on one channel: a fresh guest is told what the client wants, and driven until the answer is complete or the exchange parks.

use std::{sync::Arc, time::Instant};

use domain::{Fault, FaultCode};
use plugin_runtime::{Capability, machine};

use crate::{
    admit::{Admission, Ask},
    chosen::Chosen,
    driver::{Clock, Driver, End, Subject},
    held::hold,
    relay::Relay,
    rooms::Rooms,
};

/// What an attempt works with.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) rooms: &'a Arc<Rooms>,
    pub(crate) ask: &'a Ask,
    pub(crate) admission: &'a Admission,
    pub(crate) candidate: &'a Arc<Chosen>,
    pub(crate) deadline: Instant,
    /// The adapter's state of a parked exchange that is taken up again.
    pub(crate) resume: Option<&'a str>,
}

/// How a try ended.
pub(crate) struct Tried {
    pub(crate) result: Result<End, Fault>,
    /// There was an access token in a request: it may have been that which was refused.
    pub(crate) used_tokens: bool,
}

/// Runs the adapter's step machine.
pub(crate) async fn attempt(attempt: Attempt<'_>, relay: &mut Relay) -> Tried {
    let mut used_tokens = false;
    let result = run(attempt, relay, &mut used_tokens).await;
    Tried { result, used_tokens }
}

async fn run(attempt: Attempt<'_>, relay: &mut Relay, used_tokens: &mut bool) -> Result<End, Fault> {
    let Attempt { rooms, ask, admission, candidate, .. } = attempt;
    let seed = format!("{:032x}", rand::random::<u128>());
    let body = std::str::from_utf8(&ask.body).unwrap_or_default();
    let over = if candidate.adapter.provider().whole_body { usize::MAX } else { rooms.limits.held_over };
    let held = hold(body, over, &seed);
    let text_max = rooms.limits.text_max;
    if held.text.len() > text_max {
        let message = format!("the request has more than {text_max} bytes of text (exchange.text_max_bytes)");
        return Err(Fault::new(FaultCode::BodyTooLarge, message));
    }
    // Its own: an exchange that was parked may have outlived a clock.
    let clock = Clock::new();
    let text = machine::Payload::Text(held.text.clone().into_owned());
    let mut call = candidate.call(ask.operation, &clock, seed, text);
    call.streaming = admission.streaming;
    call.resume = attempt.resume.map(str::to_owned);
    let header = |(name, value): &(String, String)| machine::Header { name: name.clone(), value: value.clone() };
    call.headers = ask.headers.iter().map(header).collect();
    let capability = Capability::of(ask.operation)
        .ok_or_else(|| Fault::new(FaultCode::Unsupported, format!("there is no operation `{}`", ask.operation)))?;
    let guest = candidate.adapter.open_as(capability, ask.operation, call, candidate.keys.secrets.clone()).await?;
    let subject =
        Subject { rooms, chosen: candidate, clock, began: ask.arrived, deadline: attempt.deadline, grants: true };
    let mut driver = Driver::new(subject, guest, held);
    let result = driver.run(relay).await;
    *used_tokens = driver.used_tokens();
    result
}
