//! Settlements: durable when they return, batched, refused with a clear fault when they cannot be.

use std::{
    collections::BTreeSet,
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
};

use domain::{ApiKeyId, FaultCode, RequestId};
use quota::{Ledger, Reservation};

use crate::{open, opening::tamper, usage_record};

/// More than fit one statement.
const QUEUED: usize = 100;

fn reservation(request: &str) -> Reservation {
    Reservation {
        request: RequestId(request.to_owned()),
        api_key: ApiKeyId(3),
        model: "fast".to_owned(),
        input_tokens: 10,
        output_tokens: 20,
    }
}

async fn settle(ledger: &Arc<dyn Ledger>, request: &str) -> Result<(), domain::Fault> {
    let reserved = ledger.reserve(reservation(request)).await?;
    ledger.settle(reserved, usage_record(request)).await
}

#[tokio::test]
async fn every_field_of_a_record_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (server, command) = (open(dir.path()).await, open(dir.path()).await);
    let ledger = server.ledger();
    let mut failed = usage_record("second");
    failed.channel = None;
    failed.first_token_ms = None;
    failed.attempts.clear();
    settle(&ledger, "first").await.unwrap();
    let reserved = ledger.reserve(reservation("second")).await.unwrap();
    ledger.settle(reserved, failed.clone()).await.unwrap();

    // Another handle sees it as soon as `settle` has returned: it is committed, not only queued.
    let found = command.usage_records(10).await.unwrap();
    assert_eq!(format!("{found:?}"), format!("{:?}", [failed, usage_record("first")]));
    assert_eq!(command.usage_records(1).await.unwrap()[0].request.0, "second", "newest first");
    server.close().await;
    command.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_settlements_are_all_durable() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let ledger = store.ledger();
    let tasks: Vec<_> = (0..2_000)
        .map(|number| {
            let ledger = Arc::clone(&ledger);
            tokio::spawn(async move { settle(&ledger, &format!("request-{number}")).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    // Not closed: the process may die here.
    let second = open(dir.path()).await;
    let requests: BTreeSet<String> =
        second.usage_records(5_000).await.unwrap().into_iter().map(|record| record.request.0).collect();
    assert_eq!(requests.len(), 2_000);
    second.close().await;
    store.close().await;
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_refuses_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let ledger = store.ledger();
    let mut queued = Vec::new();
    for number in 0..QUEUED {
        let ledger = Arc::clone(&ledger);
        let mut settling = Box::pin(async move { settle(&ledger, &format!("request-{number}")).await });
        // Polled once it is in the queue, waiting for its commit.
        poll_fn(|context| Poll::Ready(settling.as_mut().poll(context).is_ready())).await;
        queued.push(settling);
    }
    store.close().await;
    let fault = settle(&ledger, "too late").await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unavailable);
    for settling in queued {
        settling.await.unwrap();
    }
    store.close().await;

    let store = open(dir.path()).await;
    assert_eq!(store.usage_records(5_000).await.unwrap().len(), QUEUED);
    store.close().await;
}

#[tokio::test]
async fn a_request_is_settled_once() {
    let twice = "req_01890a5dac96774bbcceb302099a8057";
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    settle(&store.ledger(), twice).await.unwrap();
    store.close().await;

    let store = open(dir.path()).await;
    let ledger = store.ledger();
    // In one batch with others, which are kept; more of them than fit one statement.
    let mut settling: Vec<_> = (0..QUEUED)
        .map(|number| {
            if number % 50 == 7 {
                twice.to_owned()
            } else {
                format!("req_{:032x}", 0x7000_8000_0000_0000_0000_u128 + number as u128)
            }
        })
        .map(|request| {
            let ledger = Arc::clone(&ledger);
            Box::pin(async move { settle(&ledger, &request).await })
        })
        .collect();
    for settling in &mut settling {
        poll_fn(|context| Poll::Ready(settling.as_mut().poll(context).is_ready())).await;
    }
    for settling in settling {
        settling.await.unwrap();
    }
    let mut requests: Vec<String> =
        store.usage_records(5_000).await.unwrap().into_iter().map(|record| record.request.0).collect();
    assert_eq!(requests.iter().filter(|request| *request == twice).count(), 1);
    assert_eq!(requests.len(), QUEUED - 2 + 1, "no other record is missing");
    requests.dedup();
    assert_eq!(requests.len(), QUEUED - 2 + 1);
    store.close().await;
}

#[tokio::test]
async fn an_abandoned_settlement_is_written_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let ledger = store.ledger();
    let reserved = ledger.reserve(reservation("abandoned")).await.unwrap();
    {
        let mut settling = Box::pin(ledger.settle(reserved, usage_record("abandoned")));
        tokio::select! {
            biased;
            result = &mut settling => result.unwrap(),
            () = std::future::ready(()) => {}
        }
    }
    store.close().await;
    let store = open(dir.path()).await;
    assert_eq!(store.usage_records(10).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn a_failed_write_is_told_and_the_next_one_works() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let ledger = store.ledger();
    settle(&ledger, "before").await.unwrap();
    tamper(dir.path(), "ALTER TABLE usage_records RENAME TO elsewhere").await;
    let fault = settle(&ledger, "lost").await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unavailable);
    assert!(fault.message.contains("Try again") && !fault.message.contains("usage_records"), "{}", fault.message);
    assert!(fault.detail.unwrap().contains("usage_records"));
    tamper(dir.path(), "ALTER TABLE elsewhere RENAME TO usage_records").await;
    settle(&ledger, "after").await.unwrap();
    assert_eq!(store.usage_records(10).await.unwrap().len(), 2);
    store.close().await;
}
