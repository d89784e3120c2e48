//! Streamed answers: headers, order, timing, usage only when asked, comments while waiting.

use serde_json::{Value, json};
use testkit::{Answer, Gate};

use crate::setup::{self, MODEL, PROVIDERS, completion, last_chunk, streaming, text_chunk};

#[tokio::test]
async fn echo_streams() {
    let (gateway, key) = setup::echo().await;
    let stream = gateway.chat_stream(&key, &streaming("echo")).await.collect().await;
    assert!(stream.content().contains("ping"), "{stream:?}");
    assert_eq!((stream.done, stream.finish_reason().as_str(), stream.usage()), (true, "stop", None));
    assert!(stream.chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["model"] == "echo"));
}

#[tokio::test]
async fn a_stream_has_the_headers_that_proxies_and_browsers_need() {
    let (gateway, key) = setup::echo().await;
    let stream = gateway.chat_stream(&key, &streaming("echo")).await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.header("content-type"), "text/event-stream; charset=utf-8");
    assert_eq!(stream.header("cache-control"), "no-cache");
    assert_eq!(stream.header("x-accel-buffering"), "no");
    assert!(!stream.header("x-request-id").is_empty());
    assert!(stream.header("content-encoding").is_empty());
}

#[tokio::test]
async fn each_event_reaches_the_client_before_the_next_one_is_sent() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let gate = Gate::new();
        let mut answer = Answer::stream();
        for word in ["one ", "two ", "three"] {
            answer = answer.data(&text_chunk(word)).gate(&gate);
        }
        setup.vendor.reply(answer.data(&last_chunk()).done());
        let mut stream = setup.ask_stream().await;
        for word in ["one ", "two ", "three"] {
            let event = stream.next_data().await.and_then(|frame| frame.json()).expect("an event");
            assert_eq!(event["choices"][0]["delta"]["content"], word, "{provider}: {event}");
            gate.open();
        }
        let rest = stream.collect().await;
        assert_eq!((rest.done, rest.finish_reason().as_str()), (true, "stop"));
    }
}

#[tokio::test]
async fn usage_comes_last_and_only_when_asked() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let plain = setup.ask_stream().await.collect().await;
        assert_eq!(plain.usage(), None, "{provider}: {plain:?}");
        assert!(plain.chunks.iter().all(|chunk| chunk["choices"].get(0).is_some()), "{provider}: {plain:?}");
        let mut body = streaming(MODEL);
        body["stream_options"] = json!({"include_usage": true});
        let asked = setup.gateway.chat_stream(&setup.key, &body).await.collect().await;
        let last = asked.chunks.last().expect("chunks");
        assert_eq!((&last["choices"], &last["usage"]["total_tokens"]), (&json!([]), &json!(18)), "{provider}");
        let others = &asked.chunks[..asked.chunks.len() - 1];
        assert!(others.iter().all(|chunk| !chunk["usage"].is_object()), "{provider}: usage once, {asked:?}");
        assert!(asked.done);
        // The gateway counts in any case, so it asks the vendor in any case.
        let requests = setup.vendor.requests();
        assert!(requests.iter().all(|request| request.json()["stream_options"]["include_usage"] == true), "{provider}");
    }
}

#[tokio::test]
async fn a_vendor_that_reports_no_usage_still_gives_the_client_some() {
    let setup = setup::vendor().await;
    setup.vendor.reply(Answer::sse([&text_chunk("some words of text"), &last_chunk()]));
    let mut body = streaming(MODEL);
    body["stream_options"] = json!({"include_usage": true});
    let stream = setup.gateway.chat_stream(&setup.key, &body).await.collect().await;
    let usage = stream.usage().expect("usage was asked for");
    let count = |name: &str| usage[name].as_u64().unwrap_or_default();
    assert!(count("prompt_tokens") > 0 && count("completion_tokens") > 0, "{usage}");
    assert_eq!(count("prompt_tokens") + count("completion_tokens"), count("total_tokens"));
}

#[tokio::test]
async fn tools_stream_in_parts_that_join() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let mut body = streaming(MODEL);
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
        let stream = setup.gateway.chat_stream(&setup.key, &body).await.collect().await;
        let calls: Vec<&Value> =
            stream.chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]).collect();
        let arguments: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
        let name = calls.iter().find_map(|call| call["function"]["name"].as_str());
        assert_eq!((arguments.as_str(), name), (r#"{"city":"Paris"}"#, Some("weather")), "{provider}");
        assert_eq!((stream.finish_reason().as_str(), stream.done), ("tool_calls", true));
    }
}

#[tokio::test]
async fn a_comment_keeps_a_silent_stream_open() {
    let setup = setup::vendor_of("compatible", setup::bare().env("WITGATE_KEEPALIVE_MS", "50")).await;
    let gate = Gate::new();
    setup.vendor.reply(Answer::stream().data(&text_chunk("one")).gate(&gate).data(&last_chunk()).done());
    let mut stream = setup.ask_stream().await;
    assert!(stream.next_data().await.is_some());
    for _ in 0..2 {
        let frame = stream.next().await.expect("a comment");
        assert_eq!((frame.data, frame.comments.len()), (None, 1), "nothing but a comment while the vendor waits");
    }
    gate.open();
    let rest = stream.collect().await;
    assert!(rest.done && rest.error.is_none(), "{rest:?}");
}

#[tokio::test]
async fn a_vendor_that_only_answers_whole_still_streams_to_the_client() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let text = "word ".repeat(200);
        setup.vendor.reply(Answer::json(&completion(&text)));
        let stream = setup.ask_stream().await.collect().await;
        assert_eq!(stream.content(), text, "{provider}");
        assert_eq!((stream.done, stream.finish_reason().as_str()), (true, "stop"), "{provider}");
    }
}

#[tokio::test]
async fn odd_framing_of_a_vendor_changes_nothing() {
    let one = text_chunk("é水 one").to_string();
    let two = text_chunk(" two").to_string();
    let (last, cut) = (last_chunk().to_string(), one.find('水').unwrap() + 1);
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let answer = Answer::stream()
            .push(": hello\r\n\r\n")
            .push(format!("data:{}", &one[..one.len() / 2].chars().take(20).collect::<String>()))
            .push(one.as_bytes()[one.chars().take(20).collect::<String>().len()..cut].to_vec())
            .push(one.as_bytes()[cut..].to_vec())
            .push("\r\n\r\n\r\n")
            .push(format!("id: 7\nretry: 10\ndata: {two}\r\r"))
            .push(format!("data: {last}\n\ndata: [DONE]"));
        setup.vendor.reply(answer);
        let stream = setup.ask_stream().await.collect().await;
        assert_eq!(stream.content(), "é水 one two", "{provider}");
        assert!(stream.done && stream.error.is_none(), "{provider}: {stream:?}");
    }
}

#[tokio::test]
async fn an_event_of_a_megabyte_passes() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let text = "a".repeat(1 << 20);
        setup.vendor.reply(Answer::sse([&text_chunk(&text), &last_chunk()]));
        let stream = setup.ask_stream().await.collect().await;
        assert_eq!(stream.content().len(), text.len(), "{provider}");
        assert!(stream.done, "{provider}");
    }
}
