//! Follows the files of one directory: sees which changed and hold still, loads them, and swaps what they offer.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use crate::{
    Adapter, LoadError, PluginState, Registry, Runtime,
    compile::blocking,
    directory::{Stamp, list},
    entry::{FileEntry, announce_changes, status},
    load::{load, read},
    plugin_log::{PluginLog, one_line},
    registry::Table,
};

/// How long a file must hold still before it is read: one that is being copied must not be judged half way.
pub(crate) const SETTLE: Duration = Duration::from_millis(100);

/// How long a file that is gone goes on serving, at most, while others load: one of them may be its replacement under another name.
const SUCCESSION: Duration = Duration::from_secs(30);

/// How long until a file that could not be read is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// The only writer of a registry.
pub(crate) struct Loader {
    runtime: Runtime,
    dir: PathBuf,
    registry: Registry,
    /// Files that changed: what they looked like, and since when.
    sightings: HashMap<String, (Stamp, Instant)>,
    /// Files that are gone, and since when: `rm` and `cp` in a row is a replacement.
    missing: HashMap<String, Instant>,
    /// Files that could not be read, and when to try again.
    retries: HashMap<String, Instant>,
    busy: HashSet<String>,
    loads: JoinSet<Prepared>,
    unreadable: bool,
}

/// A finished load.
pub(crate) struct Prepared {
    pub(crate) file: String,
    stamp: Stamp,
    outcome: Outcome,
}

enum Outcome {
    /// The bytes are those that serve already.
    Same,
    /// The file changed while it was read.
    Moved,
    Loaded(Vec<Arc<Adapter>>),
    Refused {
        error: LoadError,
        digest: String,
    },
}

impl Loader {
    pub(crate) fn new(runtime: Runtime, dir: PathBuf, registry: Registry) -> Loader {
        Loader {
            runtime,
            dir,
            registry,
            sightings: HashMap::new(),
            missing: HashMap::new(),
            retries: HashMap::new(),
            busy: HashSet::new(),
            loads: JoinSet::new(),
            unreadable: false,
        }
    }

    /// Loads everything once. Of two files that offer one provider, one that `served` before keeps it, else the first by name.
    pub(crate) async fn first(&mut self, served: &[String]) {
        let give_up = Instant::now() + Duration::from_secs(5);
        loop {
            let due = self.look(true).await;
            if due.is_none_or(|due| due > give_up) {
                break;
            }
            tokio::time::sleep(SETTLE).await;
        }
        let mut prepared = Vec::new();
        while let Some(done) = self.loads.join_next().await {
            prepared.extend(done);
        }
        prepared.sort_by_cached_key(|done| (!served.contains(&done.file), done.file.clone()));
        for done in prepared {
            self.commit(done);
        }
    }

    /// Looks at the directory, starts loads of files that changed and hold still, and forgets files that are gone. Returns when the next
    /// look is due, when something does not hold still yet. `trusting` takes a file that has not changed for a second at its word.
    pub(crate) async fn look(&mut self, trusting: bool) -> Option<Instant> {
        let dir = self.dir.clone();
        let listed = blocking(move || Ok(list(&dir))).await.unwrap_or_else(|error| Err(error.to_string()));
        let stamps = match listed {
            Ok(stamps) => stamps,
            Err(reason) => {
                // A directory that cannot be read (an unmounted volume) says nothing about its files: what serves goes on serving.
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::warn!(dir = %self.dir.display(), reason, "the plugins directory cannot be read");
                }
                return None;
            }
        };
        self.unreadable = false;
        let (now, table) = (Instant::now(), self.registry.table());
        let present: HashSet<String> = stamps.iter().map(|(file, _)| file.clone()).collect();
        self.sightings.retain(|file, _| present.contains(file));
        let mut due: Option<Instant> = None;
        for (file, stamp) in stamps {
            if self.retries.get(&file).is_some_and(|again| now < *again) {
                continue;
            }
            if self.busy.contains(&file) || table.files.get(&file).is_some_and(|entry| entry.stamp == Some(stamp)) {
                self.sightings.remove(&file);
                continue;
            }
            let sighting = self.sightings.entry(file.clone()).or_insert((stamp, now));
            if sighting.0 != stamp {
                *sighting = (stamp, now);
            }
            let settled = sighting.1 + SETTLE;
            if now >= settled || (trusting && stamp.is_old()) {
                self.sightings.remove(&file);
                self.retries.remove(&file);
                self.begin(file, stamp, &table);
            } else {
                due = Some(due.map_or(settled, |due: Instant| due.min(settled)));
            }
        }
        let gone = self.forget_missing(&present, &table, now);
        due.into_iter().chain(gone).min()
    }

    /// The next load that is finished; none when there is none.
    pub(crate) async fn finished(&mut self) -> Option<Prepared> {
        self.loads.join_next().await?.ok()
    }

    /// Drops files that stay gone, once nothing that loads could take their place. Returns when the next one may be dropped.
    fn forget_missing(&mut self, present: &HashSet<String>, table: &Table, now: Instant) -> Option<Instant> {
        self.missing.retain(|file, _| !present.contains(file));
        let gone = table.files.keys().filter(|file| !present.contains(*file) && !self.busy.contains(*file));
        for file in gone {
            self.missing.entry(file.clone()).or_insert(now);
        }
        let loading = !self.busy.is_empty() || !self.sightings.is_empty();
        let patience = if loading { SUCCESSION } else { SETTLE };
        let sure: Vec<String> =
            self.missing.iter().filter(|(_, since)| now >= **since + patience).map(|(file, _)| file.clone()).collect();
        if !sure.is_empty() {
            self.remove(&sure);
        }
        for file in &sure {
            self.missing.remove(file);
        }
        self.missing.values().map(|since| *since + patience).min()
    }

    fn begin(&mut self, file: String, stamp: Stamp, table: &Table) {
        let known = table.files.get(&file);
        let log = known.map(|entry| entry.log.clone());
        let log = log.unwrap_or_else(|| Arc::new(PluginLog::of(&file, self.runtime.options().keep_log)));
        let serving = known.filter(|entry| !entry.adapters.is_empty()).map(|entry| entry.status.digest.clone());
        if known.is_none() {
            let entry = FileEntry {
                status: status(&file, &[], PluginState::Loading, String::new()),
                adapters: Vec::new(),
                stamp: None,
                waiting: Vec::new(),
                log: log.clone(),
            };
            self.registry.update(|table| drop(table.files.insert(file.clone(), entry)));
        }
        self.busy.insert(file.clone());
        let (runtime, path) = (self.runtime.clone(), self.dir.join(&file));
        self.loads.spawn(async move {
            let name = file.clone();
            // In a task of its own: should a check panic, the file is refused and the loader goes on.
            let prepared = tokio::spawn(async move { prepare(&runtime, &name, &path, stamp, serving, log).await });
            let outcome = prepared.await.unwrap_or_else(|error| Outcome::Refused {
                error: LoadError::Compile(format!("the loader failed: {error}")),
                digest: String::new(),
            });
            Prepared { file, stamp, outcome }
        });
    }

    /// Swaps in what was loaded, or notes why it was not.
    pub(crate) fn commit(&mut self, done: Prepared) {
        let Prepared { file, stamp, outcome } = done;
        self.busy.remove(&file);
        match outcome {
            Outcome::Moved => {}
            Outcome::Same => self.keep(&file, stamp),
            Outcome::Refused { error, digest } => {
                if error.transient() {
                    self.retries.insert(file.clone(), Instant::now() + RETRY);
                }
                let judged = (!error.transient()).then_some(stamp);
                self.refuse(&file, judged, &error, &digest, Vec::new());
            }
            Outcome::Loaded(adapters) => self.offer(&file, stamp, adapters),
        }
    }

    fn offer(&mut self, file: &str, stamp: Stamp, adapters: Vec<Arc<Adapter>>) {
        let table = self.registry.table();
        if let Some((provider, holder)) = table.conflict(file, &adapters) {
            let digest = adapters.first().map_or_else(String::new, |adapter| adapter.digest().to_owned());
            self.refuse(file, Some(stamp), &LoadError::Conflict { provider, holder }, &digest, adapters);
            return;
        }
        let log = table.files.get(file).map(|entry| entry.log.clone()).unwrap_or_default();
        let status = status(file, &adapters, PluginState::Serving, String::new());
        let entry = FileEntry { status, adapters, stamp: Some(stamp), waiting: Vec::new(), log };
        self.swap(|table| drop(table.files.insert(file.to_owned(), entry)));
    }

    /// Changes what is offered. Files that wait for what that leaves without a holder are taken in by the same change, so that no
    /// exchange finds the provider missing in between.
    fn swap(&self, change: impl FnOnce(&mut Table)) {
        let before = self.registry.table();
        self.registry.update(|table| {
            change(table);
            table.take_in_waiting(|file| self.missing.contains_key(file));
        });
        announce_changes(&before, &self.registry.table());
    }

    /// The file holds what serves: a copy of the same bytes, or a good version that was put back.
    fn keep(&mut self, file: &str, stamp: Stamp) {
        let recovered = self.registry.table().files.get(file).is_some_and(|e| e.status.state != PluginState::Serving);
        let change = |table: &mut Table| {
            if let Some(entry) = table.files.get_mut(file) {
                entry.stamp = Some(stamp);
                entry.waiting.clear();
                if recovered {
                    entry.status = status(file, &entry.adapters, PluginState::Serving, String::new());
                }
            }
        };
        if recovered { self.registry.update(change) } else { self.registry.note(change) }
    }

    /// `waiting`: what was loaded and may serve as soon as nobody else holds it.
    fn refuse(
        &mut self,
        file: &str,
        stamp: Option<Stamp>,
        error: &LoadError,
        digest: &str,
        waiting: Vec<Arc<Adapter>>,
    ) {
        let table = self.registry.table();
        let Some(entry) = table.files.get(file) else { return };
        let state = if entry.adapters.is_empty() { PluginState::Refused } else { PluginState::ServingLastGood };
        // It quotes what a guest said.
        let reason = one_line(&error.to_string());
        let mut status = status(file, &entry.adapters, state, reason);
        if entry.adapters.is_empty() {
            digest.clone_into(&mut status.digest);
        }
        let news = entry.status.reason != status.reason || entry.status.state != state;
        if news {
            tracing::warn!(file, digest, state = state.as_str(), reason = status.reason, "plugin refused");
        } else {
            status.changed_ms = entry.status.changed_ms;
        }
        let entry = FileEntry { status, stamp, waiting, ..entry.clone() };
        let change = |table: &mut Table| drop(table.files.insert(file.to_owned(), entry));
        if news { self.registry.update(change) } else { self.registry.note(change) }
    }

    fn remove(&self, files: &[String]) {
        self.swap(|table| table.files.retain(|file, _| !files.contains(file)));
    }
}

async fn prepare(
    runtime: &Runtime,
    file: &str,
    path: &Path,
    stamp: Stamp,
    serving: Option<String>,
    log: Arc<PluginLog>,
) -> Outcome {
    let (own, max) = (path.to_owned(), runtime.options().file_max);
    let wasm = blocking(move || {
        let wasm = read(&own, max);
        let still = fs::metadata(&own).is_ok_and(|meta| Stamp::of(&meta) == stamp);
        Ok(still.then_some(wasm))
    });
    match wasm.await {
        Ok(None) => Outcome::Moved,
        Err(error) | Ok(Some(Err(error))) => Outcome::Refused { error, digest: String::new() },
        Ok(Some(Ok(wasm))) if serving.as_ref() == Some(&wasm.digest) => Outcome::Same,
        Ok(Some(Ok(wasm))) => {
            let digest = wasm.digest.clone();
            match load(runtime, file, wasm, log).await {
                Ok(loaded) => Outcome::Loaded(loaded.adapters),
                Err(error) => Outcome::Refused { error, digest },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuntimeOptions;

    #[tokio::test]
    async fn a_directory_that_vanishes_is_no_deletion_of_its_files() {
        let base = tempfile::tempdir().unwrap();
        let (dir, away) = (base.path().join("plugins"), base.path().join("away"));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("x.wasm"), "garbage").unwrap();
        let mut options = RuntimeOptions::new(base.path().join("compiled"));
        options.instances = 2;
        let registry = Registry::empty();
        let mut loader = Loader::new(Runtime::new(options).unwrap(), dir.clone(), registry.clone());
        loader.first(&[]).await;
        assert_eq!(registry.plugins()[0].state, PluginState::Refused);

        fs::rename(&dir, &away).unwrap();
        assert_eq!(loader.look(false).await, None);
        assert!(loader.missing.is_empty() && registry.plugins().len() == 1);

        fs::rename(&away, &dir).unwrap();
        fs::remove_file(dir.join("x.wasm")).unwrap();
        let due = loader.look(false).await.expect("a deletion is believed after a while");
        assert_eq!(registry.plugins().len(), 1);
        tokio::time::sleep_until(due).await;
        loader.look(false).await;
        assert!(registry.plugins().is_empty());
    }
}
