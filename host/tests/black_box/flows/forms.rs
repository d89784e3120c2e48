//! HTTP Basic, and secrets in the fields of a form.

use serde_json::json;
use testkit::Answer;

use super::{MODEL, flow};
use crate::setup::question;

#[tokio::test]
async fn a_pair_and_a_form_field_hold_the_secret() {
    let setup = flow("flow-forms", "app 1|p&ss=w0rd/ä+long").await;
    setup.vendor.always(|_| Answer::json(&json!({"text": "pong"})));
    assert_eq!(setup.chat(&question(MODEL)).await.content(), "pong");
    let request = setup.vendor.last_request();
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode("app 1:p&ss=w0rd/ä+long");
    assert_eq!(request.header("authorization"), Some(format!("Basic {pair}").as_str()));
    assert_eq!(request.text(), "q=ping&api_id=app%201&api_secret=p%26ss%3Dw0rd%2F%C3%A4%2Blong");
}

#[tokio::test]
async fn what_the_vendor_echoes_of_it_is_masked() {
    let setup = flow("flow-forms", "app-1|a-secret-to-be-echoed").await;
    setup.vendor.always(|request| {
        let echo = format!("{} {}", request.header("authorization").unwrap_or_default(), request.text());
        Answer::json(&json!({ "text": echo }))
    });
    let answer = setup.chat(&question(MODEL)).await;
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode("app-1:a-secret-to-be-echoed");
    let text = answer.text();
    assert!(answer.status == 200 && text.contains("[secret]"), "{text}");
    assert!(!text.contains("a-secret-to-be-echoed") && !text.contains(&pair), "{text}");
}
