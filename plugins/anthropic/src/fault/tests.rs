//! Every type and status, and the words that say more.

use super::*;

fn fault(status: u16, body: &str) -> Fault {
    answered(&Head { status, ..Head::default() }, body, 0)
}

fn error(kind: &str, message: &str) -> String {
    serde_json::json!({"type": "error", "error": {"type": kind, "message": message}}).to_string()
}

#[test]
fn types_decide_before_the_status() {
    for (status, kind, message, expected) in [
        (400, "invalid_request_error", "max_tokens: Field required", Code::InvalidRequest),
        (400, "invalid_request_error", "Your credit balance is too low to access the API.", Code::AccountEmpty),
        (400, "invalid_request_error", "This organization has been disabled.", Code::CredentialDead),
        (400, "invalid_request_error", "messages.0: 'they say your credit balance is too low'", Code::InvalidRequest),
        (400, "invalid_request_error", "prompt is too long: 201000 tokens > 200000 maximum", Code::ContextTooLong),
        (400, "invalid_request_error", "Output blocked by content filtering policy", Code::ContentFiltered),
        (401, "authentication_error", "invalid x-api-key", Code::CredentialDead),
        (402, "billing_error", "There is an issue with your billing.", Code::AccountEmpty),
        (403, "permission_error", "Your API key does not have permission to use this resource", Code::CredentialDead),
        (403, "permission_error", "Your API key may not use the model claude-x", Code::ModelMissing),
        (404, "not_found_error", "model: claude-x", Code::ModelMissing),
        (404, "not_found_error", "Not Found", Code::UpstreamBroken),
        (413, "request_too_large", "Request exceeds the maximum size", Code::InvalidRequest),
        (429, "rate_limit_error", "slow down", Code::RateLimited),
        (500, "api_error", "Internal server error", Code::UpstreamBroken),
        (504, "timeout_error", "took too long", Code::UpstreamBroken),
        (529, "overloaded_error", "Overloaded", Code::Overloaded),
        (529, "api_error", "Overloaded", Code::UpstreamBroken),
        (422, "some_error", "bad", Code::InvalidRequest),
        (418, "teapot_error", "bad", Code::InvalidRequest),
        (503, "some_error", "busy", Code::Overloaded),
        (520, "some_error", "broken", Code::UpstreamBroken),
    ] {
        assert_eq!(fault(status, &error(kind, message)).code, expected, "{status} {kind} {message}");
    }
}

#[test]
fn without_an_error_object_the_status_decides() {
    for (status, expected) in [
        (400, Code::UpstreamBroken),
        (401, Code::CredentialDead),
        (402, Code::AccountEmpty),
        (403, Code::UpstreamBroken),
        (404, Code::UpstreamBroken),
        (413, Code::InvalidRequest),
        (429, Code::RateLimited),
        (502, Code::UpstreamBroken),
        (503, Code::Overloaded),
    ] {
        let fault = fault(status, "<html>secret page</html>");
        assert_eq!((fault.code, fault.status), (expected, status));
        assert!(!fault.message.contains("secret"), "{}", fault.message);
    }
    assert_eq!(fault(502, "upstream gone").message, "upstream gone");
}

#[test]
fn the_field_to_blame_is_the_clients() {
    for (message, expected) in [
        ("messages.1.content.0.text: must not be empty", Some("messages")),
        ("max_tokens: 200000 > 128000", Some("max_tokens")),
        ("tools.0.custom.name: bad", Some("tools")),
        ("system.0: bad", Some("messages")),
        ("stop_sequences: bad", Some("stop")),
        ("no such thing", None),
        ("container: bad", None),
    ] {
        assert_eq!(blamed(message).as_deref(), expected, "{message}");
    }
}

#[test]
fn the_number_of_the_request_is_kept() {
    let head = Head { status: 500, headers: vec![("request-id".into(), "req_1".into())], ..Head::default() };
    let with = r#"{"type":"error","error":{"type":"api_error","message":"m"},"request_id":"req_2"}"#;
    assert_eq!(answered(&head, with, 0).vendor, r#"{"message":"m","type":"api_error","request_id":"req_2"}"#);
    assert_eq!(
        answered(&head, &error("api_error", "m"), 0).vendor,
        r#"{"message":"m","type":"api_error","request_id":"req_1"}"#
    );
}

#[test]
fn long_messages_are_cut() {
    let long = fault(500, &error("api_error", &"ä".repeat(3_000)));
    assert!(long.message.len() <= MESSAGE + 4 && long.message.ends_with('…'));
}
