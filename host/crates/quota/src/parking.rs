//! Where exchanges wait that take minutes: a vendor's task goes on while nobody holds a connection to it, also across a restart.

use async_trait::async_trait;
use domain::{ApiKeyId, ChannelId, Fault, RequestId};

/// An exchange that waits, with everything that is needed to take it up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedExchange {
    /// Names the exchange.
    pub request: RequestId,
    /// Whose key pays, and who may ask for the answer.
    pub api_key: ApiKeyId,
    /// The channel whose account the vendor's task runs under: no other can ask for it.
    pub channel: ChannelId,
    /// As the contract spells it: `chat`.
    pub operation: String,
    /// What the vendor calls the model.
    pub upstream_model: String,
    /// The client's request. Kept encrypted: it is what somebody said.
    pub body: String,
    /// The client headers that the adapter may see.
    pub headers: Vec<(String, String)>,
    /// When the request arrived, unix milliseconds.
    pub arrived_ms: i64,
    /// What the adapter wants back. Kept encrypted.
    pub state: String,
    /// When it is to be taken up, unix milliseconds.
    pub due_ms: i64,
}

/// What became of a parked exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It still runs.
    Running,
    /// The whole canonical answer, JSON.
    Answer(String),
    /// A fault: its code's text form, and the message for the client.
    Failed {
        /// Text form of the code.
        code: String,
        /// For the client.
        message: String,
    },
}

/// Who keeps parked exchanges. Implemented by the store.
#[async_trait]
pub trait Parking: Send + Sync {
    /// Keeps an exchange, or its newer state. Durable when it returns.
    async fn park(&self, parked: ParkedExchange) -> Result<(), Fault>;

    /// The exchange has ended. `outcome`: what is kept for a client that is gone; `None` when the client has it already.
    async fn unpark(&self, request: &RequestId, outcome: Option<Outcome>) -> Result<(), Fault>;

    /// Every exchange that still waits: after a restart they are taken up again.
    async fn waiting(&self) -> Result<Vec<ParkedExchange>, Fault>;

    /// What became of an exchange of this key; `None` when there is none, or its answer is not kept any more.
    async fn outcome(&self, api_key: ApiKeyId, request: &RequestId) -> Result<Option<Outcome>, Fault>;
}
