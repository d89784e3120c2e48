//! `GET /v1/tasks/{id}`: what became of a request that takes minutes, for the key that made it and nobody else.

use domain::{ApiKeyId, ChannelId, RequestId};
use quota::{Outcome, ParkedExchange};
use serde_json::json;
use store::{OpenOptions, Store};
use testkit::TestGateway;

use crate::{expect, setup};

/// The gateway's database, opened beside the running server.
async fn store(gateway: &TestGateway) -> Store {
    let options = OpenOptions { url: None, data_dir: gateway.data_dir(), master_key: None, create: false };
    Store::open(options).await.expect("the gateway's database")
}

fn parked(request: &str, api_key: ApiKeyId) -> ParkedExchange {
    ParkedExchange {
        request: RequestId(request.to_owned()),
        api_key,
        channel: ChannelId(1),
        operation: "chat".to_owned(),
        upstream_model: "echo".to_owned(),
        body: r#"{"model":"echo","messages":[{"role":"user","content":"draw"}]}"#.to_owned(),
        headers: Vec::new(),
        arrived_ms: 0,
        state: String::new(),
        due_ms: i64::MAX,
    }
}

#[tokio::test]
async fn a_task_that_is_not_there_is_404() {
    let (gateway, key) = setup::echo().await;
    for id in ["unknown", "req_0198c0ffee", "%20", "..%2f..%2fmodels", "%ff", &"x".repeat(5_000)] {
        let answer = gateway.get(&format!("/v1/tasks/{id}"), &key).await;
        expect::error(&answer, expect::NOT_FOUND);
        assert_eq!(answer.json()["error"]["code"], "not_found");
    }
    for path in ["/v1/tasks", "/v1/tasks/", "/v1/tasks/a/b"] {
        expect::error(&gateway.get(path, &key).await, expect::NOT_FOUND);
    }
    expect::error(&gateway.post_json("/v1/tasks/unknown", &key, &json!({})).await, expect::METHOD);
}

#[tokio::test]
async fn nobody_unknown_learns_anything() {
    let (gateway, _) = setup::echo().await;
    expect::error(&gateway.call("GET", "/v1/tasks/unknown").send().await, expect::KEY);
    expect::error(&gateway.get("/v1/tasks/unknown", "sk-nonsense").await, expect::KEY);
}

#[tokio::test]
async fn a_task_runs_and_then_has_its_answer_for_its_own_key() {
    let (gateway, key) = setup::echo().await;
    let other = gateway.key("other").await;
    let store = store(&gateway).await;
    let owner = store.api_keys().await.unwrap().into_iter().find(|key| key.name == "app").unwrap().id;
    store.parking().park(parked("req_1", owner)).await.unwrap();
    for path in ["/v1/tasks/req_1", "/tasks/req_1", "/v1/tasks/req_1/"] {
        let running = gateway.get(path, &key).await;
        assert_eq!(running.status, 202, "{}", running.text());
        assert_eq!(running.json(), json!({"id": "req_1", "object": "task", "status": "running"}));
        assert!(running.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", running.headers);
    }
    expect::error(&gateway.get("/v1/tasks/req_1", &other).await, expect::NOT_FOUND);

    let answer = setup::completion("drawn").to_string();
    store.parking().unpark(&RequestId("req_1".to_owned()), Some(Outcome::Answer(answer.clone()))).await.unwrap();
    // Also the second time: a client may lose an answer on its way.
    for _ in 0..2 {
        let done = gateway.get("/v1/tasks/req_1", &key).await;
        assert_eq!((done.status.as_u16(), done.text()), (200, answer.clone()));
        assert!(done.header("content-type").starts_with("application/json"));
    }
    expect::error(&gateway.get("/v1/tasks/req_1", &other).await, expect::NOT_FOUND);
    store.close().await;
}

#[tokio::test]
async fn a_task_that_failed_has_the_status_of_its_fault() {
    let (gateway, key) = setup::echo().await;
    let store = store(&gateway).await;
    let owner = store.api_keys().await.unwrap()[0].id;
    let cases = [("content-filtered", expect::CONTENT_FILTERED), ("upstream-broken", expect::BROKEN)];
    for (code, expected) in cases {
        store.parking().park(parked(code, owner)).await.unwrap();
        let outcome = Outcome::Failed { code: code.to_owned(), message: "why it failed".to_owned() };
        store.parking().unpark(&RequestId(code.to_owned()), Some(outcome)).await.unwrap();
        let answer = gateway.get(&format!("/v1/tasks/{code}"), &key).await;
        assert_eq!(expect::error(&answer, expected), "why it failed");
        assert_eq!(answer.header("x-should-retry"), "false", "it is final");
    }
    store.close().await;
}
