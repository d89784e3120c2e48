//! What the gateway does not understand it does not touch: request bytes, unknown fields in both directions, big pictures.

use serde_json::json;
use testkit::Answer;

use crate::setup::{self, PROVIDERS, completion, last_chunk, text_chunk};

#[tokio::test]
async fn a_request_keeps_its_bytes() {
    // Order, spacing, escapes and number forms that a parse and a print would change.
    let messages = r#"[ {"role":"user" ,"x_first":1,"content":"h\u00e9llo \ud83d\ude00 \/ "},{"content":"b","role":"user","cache_control":{"type":"ephemeral"}} ]"#;
    let tools = r#"[{"type":"function","function":{"name":"f","parameters":{"z":1,"a":{"b":2.50,"a":1e2}}}}]"#;
    let rest = r#""temperature":1.0,"seed":12345678901234567890,"x_unknown":{"b":[1, 2],"a":null},"user":"u-1""#;
    let body = format!(r#"{{"tools":{tools},"model":"gpt-test","messages":{messages},"tool_choice":"none",{rest}}}"#);
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let call = setup.gateway.call("POST", "/v1/chat/completions").bearer(&setup.key);
        let answer = call.json_text(body.clone()).send().await;
        assert_eq!(answer.status, 200, "{provider}: {}", answer.text());
        let sent = setup.vendor.last_request();
        let sent = sent.text();
        for part in [messages, tools, rest, r#""tool_choice":"none""#] {
            assert!(sent.contains(part), "{provider}: {part} is not in {sent}");
        }
        assert!(sent.find(r#""tools""#) < sent.find(r#""messages""#), "{provider}: the order of keys is kept: {sent}");
    }
}

#[tokio::test]
async fn unknown_fields_of_an_answer_survive() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let mut whole = completion("hi");
        whole["x_vendor"] = json!({"kept": [1, 2]});
        whole["choices"][0]["message"]["reasoning_content"] = json!("because");
        setup.vendor.reply(Answer::json(&whole));
        let answer = setup.ask().await.json();
        assert_eq!(
            (&answer["x_vendor"]["kept"][1], &answer["choices"][0]["message"]["reasoning_content"]),
            (&json!(2), &json!("because")),
            "{provider}"
        );
        let mut chunk = text_chunk("hi");
        chunk["choices"][0]["delta"] = json!({"reasoning_content": "hm", "x_delta": 1});
        chunk["x_vendor"] = json!(true);
        setup.vendor.reply(Answer::sse([&chunk, &text_chunk("hi"), &last_chunk()]));
        let stream = setup.ask_stream().await.collect().await;
        let first = stream.chunks.iter().find(|chunk| chunk["x_vendor"] == true).expect("the vendor's chunk");
        assert_eq!(first["choices"][0]["delta"], json!({"reasoning_content": "hm", "x_delta": 1}), "{provider}");
    }
}

#[tokio::test]
async fn a_picture_of_a_megabyte_arrives_as_it_was_sent() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let picture = format!("data:image/png;base64,{}", "QUJD".repeat(300_000));
        let mut body = setup::question(setup::MODEL);
        body["messages"][0]["content"] =
            json!([{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": picture}}]);
        let answer = setup.chat(&body).await;
        assert_eq!(answer.status, 200, "{provider}: {}", answer.text());
        let sent = setup.vendor.last_request().json();
        assert!(
            sent["messages"][0]["content"][1]["image_url"]["url"] == picture.as_str(),
            "{provider}: the picture changed"
        );
    }
}

#[tokio::test]
async fn fields_of_hop_and_key_do_not_reach_the_vendor() {
    let setup = setup::vendor().await;
    let call = setup.gateway.call("POST", "/v1/chat/completions?key=1&beta=true").bearer(&setup.key);
    let call = call.header("cookie", "session=1").header("x-forwarded-for", "10.0.0.1").header("x-private", "1");
    assert_eq!(call.json(&setup::question(setup::MODEL)).send().await.status, 200);
    let request = setup.vendor.last_request();
    for name in ["cookie", "x-forwarded-for", "x-private"] {
        assert_eq!(request.header(name), None);
    }
    assert_eq!(request.query, "");
    assert_eq!(request.header("content-type"), Some("application/json"));
}
