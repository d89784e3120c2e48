//! What is offered now: an immutable table, swapped as a whole, read without a lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{
    Adapter,
    entry::{FileEntry, status},
};

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
    pub(crate) providers: HashMap<String, Arc<Adapter>>,
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
        table.providers = table.adapters().map(|adapter| (adapter.provider().id.clone(), adapter.clone())).collect();
        let generation = table.generation;
        self.shared.table.store(Arc::new(table));
        generation
    }
}

impl Table {
    /// What serves, ordered by file and catalog.
    pub(crate) fn adapters(&self) -> impl Iterator<Item = &Arc<Adapter>> {
        self.files.values().flat_map(|entry| entry.adapters.iter())
    }

    /// The first of these providers that another file holds, and which file that is.
    pub(crate) fn conflict(&self, file: &str, adapters: &[Arc<Adapter>]) -> Option<(String, String)> {
        adapters.iter().find_map(|adapter| {
            let id = &adapter.provider().id;
            let holds = |entry: &FileEntry| entry.adapters.iter().any(|held| held.provider().id == *id);
            let (holder, _) = self.files.iter().find(|(other, entry)| *other != file && holds(entry))?;
            Some((id.clone(), holder.clone()))
        })
    }

    /// Lets files serve that waited for providers that nobody holds any more, in the order of their names; not those that are `gone`.
    pub(crate) fn take_in_waiting(&mut self, gone: impl Fn(&str) -> bool) {
        let waiting: Vec<String> =
            self.files.iter().filter(|(_, entry)| !entry.waiting.is_empty()).map(|(file, _)| file.clone()).collect();
        for file in waiting.into_iter().filter(|file| !gone(file)) {
            let Some(entry) = self.files.get(&file) else { continue };
            if self.conflict(&file, &entry.waiting).is_some() {
                continue;
            }
            if let Some(entry) = self.files.get_mut(&file) {
                entry.adapters = std::mem::take(&mut entry.waiting);
                entry.status = status(&file, &entry.adapters, PluginState::Serving, String::new());
            }
        }
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.adapters()).finish()
    }
}
