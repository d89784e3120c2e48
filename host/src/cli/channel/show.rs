//! How channels are shown: names of secrets, never their values.

use domain::{Channel, ChannelStatus};
use serde_json::{Value, json};

use super::{Done, table};
use crate::channel_seed::source;

/// The headings of `row`.
pub(super) const HEADINGS: &[&str] =
    &["ID", "NAME", "PROVIDER", "STATUS", "MODELS", "GROUPS", "PRIORITY", "WEIGHT", "BASE URL", "SECRETS", "FROM"];

/// Says what was done to a channel.
pub(super) fn done(channel: &Channel, what: &str, as_json: bool) -> Done {
    if as_json {
        return Ok(table::print_json(&describe(channel))?);
    }
    Ok(table::say(&format!("channel `{}` (id {}, provider {}) {what}", channel.name, channel.id, channel.provider))?)
}

/// A channel for scripts. `models` is empty when it follows the catalog.
pub(super) fn describe(channel: &Channel) -> Value {
    let texts = |origins: &[domain::Origin]| origins.iter().map(ToString::to_string).collect::<Vec<_>>();
    let models: Vec<_> =
        channel.models.iter().map(|model| json!({"public": model.public, "upstream": model.upstream})).collect();
    let placements: Vec<_> = channel
        .approval
        .placements
        .iter()
        .map(|place| json!({"endpoint": place.endpoint, "in": place.spot.as_str(), "name": place.name}))
        .collect();
    json!({
        "id": channel.id.0,
        "name": channel.name,
        "provider": channel.provider,
        "status": status(channel),
        "base_url": channel.base_url,
        "models": models,
        "groups": channel.groups,
        "priority": channel.priority,
        "weight": channel.weight,
        "settings": serde_json::from_str::<Value>(&channel.settings).unwrap_or_default(),
        "secrets": channel.secrets.keys().collect::<Vec<_>>(),
        "from": source(channel),
        "approval": {
            "origins": texts(&channel.approval.origins),
            "typed_origins": texts(&channel.approval.typed_origins),
            "placements": placements,
        },
    })
}

/// A channel for people.
pub(super) fn row(channel: &Channel) -> Vec<String> {
    let models: Vec<_> = channel
        .models
        .iter()
        .map(|model| {
            if model.public == model.upstream {
                model.public.clone()
            } else {
                format!("{}={}", model.public, model.upstream)
            }
        })
        .collect();
    vec![
        channel.id.to_string(),
        channel.name.clone(),
        channel.provider.clone(),
        status(channel).to_owned(),
        if models.is_empty() { "(catalog)".to_owned() } else { models.join(",") },
        channel.groups.join(","),
        channel.priority.to_string(),
        channel.weight.to_string(),
        channel.base_url.clone().unwrap_or_else(|| "-".to_owned()),
        channel.secrets.keys().cloned().collect::<Vec<_>>().join(","),
        source(channel).to_owned(),
    ]
}

fn status(channel: &Channel) -> &'static str {
    match channel.status {
        ChannelStatus::Enabled => "enabled",
        ChannelStatus::Disabled => "disabled",
    }
}
