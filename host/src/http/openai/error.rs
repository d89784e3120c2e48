//! The only status table: a fault as OpenAI's error envelope. Never HTML, never a vendor's address or key.

use std::time::Duration;

use axum::{body::Body, response::Response};
use domain::{Fault, FaultCode};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// How a code looks to a client: status, `type`, `code`.
fn face(code: FaultCode) -> (StatusCode, &'static str, Option<&'static str>) {
    use FaultCode::*;
    const REQUEST: &str = "invalid_request_error";
    const UPSTREAM: &str = "upstream_error";
    const SERVER: &str = "server_error";
    match code {
        InvalidRequest => (StatusCode::BAD_REQUEST, REQUEST, None),
        Unsupported => (StatusCode::BAD_REQUEST, REQUEST, Some("unsupported")),
        ContentFiltered => (StatusCode::BAD_REQUEST, REQUEST, Some("content_filter")),
        ContextTooLong => (StatusCode::BAD_REQUEST, REQUEST, Some("context_length_exceeded")),
        ClientGone => (StatusCode::BAD_REQUEST, REQUEST, Some("client_closed_request")),
        KeyMissing | KeyInvalid | KeyRevoked => (StatusCode::UNAUTHORIZED, REQUEST, Some("invalid_api_key")),
        ModelForbidden => (StatusCode::FORBIDDEN, REQUEST, Some("model_not_allowed")),
        ModelUnknown | ModelMissing => (StatusCode::NOT_FOUND, REQUEST, Some("model_not_found")),
        NotFound => (StatusCode::NOT_FOUND, REQUEST, Some("not_found")),
        MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, REQUEST, Some("method_not_allowed")),
        RequestTimeout => (StatusCode::REQUEST_TIMEOUT, REQUEST, Some("request_timeout")),
        BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, REQUEST, Some("request_too_large")),
        NotImplemented => (StatusCode::NOT_IMPLEMENTED, REQUEST, Some("not_implemented")),
        RateLimited => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", Some("rate_limit_exceeded")),
        Overloaded => (StatusCode::SERVICE_UNAVAILABLE, UPSTREAM, Some("overloaded")),
        CredentialDead | CredentialStale => (StatusCode::BAD_GATEWAY, UPSTREAM, Some("credential_dead")),
        AccountEmpty => (StatusCode::BAD_GATEWAY, UPSTREAM, Some("account_empty")),
        ClockSkew => (StatusCode::BAD_GATEWAY, UPSTREAM, Some("clock_skew")),
        UpstreamBroken => (StatusCode::BAD_GATEWAY, UPSTREAM, Some("upstream_broken")),
        UpstreamUnreachable => (StatusCode::BAD_GATEWAY, UPSTREAM, Some("upstream_unreachable")),
        UpstreamTimeout => (StatusCode::GATEWAY_TIMEOUT, UPSTREAM, Some("upstream_timeout")),
        EgressRefused => (StatusCode::BAD_GATEWAY, SERVER, Some("egress_refused")),
        AdapterBroken => (StatusCode::BAD_GATEWAY, SERVER, Some("adapter_broken")),
        NoChannel => (StatusCode::SERVICE_UNAVAILABLE, SERVER, Some("no_channel")),
        Unavailable => (StatusCode::SERVICE_UNAVAILABLE, SERVER, Some("unavailable")),
        Internal => (StatusCode::INTERNAL_SERVER_ERROR, SERVER, Some("internal_error")),
    }
}

/// OpenAI's envelope.
pub(in crate::http) fn envelope(fault: &Fault) -> Value {
    let (_, kind, code) = face(fault.code);
    json!({ "error": { "message": message(fault), "type": kind, "param": fault.param, "code": code } })
}

/// The vendor's words on the gateway's own credential would send the client to the wrong key.
fn message(fault: &Fault) -> String {
    let what = &fault.message;
    match fault.code {
        FaultCode::CredentialDead | FaultCode::CredentialStale => {
            format!(
                "the upstream refused the gateway's own credential for this model (not your API key); its operator has to mend it: {what}"
            )
        }
        FaultCode::AccountEmpty => {
            format!(
                "the gateway's account at the upstream has no credit for this model; its operator has to mend it: {what}"
            )
        }
        _ => what.clone(),
    }
}

/// A whole error response.
pub(super) fn respond(fault: &Fault) -> Response {
    let (status, _, _) = face(fault.code);
    let mut response = Response::new(Body::from(envelope(fault).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let waits = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    if waits || fault.retry_after.is_some() {
        let after = fault.retry_after.unwrap_or(Duration::from_secs(1));
        let seconds = after.as_millis().div_ceil(1_000).max(1);
        insert(headers, "retry-after", &seconds.to_string());
        insert(headers, "retry-after-ms", &after.as_millis().to_string());
    }
    // The SDKs stop at once; trying again cannot help before somebody changes something.
    let passing = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
    use FaultCode::{AccountEmpty, CredentialDead, EgressRefused, NotImplemented};
    let needs_a_person = matches!(fault.code, AccountEmpty | CredentialDead | EgressRefused | NotImplemented);
    if status.is_client_error() && !passing || needs_a_person {
        headers.insert("x-should-retry", HeaderValue::from_static("false"));
    }
    pass_on(headers, &fault.rate_limits);
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The vendor's rate-limit headers: clients pace themselves by them.
pub(super) fn pass_on(headers: &mut http::HeaderMap, rate_limits: &[(String, String)]) {
    for (name, value) in rate_limits {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
}

fn insert(headers: &mut http::HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blame_and_status_agree() {
        for &code in FaultCode::ALL {
            let response = respond(&Fault::new(code, "x"));
            let is_ours = code.blame() != domain::Blame::Client;
            let expected_exceptions = [FaultCode::RateLimited, FaultCode::ModelMissing, FaultCode::NotImplemented];
            if !expected_exceptions.contains(&code) {
                assert_eq!(response.status().is_server_error(), is_ours, "{code:?}");
            }
            let retry = response.headers().get("retry-after").is_some();
            assert_eq!(retry, matches!(response.status().as_u16(), 429 | 503), "{code:?}");
        }
    }
}
