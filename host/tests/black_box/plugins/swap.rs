//! Overwriting a component under load: nothing fails, and open streams finish on the version they began with.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use testkit::{Answer, Gate, eventually, gateway::FOLLOWS};

use super::{install, row};
use crate::setup::{self, question, streaming};

/// How often the component is overwritten.
const SWAPS: usize = 50;
/// How many clients keep asking meanwhile.
const CLIENTS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_swaps_under_load_fail_no_request() {
    let (gateway, key) = setup::echo().await;
    let gateway = Arc::new(gateway);
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (gateway, key, stop, served) = (gateway.clone(), key.clone(), stop.clone(), served.clone());
        clients.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                if client % 2 == 0 {
                    let answer = gateway.chat(&key, &question("echo")).await;
                    assert!(answer.status == 200 && answer.content().contains("ping"), "{}", answer.text());
                } else {
                    let stream = gateway.chat_stream(&key, &streaming("echo")).await.collect().await;
                    assert!(stream.done && stream.content().contains("ping"), "{stream:?}");
                }
                served.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for swap in 1..=SWAPS {
        let before = served.load(Ordering::Relaxed);
        // The second edition offers one more model, so the list shows which one serves.
        if swap % 2 == 1 {
            install(&gateway, "echo-two", "echo.wasm");
            gateway.wait_for_model(&key, "echo-two").await;
        } else {
            install(&gateway, "echo", "echo.wasm");
            gateway.wait_for_model_gone(&key, "echo-two").await;
        }
        let going = async || served.load(Ordering::Relaxed) > before + CLIENTS;
        eventually("requests are served between swaps", FOLLOWS, going).await;
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.expect("no request failed");
    }
    assert!(served.load(Ordering::Relaxed) > SWAPS * CLIENTS);
    assert_eq!(row(&gateway, "echo.wasm").await["state"], "serving");
}

#[tokio::test]
async fn a_stream_finishes_on_the_version_it_began_with() {
    let setup = setup::vendor().await;
    install(&setup.gateway, "echo", "echo.wasm");
    setup.gateway.wait_for_model(&setup.key, "echo").await;
    let gate = Gate::new();
    for _ in 0..5 {
        let answer = Answer::stream().data(&setup::text_chunk("one")).gate(&gate).data(&setup::text_chunk(" two"));
        setup.vendor.reply(answer.data(&setup::last_chunk()).done());
    }
    let mut streams = Vec::new();
    for _ in 0..5 {
        let mut stream = setup.ask_stream().await;
        assert!(stream.next_data().await.is_some());
        streams.push(stream);
    }
    let before = row(&setup.gateway, "openai.wasm").await;
    // The same code with other bytes: a custom section at the end is another digest.
    let mut bytes = std::fs::read(testkit::gateway::component("openai")).unwrap();
    bytes.extend([0, 5, 4, b't', b'e', b's', b't']);
    super::place(&setup.gateway, &bytes, "openai.wasm");
    let swapped = async || row(&setup.gateway, "openai.wasm").await["digest"] != before["digest"];
    eventually("the new build is loaded", FOLLOWS, swapped).await;
    assert_eq!(row(&setup.gateway, "openai.wasm").await["state"], "serving");
    setup.lives_on().await;
    gate.open_for_all();
    for stream in streams {
        let rest = stream.collect().await;
        assert_eq!((rest.content().as_str(), rest.done), (" two", true));
    }
    let records = setup::records(&setup.gateway).await;
    let old = records.iter().filter(|record| before["digest"] == record.plugin_digest.as_str()).count();
    assert_eq!((records.len(), old), (6, 5), "the five streams are the old version's");
}
