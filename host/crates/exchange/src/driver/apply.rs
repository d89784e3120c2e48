//! What the adapter asks for, carried out: requests, timers, files, words for the client. What the contract does not allow ends the exchange.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{Fault, FaultCode};
use plugin_runtime::machine::{self, Effect};

use super::{Driver, broken, unsupported};
use crate::{
    effects,
    flight::{Flight, no_tokens},
    grants::Tokens,
    send::{self, Sources},
    side::Side,
    withhold,
};

/// Timers that may wait at once.
const TIMERS_MAX: usize = 64;
/// Values computed from secrets in the requests of one exchange: each is looked for in whatever comes back.
const PLACED_MAX: usize = 64;
/// Bytes of an address of a file.
const ADDRESS_MAX: usize = 8 * 1024;
/// Bytes of the state of a parked exchange.
const PARKED_MAX: usize = 64 * 1024;

impl Driver<'_> {
    pub(super) async fn apply<S: Side>(&mut self, effect: Effect, side: &mut S) -> Result<(), Fault> {
        match effect {
            Effect::Usage(usage) => side.set_usage(effects::usage(&usage, self.subject.rooms.limits.usage_max)),
            Effect::Send(request) => self.send::<S>(request)?,
            // What the client does not hear any more is not worth a fault.
            _ if self.abandoned => {}
            Effect::WsSend(outgoing) => {
                let flight = self.flights.iter_mut().find(|flight| flight.id == outgoing.id);
                let flight = flight.ok_or_else(|| broken(format!("there is no WebSocket {}", outgoing.id)))?;
                flight.ws_send(outgoing.message).map_err(broken)?;
            }
            Effect::Cancel(id) => {
                self.flights.retain(|flight| flight.id != id);
                self.timers.retain(|(_, timer)| *timer != id);
            }
            Effect::Sleep(pause) => {
                if self.timers.len() == TIMERS_MAX {
                    return Err(broken(format!("the adapter set more than {TIMERS_MAX} timers")));
                }
                let at = Instant::now() + Duration::from_millis(pause.ms.into());
                self.timers.push_back((at, pause.id));
            }
            Effect::Fetch(media) => self.fetch::<S>(media)?,
            Effect::Emit(json) => side.emit(&json).await?,
            Effect::Relay(id) => {
                if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) {
                    flight.relayed = true;
                }
            }
            Effect::Loss(lost) => side.lose(lost.field),
            Effect::Finish(_reason) => {
                side.set_finished();
                self.finished_at.get_or_insert_with(Instant::now);
            }
            Effect::Fail(fault) => return Err(self.failed(&fault)),
            Effect::Park(parked) if parked.state.len() > PARKED_MAX => {
                return Err(broken(format!("the state of a parked exchange has more than {PARKED_MAX} bytes")));
            }
            Effect::Park(parked) => self.parked = Some(parked),
            Effect::Grant(granted) => {
                let answer = self.original.take().filter(|(id, _)| *id == granted.id).map(|(_, answer)| answer);
                let token =
                    answer.as_deref().and_then(|answer| withhold::at(answer, &granted.pointer)).ok_or_else(|| {
                        broken(format!(
                            "there is no text at `{}` of the answer to request {}",
                            granted.pointer, granted.id
                        ))
                    })?;
                side.granted(token, granted.lifetime_s)?;
            }
            Effect::Ext(extra) => return Err(unsupported(&format!("the effect `{}`", extra.name.escape_debug()))),
        }
        Ok(())
    }

    /// Of a broken wire the host knows more than the adapter: its own fault stands unless the adapter has something better to say.
    fn failed(&mut self, reported: &machine::Fault) -> Fault {
        let fault = effects::fault(reported, &self.subject.chosen.keys.secrets);
        match self.failure.take() {
            Some(wire) if fault.code == FaultCode::UpstreamBroken => wire,
            _ => fault,
        }
    }

    /// One more is asked for: whether there may be.
    fn count_request(&mut self, id: u32) -> Result<(), Fault> {
        let limits = &self.subject.rooms.limits;
        self.sent += 1;
        if self.sent > limits.requests {
            return Err(broken(format!(
                "the adapter sent more than {} requests in one exchange (exchange.requests)",
                limits.requests
            )));
        }
        if self.flights.len() >= limits.in_flight {
            return Err(broken(format!(
                "the adapter has more than {} requests in flight (exchange.requests_in_flight)",
                limits.in_flight
            )));
        }
        if self.flights.iter().any(|flight| flight.id == id) {
            return Err(broken(format!("the adapter sent a second request {id} while the first is in flight")));
        }
        Ok(())
    }

    fn send<S: Side>(&mut self, request: machine::Request) -> Result<(), Fault> {
        if self.abandoned && (!self.flights.is_empty() || self.sent > 0) {
            return Ok(());
        }
        self.count_request(request.id)?;
        if S::WITHHOLDS && request.framing != "text" {
            return Err(broken("a grant reads its answers as `text`".to_owned()));
        }
        let names = send::tokens_of(&request);
        if names.is_empty() {
            return self.launch(request, &no_tokens());
        }
        if !self.subject.grants {
            return Err(broken("a grant cannot refer to an access token".to_owned()));
        }
        let (rooms, chosen) = (Arc::clone(self.subject.rooms), Arc::clone(self.subject.chosen));
        let grants = rooms.grants.clone();
        let tokens = Box::pin(async move { grants.tokens(rooms, chosen, names).await });
        self.push(Flight::granting(request, tokens));
        Ok(())
    }

    pub(super) fn launch(&mut self, request: machine::Request, tokens: &Tokens) -> Result<(), Fault> {
        let id = request.id;
        let rooms = self.subject.rooms;
        let sources = Sources { chosen: self.subject.chosen, guest: &self.guest, held: &self.held, tokens };
        let (outgoing, computed) = send::outgoing(&sources, request, rooms.limits.upstream)?;
        self.placed += computed.len();
        if self.placed > PLACED_MAX {
            return Err(broken(format!("the adapter put more than {PLACED_MAX} computed values into its requests")));
        }
        computed.iter().for_each(|value| self.veil.add(value));
        let flight = Flight::launch(&rooms.upstream, id, outgoing);
        self.push(flight);
        Ok(())
    }

    fn push(&mut self, mut flight: Flight) {
        self.launched += 1;
        flight.serial = self.launched;
        self.flights.push(flight);
    }

    /// Only what the client itself named: an address that the adapter made up could carry out what it knows.
    fn fetch<S: Side>(&mut self, media: machine::Media) -> Result<(), Fault> {
        self.count_request(media.id)?;
        if S::WITHHOLDS {
            return Err(broken("a grant cannot fetch files".to_owned()));
        }
        let addresses = self.addresses.get_or_insert_with(|| addresses_in(&self.held.text));
        if !addresses.contains(&media.url) {
            return Err(broken("the adapter wants a file from an address that the client did not give".to_owned()));
        }
        let limits = &self.subject.rooms.limits;
        let most = limits.media_max.min(limits.media_total.saturating_sub(self.fetched));
        if most == 0 {
            let what = format!("the files of this request have more than {} bytes together", limits.media_total);
            return Err(Fault::new(FaultCode::InvalidRequest, format!("{what} (exchange.media_total_bytes)")));
        }
        // Set aside until it is known how large the file is.
        self.fetched += most;
        let rooms = Arc::clone(self.subject.rooms);
        let (id, url) = (media.id, media.url);
        let fetching = Box::pin(async move {
            let limits = &rooms.limits;
            rooms.upstream.media(&url, most, limits.upstream, &limits.media_origins).await
        });
        let mut flight = Flight::fetching(id, fetching);
        flight.set_aside = most;
        self.push(flight);
        Ok(())
    }
}

/// Every text of a JSON document that is short enough to be an address.
fn addresses_in(body: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut waiting: Vec<serde_json::Value> = serde_json::from_str(body).into_iter().collect();
    while let Some(value) = waiting.pop() {
        match value {
            serde_json::Value::String(text) if text.len() <= ADDRESS_MAX => {
                found.insert(text);
            }
            serde_json::Value::Array(items) => waiting.extend(items),
            serde_json::Value::Object(fields) => waiting.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    found
}
