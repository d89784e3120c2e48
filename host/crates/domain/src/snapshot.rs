//! The immutable view that the hot path reads. Rebuilt on change, swapped as a whole.

use std::{collections::HashMap, sync::Arc};

use crate::{ApiKey, Channel};

/// Channels and keys as of one revision of the database.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The database's revision counter when this was read.
    pub revision: i64,
    /// Every channel, enabled or not, ordered by id.
    pub channels: Vec<Arc<Channel>>,
    /// Keys by their keyed hash.
    pub api_keys: HashMap<[u8; 32], Arc<ApiKey>>,
}
