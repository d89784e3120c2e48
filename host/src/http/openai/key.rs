//! Who is calling: the API key from whichever header the client's SDK uses.

use std::sync::Arc;

use domain::{ApiKey, Fault};
use http::HeaderMap;

use crate::app::App;

/// Where SDKs put a key beside `Authorization`.
const HEADERS: &[&str] = &["x-api-key", "api-key", "x-goog-api-key"];

/// The key of the request, alive.
pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Arc<ApiKey>, Fault> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let presented = auth::Presented {
        authorization: text("authorization"),
        others: HEADERS.iter().filter_map(|name| text(name)).collect(),
    };
    let key = auth::present(&presented)?;
    auth::authenticate(app.rooms.table.load().snapshot(), &app.hasher, key)
}
