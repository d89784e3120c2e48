//! Questions about an account, and embeddings: the second capability on the same machine.

use serde_json::json;
use testkit::{Answer, ScriptedVendor};

use crate::setup;

async fn account() -> (testkit::TestGateway, ScriptedVendor, String) {
    let vendor = ScriptedVendor::start().await;
    let gateway = setup::bare().plugin("flows").start().await;
    let base = format!("http://{}", vendor.address());
    let add = ["channel", "add", "main", "--provider", "flow-account", "--base-url", &base, "--secret", "key=-"];
    gateway.cli_with_input(&add, "account-secret-0123").await.ok();
    gateway.forbid_in_log("account-secret-0123");
    let key = gateway.key("app").await;
    gateway.wait_for_model(&key, "flow-embed").await;
    (gateway, vendor, key)
}

#[tokio::test]
async fn an_operator_asks_for_balance_and_models() {
    let (gateway, vendor, _) = account().await;
    vendor.reply(Answer::json(&json!({"left": "12.50"})));
    let balance = gateway.cli(&["channel", "balance", "main", "--json"]).await.ok().json();
    assert_eq!((balance["amount"].as_str(), balance["currency"].as_str()), (Some("12.50"), Some("USD")));
    assert_eq!(vendor.last_request().header("authorization"), Some("Bearer account-secret-0123"));
    vendor.reply(Answer::json(&json!({"data": [{"id": "a"}, {"id": "b"}]})));
    let models = gateway.cli(&["channel", "upstream-models", "main"]).await.ok().stdout;
    assert!(models.contains('a') && models.contains('b'), "{models}");
    let body = gateway.work_dir().join("question.json");
    std::fs::write(&body, r#"{"model":"vendor-model","messages":[{"role":"user","content":"ping"}]}"#).unwrap();
    vendor.reply(Answer::json(&json!({"tokens": 9})));
    let count = gateway.cli(&["channel", "count-tokens", "main", "--body", body.to_str().unwrap()]).await.ok().stdout;
    assert_eq!(count.trim(), "9");
    assert_eq!(vendor.last_request().path, "/count");
    vendor.reply(Answer::error(401, &json!({"error": {"message": "\u{1b}[2Jbad key account-secret-0123"}})));
    let said = gateway.cli(&["channel", "balance", "main"]).await.failed();
    assert!(said.contains("bad key") && !said.contains("account-secret-0123"), "{said}");
    assert!(!said.contains('\u{1b}'), "what a vendor says does nothing to the terminal: {said:?}");
    vendor.reply(Answer::json(&json!({"left": 12.5})));
    let said = gateway.cli(&["channel", "balance", "main"]).await.failed();
    assert!(said.contains("balance"), "a shape that it does not have: {said}");
}

#[tokio::test]
async fn embeddings_are_mapped_like_a_chat() {
    let (gateway, vendor, key) = account().await;
    vendor.reply(Answer::json(&json!({"vectors": [[0.5, -1.25e-3], [1, 2]], "tokens": 6})));
    let body = json!({"model": "flow-embed", "input": ["one", "two"], "encoding_format": "float"});
    let answer = gateway.post_json("/v1/embeddings", &key, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let json = answer.json();
    assert_eq!((json["object"].as_str(), json["model"].as_str()), (Some("list"), Some("flow-embed")));
    assert_eq!(json["data"][0]["embedding"], json!([0.5, -1.25e-3]));
    assert_eq!(json["usage"], json!({"prompt_tokens": 6, "total_tokens": 6}));
    let record = &setup::records(&gateway).await[0];
    assert_eq!((record.operation.as_str(), record.usage.prompt_tokens()), ("embeddings", 6));
    // A chat is not among what it offers.
    let answer = gateway.chat(&key, &setup::question("flow-embed")).await;
    assert!(crate::expect::error(&answer, crate::expect::INVALID).contains("chat"), "{}", answer.text());
}
