//! Who is calling: where keys may stand, and what a wrong one gets.

use crate::{
    expect,
    setup::{self, question},
};

#[tokio::test]
async fn a_key_is_taken_from_any_of_four_headers() {
    let (gateway, key) = setup::echo().await;
    let bearer = format!("Bearer {key}");
    let headers =
        [("authorization", bearer.as_str()), ("x-api-key", &key), ("api-key", &key), ("x-goog-api-key", &key)];
    for (name, value) in headers {
        let answer =
            gateway.call("POST", "/v1/chat/completions").header(name, value).json(&question("echo")).send().await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    let lower = format!("bearer {key}");
    assert_eq!(gateway.call("GET", "/v1/models").header("authorization", &lower).send().await.status, 200);
}

#[tokio::test]
async fn equal_keys_agree_and_different_ones_are_refused_clearly() {
    let (gateway, key) = setup::echo().await;
    let other = gateway.key_with("other", &[]).await;
    let call = || gateway.call("POST", "/v1/chat/completions").bearer(&key).json(&question("echo"));
    assert_eq!(call().header("x-api-key", &key).send().await.status, 200);
    let message = expect::error(&call().header("x-api-key", &other).send().await, expect::KEY);
    assert!(message.contains("x-api-key") || message.contains("differ"), "{message}");
    expect::error(&call().header("api-key", "sk-nonsense").send().await, expect::KEY);
}

#[tokio::test]
async fn absent_unknown_and_malformed_keys_are_refused() {
    let (gateway, _) = setup::echo().await;
    expect::error(&gateway.call("POST", "/v1/chat/completions").json(&question("echo")).send().await, expect::KEY);
    expect::error(&gateway.call("GET", "/v1/models").send().await, expect::KEY);
    expect::error(&gateway.call("GET", "/v1/models/echo").send().await, expect::KEY);
    let long = "x".repeat(5000);
    for value in ["Bearer sk-nonsense", "Bearer ", "Bearer", "", "Basic YTpi", "sk-nonsense", long.as_str()] {
        let answer = gateway.call("GET", "/v1/models").header("authorization", value).send().await;
        let message = expect::error(&answer, expect::KEY);
        assert!(!message.contains("nonsense"), "the key is not repeated: {message}");
    }
}

#[tokio::test]
async fn a_revoked_key_stops_working_while_others_go_on() {
    let (gateway, key) = setup::echo().await;
    let other = gateway.key_with("other", &[]).await;
    gateway.cli(&["key", "revoke", "other"]).await.ok();
    let refused = async || gateway.chat(&other, &question("echo")).await.status == 401;
    testkit::eventually("the revoked key is refused", testkit::gateway::FOLLOWS, refused).await;
    let message = expect::error(&gateway.chat(&other, &question("echo")).await, expect::KEY);
    assert!(message.contains("revoked"), "{message}");
    assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
}

#[tokio::test]
async fn a_key_calls_only_its_models_and_sees_only_its_group() {
    let setup = setup::vendor().await;
    let base_url = setup.vendor.base_url();
    setup.gateway.channel("two", "compatible", &base_url, "one/first,two").await;
    let secret = format!("key={}", setup.gateway.vendor_secret());
    let add = ["channel", "add", "--name", "vip", "--provider", "compatible", "--base-url", &base_url];
    let rest = ["--secret", &secret, "--models", "vip-model", "--group", "vip"];
    setup.gateway.cli(&[add.as_slice(), rest.as_slice()].concat()).await.ok();
    let limited = setup.gateway.key_with("limited", &["--models", "two"]).await;
    let vip = setup.gateway.key_with("vip", &["--group", "vip"]).await;
    assert_eq!(setup.gateway.chat(&limited, &question("two")).await.status, 200);
    let forbidden = setup.gateway.chat(&limited, &question("one/first")).await;
    assert!(matches!(forbidden.status.as_u16(), 403 | 404), "{}", forbidden.text());
    assert_eq!(setup.gateway.chat(&vip, &question("vip-model")).await.status, 200);
    expect::error(&setup.gateway.chat(&vip, &question("two")).await, expect::MODEL_UNKNOWN);
    expect::error(&setup.chat(&question("vip-model")).await, expect::MODEL_UNKNOWN);
}
