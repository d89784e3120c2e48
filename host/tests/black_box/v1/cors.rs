//! Browsers: preflights without a key, the requested headers reflected, what scripts may read.

use crate::setup::{self, question};

#[tokio::test]
async fn a_preflight_reflects_what_the_browser_asks_for() {
    let (gateway, _) = setup::echo().await;
    for path in ["/v1/chat/completions", "/v1/models", "/v1/embeddings"] {
        let asked = "authorization,content-type,x-stainless-os,x-anything";
        let preflight = gateway.call("OPTIONS", path).header("origin", "http://app.test");
        let preflight = preflight.header("access-control-request-method", "POST");
        let answer = preflight.header("access-control-request-headers", asked).send().await;
        assert!(answer.status.is_success() && answer.body.is_empty(), "{path}: {}", answer.status);
        let allowed = answer.header("access-control-allow-headers").to_lowercase();
        for name in asked.split(',') {
            assert!(allowed.contains(name), "{path}: {name} is not in {allowed}");
        }
        assert!(answer.header("access-control-allow-methods").contains("POST"), "{path}: {:?}", answer.headers);
        assert!(["*", "http://app.test"].contains(&answer.header("access-control-allow-origin")), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}: never with credentials");
    }
}

#[tokio::test]
async fn answers_and_errors_can_be_read_by_scripts() {
    let (gateway, key) = setup::echo().await;
    for model in ["echo", "nothing"] {
        let call = gateway.call("POST", "/v1/chat/completions").bearer(&key).header("origin", "http://app.test");
        let answer = call.json(&question(model)).send().await;
        assert!(["*", "http://app.test"].contains(&answer.header("access-control-allow-origin")), "{model}");
        let exposed = answer.header("access-control-expose-headers").to_lowercase();
        assert!(exposed.contains("x-request-id") || exposed == "*", "{model}: {exposed}");
    }
}
