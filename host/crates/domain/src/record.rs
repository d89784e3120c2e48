//! The usage record: the one row that an exchange leaves behind, and its attempts.

use crate::{ApiKeyId, ChannelId, RequestId, Usage};

/// One try on one channel.
#[derive(Clone, Debug)]
pub struct AttemptRecord {
    /// Which channel.
    pub channel: ChannelId,
    /// Its name then.
    pub channel_name: String,
    /// Fault code, or empty for a success.
    pub fault: String,
    /// The vendor's HTTP status, 0 when there was none.
    pub upstream_status: u16,
    /// How long it took, milliseconds.
    pub elapsed_ms: i64,
}

/// What an exchange was, what it used and how it ended. Append-only.
#[derive(Clone, Debug)]
pub struct UsageRecord {
    /// Names the request.
    pub request: RequestId,
    /// Whose key.
    pub api_key: ApiKeyId,
    /// What was asked: `chat`.
    pub operation: String,
    /// The name the client used.
    pub model: String,
    /// The name the upstream was told; empty when no attempt was made.
    pub upstream_model: String,
    /// Provider id of the last attempt.
    pub provider: String,
    /// Channel of the last attempt.
    pub channel: Option<ChannelId>,
    /// Version of the adapter that served it.
    pub plugin_version: String,
    /// SHA-256 of the component, hex.
    pub plugin_digest: String,
    /// Whether the client asked for a stream.
    pub streaming: bool,
    /// Counts.
    pub usage: Usage,
    /// Fault code, or empty for a success.
    pub fault: String,
    /// Every try, in order.
    pub attempts: Vec<AttemptRecord>,
    /// Fields that the adapter could not map.
    pub losses: Vec<String>,
    /// Unix milliseconds.
    pub started_ms: i64,
    /// Milliseconds to the first byte of the answer; `None` when there was none.
    pub first_token_ms: Option<i64>,
    /// Milliseconds to the end.
    pub total_ms: i64,
}
