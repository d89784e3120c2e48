//! From the socket to the exchange and back, for every operation that a client posts a body for.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::{body::Body, extract::Request, response::Response};
use domain::{Fault, RequestId};
use exchange::{Answer, AnswerBody, Ask};
use http::{HeaderMap, HeaderValue, header};

use super::{error, key, sse::EventStream, tasks};
use crate::{app::App, http::body};

/// Client headers that an adapter may see; none of them can carry a credential.
const FOR_ADAPTERS: &[&str] = &["accept-language", "anthropic-beta", "session-id", "user-agent", "x-session-affinity"];

/// The header that names request fields an adapter could not map.
const LOSS: &str = "x-witgate-loss";

/// The preference (RFC 7240) of a client that comes back for an answer that takes minutes.
const RESPOND_ASYNC: &str = "respond-async";

/// Answers a request for an operation, spelled as the contract does. Caller: whoever has an API key.
pub(super) async fn answer(app: &App, operation: &'static str, request: Request) -> Response {
    match start(app, operation, request).await {
        Ok(answer) => respond(answer),
        Err(fault) => error::respond(&fault),
    }
}

async fn start(app: &App, operation: &'static str, request: Request) -> Result<Answer, Fault> {
    let arrived = Instant::now();
    let arrived_ms =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(0));
    // The key comes before the body: nobody unknown makes us read 32 MB.
    let api_key = key::caller(app, request.headers())?;
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId(String::new()));
    let headers = for_adapters(request.headers());
    let async_ok = prefers_async(request.headers());
    let body = body::read(request, app.body_limit).await?;
    let ask = Ask { request: id, api_key, operation, body, headers, arrived, arrived_ms, async_ok };
    exchange::start(&app.rooms, ask).await
}

fn for_adapters(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &&str| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned()));
    FOR_ADAPTERS.iter().filter_map(text).collect()
}

fn prefers_async(headers: &HeaderMap) -> bool {
    let lines = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = lines.flat_map(|line| line.split(','));
    preferences.any(|preference| {
        let name = preference.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
    })
}

fn respond(answer: Answer) -> Response {
    let mut response = match answer.body {
        AnswerBody::Whole(json) => with_type(Body::from(json), "application/json"),
        AnswerBody::Accepted => accepted(&answer.request),
        AnswerBody::Stream(parts) => {
            let mut response = with_type(Body::new(EventStream::new(parts)), "text/event-stream; charset=utf-8");
            // Without it nginx with its defaults holds the whole stream back.
            response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
            response
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    error::pass_on(headers, &answer.rate_limits);
    if !answer.losses.is_empty()
        && let Ok(value) = HeaderValue::from_str(&answer.losses.join(", "))
    {
        headers.insert(LOSS, value);
    }
    response
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Not yet: says where the answer will be.
fn accepted(request: &RequestId) -> Response {
    let mut response = tasks::running(request);
    let headers = response.headers_mut();
    headers.insert("preference-applied", HeaderValue::from_static(RESPOND_ASYNC));
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/tasks/{request}")) {
        headers.insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_found_however_it_is_written() {
        for (lines, expected) in [
            (&["respond-async"][..], true),
            (&["wait=10, Respond-Async"], true),
            (&["return=minimal", "respond-async; wait=10"], true),
            (&["respond-async-later, wait"], false),
            (&["wait=respond-async"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("prefer", HeaderValue::from_static(line));
            }
            assert_eq!(prefers_async(&headers), expected, "{lines:?}");
        }
    }

    #[test]
    fn an_accepted_request_says_where_its_answer_will_be() {
        let request = RequestId("req_1".to_owned());
        let losses = vec!["logit_bias".to_owned()];
        let response = respond(Answer { request, losses, rate_limits: Vec::new(), body: AnswerBody::Accepted });
        assert_eq!(response.status(), 202);
        for (name, value) in [
            ("location", "/v1/tasks/req_1"),
            ("preference-applied", "respond-async"),
            ("content-type", "application/json"),
            ("x-witgate-loss", "logit_bias"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(response.headers().contains_key("retry-after"));
    }
}
