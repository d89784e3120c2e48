//! The scripted vendor against plain clients: every fault it can play arrives as that fault.
#![allow(clippy::expect_used, reason = "tests")]

use std::{io, time::Duration};

use serde_json::json;
use testkit::{Answer, Call, Gate, RefusingAddress, ScriptedVendor, vendor::End};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LONG: Duration = Duration::from_secs(10);

fn chat(vendor: &ScriptedVendor, body: &serde_json::Value) -> Call {
    Call::new(vendor.address(), "POST", "/v1/chat/completions?beta=true").bearer("sk-x").json(body)
}

/// Sends a request on a bare socket and reads what comes until the connection ends.
async fn exchange(vendor: &ScriptedVendor) -> (Vec<u8>, Option<io::ErrorKind>) {
    let mut stream = TcpStream::connect(vendor.address()).await.expect("the vendor accepts");
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request is sent");
    let mut received = Vec::new();
    let end = tokio::time::timeout(LONG, stream.read_to_end(&mut received)).await.expect("the connection ends");
    (received, end.err().map(|error| error.kind()))
}

#[tokio::test]
async fn the_default_answer_is_a_completion_and_the_request_is_remembered() {
    let vendor = ScriptedVendor::start().await;
    let answer = chat(&vendor, &json!({"model": "m", "messages": []})).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.content(), "Hello from the scripted vendor.");
    let request = vendor.last_request();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!(request.query, "beta=true");
    assert_eq!(request.header("authorization"), Some("Bearer sk-x"));
    assert_eq!(request.text(), r#"{"messages":[],"model":"m"}"#);
    assert!(!request.disconnected);
}

#[tokio::test]
async fn the_default_stream_has_usage_only_when_asked() {
    let vendor = ScriptedVendor::start().await;
    let plain = chat(&vendor, &json!({"model": "m", "stream": true})).open().await.collect().await;
    assert_eq!((plain.content().as_str(), plain.done, plain.usage()), ("Hello from the scripted vendor.", true, None));
    let body = json!({"model": "m", "stream": true, "stream_options": {"include_usage": true}});
    let with_usage = chat(&vendor, &body).open().await.collect().await;
    assert_eq!(with_usage.usage().map(|usage| usage["total_tokens"].clone()), Some(json!(18)));
}

#[tokio::test]
async fn tools_are_called_with_arguments_that_fit_and_answered_after_the_result() {
    let vendor = ScriptedVendor::start().await;
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let mut body = json!({"model": "m", "messages": [{"role": "user"}], "tools": tools, "stream": true});
    let stream = chat(&vendor, &body).open().await.collect().await;
    let deltas = stream.chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0].as_object());
    let arguments: String = deltas.filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(arguments, r#"{"city":"Paris","days":2}"#);
    assert_eq!(stream.finish_reason(), "tool_calls");
    body["messages"] = json!([{"role": "user"}, {"role": "tool"}]);
    let stream = chat(&vendor, &body).open().await.collect().await;
    assert_eq!(stream.finish_reason(), "stop");
}

#[tokio::test]
async fn answers_are_taken_from_the_models_queue_then_the_queue_then_the_standing_answer() {
    let vendor = ScriptedVendor::start().await;
    vendor.always(|_| Answer::json(&json!("always")));
    vendor.reply(Answer::json(&json!("queued")));
    vendor.reply_for_model("a", Answer::json(&json!("for a")));
    let mut got = Vec::new();
    for model in ["a", "a", "b"] {
        got.push(chat(&vendor, &json!({"model": model})).send().await.json());
    }
    assert_eq!(got, [json!("for a"), json!("queued"), json!("always")]);
}

#[tokio::test]
async fn a_gate_holds_a_stream_until_it_is_opened() {
    let vendor = ScriptedVendor::start().await;
    let (before, between) = (Gate::new(), Gate::new());
    let stream = Answer::stream().data(&json!(1)).gate(&between).comment("slow").data(&json!(2)).done();
    vendor.reply(stream.gate_head(&before));
    let call = tokio::spawn(chat(&vendor, &json!({})).open());
    before.reached(1).await;
    assert!(!call.is_finished());
    before.open();
    let mut reader = call.await.expect("an answer");
    assert_eq!(reader.next().await.and_then(|frame| frame.json()), Some(json!(1)));
    between.reached(1).await;
    assert!(!vendor.last_request().answered);
    between.open();
    assert_eq!(reader.next().await.map(|frame| frame.comments), Some(vec!["slow".to_owned()]));
    assert_eq!(reader.next().await.and_then(|frame| frame.json()), Some(json!(2)));
    assert!(reader.next().await.is_some_and(|frame| frame.is_done()));
    assert_eq!(reader.next().await, None);
}

#[tokio::test]
async fn a_hang_up_is_noticed_at_a_gate_and_in_silence() {
    for answer in [Answer::stream().data(&json!(1)).gate(&Gate::new()), Answer::stream().data(&json!(1)).end(End::Hang)]
    {
        let vendor = ScriptedVendor::start().await;
        vendor.reply(answer);
        let mut reader = chat(&vendor, &json!({})).open().await;
        assert!(reader.next().await.is_some());
        assert!(!vendor.last_request().disconnected);
        drop(reader);
        assert!(vendor.wait_for_disconnect().await.disconnected);
    }
    let vendor = ScriptedVendor::start().await;
    vendor.reply(Answer::silence());
    let call = tokio::spawn(chat(&vendor, &json!({})).try_open());
    vendor.wait_for_requests(1).await;
    call.abort();
    vendor.wait_for_disconnect().await;
}

#[tokio::test]
async fn connections_break_as_scripted() {
    let vendor = ScriptedVendor::start().await;
    vendor.reply(Answer::closed());
    assert_eq!(exchange(&vendor).await, (Vec::new(), None));
    vendor.reply(Answer::reset());
    assert_eq!(exchange(&vendor).await, (Vec::new(), Some(io::ErrorKind::ConnectionReset)));
    vendor.reply(Answer::raw("\0garbage\r\n\r\n"));
    assert_eq!(exchange(&vendor).await, (b"\0garbage\r\n\r\n".to_vec(), None));
    vendor.reply(Answer::stream().data(&json!(1)).end(End::Reset));
    let (received, end) = exchange(&vendor).await;
    assert!(String::from_utf8_lossy(&received).contains("data: 1"), "{received:?}");
    assert_eq!(end, Some(io::ErrorKind::ConnectionReset));
    vendor.reply(Answer::cut_short("{\"a\":", 100));
    let (received, end) = exchange(&vendor).await;
    assert!(String::from_utf8_lossy(&received).ends_with("content-length: 100\r\n\r\n{\"a\":"), "{received:?}");
    assert_eq!(end, None);
    let refused = RefusingAddress::new();
    let address = refused.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let error = TcpStream::connect(address).await.expect_err("nothing listens");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_cut_body_is_broken_and_a_whole_one_is_not() {
    let vendor = ScriptedVendor::start().await;
    vendor.reply(Answer::stream().data(&json!(1)).end(End::Close));
    vendor.reply(Answer::stream().data(&json!(1)));
    vendor.reply(Answer::large(3_000_000));
    vendor.reply(Answer::redirect("http://127.0.0.1/").header("x-more", "1"));
    let cut = chat(&vendor, &json!({})).open().await.collect().await;
    assert_eq!((cut.chunks.len(), cut.broken, cut.done), (1, true, false));
    let whole = chat(&vendor, &json!({})).open().await.collect().await;
    assert_eq!((whole.chunks.len(), whole.broken, whole.done), (1, false, false));
    let large = chat(&vendor, &json!({})).send().await;
    assert_eq!((large.body.len(), large.json().is_string()), (3_000_000, true));
    let moved = chat(&vendor, &json!({})).send().await;
    assert_eq!(
        (moved.status.as_u16(), moved.header("location"), moved.header("x-more")),
        (302, "http://127.0.0.1/", "1")
    );
}

#[tokio::test]
async fn a_connection_serves_several_requests_and_reads_chunked_bodies() {
    let vendor = ScriptedVendor::start().await;
    let mut stream = TcpStream::connect(vendor.address()).await.expect("the vendor accepts");
    for _ in 0..2 {
        let request = b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4;x=y\r\n\":1}\r\n0\r\n\r\n";
        stream.write_all(request).await.expect("a request is sent");
        let mut received = Vec::new();
        while !received.ends_with(b"}") {
            assert!(stream.read_buf(&mut received).await.expect("an answer") > 0);
        }
    }
    let requests = vendor.requests();
    assert_eq!(requests.iter().map(|request| request.connection).collect::<Vec<_>>(), [0, 0]);
    assert_eq!(requests[1].text(), r#"{"a":1}"#);
}
