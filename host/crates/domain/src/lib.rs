//! The vocabulary of the host: plain data that every room names the same way. No I/O, no wire formats, no vendor.

mod api_key;
mod channel;
mod endpoint;
mod fault;
mod identity;
mod provider;
mod record;
mod secret;
mod snapshot;
mod split;
mod template;
mod usage;

pub use api_key::{ApiKey, KeyStatus};
pub use channel::{Approval, Channel, ChannelModel, ChannelStatus};
pub use endpoint::{EndpointError, Origin, resolve_endpoint};
pub use fault::{Blame, Fault, FaultCode};
pub use identity::{ApiKeyId, ChannelId, RequestId};
pub use provider::{
    EndpointSpec, EnvSpec, GrantSpec, Model, ModelPrice, Placement, PlacementSpot, Provider, ProviderError, SecretSpec,
};
pub use record::{AttemptRecord, UsageRecord};
pub use secret::Secret;
pub use snapshot::Snapshot;
pub use split::{KeyPart, KeySplit, SplitBy, SplitError, SplitSecrets, readable_parts, split_secret, split_secrets};
pub use template::{address_variables, is_label};
pub use usage::{TokenClass, Usage};
