//! Requests that are wrong: each gets the right status and an error that says what to do, and nothing of it reaches a vendor.

use std::time::Duration;

use serde_json::json;

use crate::{
    expect,
    setup::{self, MODEL, question},
};

#[tokio::test]
async fn malformed_bodies_are_named_as_such() {
    let setup = setup::vendor().await;
    let bodies: [&[u8]; 10] = [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\"text\"",
        b"model=gpt-test",
        b"{\"model\":\"gpt-test\",}",
        b"\xff\xfe{}",
        b"\0",
        b"{\"model\":\"gpt-test\",\"messages\":[{\"role\":\"user\",\"content\":\"\xc3(\"}]}",
    ];
    for body in bodies {
        let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key);
        let answer = call.json_text(body.to_vec()).send().await;
        expect::error(&answer, expect::INVALID);
    }
    assert!(setup.vendor.requests().is_empty(), "a malformed body reached the vendor");
    setup.lives_on().await;
}

#[tokio::test]
async fn deep_nesting_does_no_harm() {
    for provider in setup::PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        setup.vendor.always(|_| testkit::Answer::json(&setup::completion("fine")));
        for field in ["x", "tools", "response_format"] {
            let nested = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
            let body =
                format!(r#"{{"model":"{MODEL}","messages":[{{"role":"user","content":"x"}}],"{field}":{nested}}}"#);
            let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key);
            let answer = call.json_text(body).send().await;
            assert!(matches!(answer.status.as_u16(), 200 | 400), "{provider}, {field}: {}", answer.text());
        }
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn fields_of_a_wrong_type_are_named() {
    let setup = setup::vendor().await;
    let hello = json!([{"role": "user", "content": "x"}]);
    let cases = [
        (json!({"messages": hello}), "model"),
        (json!({"model": "", "messages": hello}), "model"),
        (json!({"model": null, "messages": hello}), "model"),
        (json!({"model": 7, "messages": hello}), "model"),
        (json!({"model": [MODEL], "messages": hello}), "model"),
        (json!({"model": MODEL}), "messages"),
        (json!({"model": MODEL, "messages": null}), "messages"),
        (json!({"model": MODEL, "messages": "hi"}), "messages"),
        (json!({"model": MODEL, "messages": {}}), "messages"),
        (json!({"model": MODEL, "messages": []}), "messages"),
        (json!({"model": MODEL, "messages": hello, "stream": "yes"}), "stream"),
        (json!({"model": MODEL, "messages": hello, "stream": 1}), "stream"),
        (json!({"model": MODEL, "messages": hello, "stream_options": 1}), "stream_options"),
    ];
    for (body, field) in cases {
        let answer = setup.chat(&body).await;
        let message = expect::error(&answer, expect::INVALID);
        assert!(message.contains(field), "{body}: {message}");
        assert_eq!(answer.json()["error"]["param"], field, "{body}");
    }
    assert!(setup.vendor.requests().is_empty(), "a wrong body reached the vendor");
}

#[tokio::test]
async fn a_model_nobody_offers_is_404() {
    let (gateway, key) = setup::echo().await;
    for model in ["nothing", "echo ", "ECHO", "../echo", "a/b", &"x".repeat(10_000)] {
        let answer = gateway.chat(&key, &question(model)).await;
        expect::error(&answer, expect::MODEL_UNKNOWN);
        assert_eq!(answer.json()["error"]["param"], "model");
    }
}

#[tokio::test]
async fn a_refusal_of_a_stream_is_a_plain_error() {
    let (gateway, key) = setup::echo().await;
    let answer = gateway.chat(&key, &setup::streaming("nothing")).await;
    expect::error(&answer, expect::MODEL_UNKNOWN);
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_refused_before_it_is_sent() {
    let (gateway, key) = setup::echo().await;
    let mut raw = gateway.raw().await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ncontent-length: 40000000\r\n\r\n{{"
    );
    assert!(raw.write(head.as_bytes()).await);
    let answer = raw.read_until("\"error\"").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_grows_over_the_limit_is_refused() {
    let gateway = setup::bare().plugin("echo").env("WITGATE_SERVER_BODY_LIMIT_BYTES", "65536").start().await;
    let key = gateway.key("app").await;
    let mut raw = gateway.raw().await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    assert!(raw.write(head.as_bytes()).await);
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    for _ in 0..5 {
        // The gateway may answer and close before everything was sent.
        raw.write(chunk.as_bytes()).await;
    }
    let answer = raw.read_until("\"error\"").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let fits = gateway.chat(&key, &question("echo")).await;
    assert_eq!(fits.status, 200);
}

#[tokio::test]
async fn thirty_megabytes_are_no_problem() {
    let (gateway, key) = setup::echo().await;
    let mut body = question("echo");
    body["x_padding"] = json!("a".repeat(30 << 20));
    let answer = gateway.chat(&key, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.content().contains("ping"));
}

#[tokio::test]
async fn nobody_unknown_makes_the_gateway_read_a_body() {
    let (gateway, _) = setup::echo().await;
    let mut raw = gateway.raw().await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-nonsense\r\ncontent-length: 30000000\r\n\r\n{";
    assert!(raw.write(head.as_bytes()).await);
    let answer = raw.read_until("\"error\"").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let gateway = setup::bare().env("WITGATE_SERVER_HEADER_TIMEOUT_MS", "200").start().await;
    let mut raw = gateway.raw().await;
    assert!(raw.write(b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ").await);
    let received =
        raw.read_to_end(Duration::from_secs(10)).await.expect("the gateway closes a connection that is too slow");
    assert!(received.is_empty() || received.starts_with("HTTP/1.1 408 "), "{received}");
    assert_eq!(gateway.call("GET", "/health").send().await.status, 200);
}

#[tokio::test]
async fn what_is_not_http_is_refused_without_harm() {
    let (gateway, key) = setup::echo().await;
    let many = "x-a: b\r\n".repeat(1000);
    let long = "a".repeat(1 << 20);
    let requests = [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "GET /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n".to_owned(),
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_owned(),
        format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n"),
        format!("GET /health HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for request in requests {
        let mut raw = gateway.raw().await;
        raw.write(request.as_bytes()).await;
        let received = raw.read_to_end(Duration::from_secs(15)).await;
        let received = received.unwrap_or_else(|| panic!("not closed after {:?}", &request[..40.min(request.len())]));
        assert!(
            received.is_empty() || received.starts_with("HTTP/1.1 4"),
            "{:?}: {received}",
            &request[..40.min(request.len())]
        );
    }
    assert_eq!(gateway.chat(&key, &question("echo")).await.status, 200);
}
