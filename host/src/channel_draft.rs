//! Makes and changes channels from what an operator says, checked against what the adapter's catalog declares.
//! Everything that is wrong is reported at once; nothing is stored here.

use std::{net::IpAddr, sync::Arc};

use domain::{Channel, ChannelId, ChannelModel, ChannelStatus, Origin, Provider, Secret, SecretSpec, join_base_url};
use plugin_runtime::Adapter;
use upstream::{Reach, egress};
use url::{Host, Url};

mod settings;
#[cfg(test)]
pub(crate) mod tests;

/// The group of channels and API keys whose group nobody names.
pub(crate) const DEFAULT_GROUP: &str = "default";

/// What is to become of a channel; `None` and empty lists leave things as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edit {
    /// The operator's own address; an empty text goes back to the catalog's.
    pub(crate) base_url: Option<String>,
    /// Secrets by their catalog names; an empty one is taken away.
    pub(crate) secrets: Vec<(String, Secret)>,
    /// Settings by name, as text; an empty one goes back to the schema's default.
    pub(crate) settings: Vec<(String, String)>,
    /// Models; an empty list follows the catalog.
    pub(crate) models: Option<Vec<ChannelModel>>,
    /// Groups that may use it.
    pub(crate) groups: Option<Vec<String>>,
    /// Higher goes first.
    pub(crate) priority: Option<i64>,
    /// Share inside a priority.
    pub(crate) weight: Option<u32>,
    /// Approve everything that the adapter asks for now.
    pub(crate) approve: bool,
}

impl Edit {
    /// Whether the change can only be made knowing the provider.
    pub(crate) fn needs_offer(&self) -> bool {
        self.approve
            || self.base_url.is_some()
            || self.models.is_some()
            || !self.secrets.is_empty()
            || !self.settings.is_empty()
    }
}

type CheckSettings = dyn Fn(&str) -> Result<(), Vec<String>> + Send + Sync;

/// A provider and the check of its settings, apart from the sandbox that both come from.
#[derive(Clone)]
pub(crate) struct Offer {
    /// What the catalog says.
    pub(crate) provider: Arc<Provider>,
    /// Checks a JSON object against the provider's schema; errors name the field.
    pub(crate) check_settings: Arc<CheckSettings>,
}

impl Offer {
    /// What an adapter offers.
    pub(crate) fn of(adapter: &Arc<Adapter>) -> Offer {
        let checked = Arc::clone(adapter);
        Offer {
            provider: Arc::clone(adapter.provider()),
            check_settings: Arc::new(move |json| checked.check_settings(json).map(drop)),
        }
    }
}

/// A channel of this name and provider, with nothing said about it yet. It has no number: the store gives it one.
pub(crate) fn blank(name: &str, provider: &Provider) -> Channel {
    Channel {
        id: ChannelId(0),
        name: name.to_owned(),
        provider: provider.id.clone(),
        base_url: None,
        models: Vec::new(),
        groups: vec![DEFAULT_GROUP.to_owned()],
        priority: 0,
        weight: 1,
        status: ChannelStatus::Enabled,
        settings: "{}".to_owned(),
        secrets: Default::default(),
        approval: Default::default(),
    }
}

/// The channel in the form that the store takes for a new one.
pub(crate) fn into_new(channel: Channel) -> store::NewChannel {
    let Channel {
        name, provider, base_url, models, groups, priority, weight, status, settings, secrets, approval, ..
    } = channel;
    store::NewChannel {
        name,
        provider,
        base_url,
        models,
        groups,
        priority,
        weight,
        status,
        settings,
        secrets,
        approval,
    }
}

/// Makes the change, or lists everything that is wrong and leaves the channel half changed: throw it away then.
pub(crate) fn apply(channel: &mut Channel, edit: Edit, offer: &Offer) -> Result<(), Vec<String>> {
    let provider = &*offer.provider;
    let mut errors = Vec::new();
    let fresh = channel.id == ChannelId(0);
    apply_routing(channel, &edit);
    if let Some(typed) = edit.base_url {
        set_base_url(channel, provider, &typed, &mut errors);
    }
    if fresh || edit.approve {
        approve(channel, provider, &mut errors);
    }
    set_secrets(channel, provider, edit.secrets, &mut errors);
    settings::set(channel, offer, &edit.settings, &mut errors);
    if let Some(models) = edit.models {
        for (index, model) in models.iter().enumerate() {
            if models[..index].iter().any(|other| other.public == model.public) {
                errors.push(format!("model `{}` is named twice", model.public));
            }
        }
        channel.models = models;
    }
    if channel.models.is_empty() && provider.models.is_empty() {
        errors.push(format!("the catalog of provider `{}` lists no models; name them with --models a,b", provider.id));
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Makes the part of the change that concerns no provider.
pub(crate) fn apply_routing(channel: &mut Channel, edit: &Edit) {
    if let Some(groups) = &edit.groups {
        channel.groups.clone_from(groups);
    }
    channel.priority = edit.priority.unwrap_or(channel.priority);
    channel.weight = edit.weight.unwrap_or(channel.weight);
}

fn set_secrets(channel: &mut Channel, provider: &Provider, secrets: Vec<(String, Secret)>, errors: &mut Vec<String>) {
    let mut refused = Vec::new();
    for (name, secret) in secrets {
        if !provider.secrets.iter().any(|spec| spec.name == name) {
            errors.push(unknown_secret(provider, &name));
        } else if secret.expose().is_empty() {
            channel.secrets.remove(&name);
        } else if secret.expose().contains(['\n', '\r']) {
            errors.push(format!("secret `{name}` has more than one line; a secret is one line"));
            refused.push(name);
        } else if secret.expose().chars().any(char::is_control) {
            errors.push(format!("secret `{name}` has a control character in it; was it copied whole?"));
            refused.push(name);
        } else {
            channel.secrets.insert(name, secret);
        }
    }
    let missing = |spec: &&SecretSpec| spec.required && !channel.secrets.contains_key(&spec.name);
    for spec in provider.secrets.iter().filter(missing).filter(|spec| !refused.contains(&spec.name)) {
        let of = if spec.title.is_empty() { String::new() } else { format!(" ({})", spec.title) };
        errors.push(format!(
            "provider `{}` needs the secret `{name}`{of}: --secret {name}=@FILE, or {name}=- to read it from standard input",
            provider.id,
            name = spec.name,
        ));
    }
}

/// The refusal of a secret's name.
pub(crate) fn unknown_secret(provider: &Provider, name: &str) -> String {
    let known: Vec<_> = provider.secrets.iter().map(|spec| format!("`{}`", spec.name)).collect();
    match known.as_slice() {
        [] => format!("provider `{}` takes no secret, `{name}` was given", provider.id),
        known => format!("provider `{}` has no secret `{name}`; it has {}", provider.id, known.join(", ")),
    }
}

/// Takes an address as people paste it and moves the approval of the old one to it.
fn set_base_url(channel: &mut Channel, provider: &Provider, typed: &str, errors: &mut Vec<String>) {
    let old = first_origin(provider, channel.base_url.as_deref());
    channel.base_url = Some(typed.trim().to_owned()).filter(|url| !url.is_empty());
    if provider.endpoints.is_empty() && channel.base_url.is_some() {
        errors.push(format!("provider `{}` calls no address and takes no base URL", provider.id));
        return;
    }
    channel.approval.origins.retain(|origin| Some(origin) != old.as_ref());
    channel.approval.typed_origins.clear();
    match first_origin_checked(provider, channel.base_url.as_deref()) {
        Err(error) => errors.push(error),
        Ok(origin) => {
            channel.approval.typed_origins.extend(origin.clone().filter(|_| channel.base_url.is_some()));
            channel.approval.origins.splice(0..0, origin);
        }
    }
}

/// Approves what the adapter asks for: the origins of its endpoints (the typed one in place of the first) and its placements.
fn approve(channel: &mut Channel, provider: &Provider, errors: &mut Vec<String>) {
    let typed = channel.base_url.as_deref();
    match first_origin_checked(provider, typed) {
        // When it was just set, this has been said already.
        Err(error) if !errors.contains(&error) => errors.push(error),
        Err(_) => {}
        Ok(first) => {
            let others = provider.endpoints.iter().skip(1).filter_map(|endpoint| origin_of(&endpoint.url));
            channel.approval.typed_origins = first.clone().filter(|_| typed.is_some()).into_iter().collect();
            channel.approval.origins.clear();
            for origin in first.into_iter().chain(others) {
                if !channel.approval.origins.contains(&origin) {
                    channel.approval.origins.push(origin);
                }
            }
        }
    }
    channel.approval.placements = provider.placements.clone();
}

fn origin_of(url: &str) -> Option<Origin> {
    Origin::of(&Url::parse(url).ok()?)
}

/// Whether a channel of this provider has to name an address.
pub(crate) fn needs_base_url(provider: &Provider) -> bool {
    first_origin_checked(provider, None).is_err()
}

fn first_origin(provider: &Provider, typed: Option<&str>) -> Option<Origin> {
    first_origin_checked(provider, typed).ok().flatten()
}

/// The origin that the first endpoint has with this base URL; none when the provider has no endpoint.
fn first_origin_checked(provider: &Provider, typed: Option<&str>) -> Result<Option<Origin>, String> {
    let Some(endpoint) = provider.endpoints.first() else { return Ok(None) };
    if typed.is_none() && endpoint.url.is_empty() {
        return Err(format!("provider `{}` has no address of its own; give one with --base-url URL", provider.id));
    }
    let url = join_base_url(endpoint, typed).map_err(|error| error.to_string())?;
    if url.host_str().is_some_and(egress::is_metadata_name) {
        return Err(format!("base URL `{url}`: metadata services are never called"));
    }
    let reach = if typed.is_some() { Reach::Typed } else { Reach::Public };
    if literal_address(&url).is_some_and(|ip| !egress::allowed(ip, reach)) {
        return Err(if typed.is_some() {
            format!("base URL `{url}`: metadata, link-local and unusable addresses are never called")
        } else {
            format!("provider `{}` runs at a private address; say which with --base-url, usually {url}", provider.id)
        });
    }
    Ok(Origin::of(&url))
}

/// The address that a URL spells out, as opposed to a name that is resolved when it is called.
fn literal_address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(ip.into()),
        Host::Ipv6(ip) => Some(ip.into()),
        Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => Some([127, 0, 0, 1].into()),
        Host::Domain(_) => None,
    }
}
