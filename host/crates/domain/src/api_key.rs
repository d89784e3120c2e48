//! An API key: the credential that a client program sends.

use crate::ApiKeyId;

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It was revoked, for ever.
    Revoked,
}

/// What is known of a key. The key itself is not: only its keyed hash is stored, as the snapshot's map key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Number.
    pub id: ApiKeyId,
    /// The operator's name for it.
    pub name: String,
    /// The first characters, for people to recognize it by: `sk-AbCd`.
    pub prefix: String,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// Which channels it sees.
    pub group: String,
    /// The models it may call; `None` is all of its group.
    pub models: Option<Vec<String>>,
    /// Unix milliseconds.
    pub created_ms: i64,
}
