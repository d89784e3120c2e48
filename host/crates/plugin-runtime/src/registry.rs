//! What is offered now: an immutable table, swapped as a whole, read without a lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{Adapter, entry::FileEntry};

/// Where the file of a plugin stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginState {
    /// The file as it is serves.
    Serving,
    /// The file as it is was refused; the version before it serves.
    ServingLastGood,
    /// The file was refused, and there is no version before it.
    Refused,
    /// A file that never served is being loaded.
    Loading,
}

impl PluginState {
    /// The text form: `serving`, `serving-last-good`, `refused`, `loading`.
    pub fn as_str(self) -> &'static str {
        match self {
            PluginState::Serving => "serving",
            PluginState::ServingLastGood => "serving-last-good",
            PluginState::Refused => "refused",
            PluginState::Loading => "loading",
        }
    }
}

/// One file of the plugins directory, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginStatus {
    /// File name, without its directory.
    pub file: String,
    /// Ids of the providers that it serves.
    pub providers: Vec<String>,
    /// Version of the adapter that serves; empty when none does.
    pub version: String,
    /// SHA-256 of the component that serves, or of the refused file when none does; hex.
    pub digest: String,
    /// How many models its catalogs list.
    pub models: usize,
    /// Where it stands.
    pub state: PluginState,
    /// Why the file was refused; empty when it serves.
    pub reason: String,
    /// When the state, the version or the reason last changed, Unix milliseconds.
    pub changed_ms: i64,
}

/// The providers that are offered now and the files that they come from. Cheap to clone; all clones are one registry.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    table: ArcSwap<Table>,
    writer: Mutex<()>,
    generation: watch::Sender<u64>,
}

/// One immutable state of the registry.
#[derive(Clone, Default)]
pub(crate) struct Table {
    generation: u64,
    pub(crate) files: BTreeMap<String, FileEntry>,
    providers: HashMap<String, Arc<Adapter>>,
}

impl Registry {
    /// A registry that offers nothing yet.
    pub(crate) fn empty() -> Registry {
        let generation = watch::Sender::new(0);
        Registry { shared: Arc::new(Shared { table: ArcSwap::default(), writer: Mutex::new(()), generation }) }
    }

    /// The adapter that serves this provider id now.
    pub fn provider(&self, id: &str) -> Option<Arc<Adapter>> {
        self.shared.table.load().providers.get(id).cloned()
    }

    /// Every adapter that serves now, ordered by file and catalog.
    pub fn adapters(&self) -> Vec<Arc<Adapter>> {
        self.shared.table.load().files.values().flat_map(|entry| entry.adapters.iter().cloned()).collect()
    }

    /// Every file of the plugins directory, ordered by name.
    pub fn plugins(&self) -> Vec<PluginStatus> {
        self.shared.table.load().files.values().map(|entry| entry.status.clone()).collect()
    }

    /// Grows with every change of what is offered or reported.
    pub fn generation(&self) -> u64 {
        self.shared.table.load().generation
    }

    /// Waits for the next change. Changes between two calls are missed; a loop wants [`changed_since`](Registry::changed_since).
    pub async fn changed(&self) {
        self.changed_since(self.generation()).await;
    }

    /// Waits until the generation is greater than this one and returns it.
    pub async fn changed_since(&self, generation: u64) -> u64 {
        let mut receiver = self.shared.generation.subscribe();
        let waited = receiver.wait_for(|current| *current > generation).await.map(|current| *current);
        // The sender lives in `self`, so the wait does not fail.
        waited.unwrap_or(generation)
    }

    pub(crate) fn table(&self) -> Arc<Table> {
        self.shared.table.load_full()
    }

    /// Replaces the table by a changed copy, and tells who waits.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Table)) {
        let generation = self.replace(change, 1);
        self.shared.generation.send_replace(generation);
    }

    /// Replaces the table by a copy that differs in nothing that anybody sees.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Table)) {
        self.replace(change, 0);
    }

    fn replace(&self, change: impl FnOnce(&mut Table), step: u64) -> u64 {
        let _one_at_a_time = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.shared.table.load());
        change(&mut table);
        table.generation += step;
        let adapters = table.files.values().flat_map(|entry| entry.adapters.iter());
        table.providers = adapters.map(|adapter| (adapter.provider().id.clone(), adapter.clone())).collect();
        let generation = table.generation;
        self.shared.table.store(Arc::new(table));
        generation
    }
}

impl Table {
    /// The other file that offers this provider, if one does.
    pub(crate) fn holder(&self, provider: &str, except: &str) -> Option<&str> {
        self.providers.get(provider).map(|adapter| adapter.file()).filter(|file| *file != except)
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.adapters()).finish()
    }
}
