//! The bill: the usage record, written once before the client gets the last byte.

use std::sync::Arc;

use domain::{AttemptRecord, Blame, Fault, UsageRecord};
use quota::Reserved;

use crate::{
    Ending,
    admit::{Admission, Ask},
    chosen::Chosen,
    relay::Relay,
    rooms::Rooms,
};

/// Which channel and adapter an attempt used.
pub(crate) struct Served {
    channel: domain::ChannelId,
    provider: String,
    upstream_model: String,
    version: String,
    digest: String,
}

impl Served {
    pub(crate) fn of(chosen: &Chosen) -> Served {
        Served {
            channel: chosen.channel.id,
            provider: chosen.channel.provider.clone(),
            upstream_model: chosen.upstream_model.clone(),
            version: chosen.adapter.version().to_owned(),
            digest: chosen.adapter.digest().to_owned(),
        }
    }
}

/// Writes the record, then lets the client have the end of its answer. When the record cannot be written, the client is told instead.
pub(crate) async fn settle(
    rooms: &Arc<Rooms>,
    ask: &Ask,
    admission: &Admission,
    reserved: Reserved,
    attempts: Vec<AttemptRecord>,
    ending: Ending,
    mut relay: Relay,
) {
    let produced = relay.produce(ask.body.clone()).await;
    let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let served = ending.served;
    let text = |pick: fn(&Served) -> &String| served.as_ref().map(|served| pick(served).clone()).unwrap_or_default();
    let record = UsageRecord {
        request: ask.request.clone(),
        api_key: ask.api_key.id,
        operation: ask.operation.to_owned(),
        model: admission.model.clone(),
        upstream_model: text(|served| &served.upstream_model),
        provider: text(|served| &served.provider),
        channel: served.as_ref().map(|served| served.channel),
        plugin_version: text(|served| &served.version),
        plugin_digest: text(|served| &served.digest),
        streaming: admission.streaming,
        usage: produced.usage,
        fault: ending.fault.as_ref().map(|fault| fault.code.as_str().to_owned()).unwrap_or_default(),
        attempts,
        losses: produced.losses,
        started_ms: ask.arrived_ms,
        first_token_ms: produced.first_token.map(|at| millis(at.duration_since(ask.arrived))),
        total_ms: millis(ask.arrived.elapsed()),
    };
    log(&record, ending.fault.as_ref());
    let unsettled = rooms.ledger.settle(reserved, record).await.err();
    if let Some(fault) = &unsettled {
        tracing::error!(request = %ask.request, detail = fault.detail, "the usage record could not be written");
    }
    let fault = ending.fault.or(unsettled);
    if relay.was_parked() {
        let outcome = relay.outcome(fault.as_ref());
        if let Err(fault) = rooms.parking.unpark(&ask.request, outcome).await {
            tracing::error!(request = %ask.request, detail = fault.detail, "the end of a parked exchange could not be kept");
        }
    }
    relay.close(fault).await;
}

/// One line per exchange that failed for a reason an operator can mend; everything else is a debug line.
fn log(record: &UsageRecord, fault: Option<&Fault>) {
    let channel = record.channel.map(|channel| channel.0);
    match fault {
        None => {
            tracing::debug!(request = %record.request, model = record.model, channel, total_ms = record.total_ms, "exchange complete")
        }
        // Nothing for the operator to mend, unless there is something that only the operator may read.
        Some(fault) if fault.code.blame() == Blame::Client && fault.detail.is_none() => {
            tracing::debug!(request = %record.request, model = record.model, code = fault.code.as_str(), "exchange refused");
        }
        Some(fault) => tracing::warn!(
            request = %record.request,
            model = record.model,
            channel,
            provider = record.provider,
            adapter = record.plugin_version,
            code = fault.code.as_str(),
            upstream_status = fault.upstream_status,
            detail = fault.detail,
            "exchange failed"
        ),
    }
}
