//! How many settlements a second the ledger commits and how long each waits, at 1, 8, 64 and 512 at a time:
//! `cargo run --release -p store --example settle_speed`.
#![expect(clippy::print_stdout, reason = "a program that prints its measurements")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{ApiKeyId, AttemptRecord, ChannelId, Fault, RequestId, TokenClass, Usage, UsageRecord};
use quota::{Ledger, Reservation};
use store::{OpenOptions, Store};

const MEASURED_FOR: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data_dir = std::env::temp_dir().join(format!("witgate-settle-speed-{}", std::process::id()));
    let options = OpenOptions { url: None, data_dir: data_dir.clone(), master_key: None, create: true };
    let store = Store::open(options).await?;
    let ledger = store.ledger();
    for waiters in [1, 8, 64, 512] {
        measure(&ledger, waiters).await?;
    }
    store.close().await;
    std::fs::remove_dir_all(data_dir)?;
    Ok(())
}

async fn measure(ledger: &Arc<dyn Ledger>, waiters: usize) -> Result<(), Box<dyn std::error::Error>> {
    let until = Instant::now() + MEASURED_FOR;
    let tasks: Vec<_> = (0..waiters).map(|_| tokio::spawn(settle_until(Arc::clone(ledger), until))).collect();
    let mut waits = Vec::new();
    for task in tasks {
        waits.extend(task.await?.map_err(|fault| fault.message)?);
    }
    waits.sort_unstable();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize];
    let rate = waits.len() as f64 / MEASURED_FOR.as_secs_f64();
    println!(
        "{waiters:>4} at a time: {rate:>8.0} records/s, p50 {:?}, p99 {:?}, worst {:?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

async fn settle_until(ledger: Arc<dyn Ledger>, until: Instant) -> Result<Vec<Duration>, Fault> {
    let mut waits = Vec::new();
    while Instant::now() < until {
        let request = RequestId(format!("req_{}", uuid::Uuid::now_v7().simple()));
        let started = Instant::now();
        let reservation = Reservation {
            request: request.clone(),
            api_key: ApiKeyId(1),
            model: "fast".to_owned(),
            input_tokens: 100,
            output_tokens: 100,
        };
        let reserved = ledger.reserve(reservation).await?;
        ledger.settle(reserved, record(request)).await?;
        waits.push(started.elapsed());
    }
    Ok(waits)
}

fn record(request: RequestId) -> UsageRecord {
    let attempt = AttemptRecord {
        channel: ChannelId(1),
        channel_name: "main".to_owned(),
        fault: String::new(),
        upstream_status: 200,
        elapsed_ms: 400,
    };
    UsageRecord {
        request,
        api_key: ApiKeyId(1),
        operation: "chat".to_owned(),
        model: "fast".to_owned(),
        upstream_model: "vendor-fast-2026-01-01".to_owned(),
        provider: "vendor".to_owned(),
        channel: Some(ChannelId(1)),
        plugin_version: "1.2.3".to_owned(),
        plugin_digest: "ab".repeat(32),
        streaming: true,
        usage: Usage { counts: [(TokenClass::Input, 1200), (TokenClass::Output, 300)].into(), estimated: false },
        fault: String::new(),
        attempts: vec![attempt],
        losses: Vec::new(),
        started_ms: 1_700_000_000_000,
        first_token_ms: Some(80),
        total_ms: 900,
    }
}
