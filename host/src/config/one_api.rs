//! The variables that One API and the guides about it name, in one table: what each means here. Vendor variables are not in it, catalogs declare them.

use std::net::SocketAddr;

use super::value::{Kind, Value};

/// What a variable means here.
pub(crate) enum Meaning {
    /// It sets a key, through a conversion of its text and the key's text so far.
    Sets(&'static str, fn(&str, &str) -> Converted),
    /// It holds API keys, separated by commas, that are imported at start under names with this stem.
    ApiKeys(&'static str),
    /// Accepted; its feature comes later.
    Later,
    /// Accepted; there is nothing for it to set.
    Nothing,
    /// An error: going on without what it asks for would mislead.
    Refused,
}

/// What a conversion made of a variable's text.
pub(crate) enum Converted {
    /// The key's new text.
    To(String),
    /// Nothing, with the reason.
    Ignored(String),
    /// An error: what is expected.
    Bad(String),
}

/// One variable.
pub(crate) struct Row {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it means here.
    pub(crate) meaning: Meaning,
    /// The line that says so.
    pub(crate) says: &'static str,
}

const fn row(name: &'static str, meaning: Meaning, says: &'static str) -> Row {
    Row { name, meaning, says }
}

/// Every variable, those that set something first.
#[rustfmt::skip] // a table reads best with one variable a line
pub(crate) const ROWS: &[Row] = &[
    row("HOST", Meaning::Sets("server.listen", host), "the address of `server.listen`; its port is kept"),
    row("PORT", Meaning::Sets("server.listen", port), "the port of `server.listen`; its address is kept"),
    row("DEBUG", Meaning::Sets("server.log_level", debug), "true sets `server.log_level` to debug; bodies are never logged"),
    row("SQL_DSN", Meaning::Sets("data.database", sql_dsn), "a SQLite URL sets `data.database`; PostgreSQL and MySQL come later"),
    row("RELAY_TIMEOUT", Meaning::Sets("exchange.total_s", seconds), "seconds a whole request may take, streams included; 0 is no limit"),
    row("API_KEYS", Meaning::ApiKeys("API_KEYS"), "keys that clients may send, separated by commas; imported as API keys at start"),
    row("INITIAL_ROOT_TOKEN", Meaning::ApiKeys("INITIAL_ROOT_TOKEN"), "imported as an API key at start"),
    row("LOCAL_MODELS_DIR", Meaning::Refused, "model files are not loaded here; run them in a model server with a chat completions API and add it as a channel: `witgate channel add --name local --provider ID --base-url http://127.0.0.1:PORT` (`witgate plugin list` shows the provider ids)"),
    row("LOCAL_MODELS_ENABLED", Meaning::Nothing, "a local model server is a channel like any other; see `witgate channel add --base-url`"),
    row("SYNC_FREQUENCY", Meaning::Nothing, "changes reach the running server within a second"),
    row("MEMORY_CACHE_ENABLED", Meaning::Nothing, "channels and keys are always read from memory"),
    row("BATCH_UPDATE_ENABLED", Meaning::Nothing, "writes are always grouped"),
    row("BATCH_UPDATE_INTERVAL", Meaning::Nothing, "writes are grouped by what arrives together, not by time"),
    row("SQLITE_PATH", Meaning::Nothing, "it names One API's own database, which is not touched; `data.database` names ours"),
    row("SQLITE_BUSY_TIMEOUT", Meaning::Nothing, "one writer owns the database; nothing waits for a lock"),
    row("TZ", Meaning::Nothing, "times are kept and logged in UTC"),
    row("GIN_MODE", Meaning::Nothing, "it chose a mode of another web server"),
    row("TIKTOKEN_CACHE_DIR", Meaning::Nothing, "vocabularies are part of the program"),
    row("DATA_GYM_CACHE_DIR", Meaning::Nothing, "vocabularies are part of the program"),
    row("ONLY_ONE_LOG_FILE", Meaning::Nothing, "there is one, in `server.log_dir`"),
    row("ENFORCE_INCLUDE_USAGE", Meaning::Nothing, "usage is always recorded"),
    row("SQL_MAX_IDLE_CONNS", Meaning::Later, "it comes with PostgreSQL and MySQL"),
    row("SQL_MAX_OPEN_CONNS", Meaning::Later, "it comes with PostgreSQL and MySQL"),
    row("SQL_CONN_MAX_LIFETIME", Meaning::Later, "it comes with PostgreSQL and MySQL"),
    row("SQL_MAX_LIFETIME", Meaning::Later, "it comes with PostgreSQL and MySQL"),
    row("LOG_SQL_DSN", Meaning::Later, "usage records share the database for now"),
    row("REDIS_CONN_STRING", Meaning::Later, "it comes with several nodes"),
    row("REDIS_PASSWORD", Meaning::Later, "it comes with several nodes"),
    row("REDIS_MASTER_NAME", Meaning::Later, "it comes with several nodes"),
    row("NODE_TYPE", Meaning::Later, "it comes with several nodes; every node is equal for now"),
    row("FRONTEND_BASE_URL", Meaning::Later, "it comes with the console"),
    row("THEME", Meaning::Later, "it comes with the console"),
    row("SESSION_SECRET", Meaning::Later, "sessions come with the console"),
    row("INITIAL_ROOT_ACCESS_TOKEN", Meaning::Later, "it comes with the management API"),
    row("RATE_LIMIT_ENABLED", Meaning::Later, "rate limits come later; none is applied"),
    row("RATE_LIMIT_REQUESTS", Meaning::Later, "rate limits come later; none is applied"),
    row("GLOBAL_API_RATE_LIMIT", Meaning::Later, "rate limits come later; none is applied"),
    row("GLOBAL_WEB_RATE_LIMIT", Meaning::Later, "rate limits come later; none is applied"),
    row("CHANNEL_UPDATE_FREQUENCY", Meaning::Later, "balances of channels come later"),
    row("CHANNEL_TEST_FREQUENCY", Meaning::Later, "tests of channels come later"),
    row("POLLING_INTERVAL", Meaning::Later, "tests of channels come later"),
    row("ENABLE_METRIC", Meaning::Later, "the health of channels comes with failover"),
    row("METRIC_SUCCESS_RATE_THRESHOLD", Meaning::Later, "the health of channels comes with failover"),
    row("RELAY_PROXY", Meaning::Later, "proxies come later; vendors are called directly"),
    row("USER_CONTENT_REQUEST_PROXY", Meaning::Later, "proxies come later"),
    row("USER_CONTENT_REQUEST_TIMEOUT", Meaning::Later, "fetching media for a request comes later"),
];

/// The first word of a report about a variable.
pub(crate) fn word(meaning: &Meaning) -> &'static str {
    match meaning {
        Meaning::Sets(..) | Meaning::ApiKeys(_) => "used",
        Meaning::Later => "later",
        Meaning::Nothing => "no meaning here",
        Meaning::Refused => "refused",
    }
}

/// The address part of a listen address. Shells set HOST to the machine's name, so a name is no error.
fn host(text: &str, listen: &str) -> Converted {
    let text = if text.eq_ignore_ascii_case("localhost") { "127.0.0.1" } else { text };
    match (text.trim_matches(['[', ']']).parse(), current(listen)) {
        (Ok(address), Some(listen)) => Converted::To(SocketAddr::new(address, listen.port()).to_string()),
        _ => Converted::Ignored(format!("`{text}` is not an IP address")),
    }
}

/// The port part of a listen address; also the flag `--port`.
pub(super) fn port(text: &str, listen: &str) -> Converted {
    match (text.parse(), current(listen)) {
        (Ok(port), Some(listen)) => Converted::To(SocketAddr::new(listen.ip(), port).to_string()),
        _ => Converted::Bad(format!("`{text}` is not a port number")),
    }
}

fn current(listen: &str) -> Option<SocketAddr> {
    match Kind::Address.read(listen) {
        Ok(Value::Address(address)) => Some(address),
        _ => None,
    }
}

/// Other programs use this name too, with texts of their own.
fn debug(text: &str, _: &str) -> Converted {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Converted::To("debug".to_owned()),
        _ => Converted::Ignored("only `true` sets anything".to_owned()),
    }
}

fn sql_dsn(text: &str, _: &str) -> Converted {
    if text.starts_with("sqlite:") {
        Converted::To(text.to_owned())
    } else if text == "local" {
        Converted::To(String::new())
    } else {
        Converted::Ignored("PostgreSQL and MySQL come later; SQLite is used".to_owned())
    }
}

fn seconds(text: &str, _: &str) -> Converted {
    Converted::To(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::KEYS;

    #[test]
    fn each_variable_is_there_once_and_sets_a_key_that_exists() {
        for (index, row) in ROWS.iter().enumerate() {
            assert!(!ROWS[..index].iter().any(|other| other.name == row.name), "{} is there twice", row.name);
            if let Meaning::Sets(key, _) = row.meaning {
                assert!(KEYS.iter().any(|known| known.name == key), "{} sets `{key}`, which is no key", row.name);
            }
        }
    }
}
