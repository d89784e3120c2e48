//! What a new build must pass before it serves: the fixtures that its author packed into it, run by whoever knows how to.

use std::{fmt, sync::Arc, time::Duration};

use tokio::time::timeout;

use crate::{Adapter, LoadError};

/// The custom section of a component file that holds packed fixtures. The runtime does not look into it.
pub const FIXTURES_SECTION: &str = "witgate:fixtures";

/// Runs packed fixtures. Called for a build that carries some, after its catalog was read and before it serves; a build that fails is
/// refused, and the last good one stays.
#[async_trait::async_trait]
pub trait Trial: Send + Sync {
    /// Runs what the section holds against the adapters of the component, and says what went wrong.
    async fn run(&self, adapters: &[Arc<Adapter>], fixtures: &[u8]) -> Result<(), String>;
}

impl fmt::Debug for dyn Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trial")
    }
}

/// Runs a trial within its time.
pub(crate) async fn pass(
    trial: &dyn Trial,
    adapters: &[Arc<Adapter>],
    fixtures: &[u8],
    wall: Duration,
) -> Result<(), LoadError> {
    match timeout(wall, trial.run(adapters, fixtures)).await {
        Ok(passed) => passed.map_err(LoadError::Fixtures),
        Err(_) => Err(LoadError::Fixtures(format!("they took longer than {} ms", wall.as_millis()))),
    }
}
