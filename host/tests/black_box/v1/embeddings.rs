//! `POST /v1/embeddings`: the second operation on the same way through the gateway.

use serde_json::{Value, json};
use testkit::{Answer, Answered};

use crate::{
    expect,
    setup::{self, MODEL, Setup},
};

fn ask(input: Value) -> Value {
    json!({"model": MODEL, "input": input})
}

async fn embed(setup: &Setup, body: &Value) -> Answered {
    setup.gateway.post_json("/v1/embeddings", &setup.key, body).await
}

#[tokio::test]
async fn malformed_bodies_are_named_as_such() {
    let setup = setup::vendor().await;
    for body in [&b""[..], b"{", b"[]", b"input=x", b"\xff\xfe{}"] {
        let call = setup.gateway.call("POST", "/v1/embeddings").bearer(&setup.key);
        expect::error(&call.json_text(body.to_vec()).send().await, expect::INVALID);
    }
    assert!(setup.vendor.requests().is_empty(), "a malformed body reached the vendor");
}

#[tokio::test]
async fn fields_that_are_wrong_are_named() {
    let setup = setup::vendor().await;
    let mut streamed = ask(json!("x"));
    streamed["stream"] = json!(true);
    let mut cases = vec![
        (json!({"input": "x"}), "model"),
        (json!({"model": 7, "input": "x"}), "model"),
        (json!({"model": MODEL}), "input"),
        (json!({"model": MODEL, "messages": [{"role": "user", "content": "x"}]}), "input"),
        (streamed, "stream"),
    ];
    let wrong = [json!(null), json!(""), json!(7), json!({}), json!([]), json!([""]), json!(["x", 7]), json!([[]])];
    cases.extend(wrong.into_iter().map(|input| (ask(input), "input")));
    for (body, field) in cases {
        let answer = embed(&setup, &body).await;
        let message = expect::error(&answer, expect::INVALID);
        assert!(message.contains(field), "{body}: {message}");
        assert_eq!(answer.json()["error"]["param"], field, "{body}");
    }
    assert!(setup.vendor.requests().is_empty(), "a wrong body reached the vendor");
    setup.lives_on().await;
}

#[tokio::test]
async fn the_key_and_the_model_are_checked_as_for_chat() {
    let setup = setup::vendor().await;
    let nobody = setup.gateway.call("POST", "/v1/embeddings").json(&ask(json!("x"))).send().await;
    expect::error(&nobody, expect::KEY);
    let unknown = embed(&setup, &json!({"model": "nothing", "input": "x"})).await;
    expect::error(&unknown, expect::MODEL_UNKNOWN);
    assert_eq!(unknown.json()["error"]["param"], "model");
    expect::error(&setup.gateway.get("/v1/embeddings", &setup.key).await, expect::METHOD);
    assert!(setup.vendor.requests().is_empty());
}

#[tokio::test]
async fn a_model_whose_adapter_has_no_embeddings_says_so() {
    let (gateway, key) = setup::echo().await;
    let answer = gateway.post_json("/v1/embeddings", &key, &json!({"model": "echo", "input": "x"})).await;
    let message = expect::error(&answer, expect::INVALID);
    assert!(message.contains("embeddings") && message.contains("echo"), "{message}");
}

#[tokio::test]
async fn a_vendor_embeds_and_the_usage_is_recorded() {
    for provider in setup::PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let data = json!([
            {"object": "embedding", "index": 0, "embedding": [0.012_5, -1.0, 3e-7]},
            {"object": "embedding", "index": 1, "embedding": [1, 0, -0.5]},
        ]);
        let usage = json!({"prompt_tokens": 8, "total_tokens": 8});
        setup
            .vendor
            .reply(Answer::json(&json!({"object": "list", "data": data, "model": "vendor-embedder", "usage": usage})));
        let mut body = ask(json!(["one", "two"]));
        body["dimensions"] = json!(3);
        let answer = embed(&setup, &body).await;
        assert_eq!(answer.status, 200, "{provider}: {}", answer.text());
        let embedded = answer.json();
        assert_eq!((&embedded["object"], &embedded["model"]), (&json!("list"), &json!(MODEL)), "{provider}");
        assert_eq!((&embedded["data"], &embedded["usage"]), (&data, &usage), "{provider}");

        let request = setup.vendor.last_request();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/embeddings"), "{provider}");
        let bearer = format!("Bearer {}", setup.gateway.vendor_secret());
        assert_eq!(request.header("authorization"), Some(bearer.as_str()), "{provider}");
        assert_eq!(request.json(), body, "{provider}");

        let records = setup::records(&setup.gateway).await;
        let record = &records[0];
        assert_eq!((records.len(), record.operation.as_str(), record.fault.as_str()), (1, "embeddings", ""));
        let counts: Vec<_> = record.usage.counts.values().copied().collect();
        assert_eq!((counts, record.usage.estimated), (vec![8], false), "{provider}");
    }
}

#[tokio::test]
async fn a_vendors_refusal_becomes_the_usual_error() {
    let setup = setup::vendor().await;
    let refusal = json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}});
    setup.vendor.reply(Answer::error(429, &refusal));
    expect::error(&embed(&setup, &ask(json!("x"))).await, expect::RATE_LIMITED);
    setup.vendor.reply(Answer::html(502, "<html><body>Bad gateway</body></html>"));
    let answer = embed(&setup, &ask(json!("x"))).await;
    assert!(answer.status.is_server_error(), "{}", answer.text());
    setup.lives_on().await;
}
