//! What an exchange may reach, and the limits it keeps.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use plugin_runtime::Registry;
use quota::{Ledger, Parking};
use routing::Table;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use upstream::Upstream;

use crate::{chosen::Ready, grants::Grants};

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
    /// Where exchanges wait that take minutes.
    pub parking: Arc<dyn Parking>,
    /// Access tokens that adapters obtained, by channel.
    pub grants: Grants,
    /// Channels made ready for their adapters.
    pub ready: Ready,
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
    /// Upstream requests of one exchange that are in flight at once.
    pub in_flight: usize,
    /// From the request's arrival to the end of an exchange that was parked.
    pub parked_total: Duration,
    /// The largest file that is fetched for a client, bytes.
    pub media_max: usize,
    /// All files of one exchange together, bytes.
    pub media_total: usize,
    /// What an adapter may emit for one answer, bytes.
    pub answer_max: usize,
    /// Origins with private addresses from which files of clients may be fetched all the same.
    pub media_origins: Vec<domain::Origin>,
    /// Messages, or inputs to embed, of one request.
    pub messages_max: usize,
    /// The most that one class of usage of one exchange is believed to be.
    pub usage_max: u32,
    /// How long one exchange may be inside its adapter, all steps together.
    pub guest_total: Duration,
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
            requests: 64,
            in_flight: 4,
            parked_total: Duration::from_secs(86_400),
            media_max: 20 << 20,
            media_total: 100 << 20,
            answer_max: 64 << 20,
            media_origins: Vec::new(),
            messages_max: 20_000,
            usage_max: 10_000_000,
            guest_total: Duration::from_secs(10),
            reserve_output_tokens: 4_096,
            held_over: 64 * 1024,
            text_max: 10 * 1024 * 1024,
            stall: Duration::from_secs(60),
            upstream: upstream::Limits::default(),
        }
    }
}
