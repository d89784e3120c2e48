//! The one table of configuration keys. Fields, defaults, variables, `config.default.toml` and the reference all come from it.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use domain::{Origin, Secret};

use super::value::{FromValue, Kind, Value};

/// One key.
pub(crate) struct Key {
    /// `section.field`.
    pub(crate) name: &'static str,
    /// What it may hold.
    pub(crate) kind: Kind,
    /// The text of its default.
    pub(crate) default: &'static str,
    /// Variables beside `WITGATE_SECTION_FIELD` that set it.
    pub(crate) short_env: &'static [&'static str],
    /// What it does, line by line, each with a space before it.
    pub(crate) doc: &'static [&'static str],
    /// What its section is about.
    #[cfg(test)]
    pub(crate) section_doc: &'static str,
}

impl Key {
    /// `WITGATE_SECTION_FIELD`.
    pub(crate) fn env(&self) -> String {
        format!("WITGATE_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// The section and the field.
    pub(crate) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }
}

macro_rules! keys {
    ($(#[doc = $section_doc:literal] $section:ident: $Section:ident {
        $($(#[doc = $doc:literal])+ $field:ident: $type:ty = $kind:expr, $default:literal $(, $short:literal)?;)+
    })+) => {
        $(
            #[doc = $section_doc]
            #[derive(Clone, Debug)]
            pub(crate) struct $Section { $($(#[doc = $doc])+ pub(crate) $field: $type,)+ }
        )+

        /// Every section with its typed values.
        #[derive(Clone, Debug)]
        pub(crate) struct Sections { $(#[doc = $section_doc] pub(crate) $section: $Section,)+ }

        impl Sections {
            /// Fills every field from the value of its key.
            pub(super) fn build(value: impl Fn(&'static str) -> Option<Value>) -> Sections {
                Sections { $($section: $Section { $(
                    $field: FromValue::from_value(value(concat!(stringify!($section), ".", stringify!($field)))),
                )+ },)+ }
            }
        }

        /// Every key, in the order of the reference.
        pub(crate) const KEYS: &[Key] = &[$($(Key {
            name: concat!(stringify!($section), ".", stringify!($field)),
            kind: $kind,
            default: $default,
            short_env: &[$($short)?],
            doc: &[$($doc),+],
            #[cfg(test)]
            section_doc: $section_doc,
        },)+)+];
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const HOUR_MS: u64 = 3_600_000;
const DAY_S: u64 = 86_400;

keys! {
    /// The web server.
    server: Server {
        /// Where to listen. Use `0.0.0.0:3000` to be reachable from other machines, `[::]:3000` for IPv6 as well.
        listen: SocketAddr = Kind::Address, "127.0.0.1:3000", "WITGATE_LISTEN";
        /// How long a stream may be silent before the client gets a comment line that keeps the connection open. 0 turns it off.
        keepalive_ms: Duration = Kind::Millis(0, HOUR_MS), "15000", "WITGATE_KEEPALIVE_MS";
        /// The largest request body. A larger one is answered with 413.
        body_limit_bytes: u64 = Kind::Bytes(KIB, 1024 * MIB), "33554432";
        /// How long a client may take to send a request's headers.
        header_timeout_ms: Duration = Kind::Millis(100, HOUR_MS), "10000";
        /// How long open streams may go on after the server was asked to stop.
        shutdown_grace_s: Duration = Kind::Seconds(0, DAY_S), "30";
        /// How log lines are written.
        log_format: String = Kind::Choice(&["text", "json"]), "text";
        /// The least important lines to log: error, warn, info, debug or trace, also for a part of the program (`info,exchange=debug`).
        /// No level logs prompts, answers or keys.
        log_level: String = Kind::LogFilter, "info";
        /// Lines are appended to `witgate.log` in this directory. Empty is standard error.
        log_dir: Option<PathBuf> = Kind::Path, "";
    }
    /// What is kept.
    data: Data {
        /// The data directory: database, plugins, caches, the generated master key. Only its owner may read it.
        dir: PathBuf = Kind::Path, "data";
        /// The database. Empty is SQLite in the data directory.
        database: String = Kind::DatabaseUrl, "", "WITGATE_DATABASE";
    }
    /// Vendor adapters and their limits.
    plugins: Plugins {
        /// The directory whose `.wasm` files are loaded and watched. Empty is `plugins` in the data directory.
        dir: Option<PathBuf> = Kind::Path, "";
        /// Memory that one instance may use.
        memory_max_bytes: u64 = Kind::Bytes(MIB, 4096 * MIB), "67108864";
        /// CPU time that one step of an adapter may use.
        step_cpu_ms: Duration = Kind::Millis(1, 60_000), "50";
        /// Whether what plugins say goes to the server's log: their own lines, and the stderr of one that fails. It may quote what users said.
        log: String = Kind::Choice(&["off", "on"]), "off";
        /// Time that one step of an adapter may take by the clock.
        step_wall_ms: Duration = Kind::Millis(10, 600_000), "5000";
        /// Time that one exchange may spend inside its adapter by the clock, all steps together.
        exchange_wall_s: Duration = Kind::Seconds(1, 3_600), "10";
        /// Instances that may exist at once; one exchange uses one.
        instances: u64 = Kind::Count(1, 100_000), "4000";
        /// Time that compiling one plugin may take by the clock.
        compile_wall_s: Duration = Kind::Seconds(1, 3_600), "60";
    }
    /// Connections to vendors.
    upstream: Upstream {
        /// How long connecting may take, TLS included.
        connect_ms: Duration = Kind::Millis(1, HOUR_MS), "10000";
        /// How long the first byte of an answer may take.
        first_byte_ms: Duration = Kind::Millis(1, HOUR_MS), "30000";
        /// How long an answer may be silent once it has begun.
        idle_ms: Duration = Kind::Millis(1, HOUR_MS), "60000";
        /// The largest answer, whole or streamed.
        max_body_bytes: u64 = Kind::Bytes(KIB, 1024 * MIB), "67108864";
        /// The largest single event of a stream.
        max_message_bytes: u64 = Kind::Bytes(KIB, 256 * MIB), "16777216";
    }
    /// The life of one request.
    exchange: Exchange {
        /// How long an exchange may take from the request to the last byte of the answer. 0 is no limit.
        total_s: Duration = Kind::Seconds(0, DAY_S), "600";
        /// How many channels are tried before the client gets an error.
        attempts: u64 = Kind::Count(1, 16), "1";
        /// How long a client may stop reading its stream before it is given up. What it was sent is settled.
        stall_ms: Duration = Kind::Millis(1, HOUR_MS), "60000";
        /// How long an upstream may go on after its answer is complete, for usage that comes last.
        linger_ms: Duration = Kind::Millis(0, HOUR_MS), "1000";
        /// Upstream requests that an adapter may send for one exchange.
        requests: u64 = Kind::Count(1, 10_000), "64";
        /// How many of them may be in flight at once.
        requests_in_flight: u64 = Kind::Count(1, 64), "4";
        /// How long an exchange may take whose adapter parks it, as for an image that takes minutes; it outlives client and server meanwhile.
        parked_total_s: Duration = Kind::Seconds(1, 30 * DAY_S), "86400";
        /// The largest file that is fetched for a client, as an image that a request names by its address.
        media_max_bytes: u64 = Kind::Bytes(KIB, 1024 * MIB), "20971520";
        /// All such files of one request together.
        media_total_bytes: u64 = Kind::Bytes(KIB, 16 * 1024 * MIB), "104857600";
        /// Where such files may come from though the address is private: `http://files.internal:8080`, several separated by commas.
        /// Public addresses need no entry.
        media_origins: Vec<Origin> = Kind::Origins, "";
        /// What an adapter may emit for one answer.
        answer_max_bytes: u64 = Kind::Bytes(KIB, 16 * 1024 * MIB), "67108864";
        /// The largest request body without its long base64. More does not fit into a guest, and is answered with 413.
        text_max_bytes: u64 = Kind::Bytes(KIB, 1024 * MIB), "10485760";
        /// Messages, or inputs to embed, of one request. More is answered with 400: an adapter looks at each.
        messages_max: u64 = Kind::Count(1, 1_000_000), "20000";
        /// Base64 strings in a request that are longer stay with the host; the adapter sees a short token.
        held_over_bytes: u64 = Kind::Bytes(KIB, 1024 * MIB), "65536";
        /// What is reserved for an answer when the client gives no limit, tokens.
        reserve_output_tokens: u64 = Kind::Count(1, 4_000_000_000), "4096";
        /// What one class of usage of one exchange may be, tokens. A vendor that reports more is taken to be wrong.
        usage_max_tokens: u64 = Kind::Count(1, 4_000_000_000), "10000000";
    }
    /// The master key, which seals channel secrets in the database.
    secrets: Secrets {
        /// The master key itself: 64 hexadecimal digits (32 bytes). When neither this nor a file is given, one is made in the data directory.
        /// Whoever has the database and this key has every channel's secret.
        master_key: Option<Secret> = Kind::Secret, "", "WITGATE_MASTER_KEY";
        /// A file that holds the master key.
        master_key_file: Option<PathBuf> = Kind::Path, "";
    }
}
