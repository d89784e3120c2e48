//! The first look at a request: is it an object, which model, stream or not. The rest of the body is the adapter's business.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use domain::{ApiKey, Fault, FaultCode, RequestId};
use serde::de::DeserializeOwned;

use crate::chunk::Object;

/// A client's request, its caller already known.
pub struct Ask {
    /// Names the request.
    pub request: RequestId,
    /// Who is calling.
    pub api_key: Arc<ApiKey>,
    /// As the contract spells it: `chat`, `embeddings`.
    pub operation: &'static str,
    /// The body, decompressed.
    pub body: Bytes,
    /// The few client headers that adapters may see, names in lower case.
    pub headers: Vec<(String, String)>,
    /// When the request arrived.
    pub arrived: Instant,
    /// The same, unix milliseconds.
    pub arrived_ms: i64,
    /// The client does not want to wait for an answer that takes minutes: it comes back for it.
    pub async_ok: bool,
}

/// What the host itself needs to know of a body.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) model: String,
    pub(crate) streaming: bool,
    pub(crate) include_usage: bool,
    pub(crate) max_tokens: Option<u32>,
}

/// Reads the body's top level; each refusal names the field and what is expected there.
pub(crate) fn admit(ask: &Ask, items_max: usize) -> Result<Admission, Fault> {
    let text = std::str::from_utf8(&ask.body)
        .map_err(|error| invalid(format!("the request body is not UTF-8 (byte {})", error.valid_up_to())))?;
    let body: Object<'_> = serde_json::from_str(text).map_err(|error| {
        invalid(format!("the request body is not a JSON object: {error}; send Content-Type: application/json"))
    })?;
    for name in ["model", "messages", "input", "stream"] {
        if body.count(name) > 1 {
            return Err(invalid(format!("`{name}` is given more than once")).with_param(name));
        }
    }
    let model: String =
        field(&body, "model", "a string")?.filter(|model: &String| !model.is_empty()).ok_or_else(|| {
            invalid("you must provide a `model`; GET /v1/models lists what this key may call").with_param("model")
        })?;
    let streaming = field(&body, "stream", "a boolean")?.unwrap_or(false);
    match ask.operation {
        "embeddings" => check_input(&body, items_max)?,
        _ => check_messages(&body, items_max)?,
    }
    if streaming && ask.operation == "embeddings" {
        return Err(invalid("embeddings are not streamed; leave `stream` out").with_param("stream"));
    }
    #[derive(serde::Deserialize)]
    struct StreamOptions {
        include_usage: Option<serde_json::Value>,
    }
    let options: Option<StreamOptions> = field(&body, "stream_options", "an object")?;
    let include_usage = match options.and_then(|options| options.include_usage) {
        None | Some(serde_json::Value::Null) => false,
        Some(serde_json::Value::Bool(asked)) => asked,
        Some(_) => return Err(wrong_type("stream_options.include_usage", "a boolean")),
    };
    let max_tokens: Option<u64> = match field(&body, "max_completion_tokens", "a whole number")? {
        Some(tokens) => Some(tokens),
        None => field(&body, "max_tokens", "a whole number")?,
    };
    let max_tokens = max_tokens.map(|tokens| u32::try_from(tokens).unwrap_or(u32::MAX));
    Ok(Admission { model, streaming, include_usage, max_tokens })
}

fn check_messages(body: &Object<'_>, most: usize) -> Result<(), Fault> {
    let messages: Option<Vec<&serde_json::value::RawValue>> = match body.get("messages") {
        None => None,
        Some(raw) => Some(serde_json::from_str(raw.get()).map_err(|_| wrong_type("messages", "an array"))?),
    };
    match messages.map_or(0, |messages| messages.len()) {
        0 => Err(invalid("`messages` must be an array with at least one message").with_param("messages")),
        count => check_count("messages", count, most),
    }
}

/// A text, texts, tokens, or lists of tokens.
fn check_input(body: &Object<'_>, most: usize) -> Result<(), Fault> {
    let expected = "`input` must be a text that is not empty, or an array of texts, of tokens, or of arrays of tokens";
    let input: Option<serde_json::Value> = body.get("input").and_then(|raw| serde_json::from_str(raw.get()).ok());
    let tokens = |items: &[serde_json::Value]| !items.is_empty() && items.iter().all(serde_json::Value::is_u64);
    let fits = match &input {
        Some(serde_json::Value::String(text)) => !text.is_empty(),
        Some(serde_json::Value::Array(items)) => {
            let texts = items.iter().all(|item| item.as_str().is_some_and(|text| !text.is_empty()));
            let lists = || items.iter().all(|item| item.as_array().is_some_and(|inner| tokens(inner)));
            !items.is_empty() && (texts || tokens(items) || lists())
        }
        _ => false,
    };
    match &input {
        Some(serde_json::Value::Array(items)) if fits && !tokens(items) => check_count("input", items.len(), most),
        _ if fits => Ok(()),
        _ => Err(invalid(expected).with_param("input")),
    }
}

fn check_count(name: &str, count: usize, most: usize) -> Result<(), Fault> {
    if count <= most {
        return Ok(());
    }
    let what = format!("`{name}` has {count} items, this gateway takes {most} (exchange.messages_max)");
    Err(invalid(what).with_param(name))
}

/// A top-level field of a known type; `null` is the same as absent.
fn field<T: DeserializeOwned>(body: &Object<'_>, name: &str, expected: &str) -> Result<Option<T>, Fault> {
    match body.get(name) {
        None => Ok(None),
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong_type(name, expected)),
    }
}

fn wrong_type(name: &str, expected: &str) -> Fault {
    invalid(format!("`{name}` must be {expected}")).with_param(name)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::InvalidRequest, message)
}

#[cfg(test)]
mod tests {
    use domain::{ApiKeyId, KeyStatus};

    use super::*;

    fn admitted(body: &str) -> Result<Admission, Fault> {
        let api_key = ApiKey {
            id: ApiKeyId(1),
            name: "app".into(),
            prefix: "sk-1234".into(),
            status: KeyStatus::Active,
            group: "default".into(),
            models: None,
            created_ms: 0,
        };
        let ask = Ask {
            request: RequestId("r".into()),
            api_key: Arc::new(api_key),
            operation: "chat",
            body: Bytes::copy_from_slice(body.as_bytes()),
            headers: vec![],
            arrived: Instant::now(),
            arrived_ms: 0,
            async_ok: false,
        };
        admit(&ask, 3)
    }

    #[test]
    fn what_the_host_needs_is_read() {
        let body =
            r#"{"model":"m","messages":[{}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":5}"#;
        let admission = admitted(body).unwrap();
        assert_eq!((admission.model.as_str(), admission.streaming, admission.include_usage), ("m", true, true));
        assert_eq!(admission.max_tokens, Some(5));
        let odd = r#"{"model":"m","messages":[{}],"stream_options":{"include_usage":null},"max_tokens":5000000000}"#;
        let admission = admitted(odd).unwrap();
        assert_eq!((admission.include_usage, admission.max_tokens), (false, Some(u32::MAX)));
    }

    #[test]
    fn refusals_name_the_field() {
        for (body, param) in [
            ("", None),
            ("[]", None),
            ("{", None),
            (r#"{"messages":[{}]}"#, Some("model")),
            (r#"{"model":"","messages":[{}]}"#, Some("model")),
            (r#"{"model":7,"messages":[{}]}"#, Some("model")),
            (r#"{"model":"m"}"#, Some("messages")),
            (r#"{"model":"m","messages":"hi"}"#, Some("messages")),
            (r#"{"model":"m","messages":[]}"#, Some("messages")),
            (r#"{"model":"m","messages":[{},{},{},{}]}"#, Some("messages")),
            (r#"{"model":"m","messages":[{}],"stream":"yes"}"#, Some("stream")),
            (r#"{"model":"m","messages":[{}],"model":"other"}"#, Some("model")),
            (r#"{"model":"m","messages":[{}],"max_tokens":-1}"#, Some("max_tokens")),
            (
                r#"{"model":"m","messages":[{}],"stream_options":{"include_usage":"yes"}}"#,
                Some("stream_options.include_usage"),
            ),
        ] {
            let fault = admitted(body).unwrap_err();
            assert_eq!((fault.code, fault.param.as_deref()), (FaultCode::InvalidRequest, param), "{body}");
        }
    }
}
