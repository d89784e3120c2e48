//! Stopping and starting again: what was set up is still there, open streams are let finish, records are not lost.

use testkit::{Answer, Gate, ScriptedVendor};

use crate::{
    expect,
    setup::{self, MODEL, last_chunk, question, records, streaming, text_chunk},
};

#[tokio::test]
async fn everything_survives_a_restart_and_a_kill() {
    let mut setup = setup::vendor().await;
    let revoked = setup.gateway.key_with("revoked", &[]).await;
    setup.gateway.cli(&["key", "revoke", "revoked"]).await.ok();
    assert_eq!(setup.ask().await.status, 200);
    assert!(setup.gateway.stop().await.success());
    setup.gateway.start_again().await;
    setup.lives_on().await;
    expect::error(&setup.gateway.chat(&revoked, &question(MODEL)).await, expect::KEY);
    setup.gateway.kill();
    setup.gateway.start_again().await;
    setup.lives_on().await;
    let bearer = format!("Bearer {}", setup.gateway.vendor_secret());
    assert!(setup.vendor.requests().iter().all(|request| request.header("authorization") == Some(bearer.as_str())));
    assert_eq!(records(&setup.gateway).await.len(), 3);
}

#[tokio::test]
async fn a_stop_lets_an_open_stream_finish_and_takes_nothing_new() {
    let mut setup = setup::vendor().await;
    let gate = Gate::new();
    setup.vendor.reply(
        Answer::stream().data(&text_chunk("one")).gate(&gate).data(&text_chunk(" two")).data(&last_chunk()).done(),
    );
    let mut stream = setup.ask_stream().await;
    assert!(stream.next_data().await.is_some());
    setup.gateway.terminate();
    let address = setup.gateway.address();
    let closed = async || tokio::net::TcpStream::connect(address).await.is_err();
    testkit::eventually("no new connection is taken", testkit::DEADLINE, closed).await;
    assert!(setup.gateway.is_running(), "it waits for the stream");
    gate.open();
    let rest = stream.collect().await;
    assert_eq!((rest.content().as_str(), rest.done, rest.error), (" two", true, None));
    assert!(setup.gateway.wait_for_exit().await.success());
    let records = records(&setup.gateway).await;
    assert_eq!((records.len(), records[0].fault.as_str()), (1, ""));
}

#[tokio::test]
async fn a_stream_that_outlives_the_grace_is_ended_with_an_error() {
    let builder = setup::bare().env("WITGATE_SERVER_SHUTDOWN_GRACE_S", "0");
    let mut setup = setup::vendor_of("compatible", builder).await;
    setup.vendor.reply(Answer::stream().data(&text_chunk("one")).gate(&Gate::new()));
    let mut stream = setup.ask_stream().await;
    assert!(stream.next_data().await.is_some());
    setup.gateway.terminate();
    let rest = stream.collect().await;
    assert!(!rest.done, "{rest:?}");
    assert!(setup.gateway.wait_for_exit().await.success());
    assert_eq!(records(&setup.gateway).await.len(), 1, "what was used is written down");
}

#[tokio::test]
async fn every_exchange_leaves_one_record() {
    let setup = setup::vendor().await;
    let base_url = setup.vendor.base_url();
    setup.gateway.channel("mapped", "compatible", &base_url, "public=upstream").await;
    assert_eq!(setup.chat(&question("public")).await.status, 200);
    setup.vendor.reply(Answer::error(500, &serde_json::json!({"error": {"message": "broke"}})));
    expect::error(&setup.ask().await, expect::BROKEN);
    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert!(stream.done);
    let records = records(&setup.gateway).await;
    let of = |at: usize| (records[at].model.as_str(), records[at].upstream_model.as_str(), records[at].fault.as_str());
    assert_eq!(records.len(), 3, "{records:?}");
    assert_eq!(of(2), ("public", "upstream", ""));
    assert_eq!(of(1), (MODEL, MODEL, "upstream-broken"));
    assert_eq!((of(0), records[0].streaming), ((MODEL, MODEL, ""), true));
    for record in [&records[0], &records[2]] {
        let count = |class| record.usage.counts.get(&class).copied();
        assert_eq!(count(domain::TokenClass::Input), Some(11), "{record:?}");
        assert_eq!(count(domain::TokenClass::Output), Some(7), "{record:?}");
        assert!(
            !record.usage.estimated && record.plugin_digest.len() == 64 && record.provider == "compatible",
            "{record:?}"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_still_leaves_a_record_of_what_was_used() {
    let setup = setup::vendor().await;
    setup.vendor.reply(Answer::stream().data(&text_chunk("quite a few words of text")).gate(&Gate::new()));
    let mut stream = setup.ask_stream().await;
    assert!(stream.next_data().await.is_some());
    drop(stream);
    setup.vendor.wait_for_disconnect().await;
    let gateway = &setup.gateway;
    testkit::eventually("the record is there", testkit::DEADLINE, async || records(gateway).await.len() == 1).await;
    let record = records(gateway).await.remove(0);
    assert_eq!(record.fault, "client-gone");
    let output = record.usage.counts.get(&domain::TokenClass::Output).copied().unwrap_or_default();
    assert!(record.usage.estimated && output > 0, "{record:?}");
}

#[tokio::test]
async fn a_server_without_plugins_starts_and_waits_for_them() {
    let vendor = ScriptedVendor::start().await;
    let gateway = setup::bare().start().await;
    let key = gateway.key("app").await;
    expect::error(&gateway.chat(&key, &question("echo")).await, expect::MODEL_UNKNOWN);
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn a_file_that_came_later_does_not_take_a_provider_over_at_a_restart() {
    let (mut gateway, key) = setup::echo().await;
    let serves = async |gateway: &testkit::TestGateway| {
        let list = gateway.cli(&["plugin", "list", "--json"]).await.ok().json();
        let rows = list.as_array().expect("a list").clone();
        let state = |file: &str| rows.iter().find(|row| row["file"] == file).map(|row| row["state"].clone());
        (state("aaa.wasm"), state("echo.wasm"))
    };
    std::fs::copy(testkit::gateway::component("echo-two"), gateway.plugins_dir().join("aaa.wasm")).unwrap();
    let expected = (Some("refused".into()), Some("serving".into()));
    let refused = async || serves(&gateway).await == expected;
    testkit::eventually("the later one is refused", testkit::DEADLINE, refused).await;
    assert!(gateway.stop().await.success());
    gateway.start_again().await;
    let refused = async || serves(&gateway).await == expected;
    testkit::eventually("it is refused after the restart too", testkit::DEADLINE, refused).await;
    assert!(gateway.chat(&key, &question("echo")).await.content().contains("ping"));
}
