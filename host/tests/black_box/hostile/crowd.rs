//! Many hostile exchanges at once starve nobody, and the other capabilities are no back door.

use super::{
    ask::ask,
    cases::{CASES, Is},
    stage::{self, Stage},
};
use crate::expect;

/// What they do.
const GUESTS: [&str; 7] =
    ["loop-step", "loop-constructor", "memory-bomb", "panic-step", "recursion", "log-flood", "output-1-gb"];

/// One copy that behaves as the model says, and its channel.
async fn any() -> Stage {
    let stage = stage::bare().await;
    stage.install("any", "any");
    stage
        .add_any(&[
            "loop-step",
            "loop-constructor",
            "memory-bomb",
            "panic-step",
            "recursion",
            "log-flood",
            "output-1-gb",
        ])
        .await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hostile_guests_at_once_starve_nobody() {
    let stage = any().await;
    stage.echo_lives().await.unwrap();
    let before = stage.gateway.resident_kib();
    let guests = GUESTS.iter().flat_map(|name| [false, true, false, true].map(|streaming| (*name, streaming)));
    let guests = guests.map(|(name, streaming)| {
        let is = CASES.iter().find(|(known, _)| *known == name).map_or(Is::Ends, |(_, is)| *is);
        let stage = &stage;
        async move {
            let result = async { ask(stage, name, streaming).await?.check(stage, is).await };
            result.await.map_err(|what| format!("{name}: {what}"))
        }
    });
    let others = async {
        for _ in 0..20 {
            stage.echo_lives().await?;
        }
        Ok(())
    };
    let (results, others) = futures_util::join!(futures_util::future::join_all(guests), others);
    for result in results.into_iter().chain([others]) {
        result.unwrap();
    }
    let settled = async || stage.gateway.resident_kib() < before + 256 * 1024;
    testkit::eventually("memory returns", testkit::DEADLINE, settled).await;
    let records = crate::setup::records(&stage.gateway).await;
    let broken = records.iter().filter(|record| record.fault == "adapter-broken").count();
    assert_eq!(broken, 4 * GUESTS.len(), "each is written down");
}

#[tokio::test]
async fn every_capability_has_the_same_limits() {
    let stage = any().await;
    for name in ["loop-constructor", "loop-step"] {
        let body = serde_json::json!({"model": format!("hostile-{name}"), "input": "text"});
        let answer = stage.gateway.post_json("/v1/embeddings", &stage.key, &body).await;
        expect::error(&answer, expect::ADAPTER_BROKEN);
        stage.echo_lives().await.unwrap();
    }
    // The account's questions are asked on the command line, about a channel: of a copy that always loops.
    for name in ["loop-constructor", "loop-step"] {
        stage.install(name, name);
        stage.gateway.wait_for_model(&stage.key, &format!("hostile-{name}")).await;
        let file = format!("{name}.wasm");
        testkit::eventually("it is loaded", testkit::gateway::FOLLOWS, async || {
            stage.row(&file).await["state"] == "serving"
        })
        .await;
        for question in ["balance", "upstream-models"] {
            let said = stage.gateway.cli(&["channel", question, &format!("env-hostile-{name}")]).await.failed();
            assert!(said.contains("CPU time") && stage.canary.found_in(said.as_bytes()).is_none(), "{said}");
        }
    }
}
