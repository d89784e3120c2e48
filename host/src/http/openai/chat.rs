//! `POST /v1/chat/completions`: from the socket to the exchange and back. Caller: whoever has an API key.

use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use domain::{Fault, RequestId};
use exchange::{Answer, AnswerBody, Ask};
use http::{HeaderMap, HeaderValue, header};

use super::{error, key, sse::EventStream};
use crate::{app::App, http::body};

/// Client headers that an adapter may see; none of them can carry a credential.
const FOR_ADAPTERS: &[&str] = &["accept-language", "user-agent", "x-session-affinity", "session-id"];

/// The header that names request fields an adapter could not map.
const LOSS: &str = "x-witgate-loss";

pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    match answer(&app, request).await {
        Ok(answer) => respond(answer),
        Err(fault) => error::respond(&fault),
    }
}

async fn answer(app: &App, request: Request) -> Result<Answer, Fault> {
    let arrived = Instant::now();
    let arrived_ms =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| i64::try_from(now.as_millis()).unwrap_or(0));
    // The key comes before the body: nobody unknown makes us read 32 MB.
    let api_key = key::caller(app, request.headers())?;
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| RequestId(String::new()));
    let headers = for_adapters(request.headers());
    let body = body::read(request, app.body_limit).await?;
    let ask = Ask { request: id, api_key, operation: "chat", body, headers, arrived, arrived_ms };
    exchange::start(&app.rooms, ask).await
}

fn for_adapters(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &&str| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.to_owned()));
    FOR_ADAPTERS.iter().filter_map(text).collect()
}

fn respond(answer: Answer) -> Response {
    let (body, content_type) = match answer.body {
        AnswerBody::Whole(json) => (Body::from(json), "application/json"),
        AnswerBody::Stream(parts) => (Body::new(EventStream::new(parts)), "text/event-stream; charset=utf-8"),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if content_type != "application/json" {
        // Without it nginx with its defaults holds the whole stream back.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    }
    error::pass_on(headers, &answer.rate_limits);
    if !answer.losses.is_empty()
        && let Ok(value) = HeaderValue::from_str(&answer.losses.join(", "))
    {
        headers.insert(LOSS, value);
    }
    response
}
