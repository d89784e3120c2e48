//! Loads a plugins directory once, or follows it: file notifications, with a slow look around for file systems that send none.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::{Registry, Runtime, loader::Loader};

/// How often the directory is looked at when nothing was reported.
const LOOK_AROUND: Duration = Duration::from_secs(2);
/// How long reports are collected before a look.
const DEBOUNCE: Duration = Duration::from_millis(20);

/// Loads every `*.wasm` of a directory once, in the order of their names. What cannot be loaded is in
/// [`plugins`](Registry::plugins) with its reason.
pub async fn load_dir(runtime: &Runtime, dir: &Path) -> Registry {
    load_dir_again(runtime, dir, &[]).await
}

/// The same for a process that had a directory loaded before: the files that `served` then come first, so that one that was added since
/// cannot take a provider over by its name.
pub async fn load_dir_again(runtime: &Runtime, dir: &Path, served: &[String]) -> Registry {
    let registry = Registry::empty();
    Loader::new(runtime.clone(), dir.to_owned(), registry.clone()).first(served).await;
    registry
}

/// Follows the directory that `registry` was loaded from, until `stop` is ready: loads what is new or changed, drops what is deleted.
///
/// A file is read once it has held still for 100 ms. Files load beside each other, so that a slow one does not hold up a fast one. What
/// a deleted file offered goes on being offered while others load (30 s at most), and a file that was refused because of it takes over
/// in the same change: a replacement under another name leaves no gap.
pub fn watch_dir(
    runtime: Runtime,
    dir: PathBuf,
    registry: Registry,
    stop: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let reported = Arc::new(Notify::new());
        let mut watcher = None;
        let mut loader = Loader::new(runtime, dir.clone(), registry);
        tokio::pin!(stop);
        loop {
            if watcher.is_none() {
                // Until there is one, the look around finds what changes, and this is tried again each time.
                watcher = watch(&dir, &reported);
            }
            let around = Instant::now() + LOOK_AROUND;
            let due = loader.look(false).await.map_or(around, |due| due.min(around));
            tokio::select! {
                () = &mut stop => return,
                Some(done) = loader.finished() => loader.commit(done),
                () = reported.notified() => sleep(DEBOUNCE).await,
                () = sleep_until(due) => {}
            }
        }
    })
}

fn watch(dir: &Path, reported: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let notify = reported.clone();
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading the directory is reported too: answering that with another look would never end.
        if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
            notify.notify_one();
        }
    };
    let watcher = notify::recommended_watcher(handler).and_then(|mut watcher| {
        watcher.watch(dir, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watcher.map_err(|error| tracing::debug!(%error, "no file notifications; looking around instead")).ok()
}
