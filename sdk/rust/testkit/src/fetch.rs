//! Files that the host fetches for an adapter: `fetch-1.json` and so on.

use crate::{Case, files};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use witgate_sdk::{Event, Failure, Fetched};

/// A file, or why there is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fetch {
    /// The address that the adapter must ask for.
    url: String,
    #[serde(default)]
    content_type: String,
    /// In bytes; the length of `base64` when that is given.
    size: Option<u32>,
    base64: Option<String>,
    /// What stands for the file; `{fetch:1}` when left out.
    token: Option<String>,
    /// A failure code in place of a file.
    failure: Option<String>,
}

/// The event that answers the `number`-th fetch.
pub(crate) fn answer(case: &Case, number: usize, id: u32, url: &str) -> Result<Event, String> {
    let name = format!("fetch-{number}.json");
    let Some(text) = files::text(&case.files, &name)? else {
        return Err(format!("the adapter fetches {url}, but there is no {name}"));
    };
    let fetch: Fetch = serde_json::from_str(text).map_err(|error| format!("{name} is wrong: {error}"))?;
    if fetch.url != url {
        return Err(format!("the adapter fetches {url}, {name} expects {}", fetch.url));
    }
    if let Some(code) = fetch.failure {
        return Ok(Event::Failed(Failure { id, text: format!("the file could not be fetched: {code}"), code }));
    }
    let length = match &fetch.base64 {
        Some(base64) => BASE64_STANDARD.decode(base64).map_err(|error| format!("{name}: {error}"))?.len(),
        None => 0,
    };
    let size = fetch.size.unwrap_or_else(|| u32::try_from(length).unwrap_or(u32::MAX));
    let token = fetch.token.unwrap_or_else(|| format!("{{fetch:{number}}}"));
    Ok(Event::Fetched(Fetched { id, token, content_type: fetch.content_type, size }))
}
