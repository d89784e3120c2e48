//! What came from outside, in the contract's words: answers, files, failures, with whatever is secret in them masked.

use std::borrow::Cow;

use domain::Fault;
use plugin_runtime::machine::{self, Event};
use upstream::Frame;

use super::{Driver, broken};
use crate::{chunk::Look, effects, flight::News, side::Side, withhold};

/// Bytes of an answer that a grant reads. Those that hold a token are small.
const GRANT_ANSWER_MAX: usize = 1 << 20;

impl Driver<'_> {
    pub(super) async fn heard<S: Side>(&mut self, at: usize, news: News, side: &mut S) -> Result<(), Fault> {
        let Some(id) = self.flights.get(at).map(|flight| flight.id) else { return Ok(()) };
        match news {
            News::Granted(request, tokens) => {
                let relayed = self.flights.remove(at).relayed;
                let tokens = tokens?;
                tokens.values().for_each(|token| self.veil.add(token.expose().as_bytes()));
                self.launch(*request, &tokens)?;
                // The adapter may have asked for it before there was a connection.
                self.flights.iter_mut().filter(|flight| flight.id == id).for_each(|flight| flight.relayed = relayed);
                self.used.extend(tokens);
                Ok(())
            }
            News::Head(status, mut headers, framing) => {
                self.mask(&mut headers);
                side.upstream_head(status, &headers);
                let headers = self.readable::<S>(&headers);
                let head = machine::Head { id, status, headers, framing: framing.to_owned(), extras: Vec::new() };
                self.step(vec![Event::Head(head)], side).await
            }
            News::Frames(frames) => self.frames(self.flights[at].serial, frames, side).await,
            News::Fetched(media) => {
                let flight = self.flights.remove(at);
                self.fetched = self.fetched.saturating_sub(flight.set_aside) + media.bytes.len();
                let fetched = self.fetched(id, &media);
                self.step(vec![Event::Fetched(fetched)], side).await
            }
            News::Failed(failure) => {
                let flight = self.flights.remove(at);
                self.fetched = self.fetched.saturating_sub(flight.set_aside);
                // The answer is complete; how the vendor closes its connection does not matter any more.
                if side.finished() {
                    return Ok(());
                }
                let (code, text) = (failure.code.as_str().to_owned(), self.veil.text(failure.text.clone()));
                let secrets = &self.subject.chosen.keys.secrets;
                let fault = effects::wire_fault(&failure, secrets);
                self.failure = Some(Fault { message: self.veil.text(fault.message), ..fault });
                self.step(vec![Event::Failed(machine::Failure { id, code, text, extras: Vec::new() })], side).await
            }
        }
    }

    fn fetched(&mut self, id: u32, media: &upstream::Media) -> machine::Fetched {
        let token = self.held.keep(&media.bytes);
        let whole = self.subject.chosen.adapter.provider().whole_body;
        let token = if whole { self.held.base64(&token).unwrap_or(token) } else { token };
        let size = u32::try_from(media.bytes.len()).unwrap_or(u32::MAX);
        machine::Fetched { id, token, content_type: media.content_type.clone(), size, extras: Vec::new() }
    }

    /// Passes plain chunks on where the adapter asked for it; everything else goes to the adapter, in order.
    async fn frames<S: Side>(&mut self, serial: u64, frames: Vec<Frame>, side: &mut S) -> Result<(), Fault> {
        let mut events = Vec::with_capacity(frames.len());
        for frame in frames {
            // Cancelled meanwhile: the rest of the answer is nobody's.
            let Some(at) = self.flights.iter().position(|flight| flight.serial == serial) else { break };
            let id = self.flights[at].id;
            match frame {
                Frame::Message(message) => {
                    let data = self.veil.text(message.data);
                    let flight = &mut self.flights[at];
                    let passable = std::mem::replace(&mut flight.introduced, true) && flight.relayed;
                    match passable.then(|| Look::at(&data)).flatten().filter(Look::is_plain) {
                        Some(look) => {
                            if !events.is_empty() {
                                self.step(std::mem::take(&mut events), side).await?;
                            }
                            side.pass(&look).await?;
                        }
                        None => events.push(self.message::<S>(at, message.name, message.headers, data)?),
                    }
                }
                Frame::Binary(binary) => {
                    let (data, headers) = (self.veil.bytes(binary.data.to_vec()), self.veiled(binary.headers));
                    let name = self.veil.text(binary.name);
                    let binary = machine::Binary { id, name, headers, data, extras: Vec::new() };
                    events.push(Event::Binary(binary));
                }
                Frame::Body(data) => {
                    let data = self.body(at, &data);
                    if !data.is_empty() {
                        events.push(Event::Body(machine::Chunk { id, data }));
                    }
                }
                Frame::End => {
                    let flight = self.flights.remove(at);
                    if !flight.tail.is_empty() {
                        events.push(Event::Body(machine::Chunk { id, data: flight.tail }));
                    }
                    events.push(Event::End(id));
                }
            }
        }
        if events.is_empty() { Ok(()) } else { self.step(events, side).await }
    }

    /// The next bytes of an answer, masked. Its end is held back until more comes: an echo may be cut anywhere.
    fn body(&mut self, at: usize, data: &[u8]) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.flights[at].tail);
        all.extend_from_slice(data);
        let mut all = self.veil.bytes(all);
        let kept = all.len().saturating_sub(self.veil.longest().saturating_sub(1));
        self.flights[at].tail = all.split_off(kept);
        all
    }

    fn message<S: Side>(
        &mut self,
        at: usize,
        name: String,
        headers: Vec<(String, String)>,
        data: String,
    ) -> Result<Event, Fault> {
        let flight = &self.flights[at];
        let (id, name) = (flight.id, self.veil.text(name));
        let data = if S::WITHHOLDS && !flight.refused {
            if data.len() > GRANT_ANSWER_MAX {
                return Err(broken(format!("an answer to a grant has more than {GRANT_ANSWER_MAX} bytes")));
            }
            let seen = withhold::withheld(&data);
            self.original = Some((id, data));
            seen
        } else {
            data
        };
        Ok(Event::Message(machine::Message { id, name, headers: self.veiled(headers), data, extras: Vec::new() }))
    }

    fn veiled(&self, headers: Vec<(String, String)>) -> Vec<machine::Header> {
        headers.into_iter().map(|(name, value)| machine::Header { name, value: self.veil.text(value) }).collect()
    }

    /// Some of them go to the client, beside the guest.
    fn mask(&self, headers: &mut http::HeaderMap) {
        for value in headers.values_mut() {
            let Ok(Cow::Owned(masked)) = value.to_str().map(|text| self.veil.over(text)) else { continue };
            if let Ok(masked) = http::HeaderValue::try_from(masked) {
                *value = masked;
            }
        }
    }

    /// Headers that are text; names in lower case, as `http` keeps them.
    fn readable<S: Side>(&self, headers: &http::HeaderMap) -> Vec<machine::Header> {
        let shown = |name: &http::HeaderName| {
            *name != http::header::SET_COOKIE && (!S::WITHHOLDS || withhold::HEADERS.contains(&name.as_str()))
        };
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            Some(machine::Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
        };
        headers.iter().filter(|(name, _)| shown(name)).filter_map(text).collect()
    }
}
