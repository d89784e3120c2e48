//! A guest that goes too far is stopped with a reason, and the next exchange knows nothing of it.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use domain::FaultCode;
use plugin_runtime::machine::Event;

use crate::stage::{NOW, Stage, ask, open, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_goes_too_far_is_stopped_with_a_reason() {
    let stage = Stage::with(|options| options.step_wall = Duration::from_secs(2));
    let probe = stage.probe().await;
    for (model, reason) in [
        ("loop", "50 ms of CPU"),
        ("loop-in-constructor", "50 ms of CPU"),
        ("flood", "50 ms of CPU"),
        ("allocate", "bytes of memory, the limit is 67108864"),
        ("recurse", "call stack exhausted|out of bounds memory access"),
        ("panic", "unreachable"),
        ("panic-in-constructor", "unreachable"),
        ("exit", "exit"),
        ("abort", "unreachable"),
        ("sleep", "took longer than 2000 ms"),
        ("many-effects", "bytes of memory"),
        ("5000-effects", "5000 effects, the limit is 4096"),
        // Filling 40 MB is work too: on a slow machine that limit is met first.
        ("long-text", "too much data|50 ms of CPU"),
        ("many-values", "more than 1024 values"),
        ("hash-without-end", "hashed or encoded more than|50 ms of CPU"),
    ] {
        let fault = ask(&probe, model).await.expect_err(model);
        assert_eq!(fault.code, FaultCode::AdapterBroken, "{model}");
        assert_eq!(fault.message, "the adapter for this model failed", "{model}");
        let detail = fault.detail.unwrap_or_default();
        assert!(reason.split('|').any(|reason| detail.contains(reason)), "{model}: {detail}");
        // It may quote what a user said: only the plugin's own log has it, when it is on.
        assert!(!detail.contains("panicked, as it was told") && !detail.contains("of the probe panicked"), "{detail}");
        assert!(detail.len() < 4200, "{model}: {} bytes", detail.len());
        assert!(ask(&probe, "hello").await.unwrap().contains("start 1 at"), "after {model}");
    }
    assert_eq!(open(&probe, "4096-effects").await.unwrap().step(NOW, vec![Event::Start]).await.unwrap().len(), 4096);
}

#[tokio::test]
async fn a_guest_that_failed_stays_dead() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    let mut guest = open(&probe, "late-loop").await.unwrap();
    assert!(start(&mut guest).await.is_ok());
    assert!(guest.step(NOW, vec![Event::Abandoned]).await.is_err());
    let again = guest.step(NOW, vec![Event::Abandoned]).await.unwrap_err();
    assert!(again.detail.unwrap().contains("after it had failed"));
}

#[tokio::test]
async fn a_step_that_was_given_up_kills_its_guest_only() {
    let stage = Stage::with(|options| options.step_cpu = Duration::from_secs(60));
    let probe = stage.probe().await;
    let mut guest = open(&probe, "loop").await.unwrap();
    let given_up = tokio::time::timeout(Duration::from_millis(20), guest.step(NOW, vec![Event::Start])).await;
    assert!(given_up.is_err());
    assert!(guest.step(NOW, Vec::new()).await.is_err());
    assert!(ask(&probe, "hello").await.is_ok());
}

#[tokio::test(flavor = "current_thread")]
async fn a_guest_that_loops_lets_others_run_on_its_thread() {
    static BEATS: AtomicU32 = AtomicU32::new(0);
    let stage = Stage::new();
    let probe = stage.probe().await;
    let heart = tokio::spawn(async {
        loop {
            BEATS.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let mut guest = open(&probe, "loop").await.unwrap();
    let before = BEATS.load(Ordering::Relaxed);
    assert!(start(&mut guest).await.is_err());
    heart.abort();
    let beats = BEATS.load(Ordering::Relaxed) - before;
    assert!(beats >= 10, "others ran {beats} times while the guest used up its 50 ms");
}

#[tokio::test]
async fn a_full_pool_overflows_and_then_refuses() {
    let stage = Stage::with(|options| options.instances = 2);
    assert!(stage.runtime.pooled());
    let probe = stage.probe().await;
    let mut guests = Vec::new();
    for number in 0..4 {
        let mut guest = open(&probe, "hello").await.unwrap_or_else(|fault| panic!("guest {number}: {fault:?}"));
        assert!(start(&mut guest).await.is_ok(), "guest {number}");
        guests.push(guest);
    }
    let fault = open(&probe, "hello").await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unavailable);
    assert!(fault.retry_after.is_some());
    for mut guest in guests.drain(..) {
        assert!(guest.step(NOW, Vec::new()).await.is_ok());
    }
    assert!(ask(&probe, "hello").await.is_ok());
}

#[tokio::test]
async fn without_address_space_for_a_pool_guests_run_outside_one() {
    let stage = Stage::with(|options| options.instances = 1_000_000);
    assert!(!stage.runtime.pooled());
    let probe = stage.probe().await;
    assert!(ask(&probe, "hello").await.is_ok());
    assert!(ask(&probe, "loop").await.unwrap_err().detail.unwrap().contains("50 ms of CPU"));
}
