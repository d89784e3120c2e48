//! The routing table: for every group and model the channels that offer it, derived from a snapshot and the catalogs.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use domain::{ApiKey, Channel, ChannelModel, ChannelStatus, Model, Provider, Snapshot};

/// A channel that offers a model, and what its upstream calls the model.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The upstream's name of the model.
    pub upstream_model: String,
}

/// A row of the model list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name that clients use.
    pub id: String,
    /// Provider id of the first candidate.
    pub provider: String,
    /// What the catalog knows of it.
    pub model: Option<Model>,
    /// Unix milliseconds; when the first adapter that offers it was first seen.
    pub created_ms: i64,
}

/// Candidates by group and public model name, with the snapshot they come from: a key and what it may call become valid together. Built
/// once per change, read without locks.
#[derive(Debug, Default)]
pub struct Table {
    snapshot: Arc<Snapshot>,
    groups: HashMap<String, BTreeMap<String, Vec<Candidate>>>,
    catalogs: HashMap<String, Arc<Provider>>,
    created_ms: i64,
}

impl Table {
    /// Derives the table. `catalogs` holds every provider that is known, also those whose plugin was removed since: their channels keep
    /// their models, so that a client is told what is missing instead of that the model never existed.
    pub fn build(snapshot: Arc<Snapshot>, catalogs: HashMap<String, Arc<Provider>>, created_ms: i64) -> Table {
        let mut groups: HashMap<String, BTreeMap<String, Vec<Candidate>>> = HashMap::new();
        for channel in snapshot.channels.iter().filter(|channel| channel.status == ChannelStatus::Enabled) {
            for model in offered(channel, catalogs.get(&channel.provider)) {
                for group in &channel.groups {
                    let candidate = Candidate { channel: Arc::clone(channel), upstream_model: model.upstream.clone() };
                    groups.entry(group.clone()).or_default().entry(model.public.clone()).or_default().push(candidate);
                }
            }
        }
        for candidates in groups.values_mut().flat_map(BTreeMap::values_mut) {
            candidates.sort_by_key(|candidate| (std::cmp::Reverse(candidate.channel.priority), candidate.channel.id));
        }
        Table { snapshot, groups, catalogs, created_ms }
    }

    /// The keys and channels that the table was built from.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Who offers this model to this group, best priority first. Empty when nobody does.
    pub fn candidates(&self, group: &str, model: &str) -> &[Candidate] {
        self.groups.get(group).and_then(|models| models.get(model)).map_or(&[], Vec::as_slice)
    }

    /// The models that a key may call, by name.
    pub fn models(&self, key: &ApiKey) -> Vec<Listed> {
        let Some(models) = self.groups.get(&key.group) else { return Vec::new() };
        models
            .iter()
            .filter(|(name, _)| may_call(key, name))
            .filter_map(|(name, candidates)| candidates.first().map(|first| self.row(name, first)))
            .collect()
    }

    /// One row of the list; `None` when the key may not call it or nobody offers it.
    pub fn model(&self, key: &ApiKey, name: &str) -> Option<Listed> {
        if !may_call(key, name) {
            return None;
        }
        self.candidates(&key.group, name).first().map(|first| self.row(name, first))
    }

    fn row(&self, name: &str, first: &Candidate) -> Listed {
        let model = self.catalogs.get(&first.channel.provider).and_then(|p| p.model(&first.upstream_model)).cloned();
        Listed { id: name.to_owned(), provider: first.channel.provider.clone(), model, created_ms: self.created_ms }
    }
}

/// Whether a key's own list of models allows this one.
pub(crate) fn may_call(key: &ApiKey, model: &str) -> bool {
    key.models.as_ref().is_none_or(|allowed| allowed.iter().any(|name| name == model))
}

/// A channel without a list of its own offers what the catalog lists.
fn offered(channel: &Channel, catalog: Option<&Arc<Provider>>) -> Vec<ChannelModel> {
    if !channel.models.is_empty() {
        return channel.models.clone();
    }
    let models = catalog.map(|provider| provider.models.as_slice()).unwrap_or_default();
    models.iter().map(|model| ChannelModel { public: model.id.clone(), upstream: model.id.clone() }).collect()
}

#[cfg(test)]
mod tests;
