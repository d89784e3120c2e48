//! The HTTP edge, the only room that knows axum: the middleware in order, then the routes by who may call them.

mod access_log;
mod body;
mod connection;
mod cors;
mod health;
mod openai;
mod paths;
mod ui;

use std::sync::Arc;

use axum::{Router, extract::Request, middleware, response::Response};
use tower::ServiceExt;

pub(crate) use connection::accept;

use crate::app::App;

/// The whole edge as one function of a request. Path clean-up comes first: it decides which route is meant.
#[derive(Clone)]
pub(crate) struct Edge {
    router: Router,
}

impl Edge {
    pub(crate) fn new(app: Arc<App>) -> Edge {
        let router = Router::new()
            // Anyone.
            .merge(health::routes())
            .merge(ui::routes())
            // Whoever has an API key.
            .merge(openai::routes())
            .fallback(openai::unknown_route)
            .method_not_allowed_fallback(openai::wrong_method)
            // The last layer is the first to see a request.
            .layer(middleware::from_fn(cors::answer_and_mark))
            .layer(middleware::from_fn(access_log::log))
            .with_state(app);
        Edge { router }
    }

    /// Answers one request. Never fails: every error is a response.
    pub(crate) async fn answer(self, mut request: Request) -> Response {
        paths::clean(request.uri_mut());
        match self.router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
