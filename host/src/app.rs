//! What a handler may reach.

use std::sync::Arc;

use auth::KeyHasher;
use exchange::Rooms;
use tokio_util::sync::CancellationToken;

/// Handles, one line each; built once by `serve`.
pub(crate) struct App {
    /// The rooms an exchange runs in.
    pub(crate) rooms: Arc<Rooms>,
    /// Turns a presented key into its stored form.
    pub(crate) hasher: KeyHasher,
    /// The largest request body, bytes.
    pub(crate) body_limit: usize,
    /// Cancelled as soon as the process is asked to stop.
    pub(crate) stop: CancellationToken,
}

impl App {
    /// Whether the process is about to end: load balancers should look elsewhere.
    pub(crate) fn stopping(&self) -> bool {
        self.stop.is_cancelled()
    }
}
