//! The web console's place: a page built into the binary. Anyone may load it; it holds no data.

use std::sync::Arc;

use axum::{Router, response::IntoResponse, routing::get};
use http::header;

use crate::app::App;

/// Until the console is built, one page that says what runs here and how to go on.
const PLACEHOLDER: &str = include_str!("../../../admin-ui/placeholder/index.html");

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new().route("/", get(index)).route("/v1", get(version_root))
}

async fn index() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, PLACEHOLDER)
}

/// People paste the base URL into a browser.
async fn version_root() -> impl IntoResponse {
    axum::Json(serde_json::json!({ "message": "this is the API's base URL; try GET /v1/models with an API key" }))
}
