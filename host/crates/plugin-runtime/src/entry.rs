//! One file of the plugins directory as the registry knows it, and what is said about it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{Adapter, PluginState, PluginStatus, directory::Stamp, plugin_log::PluginLog, registry::Table};

/// One file as the registry knows it.
#[derive(Clone)]
pub(crate) struct FileEntry {
    pub(crate) status: PluginStatus,
    /// The version that serves; empty when none does.
    pub(crate) adapters: Vec<Arc<Adapter>>,
    /// The file as it was when it was last judged; none to judge it again.
    pub(crate) stamp: Option<Stamp>,
    /// Loaded, but refused because another file holds one of these providers: taken in when it lets go.
    pub(crate) waiting: Vec<Arc<Adapter>>,
    pub(crate) log: Arc<PluginLog>,
}

/// What to show of a file that changed just now.
pub(crate) fn status(file: &str, adapters: &[Arc<Adapter>], state: PluginState, reason: String) -> PluginStatus {
    let first = adapters.first();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    PluginStatus {
        file: file.to_owned(),
        providers: adapters.iter().map(|adapter| adapter.provider().id.clone()).collect(),
        version: first.map_or_else(String::new, |adapter| adapter.version().to_owned()),
        digest: first.map_or_else(String::new, |adapter| adapter.digest().to_owned()),
        models: adapters.iter().map(|adapter| adapter.provider().models.len()).sum(),
        state,
        reason,
        changed_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
    }
}

/// One line in the log for each provider that came, changed or went.
pub(crate) fn announce_changes(before: &Table, after: &Table) {
    for adapter in after.adapters() {
        match before.providers.get(&adapter.provider().id) {
            Some(old) if Arc::ptr_eq(old, adapter) => {}
            Some(_) => announce(adapter, "plugin swapped"),
            None => announce(adapter, "plugin loaded"),
        }
    }
    let gone = before.adapters().filter(|old| !after.providers.contains_key(&old.provider().id));
    gone.for_each(|old| announce(old, "plugin removed"));
}

fn announce(adapter: &Adapter, what: &str) {
    let provider = adapter.provider();
    tracing::info!(
        provider = provider.id,
        version = provider.version,
        digest = adapter.digest(),
        models = provider.models.len(),
        file = adapter.file(),
        "{what}"
    );
}
