//! Takes one component file through every check until it can serve, off the request path.

use std::{collections::HashSet, fs::File, io::Read, path::Path, sync::Arc};

use bytes::Bytes;
use domain::ProviderError;
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::{
    Adapter, LoadError, Runtime,
    cache::CacheKey,
    catalog::{self, PROVIDERS_MAX},
    compile::{blocking, compile},
    component::Version,
    inspect::inspect,
    machine::CatalogEntry,
    plugin_log::PluginLog,
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

/// Checks, compiles (or finds it compiled), links and tries a component.
pub(crate) async fn load(
    runtime: &Runtime,
    file: &str,
    wasm: Wasm,
    log: Arc<PluginLog>,
) -> Result<Vec<Arc<Adapter>>, LoadError> {
    let checked = wasm.bytes.clone();
    blocking(move || inspect(&checked)).await?;
    let key = CacheKey::new(&wasm.digest, &runtime.overflow().engine);
    let version = match link(runtime, file, &wasm.digest, &key, &log).await? {
        Some(version) => version,
        None => {
            compile(runtime, &key, wasm.bytes).await?;
            let linked = link(runtime, file, &wasm.digest, &key, &log).await?;
            linked.ok_or_else(|| LoadError::Cache("it could not be read back".to_owned()))?
        }
    };
    let version = Arc::new(version);
    let entries = version.catalog().await?;
    blocking(move || adapters(&version, &entries)).await
}

async fn link(
    runtime: &Runtime,
    file: &str,
    digest: &str,
    key: &CacheKey,
    log: &Arc<PluginLog>,
) -> Result<Option<Version>, LoadError> {
    let (runtime, file, digest, key) = (runtime.clone(), file.to_owned(), digest.to_owned(), key.clone());
    let log = log.clone();
    blocking(move || {
        let engines: Vec<&Engine> =
            runtime.pool().into_iter().chain([runtime.overflow()]).map(|place| &place.engine).collect();
        match runtime.cache().load(&key, &engines) {
            Some(components) => Version::link(&runtime, components, &file, &digest, log).map(Some),
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
        for (index, operation) in provider.operations.iter().enumerate() {
            if !version.exports(operation) {
                let what = format!("the component does not export the interface `{operation}`");
                return Err(wrong(ProviderError { pointer: format!("/operations/{index}"), what }));
            }
        }
        adapters.push(Arc::new(Adapter::new(provider, settings, version.clone())));
    }
    Ok(adapters)
}

/// Loads one file without offering it to anybody: `witgate plugin check FILE`.
///
/// # Errors
/// What a registry would refuse it for.
pub async fn check_file(runtime: &Runtime, path: &Path) -> Result<Vec<Arc<Adapter>>, LoadError> {
    let (own, max) = (path.to_owned(), runtime.options().file_max);
    let wasm = blocking(move || read(&own, max)).await?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    load(runtime, &name, wasm, Arc::default()).await
}
