//! Guests that loop, grow, trap, flood and sleep: the caller gets an error within the limits, everyone else notices nothing.

use std::time::{Duration, Instant};

use testkit::{Answer, Answered, GatewayBuilder};

use crate::{
    expect,
    setup::{self, Setup, question},
};

/// Models of the probe that never answer: each names what the guest does instead.
const HOSTILE: [&str; 15] = [
    "loop",
    "allocate",
    "recurse",
    "panic",
    "exit",
    "abort",
    "sleep",
    "many-effects",
    "5000-effects",
    "long-text",
    "flood",
    "many-values",
    "hash-without-end",
    "loop-in-constructor",
    "panic-in-constructor",
];

/// A gateway with the probe, and with echo for everyone else.
async fn probed(builder: GatewayBuilder) -> Setup {
    let vendor = testkit::ScriptedVendor::start().await;
    let gateway = builder.plugin("echo").plugin("probe").env("WITGATE_PLUGINS_STEP_WALL_MS", "1000").start().await;
    let models = format!("{},hello,sign", HOSTILE.join(","));
    gateway.channel("probe", "probe", &vendor.base_url(), &models).await;
    let key = gateway.key("app").await;
    Setup { gateway, vendor, key }
}

async fn hostile(setup: &Setup, model: &str, streaming: bool) -> Answered {
    let mut body = question(model);
    body["stream"] = streaming.into();
    setup.chat(&body).await
}

async fn echo_lives(setup: &Setup) {
    let answer = setup.chat(&question("echo")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn a_hostile_guest_fails_alone_and_in_time() {
    let setup = probed(setup::bare()).await;
    for model in HOSTILE {
        for streaming in [false, true] {
            let begun = Instant::now();
            let answer = hostile(&setup, model, streaming).await;
            assert!(begun.elapsed() < Duration::from_secs(10), "{model} took {:?}", begun.elapsed());
            assert_eq!(answer.status, 502, "{model}: {}", answer.text());
            expect::error(&answer, expect::ADAPTER_BROKEN);
            echo_lives(&setup).await;
        }
    }
    let records = setup::records(&setup.gateway).await;
    let broken = records.iter().filter(|record| record.fault == "adapter-broken").count();
    assert_eq!(broken, 2 * HOSTILE.len(), "each is written down");
    assert!(setup.vendor.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_not_canonical_is_the_adapters_fault() {
    let setup = probed(setup::bare()).await;
    for streaming in [false, true] {
        expect::error(&hostile(&setup, "hello", streaming).await, expect::ADAPTER_BROKEN);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hostile_guests_at_once_starve_nobody() {
    let setup = std::sync::Arc::new(probed(setup::bare()).await);
    echo_lives(&setup).await;
    let before = setup.gateway.resident_kib();
    let mut guests = tokio::task::JoinSet::new();
    for model in HOSTILE.into_iter().chain(HOSTILE) {
        let setup = setup.clone();
        guests.spawn(async move { hostile(&setup, model, false).await });
    }
    for _ in 0..20 {
        echo_lives(&setup).await;
    }
    while let Some(answer) = guests.join_next().await {
        expect::error(&answer.unwrap(), expect::ADAPTER_BROKEN);
    }
    let after = setup.gateway.resident_kib();
    assert!(after < before + 512 * 1024, "from {before} to {after} KiB");
}

#[tokio::test]
async fn a_guest_signs_with_a_secret_that_it_never_sees() {
    let setup = probed(setup::bare()).await;
    setup.vendor.reply(Answer::json(&setup::completion("signed")));
    // The probe does not understand the answer; what it sent is what counts.
    hostile(&setup, "sign", false).await;
    let sent = setup.vendor.last_request();
    let signature =
        sent.header("authorization").and_then(|value| value.strip_prefix("Signature ")).expect("a signature");
    assert!(signature.len() == 64 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()), "{signature}");
    assert!(!sent.text().contains(setup.gateway.vendor_secret()));
}
