//! A channel: an account at a provider that an operator configured.

use std::collections::BTreeMap;

use crate::{ChannelId, Origin, Placement, Secret};

/// Whether a channel takes part in routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelStatus {
    /// It does.
    Enabled,
    /// The operator turned it off.
    Disabled,
}

/// One model of a channel: what clients call it and what the upstream calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelModel {
    /// The name that clients use.
    pub public: String,
    /// The name that the upstream is told.
    pub upstream: String,
}

/// What the operator allowed the adapter to do on this channel, fixed when the channel was made or approved again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approval {
    /// Hosts and ports that requests may go to.
    pub origins: Vec<Origin>,
    /// Origins whose addresses the operator typed: these may be private or loopback.
    pub typed_origins: Vec<Origin>,
    /// Where secrets may be placed.
    pub placements: Vec<Placement>,
    /// Access tokens that may be obtained with the channel's secrets, by name.
    pub grants: Vec<String>,
    /// Whether values may be computed from its secrets, to be placed like these.
    pub computes: bool,
    /// Parts of composite keys that the adapter may read, as [`readable_parts`](crate::readable_parts) writes them.
    pub readable: Vec<String>,
}

/// An operator-configured account: where it is, whose key it uses, which models it offers to whom.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Number.
    pub id: ChannelId,
    /// The operator's name for it, unique.
    pub name: String,
    /// Provider id; the adapter is whatever component offers it now.
    pub provider: String,
    /// The operator's own address for the provider, as typed.
    pub base_url: Option<String>,
    /// Models it offers; empty means whatever the adapter's catalog lists.
    pub models: Vec<ChannelModel>,
    /// Groups that may use it.
    pub groups: Vec<String>,
    /// Higher goes first.
    pub priority: i64,
    /// Share inside a priority, at least 1.
    pub weight: u32,
    /// Whether it takes part.
    pub status: ChannelStatus,
    /// A JSON object, checked against the provider's schema.
    pub settings: String,
    /// Credentials by the catalog's names.
    pub secrets: BTreeMap<String, Secret>,
    /// What the operator allowed.
    pub approval: Approval,
}
