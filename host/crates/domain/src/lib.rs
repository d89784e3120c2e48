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
mod usage;

pub use api_key::{ApiKey, KeyStatus};
pub use channel::{Approval, Channel, ChannelModel, ChannelStatus};
pub use endpoint::{BaseUrlError, Origin, join_base_url};
pub use fault::{Blame, Fault, FaultCode};
pub use identity::{ApiKeyId, ChannelId, RequestId};
pub use provider::{
    EndpointSpec, EnvSpec, Model, ModelPrice, Placement, PlacementSpot, Provider, ProviderError, SecretSpec,
};
pub use record::{AttemptRecord, UsageRecord};
pub use secret::Secret;
pub use snapshot::Snapshot;
pub use usage::{TokenClass, Usage};
