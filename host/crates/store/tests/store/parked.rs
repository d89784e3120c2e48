//! Parked exchanges: they outlive the process, only their own key hears of them, and what was said is nowhere to be read.

use std::{fs, path::Path, str::FromStr};

use domain::{ApiKeyId, ChannelId, FaultCode, RequestId, Secret};
use quota::{Outcome, ParkedExchange};
use sqlx::{Connection, Row, any::AnyConnectOptions};
use store::{OpenOptions, Store, StoreError};

use crate::{open, opening::tamper, options};

const OTHER_KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const MINE: ApiKeyId = ApiKeyId(3);

fn parked(request: &str) -> ParkedExchange {
    ParkedExchange {
        request: id(request),
        api_key: MINE,
        channel: ChannelId(4),
        operation: "chat".to_owned(),
        upstream_model: "vendor-image-1".to_owned(),
        body: r#"{"model":"draw","prompt":"a very private prompt"}"#.to_owned(),
        headers: vec![("accept-language".to_owned(), "tlh".to_owned())],
        arrived_ms: 1_700_000_000_000,
        state: " the vendor's task-0001\n".to_owned(),
        due_ms: 1_700_000_005_000,
    }
}

fn id(request: &str) -> RequestId {
    RequestId(request.to_owned())
}

fn answer(text: &str) -> Option<Outcome> {
    Some(Outcome::Answer(text.to_owned()))
}

/// How many rows there are, whatever they hold.
async fn rows(dir: &Path) -> i64 {
    let url = format!("sqlite://{}?mode=rw", dir.join("witgate.db").display());
    let mut connection = sqlx::AnyConnection::connect_with(&AnyConnectOptions::from_str(&url).unwrap()).await.unwrap();
    let row = sqlx::query("SELECT COUNT(*) FROM parked_exchanges").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn it_waits_across_a_restart_with_its_newest_state() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let mut first = parked("first");
    store.parking().park(first.clone()).await.unwrap();
    first.state = "step two".to_owned();
    first.due_ms += 60_000;
    first.channel = ChannelId(5);
    first.upstream_model = "vendor-image-2".to_owned();
    store.parking().park(first.clone()).await.unwrap();
    store.parking().park(parked("second")).await.unwrap();
    store.close().await;

    let store = open(dir.path()).await;
    // In the order in which they are due.
    assert_eq!(store.parking().waiting().await.unwrap(), [parked("second"), first]);
    assert_eq!(store.parking().outcome(MINE, &id("first")).await.unwrap(), Some(Outcome::Running));
    store.close().await;
}

#[tokio::test]
async fn what_came_of_it_is_kept_for_its_own_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let failed = Outcome::Failed { code: "content-filtered".to_owned(), message: "the vendor refused it".to_owned() };
    let outcomes = [("answered", answer(" {\"data\": []}\n")), ("failed", Some(failed)), ("heard", None)];
    for (request, outcome) in &outcomes {
        store.parking().park(parked(request)).await.unwrap();
        store.parking().unpark(&id(request), outcome.clone()).await.unwrap();
    }
    store.close().await;

    let store = open(dir.path()).await;
    let parking = store.parking();
    for (request, outcome) in outcomes {
        assert_eq!(parking.outcome(MINE, &id(request)).await.unwrap(), outcome, "{request}");
        assert_eq!(parking.outcome(ApiKeyId(4), &id(request)).await.unwrap(), None, "{request}");
    }
    assert_eq!(parking.outcome(MINE, &id("never")).await.unwrap(), None);
    assert_eq!(parking.waiting().await.unwrap(), []);
    assert_eq!(rows(dir.path()).await, 2, "nothing is kept of what the client has heard");
    store.close().await;
}

#[tokio::test]
async fn an_exchange_that_runs_is_hidden_from_other_keys_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.parking().park(parked("first")).await.unwrap();
    assert_eq!(store.parking().outcome(ApiKeyId(4), &id("first")).await.unwrap(), None);
    // Nothing has ended by saying that it runs.
    store.parking().unpark(&id("first"), Some(Outcome::Running)).await.unwrap();
    assert_eq!(store.parking().waiting().await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn answers_are_deleted_after_a_day_a_hundred_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let parking = store.parking();
    for number in 0..150 {
        parking.park(parked(&format!("old-{number}"))).await.unwrap();
        parking.unpark(&id(&format!("old-{number}")), answer("{}")).await.unwrap();
    }
    parking.park(parked("running")).await.unwrap();
    tamper(dir.path(), "UPDATE parked_exchanges SET ended_ms = ended_ms - 86340000").await;
    assert_eq!(parking.outcome(MINE, &id("old-7")).await.unwrap(), answer("{}"), "a minute less than a day");
    parking.waiting().await.unwrap();
    assert_eq!(rows(dir.path()).await, 151);

    tamper(dir.path(), "UPDATE parked_exchanges SET ended_ms = ended_ms - 60001").await;
    assert_eq!(parking.outcome(MINE, &id("old-7")).await.unwrap(), None, "gone before it is deleted");
    assert_eq!(parking.waiting().await.unwrap().len(), 1);
    assert_eq!(rows(dir.path()).await, 51);
    parking.unpark(&id("running"), answer("{}")).await.unwrap();
    assert_eq!(rows(dir.path()).await, 1);
    assert_eq!(parking.outcome(MINE, &id("running")).await.unwrap(), answer("{}"));
    store.close().await;
}

#[tokio::test]
async fn what_was_said_is_in_none_of_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let holds = |text: &str| {
        let entries = fs::read_dir(dir.path()).unwrap();
        let bytes: Vec<u8> = entries.flat_map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    store.parking().park(parked("running")).await.unwrap();
    store.parking().park(parked("ended")).await.unwrap();
    store.parking().unpark(&id("ended"), answer(r#"{"text":"a very private answer"}"#)).await.unwrap();
    // Once while the rows are in the write-ahead log, once when they are in the database file.
    for _ in 0..2 {
        assert!(holds("vendor-image-1"), "the test must look where the rows are");
        for text in ["private", "tlh", "task-0001"] {
            assert!(!holds(text), "{text}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn another_master_key_is_refused_and_harms_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    store.parking().park(parked("first")).await.unwrap();
    store.close().await;

    let other = OpenOptions { master_key: Some(Secret::new(OTHER_KEY)), ..options(dir.path()) };
    assert!(matches!(Store::open(other).await, Err(StoreError::MasterKey(_))));
    let store = open(dir.path()).await;
    assert_eq!(store.parking().waiting().await.unwrap(), [parked("first")]);
    store.close().await;
}

#[tokio::test]
async fn a_damaged_one_is_given_up_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for request in ["first", "second"] {
        store.parking().park(parked(request)).await.unwrap();
    }
    // What was sealed for one row does not open in another.
    tamper(
        dir.path(),
        "UPDATE parked_exchanges SET sealed_state = (SELECT sealed_state FROM parked_exchanges WHERE request = 'second') \
         WHERE request = 'first'",
    )
    .await;
    assert_eq!(store.parking().waiting().await.unwrap(), [parked("second")]);
    let outcome = store.parking().outcome(MINE, &id("first")).await.unwrap();
    assert!(
        matches!(&outcome, Some(Outcome::Failed { code, message }) if code == "internal" && message.contains("again")),
        "{outcome:?}"
    );
    store.close().await;
}

#[tokio::test]
async fn failures_are_faults_that_clients_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    tamper(dir.path(), "ALTER TABLE parked_exchanges RENAME TO elsewhere").await;
    let parking = store.parking();
    let faults = [
        parking.park(parked("first")).await.unwrap_err(),
        parking.unpark(&id("first"), None).await.unwrap_err(),
        parking.waiting().await.unwrap_err(),
        parking.outcome(MINE, &id("first")).await.unwrap_err(),
    ];
    for fault in faults {
        assert_eq!(fault.code, FaultCode::Unavailable);
        assert!(!fault.message.contains("parked_exchanges"), "{}", fault.message);
        assert!(fault.detail.unwrap().contains("parked_exchanges"));
    }
    tamper(dir.path(), "ALTER TABLE elsewhere RENAME TO parked_exchanges").await;
    store.close().await;
    let late = parking.park(parked("first")).await.unwrap_err();
    assert_eq!(late.code, FaultCode::Unavailable);
}

#[tokio::test]
async fn a_database_of_the_first_release_gets_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let key = store.create_api_key("app", "default", None).await.unwrap().0;
    store.close().await;
    tamper(dir.path(), "DROP TABLE parked_exchanges").await;
    tamper(dir.path(), "UPDATE schema_version SET version = 1").await;

    let store = open(dir.path()).await;
    store.parking().park(parked("first")).await.unwrap();
    assert_eq!(store.api_keys().await.unwrap()[0].id, key.id);
    store.close().await;
}

#[tokio::test]
async fn what_was_settled_before_the_process_died_is_not_taken_up_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for request in ["req-settled", "req-running"] {
        store.parking().park(parked(request)).await.unwrap();
    }
    let reservation = quota::Reservation {
        request: id("req-settled"),
        api_key: MINE,
        model: "draw".to_owned(),
        input_tokens: 1,
        output_tokens: 1,
    };
    let ledger = store.ledger();
    let reserved = ledger.reserve(reservation).await.unwrap();
    ledger.settle(reserved, crate::usage_record("req-settled")).await.unwrap();
    // The process dies here, before the row is ended.
    store.close().await;
    let store = open(dir.path()).await;
    let waiting = store.parking().waiting().await.unwrap();
    assert_eq!(waiting.iter().map(|parked| parked.request.0.as_str()).collect::<Vec<_>>(), ["req-running"]);
    let outcome = store.parking().outcome(MINE, &id("req-settled")).await.unwrap();
    assert!(matches!(outcome, Some(Outcome::Failed { code, .. }) if code == FaultCode::Internal.as_str()));
}

#[tokio::test]
async fn one_key_cannot_park_without_end() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let parking = store.parking();
    for number in 0..1_000 {
        parking.park(parked(&format!("req-{number}"))).await.unwrap();
    }
    let fault = parking.park(parked("req-more")).await.unwrap_err();
    assert_eq!(fault.code, FaultCode::RateLimited);
    parking.park(parked("req-7")).await.expect("one that waits already may wait on");
    let other = ParkedExchange { api_key: ApiKeyId(99), ..parked("req-other") };
    parking.park(other).await.expect("another key has its own");
}
