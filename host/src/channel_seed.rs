//! Channels and keys that exist without anybody adding them: those that environment variables ask for and those of built-in providers.

use std::collections::BTreeMap;

use domain::{Channel, ChannelStatus, Provider, Secret};
use plugin_runtime::Registry;
use store::{Store, StoreError};

use crate::{
    channel_draft::{self, DEFAULT_GROUP, Edit, Offer},
    config::{Config, Environment, is_own_variable},
};

pub(crate) mod report;
#[cfg(test)]
mod tests;

/// What the name of a channel made from variables starts with. People cannot give such names.
pub(crate) const ENV_PREFIX: &str = "env-";

/// Makes the channels that variables and built-in providers ask for agree with them. To be called when the server starts and when a
/// plugin arrives; calling it again changes nothing.
///
/// A channel that one of them asks for in vain (a secret is missing) is a warning in the log, not an error.
pub(crate) async fn seed(store: &Store, registry: &Registry, environment: &Environment) -> Result<(), StoreError> {
    let offers: Vec<Offer> = registry.adapters().iter().map(Offer::of).collect();
    seed_offers(store, &offers, environment).await
}

/// Imports the API keys that variables hold. One that cannot be imported is a warning in the log.
pub(crate) async fn import_api_keys(store: &Store, config: &Config) -> Result<(), StoreError> {
    for (name, key) in &config.api_keys {
        match store.import_api_key(name, key.expose(), DEFAULT_GROUP).await {
            Ok(_) => {}
            Err(StoreError::Invalid(why)) => tracing::warn!("API key from the environment left out: {why}"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where a channel comes from, for people.
pub(crate) fn source(channel: &Channel) -> &'static str {
    if channel.name.starts_with(ENV_PREFIX) { "environment" } else { "operator" }
}

async fn seed_offers(store: &Store, offers: &[Offer], environment: &Environment) -> Result<(), StoreError> {
    let channels = store.channels().await?;
    // Said at the first sight of it only: this runs again with every change of a plugin.
    for line in report::lines(offers, &channels, environment).into_iter().filter(|line| line.matter) {
        if report::is_news(&line) {
            tracing::warn!("variable {}: {}", line.variable, line.says);
        }
    }
    let claims = claims(offers, &channels);
    for offer in offers {
        let provider = &*offer.provider;
        let name = env_name(provider);
        let existing = channels.iter().find(|channel| channel.name == name);
        let changed = match wanted(provider, environment, &claims) {
            // What the variables cannot make must not go on with what an older state of them made.
            Some(wanted) => follow(offer, existing, &name, &wanted).unwrap_or_else(|_| existing.and_then(retire)),
            None => existing.and_then(retire),
        };
        if let Some(channel) = changed {
            write(store, channel).await?;
        }
        // Any channel of it will do: the operator may have renamed or disabled the one that was made.
        if provider.built_in && !channels.iter().any(|channel| channel.provider == provider.id) {
            let mut channel = channel_draft::blank(&provider.id, provider);
            match channel_draft::apply(&mut channel, Edit::default(), offer) {
                Ok(()) => write(store, channel).await?,
                Err(errors) => tracing::warn!(provider = provider.id, "no built-in channel: {}", errors.join("; ")),
            }
        }
    }
    Ok(())
}

/// The name of the channel that variables make for a provider.
pub(crate) fn env_name(provider: &Provider) -> String {
    format!("{ENV_PREFIX}{}", provider.id)
}

/// Which provider may use which variable for a secret. A catalog names variables freely, and its secrets go to its own addresses: it
/// must not take one that is ours, nor one that another provider has already.
fn claims<'a>(offers: &'a [Offer], channels: &[Channel]) -> BTreeMap<&'a str, &'a str> {
    let has_channel =
        |provider: &Provider| channels.iter().any(|channel| channel.name == env_name(provider) && !is_retired(channel));
    let (first, then): (Vec<&Provider>, Vec<&Provider>) =
        offers.iter().map(|offer| &*offer.provider).partition(|provider| has_channel(provider));
    let mut claims = BTreeMap::new();
    for provider in first.into_iter().chain(then) {
        for name in provider.env.secrets.iter().flat_map(|(_, names)| names).filter(|name| !is_own_variable(name)) {
            claims.entry(name.as_str()).or_insert(provider.id.as_str());
        }
    }
    claims
}

/// What variables say about a provider: secrets by name, and the base URL.
struct Wanted<'a> {
    variables: Vec<&'a str>,
    secrets: Vec<(String, Secret)>,
    base_url: Option<String>,
}

fn wanted<'a>(provider: &'a Provider, environment: &Environment, claims: &BTreeMap<&str, &str>) -> Option<Wanted<'a>> {
    let mut wanted = Wanted { variables: Vec::new(), secrets: Vec::new(), base_url: None };
    for (secret, names) in &provider.env.secrets {
        let ours = names.iter().filter(|name| claims.get(name.as_str()) == Some(&provider.id.as_str()));
        if let Some((name, variable)) = environment.first(ours) {
            wanted.variables.push(name);
            wanted.secrets.push((secret.clone(), Secret::new(&variable.value)));
        }
    }
    if let Some((name, variable)) = environment.first(&provider.env.base_url) {
        wanted.variables.push(name);
        wanted.base_url = Some(variable.value.clone());
    }
    (!wanted.variables.is_empty()).then_some(wanted)
}

/// The channel as the variables want it, none when it is so already. The error says why they make none.
fn follow(
    offer: &Offer,
    existing: Option<&Channel>,
    name: &str,
    wanted: &Wanted<'_>,
) -> Result<Option<Channel>, String> {
    let Wanted { secrets, base_url, .. } = wanted;
    if let Some(why) = lacking(offer, existing, wanted) {
        return Err(why);
    }
    let mut channel = existing.cloned().unwrap_or_else(|| channel_draft::blank(name, &offer.provider));
    let returning = existing.is_some() && is_retired(&channel);
    if returning {
        channel.status = ChannelStatus::Enabled;
    } else if existing.is_some_and(|old| old.base_url == *base_url && same(&old.secrets, secrets)) {
        return Ok(None);
    }
    let gone: Vec<_> =
        channel.secrets.keys().filter(|name| !secrets.iter().any(|(set, _)| set == *name)).cloned().collect();
    let mut secrets = secrets.clone();
    secrets.extend(gone.into_iter().map(|name| (name, Secret::new(""))));
    // An unchanged address keeps its approval: a newer adapter that asks for more is not approved by a new key.
    let base_url = (returning || channel.base_url != *base_url).then(|| base_url.clone().unwrap_or_default());
    let edit = Edit { secrets, base_url, ..Edit::default() };
    channel_draft::apply(&mut channel, edit, offer).map_err(|errors| errors.join("; "))?;
    Ok(Some(channel))
}

/// What the variables leave out, with advice that fits variables.
fn lacking(offer: &Offer, existing: Option<&Channel>, wanted: &Wanted<'_>) -> Option<String> {
    let provider = &*offer.provider;
    let unset = |spec: &&domain::SecretSpec| spec.required && !wanted.secrets.iter().any(|(set, _)| *set == spec.name);
    if let Some(spec) = provider.secrets.iter().find(unset) {
        let names =
            provider.env.secrets.iter().find(|(name, _)| *name == spec.name).map(|(_, names)| names.join(" or "));
        let set = names.filter(|names| !names.is_empty()).map_or_else(
            || "no variable holds that one, so add a channel with witgate channel add".to_owned(),
            |names| format!("set {names}"),
        );
        return Some(format!("the secret `{}` is missing too; {set}", spec.name));
    }
    if provider.models.is_empty() && existing.is_none_or(|channel| channel.models.is_empty()) {
        return Some(format!(
            "its catalog lists no models, so variables alone are not enough; use witgate channel add --provider {} --models A,B",
            provider.id
        ));
    }
    if wanted.base_url.is_none() && channel_draft::needs_base_url(provider) {
        let names = provider.env.base_url.join(" or ");
        return Some(if names.is_empty() {
            format!("it needs an address; use witgate channel add --provider {} --base-url URL", provider.id)
        } else {
            format!("it needs an address; set {names}")
        });
    }
    let mut channel = existing.cloned().unwrap_or_else(|| channel_draft::blank("", provider));
    channel.secrets = wanted.secrets.iter().cloned().collect();
    channel.base_url.clone_from(&wanted.base_url);
    channel_draft::missing_setting(&channel, offer).map(|setting| {
        format!(
            "its address has `{setting}` in it, which no variable holds; use witgate channel add --provider {} --setting {setting}=VALUE",
            provider.id
        )
    })
}

fn same(held: &BTreeMap<String, Secret>, set: &[(String, Secret)]) -> bool {
    held.len() == set.len() && set.iter().all(|(name, secret)| held.get(name) == Some(secret))
}

/// The channel after its variables have gone: it keeps its number and what the operator set on it, but no secret and no address. That it has
/// neither is also how it is told from one that the operator disabled.
fn retire(channel: &Channel) -> Option<Channel> {
    if is_retired(channel) {
        return None;
    }
    let mut channel = channel.clone();
    channel.status = ChannelStatus::Disabled;
    channel.secrets.clear();
    channel.base_url = None;
    let typed = std::mem::take(&mut channel.approval.typed_origins);
    channel.approval.origins.retain(|origin| !typed.contains(origin));
    Some(channel)
}

fn is_retired(channel: &Channel) -> bool {
    channel.status == ChannelStatus::Disabled && channel.secrets.is_empty() && channel.base_url.is_none()
}

/// Writes a channel and says so. A name that another process took in between is taken by an equal channel.
async fn write(store: &Store, channel: Channel) -> Result<(), StoreError> {
    let (name, status, retired) = (channel.name.clone(), channel.status, is_retired(&channel));
    let written = if channel.id.0 == 0 {
        store.add_channel(channel_draft::into_new(channel)).await.map(drop)
    } else {
        store.save_channel(&channel).await
    };
    match written {
        Ok(()) if retired => {
            tracing::warn!(channel = name, "disabled and its secrets wiped: its variables are gone or refused")
        }
        Ok(()) => {
            tracing::info!(channel = name, enabled = status == ChannelStatus::Enabled, "channel made by the server")
        }
        Err(StoreError::Conflict(why)) => tracing::debug!("{why}"),
        Err(error) => return Err(error),
    }
    Ok(())
}
