//! The settings of a channel, and the headers that they and the client make.

use serde_json::Value;
use witgate_sdk::{Call, Request, secret, text};

/// The version that refuses sampling parameters.
const STRICT: &str = "2026-10-21";

/// What the catalog's `settings` describe.
#[derive(Debug)]
pub(crate) struct Settings {
    version: String,
    bearer: bool,
    betas: Vec<String>,
    pub(crate) output_limit: Option<u32>,
    pub(crate) effort: Option<String>,
}

impl Settings {
    /// Reads the settings of a call. The host has checked them against the schema.
    pub(crate) fn read(call: &Call) -> Self {
        let texts = |list: &Value| -> Vec<String> {
            list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let limit = call.settings.get("default_output_limit").and_then(Value::as_u64);
        let mut settings = Settings {
            version: call.setting("version").unwrap_or("2023-06-01").to_owned(),
            bearer: call.setting("auth") == Some("bearer"),
            betas: call.settings.get("betas").map(texts).unwrap_or_default(),
            output_limit: limit.and_then(|limit| limit.try_into().ok()),
            effort: call.setting("default_effort").map(str::to_owned),
        };
        if call.settings.get("forward_betas").and_then(Value::as_bool) == Some(true) {
            let asked = call.header("anthropic-beta").into_iter().flat_map(|list| list.split(','));
            asked.map(str::trim).filter(|beta| !beta.is_empty()).for_each(|beta| settings.needs(beta));
        }
        settings
    }

    /// Adds a beta feature that the request needs.
    pub(crate) fn needs(&mut self, beta: &str) {
        if !self.betas.iter().any(|known| known == beta) {
            self.betas.push(beta.to_owned());
        }
    }

    /// Whether the API version takes `temperature`, `top_p` and `top_k`.
    pub(crate) fn samples(&self) -> bool {
        self.version.as_str() < STRICT
    }

    /// The request with the credential, the version and the beta features.
    pub(crate) fn apply(&self, request: Request) -> Request {
        let request = match self.bearer {
            true => request.bearer([secret("key")]),
            false => request.header("x-api-key", [secret("key")]),
        };
        let request = request.header("anthropic-version", [text(&self.version)]);
        match self.betas.is_empty() {
            true => request,
            false => request.header("anthropic-beta", [text(self.betas.join(","))]),
        }
    }
}
