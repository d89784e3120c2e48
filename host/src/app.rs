//! What a handler may reach.

use std::sync::Arc;

use auth::KeyHasher;
use exchange::Rooms;

/// Handles, one line each; built once by `serve`.
pub(crate) struct App {
    /// The rooms an exchange runs in.
    pub(crate) rooms: Arc<Rooms>,
    /// Turns a presented key into its stored form.
    pub(crate) hasher: KeyHasher,
    /// The largest request body, bytes.
    pub(crate) body_limit: usize,
}
