//! A provider as its adapter's catalog describes it: addresses, credentials, settings, operations, models.

use std::fmt;

use crate::KeySplit;

/// A named address. Requests name the endpoint, never a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// The name that requests use: `api`.
    pub name: String,
    /// The vendor's own URL with the path that requests are appended to: `https://api.vendor.test/v1`. Its host may have variables:
    /// `https://{region}.vendor.test`. Empty when the operator must give one.
    pub url: String,
    /// Path endings that people paste into a base URL and that are cut off it.
    pub pasted: Vec<String>,
}

/// A credential that a channel holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSpec {
    /// The name that `--secret NAME=...` and the contract use.
    pub name: String,
    /// For people.
    pub title: String,
    /// Whether a channel needs it.
    pub required: bool,
    /// How a composite one falls into parts.
    pub split: Option<KeySplit>,
    /// What it looks like, for people: `ACCESS_KEY_ID|SECRET_ACCESS_KEY`. Empty when the catalog does not say.
    pub example: String,
}

/// An access token that the adapter can obtain with the channel's secrets. Requests refer to it by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSpec {
    /// The name that requests and the contract use.
    pub name: String,
    /// For people.
    pub title: String,
}

/// Where in a request an opaque value may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlacementSpot {
    /// A header's value.
    Header,
    /// A query parameter's value.
    Query,
    /// A field of an urlencoded or multipart body.
    Form,
    /// The header `authorization`, as `Bearer` and a value.
    Bearer,
    /// The header `authorization`, as `Basic` and a user with a password.
    Basic,
}

impl PlacementSpot {
    /// Every spot.
    pub const ALL: [PlacementSpot; 5] =
        [PlacementSpot::Header, PlacementSpot::Query, PlacementSpot::Form, PlacementSpot::Bearer, PlacementSpot::Basic];

    /// The text form, as catalogs spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            PlacementSpot::Header => "header",
            PlacementSpot::Query => "query",
            PlacementSpot::Form => "form",
            PlacementSpot::Bearer => "bearer",
            PlacementSpot::Basic => "basic",
        }
    }

    /// Reads the text form back.
    pub fn parse(text: &str) -> Option<PlacementSpot> {
        PlacementSpot::ALL.into_iter().find(|spot| spot.as_str() == text)
    }
}

/// A place that a catalog declares for opaque values and that the operator approves: an endpoint, a spot and a field name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Placement {
    /// Endpoint name.
    pub endpoint: String,
    /// What kind of place.
    pub spot: PlacementSpot,
    /// Field name; headers in lower case. `authorization` for bearer and basic.
    pub name: String,
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Placement { endpoint, spot, name } = self;
        match spot {
            PlacementSpot::Header | PlacementSpot::Query => write!(f, "{} `{name}`", spot.as_str())?,
            PlacementSpot::Form => write!(f, "form field `{name}`")?,
            PlacementSpot::Bearer => f.write_str("bearer token")?,
            PlacementSpot::Basic => f.write_str("basic authorization")?,
        }
        write!(f, " at endpoint `{endpoint}`")
    }
}

/// Environment variables that make a channel exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvSpec {
    /// Secret name and the variables that fill it, in order of preference.
    pub secrets: Vec<(String, Vec<String>)>,
    /// Variables that give the base URL.
    pub base_url: Vec<String>,
}

/// Prices per one million, from a day on. Decimal texts: money is never a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPrice {
    /// First day they hold, `YYYY-MM-DD`.
    pub from: String,
    /// `USD` or `CNY`.
    pub currency: String,
    /// Class name (as `TokenClass`) and decimal text per million.
    pub per_million: Vec<(String, String)>,
}

/// A model that the catalog knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// The vendor's name for it.
    pub id: String,
    /// Context window in tokens, 0 when unknown.
    pub context: u32,
    /// Most tokens of one answer, 0 when unknown.
    pub max_output: u32,
    /// What it can do: `tools`, `vision`, `reasoning`, `json`...
    pub capabilities: Vec<String>,
    /// Prices, oldest first.
    pub prices: Vec<ModelPrice>,
}

/// A vendor as its catalog describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// `[a-z0-9-]{1,40}`.
    pub id: String,
    /// For people.
    pub title: String,
    /// The vendor's documentation.
    pub docs: String,
    /// Version of the adapter.
    pub version: String,
    /// Named addresses; the first is what a base URL replaces.
    pub endpoints: Vec<EndpointSpec>,
    /// Credentials.
    pub secrets: Vec<SecretSpec>,
    /// Where opaque values may go.
    pub placements: Vec<Placement>,
    /// Access tokens that it can obtain.
    pub grants: Vec<GrantSpec>,
    /// JSON Schema of the settings, as text.
    pub settings_schema: String,
    /// `chat`, `embeddings`, `balance`... One that the host does not know is never asked for.
    pub operations: Vec<String>,
    /// Models it knows.
    pub models: Vec<Model>,
    /// Variables that make a channel exist.
    pub env: EnvSpec,
    /// The adapter needs the whole body, long base64 included (it signs it).
    pub whole_body: bool,
    /// The adapter never asks for the network: a channel of it needs no address and exists without configuration.
    pub built_in: bool,
    /// The whole descriptor, JSON, as the component gave it.
    pub descriptor: String,
}

impl Provider {
    /// The model of this id.
    pub fn model(&self, id: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.id == id)
    }

    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&EndpointSpec> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}

/// What is wrong with a descriptor, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderError {
    /// JSON pointer into the descriptor.
    pub pointer: String,
    /// What is wrong there and what is expected.
    pub what: String,
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "descriptor{}: {}", self.pointer, self.what)
    }
}

impl std::error::Error for ProviderError {}
