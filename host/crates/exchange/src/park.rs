//! Exchanges that wait for minutes: kept durably while nothing of them runs, taken up by a fresh guest of the newest version, and by the
//! next process when this one ends. A client that leaves meanwhile can ask for the answer later.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use domain::{Channel, ChannelId, Fault, FaultCode};
use plugin_runtime::machine::Parked;
use quota::ParkedExchange;

use crate::{
    admit::Ask,
    chosen::Chosen,
    relay::{Relay, Watch},
    rooms::Rooms,
};

/// How long a plugin that is not loaded is waited for: it may be about to be replaced.
const PLUGIN_WITHIN: Duration = Duration::from_secs(30);

/// The shortest pause: each one is a row written and a guest started, for as long as the task runs.
const SHORTEST_MS: u32 = 1_000;

/// Why an exchange was not taken up.
pub(crate) enum Stop {
    /// The process ends; the next one takes it up.
    Suspended,
    /// It cannot go on here.
    Fault(Fault),
    /// It cannot go on anywhere: the vendor has begun a task, and another one elsewhere would be paid for as well.
    Last(Fault),
}

/// Keeps the exchange, then waits until it is due.
pub(crate) async fn park(
    rooms: &Arc<Rooms>,
    ask: &Ask,
    candidate: &Arc<Chosen>,
    parked: Parked,
    relay: &mut Relay,
) -> Result<Arc<Chosen>, Stop> {
    let due = now_ms().saturating_add(i64::from(parked.ms.max(SHORTEST_MS)));
    let kept = ParkedExchange {
        request: ask.request.clone(),
        api_key: ask.api_key.id,
        channel: candidate.channel.id,
        operation: ask.operation.to_owned(),
        upstream_model: candidate.upstream_model.clone(),
        body: String::from_utf8_lossy(&ask.body).into_owned(),
        headers: ask.headers.clone(),
        arrived_ms: ask.arrived_ms,
        state: parked.state,
        due_ms: due,
    };
    rooms.parking.park(kept).await.map_err(Stop::Last)?;
    relay.parked(ask.async_ok);
    take_up(rooms, candidate.channel.id, &candidate.upstream_model, due, relay).await
}

/// Waits until a parked exchange is due, and makes its channel ready with the newest adapter.
pub(crate) async fn take_up(
    rooms: &Arc<Rooms>,
    channel: ChannelId,
    upstream_model: &str,
    due_ms: i64,
    relay: &mut Relay,
) -> Result<Arc<Chosen>, Stop> {
    let wait = u64::try_from(due_ms.saturating_sub(now_ms())).unwrap_or(0);
    wait_until(rooms, Instant::now() + Duration::from_millis(wait), relay).await?;
    let give_up = Instant::now() + PLUGIN_WITHIN;
    loop {
        let generation = rooms.registry.generation();
        let channel = find(rooms, channel).ok_or_else(|| {
            Stop::Fault(Fault::new(FaultCode::NoChannel, "the channel that this task runs on was removed"))
        })?;
        let provider = channel.provider.clone();
        if let Some(adapter) = rooms.registry.provider(&provider) {
            let chosen = Chosen::new(channel, upstream_model.to_owned(), adapter);
            return chosen.map(Arc::new).map_err(|detail| {
                let message = "the channel that this task runs on does not fit its adapter any more";
                Stop::Fault(Fault::new(FaultCode::NoChannel, message).with_detail(detail))
            });
        }
        tokio::select! {
            _newer = rooms.registry.changed_since(generation) => {}
            waited = wait_until(rooms, give_up, relay) => {
                waited?;
                let message = format!("the plugin for `{provider}` that this task needs is not loaded");
                return Err(Stop::Fault(Fault::new(FaultCode::NoChannel, message)));
            }
        }
    }
}

/// Waits, with signs of life for a client that streams. A client that leaves does not end the wait.
async fn wait_until(rooms: &Rooms, due: Instant, relay: &mut Relay) -> Result<(), Stop> {
    let deadline = relay.watch().deadline;
    if due > deadline && Instant::now() >= deadline {
        return Err(Stop::Fault(relay.watch().too_long()));
    }
    loop {
        let ping = relay.ping_at();
        let next = ping.map_or(due, |ping| ping.min(due)).min(deadline);
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {}
            () = rooms.stopping.cancelled() => return Err(Stop::Suspended),
            () = relay.client_left() => return Err(Stop::Fault(crate::outlet::gone())),
        }
        let now = Instant::now();
        if now >= due {
            return Ok(());
        }
        if now >= deadline {
            return Err(Stop::Fault(relay.watch().too_long()));
        }
        if ping.is_some_and(|ping| now >= ping) {
            relay.ping().await.map_err(Stop::Fault)?;
        }
    }
}

fn find(rooms: &Rooms, id: ChannelId) -> Option<Arc<Channel>> {
    rooms.table.load().snapshot().channels.iter().find(|channel| channel.id == id).cloned()
}

/// What a process that ends tells a client that still waits.
pub(crate) fn suspended() -> Fault {
    let mut fault = Watch::ending();
    fault.message =
        "the gateway is stopping; the task goes on, GET /v1/tasks/{request id} has its answer later".to_owned();
    fault
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(i64::MAX))
}
