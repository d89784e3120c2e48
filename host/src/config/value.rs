//! What a key may hold: the kinds, how each reads its text (the same text in a file, a variable and a flag) and what the program gets.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::{Origin, Secret};

/// What a key may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An IP address and a port.
    Address,
    /// A path, relative to the working directory.
    Path,
    /// A database URL; shown without its password.
    DatabaseUrl,
    /// A secret; never shown.
    Secret,
    /// A log level, or `part=level` pairs, separated by commas.
    LogFilter,
    /// Origins (`https://host:port`), separated by commas.
    Origins,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in a range.
    Count(u64, u64),
    /// Bytes, in a range.
    Bytes(u64, u64),
    /// Milliseconds, in a range.
    Millis(u64, u64),
    /// Seconds, in a range.
    Seconds(u64, u64),
}

/// A text that its kind accepted.
#[derive(Clone)]
pub(crate) enum Value {
    Address(SocketAddr),
    Text(String),
    Origins(Vec<Origin>),
    Number(u64),
    Time(Duration),
}

impl Kind {
    /// Reads a text. The error says what is expected and does not repeat a secret.
    pub(crate) fn read(self, text: &str) -> Result<Value, String> {
        match self {
            Kind::Address => read_address(text),
            Kind::Path | Kind::DatabaseUrl | Kind::Secret => Ok(Value::Text(text.trim().to_owned())),
            Kind::LogFilter => read_log_filter(text),
            Kind::Origins => read_origins(text),
            Kind::Choice(words) if words.contains(&text) => Ok(Value::Text(text.to_owned())),
            Kind::Choice(words) => Err(format!("`{text}` is not one of {}", words.join(", "))),
            Kind::Count(min, max) => read_number(text, min, max, "a whole number").map(Value::Number),
            Kind::Bytes(min, max) => read_number(text, min, max, "a number of bytes").map(Value::Number),
            Kind::Millis(min, max) => {
                read_number(text, min, max, "milliseconds").map(Duration::from_millis).map(Value::Time)
            }
            Kind::Seconds(min, max) => read_number(text, min, max, "seconds").map(Duration::from_secs).map(Value::Time),
        }
    }

    /// Whether a TOML file writes it as a number.
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Kind::Count(..) | Kind::Bytes(..) | Kind::Millis(..) | Kind::Seconds(..))
    }

    /// The text as it may be shown to people.
    pub(crate) fn shown(self, text: &str) -> String {
        match self {
            Kind::Secret if text.is_empty() => String::new(),
            Kind::Secret => "(set)".to_owned(),
            Kind::DatabaseUrl => without_password(text),
            _ => text.to_owned(),
        }
    }

    /// For the reference: the range or the words.
    pub(crate) fn describe(self) -> String {
        match self {
            Kind::Address => "address:port".to_owned(),
            Kind::Path => "path".to_owned(),
            Kind::DatabaseUrl => "URL".to_owned(),
            Kind::Secret => "secret".to_owned(),
            Kind::LogFilter => "log filter".to_owned(),
            Kind::Origins => "origins".to_owned(),
            Kind::Choice(words) => words.join(", "),
            Kind::Count(min, max) => format!("{min} to {max}"),
            Kind::Bytes(min, max) => format!("bytes, {min} to {max}"),
            Kind::Millis(min, max) => format!("ms, {min} to {max}"),
            Kind::Seconds(min, max) => format!("s, {min} to {max}"),
        }
    }
}

fn read_address(text: &str) -> Result<Value, String> {
    let text = text.trim();
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map(Value::Address).map_err(|_| {
        format!("`{text}` is not an IP address and a port; write 127.0.0.1:3000, 0.0.0.0:3000 or [::]:3000")
    })
}

fn read_log_filter(text: &str) -> Result<Value, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let level = |part: &str| part.rsplit_once('=').map_or(part, |(_, level)| level).trim().to_ascii_lowercase();
    match text.split(',').find(|part| !LEVELS.contains(&level(part).as_str())) {
        None => Ok(Value::Text(text.to_owned())),
        Some(part) => Err(format!("`{part}` is not one of {} or part=level", LEVELS.join(", "))),
    }
}

fn read_origins(text: &str) -> Result<Value, String> {
    let origin = |written: &str| {
        let (_, place) = written.split_once("://")?;
        let alone = !place.strip_suffix('/').unwrap_or(place).contains(['/', '?', '#', '@']);
        Origin::parse(written).filter(|_| alone)
    };
    let error = |written: &str| {
        // What stands before an `@` may be a password.
        let shown = written.rsplit('@').next().unwrap_or_default();
        format!("`{shown}` is not scheme, host and port alone; write it like http://files.internal:8080")
    };
    let written = text.split(',').map(str::trim).filter(|written| !written.is_empty());
    written.map(|written| origin(written).ok_or_else(|| error(written))).collect::<Result<_, _>>().map(Value::Origins)
}

fn read_number(text: &str, min: u64, max: u64, what: &str) -> Result<u64, String> {
    match text.trim().parse::<u64>() {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ => Err(format!("`{text}` is not {what} from {min} to {max}")),
    }
}

/// A URL as people may see it: the user stays, the password goes.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let Some((login, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    match login.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
        None => text.to_owned(),
    }
}

/// What a field of the configuration is made from.
pub(crate) trait FromValue {
    /// The field's value. The table pairs each type with its kind, which every test that loads a configuration checks; the
    /// fallback is there because a type system that does not know the table asks for one.
    fn from_value(value: Option<Value>) -> Self;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $made:expr, $fallback:expr;)*) => {
        $(impl FromValue for $type {
            fn from_value(value: Option<Value>) -> Self {
                match value {
                    Some($pattern) => $made,
                    _ => {
                        debug_assert!(false, concat!("the table gives ", stringify!($type), " the wrong kind or a bad default"));
                        $fallback
                    }
                }
            }
        })*
    };
}

from_value! {
    SocketAddr: Value::Address(address) => address, SocketAddr::from(([127, 0, 0, 1], 0));
    String: Value::Text(text) => text, String::new();
    Vec<Origin>: Value::Origins(origins) => origins, Vec::new();
    PathBuf: Value::Text(text) => text.into(), PathBuf::new();
    u64: Value::Number(number) => number, 0;
    Duration: Value::Time(time) => time, Duration::ZERO;
    Option<Secret>: Value::Text(text) => (!text.is_empty()).then(|| Secret::new(&text)), None;
    Option<PathBuf>: Value::Text(text) => (!text.is_empty()).then(|| text.into()), None;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_is_expected() {
        let address = Kind::Address.read("3000").err().unwrap();
        assert!(address.contains("0.0.0.0:3000"), "{address}");
        assert!(Kind::Address.read("localhost:3000").is_ok());
        let number = Kind::Millis(1, 10).read("11").err().unwrap();
        assert_eq!(number, "`11` is not milliseconds from 1 to 10");
        assert!(Kind::Choice(&["text", "json"]).read("xml").err().unwrap().contains("text, json"));
    }

    #[test]
    fn origins_are_nothing_but_origins() {
        let read = |text: &str| match Kind::Origins.read(text) {
            Ok(Value::Origins(origins)) => Ok(origins.iter().map(Origin::to_string).collect::<Vec<_>>()),
            Ok(_) => panic!("another kind of value"),
            Err(error) => Err(error),
        };
        assert_eq!(read(" "), Ok(vec![]));
        let two = read("http://10.0.0.7:8080, https://NAS.local/").unwrap();
        assert_eq!(two, ["http://10.0.0.7:8080", "https://nas.local:443"]);
        for bad in ["nas", "nas:80", "ftp://nas", "http://nas/files", "http://nas?x", "http://", "http://a,b"] {
            assert!(read(bad).is_err_and(|error| error.contains("http://files.internal:8080")), "{bad}");
        }
        let error = read("http://me:hunter2@nas").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn passwords_and_secrets_are_not_shown() {
        assert_eq!(Kind::DatabaseUrl.shown("mysql://me:p@ss:x@db/w"), "mysql://me:***@db/w");
        assert_eq!(Kind::DatabaseUrl.shown("sqlite://data/witgate.db"), "sqlite://data/witgate.db");
        assert_eq!(Kind::Secret.shown("hunter2"), "(set)");
    }
}
