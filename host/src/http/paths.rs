//! Paths as clients write them: doubled or missing `/v1`, doubled and trailing slashes.

use http::{Uri, uri::PathAndQuery};

use super::openai::SEGMENTS;

/// Rewrites the path in place; the query stays as it is.
pub(super) fn clean(uri: &mut Uri) {
    let Some(path) = cleaned(uri.path()) else { return };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let Ok(target) = target.parse::<PathAndQuery>() else { return };
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = Some(target);
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

/// The path that is meant; `None` when it is that already.
fn cleaned(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let doubled = segments.iter().take_while(|segment| **segment == "v1").count();
    let mut meant = String::with_capacity(path.len() + 3);
    let unversioned = segments.first().is_some_and(|first| SEGMENTS.contains(first));
    if unversioned {
        meant.push_str("/v1");
    }
    for segment in segments.iter().skip(doubled.saturating_sub(1)) {
        meant.push('/');
        meant.push_str(segment);
    }
    if meant.is_empty() {
        meant.push('/');
    }
    (meant != path).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_write_is_understood() {
        for (written, meant) in [
            ("/v1/chat/completions", "/v1/chat/completions"),
            ("/v1/chat/completions/", "/v1/chat/completions"),
            ("/v1/v1/chat/completions", "/v1/chat/completions"),
            ("/chat/completions", "/v1/chat/completions"),
            ("//v1//models/", "/v1/models"),
            ("/models/a/b?limit=1000", "/v1/models/a/b?limit=1000"),
            ("/v1", "/v1"),
            ("/v1/", "/v1"),
            ("/", "/"),
            ("/?x=1", "/?x=1"),
            ("/health", "/health"),
            ("/v1/models/v1", "/v1/models/v1"),
        ] {
            let mut uri: Uri = written.parse().unwrap();
            clean(&mut uri);
            assert_eq!(uri.to_string(), meant, "{written}");
        }
    }
}
