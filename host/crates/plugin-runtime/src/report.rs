//! What a component file is and asks for, for the person who decides whether to install it.

use std::sync::Arc;

use serde_json::Value;

use crate::{Adapter, inspect::Inspection};

/// A component file that was checked and can be loaded.
#[derive(Debug)]
pub struct PluginReport {
    /// SHA-256 of the file, hex.
    pub digest: String,
    /// The version of the contract that it was built for.
    pub contract: String,
    /// Names of everything that it imports: the list of what it is permitted.
    pub imports: Vec<String>,
    /// Names of everything that it exports.
    pub exports: Vec<String>,
    /// Whether it computes with secrets: it imports the interface that lets it.
    pub computes_with_secrets: bool,
    /// Bytes of the file.
    pub bytes: usize,
    /// WebAssembly modules inside it.
    pub core_modules: usize,
    /// Bytes of those modules.
    pub core_bytes: usize,
    /// Bytes of linear memory that one of its guests starts with.
    pub memory_minimum: u64,
    /// Bytes that its memories declare as their most; none when one of them declares nothing. The host's own limit holds anyway.
    pub memory_maximum: Option<u64>,
    /// Bytes of the fixtures packed into it; none when it carries none.
    pub fixtures: Option<usize>,
    /// What each provider of its catalog asks for, in the catalog's order.
    pub providers: Vec<ProviderReport>,
    /// The adapters, as they would be offered.
    pub adapters: Vec<Arc<Adapter>>,
}

/// What one provider asks for. More of it is in [`Adapter::provider`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReport {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// The adapter's version.
    pub version: String,
    /// The operations that it serves.
    pub operations: Vec<String>,
    /// Names of its endpoints and where they lead; an empty address is for the operator to give.
    pub endpoints: Vec<(String, String)>,
    /// Names of its secrets, and whether a channel must have them.
    pub secrets: Vec<(String, bool)>,
    /// Where values made of secrets go, one text each.
    pub placements: Vec<String>,
    /// Names of the access tokens that it obtains.
    pub grants: Vec<String>,
    /// Names of the settings that a channel can have.
    pub settings: Vec<String>,
    /// How many models its catalog lists.
    pub models: usize,
}

impl PluginReport {
    pub(crate) fn new(digest: String, inspection: Inspection, adapters: Vec<Arc<Adapter>>) -> PluginReport {
        let computes = |name: &String| name.starts_with("witgate:adapter/secrets@");
        PluginReport {
            digest,
            computes_with_secrets: inspection.imports.iter().any(computes),
            contract: inspection.built,
            imports: inspection.imports,
            exports: inspection.exports,
            bytes: inspection.bytes,
            core_modules: inspection.core_modules,
            core_bytes: inspection.core_bytes,
            memory_minimum: inspection.memory_minimum,
            memory_maximum: inspection.memory_maximum,
            fixtures: inspection.fixtures.map(|range| range.len()),
            providers: adapters.iter().map(|adapter| provider(adapter)).collect(),
            adapters,
        }
    }
}

fn provider(adapter: &Adapter) -> ProviderReport {
    let provider = adapter.provider();
    let schema: Value = serde_json::from_str(&provider.settings_schema).unwrap_or_default();
    let settings = schema.get("properties").and_then(Value::as_object);
    ProviderReport {
        id: provider.id.clone(),
        title: provider.title.clone(),
        version: provider.version.clone(),
        operations: provider.operations.clone(),
        endpoints: provider.endpoints.iter().map(|at| (at.name.clone(), at.url.clone())).collect(),
        secrets: provider.secrets.iter().map(|secret| (secret.name.clone(), secret.required)).collect(),
        placements: provider.placements.iter().map(ToString::to_string).collect(),
        grants: provider.grants.iter().map(|grant| grant.name.clone()).collect(),
        settings: settings.map(|fields| fields.keys().cloned().collect()).unwrap_or_default(),
        models: provider.models.len(),
    }
}
