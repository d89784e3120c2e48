//! Tasks that take minutes: parked, taken up again, also by the next process, and asked for by a client that left.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::json;
use testkit::{DEADLINE, eventually};

use super::{MODEL, by_path, flow, paths};
use crate::setup::{Setup, question, records, streaming};

/// A vendor whose tasks are done once the switch is on; counts how many were started.
fn script(setup: &Setup) -> (Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (done, started) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (switch, counter) = (done.clone(), started.clone());
    by_path(&setup.vendor, move |path, _| {
        Some(match path {
            "/tasks" => {
                counter.fetch_add(1, Ordering::Relaxed);
                json!({"task_id": "t-1", "status": "queued"})
            }
            "/tasks/t-1" if switch.load(Ordering::Relaxed) => json!({"status": "succeeded", "output": "a picture"}),
            "/tasks/t-1" => json!({"status": "running"}),
            _ => return None,
        })
    });
    (done, started)
}

#[tokio::test]
async fn a_client_that_waits_gets_the_answer() {
    let setup = flow("flow-task", "task-secret-0123456789").await;
    let (done, _) = script(&setup);
    let (gateway, key) = (&setup.gateway, &setup.key);
    let question = question(MODEL);
    let ask = gateway.chat(key, &question);
    let finish = async {
        setup.vendor.wait_for_requests(3).await;
        done.store(true, Ordering::Relaxed);
    };
    let (answer, ()) = tokio::join!(ask, finish);
    assert_eq!((answer.status.as_u16(), answer.content().as_str()), (200, "a picture"), "{}", answer.text());
    let stream = gateway.chat_stream(key, &streaming(MODEL)).await.collect().await;
    assert!(stream.done && stream.content() == "a picture", "{stream:?}");
    // Nothing is left of either.
    let id = answer.header("x-request-id").to_owned();
    assert_eq!(gateway.get(&format!("/v1/tasks/{id}"), key).await.status, 404);
}

#[tokio::test]
async fn a_restart_does_not_lose_the_task_and_the_answer_is_kept() {
    let mut setup = flow("flow-task", "task-secret-0123456789").await;
    let (done, started) = script(&setup);
    let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).header("prefer", "respond-async");
    let accepted = call.json(&question(MODEL)).send().await;
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    assert_eq!(accepted.header("preference-applied"), "respond-async");
    let path = accepted.header("location").to_owned();
    assert_eq!(path, format!("/v1/tasks/{}", accepted.header("x-request-id")));
    let running = setup.gateway.get(&path, &setup.key).await;
    assert_eq!((running.status.as_u16(), running.json()["status"].as_str()), (202, Some("running")));

    setup.vendor.wait_for_requests(2).await;
    setup.gateway.kill();
    done.store(true, Ordering::Relaxed);
    setup.gateway.start_again().await;
    let finished = async || setup.gateway.get(&path, &setup.key).await.status == 200;
    eventually("the next process finishes the task", DEADLINE, finished).await;
    let answer = setup.gateway.get(&path, &setup.key).await;
    assert_eq!(answer.content(), "a picture");
    assert_eq!(started.load(Ordering::Relaxed), 1, "the vendor was asked once: {:?}", paths(&setup.vendor.requests()));
    let records = records(&setup.gateway).await;
    assert_eq!((records.len(), records[0].fault.as_str()), (1, ""), "settled exactly once: {records:?}");
    // Whose it is not may not read it.
    let other = setup.gateway.key("other").await;
    assert_eq!(setup.gateway.get(&path, &other).await.status, 404);
    assert_eq!(setup.gateway.get(&path, "sk-nobody").await.status, 401);
    // It outlives one more restart.
    setup.gateway.stop().await;
    setup.gateway.start_again().await;
    assert_eq!(setup.gateway.get(&path, &setup.key).await.content(), "a picture");
}

#[tokio::test]
async fn a_client_that_leaves_a_task_does_not_lose_it() {
    let setup = flow("flow-task", "task-secret-0123456789").await;
    let (done, _) = script(&setup);
    let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).json(&question(MODEL));
    let call = tokio::spawn(call.try_open());
    setup.vendor.wait_for_requests(2).await;
    call.abort();
    done.store(true, Ordering::Relaxed);
    let settled = async || records(&setup.gateway).await.first().is_some_and(|record| record.fault.is_empty());
    eventually("the task is settled without its client", DEADLINE, settled).await;
    let record = &records(&setup.gateway).await[0];
    let answer = setup.gateway.get(&format!("/v1/tasks/{}", record.request), &setup.key).await;
    assert_eq!(answer.content(), "a picture");
}

#[tokio::test]
async fn a_task_that_fails_is_told_as_a_fault() {
    let setup = flow("flow-task", "task-secret-0123456789").await;
    by_path(&setup.vendor, |path, _| {
        Some(match path {
            "/tasks" => json!({"task_id": "t-1"}),
            _ => json!({"status": "failed", "error": "out of paint"}),
        })
    });
    let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).header("prefer", "respond-async");
    let path = call.json(&question(MODEL)).send().await.header("location").to_owned();
    let failed = async || setup.gateway.get(&path, &setup.key).await.status == 502;
    eventually("the failure is kept", DEADLINE, failed).await;
    let answer = setup.gateway.get(&path, &setup.key).await;
    assert!(crate::expect::error(&answer, crate::expect::BROKEN).contains("out of paint"));
}
