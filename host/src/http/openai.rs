//! The OpenAI-compatible face under `/v1`. Every route here wants an API key, except where it says otherwise.

mod ask;
mod chat;
mod embeddings;
mod error;
mod key;
mod models;
mod sse;
mod tasks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use domain::{Fault, FaultCode};

use crate::app::App;

pub(super) use error::envelope;

/// First segments of the API below `/v1`. What has no route here is not served yet; a path without `/v1` that begins with one is meant so.
pub(super) const SEGMENTS: &[&str] = &[
    "assistants",
    "audio",
    "batches",
    "chat",
    "completions",
    "containers",
    "conversations",
    "edits",
    "embeddings",
    "engines",
    "evals",
    "files",
    "fim",
    "fine_tuning",
    "images",
    "messages",
    "models",
    "moderations",
    "realtime",
    "rerank",
    "responses",
    "tasks",
    "threads",
    "uploads",
    "vector_stores",
    "videos",
];

/// Those that are served: what is not found below them does not exist.
const SERVED: &[&str] = &["chat", "embeddings", "models", "tasks"];

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::retrieve))
        .route("/v1/tasks/{id}", get(tasks::retrieve))
}

/// Whatever no route takes. Anyone: nothing is told but that it is not there.
pub(super) async fn unknown_route(State(_app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path();
    let first = path.strip_prefix("/v1/").and_then(|rest| rest.split('/').next());
    let fault = match first {
        Some(first) if SEGMENTS.contains(&first) && !SERVED.contains(&first) => {
            Fault::new(FaultCode::NotImplemented, format!("{path} is not served by this gateway yet"))
        }
        _ => Fault::new(FaultCode::NotFound, format!("there is no {} {path} here", request.method())),
    };
    error::respond(&fault)
}

pub(super) async fn wrong_method(request: Request) -> Response {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    error::respond(&Fault::new(FaultCode::MethodNotAllowed, message))
}
