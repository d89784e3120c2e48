//! `GET /v1/models` and `GET /v1/models/{id}`: what this key may call, and what is known of it.

use serde_json::{Value, json};

use crate::{expect, setup};

fn ids(list: &Value) -> Vec<String> {
    let rows = list["data"].as_array().expect("a list").iter();
    let mut ids: Vec<String> = rows.map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn the_list_has_what_the_key_may_call_and_nothing_else() {
    let setup = setup::vendor().await;
    setup.gateway.channel("more", "compatible", &setup.vendor.base_url(), "vendor/model-a,mapped=real").await;
    let list = setup.gateway.get("/v1/models", &setup.key).await;
    assert_eq!((list.status.as_u16(), &list.json()["object"]), (200, &json!("list")));
    assert_eq!(ids(&list.json()), ["gpt-test", "mapped", "vendor/model-a"]);
    for row in list.json()["data"].as_array().unwrap() {
        assert_eq!(row["object"], "model", "{row}");
        assert!(row["created"].is_u64() && row["owned_by"].is_string(), "{row}");
        assert_eq!(row["provider"], "compatible", "{row}");
    }
    let limited = setup.gateway.key_with("limited", &["--models", "mapped,gpt-test"]).await;
    assert_eq!(ids(&setup.gateway.get("/v1/models", &limited).await.json()), ["gpt-test", "mapped"]);
    expect::error(&setup.gateway.get("/v1/models/vendor/model-a", &limited).await, expect::MODEL_UNKNOWN);
}

#[tokio::test]
async fn a_model_is_found_by_an_id_with_slashes_however_it_is_written() {
    let setup = setup::vendor().await;
    setup.gateway.channel("slashes", "compatible", &setup.vendor.base_url(), "org/team/model:7b").await;
    for path in ["/v1/models/org/team/model:7b", "/v1/models/org%2Fteam%2Fmodel%3A7b", "/v1/models/org/team/model:7b/"]
    {
        let answer = setup.gateway.get(path, &setup.key).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let row = answer.json();
        assert_eq!((&row["id"], &row["object"]), (&json!("org/team/model:7b"), &json!("model")), "{path}");
    }
    let message = expect::error(&setup.gateway.get("/v1/models/none/such", &setup.key).await, expect::MODEL_UNKNOWN);
    assert!(message.contains("none/such"), "{message}");
}

#[tokio::test]
async fn a_model_of_a_catalog_comes_with_context_and_capabilities() {
    let setup = setup::vendor().await;
    let secret = format!("key={}", setup.gateway.vendor_secret());
    let add = ["channel", "add", "--name", "catalog", "--provider", "openai", "--base-url", &setup.vendor.base_url()];
    setup.gateway.cli(&[add.as_slice(), &["--secret", &secret]].concat()).await.ok();
    setup.gateway.wait_for_model(&setup.key, "gpt-4o-mini").await;
    let row = setup.gateway.get("/v1/models/gpt-4o-mini", &setup.key).await.json();
    assert_eq!(row["provider"], "openai", "{row}");
    assert!(row.to_string().contains("128000"), "its context size: {row}");
    assert!(row["capabilities"].as_array().is_some_and(|all| all.contains(&json!("tools"))), "{row}");
    let list = ids(&setup.gateway.get("/v1/models", &setup.key).await.json());
    assert!(list.contains(&"gpt-4o".to_owned()) && list.contains(&"gpt-test".to_owned()), "{list:?}");
}

#[tokio::test]
async fn two_channels_with_one_model_are_one_row() {
    let setup = setup::vendor().await;
    setup.gateway.channel("again", "compatible", &setup.vendor.base_url(), "gpt-test,new").await;
    assert_eq!(ids(&setup.gateway.get("/v1/models", &setup.key).await.json()), ["gpt-test", "new"]);
}
