//! Keeps the routing table true: rebuilt off the request path whenever channels or plugins change.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{Provider, Snapshot};
use exchange::Rooms;
use routing::Table;
use tokio_util::sync::CancellationToken;

use crate::serve::{Current, now_ms};

/// How often the snapshot is looked at; the registry wakes us by itself.
const LOOK: Duration = Duration::from_millis(50);

/// Builds tables and remembers the catalogs of plugins that were removed: their channels then say what is missing.
#[derive(Default)]
pub(crate) struct Builder {
    catalogs: HashMap<String, Arc<Provider>>,
    built: Option<(i64, u64)>,
    created_ms: i64,
}

impl Builder {
    /// Rebuilds when the snapshot or the registry is newer than the table.
    pub(crate) fn rebuild(&mut self, rooms: &Rooms, snapshot: &Arc<Snapshot>) {
        let now = (snapshot.revision, rooms.registry.generation());
        if self.built == Some(now) {
            return;
        }
        if self.built.is_none() {
            self.created_ms = now_ms();
        }
        for adapter in rooms.registry.adapters() {
            self.catalogs.insert(adapter.provider().id.clone(), Arc::clone(adapter.provider()));
        }
        let table = Table::build(Arc::clone(snapshot), self.catalogs.clone(), self.created_ms);
        rooms.table.store(Arc::new(table));
        self.built = Some(now);
    }
}

/// Rebuilds until `stop`.
pub(crate) async fn follow(mut builder: Builder, rooms: Arc<Rooms>, current: Current, stop: CancellationToken) {
    loop {
        builder.rebuild(&rooms, &current.load());
        tokio::select! {
            () = rooms.registry.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}
