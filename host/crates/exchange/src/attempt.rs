//! One try on one channel: the adapter says what to send, the host sends it and tells the adapter what came, until the answer is complete.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use domain::{Fault, FaultCode};
use plugin_runtime::{
    Guest,
    machine::{self, Effect, Event},
};
use upstream::Frame;

use crate::{
    admit::{Admission, Ask},
    chunk::Look,
    effects,
    flight::{Flight, News},
    held::{Held, hold},
    outlet::gone,
    plan::Chosen,
    relay::{Relay, Watch},
    rooms::Rooms,
    send,
};

/// What an attempt works with.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) rooms: &'a Rooms,
    pub(crate) ask: &'a Ask,
    pub(crate) admission: &'a Admission,
    pub(crate) candidate: &'a Chosen,
}

/// Runs the adapter's step machine to its end. `Ok` means that the answer is complete.
pub(crate) async fn attempt(attempt: Attempt<'_>, relay: &mut Relay) -> Result<(), Fault> {
    let seed = format!("{:032x}", rand::random::<u128>());
    let body = std::str::from_utf8(&attempt.ask.body).unwrap_or_default();
    let over =
        if attempt.candidate.adapter.provider().whole_body { usize::MAX } else { attempt.rooms.limits.held_over };
    let held = hold(body, over, &seed);
    let text_max = attempt.rooms.limits.text_max;
    if held.text.len() > text_max {
        let message = format!("the request has more than {text_max} bytes of text (exchange.text_max_bytes)");
        return Err(Fault::new(FaultCode::BodyTooLarge, message));
    }
    let call = attempt.call(&held, seed.clone())?;
    let secrets = attempt.candidate.channel.secrets.clone();
    let guest = attempt.candidate.adapter.open(attempt.ask.operation, call, secrets).await?;
    let mut driver = Driver {
        attempt,
        guest,
        held,
        flight: None,
        sent: 0,
        timers: VecDeque::new(),
        failure: None,
        finished_at: None,
    };
    driver.run(relay).await
}

impl Attempt<'_> {
    fn call(&self, held: &Held<'_>, seed: String) -> Result<machine::Call, Fault> {
        let (channel, provider) = (&self.candidate.channel, self.candidate.adapter.provider());
        // Checked again because a newer adapter may ask for other settings; fills in its defaults.
        let settings = self.candidate.adapter.check_settings(&channel.settings).map_err(|errors| {
            let message = "the channel for this model does not fit its adapter; the gateway's operator can see why";
            Fault::new(FaultCode::NoChannel, message).with_detail(errors.join("; "))
        })?;
        let endpoints = self.candidate.endpoints.iter().map(|endpoint| machine::Endpoint {
            name: endpoint.name.clone(),
            url: endpoint.url.as_str().trim_end_matches('/').to_owned(),
        });
        Ok(machine::Call {
            operation: self.ask.operation.to_owned(),
            provider: provider.id.clone(),
            model: self.candidate.upstream_model.clone(),
            streaming: self.admission.streaming,
            settings,
            secrets: channel.secrets.keys().cloned().collect(),
            endpoints: endpoints.collect(),
            dialect: "openai".to_owned(),
            headers: self
                .ask
                .headers
                .iter()
                .map(|(name, value)| machine::Header { name: name.clone(), value: value.clone() })
                .collect(),
            now: self.now(),
            seed,
            body: machine::Payload::Text(held.text.clone().into_owned()),
            resume: None,
            extras: Vec::new(),
        })
    }

    /// Unix seconds.
    fn now(&self) -> u32 {
        let elapsed = i64::try_from(self.ask.arrived.elapsed().as_millis()).unwrap_or(0);
        u32::try_from((self.ask.arrived_ms + elapsed) / 1_000).unwrap_or(u32::MAX)
    }
}

/// What the driver waits for.
enum Wake {
    News(News),
    Timer(u32),
    ClientLeft,
    Ping,
    Deadline,
    LingerOver,
    Stopping,
}

struct Driver<'a> {
    attempt: Attempt<'a>,
    guest: Guest,
    held: Held<'a>,
    flight: Option<Flight>,
    sent: usize,
    timers: VecDeque<(Instant, u32)>,
    /// The last wire failure the adapter was told of; it stands when the adapter has nothing else to say.
    failure: Option<Fault>,
    finished_at: Option<Instant>,
}

impl Driver<'_> {
    async fn run(&mut self, relay: &mut Relay) -> Result<(), Fault> {
        self.step(vec![Event::Start], relay).await?;
        if self.flight.is_none() && self.timers.is_empty() && !relay.finished() {
            return Err(idle());
        }
        while (self.flight.is_some() || !self.timers.is_empty()) && !relay.complete() {
            match self.wake(relay).await {
                Wake::News(news) => self.heard(news, relay).await?,
                Wake::Timer(id) => self.step(vec![Event::Timer(id)], relay).await?,
                Wake::Ping => relay.ping().await?,
                Wake::ClientLeft => return Err(gone()),
                // The answer is complete: what was only waited for in case it came does not spoil it.
                Wake::LingerOver | Wake::Deadline | Wake::Stopping if relay.finished() => break,
                Wake::LingerOver | Wake::Deadline => return Err(relay.watch().too_long()),
                Wake::Stopping => return Err(Watch::ending()),
            }
        }
        if !relay.finished() {
            return Err(self.unfinished());
        }
        self.read_out();
        Ok(())
    }

    /// Reads a complete answer to its end in the background, so that its connection can be used again.
    fn read_out(&mut self) {
        if let Some(flight) = self.flight.take() {
            let linger = self.attempt.rooms.limits.linger;
            self.attempt.rooms.tasks.spawn(async move {
                let _closed = tokio::time::timeout(linger, flight.read_out()).await;
            });
        }
    }

    /// Nothing is outstanding and the adapter never said `finish`.
    fn unfinished(&mut self) -> Fault {
        self.failure.take().unwrap_or_else(|| {
            Fault::new(FaultCode::UpstreamBroken, "the upstream's answer ended before it was complete")
        })
    }

    async fn wake(&mut self, relay: &mut Relay) -> Wake {
        let limits = &self.attempt.rooms.limits;
        // One clock for all that may fall due: registering a timer costs more than comparing instants.
        let due = [
            Some((self.attempt.ask.arrived + limits.total, Wake::Deadline)),
            self.finished_at.map(|at| (at + limits.linger, Wake::LingerOver)),
            self.timers.iter().min().map(|(at, id)| (*at, Wake::Timer(*id))),
            relay.ping_at().map(|at| (at, Wake::Ping)),
        ];
        let due = due.into_iter().flatten().min_by_key(|(at, _)| *at);
        let flight = &mut self.flight;
        let news = async {
            match flight {
                Some(flight) => flight.news().await,
                None => std::future::pending().await,
            }
        };
        let wake = tokio::select! {
            biased;
            news = news => Wake::News(news),
            () = relay.client_left() => Wake::ClientLeft,
            () = self.attempt.rooms.stopping.cancelled() => Wake::Stopping,
            wake = falls_due(due) => wake,
        };
        if let Wake::Timer(id) = wake {
            self.timers.retain(|(_, timer)| *timer != id);
        }
        wake
    }

    async fn heard(&mut self, news: News, relay: &mut Relay) -> Result<(), Fault> {
        let Some(id) = self.flight.as_ref().map(|flight| flight.id) else { return Ok(()) };
        match news {
            News::Head(status, headers) => {
                relay.set_upstream_head(status, &headers);
                let head = machine::Head { id, status, headers: readable(&headers), extras: Vec::new() };
                self.step(vec![Event::Head(head)], relay).await
            }
            News::Frames(frames) => self.frames(id, frames, relay).await,
            News::Failed(failure) => {
                self.flight = None;
                // The answer is complete; how the vendor closes its connection does not matter any more.
                if relay.finished() {
                    return Ok(());
                }
                self.failure = Some(effects::wire_fault(&failure));
                let failed = machine::Failure {
                    id,
                    code: failure.code.as_str().to_owned(),
                    text: failure.text.clone(),
                    extras: Vec::new(),
                };
                self.step(vec![Event::Failed(failed)], relay).await
            }
        }
    }

    /// Passes plain chunks on where the adapter asked for it; everything else goes to the adapter, in order.
    async fn frames(&mut self, id: u32, frames: Vec<Frame>, relay: &mut Relay) -> Result<(), Fault> {
        let mut events = Vec::with_capacity(frames.len());
        for frame in frames {
            match frame {
                // Cancelled meanwhile: the rest of the answer is nobody's.
                _ if self.flight.as_ref().is_none_or(|flight| flight.id != id) => break,
                Frame::Message { name, data } => {
                    let passable = self
                        .flight
                        .as_mut()
                        .is_some_and(|flight| std::mem::replace(&mut flight.introduced, true) && flight.relayed);
                    match passable.then(|| Look::at(&data)).flatten().filter(Look::is_plain) {
                        Some(look) => {
                            if !events.is_empty() {
                                self.step(std::mem::take(&mut events), relay).await?;
                            }
                            relay.pass(&look).await?;
                        }
                        None => events.push(Event::Message(machine::Message { id, name, data, extras: Vec::new() })),
                    }
                }
                Frame::Body(data) => events.push(Event::Body(machine::Chunk { id, data: data.to_vec() })),
                Frame::End => {
                    self.flight = None;
                    events.push(Event::End(id));
                }
            }
        }
        if events.is_empty() { Ok(()) } else { self.step(events, relay).await }
    }

    async fn step(&mut self, events: Vec<Event>, relay: &mut Relay) -> Result<(), Fault> {
        let effects = self.guest.step(self.attempt.now(), events).await?;
        for effect in effects {
            self.apply(effect, relay).await?;
        }
        Ok(())
    }

    async fn apply(&mut self, effect: Effect, relay: &mut Relay) -> Result<(), Fault> {
        match effect {
            Effect::Send(request) => self.send(request)?,
            Effect::Cancel(id) => {
                if self.flight.as_ref().is_some_and(|flight| flight.id == id) {
                    self.flight = None;
                }
                self.timers.retain(|(_, timer)| *timer != id);
            }
            Effect::Sleep(pause) => {
                let at = Instant::now() + Duration::from_millis(pause.ms.into());
                self.timers.push_back((at, pause.id));
            }
            Effect::Emit(json) => relay.emit(&json).await?,
            Effect::Relay(id) => {
                if let Some(flight) = self.flight.as_mut().filter(|flight| flight.id == id) {
                    flight.relayed = true;
                }
            }
            Effect::Usage(usage) => relay.set_usage(effects::usage(&usage)),
            Effect::Loss(lost) => relay.lose(lost.field),
            Effect::Finish(_reason) => {
                relay.set_finished();
                self.finished_at.get_or_insert_with(Instant::now);
            }
            Effect::Fail(fault) => return Err(self.failed(&fault)),
            Effect::Park(_) => return Err(newer("park")),
            Effect::Ext(extra) => return Err(newer(&extra.name)),
        }
        Ok(())
    }

    /// Of a broken wire the host knows more than the adapter: its own fault stands unless the adapter has something better to say.
    fn failed(&mut self, reported: &machine::Fault) -> Fault {
        let fault = effects::fault(reported, &self.attempt.candidate.channel.secrets);
        match self.failure.take() {
            Some(wire) if fault.code == FaultCode::UpstreamBroken => wire,
            _ => fault,
        }
    }

    fn send(&mut self, request: machine::Request) -> Result<(), Fault> {
        let limits = &self.attempt.rooms.limits;
        self.sent += 1;
        if self.sent > limits.requests {
            return Err(broken(format!("the adapter sent more than {} requests in one exchange", limits.requests)));
        }
        if self.flight.is_some() {
            return Err(broken("the adapter sent a request while another was in flight".to_owned()));
        }
        let id = request.id;
        let outgoing = send::outgoing(self.attempt.candidate, &self.guest, &self.held, request, limits.upstream)?;
        self.flight = Some(Flight::launch(&self.attempt.rooms.upstream, id, outgoing));
        Ok(())
    }
}

/// Headers that are text; names in lower case, as `http` keeps them.
fn readable(headers: &http::HeaderMap) -> Vec<machine::Header> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some(machine::Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
    };
    headers.iter().filter(|(name, _)| *name != http::header::SET_COOKIE).filter_map(text).collect()
}

/// Resolves when the nearest instant has come; never when there is none.
async fn falls_due(due: Option<(Instant, Wake)>) -> Wake {
    match due {
        Some((at, wake)) => {
            tokio::time::sleep_until(at.into()).await;
            wake
        }
        None => std::future::pending().await,
    }
}

fn idle() -> Fault {
    broken("the adapter left nothing outstanding before `finish` or `fail`".to_owned())
}

fn newer(name: &str) -> Fault {
    broken(format!("the adapter asked for `{name}`, which this host does not offer"))
}

fn broken(what: String) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model failed").with_detail(what)
}
