//! Streams: how soon the first token comes, how evenly the others follow, and many held open at once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::report::{microseconds, percentile};
use super::sides::Target;
use super::wire::Connection;

/// When the tokens of streams came, in microseconds, in rising order.
pub(super) struct Pace {
    firsts: Vec<f64>,
    gaps: Vec<f64>,
}

impl Pace {
    /// From the request to the first token.
    pub(super) fn first(&self, share: f64) -> f64 {
        percentile(&self.firsts, share)
    }

    /// From one token to the next.
    pub(super) fn gap(&self, share: f64) -> f64 {
        percentile(&self.gaps, share)
    }
}

/// Streams on one keep-alive connection.
pub(super) async fn one_after_the_other(target: &Target, count: usize) -> Result<Pace> {
    let mut connection = Connection::open(target.address).await?;
    let mut pace = Pace { firsts: Vec::new(), gaps: Vec::new() };
    for _ in 0..count {
        let begin = Instant::now();
        let mut arrivals = Vec::new();
        let mut done = false;
        let status = connection.exchange(&target.stream, |piece| {
            arrivals.push(Instant::now());
            done |= piece.windows(6).any(|window| window == b"[DONE]");
        });
        let status = status.await.with_context(|| format!("a stream through {}", target.name))?;
        if status != 200 || !done {
            bail!("a stream through {} was answered with {status}, whole: {done}", target.name);
        }
        pace.firsts.extend(arrivals.first().map(|first| microseconds(first.duration_since(begin))));
        // The last pieces come together with the end, unpaced.
        let paced = &arrivals[..arrivals.len().min(super::vendor::TOKENS)];
        pace.gaps.extend(paced.windows(2).map(|pair| microseconds(pair[1].duration_since(pair[0]))));
    }
    pace.firsts.sort_by(f64::total_cmp);
    pace.gaps.sort_by(f64::total_cmp);
    Ok(pace)
}

/// Opens so many streams that do not end, and returns once each has its first token and they have settled. They close when dropped.
pub(super) async fn hold(target: &Target, count: usize) -> Result<Vec<Connection>> {
    let mut held = Vec::with_capacity(count);
    for number in 0..count {
        let mut connection = Connection::open(target.address).await?;
        let head = connection.ask(&target.hold).await?;
        if head.status != 200 {
            bail!("stream {number} was answered with {}", head.status);
        }
        connection.wait_for_body().await?;
        held.push(connection);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(held)
}
