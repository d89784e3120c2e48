//! What the flows offer: one provider each, with the secrets and places that its shape needs.

use serde_json::{Value, json};
use witgate_sdk::{Catalog, Provider};

/// The catalog.
pub(crate) struct Flows;

impl Catalog for Flows {
    fn providers() -> Vec<Provider> {
        let key = || json!([{"name": "key", "title": "API key"}]);
        let bearer = || json!([{"endpoint": "api", "in": "bearer"}]);
        let split =
            |parts: Value| json!([{"name": "key", "title": "Key", "split": {"separator": "|", "parts": parts}}]);
        let authorization = || json!([{"endpoint": "api", "in": "header", "name": "authorization"}]);
        let pair = || split(json!([{"name": "id", "public": true}, {"name": "secret"}]));
        vec![
            provider("flow-poll", json!({"secrets": key(), "placements": bearer()})),
            provider("flow-task", json!({"secrets": key(), "placements": bearer()})),
            provider(
                "flow-token-jwt",
                json!({
                    "secrets": [{"name": "key", "title": "Service account, JSON", "split": {"json": true, "parts": [
                        {"name": "client_email", "pointer": "/client_email", "public": true},
                        {"name": "private_key", "pointer": "/private_key"}]}}],
                    "placements": [{"endpoint": "api", "in": "bearer"}, {"endpoint": "api", "in": "form", "name": "assertion"}],
                    "grants": [{"name": "access", "title": "OAuth access token"}],
                }),
            ),
            provider(
                "flow-token-key",
                json!({
                    "secrets": split(json!([{"name": "id"}, {"name": "secret"}])),
                    "placements": [
                        {"endpoint": "api", "in": "query", "name": "client_id"},
                        {"endpoint": "api", "in": "query", "name": "client_secret"},
                        {"endpoint": "api", "in": "query", "name": "access_token"}],
                    "grants": [{"name": "access"}],
                }),
            ),
            provider(
                "flow-sigv4",
                json!({"secrets": split(json!([{"name": "id", "public": true}, {"name": "secret"}, {"name": "region", "public": true}])),
                    "placements": authorization(), "whole_body": true,
                    "endpoints": [{"name": "api", "url": "https://runtime.{region}.flow.example"}]}),
            ),
            provider("flow-tc3", json!({"secrets": pair(), "placements": authorization(), "whole_body": true})),
            provider("flow-bce", json!({"secrets": pair(), "placements": authorization()})),
            provider(
                "flow-jwt",
                json!({"secrets": [{"name": "key", "title": "Key", "split": {"separator": ".", "parts":
                    [{"name": "id", "public": true}, {"name": "secret"}]}}], "placements": bearer()}),
            ),
            provider(
                "flow-socket",
                json!({
                    "secrets": split(json!([{"name": "app_id", "public": true}, {"name": "api_secret"}, {"name": "api_key", "public": true}])),
                    "placements": [{"endpoint": "api", "in": "query", "name": "authorization"}],
                }),
            ),
            provider(
                "flow-array",
                json!({"secrets": key(), "placements": [{"endpoint": "api", "in": "query", "name": "key"}]}),
            ),
            provider("flow-files", json!({"secrets": key(), "placements": bearer()})),
            provider(
                "flow-forms",
                json!({"secrets": pair(), "placements": [
                    {"endpoint": "api", "in": "basic"}, {"endpoint": "api", "in": "form", "name": "api_secret"}]}),
            ),
            provider(
                "flow-account",
                json!({"secrets": key(), "placements": bearer(),
                    "operations": ["embeddings", "balance", "models", "count-tokens"],
                    "models": [{"id": "flow-embed"}]}),
            ),
        ]
    }
}

/// A descriptor of what all have, and what this one has beside it.
fn provider(id: &str, own: Value) -> Provider {
    let mut descriptor = json!({
        "title": id,
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": [{"name": "api", "url": format!("https://api.{id}.example")}],
        "operations": ["chat"],
        "settings": {"type": "object", "properties": {}, "additionalProperties": false},
        "models": [{"id": "flow-1", "context": 8192}],
    });
    if let (Some(all), Value::Object(own)) = (descriptor.as_object_mut(), own) {
        all.extend(own);
    }
    Provider::new(id, descriptor.to_string())
}
