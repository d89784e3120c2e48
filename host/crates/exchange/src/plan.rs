//! Who will be tried, in which order; or a refusal that names the check that failed.

use std::{sync::Arc, time::Duration};

use domain::{Channel, Fault, FaultCode, Provider, join_base_url};
use plugin_runtime::{Adapter, Registry};
use routing::Table;
use url::Url;

use crate::admit::{Admission, Ask};

/// A candidate with the adapter that serves it, taken from the registry once: a swap does not change a running exchange.
pub(crate) struct Chosen {
    pub(crate) channel: Arc<Channel>,
    pub(crate) upstream_model: String,
    pub(crate) adapter: Arc<Adapter>,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// Where an endpoint of the catalog leads on a channel.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) url: Url,
}

/// The catalog's endpoints with the channel's base URL in place of the first. One that has no address is left out: asking for it is a fault.
fn endpoints(channel: &Channel, provider: &Provider) -> Vec<Endpoint> {
    let typed = |at: usize| channel.base_url.as_deref().filter(|_| at == 0);
    let joined = provider.endpoints.iter().enumerate().filter_map(|(at, endpoint)| {
        Some(Endpoint { name: endpoint.name.clone(), url: join_base_url(endpoint, typed(at)).ok()? })
    });
    joined.collect()
}

/// The candidates of one exchange, best first.
pub(crate) struct Plan {
    pub(crate) candidates: Vec<Chosen>,
}

/// Asks key, table and registry in turn.
pub(crate) fn plan(table: &Table, registry: &Registry, ask: &Ask, admission: &Admission) -> Result<Plan, Fault> {
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
    let mut reasons = Vec::new();
    let mut chosen = Vec::with_capacity(candidates.len());
    for candidate in routing::order(candidates, rand::random()) {
        let provider = &candidate.channel.provider;
        match registry.provider(provider) {
            None => reasons.push(format!("no plugin for the provider `{provider}` is loaded")),
            Some(adapter) if !adapter.supports(ask.operation) => {
                reasons.push(format!("the plugin for `{provider}` does not offer {}", ask.operation));
            }
            Some(adapter) => chosen.push(Chosen {
                channel: Arc::clone(&candidate.channel),
                upstream_model: candidate.upstream_model.clone(),
                endpoints: endpoints(&candidate.channel, adapter.provider()),
                adapter,
            }),
        }
    }
    if chosen.is_empty() {
        reasons.dedup();
        let message = format!("no channel can serve the model `{model}` now: {}", reasons.join("; "));
        return Err(Fault::new(FaultCode::NoChannel, message).with_retry_after(Duration::from_secs(5)));
    }
    Ok(Plan { candidates: chosen })
}
