//! Who will be tried, in which order; or a refusal that names the check that failed.

use std::{sync::Arc, time::Duration};

use domain::{Fault, FaultCode};

use crate::{
    admit::{Admission, Ask},
    chosen::Chosen,
    rooms::Rooms,
};

/// The candidates of one exchange, best first.
pub(crate) struct Plan {
    pub(crate) candidates: Vec<Arc<Chosen>>,
}

/// Asks key, table and registry in turn.
pub(crate) fn plan(rooms: &Rooms, ask: &Ask, admission: &Admission) -> Result<Plan, Fault> {
    let (table, registry) = (rooms.table.load(), &rooms.registry);
    let generation = registry.generation();
    let model = &admission.model;
    if ask.api_key.models.as_ref().is_some_and(|allowed| !allowed.contains(model)) {
        let message = format!("this API key may not call the model `{model}`; GET /v1/models lists what it may");
        return Err(Fault::new(FaultCode::ModelForbidden, message).with_param("model"));
    }
    let candidates = table.candidates(&ask.api_key.group, model);
    if candidates.is_empty() {
        let message = format!("the model `{model}` does not exist here; GET /v1/models lists those that do");
        return Err(Fault::new(FaultCode::ModelUnknown, message).with_param("model"));
    }
    let (mut reasons, mut details) = (Vec::new(), Vec::new());
    let mut lacking = 0;
    let mut chosen = Vec::with_capacity(candidates.len());
    for candidate in routing::order(candidates, rand::random()) {
        let provider = &candidate.channel.provider;
        match registry.provider(provider) {
            None => reasons.push(format!("no plugin for the provider `{provider}` is loaded")),
            Some(adapter) if !adapter.supports(ask.operation) => {
                lacking += 1;
                reasons.push(format!("the plugin for `{provider}` does not offer {}", ask.operation));
            }
            Some(adapter) => {
                match rooms.ready.get(generation, &candidate.channel, &candidate.upstream_model, adapter) {
                    Ok(candidate) => chosen.push(candidate),
                    Err(what) => {
                        reasons.push(
                            "a channel for this model does not fit its adapter; the operator can see why".to_owned(),
                        );
                        details.push(format!("channel {}: {what}", candidate.channel.name));
                    }
                }
            }
        }
    }
    if chosen.is_empty() {
        reasons.dedup();
        if lacking == candidates.len() {
            // Waiting would not help: the model is there, but not for this.
            let message = format!("the model `{model}` cannot be used for {}: {}", ask.operation, reasons.join("; "));
            return Err(Fault::new(FaultCode::Unsupported, message).with_param("model"));
        }
        let message = format!("no channel can serve the model `{model}` now: {}", reasons.join("; "));
        let fault = Fault::new(FaultCode::NoChannel, message).with_retry_after(Duration::from_secs(5));
        if details.is_empty() {
            return Err(fault);
        }
        let detail = details.join("; ");
        tracing::warn!(model, detail, "no channel fits its adapter");
        return Err(fault.with_detail(detail));
    }
    Ok(Plan { candidates: chosen })
}
