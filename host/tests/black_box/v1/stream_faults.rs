//! Vendors that fail in the middle of a stream: the client gets an error event, never a `[DONE]` that nobody sent.

use serde_json::{Value, json};
use testkit::{Answer, vendor::End};

use crate::{
    expect,
    setup::{self, PROVIDERS, Setup, last_chunk, text_chunk},
};

/// The vendor sends one event and then this; the client sees the event, then an error.
async fn breaks(setup: &Setup, what: &str, answer: Answer) -> String {
    setup.vendor.reply(answer);
    let stream = setup.ask_stream().await;
    assert_eq!(stream.status, 200, "{what}");
    let stream = stream.collect().await;
    assert_eq!(stream.content(), "one", "{what}: {stream:?}");
    expect::broken_stream(&stream)
}

fn begun() -> Answer {
    Answer::stream().data(&text_chunk("one"))
}

#[tokio::test]
async fn a_stream_that_is_cut_off_is_an_error() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        breaks(&setup, "proper end without finish", begun()).await;
        breaks(&setup, "closed", begun().end(End::Close)).await;
        breaks(&setup, "reset", begun().end(End::Reset)).await;
        breaks(&setup, "inside an event", begun().push("data: {\"id\":\"x\",\"cho").end(End::Close)).await;
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn a_stream_that_stops_is_given_up() {
    for provider in PROVIDERS {
        let builder = setup::bare().env("WITGATE_UPSTREAM_IDLE_MS", "300");
        let setup = setup::vendor_of(provider, builder).await;
        breaks(&setup, "hang", begun().end(End::Hang)).await;
        setup.vendor.wait_for_disconnect().await;
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn garbage_in_a_stream_is_an_error() {
    let garbage: [(&str, Vec<u8>); 4] = [
        ("not JSON", b"data: {not json}\n\n".to_vec()),
        ("bytes", b"data: \x00\x01\x02\n\n".to_vec()),
        ("invalid UTF-8", b"data: {\"choices\":[{\"delta\":{\"content\":\"\xff\xfe\"}}]}\n\n".to_vec()),
        ("HTML", b"<html><body>gateway timeout</body></html>\n\n".to_vec()),
    ];
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        for (what, bytes) in &garbage {
            breaks(&setup, what, begun().push(bytes.clone())).await;
        }
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn an_error_event_of_the_vendor_is_the_clients_error() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let secret = setup.gateway.vendor_secret().to_owned();
        let error =
            json!({"error": {"message": format!("overheated, key {secret}"), "type": "server_error", "code": null}});
        let message = breaks(&setup, "error event", begun().data(&error).done()).await;
        assert!(message.contains("overheated") && !message.contains(&secret), "{message}");
    }
}

#[tokio::test]
async fn an_event_over_the_limit_is_an_error() {
    for provider in PROVIDERS {
        let builder = setup::bare().env("WITGATE_UPSTREAM_MAX_MESSAGE_BYTES", "65536");
        let setup = setup::vendor_of(provider, builder).await;
        let large = text_chunk(&"a".repeat(1 << 20));
        breaks(&setup, "large event", begun().data(&large).data(&last_chunk()).done()).await;
        setup.lives_on().await;
    }
}

#[tokio::test]
async fn an_empty_stream_is_a_plain_error() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        for answer in [Answer::stream(), Answer::stream().done(), Answer::stream().comment("x").end(End::Close)] {
            setup.vendor.reply(answer);
            expect::error(&setup.ask_stream().await.whole().await, expect::BROKEN);
        }
    }
}

#[tokio::test]
async fn comments_and_odd_events_break_nothing() {
    let odd: Value = json!({"id": "x", "object": "chat.completion.chunk", "choices": []});
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let answer = begun().comment("ping").push("event: ping\ndata: {}\n\n").data(&odd).data(&text_chunk(" two"));
        setup.vendor.reply(answer.data(&last_chunk()).done());
        let stream = setup.ask_stream().await.collect().await;
        assert_eq!((stream.content().as_str(), stream.done), ("one two", true), "{provider}: {stream:?}");
    }
}

#[tokio::test]
async fn a_stream_that_finished_is_complete_even_without_done() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        setup.vendor.reply(begun().data(&last_chunk()));
        let stream = setup.ask_stream().await.collect().await;
        assert_eq!((stream.content().as_str(), stream.finish_reason().as_str()), ("one", "stop"), "{provider}");
        assert!(stream.done && stream.error.is_none(), "{provider}: {stream:?}");
    }
}
