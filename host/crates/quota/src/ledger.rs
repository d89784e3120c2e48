//! The ledger's door: reserve before the upstream is called, settle (or release) exactly once after it.

use async_trait::async_trait;
use domain::{ApiKeyId, Fault, RequestId, UsageRecord};

/// What an exchange may cost at worst.
#[derive(Clone, Debug)]
pub struct Reservation {
    /// Names the exchange.
    pub request: RequestId,
    /// Whose key pays.
    pub api_key: ApiKeyId,
    /// The name the client used.
    pub model: String,
    /// Counted input, tokens.
    pub input_tokens: u32,
    /// The most the answer may be, tokens.
    pub output_tokens: u32,
}

/// Proof of a reservation; consumed by `settle`, so that nothing is settled twice.
#[derive(Debug)]
pub struct Reserved {
    /// Names the exchange.
    pub request: RequestId,
}

/// Who keeps the accounts. Implemented by the store; a test may keep them in memory.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Sets the worst-case cost aside. Durable when it returns.
    async fn reserve(&self, reservation: Reservation) -> Result<Reserved, Fault>;

    /// Writes the usage record and, with it, the final cost. Durable when it returns.
    async fn settle(&self, reserved: Reserved, record: UsageRecord) -> Result<(), Fault>;
}
