//! What a guest sees of the world: its call, frozen time, seeded chance, secrets that it can compute with and not read, nothing else.

use std::collections::BTreeMap;

use domain::{FaultCode, Secret};
use plugin_runtime::{
    check_file,
    machine::{Effect, Event, Piece},
};

use crate::stage::{NOW, Stage, ask, call, emitted, open, plugin, start};

#[tokio::test]
async fn a_guest_is_told_what_happened_and_answers() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    let mut guest = open(&probe, "hello").await.unwrap();
    assert_eq!(start(&mut guest).await.unwrap(), format!("the first edition (1.0.0), start 1 at {NOW}"));
    let effects = guest.step(NOW + 5, vec![Event::End(1)]).await.unwrap();
    assert_eq!(emitted(&effects), format!("the first edition (1.0.0), event 2 at {}", NOW + 5));
    assert_eq!(effects[1], Effect::Finish("stop".to_owned()));
    // Another exchange starts from nothing.
    assert!(ask(&probe, "hello").await.unwrap().contains("start 1 at"));
}

#[tokio::test]
async fn the_world_is_closed() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    let world = ask(&probe, "world").await.unwrap();
    for line in world.lines() {
        let (what, got) = line.split_once(' ').unwrap();
        match what {
            "environment" | "arguments" => assert_eq!(got, "[]", "{line}"),
            "stdin" => assert_eq!(got, "Ok(0)", "{line}"),
            _ => assert!(got.starts_with("Err("), "{line}"),
        }
    }
    assert_eq!(world.lines().count(), 10, "{world}");
}

#[tokio::test]
async fn time_stands_still_and_chance_repeats() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    assert_eq!(ask(&probe, "time").await.unwrap(), format!("wall {NOW}000000000, elapsed 0"));
    let first = ask(&probe, "chance").await.unwrap();
    assert_eq!(ask(&probe, "chance").await.unwrap(), first);
    let mut other = call("chance");
    other.seed = "ffeeddccbbaa99887766554433221100".to_owned();
    let mut guest = probe.open("chat", other, BTreeMap::new()).await.unwrap();
    assert_ne!(start(&mut guest).await.unwrap(), first);
}

#[tokio::test]
async fn secrets_are_computed_with_and_never_read() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    let secrets = BTreeMap::from([("key".to_owned(), Secret::new("canary-4711"))]);
    let mut guest = probe.open("chat", call("sign"), secrets).await.unwrap();
    let effects = guest.step(NOW, vec![Event::Start]).await.unwrap();
    assert!(!format!("{effects:?}").contains("canary"));
    let Effect::Send(request) = &effects[0] else { panic!("{effects:?}") };
    let Piece::Opaque(number) = request.headers[0].value[0] else { panic!("{request:?}") };
    // printf 'string to sign' | openssl dgst -sha256 -hmac canary-4711
    let expected = "Signature c553bc41d24ff068fb05b55bfe1e535eb048c03b6105ba9ac05106ffdc0e9622";
    assert_eq!(guest.opaque(number).map(<[u8]>::to_vec), Some(expected.as_bytes().to_vec()));
    assert!(guest.opaque(99).is_none());
    // What a vendor may echo is known, and the texts that the guest put in are not among it.
    let known: Vec<_> = guest.opaques().collect();
    assert!(known.contains(&b"canary-4711".as_slice()) && known.contains(&expected.as_bytes()));
    assert!(!known.contains(&b"string to sign".as_slice()));
    assert_eq!(ask(&probe, "sign").await.unwrap(), "not signed: there is no key");
}

#[tokio::test]
async fn the_log_is_kept_only_on_demand() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    ask(&probe, "log").await.unwrap();
    assert!(probe.log_lines().is_empty());
    probe.keep_log(true);
    ask(&probe, "log").await.unwrap();
    assert_eq!(probe.log_lines(), [format!("info: step 1 at {NOW}")]);
}

#[tokio::test]
async fn an_operation_that_is_not_offered_is_unsupported() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    assert!(probe.supports("chat") && !probe.supports("embeddings"));
    let fault = probe.open("embeddings", call("hello"), BTreeMap::new()).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::Unsupported);
}

#[tokio::test]
async fn a_body_that_is_larger_than_what_a_guest_may_pass_still_enters_it() {
    let stage = Stage::new();
    let mut large = call("body");
    large.body = plugin_runtime::machine::Payload::Text("x".repeat(20 << 20));
    let mut guest = stage.probe().await.open("chat", large, BTreeMap::new()).await.unwrap();
    assert_eq!(start(&mut guest).await.unwrap(), format!("{} bytes of text", 20 << 20));
}

#[tokio::test]
async fn settings_are_checked_and_completed() {
    let stage = Stage::new();
    let probe = stage.probe().await;
    assert_eq!(probe.check_settings("{}").unwrap(), r#"{"region":"here"}"#);
    assert!(probe.check_settings(r#"{"region": 5}"#).unwrap_err()[0].contains("`region`"));
}

#[tokio::test]
async fn the_adapter_that_ships_built_in_answers() {
    let stage = Stage::new();
    let adapters = check_file(&stage.runtime, &plugin("echo.wasm")).await.unwrap().adapters;
    let echo = adapters.iter().find(|adapter| adapter.provider().built_in).expect("a built-in provider");
    assert!(echo.supports("chat"));
    let mut request = call(&echo.provider().models[0].id);
    request.provider = echo.provider().id.clone();
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello there"}]}"#;
    request.body = plugin_runtime::machine::Payload::Text(body.to_owned());
    let mut guest = echo.open("chat", request, BTreeMap::new()).await.unwrap();
    let effects = guest.step(NOW, vec![Event::Start]).await.unwrap();
    assert!(format!("{effects:?}").contains("hello there"), "{effects:?}");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Finish(_))), "{effects:?}");
}
