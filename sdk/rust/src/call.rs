//! What an exchange is about: handed over once, when it opens.

use crate::{Body, Extra};

/// One client request, in the canonical form, with everything an adapter may know about it.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// As the catalog spells it: `chat`, `embeddings`, `balance`, `models`, `count-tokens`; in `grant` the name of the grant.
    pub operation: String,
    /// Which of the component's providers the channel is of.
    pub provider: String,
    /// The vendor's name of the model, after the operator's mapping.
    pub model: String,
    /// The client wants a stream.
    pub streaming: bool,
    /// The channel's settings, an object already checked against the provider's schema. Never a secret.
    pub settings: serde_json::Value,
    /// Names of the secrets that are set on the channel, the secret parts of composite keys among them.
    pub secrets: Vec<String>,
    /// The public parts of composite keys: an access key id, an app id.
    pub key_parts: Vec<(String, String)>,
    /// Where each endpoint of the catalog leads on this channel: name and URL without a trailing slash.
    pub endpoints: Vec<(String, String)>,
    /// The dialect the client speaks: `openai`.
    pub dialect: String,
    /// The few client headers an adapter may see, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Unix seconds. With `seed`, all the time and chance an adapter sees, so a replay is exact.
    pub now: u32,
    /// 32 hex digits, different in every exchange.
    pub seed: String,
    /// The client's request in OpenAI's form of the operation. Long base64 strings are short tokens that the host turns back. Empty where there
    /// is no client: grants, balances, lists of models.
    pub body: Body,
    /// The state of a park effect, when this exchange resumes a parked one.
    pub resume: Option<String>,
    /// What a newer host adds; ignore what you do not know.
    pub extras: Vec<Extra>,
}

impl Call {
    /// Whether this secret is set on the channel.
    pub fn has_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|secret| secret == name)
    }

    /// The public part of a composite key, by the name the catalog gave it; `None` when the key does not have it.
    pub fn key_part(&self, name: &str) -> Option<&str> {
        self.key_parts.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Where this endpoint leads on this channel.
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.endpoints.iter().find(|(key, _)| key == name).map(|(_, url)| url.as_str())
    }

    /// The client's header of this (lower-case) name, if an adapter may see it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A text setting; `None` when it is absent or no text.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.get(name)?.as_str()
    }
}
