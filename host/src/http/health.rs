//! Probes: alive, ready, hello. Anyone may call them; they tell nothing about what is configured.

use std::sync::Arc;

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::StatusCode;
use serde_json::json;

use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/health", get(health)).route("/ready", get(ready)).route("/api/hello", get(hello))
}

/// The process answers.
async fn health() -> impl IntoResponse {
    Json(json!({ "status": "healthy" }))
}

/// Requests can be served: the database was read and the server is not stopping.
async fn ready(State(app): State<Arc<App>>) -> impl IntoResponse {
    if app.stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "stopping" })));
    }
    (StatusCode::OK, Json(json!({ "status": "ready" })))
}

/// Some clients ask for this before they talk.
async fn hello() -> impl IntoResponse {
    Json(json!({ "message": "hello" }))
}
