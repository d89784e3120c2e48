//! Closed-loop load: so many connections, each asking again as soon as it was answered.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::report::{microseconds, percentile};
use super::sides::Target;
use super::wire::Connection;

/// What one window of load found.
#[derive(Default)]
pub(super) struct Load {
    /// Of each exchange that was answered with 200, in microseconds, in rising order.
    pub(super) latencies: Vec<f64>,
    pub(super) failed: usize,
    elapsed: Duration,
}

impl Load {
    /// In microseconds.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        percentile(&self.latencies, share)
    }

    /// Exchanges a second.
    pub(super) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    /// A window with failures measures something else than it says.
    pub(super) fn all_passed(self) -> Result<Self> {
        if self.failed > 0 {
            bail!(
                "{} of {} requests failed; the gateway's log is target/bench/gateway.log",
                self.failed,
                self.failed + self.latencies.len()
            );
        }
        Ok(self)
    }
}

/// Asks `target` over `connections` connections until the window is over.
pub(super) async fn run(target: &Target, connections: usize, window: Duration) -> Result<Load> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(target.address).await?);
    }
    let begin = Instant::now();
    let end = begin + window;
    let tasks: Vec<_> =
        open.into_iter().map(|connection| tokio::spawn(ask_until(connection, target.plain.clone(), end))).collect();
    let mut load = Load::default();
    for task in tasks {
        let (latencies, failed) = task.await?;
        load.latencies.extend(latencies);
        load.failed += failed;
    }
    load.elapsed = begin.elapsed();
    load.latencies.sort_by(f64::total_cmp);
    Ok(load)
}

async fn ask_until(mut connection: Connection, request: Vec<u8>, end: Instant) -> (Vec<f64>, usize) {
    let (mut latencies, mut failed) = (Vec::new(), 0);
    while Instant::now() < end {
        let begin = Instant::now();
        match connection.exchange(&request, |_| {}).await {
            Ok(200) => latencies.push(microseconds(begin.elapsed())),
            Ok(_) => failed += 1,
            // The connection is of no use any more, and a closed loop without it would be another load.
            Err(_) => return (latencies, failed + 1),
        }
    }
    (latencies, failed)
}
