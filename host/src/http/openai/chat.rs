//! `POST /v1/chat/completions`. Caller: whoever has an API key.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};

use super::ask;
use crate::app::App;

pub(super) async fn create(State(app): State<Arc<App>>, request: Request) -> Response {
    ask::answer(&app, "chat", request).await
}
