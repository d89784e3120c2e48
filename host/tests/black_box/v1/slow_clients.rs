//! Clients that stop reading: they hold nothing up, and what they were sent is settled.

use testkit::{Answer, vendor::End};

use crate::setup::{self, MODEL, records, streaming, text_chunk};

/// A stream far larger than every buffer between the vendor and a client that does not read.
fn flood() -> Answer {
    let long = "word ".repeat(20_000);
    let mut answer = Answer::stream();
    for _ in 0..200 {
        answer = answer.data(&text_chunk(&long));
    }
    answer.end(End::Hang)
}

async fn silent_client(setup: &setup::Setup) -> testkit::RawConnection {
    let mut raw = setup.gateway.raw().await;
    let body = streaming(MODEL).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        setup.key,
        body.len()
    );
    assert!(raw.write(head.as_bytes()).await && raw.write(body.as_bytes()).await);
    raw
}

#[tokio::test]
async fn a_client_that_stops_reading_is_given_up_and_settled() {
    let builder = setup::bare().env("WITGATE_EXCHANGE_STALL_MS", "300");
    let setup = setup::vendor_of("compatible", builder).await;
    setup.vendor.reply(flood());
    let raw = silent_client(&setup).await;
    setup.vendor.wait_for_disconnect().await;
    testkit::eventually("it is settled", testkit::DEADLINE, async || records(&setup.gateway).await.len() == 1).await;
    let record = &records(&setup.gateway).await[0];
    assert_eq!(record.fault, "client-gone");
    assert!(record.usage.estimated && record.usage.completion_tokens() > 0);
    drop(raw);
    setup.lives_on().await;
}

#[tokio::test]
async fn a_client_that_stops_reading_does_not_lose_its_record_at_shutdown() {
    let builder = setup::bare().env("WITGATE_SERVER_SHUTDOWN_GRACE_S", "0");
    let mut setup = setup::vendor_of("compatible", builder).await;
    setup.vendor.reply(flood());
    let raw = silent_client(&setup).await;
    setup.vendor.wait_for_requests(1).await;
    setup.gateway.terminate();
    assert!(setup.gateway.wait_for_exit().await.success());
    drop(raw);
    let records = records(&setup.gateway).await;
    assert_eq!((records.len(), records[0].fault.as_str()), (1, "unavailable"));
}
