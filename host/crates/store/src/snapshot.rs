//! Reads the snapshot that the hot path lives on, and keeps it fresh: a poller compares the revision and swaps the whole.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use domain::Snapshot;
use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{Store, StoreError, api_keys, channels, counters};

/// How often the server looks for changes unless told otherwise.
pub const WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// A snapshot that follows the database, and the task that does it.
#[derive(Debug)]
pub struct Watched {
    /// The newest snapshot.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// Ends when `stop` does; to be joined.
    pub task: JoinHandle<()>,
}

impl Store {
    /// Channels and keys as they are now.
    ///
    /// # Errors
    /// `Corrupt` when a row is damaged; `Unavailable`.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut tx = self.db().begin_read().await?;
        // The revision comes first: where a database lets later reads see newer rows, the next poll reads again; nothing is missed.
        let revision = counters::read_in(&mut tx, counters::REVISION).await?;
        let channels = tx.rows(&channels::all()).await?;
        let keys = tx.rows(&api_keys::all()).await?;
        tx.commit().await?;
        let channel = |row| channels::read_row(self.sealer(), row).map(Arc::new);
        let api_key = |row| api_keys::read_row(row).map(|(hash, key)| (hash, Arc::new(key)));
        Ok(Snapshot {
            revision,
            channels: channels.iter().map(channel).collect::<Result<_, _>>()?,
            api_keys: keys.iter().map(api_key).collect::<Result<_, _>>()?,
        })
    }

    /// Reads the snapshot and follows the database from then on, looking every `every` until `stop` is done. An error is logged once and
    /// leaves the last snapshot in place.
    ///
    /// # Errors
    /// When the first reading fails.
    pub async fn watch(
        &self,
        every: Duration,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Watched, StoreError> {
        let snapshot = Arc::new(ArcSwap::from_pointee(self.snapshot().await?));
        let task = tokio::spawn(follow(self.clone(), Arc::clone(&snapshot), every, stop));
        Ok(Watched { snapshot, task })
    }
}

async fn follow(store: Store, snapshot: Arc<ArcSwap<Snapshot>>, every: Duration, stop: impl Future<Output = ()>) {
    let mut stop = pin!(stop);
    let mut ticks = interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = ticks.tick() => {}
        }
        match refresh(&store, &snapshot).await {
            // Closed under us: nothing will change any more.
            Err(_) if store.db().is_closed() => return,
            Ok(()) if failing => {
                tracing::info!("the database answers again");
                failing = false;
            }
            Ok(()) => {}
            Err(error) if !failing => {
                tracing::warn!(%error, "cannot look for changes in the database; serving with what is known");
                failing = true;
            }
            Err(_) => {}
        }
    }
}

async fn refresh(store: &Store, snapshot: &ArcSwap<Snapshot>) -> Result<(), StoreError> {
    // Not "newer": a database that was restored from a backup has an older revision and is the truth all the same.
    if counters::read(store.db(), counters::REVISION).await? != snapshot.load().revision {
        snapshot.store(Arc::new(store.snapshot().await?));
    }
    Ok(())
}
