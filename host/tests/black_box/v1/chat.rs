//! Plain answers of `POST /v1/chat/completions`: without a vendor, through one, with tools, with mapped names.

use serde_json::json;
use testkit::Answer;

use crate::setup::{self, MODEL, PROVIDERS, question};

#[tokio::test]
async fn echo_answers_without_any_vendor() {
    let (gateway, key) = setup::echo().await;
    let answer = gateway.chat(&key, &question("echo")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.content().contains("ping"), "{}", answer.text());
    let body = answer.json();
    assert_eq!((&body["object"], &body["model"]), (&json!("chat.completion"), &json!("echo")));
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert!(body["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{body}");
    assert!(answer.header("content-type").starts_with("application/json"));
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn a_vendor_answers_and_gets_the_channels_key_not_the_clients() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let answer = setup.ask().await;
        assert_eq!(answer.status, 200, "{provider}: {}", answer.text());
        assert_eq!(answer.content(), "Hello from the scripted vendor.");
        let request = setup.vendor.last_request();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
        let bearer = format!("Bearer {}", setup.gateway.vendor_secret());
        assert_eq!(request.header("authorization"), Some(bearer.as_str()));
        assert!(request.headers.iter().all(|(_, value)| !value.contains(&setup.key)), "{:?}", request.headers);
        assert_eq!(request.model().as_deref(), Some(MODEL));
    }
}

#[tokio::test]
async fn the_answer_names_the_model_that_was_asked_for() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let body = setup.ask().await.json();
        assert_eq!(body["model"], MODEL, "{provider}: {body}");
        let stream = setup.ask_stream().await.collect().await;
        assert!(stream.chunks.len() > 3, "{stream:?}");
        assert!(stream.chunks.iter().all(|chunk| chunk["model"] == MODEL), "{provider}: {stream:?}");
    }
}

#[tokio::test]
async fn a_mapped_model_has_one_name_on_each_side() {
    let setup = setup::vendor().await;
    let vendor = setup.vendor.base_url();
    setup.gateway.channel("mapped", "compatible", &vendor, "fast=vendor/model:7b,other").await;
    let answer = setup.chat(&question("fast")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["model"]), (200, &json!("fast")));
    assert_eq!(setup.vendor.last_request().model().as_deref(), Some("vendor/model:7b"));
    let hidden = setup.chat(&question("vendor/model:7b")).await;
    crate::expect::error(&hidden, crate::expect::MODEL_UNKNOWN);
    setup.chat(&question("other")).await;
    assert_eq!(setup.vendor.last_request().model().as_deref(), Some("other"));
}

#[tokio::test]
async fn tools_are_called_and_their_results_answered() {
    for provider in PROVIDERS {
        let setup = setup::vendor_of(provider, setup::bare()).await;
        let mut body = question(MODEL);
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        body["tools"] = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
        let answer = setup.chat(&body).await.json();
        assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls", "{answer}");
        let call = answer["choices"][0]["message"]["tool_calls"][0].clone();
        assert_eq!(
            (&call["function"]["name"], &call["function"]["arguments"]),
            (&json!("weather"), &json!(r#"{"city":"Paris"}"#))
        );
        let assistant = answer["choices"][0]["message"].clone();
        let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "rain"});
        body["messages"].as_array_mut().unwrap().extend([assistant, result]);
        assert_eq!(setup.chat(&body).await.content(), "Hello from the scripted vendor.");
    }
}

#[tokio::test]
async fn usage_of_a_plain_answer_is_the_vendors() {
    let setup = setup::vendor().await;
    let details = json!({"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 10}, "completion_tokens_details": {"reasoning_tokens": 5}});
    let mut whole = setup::completion("hi");
    whole["usage"] = details;
    setup.vendor.reply(Answer::json(&whole));
    let usage = setup.ask().await.json()["usage"].clone();
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(30), &json!(20), &json!(50))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 10, "{usage}");
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 5, "{usage}");
}

#[tokio::test]
async fn base_urls_work_as_people_paste_them() {
    let setup = setup::vendor().await;
    let root = setup.vendor.base_url().trim_end_matches("/v1").to_owned();
    for (number, pasted) in ["", "/", "/v1", "/v1/", "/v1/chat/completions"].iter().enumerate() {
        let (name, model) = (format!("pasted-{number}"), format!("pasted-{number}"));
        setup.gateway.channel(&name, "compatible", &format!("{root}{pasted}"), &model).await;
        let answer = setup.chat(&question(&model)).await;
        assert_eq!(answer.status, 200, "{pasted}: {}", answer.text());
        assert_eq!(setup.vendor.last_request().path, "/v1/chat/completions", "{pasted}");
    }
}

#[tokio::test]
async fn several_choices_keep_their_places() {
    let setup = setup::vendor().await;
    let mut whole = setup::completion("zero");
    let second = json!({"index": 1, "message": {"role": "assistant", "content": "one"}, "finish_reason": "length"});
    whole["choices"].as_array_mut().unwrap().push(second);
    setup.vendor.reply(Answer::json(&whole));
    let choices = setup.ask().await.json()["choices"].clone();
    assert_eq!((&choices[1]["message"]["content"], &choices[1]["finish_reason"]), (&json!("one"), &json!("length")));
    assert_eq!(choices[0]["message"]["content"], "zero");
}

#[tokio::test]
async fn a_hundred_requests_at_once_get_their_own_answers() {
    let setup = setup::vendor().await;
    setup.vendor.always(|request| {
        let asked = request.json()["messages"][0]["content"].as_str().unwrap_or_default().to_owned();
        Answer::json(&setup::completion(&format!("you said {asked}")))
    });
    let setup = std::sync::Arc::new(setup);
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..100 {
        let setup = setup.clone();
        calls.spawn(async move {
            let mut body = question(MODEL);
            body["messages"][0]["content"] = json!(format!("nonce-{number}"));
            assert_eq!(setup.chat(&body).await.content(), format!("you said nonce-{number}"));
        });
    }
    while let Some(call) = calls.join_next().await {
        call.unwrap();
    }
}
