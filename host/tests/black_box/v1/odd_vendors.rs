//! Vendors that answer in unusual ways that are not faults, or must not become the gateway's.

use serde_json::json;
use testkit::{Answer, vendor::End};

use crate::{
    expect,
    setup::{self, MODEL, last_chunk, question, records, streaming, text_chunk},
};

#[tokio::test]
async fn a_complete_stream_ends_also_when_the_vendor_keeps_its_connection_open() {
    let setup = setup::vendor().await;
    setup.vendor.reply(Answer::stream().data(&text_chunk("all")).data(&last_chunk()).done().end(End::Hang));
    let whole = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert_eq!((whole.content().as_str(), whole.done, whole.error), ("all", true, None));
    assert_eq!(records(&setup.gateway).await[0].fault, "");
}

#[tokio::test]
async fn a_whole_answer_with_odd_tool_calls_is_streamed_and_settled() {
    let setup = setup::vendor().await;
    let mut odd = setup::completion("x");
    odd["choices"][0]["message"]["tool_calls"] = json!(["x"]);
    setup.vendor.reply(Answer::json(&odd));
    let whole = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert!(whole.done && whole.error.is_none(), "{whole:?}");
    assert_eq!(records(&setup.gateway).await.len(), 1);
}

#[tokio::test]
async fn many_tool_calls_of_a_whole_answer_do_not_take_a_pause_each() {
    let setup = setup::vendor().await;
    let mut many = setup::completion("x");
    let call = json!({"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    many["choices"][0]["message"]["tool_calls"] = vec![call; 40].into();
    setup.vendor.reply(Answer::json(&many));
    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await;
    // Forty pauses would be eight seconds; this text is one piece and has none.
    let whole = tokio::time::timeout(std::time::Duration::from_secs(4), stream.collect()).await.expect("it hurries");
    assert!(whole.done);
}

#[tokio::test]
async fn identifiers_in_a_vendors_message_stay_here() {
    let setup = setup::vendor().await;
    let message =
        "无效的密钥sk-abcd1234efgh5678ijkl9012：请检查 org=org-A1b2C3d4E5f6G7h8J9 api.vendor.test/acct/12345678901234";
    setup.vendor.reply(Answer::error(400, &json!({"error": {"message": message, "type": "invalid_request_error"}})));
    let answer = setup.ask().await;
    expect::error(&answer, expect::INVALID);
    for secret in ["sk-abcd", "org-A1b2", "vendor.test", "12345678901234"] {
        assert!(!answer.text().contains(secret), "{secret} in {}", answer.text());
    }
    assert!(answer.text().contains("请检查"));
}

#[tokio::test]
async fn rate_limit_headers_reach_the_client_also_with_a_429() {
    let setup = setup::vendor().await;
    let limited = Answer::error(429, &json!({"error": {"message": "slow down", "code": "rate_limit_exceeded"}}));
    setup.vendor.reply(limited.header("x-ratelimit-remaining-requests", "0"));
    setup.vendor.reply(Answer::json(&setup::completion("x")).header("x-ratelimit-remaining-requests", "7"));
    let (refused, answered) = (setup.ask().await, setup.ask().await);
    let left = |answer: &testkit::Answered| answer.header("x-ratelimit-remaining-requests").to_owned();
    assert_eq!((refused.status.as_u16(), left(&refused).as_str()), (429, "0"));
    assert_eq!((answered.status.as_u16(), left(&answered).as_str()), (200, "7"));
}

#[tokio::test]
async fn text_that_does_not_fit_into_a_guest_is_the_clients_to_shorten() {
    let setup = setup::vendor().await;
    let mut body = question(MODEL);
    body["messages"][0]["content"] = "so many words. ".repeat(1_000_000).into();
    let answer = setup.chat(&body).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains("text_max_bytes"));
    setup.lives_on().await;
}
