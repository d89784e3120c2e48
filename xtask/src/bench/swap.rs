//! Hot swaps under load: an adapter is replaced over and over while requests and streams run; none may fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::report::{Row, percentile};
use super::sides::Sides;
use super::wire::{self, Connection};
use crate::{plugins, tools};

const CONNECTIONS: usize = 8;
/// Long past the aim of one second: a swap that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(20);

/// What the swaps did.
pub(super) struct Swaps {
    /// Until an answer came from the new edition, in milliseconds, in rising order.
    live: Vec<f64>,
    answered: usize,
    pub(super) failed: usize,
}

impl Swaps {
    pub(super) fn rows(&self) -> Vec<Row> {
        let (count, slowest) = (self.live.len(), percentile(&self.live, 100.0));
        let (p50, p99) = (percentile(&self.live, 50.0), percentile(&self.live, 99.0));
        let live = format!("p50 {p50:.0} ms, p99 {p99:.0} ms, slowest {slowest:.0} ms");
        let failed = format!("{} of {}", self.failed, self.answered + self.failed);
        vec![
            Row::single("a swapped adapter is live after", live, Some(("<= 1000 ms".to_owned(), slowest <= 1000.0))),
            Row::single(
                &format!("failed requests over {count} swaps"),
                failed,
                Some(("0".to_owned(), self.failed == 0)),
            ),
        ]
    }
}

/// Counters that the load and the swaps share.
#[derive(Default)]
struct Tally {
    stop: AtomicBool,
    answered: AtomicUsize,
    failed: AtomicUsize,
}

/// Replaces `echo.wasm` by its other edition, `count` times, while half of the connections ask plainly and half stream.
///
/// The second edition has one more model: it is live when that model answers, and gone when it does not.
pub(super) async fn under_load(sides: &Sides, count: u32) -> Result<Swaps> {
    println!("    {count} swaps under load");
    let editions =
        [Path::new(plugins::PLUGINS).join("echo.wasm"), Path::new(plugins::TEST_PLUGINS).join("echo-two.wasm")];
    let ask = |model, stream| wire::chat(sides.gateway_address, &sides.key, model, stream);
    let tally = Arc::new(Tally::default());
    let load: Vec<_> = (0..CONNECTIONS)
        .map(|number| tokio::spawn(keep_asking(sides.gateway_address, ask("echo", number % 2 == 1), tally.clone())))
        .collect();
    let mut watcher = Connection::open(sides.gateway_address).await?;
    let mut live = Vec::new();
    for number in 1..=count {
        let second = number % 2 == 1;
        tools::replace(&editions[usize::from(second)], &sides.plugins.join("echo.wasm"))?;
        let begin = Instant::now();
        let expected = if second { 200 } else { 404 };
        while watcher.exchange(&ask("echo-two", false), |_| {}).await? != expected {
            if begin.elapsed() > STUCK {
                bail!("swap {number} was not live after {STUCK:?}; see target/bench/gateway.log");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        live.push(begin.elapsed().as_secs_f64() * 1000.0);
        if number % 100 == 0 {
            println!("    {number} swaps");
        }
    }
    tally.stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await?;
    }
    live.sort_by(f64::total_cmp);
    Ok(Swaps { live, answered: tally.answered.load(Ordering::Relaxed), failed: tally.failed.load(Ordering::Relaxed) })
}

async fn keep_asking(address: std::net::SocketAddr, request: Vec<u8>, tally: Arc<Tally>) {
    let streams = request.windows(13).any(|window| window == b"\"stream\":true");
    let mut connection = None;
    while !tally.stop.load(Ordering::Relaxed) {
        let passed = async {
            let mut open = match connection.take() {
                Some(open) => open,
                None => Connection::open(address).await?,
            };
            let mut body = Vec::new();
            let status = open.exchange(&request, |piece| body.extend_from_slice(piece)).await?;
            connection = Some(open);
            let whole = !streams || body.ends_with(b"data: [DONE]\n\n");
            Ok::<bool, std::io::Error>(status == 200 && whole)
        };
        let counter = if passed.await.unwrap_or(false) { &tally.answered } else { &tally.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        // The swaps are what is under test, not the ceiling of the gateway: leave it time to compile.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
