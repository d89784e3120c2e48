//! `GET /v1/tasks/{id}`: what became of an exchange that takes minutes. Caller: whoever has the API key that made the request.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::Response,
};
use domain::{Fault, FaultCode, RequestId};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use quota::Outcome;
use serde_json::json;

use super::{error, key};
use crate::app::App;

/// When a client may ask again, seconds.
const ASK_AGAIN: &str = "2";

pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    match find(&app, id, &headers).await {
        Ok((id, Outcome::Running)) => running(&id),
        Ok((_, Outcome::Answer(answer))) => json_of(StatusCode::OK, answer),
        Ok((_, Outcome::Failed { code, message })) => failed(&code, message),
        Err(fault) => error::respond(&fault),
    }
}

async fn find(
    app: &App,
    id: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
) -> Result<(RequestId, Outcome), Fault> {
    let caller = key::caller(app, headers)?;
    let Ok(Path(id)) = id else {
        return Err(Fault::new(FaultCode::NotFound, "the task's id in the path is not UTF-8"));
    };
    let id = RequestId(id);
    match app.rooms.parking.outcome(caller.id, &id).await? {
        Some(outcome) => Ok((id, outcome)),
        None => {
            let message = format!(
                "this API key has no task `{id}`: an id is the `x-request-id` of a request that takes minutes, and its answer is \
                 kept for a day unless it was delivered at once"
            );
            Err(Fault::new(FaultCode::NotFound, message))
        }
    }
}

/// The answer while there is none.
pub(super) fn running(id: &RequestId) -> Response {
    let body = json!({ "id": id.0, "object": "task", "status": "running" });
    let mut response = json_of(StatusCode::ACCEPTED, body.to_string());
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(ASK_AGAIN));
    response
}

/// The fault that the request ended with. It is final, also where the request itself could have been sent again.
fn failed(code: &str, message: String) -> Response {
    let mut response = error::respond(&Fault::new(FaultCode::parse(code).unwrap_or(FaultCode::Internal), message));
    let headers = response.headers_mut();
    headers.remove(header::RETRY_AFTER);
    headers.remove("retry-after-ms");
    headers.insert("x-should-retry", HeaderValue::from_static("false"));
    response
}

fn json_of(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_failed_is_not_asked_for_again() {
        for (code, status) in [("rate-limited", 429), ("overloaded", 503), ("content-filtered", 400), ("strange", 500)]
        {
            let response = failed(code, "why".to_owned());
            assert_eq!(response.status(), status, "{code}");
            assert_eq!(response.headers()["x-should-retry"], "false", "{code}");
            assert!(!response.headers().contains_key("retry-after"), "{code}");
        }
    }
}
