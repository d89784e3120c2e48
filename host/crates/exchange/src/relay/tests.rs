//! What the client gets, for each form of answer: whole, streamed, broken.

use std::sync::Arc;

use domain::{ApiKey, ApiKeyId, KeyStatus, RequestId, TokenClass};
use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::outlet::{Answer, AnswerBody};

fn relay(streaming: bool, include_usage: bool) -> (Relay, oneshot::Receiver<Result<Answer, Fault>>) {
    relay_with(streaming, include_usage, Limits::default())
}

fn relay_with(
    streaming: bool,
    include_usage: bool,
    limits: Limits,
) -> (Relay, oneshot::Receiver<Result<Answer, Fault>>) {
    let admission = Admission { model: "public".into(), streaming, include_usage, max_tokens: None };
    let ask = Ask {
        request: RequestId("r".into()),
        api_key: Arc::new(ApiKey {
            id: ApiKeyId(1),
            name: "app".into(),
            prefix: "sk-1234".into(),
            status: KeyStatus::Active,
            group: "default".into(),
            models: None,
            created_ms: 0,
        }),
        operation: "chat",
        body: bytes::Bytes::new(),
        headers: vec![],
        arrived: Instant::now(),
        arrived_ms: 0,
        async_ok: false,
    };
    let (outlet, answer) = Outlet::new(ask.request.clone());
    let began = Instant::now();
    let deadline = began + limits.total;
    let watch = Watch { limits, stopping: CancellationToken::new(), began, deadline };
    (Relay::new(&ask, &admission, outlet, watch), answer)
}

fn chunk(delta: Value, finish: Value, usage: Value) -> String {
    json!({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "up",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": usage})
    .to_string()
}

fn usage() -> Usage {
    Usage { counts: [(TokenClass::Input, 3), (TokenClass::Output, 2)].into(), estimated: false }
}

async fn parts(answer: oneshot::Receiver<Result<Answer, Fault>>) -> Vec<String> {
    let AnswerBody::Stream(mut parts) = answer.await.unwrap().unwrap().body else { panic!("not a stream") };
    let mut seen = Vec::new();
    while let Some(part) = parts.recv().await {
        seen.push(match part {
            Part::Chunk(json) => json,
            Part::Ping => "ping".into(),
            Part::Done => "done".into(),
            Part::Fault(fault) => format!("fault {}", fault.code.as_str()),
        });
    }
    seen
}

#[tokio::test]
async fn a_stream_hides_usage_that_was_not_asked_for() {
    for asked in [false, true] {
        let (mut relay, answer) = relay(true, asked);
        relay.emit(&chunk(json!({"content": "hi"}), Value::Null, Value::Null)).await.unwrap();
        relay.emit(&chunk(json!({}), json!("stop"), json!({"prompt_tokens": 3}))).await.unwrap();
        relay.set_usage(usage());
        let produced = relay.produce(bytes::Bytes::new()).await;
        assert_eq!(produced.usage, usage());
        relay.close(None).await;
        let seen = parts(answer).await;
        assert!(seen[0].contains("\"public\"") && !seen.iter().take(2).any(|part| part.contains("prompt_tokens")));
        assert_eq!(seen.last().unwrap(), "done");
        assert_eq!(seen.len(), if asked { 4 } else { 3 });
        if asked {
            let last: Value = serde_json::from_str(&seen[2]).unwrap();
            assert_eq!(
                (&last["id"], &last["choices"], &last["usage"]["total_tokens"]),
                (&json!("c1"), &json!([]), &json!(5))
            );
        }
    }
}

#[tokio::test]
async fn a_broken_stream_ends_without_done() {
    let (mut relay, answer) = relay(true, true);
    relay.emit(&chunk(json!({"content": "hi"}), Value::Null, Value::Null)).await.unwrap();
    relay.close(Some(Fault::new(FaultCode::UpstreamBroken, "cut"))).await;
    assert_eq!(parts(answer).await[1..], ["fault upstream-broken"]);
}

#[tokio::test]
async fn chunks_become_a_whole_answer_for_a_plain_client() {
    let (mut relay, answer) = relay(false, false);
    relay.emit(&chunk(json!({"role": "assistant", "content": "hel"}), Value::Null, Value::Null)).await.unwrap();
    relay.emit(&chunk(json!({"content": "lo"}), json!("stop"), Value::Null)).await.unwrap();
    relay.set_usage(usage());
    relay.produce(bytes::Bytes::new()).await;
    relay.close(None).await;
    let AnswerBody::Whole(json) = answer.await.unwrap().unwrap().body else { panic!("not whole") };
    let whole: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(whole["choices"][0]["message"]["content"], "hello");
    assert_eq!((&whole["model"], &whole["usage"]["total_tokens"]), (&json!("public"), &json!(5)));
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_is_streamed_in_pieces() {
    let (mut relay, answer) = relay(true, false);
    let text = "word ".repeat(100);
    let whole = json!({"id": "w", "object": "chat.completion", "created": 1, "model": "up", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]});
    let reading = tokio::spawn(parts(answer));
    relay.emit(&whole.to_string()).await.unwrap();
    relay.close(None).await;
    let seen = reading.await.unwrap();
    let said: String = seen
        .iter()
        .filter_map(|part| serde_json::from_str::<Value>(part).ok())
        .filter_map(|part| part["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
        .collect();
    assert_eq!((said.as_str(), seen.last().map(String::as_str)), (text.as_str(), Some("done")));
}

#[tokio::test]
async fn usage_is_estimated_only_when_something_was_produced() {
    let (mut silent, _answer) = relay(true, false);
    assert_eq!(silent.produce(bytes::Bytes::from_static(b"{}")).await.usage, Usage::default());
    let (mut spoke, _answer) = relay(true, false);
    spoke.emit(&chunk(json!({"content": "some words"}), Value::Null, Value::Null)).await.unwrap();
    let produced =
        spoke.produce(bytes::Bytes::from_static(br#"{"messages":[{"role":"user","content":"hello"}]}"#)).await;
    assert!(produced.usage.estimated && produced.usage.completion_tokens() > 0 && produced.usage.prompt_tokens() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_given_up() {
    let (mut relay, answer) = relay_with(true, false, Limits::default());
    let more = chunk(json!({"content": "more"}), Value::Null, Value::Null);
    let fault = loop {
        if let Err(fault) = relay.emit(&more).await {
            break fault;
        }
    };
    assert_eq!(fault.code, FaultCode::ClientGone);
    assert!(fault.message.contains("stall_ms"));
    relay.close(Some(fault)).await;
    drop(answer);
}

#[tokio::test]
async fn what_is_not_canonical_is_the_adapters_fault() {
    let (mut relay, _answer) = relay(true, false);
    for junk in ["hello", "[1]", r#"{"object":"list"}"#] {
        assert_eq!(relay.emit(junk).await.unwrap_err().code, FaultCode::AdapterBroken, "{junk}");
    }
}
