//! `witgate plugin check FILE`: what a component is and asks for, for the person who decides whether to install it.

use std::path::Path;

use domain::{Provider, readable_parts};
use plugin_runtime::{Adapter, Capability, PluginReport, one_line};
use serde_json::{Value, json};

use super::{Done, Failure, Sandboxes, table};
use crate::config::Config;

pub(super) async fn check(config: &Config, file: &Path, as_json: bool) -> Done {
    let sandboxes = Sandboxes::new(config)?;
    let report = match plugin_runtime::check_file(&sandboxes.runtime, file).await {
        Ok(report) => report,
        Err(error) => {
            if as_json {
                table::print_json(&json!({"file": file, "ok": false, "error": error.to_string()}))?;
            }
            return Err(Failure::new(vec![format!("{}: {}", file.display(), one_line(&error.to_string()))]));
        }
    };
    let warnings: Vec<String> = report.adapters.iter().flat_map(|adapter| unserved(adapter.provider())).collect();
    if as_json {
        return Ok(table::print_json(&describe(file, &report, &warnings))?);
    }
    table::print(&["FILE", &file.display().to_string()], &file_rows(&report), "")?;
    for adapter in &report.adapters {
        let provider = adapter.provider();
        table::say("")?;
        table::print(&["PROVIDER", &format!("{} {}", provider.id, provider.version)], &provider_rows(provider), "")?;
    }
    for warning in &warnings {
        table::remark(&format!("warning: {warning}"))?;
    }
    Ok(table::remark(&format!("{} can be loaded", file.display()))?)
}

/// Operations that the catalog lists and this host never asks for.
fn unserved(provider: &Provider) -> Vec<String> {
    let unknown = provider.operations.iter().filter(|operation| Capability::of(operation).is_none());
    unknown
        .map(|name| format!("provider `{}`: this version never asks for the operation `{name}`", provider.id))
        .collect()
}

fn file_rows(report: &PluginReport) -> Vec<Vec<String>> {
    let memory = match report.memory_maximum {
        Some(most) => format!("{} bytes at first, {most} at most", report.memory_minimum),
        None => format!("{} bytes at first, as much as the host allows at most", report.memory_minimum),
    };
    let mut rows = Rows::default();
    rows.one("size", format!("{} bytes, SHA-256 {}", report.bytes, report.digest));
    rows.one("code", format!("{} modules, {} bytes", report.core_modules, report.core_bytes));
    rows.one("memory", memory);
    rows.one("contract", report.contract.clone());
    rows.list("imports", report.imports.clone());
    rows.list("exports", report.exports.clone());
    rows.one("fixtures", report.fixtures.map_or_else(|| "none".to_owned(), |bytes| format!("{bytes} bytes, passed")));
    rows.one("computes", if report.computes_with_secrets { "with secrets" } else { "nothing with secrets" }.to_owned());
    rows.0
}

fn provider_rows(provider: &Provider) -> Vec<Vec<String>> {
    let secret = |spec: &domain::SecretSpec| {
        let optional = if spec.required { "" } else { ", optional" };
        let parts = spec.split.as_ref().map_or_else(String::new, |split| {
            let parts: Vec<_> = split.parts.iter().map(|part| part.name.as_str()).collect();
            format!(", of {}", parts.join(", "))
        });
        format!("{} ({}){optional}{parts}", spec.name, spec.title)
    };
    let endpoint = |at: &domain::EndpointSpec| {
        format!("{} {}", at.name, if at.url.is_empty() { "(the operator gives the address)" } else { &at.url })
    };
    let mut rows = Rows::default();
    rows.one("title", provider.title.clone());
    rows.one("operations", provider.operations.join(", "));
    rows.one("models", provider.models.len().to_string());
    rows.list("calls", provider.endpoints.iter().map(endpoint).collect());
    rows.list("secrets", provider.secrets.iter().map(secret).collect());
    rows.list("secrets in", provider.placements.iter().map(ToString::to_string).collect());
    rows.list(
        "access tokens",
        provider.grants.iter().map(|grant| format!("{} ({})", grant.name, grant.title)).collect(),
    );
    rows.list("reads", readable_parts(provider));
    rows.list("settings", settings(provider));
    rows.0
}

#[derive(Default)]
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn one(&mut self, name: &str, value: String) {
        self.0.push(vec![name.to_owned(), value]);
    }

    fn list(&mut self, name: &str, values: Vec<String>) {
        for (index, value) in values.into_iter().enumerate() {
            self.one(if index == 0 { name } else { "" }, value);
        }
    }
}

/// The settings that a channel can have.
fn settings(provider: &Provider) -> Vec<String> {
    let schema: Value = serde_json::from_str(&provider.settings_schema).unwrap_or_default();
    let required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
    };
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    let about = |field: &Value| {
        let title = field.get("title").or_else(|| field.get("description")).and_then(Value::as_str);
        title.map(|title| format!(" ({title})")).unwrap_or_default()
    };
    fields
        .map(|(name, field)| format!("{name}{}{}", about(field), if required(name) { ", required" } else { "" }))
        .collect()
}

fn describe(file: &Path, report: &PluginReport, warnings: &[String]) -> Value {
    let provider = |adapter: &std::sync::Arc<Adapter>| {
        let provider = adapter.provider();
        let placement = |place: &domain::Placement| json!({"endpoint": place.endpoint, "in": place.spot.as_str(), "name": place.name});
        json!({
            "id": provider.id,
            "title": provider.title,
            "version": provider.version,
            "operations": provider.operations,
            "models": provider.models.len(),
            "endpoints": provider.endpoints.iter().map(|at| json!({"name": at.name, "url": at.url})).collect::<Vec<_>>(),
            "secrets": provider.secrets.iter().map(|secret| &secret.name).collect::<Vec<_>>(),
            "placements": provider.placements.iter().map(placement).collect::<Vec<_>>(),
            "grants": provider.grants.iter().map(|grant| &grant.name).collect::<Vec<_>>(),
            "reads": readable_parts(provider),
            "settings": serde_json::from_str::<Value>(&provider.settings_schema).unwrap_or_default(),
        })
    };
    json!({
        "file": file,
        "ok": true,
        "digest": report.digest,
        "contract": report.contract,
        "imports": report.imports,
        "exports": report.exports,
        "computes_with_secrets": report.computes_with_secrets,
        "bytes": report.bytes,
        "core_modules": report.core_modules,
        "core_bytes": report.core_bytes,
        "memory_minimum": report.memory_minimum,
        "memory_maximum": report.memory_maximum,
        "fixtures": report.fixtures,
        "warnings": warnings,
        "providers": report.adapters.iter().map(provider).collect::<Vec<_>>(),
    })
}
