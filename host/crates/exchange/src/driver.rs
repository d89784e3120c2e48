//! Drives one step machine to its end: does what the adapter asks for and tells it what came of it. The same for every capability; whom
//! the machine works for is the `Side`.

mod apply;
mod hear;

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::{Fault, FaultCode};
use plugin_runtime::{
    Guest,
    machine::{Event, Parked},
};

use crate::{
    chosen::Chosen,
    flight::{Flight, News, news_of, no_tokens},
    grants::Tokens,
    held::Held,
    outlet::gone,
    relay::Watch,
    rooms::Rooms,
    side::Side,
    veil::Veil,
};

/// What an adapter may still do for a client that has left.
const ABANDONED_FOR: Duration = Duration::from_secs(5);

/// How a machine's run ended well.
#[derive(Debug)]
pub(crate) enum End {
    /// The answer is complete.
    Complete,
    /// To be taken up later by a fresh instance.
    Parked(Parked),
}

/// When an exchange began, on both clocks.
#[derive(Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) arrived: Instant,
    /// Unix milliseconds.
    pub(crate) arrived_ms: i64,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { arrived: Instant::now(), arrived_ms: i64::try_from(since.as_millis()).unwrap_or(0) }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> u32 {
        let elapsed = i64::try_from(self.arrived.elapsed().as_millis()).unwrap_or(0);
        u32::try_from((self.arrived_ms + elapsed) / 1_000).unwrap_or(u32::MAX)
    }
}

/// What a machine works on and with.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) rooms: &'a Arc<Rooms>,
    pub(crate) chosen: &'a Arc<Chosen>,
    pub(crate) clock: Clock,
    /// Where its deadline counts from.
    pub(crate) began: Instant,
    pub(crate) deadline: Instant,
    /// Whether its requests may refer to access tokens.
    pub(crate) grants: bool,
}

/// What the driver waits for.
enum Wake {
    News(usize, News),
    Timer(u32),
    ClientLeft,
    Ping,
    Deadline,
    LingerOver,
    Stopping,
}

/// One machine under way.
pub(crate) struct Driver<'a> {
    subject: Subject<'a>,
    guest: Guest,
    held: Held<'a>,
    flights: Vec<Flight>,
    sent: usize,
    timers: VecDeque<(Instant, u32)>,
    veil: Veil,
    /// The access tokens in the requests so far.
    used: Tokens,
    /// The last answer that a grant saw only in part.
    original: Option<(u32, String)>,
    /// The addresses in the client's request, once somebody asks for one.
    addresses: Option<HashSet<String>>,
    /// Bytes of files that were fetched, and that are being fetched.
    fetched: usize,
    /// Computed values in the requests so far.
    placed: usize,
    /// Numbers flights: an id may be used again.
    launched: u64,
    /// The last wire failure the adapter was told of; it stands when the adapter has nothing else to say.
    failure: Option<Fault>,
    finished_at: Option<Instant>,
    parked: Option<Parked>,
    /// Time spent in the guest.
    stepped: Duration,
    /// The client has left: one more request, nothing else.
    abandoned: bool,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(subject: Subject<'a>, guest: Guest, held: Held<'a>) -> Driver<'a> {
        let mut veil = Veil::default();
        for secret in subject.chosen.keys.secrets.values() {
            veil.add(secret.expose().as_bytes());
        }
        Driver {
            subject,
            guest,
            held,
            flights: Vec::new(),
            sent: 0,
            timers: VecDeque::new(),
            veil,
            used: no_tokens(),
            original: None,
            addresses: None,
            fetched: 0,
            placed: 0,
            launched: 0,
            failure: None,
            finished_at: None,
            parked: None,
            stepped: Duration::ZERO,
            abandoned: false,
        }
    }

    /// Runs the machine. `Ok` means that its work is done, or will be taken up later.
    pub(crate) async fn run<S: Side>(&mut self, side: &mut S) -> Result<End, Fault> {
        let result = self.work(side).await;
        match result.as_ref().map_err(|fault| fault.code) {
            Err(FaultCode::CredentialStale) => self.subject.rooms.grants.forget(self.subject.chosen, &self.used),
            // Noticed while it was waited for, or when something was sent to it.
            Err(FaultCode::ClientGone) => self.abandon(side).await,
            _ => {}
        }
        result
    }

    /// Whether a request of this machine had an access token in it.
    pub(crate) fn used_tokens(&self) -> bool {
        !self.used.is_empty()
    }

    async fn work<S: Side>(&mut self, side: &mut S) -> Result<End, Fault> {
        self.step(vec![Event::Start], side).await?;
        if self.idle() && self.parked.is_none() && !side.finished() {
            return Err(broken("the adapter left nothing outstanding before `finish` or `fail`".to_owned()));
        }
        while self.parked.is_none() && !self.idle() && !side.complete() {
            match self.wake(side).await {
                Wake::News(at, news) => self.heard(at, news, side).await?,
                Wake::Timer(id) => self.step(vec![Event::Timer(id)], side).await?,
                Wake::Ping => side.ping().await?,
                Wake::ClientLeft => return Err(gone()),
                // The answer is complete: what was only waited for in case it came does not spoil it.
                Wake::LingerOver | Wake::Deadline | Wake::Stopping if side.finished() => break,
                Wake::LingerOver | Wake::Deadline => return Err(self.too_long()),
                Wake::Stopping => return Err(Watch::ending()),
            }
        }
        if let Some(parked) = self.parked.take() {
            if !self.idle() {
                return Err(broken("the adapter parked an exchange with something outstanding".to_owned()));
            }
            if side.started() || side.finished() {
                return Err(broken("the adapter parked an exchange that has begun to answer".to_owned()));
            }
            return Ok(End::Parked(parked));
        }
        if !side.finished() {
            return Err(self.unfinished());
        }
        self.read_out();
        Ok(End::Complete)
    }

    fn idle(&self) -> bool {
        self.flights.is_empty() && self.timers.is_empty()
    }

    fn too_long(&self) -> Fault {
        let seconds = self.subject.deadline.duration_since(self.subject.began).as_secs();
        Fault::new(FaultCode::UpstreamTimeout, format!("the answer took longer than {seconds} s"))
    }

    /// Reads complete answers to their end in the background, so that their connections can be used again.
    fn read_out(&mut self) {
        for flight in self.flights.drain(..) {
            let linger = self.subject.rooms.limits.linger;
            self.subject.rooms.tasks.spawn(async move {
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

    async fn wake<S: Side>(&mut self, side: &mut S) -> Wake {
        let rooms = self.subject.rooms;
        // One clock for all that may fall due: registering a timer costs more than comparing instants.
        let due = [
            Some((self.subject.deadline, Wake::Deadline)),
            self.finished_at.map(|at| (at + rooms.limits.linger, Wake::LingerOver)),
            self.timers.iter().min().map(|(at, id)| (*at, Wake::Timer(*id))),
            side.ping_at().map(|at| (at, Wake::Ping)),
        ];
        let due = due.into_iter().flatten().min_by_key(|(at, _)| *at);
        let wake = tokio::select! {
            biased;
            (at, news) = news_of(&mut self.flights) => Wake::News(at, news),
            () = side.left() => Wake::ClientLeft,
            () = rooms.stopping.cancelled() => Wake::Stopping,
            wake = falls_due(due) => wake,
        };
        if let Wake::Timer(id) = wake {
            // The earliest of this id: it is the one that fell due.
            let earliest =
                self.timers.iter().enumerate().filter(|(_, (_, timer))| *timer == id).min_by_key(|(_, timer)| **timer);
            if let Some((at, _)) = earliest {
                self.timers.remove(at);
            }
        }
        wake
    }

    async fn step<S: Side>(&mut self, events: Vec<Event>, side: &mut S) -> Result<(), Fault> {
        let most = self.subject.rooms.limits.guest_total;
        if self.stepped > most {
            let what = format!(
                "the adapter worked longer than {} s on one exchange (plugins.exchange_wall_s)",
                most.as_secs()
            );
            return Err(broken(what));
        }
        let began = Instant::now();
        let effects = self.guest.step(self.subject.clock.now(), events).await?;
        self.stepped += began.elapsed();
        for effect in effects {
            if self.parked.is_some() {
                return Err(broken("the adapter went on after `park`".to_owned()));
            }
            self.apply(effect, side).await?;
        }
        Ok(())
    }

    /// The client has left: what is in flight is cancelled, and the adapter may send one last request (to cancel a job, say).
    async fn abandon<S: Side>(&mut self, side: &mut S) {
        self.flights.clear();
        self.timers.clear();
        self.abandoned = true;
        self.sent = 0;
        let stopping = self.subject.rooms.stopping.clone();
        let last = async {
            self.step(vec![Event::Abandoned], side).await?;
            while !self.flights.is_empty() {
                let (at, news) = news_of(&mut self.flights).await;
                self.heard(at, news, side).await?;
            }
            Ok::<(), Fault>(())
        };
        let ended = tokio::select! {
            ended = tokio::time::timeout(ABANDONED_FOR, last) => ended.unwrap_or(Ok(())),
            // The process ends: the settlement comes first.
            () = stopping.cancelled() => Ok(()),
        };
        if let Err(fault) = ended {
            tracing::debug!(
                code = fault.code.as_str(),
                detail = fault.detail,
                "the last request of an abandoned exchange failed"
            );
        }
    }
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

/// The adapter broke the contract; what it did is the operator's to read.
pub(crate) fn broken(what: String) -> Fault {
    Fault::new(FaultCode::AdapterBroken, "the adapter for this model failed").with_detail(what)
}

/// The operator did not allow it.
pub(crate) fn refused(what: String) -> Fault {
    Fault::new(FaultCode::EgressRefused, "the gateway refused to send this request; its operator can see why")
        .with_detail(what)
}

/// The adapter asks for what only a newer host may have.
pub(crate) fn unsupported(what: &str) -> Fault {
    Fault::new(FaultCode::Unsupported, "the adapter for this model needs a newer gateway")
        .with_detail(format!("the adapter asked for {what}, which this host does not offer"))
}
