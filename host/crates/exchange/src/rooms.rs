//! What an exchange may reach, and the limits it keeps.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use plugin_runtime::Registry;
use quota::Ledger;
use routing::Table;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use upstream::Upstream;

/// The other rooms, built once at start.
pub struct Rooms {
    /// Loaded adapters.
    pub registry: Registry,
    /// Who offers which model; swapped as a whole on every change.
    pub table: ArcSwap<Table>,
    /// Wires to vendors.
    pub upstream: Upstream,
    /// The accounts.
    pub ledger: Arc<dyn Ledger>,
    /// Every running exchange; shutdown waits for it.
    pub tasks: TaskTracker,
    /// Cancelled when the grace period of a shutdown is over.
    pub stopping: CancellationToken,
    /// Limits of every exchange.
    pub limits: Limits,
}

/// Limits of an exchange. All have a key in the configuration.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How many channels are tried at most.
    pub attempts: usize,
    /// From the request's arrival to its end.
    pub total: Duration,
    /// A silent stream gets a comment this often.
    pub keepalive: Duration,
    /// How long the upstream may go on after the adapter said `finish`.
    pub linger: Duration,
    /// Upstream requests in one exchange.
    pub requests: usize,
    /// What is reserved for an answer when the client gives no limit, tokens.
    pub reserve_output_tokens: u32,
    /// Base64 strings in a request that are longer stay with the host, bytes.
    pub held_over: usize,
    /// The largest request body without its long base64, bytes.
    pub text_max: usize,
    /// How long a client may stop reading its stream.
    pub stall: Duration,
    /// Deadlines and caps of the wire.
    pub upstream: upstream::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            attempts: 1,
            total: Duration::from_secs(600),
            keepalive: Duration::from_secs(15),
            linger: Duration::from_secs(1),
            requests: 8,
            reserve_output_tokens: 4_096,
            held_over: 64 * 1024,
            text_max: 10 * 1024 * 1024,
            stall: Duration::from_secs(60),
            upstream: upstream::Limits::default(),
        }
    }
}
