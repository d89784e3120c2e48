//! Compiled components on disk. The only module with `unsafe`: running compiled code means trusting the file that it is read from.
//!
//! What makes a file trusted: it lies in a directory that only this user can enter (0700, owner checked at start), it was written there
//! by this program (a temporary file, then a rename), and its name ends in a keyed checksum over what it is and its bytes, so that a
//! damaged, swapped or half-written entry is found, deleted and compiled again. The key is in the same directory: the checksum is against accidents, not
//! against somebody who is already this user. The plugins directory is never a source of compiled code.
#![expect(
    unsafe_code,
    reason = "wasmtime cannot check compiled code; the module's text says why these files are trusted"
)]

use std::{
    ffi::OsString,
    fs::{self, DirBuilder, File, OpenOptions},
    hash::{Hash, Hasher},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use crate::RuntimeError;

/// Entries that are kept; the least recently written go first.
const ENTRIES_MAX: usize = 200;
const KEY_FILE: &str = "checksum.key";

/// The directory of compiled code.
pub(crate) struct Cache {
    dir: PathBuf,
    mac: Hmac<Sha256>,
}

/// Names one compiled component: what was compiled, and for which engine.
#[derive(Clone, Debug)]
pub(crate) struct CacheKey(String);

impl CacheKey {
    /// `digest` is the SHA-256 of the component. The engine's part covers the version of wasmtime and every setting that changes code.
    pub(crate) fn new(digest: &str, engine: &Engine) -> CacheKey {
        let mut hasher = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hex::encode(&hasher.0.finalize()[..8]);
        CacheKey(format!("{digest}-{engine}"))
    }
}

/// `Hash` gives no stable bytes except by way of a hasher.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

impl Cache {
    /// Makes the directory, or checks that it is ours alone.
    pub(crate) fn open(dir: &Path) -> Result<Cache, RuntimeError> {
        let failed = |what: String| RuntimeError::Cache { path: dir.to_owned(), what };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| failed(error.to_string()))?;
        let dir = dir.canonicalize().map_err(|error| failed(error.to_string()))?;
        let meta = fs::metadata(&dir).map_err(|error| failed(error.to_string()))?;
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(failed("it belongs to another user".to_owned()));
        }
        if meta.mode() & 0o077 != 0 {
            fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(|error| failed(error.to_string()))?;
        }
        let key = read_or_make_key(&dir.join(KEY_FILE)).map_err(|error| failed(error.to_string()))?;
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).map_err(|error| failed(error.to_string()))?;
        let cache = Cache { dir, mac };
        cache.sweep();
        Ok(cache)
    }

    /// A path in the directory that nobody else uses, now or after this process was killed.
    pub(crate) fn scratch(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("tmp-{:032x}.{ending}", rand::random::<u128>()))
    }

    /// Reads an entry for each of these engines; none when there is none that can be trusted.
    pub(crate) fn load(&self, key: &CacheKey, engines: &[&Engine]) -> Option<Vec<Component>> {
        let start = format!("{}-", key.0);
        for (path, _) in self.files(|name| name.starts_with(&start) && name.ends_with(".cwasm")) {
            match self.try_load(key, &path, engines) {
                Ok(components) => return Some(components),
                Err(reason) => {
                    tracing::warn!(entry = %path.display(), reason, "a compiled-code entry cannot be trusted; deleted");
                    let _ = fs::remove_file(&path);
                }
            }
        }
        None
    }

    fn try_load(&self, key: &CacheKey, path: &Path, engines: &[&Engine]) -> Result<Vec<Component>, String> {
        let mut file = File::open(path).map_err(|error| error.to_string())?;
        let meta = file.metadata().map_err(|error| error.to_string())?;
        if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() || meta.mode() & 0o022 != 0 {
            return Err("it is not a file of this user alone".to_owned());
        }
        let mut code = Vec::new();
        file.read_to_end(&mut code).map_err(|error| error.to_string())?;
        if path.file_name() != Some(self.name(key, &code).as_ref()) {
            return Err("its checksum does not fit".to_owned());
        }
        engines
            .iter()
            .map(|engine| {
                // SAFETY: the bytes are what `store` wrote from `Engine::precompile_component` (checked just now), in a directory that only
                // this user can write to; nobody changes an entry in place.
                unsafe { Component::deserialize_file(engine, path) }.map_err(|error| format!("{error:#}"))
            })
            .collect()
    }

    /// Keeps compiled code, which the compiler left at `from`.
    pub(crate) fn store(&self, key: &CacheKey, from: &Path) -> io::Result<()> {
        let name = self.name(key, &fs::read(from)?);
        fs::set_permissions(from, fs::Permissions::from_mode(0o600))?;
        fs::rename(from, self.dir.join(name))?;
        self.prune();
        Ok(())
    }

    fn name(&self, key: &CacheKey, code: &[u8]) -> OsString {
        let mut mac = self.mac.clone();
        mac.update(key.0.as_bytes());
        mac.update(code);
        format!("{}-{}.cwasm", key.0, hex::encode(mac.finalize().into_bytes())).into()
    }

    /// Deletes what a killed process left behind: scratch files that are an hour old.
    fn sweep(&self) {
        for (path, modified) in self.files(|name| name.starts_with("tmp-")) {
            if modified.elapsed().is_ok_and(|age| age.as_secs() > 3600) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn prune(&self) {
        let mut entries = self.files(|name| name.ends_with(".cwasm"));
        entries.sort_by_key(|(_, modified)| *modified);
        let surplus = entries.len().saturating_sub(ENTRIES_MAX);
        for (path, _) in &entries[..surplus] {
            // A component that is in use stays mapped.
            let _ = fs::remove_file(path);
        }
    }

    fn files(&self, wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, std::time::SystemTime)> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(&wanted))
            .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.modified().ok()?)))
            .collect()
    }
}

/// Writes a new file that only this user can read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)
}

/// Two processes that start at once end up with one key: the second finds that it cannot link its own.
fn read_or_make_key(path: &Path) -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    rand::rng().fill_bytes(&mut key);
    let scratch = path.with_file_name(format!("tmp-{:032x}.key", rand::random::<u128>()));
    write_private(&scratch, &key)?;
    let linked = fs::hard_link(&scratch, path);
    let _ = fs::remove_file(&scratch);
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => {
            let kept = fs::read(path)?;
            kept.try_into().map_err(|_| io::Error::other(format!("{} is damaged; delete it", path.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compiled(cache: &Cache, engine: &Engine, key: &CacheKey) -> PathBuf {
        let scratch = cache.scratch("cwasm");
        let code = engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
        write_private(&scratch, &code).unwrap();
        cache.store(key, &scratch).unwrap();
        cache.dir.join(cache.name(key, &code))
    }

    #[test]
    fn an_entry_is_found_again_and_a_damaged_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(&crate::runtime::config()).unwrap();
        let cache = Cache::open(&dir.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(dir.path().join("a/b")).unwrap().mode() & 0o777, 0o700);
        let key = CacheKey::new("digest", &engine);
        assert!(cache.load(&key, &[&engine]).is_none());
        let entry = compiled(&cache, &engine, &key);
        assert_eq!(cache.load(&key, &[&engine, &engine]).unwrap().len(), 2);
        assert!(Cache::open(&dir.path().join("a/b")).unwrap().load(&key, &[&engine]).is_some(), "the key is kept");

        let mut code = fs::read(&entry).unwrap();
        let middle = code.len() / 2;
        code[middle] ^= 1;
        fs::write(&entry, &code).unwrap();
        assert!(cache.load(&key, &[&engine]).is_none());
        assert!(!entry.exists(), "a damaged entry is deleted");
    }

    #[test]
    fn an_entry_is_not_taken_under_another_name_or_from_a_file_that_others_can_write() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(&crate::runtime::config()).unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        let (key, other) = (CacheKey::new("one", &engine), CacheKey::new("two", &engine));
        let entry = compiled(&cache, &engine, &key);
        let name = entry.file_name().unwrap().to_str().unwrap();
        fs::copy(&entry, cache.dir.join(name.replacen("one", "two", 1))).unwrap();
        assert!(cache.load(&other, &[&engine]).is_none());
        assert!(cache.load(&key, &[&engine]).is_some());
        fs::set_permissions(&entry, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(cache.load(&key, &[&engine]).is_none());
    }

    #[test]
    fn caches_that_are_opened_at_once_share_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let path = dir.path().join(KEY_FILE);
            let made: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn({
                        let path = path.clone();
                        move || read_or_make_key(&path)
                    })
                })
                .collect();
            made.into_iter().map(|key| key.join().unwrap().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_that_others_can_read_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        Cache::open(dir.path()).unwrap();
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn only_the_newest_entries_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let engine = Engine::new(&crate::runtime::config()).unwrap();
        let cache = Cache::open(dir.path()).unwrap();
        for number in 0..ENTRIES_MAX + 5 {
            compiled(&cache, &engine, &CacheKey::new(&number.to_string(), &engine));
        }
        assert_eq!(cache.files(|name| name.ends_with(".cwasm")).len(), ENTRIES_MAX);
    }
}
