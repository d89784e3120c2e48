//! Waiting for a condition, with a deadline instead of a guess.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// How long anything in a test may take before the test fails. Generous: a busy machine must not fail a correct program.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long to wait before a condition in another process is looked at again.
const POLL: Duration = Duration::from_millis(20);

/// Polls `condition` until it holds. Panics with `what` when it does not within `deadline`.
pub async fn eventually(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < deadline, "after {deadline:?} still not: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Awaits `future` for at most [`DEADLINE`]. Panics with `what` when it takes longer.
pub async fn within<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(DEADLINE, future).await {
        Ok(value) => value,
        Err(_) => panic!("after {DEADLINE:?} still not: {what}"),
    }
}
