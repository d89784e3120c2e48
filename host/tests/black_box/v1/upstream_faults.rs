//! Vendors that fail before the first byte: each failure has its status, an error in OpenAI's shape, and leaves the gateway well.

use serde_json::{Value, json};
use testkit::{Answer, GatewayBuilder, RefusingAddress, vendor::End};

use crate::{
    expect::{self, Expected},
    setup::{self, PROVIDERS, Setup, completion, question},
};

/// Asks plain and as a stream, with the same answer of the vendor each time.
async fn both_ways(setup: &Setup, what: &str, answer: &Answer, expected: Expected) -> Vec<String> {
    let mut messages = Vec::new();
    for streaming in [false, true] {
        setup.vendor.reply(answer.clone());
        let mut body = question(setup::MODEL);
        body["stream"] = streaming.into();
        let got = setup.chat(&body).await;
        assert!(!got.broken, "{what}, streaming {streaming}: the connection broke");
        messages.push(expect::error(&got, expected));
    }
    setup.lives_on().await;
    messages
}

fn impatient() -> GatewayBuilder {
    setup::bare().env("WITGATE_UPSTREAM_FIRST_BYTE_MS", "300").env("WITGATE_UPSTREAM_IDLE_MS", "300")
}

fn vendor_error(kind: &str, code: &str, message: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

#[tokio::test]
async fn connections_that_fail() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        both_ways(&setup, "closed", &Answer::closed(), expect::BROKEN).await;
        both_ways(&setup, "reset", &Answer::reset(), expect::BROKEN).await;
        both_ways(&setup, "garbage", &Answer::raw("\x01\x02 not http \r\n\r\n"), expect::BROKEN).await;
        both_ways(&setup, "cut head", &Answer::raw("HTTP/1.1 200 OK\r\ncontent-ty"), expect::BROKEN).await;
        both_ways(&setup, "redirect", &Answer::redirect("http://127.0.0.1:1/"), expect::BROKEN).await;
        let refusing = RefusingAddress::new();
        setup.gateway.channel("refusing", provider, &refusing.base_url(), "refused").await;
        let message = expect::error(&setup.chat(&question("refused")).await, expect::UNREACHABLE);
        assert!(!message.contains("127.0.0.1"), "addresses are for the operator: {message}");
    }
}

#[tokio::test]
async fn a_vendor_that_never_answers_is_given_up() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, impatient()).await;
        both_ways(&setup, "silence", &Answer::silence(), expect::TIMEOUT).await;
        let stalled = Answer::cut_short("{\"id\":", 100).end(End::Hang);
        both_ways(&setup, "stalled body", &stalled, expect::TIMEOUT).await;
        let requests = setup.vendor.requests();
        assert_eq!(requests.iter().filter(|request| request.disconnected).count(), 4, "it is hung up on");
    }
}

#[tokio::test]
async fn errors_of_the_vendor_are_told_apart() {
    let cases = [
        (401, "invalid_request_error", "invalid_api_key", expect::CREDENTIAL_DEAD),
        (403, "permission_error", "forbidden", expect::CREDENTIAL_DEAD),
        (429, "insufficient_quota", "insufficient_quota", expect::ACCOUNT_EMPTY),
        (429, "rate_limit_exceeded", "rate_limit_exceeded", expect::RATE_LIMITED),
        (400, "invalid_request_error", "invalid_value", expect::INVALID),
        (400, "invalid_request_error", "context_length_exceeded", expect::CONTEXT_TOO_LONG),
        (400, "invalid_request_error", "content_filter", expect::CONTENT_FILTERED),
        (404, "invalid_request_error", "model_not_found", expect::MODEL_MISSING),
        (500, "server_error", "internal", expect::BROKEN),
        (502, "server_error", "bad_gateway", expect::BROKEN),
        (503, "server_error", "overloaded", expect::OVERLOADED),
    ];
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        for (status, kind, code, expected) in cases {
            let answer = Answer::error(status, &vendor_error(kind, code, "the vendor's own words"));
            both_ways(&setup, code, &answer, expected).await;
        }
    }
}

#[tokio::test]
async fn a_vendors_refusal_reaches_the_client_in_its_words_without_secrets() {
    let setup = setup::vendor().await;
    let secret = setup.gateway.vendor_secret().to_owned();
    let words = format!("temperature must be below 2; key {secret} at https://vendor.test/account/12345");
    let answer = Answer::error(400, &vendor_error("invalid_request_error", "invalid_value", &words));
    for message in both_ways(&setup, "masked", &answer, expect::INVALID).await {
        assert!(message.contains("temperature must be below 2"), "{message}");
        assert!(!message.contains(&secret) && !message.contains("vendor.test"), "{message}");
    }
    let echoed =
        Answer::error(401, &vendor_error("x", "invalid_api_key", &format!("Incorrect API key provided: {secret}")));
    for message in both_ways(&setup, "echoed key", &echoed, expect::CREDENTIAL_DEAD).await {
        assert!(!message.contains(&secret), "{message}");
    }
}

#[tokio::test]
async fn a_vendors_retry_after_is_passed_on() {
    let setup = setup::vendor().await;
    let limited = Answer::error(429, &vendor_error("rate_limit_exceeded", "rate_limit_exceeded", "slow down please"));
    setup.vendor.reply(limited.header("retry-after", "7"));
    let answer = setup.ask().await;
    expect::error(&answer, expect::RATE_LIMITED);
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(answer.header("retry-after-ms"), "7000");
}

#[tokio::test]
async fn html_is_never_passed_on() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let page = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>nginx</h1></body></html>";
        for status in [200, 500, 502] {
            both_ways(&setup, "html", &Answer::html(status, page), expect::BROKEN).await;
        }
        both_ways(&setup, "html 503", &Answer::html(503, page), expect::OVERLOADED).await;
        both_ways(&setup, "html 401", &Answer::html(401, page), expect::CREDENTIAL_DEAD).await;
    }
}

#[tokio::test]
async fn an_error_under_200_is_an_error() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let answer = Answer::json(&vendor_error("server_error", "internal", "it broke inside"));
        both_ways(&setup, "200 with error", &answer, expect::BROKEN).await;
        let first = Answer::stream().data(&vendor_error("server_error", "internal", "it broke inside"));
        setup.vendor.reply(first);
        let stream = setup.ask_stream().await;
        let answer = stream.whole().await;
        // Nothing has gone to the client yet, so it can still be told by the status.
        expect::error(&answer, expect::BROKEN);
    }
}

#[tokio::test]
async fn whole_answers_that_are_no_answers() {
    let cases: [(&str, Answer); 9] = [
        ("empty", Answer::json_text("")),
        ("cut JSON", Answer::json_text(r#"{"id":"x","choices":[{"#)),
        ("cut short", Answer::cut_short(r#"{"id":"x","choices":["#, 500)),
        ("no choices", Answer::json(&json!({"id": "x", "object": "chat.completion"}))),
        ("a list", Answer::json(&json!([1]))),
        ("null", Answer::json(&Value::Null)),
        ("garbage", Answer::bytes(200, "application/json", vec![0xff, 0x00, 0x9f, 0x92])),
        (
            "invalid UTF-8",
            Answer::bytes(
                200,
                "application/json",
                b"{\"choices\":[{\"message\":{\"content\":\"\xff\xfe\"}}]}".to_vec(),
            ),
        ),
        ("reset", Answer::cut_short(r#"{"id":"x","#, 500).end(End::Reset)),
    ];
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        for (what, answer) in &cases {
            setup.vendor.reply(answer.clone());
            let got = setup.ask().await;
            assert_ne!(got.status, 200, "{provider}, {what}: {}", got.text());
            expect::error(&got, expect::BROKEN);
        }
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused() {
    for provider in PROVIDERS {
        let builder = setup::bare().env("WITGATE_UPSTREAM_MAX_BODY_BYTES", "262144");
        let setup = setup::vendor_of(provider, builder).await;
        both_ways(&setup, "large", &Answer::large(1 << 20), expect::BROKEN).await;
        setup.vendor.reply(Answer::json(&completion(&"a".repeat(200_000))));
        assert_eq!(setup.ask().await.content().len(), 200_000);
    }
}

#[tokio::test]
async fn the_vendor_is_asked_once() {
    let setup = setup::vendor().await;
    for answer in [Answer::reset(), Answer::error(500, &json!({})), Answer::html(502, "<html></html>")] {
        let before = setup.vendor.requests().len();
        setup.vendor.reply(answer);
        assert_ne!(setup.ask().await.status, 200);
        assert_eq!(setup.vendor.requests().len(), before + 1, "an answered or broken request is not sent again");
    }
}
