//! One table of what clients get for each fault, and the check that an error is one a client can work with.

use testkit::{Answered, client::Collected};

/// What a client gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    status: u16,
    /// `error.type`; empty is any.
    kind: &'static str,
    /// `error.code`; empty is any.
    code: &'static str,
}

const fn expected(status: u16, kind: &'static str, code: &'static str) -> Expected {
    Expected { status, kind, code }
}

const REQUEST: &str = "invalid_request_error";
const UPSTREAM: &str = "upstream_error";

pub(crate) const KEY: Expected = expected(401, REQUEST, "invalid_api_key");
pub(crate) const INVALID: Expected = expected(400, REQUEST, "");
pub(crate) const CONTEXT_TOO_LONG: Expected = expected(400, REQUEST, "context_length_exceeded");
pub(crate) const CONTENT_FILTERED: Expected = expected(400, REQUEST, "content_filter");
pub(crate) const MODEL_UNKNOWN: Expected = expected(404, REQUEST, "model_not_found");
pub(crate) const MODEL_MISSING: Expected = expected(404, "", "model_not_found");
pub(crate) const NOT_FOUND: Expected = expected(404, REQUEST, "");
pub(crate) const METHOD: Expected = expected(405, REQUEST, "");
pub(crate) const TOO_LARGE: Expected = expected(413, REQUEST, "request_too_large");
pub(crate) const NOT_IMPLEMENTED: Expected = expected(501, "", "not_implemented");
pub(crate) const RATE_LIMITED: Expected = expected(429, "rate_limit_error", "rate_limit_exceeded");
pub(crate) const OVERLOADED: Expected = expected(503, "", "overloaded");
pub(crate) const NO_CHANNEL: Expected = expected(503, "", "no_channel");
pub(crate) const BROKEN: Expected = expected(502, UPSTREAM, "upstream_broken");
pub(crate) const UNREACHABLE: Expected = expected(502, UPSTREAM, "upstream_unreachable");
pub(crate) const CREDENTIAL_DEAD: Expected = expected(502, UPSTREAM, "credential_dead");
pub(crate) const ACCOUNT_EMPTY: Expected = expected(502, UPSTREAM, "account_empty");
pub(crate) const TIMEOUT: Expected = expected(504, UPSTREAM, "upstream_timeout");
pub(crate) const EGRESS_REFUSED: Expected = expected(502, "", "egress_refused");
pub(crate) const UNSUPPORTED: Expected = expected(400, REQUEST, "unsupported");
pub(crate) const ADAPTER_BROKEN: Expected = expected(502, "", "adapter_broken");

impl Expected {
    pub(crate) fn status(self) -> u16 {
        self.status
    }

    /// Empty is any.
    pub(crate) fn code(self) -> &'static str {
        self.code
    }
}

/// What a client gets for a fault before the first byte, by the contract's code.
pub(crate) fn of_code(code: &str) -> Option<Expected> {
    Some(match code {
        "invalid-request" | "unsupported" => INVALID,
        "content-filtered" => CONTENT_FILTERED,
        "context-too-long" => CONTEXT_TOO_LONG,
        "model-missing" => MODEL_MISSING,
        "credential-dead" => CREDENTIAL_DEAD,
        "account-empty" => ACCOUNT_EMPTY,
        "rate-limited" => RATE_LIMITED,
        "overloaded" => OVERLOADED,
        "upstream-broken" => BROKEN,
        "adapter-broken" => ADAPTER_BROKEN,
        _ => return None,
    })
}

/// Checks an error answer: status, headers, envelope. Gives its message.
#[track_caller]
pub(crate) fn error(answer: &Answered, expected: Expected) -> String {
    let text = answer.text();
    assert_eq!(answer.status.as_u16(), expected.status, "{expected:?}: {text}");
    assert!(answer.header("content-type").starts_with("application/json"), "{:?}", answer.headers);
    assert!(!answer.header("x-request-id").is_empty(), "{:?}", answer.headers);
    if matches!(expected.status, 429 | 503) {
        let seconds = answer.header("retry-after").parse::<u64>();
        assert!(seconds.is_ok_and(|seconds| seconds > 0), "retry-after: {:?}", answer.headers);
    }
    if matches!(expected.status, 400 | 401 | 403 | 404 | 405 | 413) {
        assert_eq!(answer.header("x-should-retry"), "false", "{text}");
    }
    let body = answer.json();
    let envelope = body["error"].as_object().unwrap_or_else(|| panic!("not OpenAI's envelope: {text}"));
    for name in ["message", "type", "param", "code"] {
        assert!(envelope.contains_key(name), "no `{name}`: {text}");
    }
    if !expected.kind.is_empty() {
        assert_eq!(body["error"]["type"], expected.kind, "{text}");
    }
    if !expected.code.is_empty() {
        assert_eq!(body["error"]["code"], expected.code, "{text}");
    }
    message(&body["error"]["message"])
}

/// Checks a stream that broke after it had begun: an error event, no `[DONE]`, and an orderly end. Gives the message.
#[track_caller]
pub(crate) fn broken_stream(stream: &Collected) -> String {
    assert!(!stream.done, "[DONE] after an error: {stream:?}");
    assert!(!stream.broken, "the connection was cut instead of closed: {stream:?}");
    assert_eq!(stream.finish_reason(), "", "a broken stream has no finish reason: {stream:?}");
    let event = stream.error.as_ref().unwrap_or_else(|| panic!("no error event: {stream:?}"));
    assert!(event["error"]["type"].is_string(), "{event}");
    message(&event["error"]["message"])
}

fn message(message: &serde_json::Value) -> String {
    let message = message.as_str().unwrap_or_default();
    assert!(!message.is_empty(), "an error without a message");
    for markup in ["<html", "<body", "<!DOCTYPE"] {
        assert!(!message.to_lowercase().contains(&markup.to_lowercase()), "HTML in the message: {message}");
    }
    assert!(!message.contains("sk-vendor-secret"), "a secret in the message: {message}");
    message.to_owned()
}
