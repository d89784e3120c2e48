//! Reads errors in OpenAI's format and in the variations on it that compatible servers send.

use crate::Code;
use serde_json::Value;

/// An error object, flattened. Fields that the server did not send are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// For people.
    pub message: String,
    /// `type`: the family of the error.
    pub kind: String,
    /// `code`: the error itself; a number is written as text.
    pub code: String,
    /// `param`: the request field that is to blame.
    pub param: String,
    /// The error object as JSON.
    pub json: String,
}

impl ErrorBody {
    /// Reads `{"error": {...}}`, `{"error": "text"}`, a bare error object with `message` or `detail`, and a list whose first item is one of
    /// those. `None` when the text is no JSON or no error.
    pub fn parse(body: &str) -> Option<ErrorBody> {
        let value: Value = serde_json::from_str(body).ok()?;
        let value = if value.is_array() { value.get(0)? } else { &value };
        let error = match value.get("error") {
            Some(Value::Null) | None => value,
            Some(error) => error,
        };
        if let Some(message) = error.as_str().filter(|message| !message.is_empty()) {
            let outer = ErrorBody::from_object(value);
            return Some(ErrorBody { message: message.to_owned(), ..outer });
        }
        let found = ErrorBody::from_object(error);
        (!found.message.is_empty() || value.get("error").is_some_and(Value::is_object)).then_some(found)
    }

    fn from_object(error: &Value) -> ErrorBody {
        let field = |name: &str| match error.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let mut message = field("message");
        if message.is_empty() {
            message = match error.get("detail") {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(list) => list.to_string(),
            };
        }
        ErrorBody { message, kind: field("type"), code: field("code"), param: field("param"), json: error.to_string() }
    }

    /// What the error means: by OpenAI's documented codes, else by the HTTP status. A status below 400 (an error inside a stream) counts
    /// only when `code` does not say it better.
    pub fn fault_code(&self, status: u16) -> Code {
        match self.code.as_str() {
            "context_length_exceeded" | "string_above_max_length" => return Code::ContextTooLong,
            "content_filter" | "content_policy_violation" => return Code::ContentFiltered,
            "model_not_found" => return Code::ModelMissing,
            "invalid_api_key" | "account_deactivated" => return Code::CredentialDead,
            "insufficient_quota" | "billing_hard_limit_reached" => return Code::AccountEmpty,
            "rate_limit_exceeded" => return Code::RateLimited,
            _ => {}
        }
        match self.kind.as_str() {
            "insufficient_quota" => return Code::AccountEmpty,
            "authentication_error" => return Code::CredentialDead,
            "rate_limit_error" => return Code::RateLimited,
            "overloaded_error" => return Code::Overloaded,
            "invalid_request_error" if status < 400 => return Code::InvalidRequest,
            _ => {}
        }
        match status {
            400 | 405 | 406 | 409 | 411 | 415 | 422 => Code::InvalidRequest,
            401 => Code::CredentialDead,
            402 => Code::AccountEmpty,
            404 => Code::ModelMissing,
            413 => Code::ContextTooLong,
            429 => Code::RateLimited,
            503 | 529 => Code::Overloaded,
            501 => Code::Unsupported,
            _ => Code::UpstreamBroken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> ErrorBody {
        ErrorBody::parse(body).unwrap_or_else(|| panic!("{body} is an error"))
    }

    #[test]
    fn the_format_and_its_variations_are_read() {
        let error = parsed(r#"{"error":{"message":"no","type":"invalid_request_error","param":"n","code":null}}"#);
        assert_eq!((error.message.as_str(), error.param.as_str(), error.code.as_str()), ("no", "n", ""));
        assert_eq!(parsed(r#"{"error":"busy","code":50}"#).message, "busy");
        assert_eq!(parsed(r#"{"error":"busy","code":50}"#).code, "50");
        assert_eq!(parsed(r#"[{"error":{"message":"listed","code":400}}]"#).message, "listed");
        assert_eq!(parsed(r#"{"object":"error","message":"bare","type":"BadRequestError"}"#).kind, "BadRequestError");
        assert_eq!(parsed(r#"{"detail":[{"msg":"field required"}]}"#).message, r#"[{"msg":"field required"}]"#);
        assert_eq!(parsed(r#"{"error":{"code":"x"}}"#).code, "x");
    }

    #[test]
    fn what_is_no_error_is_none() {
        for body in
            ["", "<html>", "null", "[]", "{}", r#"{"error":null}"#, r#"{"error":""}"#, r#"{"choices":[],"error":null}"#]
        {
            assert_eq!(ErrorBody::parse(body), None, "{body}");
        }
    }

    #[test]
    fn a_known_code_says_more_than_the_status() {
        let code = |status, body: &str| parsed(body).fault_code(status);
        assert_eq!(code(429, r#"{"error":{"message":"m","code":"insufficient_quota"}}"#), Code::AccountEmpty);
        assert_eq!(code(429, r#"{"error":{"message":"m","code":"rate_limit_exceeded"}}"#), Code::RateLimited);
        assert_eq!(code(400, r#"{"error":{"message":"m","code":"context_length_exceeded"}}"#), Code::ContextTooLong);
        assert_eq!(code(400, r#"{"error":{"message":"m","type":"invalid_request_error"}}"#), Code::InvalidRequest);
        assert_eq!(code(200, r#"{"error":{"message":"m","type":"invalid_request_error"}}"#), Code::InvalidRequest);
        assert_eq!(code(404, r#"{"error":{"message":"m","type":"invalid_request_error"}}"#), Code::ModelMissing);
        assert_eq!(code(500, r#"{"error":{"message":"m"}}"#), Code::UpstreamBroken);
        assert_eq!(code(503, r#"{"error":{"message":"m"}}"#), Code::Overloaded);
    }
}
