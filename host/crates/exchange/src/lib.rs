//! The life of one client request: admit -> plan -> reserve -> attempt* -> relay -> settle. Read this file first.
//!
//! `start` answers as soon as there is something to answer with; the exchange itself runs in a task of its own, so that it is settled
//! also when the client leaves. Everything it needs comes in through `Rooms`; it knows neither HTTP servers nor SQL.

mod account;
mod admit;
mod assemble;
mod attempt;
mod chosen;
mod chunk;
mod count;
mod driver;
mod effects;
mod fill;
mod flight;
mod form;
mod grants;
mod held;
mod mask;
mod outlet;
mod park;
mod plan;
mod rechunk;
mod relay;
mod retry;
mod rooms;
mod send;
mod settle;
mod side;
mod veil;
mod withhold;

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{AttemptRecord, Fault, FaultCode};
use futures_util::FutureExt;
use quota::{ParkedExchange, Reservation};
use tokio::sync::oneshot;

pub use account::{Query, query};
pub use admit::Ask;
pub use chosen::Ready;
pub use grants::Grants;
pub use outlet::{Answer, AnswerBody, Part};
pub use rooms::{Limits, Rooms};

use crate::{
    admit::Admission,
    attempt::{Attempt, attempt},
    chosen::Chosen,
    driver::End,
    outlet::Outlet,
    park::Stop,
    plan::{Plan, plan},
    relay::{Relay, Watch},
    settle::settle,
};

/// Runs one exchange and returns its answer as soon as there is one; a stream then goes on arriving in the answer's receiver.
///
/// Dropping the returned future or the receiver means that the client left: the upstream is cancelled and what was produced is settled.
pub async fn start(rooms: &Arc<Rooms>, ask: Ask) -> Result<Answer, Fault> {
    let admission = admit::admit(&ask, rooms.limits.messages_max)?;
    let plan = plan(rooms, &ask, &admission)?;
    let (outlet, answer) = Outlet::new(ask.request.clone());
    let rooms_of_task = Arc::clone(rooms);
    rooms.tasks.spawn(run(rooms_of_task, ask, admission, Work::Fresh(plan), outlet));
    answered(answer).await
}

async fn answered(answer: oneshot::Receiver<Result<Answer, Fault>>) -> Result<Answer, Fault> {
    answer.await.unwrap_or_else(|_| Err(Fault::new(FaultCode::Internal, "the exchange ended without an answer")))
}

/// Takes up the exchanges that an earlier process had parked. Their clients are gone; they are settled, and their answers kept.
///
/// # Errors
/// When they cannot be read.
pub async fn resume(rooms: &Arc<Rooms>) -> Result<usize, Fault> {
    let waiting = rooms.parking.waiting().await?;
    let mut resumed = 0;
    for parked in waiting {
        let request = parked.request.clone();
        let Some((ask, admission)) = reread(rooms, &parked) else {
            tracing::warn!(%request, "a parked exchange cannot be taken up: its key or its request is not known any more");
            rooms.parking.unpark(&request, None).await?;
            continue;
        };
        let (outlet, answer) = Outlet::new(request);
        drop(answer);
        rooms.tasks.spawn(run(Arc::clone(rooms), ask, admission, Work::Parked(parked), outlet));
        resumed += 1;
    }
    Ok(resumed)
}

/// The request of a parked exchange, as if it came now.
fn reread(rooms: &Rooms, parked: &ParkedExchange) -> Option<(Ask, Admission)> {
    let table = rooms.table.load();
    let api_key = table.snapshot().api_keys.values().find(|key| key.id == parked.api_key)?;
    let operation = ["chat", "embeddings"].into_iter().find(|known| *known == parked.operation)?;
    let elapsed = u64::try_from(driver::Clock::new().arrived_ms.saturating_sub(parked.arrived_ms)).unwrap_or(0);
    let ask = Ask {
        request: parked.request.clone(),
        api_key: Arc::clone(api_key),
        operation,
        body: parked.body.clone().into(),
        headers: parked.headers.clone(),
        arrived: Instant::now().checked_sub(Duration::from_millis(elapsed)).unwrap_or_else(Instant::now),
        arrived_ms: parked.arrived_ms,
        async_ok: true,
    };
    let mut admission = admit::admit(&ask, rooms.limits.messages_max).ok()?;
    admission.streaming = false;
    Some((ask, admission))
}

/// What an exchange begins with.
enum Work {
    /// Candidates, none of them tried.
    Fresh(Plan),
    /// What an earlier process had parked.
    Parked(ParkedExchange),
}

/// The story as named steps. Every way out passes `settle`, exactly once; only a parked exchange leaves it to the next process.
async fn run(rooms: Arc<Rooms>, ask: Ask, admission: Admission, work: Work, outlet: Outlet) {
    let reservation = Reservation {
        request: ask.request.clone(),
        api_key: ask.api_key.id,
        model: admission.model.clone(),
        input_tokens: count::upper_bound(ask.body.len()),
        output_tokens: admission.max_tokens.unwrap_or(rooms.limits.reserve_output_tokens),
    };
    let watch = Watch {
        limits: rooms.limits.clone(),
        stopping: rooms.stopping.clone(),
        began: ask.arrived,
        deadline: ask.arrived + rooms.limits.total,
    };
    let mut relay = Relay::new(&ask, &admission, outlet, watch);
    let reserved = match rooms.ledger.reserve(reservation).await {
        Ok(reserved) => reserved,
        Err(fault) => return relay.refuse(fault).await,
    };
    // A panic is a bug of ours; what was produced until then is settled all the same.
    let tried = AssertUnwindSafe(attempts(&rooms, &ask, &admission, work, &mut relay)).catch_unwind().await;
    let (records, ending) = tried.unwrap_or_else(|_| (Vec::new(), Ending::panicked()));
    if ending.suspended {
        return relay.close(Some(park::suspended())).await;
    }
    settle(&rooms, &ask, &admission, reserved, records, ending, relay).await;
}

/// How the last attempt ended, and which adapter served it.
#[derive(Default)]
struct Ending {
    fault: Option<Fault>,
    served: Option<settle::Served>,
    /// Parked, and the process ends.
    suspended: bool,
}

impl Ending {
    fn panicked() -> Ending {
        let fault = Fault::new(FaultCode::Internal, "something in the gateway broke; its operator can see what");
        Ending { fault: Some(fault), ..Ending::default() }
    }
}

/// Tries candidates in order until one answers, the budget is spent or a byte has gone to the client.
async fn attempts(
    rooms: &Arc<Rooms>,
    ask: &Ask,
    admission: &Admission,
    work: Work,
    relay: &mut Relay,
) -> (Vec<AttemptRecord>, Ending) {
    let mut records = Vec::new();
    let mut ending = Ending::default();
    let (candidates, state) = match work {
        Work::Fresh(plan) => (plan.candidates, None),
        Work::Parked(parked) => {
            relay.parked(true);
            match park::take_up(rooms, parked.channel, &parked.upstream_model, parked.due_ms, relay).await {
                Ok(chosen) => (vec![chosen], Some(parked.state)),
                Err(stop) => return (records, ending.stopped(stop)),
            }
        }
    };
    let mut state = state;
    for candidate in candidates.into_iter().take(rooms.limits.attempts.max(1)) {
        let begun = Instant::now();
        ending.served = Some(settle::Served::of(&candidate));
        let channel = Arc::clone(&candidate.channel);
        let result = on_channel(rooms, ask, admission, candidate, state.take(), relay, &mut ending).await;
        let mut last = relay.was_parked();
        let fault = match result {
            Ok(()) => None,
            Err(Stop::Suspended) => return (records, Ending { suspended: true, ..ending }),
            Err(Stop::Fault(fault)) => Some(fault),
            Err(Stop::Last(fault)) => {
                last = true;
                Some(fault)
            }
        };
        records.push(AttemptRecord {
            channel: channel.id,
            channel_name: channel.name.clone(),
            fault: fault.as_ref().map(|fault| fault.code.as_str().to_owned()).unwrap_or_default(),
            upstream_status: fault.as_ref().map_or(relay.upstream_status(), |fault| fault.upstream_status),
            elapsed_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
        });
        let again = !last && fault.as_ref().is_some_and(|fault| retry::may_retry(fault, relay));
        ending.fault = fault;
        if !again {
            break;
        }
    }
    (records, ending)
}

impl Ending {
    fn stopped(self, stop: Stop) -> Ending {
        match stop {
            Stop::Suspended => Ending { suspended: true, ..self },
            Stop::Fault(fault) | Stop::Last(fault) => Ending { fault: Some(fault), ..self },
        }
    }
}

/// One candidate to its end: once more with new access tokens when the old ones were refused, and as often as its adapter parks.
async fn on_channel(
    rooms: &Arc<Rooms>,
    ask: &Ask,
    admission: &Admission,
    mut candidate: Arc<Chosen>,
    mut state: Option<String>,
    relay: &mut Relay,
    ending: &mut Ending,
) -> Result<(), Stop> {
    let mut renewed = false;
    loop {
        if state.is_none() {
            relay.begin_attempt();
        }
        let deadline = relay.watch().deadline;
        let resume = state.as_deref();
        let tried = attempt(Attempt { rooms, ask, admission, candidate: &candidate, deadline, resume }, relay).await;
        match tried.result {
            Ok(End::Complete) if relay.begun() => return Ok(()),
            Ok(End::Complete) => {
                return Err(Stop::Fault(driver::broken("the adapter finished without an answer".to_owned())));
            }
            Ok(End::Parked(parked)) => {
                state = Some(parked.state.clone());
                candidate = park::park(rooms, ask, &candidate, parked, relay).await?;
                // It may have waited for a newer version.
                ending.served = Some(settle::Served::of(&candidate));
                renewed = false;
            }
            // The process ends in the middle of a look at a task: the next one takes it up where it was parked.
            Err(fault)
                if fault.code == FaultCode::Unavailable && relay.was_parked() && rooms.stopping.is_cancelled() =>
            {
                return Err(Stop::Suspended);
            }
            Err(fault) => {
                let stale = fault.code == FaultCode::CredentialStale && tried.used_tokens;
                if !stale || renewed || relay.begun() {
                    return Err(Stop::Fault(fault));
                }
                renewed = true;
            }
        }
    }
}
