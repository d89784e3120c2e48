//! What the vendor's errors mean. The host retries, cools a channel down or disables it by the code alone.

use witgate_sdk::{Code, ErrorBody, Fault};

/// Reads `{"code", "message"}`. A code that is not known, or no such body, leaves the meaning to the HTTP status.
pub(crate) fn read(status: u16, body: &str) -> Fault {
    let error = ErrorBody::parse(body).unwrap_or_default();
    let code = match error.code.as_str() {
        "bad_key" => Code::CredentialDead,
        "no_credit" => Code::AccountEmpty,
        "too_fast" => Code::RateLimited,
        "too_long" => Code::ContextTooLong,
        "no_such_model" => Code::ModelMissing,
        "forbidden_topic" => Code::ContentFiltered,
        _ => error.fault_code(status),
    };
    let message = if error.message.is_empty() {
        format!("the vendor answered with status {status} and no message")
    } else {
        error.message
    };
    // Status and retry-after are filled in from the answer's head.
    Fault::new(code, message).with_vendor(error.json)
}
