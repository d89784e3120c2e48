//! What a vendor's error means to the host: its code first, then its words where they are safe to trust, then the HTTP status.

use serde::de::IgnoredAny;
use serde_json::Value;
use witgate_sdk::{Code, ErrorBody, Fault, Head};

mod codes;
mod phrases;
mod wait;

/// Longest message that is passed on, in bytes.
const MESSAGE: usize = 2000;

/// An answer with an error status. `now` is in Unix seconds.
pub(crate) fn refused(head: &Head, body: &str, now: u32) -> Fault {
    let text = body.trim();
    let error = read(text);
    let code = match &error {
        Some(error) => error.verdict(head.status),
        None => by_status(head.status, false),
    };
    let told = error.as_ref().map(VendorError::message).filter(|message| !message.is_empty());
    let mut message = told.or_else(|| plain(text)).unwrap_or_else(|| silent(head.status));
    if head.status == 404 && code == Code::UpstreamBroken {
        message = format!("{message} (the server has no such path; check the channel's base URL)");
    }
    let mut fault = Fault::new(code, shortened(message)).with_status(head.status);
    if let Some(error) = error {
        fault.param = Some(error.body.param).filter(|param| !param.is_empty());
        fault.vendor = error.body.json;
    }
    if matches!(code, Code::RateLimited | Code::Overloaded) {
        fault.retry_after_ms = wait::wanted(head, &fault.message, now);
    }
    fault
}

/// An error inside an answer that came with a success status.
pub(crate) fn in_answer(text: &str) -> Fault {
    let Some(error) = read(text) else {
        let what = if text.starts_with('{') {
            "the vendor's answer has no choices"
        } else {
            "the vendor broke off with an error"
        };
        return Fault::upstream_broken(what);
    };
    // Some vendors put the status that they mean into the error.
    let meant = [&error.body.code, &error.status].into_iter().find_map(|text| text.parse().ok());
    let meant = meant.filter(|status| (400..600).contains(status)).unwrap_or(0);
    let code = error.verdict(meant);
    let message = Some(error.message()).filter(|message| !message.is_empty()).unwrap_or_else(|| silent(meant));
    let mut fault = Fault::new(code, shortened(message)).with_vendor(error.body.json);
    fault.param = Some(error.body.param).filter(|param| !param.is_empty());
    if matches!(code, Code::RateLimited | Code::Overloaded) {
        fault.retry_after_ms = wait::sentence(&fault.message);
    }
    fault
}

/// Whether a JSON text with a success status is an error without saying `error`.
pub(crate) fn is_error(text: &str) -> bool {
    read(text).is_some()
}

/// A redirect with an answer: nobody follows it.
pub(crate) fn redirected(head: &Head) -> Result<(), Fault> {
    if head.status >= 300 {
        let what = "the vendor answered with a redirect, which is not followed; check the channel's base URL";
        return Err(Fault::upstream_broken(what).with_status(head.status));
    }
    Ok(())
}

/// A success status with something that is no answer at all.
pub(crate) fn not_an_answer(text: &str) -> Fault {
    not_the(text, "chat completion")
}

/// The same, where something else was asked for.
pub(crate) fn not_the(text: &str, expected: &str) -> Fault {
    if text.is_empty() {
        return Fault::upstream_broken("the vendor's answer is empty");
    }
    if looks_like_html(text) {
        return Fault::upstream_broken(
            "the vendor answered with a web page instead of JSON; check the channel's base URL",
        );
    }
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Fault::upstream_broken("the vendor's answer is not JSON, or was cut off");
    }
    if is_error(text) {
        return in_answer(text);
    }
    Fault::upstream_broken(format!("the vendor's answer is JSON, but no {expected}"))
}

/// A choice that ended because the vendor could not go on.
pub(crate) fn gave_up(busy: bool) -> Fault {
    if busy {
        return Fault::overloaded("the vendor had no resources to finish the answer");
    }
    Fault::upstream_broken("the vendor gave up in the middle of the answer")
}

/// An error object with the names that only some vendors use.
struct VendorError {
    body: ErrorBody,
    /// `reason`, or `metadata.error_type`.
    reason: String,
    /// `status_code`.
    status: String,
    /// `detail` when it lists what a web framework found wrong.
    details: Vec<String>,
}

fn read(text: &str) -> Option<VendorError> {
    let body = match ErrorBody::parse(text) {
        Some(body) => body,
        None => odd(serde_json::from_str(text).ok()?)?,
    };
    let object: Value = serde_json::from_str(&body.json).unwrap_or_default();
    let reason = object.get("reason").or_else(|| object.pointer("/metadata/error_type")).and_then(Value::as_str);
    let reason = reason.unwrap_or_default().to_owned();
    let status = object.get("status_code").map(Value::to_string).unwrap_or_default();
    let details = object.get("detail").and_then(Value::as_array).into_iter().flatten().filter_map(detail).collect();
    Some(VendorError { body, reason, status, details })
}

/// `{"loc": ["body", "n"], "msg": "..."}` as `body.n: ...`.
fn detail(item: &Value) -> Option<String> {
    let words = item.get("msg")?.as_str()?;
    let place = item.get("loc").and_then(Value::as_array).into_iter().flatten();
    let place: Vec<String> = place.map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned)).collect();
    Some(if place.is_empty() { words.to_owned() } else { format!("{}: {words}", place.join(".")) })
}

/// Errors that are a bare text, and those of one vendor that stand beside the choices.
fn odd(value: Value) -> Option<ErrorBody> {
    let words = match &value {
        Value::String(words) => Some(words.as_str()),
        Value::Object(_) => value.pointer("/x_groq/error").or_else(|| value.get("msg")).and_then(Value::as_str),
        _ => None,
    };
    let words = words.filter(|words| !words.trim().is_empty());
    if let Some(words) = words {
        return Some(ErrorBody { message: words.to_owned(), json: value.to_string(), ..ErrorBody::default() });
    }
    let inner = value
        .get("choices")?
        .as_array()?
        .iter()
        .find_map(|choice| choice.get("error").filter(|error| !error.is_null()))?;
    ErrorBody::parse(&serde_json::json!({ "error": inner }).to_string())
}

impl VendorError {
    fn message(&self) -> String {
        if self.details.is_empty() { self.body.message.clone() } else { self.details.join("; ") }
    }

    fn verdict(&self, status: u16) -> Code {
        let named = [&self.body.code, &self.reason, &self.body.kind].into_iter().find_map(|name| codes::verdict(name));
        if let Some(code) = named {
            return code;
        }
        let worded = phrases::verdict(status, &self.body.message);
        // Inside an answer there is no status to go by.
        let general = (status == 0 && self.body.kind.starts_with("invalid_request")).then_some(Code::InvalidRequest);
        worded.or(general).unwrap_or_else(|| by_status(status, !self.no_such_path(status)))
    }

    /// A web framework's own 404: the server has no such path, which says nothing about the model.
    fn no_such_path(&self, status: u16) -> bool {
        status == 404
            && self.body.message.trim_end_matches('.').eq_ignore_ascii_case("not found")
            && self.body.code.is_empty()
    }
}

/// `told`: the answer was an error object of the vendor's API, not a page of something in between.
fn by_status(status: u16, told: bool) -> Code {
    match status {
        401 => Code::CredentialDead,
        402 => Code::AccountEmpty,
        403 if told => Code::CredentialDead,
        404 if told => Code::ModelMissing,
        429 | 498 => Code::RateLimited,
        451 => Code::ContentFiltered,
        503 | 529 => Code::Overloaded,
        403 | 404 | 408 | 409 | 424 | 425 | 499 => Code::UpstreamBroken,
        400..=499 => Code::InvalidRequest,
        _ => Code::UpstreamBroken,
    }
}

/// A plain text answer that is fit for a client: short, and no page.
fn plain(text: &str) -> Option<String> {
    let fit = !text.is_empty() && text.len() <= 300 && !looks_like_html(text) && !text.starts_with(['{', '[']);
    fit.then(|| text.to_owned())
}

fn silent(status: u16) -> String {
    match status {
        0 => "the vendor reported an error without a message".to_owned(),
        _ => format!("the vendor answered with status {status} and no message"),
    }
}

fn looks_like_html(text: &str) -> bool {
    text.starts_with('<')
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
