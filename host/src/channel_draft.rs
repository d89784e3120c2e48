//! Makes and changes channels from what an operator says, checked against what the adapter's catalog declares.
//! Everything that is wrong is reported at once; nothing is stored here.

use std::sync::Arc;

use domain::{Channel, ChannelId, ChannelModel, ChannelStatus, Provider, Secret};
use plugin_runtime::Adapter;

mod addresses;
mod approval;
mod secrets;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use addresses::{missing_setting, needs_base_url};
pub(crate) use approval::{asks_for_more, unapproved};
pub(crate) use secrets::unknown as unknown_secret;

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

type CheckSettings = dyn Fn(&str) -> Result<String, Vec<String>> + Send + Sync;

/// A provider, the check of its settings and what its component may compute, apart from the sandbox that both come from.
#[derive(Clone)]
pub(crate) struct Offer {
    /// What the catalog says.
    pub(crate) provider: Arc<Provider>,
    /// Checks a JSON object against the provider's schema and fills in its defaults; errors name the field.
    pub(crate) check_settings: Arc<CheckSettings>,
    /// Whether the component asks to compute with secrets.
    pub(crate) computes: bool,
}

impl Offer {
    /// What an adapter offers.
    pub(crate) fn of(adapter: &Arc<Adapter>) -> Offer {
        let checked = Arc::clone(adapter);
        Offer {
            provider: Arc::clone(adapter.provider()),
            check_settings: Arc::new(move |json| checked.check_settings(json)),
            computes: adapter.computes(),
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
    let change = approval::Change {
        whole: channel.id == ChannelId(0) || edit.approve,
        address: edit.base_url.is_some(),
        values: !edit.secrets.is_empty() || !edit.settings.is_empty(),
        before: addresses::origins(channel, offer),
    };
    apply_routing(channel, &edit);
    secrets::set(channel, provider, edit.secrets, &mut errors);
    settings::set(channel, offer, &edit.settings, &mut errors);
    if let Some(typed) = edit.base_url {
        channel.base_url = Some(typed.trim().to_owned()).filter(|url| !url.is_empty());
    }
    // Addresses are made of secrets and settings: complaints about what is missing in those are complaints enough.
    let complete = errors.is_empty();
    approval::follow(channel, offer, &change, complete, &mut errors);
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
