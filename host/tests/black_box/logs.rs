//! What stands in the log, at its most talkative: never a prompt, an answer or a key.

use testkit::Answer;

use crate::setup::{self, MODEL, last_chunk, question, text_chunk};

#[tokio::test]
async fn no_level_logs_prompts_answers_or_keys() {
    let builder = setup::bare().env("WITGATE_SERVER_LOG_LEVEL", "trace");
    let setup = setup::vendor_of("compatible", builder).await;
    for text in ["a-very-private-prompt", "a-very-private-answer", "a-very-private-query", "sk-a-wrong-key-of-a-client"]
    {
        setup.gateway.forbid_in_log(text);
    }
    let mut body = question(MODEL);
    body["messages"][0]["content"] = "a-very-private-prompt".into();
    setup.vendor.reply(Answer::json(&setup::completion("a-very-private-answer")));
    assert_eq!(setup.chat(&body).await.status, 200);
    body["stream"] = true.into();
    setup.vendor.reply(Answer::sse([&text_chunk("a-very-private-answer"), &last_chunk()]));
    assert!(setup.gateway.chat_stream(&setup.key, &body).await.collect().await.done);
    setup
        .vendor
        .reply(Answer::stream().data(&text_chunk("a-very-private-answer")).push("data: a-very-private-answer\n\n"));
    assert!(setup.gateway.chat_stream(&setup.key, &body).await.collect().await.error.is_some());
    setup.vendor.reply(Answer::error(401, &serde_json::json!({"error": {"message": setup.gateway.vendor_secret()}})));
    assert_eq!(setup.chat(&question(MODEL)).await.status, 502);
    let path = format!("/v1/models?key={}&q=a-very-private-query", setup.key);
    assert_eq!(setup.gateway.call("GET", &path).bearer("sk-a-wrong-key-of-a-client").send().await.status, 401);
    // The rest is checked when the gateway is dropped; here, that there is a log at all.
    assert!(setup.gateway.log().contains("TRACE"), "{}", setup.gateway.log());
}

#[tokio::test]
async fn requests_are_logged_by_their_id_and_probes_are_not() {
    let gateway = setup::bare().plugin("echo").env("WITGATE_SERVER_LOG_LEVEL", "debug").start().await;
    let key = gateway.key("app").await;
    for path in ["/health", "/ready", "/api/hello"] {
        assert_eq!(gateway.call("GET", path).send().await.status, 200);
        assert_eq!(gateway.call("HEAD", path).send().await.status, 200);
    }
    let id = gateway.chat(&key, &question("echo")).await.header("x-request-id").to_owned();
    gateway.wait_for_log(&id).await;
    let log = gateway.log();
    for probe in ["/health", "/api/hello"] {
        assert!(!log.contains(probe), "{probe} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn what_a_plugin_says_is_logged_only_when_it_is_asked_for() {
    const SAID: &str = "the probe panicked, as it was told";
    for (log, shown) in [("off", false), ("on", true)] {
        let gateway = setup::bare().plugin("probe").env("WITGATE_PLUGINS_LOG", log).start().await;
        gateway.channel("main", "probe", "http://127.0.0.1:1/v1", "panic").await;
        let key = gateway.key("app").await;
        assert_eq!(gateway.chat(&key, &question("panic")).await.status, 502);
        gateway.wait_for_log("adapter-broken").await;
        assert_eq!(gateway.log().contains(SAID), shown, "plugins.log = {log}:\n{}", gateway.log());
    }
}
