//! A client that leaves: the vendor's work is stopped, and what was used is still written down.

use testkit::{Answer, Gate, vendor::End};

use crate::setup::{self, PROVIDERS, text_chunk};

#[tokio::test]
async fn leaving_a_stream_cancels_it_at_the_vendor() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        setup.vendor.reply(Answer::stream().data(&text_chunk("one")).end(End::Hang));
        let mut stream = setup.ask_stream().await;
        assert!(stream.next_data().await.is_some());
        drop(stream);
        setup.vendor.wait_for_disconnect().await;
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn leaving_before_the_first_byte_cancels_it_at_the_vendor() {
    let setup = setup::vendor().await;
    for streaming in [false, true] {
        let gate = Gate::new();
        setup.vendor.reply(Answer::json(&setup::completion("late")).gate_head(&gate));
        let mut body = setup::question(setup::MODEL);
        body["stream"] = streaming.into();
        let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key).json(&body);
        let call = tokio::spawn(call.try_open());
        gate.reached(1).await;
        call.abort();
        setup.vendor.wait_for_disconnect().await;
    }
    setup.lives_on().await;
}

#[tokio::test]
async fn a_reset_of_the_client_cancels_it_as_well() {
    let setup = setup::vendor().await;
    setup.vendor.reply(Answer::stream().data(&text_chunk("one")).end(End::Hang));
    let mut raw = setup.gateway.raw().await;
    let body = setup::streaming(setup::MODEL).to_string();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        setup.key,
        body.len()
    );
    assert!(raw.write(head.as_bytes()).await && raw.write(body.as_bytes()).await);
    assert!(raw.read_until("one").await.contains("one"));
    raw.reset();
    setup.vendor.wait_for_disconnect().await;
    setup.lives_on().await;
}

#[tokio::test]
async fn fifty_clients_leave_at_once_and_nothing_is_left_behind() {
    let setup = setup::vendor().await;
    setup.vendor.always(|_| Answer::stream().data(&text_chunk("one")).end(End::Hang));
    let mut streams = Vec::new();
    for _ in 0..50 {
        let mut stream = setup.ask_stream().await;
        assert!(stream.next_data().await.is_some());
        streams.push(stream);
    }
    drop(streams);
    let all = async || setup.vendor.requests().iter().filter(|request| request.disconnected).count() == 50;
    testkit::eventually("all fifty are cancelled at the vendor", testkit::DEADLINE, all).await;
}
