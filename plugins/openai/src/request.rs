//! The request to the vendor: the client's own body with the few edits that its dialect asks for.

use serde::Deserialize;
use serde_json::value::RawValue;
use witgate_sdk::{Body, Call, Fault, Framing, Out, Request, secret, text};

use crate::dialect::{DeveloperRole, Dialect, LimitName, Settings};
use crate::splice::Splice;

/// Edits the body of the call and makes the request.
pub(crate) fn build(call: &mut Call, dialect: Dialect<'static>, out: &mut Out) -> Result<Request, Fault> {
    let settings = std::mem::take(&mut call.settings);
    let settings = Settings::read(settings).map_err(Fault::unsupported)?;
    let dialect = settings.over(dialect);
    edit(&mut call.body, &call.model, call.streaming, &dialect, out)?;

    let request = Request::post(under(call, &dialect, dialect.path)).json(call.body.to_json());
    let request = dressed(request, call, &dialect, &settings);
    Ok(request.framing(if call.streaming { Framing::Sse } else { Framing::Text }))
}

/// A path under the channel's base URL, with the version in front when the URL has none.
pub(crate) fn under(call: &Call, dialect: &Dialect<'_>, path: &str) -> String {
    let version = dialect.version.filter(|_| !call.endpoint("api").is_some_and(has_version));
    format!("{}{path}", version.unwrap_or_default())
}

/// The request with the key and the headers that every request of this channel has.
pub(crate) fn dressed(mut request: Request, call: &Call, dialect: &Dialect<'_>, settings: &Settings) -> Request {
    if call.has_secret("key") {
        request = request.bearer([secret("key")]);
    }
    for (header, setting) in dialect.headers {
        if let Some(value) = settings.text(setting) {
            request = request.header(*header, [text(value)]);
        }
    }
    for (name, value) in settings.extra_headers() {
        request = request.header(name, [text(value)]);
    }
    request
}

/// The edits that every operation's body needs: the vendor's name of the model, fields under other names, and those that it refuses left out.
pub(crate) fn adapt(body: &mut Body, model: &str, dialect: &Dialect<'_>, out: &mut Out) {
    body.set("model", model);
    for (from, to) in dialect.rename {
        body.rename(from, to);
    }
    for field in dialect.drop {
        let asked = body.raw(field).is_some_and(|raw| raw != "null");
        if body.remove(field) && asked {
            out.loss(*field, "the vendor does not take it");
        }
    }
}

fn edit(body: &mut Body, model: &str, streaming: bool, dialect: &Dialect<'_>, out: &mut Out) -> Result<(), Fault> {
    adapt(body, model, dialect, out);
    if dialect.max_tokens == LimitName::MaxTokens {
        body.rename("max_completion_tokens", "max_tokens");
    }
    if dialect.developer == DeveloperRole::System
        && let Some(messages) = body.raw("messages").and_then(without_developer)
    {
        body.set_raw("messages", messages)?;
    }
    if streaming {
        body.set("stream", true);
    } else if body.contains("stream") {
        body.set("stream", false);
    }
    if streaming && dialect.stream_usage {
        // The host hides usage from clients that did not ask for it.
        let mut options: Body = body.optional("stream_options")?.unwrap_or_default();
        options.set("include_usage", true);
        body.set("stream_options", options);
    } else {
        body.remove("stream_options");
    }
    Ok(())
}

/// The messages with `developer` sent as `system`; `None` when there is none. Only the roles change, every other byte stays.
fn without_developer(messages: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Said<'a> {
        #[serde(borrow, default)]
        role: Option<&'a RawValue>,
    }
    if !messages.contains("\"developer\"") {
        return None;
    }
    let all: Vec<Said<'_>> = serde_json::from_str(messages).ok()?;
    let mut splice = Splice::new(messages);
    for role in all.iter().filter_map(|message| message.role).filter(|role| role.get() == "\"developer\"") {
        splice.replace(role.get(), "\"system\"");
    }
    (!splice.is_empty()).then(|| splice.finish())
}

/// Whether a segment of the URL's path reads like `v1`, `v1beta` or `v4`.
fn has_version(url: &str) -> bool {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    path.split('/').any(|segment| {
        let mut letters = segment.chars();
        letters.next() == Some('v') && letters.next().is_some_and(|second| second.is_ascii_digit())
    })
}

/// Whether the host may pass the chunks through. A tool call could end with `stop`, and choices could end at different times: those answers
/// are watched chunk by chunk.
pub(crate) fn may_relay(body: &Body, dialect: &Dialect<'_>) -> bool {
    let asks = |field: &str| body.raw(field).is_some_and(|raw| raw != "null");
    let one = matches!(body.raw("n"), None | Some("null" | "1"));
    dialect.relay && one && !asks("tools") && !asks("functions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_roles_change_in_messages() {
        let messages = r#"[{"role" : "developer","content":"\"developer\" is a word"}, {"content":"x","role":"user"}]"#;
        let expected = r#"[{"role" : "system","content":"\"developer\" is a word"}, {"content":"x","role":"user"}]"#;
        assert_eq!(without_developer(messages).as_deref(), Some(expected));
        assert_eq!(without_developer(r#"[{"role":"user","content":"a \"developer\""}]"#), None);
    }

    #[test]
    fn versions_are_found_in_the_path_only() {
        for (url, expected) in [
            ("http://v1.test", false),
            ("http://h.test:8000", false),
            ("http://h.test/api", false),
            ("http://h.test/v1", true),
            ("http://h.test/api/v4", true),
            ("http://h.test/v1beta/openai", true),
        ] {
            assert_eq!(has_version(url), expected, "{url}");
        }
    }
}
