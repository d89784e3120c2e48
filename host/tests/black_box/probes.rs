//! Probes of orchestrators, proxies and clients: health, readiness, HEAD, and what is not there.

use serde_json::json;

use crate::{expect, setup};

#[tokio::test]
async fn health_and_readiness_need_no_key() {
    let gateway = setup::bare().start().await;
    let health = gateway.call("GET", "/health").send().await;
    assert_eq!((health.status.as_u16(), health.json()), (200, json!({"status": "healthy"})));
    assert_eq!(gateway.call("GET", "/ready").send().await.status, 200);
}

#[tokio::test]
async fn head_probes_and_hello_answer_without_a_key() {
    let gateway = setup::bare().start().await;
    for path in ["/", "/v1", "/v1/models", "/api/hello"] {
        let answer = gateway.call("HEAD", path).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{path}");
    }
    let hello = gateway.call("GET", "/api/hello").send().await;
    assert_eq!(hello.status, 200);
    assert!(hello.json().is_object());
}

#[tokio::test]
async fn what_is_not_there_says_so_in_json() {
    let (gateway, key) = setup::echo().await;
    for path in ["/nothing", "/v1/nothing", "/v1/chat", "/v1/chat/completions/more"] {
        expect::error(&gateway.get(path, &key).await, expect::NOT_FOUND);
    }
    expect::error(&gateway.get("/v1/chat/completions", &key).await, expect::METHOD);
}

#[tokio::test]
async fn routes_of_the_api_that_are_not_served_yet_answer_501() {
    let (gateway, key) = setup::echo().await;
    let posts = [
        "/v1/completions",
        "/v1/responses",
        "/v1/moderations",
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/audio/speech",
        "/v1/audio/transcriptions",
        "/v1/files",
        "/v1/batches",
        "/v1/fine_tuning/jobs",
    ];
    for path in posts {
        expect::error(&gateway.post_json(path, &key, &json!({})).await, expect::NOT_IMPLEMENTED);
    }
    expect::error(&gateway.get("/v1/files/file-1", &key).await, expect::NOT_IMPLEMENTED);
}
