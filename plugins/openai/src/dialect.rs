//! How a provider's dialect differs from OpenAI's: the `dialect` block of its catalog file, with what the channel's settings override.

use serde_json::{Map, Value};
use witgate_sdk::{Call, Fault};

/// What to do with messages of the role `developer`, which older servers refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeveloperRole {
    /// Leave them.
    Keep,
    /// Send them as `system`.
    System,
}

/// Which name the limit of the answer goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitName {
    /// As the client wrote it.
    Keep,
    /// `max_tokens`, also for clients that wrote `max_completion_tokens`.
    MaxTokens,
}

/// The `dialect` block. Everything has a default; an empty block is OpenAI's own dialect without relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect<'a> {
    /// Chunks are canonical as they come, so the host may pass them through.
    pub(crate) relay: bool,
    /// `stream_options.include_usage` may be sent.
    pub(crate) stream_usage: bool,
    pub(crate) developer: DeveloperRole,
    pub(crate) max_tokens: LimitName,
    /// Fields that the vendor refuses; taken out and reported as lost.
    pub(crate) drop: &'a [&'a str],
    /// Header name and the setting that fills it.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// Fields that go out under another name.
    pub(crate) rename: &'a [(&'a str, &'a str)],
    /// Put in front of every path when the base URL has no version segment.
    pub(crate) version: Option<&'a str>,
    /// Of chat completions.
    pub(crate) path: &'a str,
    pub(crate) embeddings: &'a str,
    pub(crate) models: &'a str,
    /// Where the account's balance is told, if anywhere.
    pub(crate) balance: Option<Balance<'a>>,
}

/// Where a vendor tells the balance, and where in the answer it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Balance<'a> {
    pub(crate) path: &'a str,
    /// A JSON pointer. A `*` in it is the first element of a list whose amount is not zero, or else the first one.
    pub(crate) amount: &'a str,
    /// A currency, or a JSON pointer to one.
    pub(crate) currency: &'a str,
    /// The currency of the vendor's site outside China, when it has two: of every host that does not end in `.cn`.
    pub(crate) abroad: Option<&'a str>,
}

/// Every provider's dialect, made from the catalog files by the build: an exchange must not pay for reading a price list.
const DIALECTS: &[(&str, Dialect<'static>)] = include!(concat!(env!("OUT_DIR"), "/dialects.rs"));

impl Dialect<'static> {
    const PLAIN: Dialect<'static> = Dialect {
        relay: false,
        stream_usage: true,
        developer: DeveloperRole::Keep,
        max_tokens: LimitName::Keep,
        drop: &[],
        headers: &[],
        rename: &[],
        version: None,
        path: "/chat/completions",
        embeddings: "/embeddings",
        models: "/models",
        balance: None,
    };

    /// The dialect of a provider.
    pub(crate) fn of(provider: &str) -> Option<Self> {
        DIALECTS.iter().find(|(id, _)| *id == provider).map(|(_, dialect)| *dialect)
    }

    /// The dialect of the provider that a call is for.
    pub(crate) fn of_call(call: &Call) -> Result<Self, Fault> {
        Dialect::of(&call.provider)
            .ok_or_else(|| Fault::adapter_broken(format!("there is no provider `{}` here", call.provider)))
    }
}

/// The channel's settings. The host has checked them against the schema; the guest checks again what would let a secret out.
pub(crate) struct Settings(Map<String, Value>);

impl Settings {
    /// Reads the settings of a call.
    pub(crate) fn read(settings: Value) -> Result<Self, String> {
        let settings = match settings {
            Value::Object(object) => Settings(object),
            _ => Settings(Map::new()),
        };
        if let Some((name, _)) = settings.extra_headers().find(|(name, _)| is_reserved(name)) {
            return Err(format!(
                "the setting `headers` must not hold `{name}`: keys go into the secret `key`, the rest is the host's"
            ));
        }
        Ok(settings)
    }

    /// A text setting; an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The setting `headers`.
    pub(crate) fn extra_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let object = self.0.get("headers").and_then(Value::as_object);
        object.into_iter().flatten().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// The provider's dialect as this channel wants it.
    pub(crate) fn over<'a>(&'a self, mut dialect: Dialect<'a>) -> Dialect<'a> {
        if let Some(path) = self.text("path") {
            (dialect.path, dialect.version) = (path, None);
        }
        if let Some(ask) = self.0.get("stream_usage").and_then(Value::as_bool) {
            dialect.stream_usage = ask;
        }
        match self.text("developer_role") {
            Some("keep") => dialect.developer = DeveloperRole::Keep,
            Some("system") => dialect.developer = DeveloperRole::System,
            _ => {}
        }
        dialect
    }
}

/// Headers that carry a credential or that the host writes. The schema of the setting says the same.
fn is_reserved(name: &str) -> bool {
    const PARTS: &[&str] = &["auth", "key", "token", "secret", "cookie", "password"];
    const HOST: &[&str] = &["host", "connection", "transfer-encoding", "accept-encoding"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part)) || HOST.contains(&name.as_str()) || name.starts_with("content-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_says_what_the_files_say() {
        assert_eq!(DIALECTS.len(), crate::catalog::FILES.len());
        for (id, file) in crate::catalog::FILES {
            let whole: Value = serde_json::from_str(file).unwrap();
            let (block, dialect) = (&whole["dialect"], Dialect::of(id).unwrap_or_else(|| panic!("{id} is missing")));
            let texts = |name: &str| -> Vec<&str> {
                block[name].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
            };
            assert_eq!(dialect.relay, block["relay"] == true, "{id}");
            assert_eq!(dialect.stream_usage, block["stream_usage"] != false, "{id}");
            assert_eq!(dialect.developer == DeveloperRole::System, block["developer"] == "system", "{id}");
            assert_eq!(dialect.max_tokens == LimitName::MaxTokens, block["max_tokens"] == "max_tokens", "{id}");
            assert_eq!(dialect.drop, texts("drop"), "{id}");
            assert_eq!(dialect.version, block["version"].as_str(), "{id}");
            assert_eq!(dialect.headers.len(), block["headers"].as_object().map_or(0, Map::len), "{id}");
            assert!(dialect.headers.iter().all(|(name, setting)| block["headers"][name] == *setting), "{id}");
            assert_eq!(dialect.path, block["path"].as_str().unwrap_or("/chat/completions"), "{id}");
            assert_eq!(dialect.embeddings, block["embeddings"].as_str().unwrap_or("/embeddings"), "{id}");
            assert_eq!(dialect.rename.len(), block["rename"].as_object().map_or(0, Map::len), "{id}");
            assert_eq!(dialect.balance.map(|balance| balance.path), block["balance"]["path"].as_str(), "{id}");
        }
        assert!(Dialect::of("nobody").is_none());
    }

    #[test]
    fn settings_override_the_dialect() {
        let settings =
            json!({"path":"/api/chat","stream_usage":false,"developer_role":"keep","headers":{"x-team":"a"}});
        let settings = Settings::read(settings).unwrap();
        let dialect = settings.over(Dialect::of("compatible").unwrap());
        assert_eq!((dialect.path, dialect.version, dialect.stream_usage), ("/api/chat", None, false));
        assert_eq!(dialect.developer, DeveloperRole::Keep);
        assert_eq!(settings.extra_headers().collect::<Vec<_>>(), [("x-team", "a")]);
    }

    #[test]
    fn a_credential_in_the_headers_is_refused() {
        for name in ["authorization", "X-API-Key", "x-auth-token", "Cookie", "host", "content-length"] {
            assert!(Settings::read(json!({"headers": {name: "x"}})).is_err(), "{name} must be refused");
        }
    }
}
