//! Takes one component file through every check until it can serve, off the request path.

use std::{collections::HashSet, fs::File, io::Read, path::Path, sync::Arc};

use bytes::Bytes;
use domain::{Provider, ProviderError};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::{
    Adapter, Capability, LoadError, PluginReport, Runtime,
    cache::CacheKey,
    catalog::{self, PROVIDERS_MAX},
    compile::{blocking, compile},
    component::Version,
    contract::Generation,
    inspect::{Inspection, inspect},
    machine::CatalogEntry,
    plugin_log::PluginLog,
    trial::pass,
};

/// The bytes of a component file and their SHA-256, hex.
#[derive(Clone)]
pub(crate) struct Wasm {
    pub(crate) bytes: Bytes,
    pub(crate) digest: String,
}

/// Reads a file, up to the size limit.
pub(crate) fn read(path: &Path, max: u64) -> Result<Wasm, LoadError> {
    let failed = |error: std::io::Error| LoadError::Read(error.to_string());
    let file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let size = file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
    if size as u64 > max {
        return Err(LoadError::TooLarge { max });
    }
    let digest = hex::encode(Sha256::digest(&bytes));
    Ok(Wasm { bytes: bytes.into(), digest })
}

/// A component that passed every check.
pub(crate) struct Loaded {
    inspection: Inspection,
    pub(crate) adapters: Vec<Arc<Adapter>>,
}

/// Checks, compiles (or finds it compiled), links and tries a component.
pub(crate) async fn load(runtime: &Runtime, file: &str, wasm: Wasm, log: Arc<PluginLog>) -> Result<Loaded, LoadError> {
    let checked = wasm.bytes.clone();
    let inspection = blocking(move || inspect(&checked)).await?;
    let fixtures = inspection.fixtures.clone().map(|range| wasm.bytes.slice(range));
    let key = CacheKey::new(&wasm.digest, &runtime.overflow().engine);
    let subject = Subject { generation: inspection.generation, file, digest: &wasm.digest, key: &key, log: &log };
    let version = match link(runtime, &subject).await? {
        Some(version) => version,
        None => {
            compile(runtime, &key, wasm.bytes).await?;
            let linked = link(runtime, &subject).await?;
            // Not the cache's fault, which would be tried again: it was written just now.
            linked.ok_or_else(|| LoadError::Compile("its code does not load; the log says why".to_owned()))?
        }
    };
    let version = Arc::new(version);
    let entries = version.catalog().await?;
    let offered = version.clone();
    let adapters = blocking(move || adapters(&offered, &entries)).await?;
    if let (Some(fixtures), Some(trial)) = (fixtures, &runtime.options().trial) {
        pass(trial.as_ref(), &adapters, &fixtures, runtime.options().trial_wall).await?;
    }
    version.passed();
    Ok(Loaded { inspection, adapters })
}

/// What is linked.
struct Subject<'a> {
    generation: Generation,
    file: &'a str,
    digest: &'a str,
    key: &'a CacheKey,
    log: &'a Arc<PluginLog>,
}

async fn link(runtime: &Runtime, subject: &Subject<'_>) -> Result<Option<Version>, LoadError> {
    let (runtime, key, generation) = (runtime.clone(), subject.key.clone(), subject.generation);
    let (file, digest, log) = (subject.file.to_owned(), subject.digest.to_owned(), subject.log.clone());
    blocking(move || {
        let engines: Vec<&Engine> =
            runtime.pool().into_iter().chain([runtime.overflow()]).map(|place| &place.engine).collect();
        match runtime.cache().load(&key, &engines) {
            Some(components) => Version::link(&runtime, components, generation, &file, &digest, log).map(Some),
            None => Ok(None),
        }
    })
    .await
}

fn adapters(version: &Arc<Version>, entries: &[CatalogEntry]) -> Result<Vec<Arc<Adapter>>, LoadError> {
    if entries.is_empty() || entries.len() > PROVIDERS_MAX {
        return Err(LoadError::Shape(format!("its catalog has {} providers, not 1 to {PROVIDERS_MAX}", entries.len())));
    }
    let mut seen = HashSet::new();
    let mut adapters = Vec::new();
    for entry in entries {
        let wrong = |error: ProviderError| LoadError::Descriptor {
            provider: crate::plugin_log::cut(&entry.id, 60).to_owned(),
            error,
        };
        let (provider, settings) = catalog::parse(&entry.id, &entry.descriptor).map_err(wrong)?;
        if !seen.insert(&entry.id) {
            return Err(wrong(ProviderError { pointer: String::new(), what: "is in the catalog twice".to_owned() }));
        }
        if let Some(error) = unserved(version, &provider) {
            return Err(wrong(error));
        }
        adapters.push(Arc::new(Adapter::new(provider, settings, version.clone())));
    }
    Ok(adapters)
}

/// The first thing that a catalog promises and the component has no interface for.
fn unserved(version: &Version, provider: &Provider) -> Option<ProviderError> {
    for (index, operation) in provider.operations.iter().enumerate() {
        let pointer = format!("/operations/{index}");
        match Capability::of(operation) {
            // A newer host asks for it; this one never does.
            None => {}
            Some(capability) if !version.exports(capability) => {
                let what = format!("the component does not export the interface `{capability}`, which serves it");
                return Some(ProviderError { pointer, what });
            }
            Some(_) => {}
        }
    }
    let what = "the component does not export the interface `grant`".to_owned();
    let ungranted = !provider.grants.is_empty() && !version.exports(Capability::Grant);
    ungranted.then(|| ProviderError { pointer: "/grants".to_owned(), what })
}

/// Loads one file without offering it to anybody, its packed fixtures included: `witgate plugin check FILE`.
///
/// # Errors
/// What a registry would refuse it for.
pub async fn check_file(runtime: &Runtime, path: &Path) -> Result<PluginReport, LoadError> {
    let (own, max) = (path.to_owned(), runtime.options().file_max);
    let wasm = blocking(move || read(&own, max)).await?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let digest = wasm.digest.clone();
    let loaded = load(runtime, &name, wasm, Arc::default()).await?;
    Ok(PluginReport::new(digest, loaded.inspection, loaded.adapters))
}
