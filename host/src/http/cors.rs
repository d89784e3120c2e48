//! Browsers may call the API with a key, never with credentials. Also answers what needs no key and no body: OPTIONS and HEAD probes.

use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderValue, Method, StatusCode, header};

/// What a page may read of our answers.
const EXPOSED: &str = "x-request-id, x-witgate-loss, location, preference-applied, retry-after, retry-after-ms, x-should-retry, \
    x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, \
    x-ratelimit-reset-requests, x-ratelimit-reset-tokens";

/// Answers preflights and probes, marks everything else.
pub(super) async fn answer_and_mark(request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let early = match *request.method() {
        Method::OPTIONS => Some(StatusCode::NO_CONTENT),
        Method::HEAD if is_probed(request.uri().path()) => Some(StatusCode::OK),
        _ => None,
    };
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match early {
        Some(status) => {
            let mut response = Response::new(axum::body::Body::empty());
            *response.status_mut() = status;
            response
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    if is_preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        );
        // `*` does not cover Authorization, so what was asked for is reflected.
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked.unwrap_or(HeaderValue::from_static("authorization, content-type")),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    }
    response
}

/// Clients probe these with HEAD to see whether somebody is there.
fn is_probed(path: &str) -> bool {
    matches!(path, "/" | "/v1" | "/v1/models" | "/api/hello" | "/health" | "/ready")
}
