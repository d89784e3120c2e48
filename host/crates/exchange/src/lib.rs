//! The life of one client request: admit -> plan -> reserve -> attempt* -> relay -> settle. Read this file first.
//!
//! `start` answers as soon as there is something to answer with; the exchange itself runs in a task of its own, so that it is settled
//! also when the client leaves. Everything it needs comes in through `Rooms`; it knows neither HTTP servers nor SQL.

mod admit;
mod assemble;
mod attempt;
mod chunk;
mod count;
mod effects;
mod flight;
mod held;
mod mask;
mod outlet;
mod plan;
mod rechunk;
mod relay;
mod retry;
mod rooms;
mod send;
mod settle;

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use domain::{AttemptRecord, Fault, FaultCode};
use futures_util::FutureExt;
use quota::Reservation;
use tokio::sync::oneshot;

pub use admit::Ask;
pub use outlet::{Answer, AnswerBody, Part};
pub use rooms::{Limits, Rooms};

use crate::{
    admit::Admission,
    attempt::{Attempt, attempt},
    outlet::Outlet,
    plan::{Plan, plan},
    relay::{Relay, Watch},
    settle::settle,
};

/// Runs one exchange and returns its answer as soon as there is one; a stream then goes on arriving in the answer's receiver.
///
/// Dropping the returned future or the receiver means that the client left: the upstream is cancelled and what was produced is settled.
pub async fn start(rooms: &Arc<Rooms>, ask: Ask) -> Result<Answer, Fault> {
    let admission = admit::admit(&ask)?;
    let plan = plan(&rooms.table.load(), &rooms.registry, &ask, &admission)?;
    let (outlet, answer) = Outlet::new(ask.request.clone());
    let rooms_of_task = Arc::clone(rooms);
    rooms.tasks.spawn(run(rooms_of_task, ask, admission, plan, outlet));
    answered(answer).await
}

async fn answered(answer: oneshot::Receiver<Result<Answer, Fault>>) -> Result<Answer, Fault> {
    answer.await.unwrap_or_else(|_| Err(Fault::new(FaultCode::Internal, "the exchange ended without an answer")))
}

/// The story as named steps. Every way out passes `settle`, exactly once.
async fn run(rooms: Arc<Rooms>, ask: Ask, admission: Admission, plan: Plan, outlet: Outlet) {
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
        deadline: ask.arrived + rooms.limits.total,
    };
    let mut relay = Relay::new(&ask, &admission, outlet, watch);
    let reserved = match rooms.ledger.reserve(reservation).await {
        Ok(reserved) => reserved,
        Err(fault) => return relay.refuse(fault).await,
    };
    // A panic is a bug of ours; what was produced until then is settled all the same.
    let tried = AssertUnwindSafe(attempts(&rooms, &ask, &admission, &plan, &mut relay)).catch_unwind().await;
    let (records, ending) = tried.unwrap_or_else(|_| (Vec::new(), Ending::panicked(&plan)));
    settle(&rooms, &ask, &admission, reserved, records, ending, relay).await;
}

/// How the last attempt ended, and which adapter served it.
struct Ending {
    fault: Option<Fault>,
    served: Option<settle::Served>,
}

impl Ending {
    fn panicked(plan: &Plan) -> Ending {
        let fault = Fault::new(FaultCode::Internal, "something in the gateway broke; its operator can see what");
        Ending { fault: Some(fault), served: plan.candidates.first().map(settle::Served::of) }
    }
}

/// Tries candidates in order until one answers, the budget is spent or a byte has gone to the client.
async fn attempts(
    rooms: &Rooms,
    ask: &Ask,
    admission: &Admission,
    plan: &Plan,
    relay: &mut Relay,
) -> (Vec<AttemptRecord>, Ending) {
    let mut records = Vec::new();
    let mut ending = Ending { fault: None, served: None };
    for candidate in plan.candidates.iter().take(rooms.limits.attempts.max(1)) {
        let begun = Instant::now();
        relay.begin_attempt();
        let result = attempt(Attempt { rooms, ask, admission, candidate }, relay).await;
        ending.served = Some(settle::Served::of(candidate));
        let fault = result.err();
        records.push(AttemptRecord {
            channel: candidate.channel.id,
            channel_name: candidate.channel.name.clone(),
            fault: fault.as_ref().map(|fault| fault.code.as_str().to_owned()).unwrap_or_default(),
            upstream_status: fault.as_ref().map_or(relay.upstream_status(), |fault| fault.upstream_status),
            elapsed_ms: i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX),
        });
        let again = fault.as_ref().is_some_and(|fault| retry::may_retry(fault, relay));
        ending.fault = fault;
        if !again {
            break;
        }
    }
    (records, ending)
}
