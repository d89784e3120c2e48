//! Several requests, pauses and a cancel in one exchange.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use testkit::eventually;

use super::{MODEL, by_path, flow, paths};
use crate::setup::{self, question, records, streaming};

/// A vendor whose chats are done at the third look.
fn script(setup: &setup::Setup, done_at: usize) {
    let looks = AtomicUsize::new(0);
    by_path(&setup.vendor, move |path, _| {
        Some(match path {
            "/v3/chat" => json!({"code": 0, "data": {"id": "c-1", "status": "in_progress"}}),
            "/v3/chat/retrieve" if looks.fetch_add(1, Ordering::Relaxed) + 1 < done_at => {
                json!({"code": 0, "data": {"id": "c-1", "status": "in_progress"}})
            }
            "/v3/chat/retrieve" => {
                json!({"code": 0, "data": {"status": "completed", "usage": {"input_count": 11, "output_count": 5}}})
            }
            "/v3/chat/messages" => {
                json!({"code": 0, "data": {"messages": [{"content": "pong"}, {"content": "and more"}]}})
            }
            "/v3/chat/cancel" => json!({"code": 0, "data": {}}),
            _ => return None,
        })
    });
}

#[tokio::test]
async fn a_chat_that_is_created_polled_and_read() {
    let setup = flow("flow-poll", "poll-secret-0123456789").await;
    script(&setup, 3);
    let answer = setup.chat(&question(MODEL)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.content(), "pong\nand more");
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 11);
    let requests = setup.vendor.requests();
    let retrieve = "/v3/chat/retrieve";
    assert_eq!(paths(&requests), ["/v3/chat", retrieve, retrieve, retrieve, "/v3/chat/messages"]);
    assert_eq!(requests[1].query, "chat_id=c-1");
    assert!(requests.iter().all(|request| request.header("authorization") == Some("Bearer poll-secret-0123456789")));

    let stream = setup.gateway.chat_stream(&setup.key, &streaming(MODEL)).await.collect().await;
    assert!(stream.done && stream.content() == "pong\nand more", "{stream:?}");
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let setup = flow("flow-poll", "poll-secret-0123456789").await;
    by_path(&setup.vendor, |_, _| Some(json!({"code": 4013, "msg": "slow down"})));
    let answer = setup.chat(&question(MODEL)).await;
    assert!(crate::expect::error(&answer, crate::expect::RATE_LIMITED).contains("slow down"));
}

#[tokio::test]
async fn a_client_that_leaves_has_its_chat_cancelled_at_the_vendor() {
    let setup = flow("flow-poll", "poll-secret-0123456789").await;
    script(&setup, usize::MAX);
    let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).json(&question(MODEL));
    let call = tokio::spawn(call.try_open());
    setup.vendor.wait_for_requests(3).await;
    call.abort();
    let cancelled = async || paths(&setup.vendor.requests()).contains(&"/v3/chat/cancel");
    eventually("the vendor is told to stop", testkit::DEADLINE, cancelled).await;
    let settled = async || records(&setup.gateway).await.first().is_some_and(|record| record.fault == "client-gone");
    eventually("the exchange is settled", testkit::DEADLINE, settled).await;
    // One last request, and that is all.
    let after = setup.vendor.requests().len();
    script(&setup, 1);
    assert_eq!(setup.chat(&question(MODEL)).await.status, 200);
    let requests = setup.vendor.requests();
    assert_eq!(
        paths(&requests[after - 1..]),
        ["/v3/chat/cancel", "/v3/chat", "/v3/chat/retrieve", "/v3/chat/messages"]
    );
}
