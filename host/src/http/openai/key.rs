//! Who is calling: the API key from whichever header the client's SDK uses.

use std::sync::Arc;

use domain::{ApiKey, Fault, FaultCode};
use http::HeaderMap;

use crate::app::App;

/// Where SDKs put a key beside `Authorization`.
const HEADERS: &[&str] = &["x-api-key", "api-key", "x-goog-api-key"];

/// The key of the request, alive.
pub(super) fn caller(app: &App, headers: &HeaderMap) -> Result<Arc<ApiKey>, Fault> {
    let all =
        |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect::<Vec<_>>();
    let mut authorizations = all("authorization");
    authorizations.dedup();
    if authorizations.len() > 1 {
        return Err(Fault::new(FaultCode::KeyMissing, "several Authorization headers that differ; send one API key"));
    }
    let presented = auth::Presented {
        authorization: authorizations.first().copied(),
        others: HEADERS.iter().flat_map(|name| all(name)).collect(),
    };
    let key = auth::present(&presented)?;
    auth::authenticate(app.rooms.table.load().snapshot(), &app.hasher, key)
}
