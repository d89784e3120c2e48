//! The error table: one line for each shape that a vendor of the family sends.

use super::*;

fn check(status: u16, body: &str, code: Code) -> Fault {
    let fault = refused(&Head { id: 1, status, headers: vec![], ..Head::default() }, body, 1_800_000_000);
    assert_eq!(fault.code, code, "{status} {body}");
    assert!(!fault.message.contains('<'), "{status} {body}: {}", fault.message);
    assert!(!fault.message.is_empty(), "{status} {body}");
    fault
}

#[test]
fn codes_say_more_than_the_status() {
    let error = |code: &str| {
        format!(r#"{{"error":{{"message":"m","type":"invalid_request_error","param":null,"code":"{code}"}}}}"#)
    };
    check(401, &error("invalid_api_key"), Code::CredentialDead);
    check(403, &error("unsupported_country_region_territory"), Code::UpstreamBroken);
    check(404, &error("model_not_found"), Code::ModelMissing);
    check(400, &error("model_decommissioned"), Code::ModelMissing);
    check(429, &error("rate_limit_exceeded"), Code::RateLimited);
    check(413, &error("rate_limit_exceeded"), Code::RateLimited);
    check(429, &error("insufficient_quota"), Code::AccountEmpty);
    check(429, &error("billing_hard_limit_reached"), Code::AccountEmpty);
    check(429, &error("billing_not_active"), Code::AccountEmpty);
    check(400, &error("context_length_exceeded"), Code::ContextTooLong);
    check(400, &error("content_policy_violation"), Code::ContentFiltered);
    check(400, &error("unsupported_parameter"), Code::InvalidRequest);
    check(400, &error("tool_use_failed"), Code::UpstreamBroken);
    check(500, &error("server_error"), Code::UpstreamBroken);
}

#[test]
fn the_type_counts_when_there_is_no_code() {
    let error = |kind: &str| format!(r#"{{"error":{{"message":"m","type":"{kind}"}}}}"#);
    check(429, &error("insufficient_quota"), Code::AccountEmpty);
    check(429, &error("exceeded_current_quota_error"), Code::AccountEmpty);
    check(429, &error("engine_overloaded_error"), Code::Overloaded);
    check(401, &error("incorrect_api_key_error"), Code::CredentialDead);
    check(400, &error("content_filter"), Code::ContentFiltered);
    check(400, &error("exceed_context_size_error"), Code::ContextTooLong);
    check(451, &error("censorship_blocked"), Code::ContentFiltered);
    check(404, &error("resource_not_found_error"), Code::ModelMissing);
}

#[test]
fn words_count_only_under_a_fitting_status() {
    let error = |message: &str| {
        format!(
            r#"{{"error":{{"message":"{message}","type":"invalid_request_error","code":"invalid_request_error"}}}}"#
        )
    };
    check(400, &error("This model's maximum context length is 65536 tokens."), Code::ContextTooLong);
    check(400, &error("Content Exists Risk"), Code::ContentFiltered);
    check(400, &error("Incorrect API key provided: xa***"), Code::CredentialDead);
    check(403, &error("Your team has used all available credits"), Code::AccountEmpty);
    check(402, &error("Insufficient Balance"), Code::AccountEmpty);
    check(404, &error("No endpoints found matching your data policy"), Code::ModelMissing);
    check(503, &error("The engine is currently overloaded"), Code::Overloaded);
    // A client's own words in an error must not disable a channel.
    check(400, &error("bad role: I have exceeded your current quota"), Code::InvalidRequest);
    check(400, &error("bad content: why is it an invalid api key?"), Code::InvalidRequest);
    check(500, &error("incorrect api key"), Code::UpstreamBroken);
    assert_eq!(in_answer(&error("no: invalid api key, insufficient balance")).code, Code::InvalidRequest);
}

#[test]
fn the_status_decides_last() {
    let body = r#"{"error":{"message":"m"}}"#;
    for (status, code) in [
        (400, Code::InvalidRequest),
        (413, Code::InvalidRequest),
        (415, Code::InvalidRequest),
        (422, Code::InvalidRequest),
        (401, Code::CredentialDead),
        (402, Code::AccountEmpty),
        (403, Code::CredentialDead),
        (404, Code::ModelMissing),
        (408, Code::UpstreamBroken),
        (429, Code::RateLimited),
        (451, Code::ContentFiltered),
        (498, Code::RateLimited),
        (500, Code::UpstreamBroken),
        (502, Code::UpstreamBroken),
        (503, Code::Overloaded),
        (504, Code::UpstreamBroken),
        (524, Code::UpstreamBroken),
        (529, Code::Overloaded),
    ] {
        let fault = check(status, body, code);
        assert_eq!((fault.status, fault.message.as_str()), (status, "m"));
    }
}

#[test]
fn other_shapes_are_read_too() {
    let fault = check(400, r#"{"code":"invalid-argument","error":"text is an error"}"#, Code::InvalidRequest);
    assert_eq!(fault.message, "text is an error");
    let fault =
        check(400, r#"{"object":"error","message":"bad","type":"BadRequestError","code":400}"#, Code::InvalidRequest);
    assert_eq!(fault.message, "bad");
    let fault =
        check(422, r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required"}]}"#, Code::InvalidRequest);
    assert_eq!(fault.message, "body: Field required");
    check(401, r#"{"detail":"Unauthorized"}"#, Code::CredentialDead);
    check(404, r#"{"detail":"Not Found"}"#, Code::UpstreamBroken);
    check(
        404,
        r#"{"code":404,"reason":"MODEL_NOT_FOUND","message":"model: x not found","metadata":{}}"#,
        Code::ModelMissing,
    );
    check(
        403,
        r#"{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}"#,
        Code::AccountEmpty,
    );
    check(400, r#"{"code":20012,"message":"Model does not exist.","data":null}"#, Code::ModelMissing);
    check(503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, Code::Overloaded);
    check(401, r#""Invalid token""#, Code::CredentialDead);
    check(429, r#"{"message":"Requests rate limit exceeded"}"#, Code::RateLimited);
    let metadata = r#"{"error":{"code":502,"message":"m","metadata":{"error_type":"provider_unavailable"}}}"#;
    check(502, metadata, Code::Overloaded);
}

#[test]
fn pages_are_not_passed_on() {
    check(401, "<html><h1>401</h1></html>", Code::CredentialDead);
    check(403, "<!DOCTYPE html><title>Just a moment...</title>", Code::UpstreamBroken);
    check(404, "404 page not found", Code::UpstreamBroken);
    check(500, "<html>nginx</html>", Code::UpstreamBroken);
    check(502, "", Code::UpstreamBroken);
    check(503, "upstream connect error", Code::Overloaded);
    assert!(not_an_answer("<html>secret</html>").message.contains("web page"));
}

#[test]
fn errors_inside_a_success_are_read() {
    assert_eq!(in_answer(r#"{"error":{"message":"m","code":429}}"#).code, Code::RateLimited);
    assert_eq!(in_answer(r#"{"error":{"message":"m","type":"server_error"}}"#).code, Code::UpstreamBroken);
    assert_eq!(in_answer(r#"{"error":{"message":"m","type":"invalid_request_error"}}"#).code, Code::InvalidRequest);
    assert_eq!(in_answer(r#"{"choices":[{"error":{"message":"m","code":503}}]}"#).code, Code::Overloaded);
    assert_eq!(in_answer(r#"{"x_groq":{"error":"over capacity"},"choices":[]}"#).message, "over capacity");
    assert_eq!(in_answer(r#"{"error":{"message":"m","status_code":503}}"#).code, Code::Overloaded);
    let throttled = in_answer(r#"{"error":{"message":"Please try again in 2s.","code":"rate_limit_exceeded"}}"#);
    assert_eq!(throttled.retry_after_ms, Some(2000));
    assert_eq!(in_answer(r#"{"choices":[]}"#).message, "the vendor's answer has no choices");
}

#[test]
fn long_messages_are_cut_between_characters() {
    let long = "é".repeat(3000);
    let fault = check(400, &format!(r#"{{"error":{{"message":"{long}"}}}}"#), Code::InvalidRequest);
    assert!(fault.message.len() <= MESSAGE + '…'.len_utf8() && fault.message.ends_with('…'));
}

#[test]
fn only_throttling_says_when_to_come_back() {
    let head = |status| Head { id: 1, status, headers: vec![("retry-after".into(), "3".into())], ..Head::default() };
    assert_eq!(refused(&head(429), "{}", 0).retry_after_ms, Some(3000));
    assert_eq!(refused(&head(503), "", 0).retry_after_ms, Some(3000));
    assert_eq!(refused(&head(400), "", 0).retry_after_ms, None);
}
