//! A channel made ready for its adapter: what it may do, where its endpoints lead, its keys in their parts. Made once for each version of
//! channel and adapter, because checking settings and joining addresses costs more than the rest of planning.

use std::{collections::HashMap, sync::Arc};

use arc_swap::ArcSwap;
use domain::{Channel, ChannelId, Provider, SplitSecrets, resolve_endpoint};
use plugin_runtime::{Adapter, machine};
use url::Url;

use crate::driver::Clock;

/// A candidate with the adapter that serves it, taken from the registry once: a swap does not change a running exchange.
pub(crate) struct Chosen {
    pub(crate) channel: Arc<Channel>,
    pub(crate) upstream_model: String,
    pub(crate) adapter: Arc<Adapter>,
    pub(crate) endpoints: Vec<Endpoint>,
    /// The channel's credentials, composite ones in their parts.
    pub(crate) keys: SplitSecrets,
    /// The channel's settings with the adapter's defaults filled in, JSON.
    settings: String,
}

/// Where an endpoint of the catalog leads on a channel.
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) url: Url,
}

impl Chosen {
    /// Makes a channel ready for its adapter. The error is for the operator.
    pub(crate) fn new(channel: Arc<Channel>, upstream_model: String, adapter: Arc<Adapter>) -> Result<Chosen, String> {
        let provider = adapter.provider();
        if adapter.computes() && !channel.approval.computes {
            return Err(format!(
                "the adapter asks to compute with secrets, which this channel does not approve; `witgate channel set {} --approve` approves it",
                channel.name
            ));
        }
        let approved = &channel.approval.readable;
        if let Some(part) = domain::readable_parts(provider).into_iter().find(|part| !approved.contains(part)) {
            return Err(format!(
                "the adapter asks to read {part}, which this channel does not approve; `witgate channel set {} --approve` approves it",
                channel.name
            ));
        }
        // Checked again because a newer adapter may ask for other settings; fills in its defaults.
        let settings = adapter.check_settings(&channel.settings).map_err(|errors| errors.join("; "))?;
        let keys = domain::split_secrets(provider, &channel.secrets).map_err(|error| error.to_string())?;
        let endpoints = endpoints(&channel, provider, &settings, &keys);
        Ok(Chosen { endpoints, keys, settings, channel, upstream_model, adapter })
    }

    /// What any machine of this adapter is told; a client's exchange adds what the client wants.
    pub(crate) fn call(&self, operation: &str, clock: &Clock, seed: String, body: machine::Payload) -> machine::Call {
        let header = |(name, value): &(String, String)| machine::Header { name: name.clone(), value: value.clone() };
        let endpoint = |endpoint: &Endpoint| machine::Endpoint {
            name: endpoint.name.clone(),
            url: endpoint.url.as_str().trim_end_matches('/').to_owned(),
        };
        machine::Call {
            operation: operation.to_owned(),
            provider: self.adapter.provider().id.clone(),
            model: self.upstream_model.clone(),
            streaming: false,
            settings: self.settings.clone(),
            secrets: self.keys.secrets.keys().cloned().collect(),
            key_parts: self.keys.public.iter().map(header).collect(),
            endpoints: self.endpoints.iter().map(endpoint).collect(),
            dialect: "openai".to_owned(),
            headers: Vec::new(),
            now: clock.now(),
            seed,
            body,
            resume: None,
            extras: Vec::new(),
        }
    }
}

/// The catalog's endpoints with the channel's base URL in place of the first. One that has no address is left out: asking for it is a fault.
fn endpoints(channel: &Channel, provider: &Provider, settings: &str, keys: &SplitSecrets) -> Vec<Endpoint> {
    let settings: serde_json::Value = serde_json::from_str(settings).unwrap_or_default();
    let variable = |name: &str| {
        let public = keys.public.iter().find(|(part, _)| part == name).map(|(_, value)| value.as_str());
        settings.get(name).and_then(serde_json::Value::as_str).or(public)
    };
    let typed = |at: usize| channel.base_url.as_deref().filter(|_| at == 0);
    let joined = provider.endpoints.iter().enumerate().filter_map(|(at, endpoint)| {
        Some(Endpoint { name: endpoint.name.clone(), url: resolve_endpoint(endpoint, typed(at), &variable).ok()? })
    });
    joined.collect()
}

/// What was made ready before. Read without a lock; what belongs to an older registry is dropped as a whole, so that a plugin that is gone
/// does not stay in memory for it.
#[derive(Default)]
pub struct Ready {
    kept: ArcSwap<Kept>,
}

#[derive(Clone, Default)]
struct Kept {
    /// Of the registry.
    generation: u64,
    channels: HashMap<ChannelId, Vec<Arc<Chosen>>>,
}

impl Ready {
    /// The channel made ready, now or before. The error is for the operator.
    pub(crate) fn get(
        &self,
        generation: u64,
        channel: &Arc<Channel>,
        upstream_model: &str,
        adapter: Arc<Adapter>,
    ) -> Result<Arc<Chosen>, String> {
        let fits = |chosen: &&Arc<Chosen>| {
            chosen.upstream_model == upstream_model
                && Arc::ptr_eq(&chosen.channel, channel)
                && Arc::ptr_eq(&chosen.adapter, &adapter)
        };
        let kept = self.kept.load();
        let current = kept.generation == generation;
        if let Some(found) = kept.channels.get(&channel.id).filter(|_| current).and_then(|all| all.iter().find(fits)) {
            return Ok(Arc::clone(found));
        }
        let chosen = Arc::new(Chosen::new(Arc::clone(channel), upstream_model.to_owned(), adapter)?);
        self.kept.rcu(|kept| {
            let mut kept = if kept.generation == generation { Kept::clone(kept) } else { Kept::default() };
            kept.generation = generation;
            let of_channel = kept.channels.entry(channel.id).or_default();
            // What the channel was before it was changed is nobody's any more.
            of_channel.retain(|old| Arc::ptr_eq(&old.channel, channel) && old.upstream_model != upstream_model);
            of_channel.push(Arc::clone(&chosen));
            kept
        });
        Ok(chosen)
    }
}
