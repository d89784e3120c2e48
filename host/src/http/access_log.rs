//! One line per request: method, path without its query, status, time. Probes are kept out of it.

use std::time::Instant;

use axum::{extract::Request, middleware::Next, response::Response};
use domain::RequestId;
use http::HeaderValue;

/// The header that names the request in every answer.
const REQUEST_ID: &str = "x-request-id";

/// Gives the request its id, answers, logs.
pub(super) async fn log(mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = new_request_id();
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, millis) = (response.status().as_u16(), begun.elapsed().as_millis());
    if is_probe(&method, &path) {
        tracing::trace!(%method, path, status, "probe");
    } else {
        tracing::debug!(request = %id, %method, path, status, millis, "answered");
    }
    response
}

/// Sortable by time, unique.
pub(super) fn new_request_id() -> RequestId {
    RequestId(format!("req_{}", uuid::Uuid::now_v7().simple()))
}

fn is_probe(method: &http::Method, path: &str) -> bool {
    *method == http::Method::HEAD
        || *method == http::Method::OPTIONS
        || matches!(path, "/health" | "/ready" | "/api/hello")
}
