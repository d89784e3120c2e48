//! Probes: alive, ready, hello. Anyone may call them; they tell nothing about what is configured.

use std::sync::Arc;

use axum::{Json, Router, response::IntoResponse, routing::get};
use serde_json::json;

use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).route("/api/hello", get(hello))
}

/// The process answers.
async fn health() -> impl IntoResponse {
    Json(json!({ "status": "healthy" }))
}

/// Requests can be served: the server listens only after database, plugins and routes were read.
async fn ready() -> impl IntoResponse {
    Json(json!({ "status": "ready" }))
}

/// Some clients ask for this before they talk.
async fn hello() -> impl IntoResponse {
    Json(json!({ "message": "hello" }))
}
