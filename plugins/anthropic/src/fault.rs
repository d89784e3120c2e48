//! What a vendor's error means to the host: its type first, then its words where they are the vendor's own, then the HTTP status.

use serde::de::IgnoredAny;
use witgate_sdk::{Body, Code, ErrorBody, Fault, Head};

mod wait;

/// Longest message that is passed on, in bytes.
const MESSAGE: usize = 2_000;
/// A word that disables a channel must come this early: the vendor begins with it, a client that is quoted does not.
const EARLY: usize = 24;

/// A fault about a field of the client's request.
pub(crate) fn refused(param: impl Into<String>, what: impl Into<String>) -> Fault {
    let param = param.into();
    Fault::invalid_request(format!("`{param}`: {}", what.into())).with_param(param)
}

/// A fault about a field that is not what it should be: serde's words without the position, which says nothing to a client.
pub(crate) fn unread(param: impl Into<String>, error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    refused(param, text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what))
}

/// An answer with an error status. `now` is in Unix seconds.
pub(crate) fn answered(head: &Head, body: &str, now: u32) -> Fault {
    let mut fault = match ErrorBody::parse(body) {
        Some(error) => told(&error, head.status, request_id(head, body)),
        None => untold(head.status, body),
    };
    fault.status = head.status;
    if matches!(fault.code, Code::RateLimited | Code::Overloaded) {
        fault.retry_after_ms = wait::wanted(head, now);
    }
    fault
}

/// An error inside an answer that came with a success status: an event of a stream, or all of it.
pub(crate) fn in_answer(text: &str) -> Fault {
    match ErrorBody::parse(text) {
        Some(error) => told(&error, 0, request_id(&Head::default(), text)),
        None => Fault::upstream_broken("the vendor broke off with an error"),
    }
}

/// A success status with something that is no message.
pub(crate) fn not_a_message(text: &str) -> Fault {
    let text = text.trim();
    if text.is_empty() {
        return Fault::upstream_broken("the vendor's answer is empty");
    }
    if text.starts_with('<') {
        let what = "the vendor answered with a web page instead of JSON; check the channel's base URL";
        return Fault::upstream_broken(what);
    }
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Fault::upstream_broken("the vendor's answer is not JSON, or was cut off");
    }
    match ErrorBody::parse(text) {
        Some(error) => told(&error, 0, None),
        None => Fault::upstream_broken("the vendor's answer is JSON, but no message"),
    }
}

fn told(error: &ErrorBody, status: u16, request_id: Option<String>) -> Fault {
    let code = verdict(&error.kind, &error.message, status);
    let mut message = error.message.clone();
    if message.is_empty() {
        message = format!("the vendor reported an error of the type `{}` without a message", error.kind);
    }
    if code == Code::UpstreamBroken && status == 404 {
        message.push_str(" (the server has no such path; check the channel's base URL)");
    }
    let mut fault = Fault::new(code, shortened(message)).with_vendor(with_id(&error.json, request_id));
    fault.param = blamed(&error.message).filter(|_| code == Code::InvalidRequest);
    fault
}

/// Something in between answered, or nothing was said.
fn untold(status: u16, body: &str) -> Fault {
    let code = match status {
        401 => Code::CredentialDead,
        402 => Code::AccountEmpty,
        413 => Code::InvalidRequest,
        429 => Code::RateLimited,
        503 | 529 => Code::Overloaded,
        _ => Code::UpstreamBroken,
    };
    let text = body.trim();
    let plain = !text.is_empty() && text.len() <= 300 && !text.starts_with(['<', '{', '[']);
    Fault::new(
        code,
        if plain { text.to_owned() } else { format!("the vendor answered with status {status} and no message") },
    )
}

fn verdict(kind: &str, message: &str, status: u16) -> Code {
    let words = message.to_lowercase();
    let early = |word: &str| words.find(word).is_some_and(|at| at <= EARLY);
    match kind {
        "invalid_request_error" if early("credit balance is too low") => Code::AccountEmpty,
        "invalid_request_error" if early("organization has been disabled") => Code::CredentialDead,
        "invalid_request_error" => invalid(&words),
        "authentication_error" => Code::CredentialDead,
        "billing_error" => Code::AccountEmpty,
        "permission_error" if words.contains("model") => Code::ModelMissing,
        "permission_error" => Code::CredentialDead,
        "not_found_error" if words.contains("model") => Code::ModelMissing,
        "not_found_error" => Code::UpstreamBroken,
        "request_too_large" => Code::InvalidRequest,
        "rate_limit_error" => Code::RateLimited,
        "overloaded_error" => Code::Overloaded,
        "api_error" | "timeout_error" | "gateway_timeout" => Code::UpstreamBroken,
        // Another server's own words, and types that are newer than this adapter.
        _ => match status {
            401 => Code::CredentialDead,
            402 => Code::AccountEmpty,
            403 => Code::CredentialDead,
            404 if words.contains("model") => Code::ModelMissing,
            429 => Code::RateLimited,
            503 | 529 => Code::Overloaded,
            400 | 405..=407 | 410..=422 => invalid(&words),
            _ => Code::UpstreamBroken,
        },
    }
}

/// The reasons for which a request is wrong.
fn invalid(words: &str) -> Code {
    let long = ["prompt is too long", "exceed context limit", "exceeds the context window", "context window exceeds"];
    if long.iter().any(|word| words.contains(word)) {
        return Code::ContextTooLong;
    }
    if words.contains("content filtering policy") {
        return Code::ContentFiltered;
    }
    Code::InvalidRequest
}

/// The canonical field in front of a message like `messages.1.content.0.text: must not be empty`.
fn blamed(message: &str) -> Option<String> {
    let (place, _) = message.split_once(": ")?;
    let root = place.split(['.', '[']).next()?;
    let field = match root {
        "max_tokens" | "messages" | "tools" | "tool_choice" | "temperature" | "top_p" | "top_k" | "thinking"
        | "model" => root,
        "system" => "messages",
        "stop_sequences" => "stop",
        "metadata" => "user",
        "output_config" => "response_format",
        _ => return None,
    };
    Some(field.to_owned())
}

/// The vendor's number of the request, which its support asks for.
fn request_id(head: &Head, body: &str) -> Option<String> {
    let told = Body::parse(body).ok().and_then(|body| body.optional("request_id").ok().flatten());
    told.or_else(|| head.header("request-id").map(str::to_owned))
}

fn with_id(json: &str, request_id: Option<String>) -> String {
    match (Body::parse(json), request_id) {
        (Ok(mut error), Some(id)) => {
            error.set("request_id", id);
            error.to_json()
        }
        _ => json.to_owned(),
    }
}

fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE {
        let end = (0..=MESSAGE).rev().find(|end| message.is_char_boundary(*end)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests;
