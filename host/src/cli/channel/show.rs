//! How channels are shown: names of secrets, never their values.

use domain::{Channel, ChannelStatus};
use serde_json::{Value, json};

use super::{Done, table};
use crate::{
    channel_draft::{Offer, unapproved},
    channel_seed::source,
};

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
            "grants": channel.approval.grants,
            "readable": channel.approval.readable,
            "computes": channel.approval.computes,
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

/// Everything about a channel. `unapproved` is null when its plugin is not there to ask.
pub(super) fn whole(channel: &Channel, offer: Option<&Offer>, as_json: bool) -> Done {
    let more = offer.map(|offer| unapproved(channel, offer));
    if as_json {
        let mut shown = describe(channel);
        shown["unapproved"] = json!(more);
        return Ok(table::print_json(&shown)?);
    }
    let mut rows: Vec<Vec<String>> =
        HEADINGS.iter().zip(row(channel)).map(|(name, value)| vec![name.to_lowercase(), value]).collect();
    rows.push(vec!["settings".to_owned(), channel.settings.clone()]);
    let approval = &channel.approval;
    let mut list = |name: &str, values: Vec<String>| {
        for (index, value) in values.into_iter().enumerate() {
            rows.push(vec![if index == 0 { name.to_owned() } else { String::new() }, value]);
        }
    };
    list("may call", approval.origins.iter().map(ToString::to_string).collect());
    list("secrets in", approval.placements.iter().map(ToString::to_string).collect());
    list("access tokens", approval.grants.clone());
    list("reads", approval.readable.clone());
    list("computes", approval.computes.then(|| "with secrets".to_owned()).into_iter().collect());
    match more {
        None => list("not approved", vec!["(no plugin offers this provider now)".to_owned()]),
        Some(more) => list("not approved", more),
    }
    Ok(table::print(&["CHANNEL", &channel.name], &rows, "")?)
}

fn status(channel: &Channel) -> &'static str {
    match channel.status {
        ChannelStatus::Enabled => "enabled",
        ChannelStatus::Disabled => "disabled",
    }
}
