//! `GET /v1/models` and `/v1/models/{id}`: what this key may call. Caller: whoever has an API key.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse, Response},
};
use domain::{Fault, FaultCode};
use http::HeaderMap;
use routing::Listed;
use serde_json::{Value, json};

use super::{error, key};
use crate::app::App;

pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let caller = match key::caller(&app, &headers) {
        Ok(caller) => caller,
        Err(fault) => return error::respond(&fault),
    };
    let rows: Vec<Value> = app.rooms.table.load().models(&caller).iter().map(row).collect();
    Json(json!({ "object": "list", "data": rows })).into_response()
}

pub(super) async fn retrieve(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let caller = match key::caller(&app, &headers) {
        Ok(caller) => caller,
        Err(fault) => return error::respond(&fault),
    };
    let Ok(Path(id)) = id else {
        return error::respond(&Fault::new(FaultCode::InvalidRequest, "the model's name in the path is not UTF-8"));
    };
    match app.rooms.table.load().model(&caller, &id) {
        Some(listed) => Json(row(&listed)).into_response(),
        None => {
            let message = format!("the model `{id}` does not exist here; GET /v1/models lists those that do");
            error::respond(&Fault::new(FaultCode::ModelUnknown, message).with_param("model"))
        }
    }
}

/// OpenAI's fields first, then ours.
fn row(listed: &Listed) -> Value {
    let mut row = json!({
        "id": listed.id,
        "object": "model",
        "created": listed.created_ms / 1_000,
        "owned_by": listed.provider,
        "provider": listed.provider,
    });
    if let Some(model) = &listed.model {
        if model.context > 0 {
            row["context_length"] = model.context.into();
        }
        if model.max_output > 0 {
            row["max_output_tokens"] = model.max_output.into();
        }
        row["capabilities"] = json!(model.capabilities);
    }
    row
}
