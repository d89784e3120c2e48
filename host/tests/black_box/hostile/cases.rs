//! What comes of every guest of `examples/hostile/README.md`.

use self::Is::{Ends, Fails, Refused, Says, Unoffered};
use crate::expect::{self, Expected};

/// What comes of a guest.
#[derive(Clone, Copy, Debug)]
pub(super) enum Is {
    /// Its file is refused, with a reason in which one of these (between bars) stands.
    Refused(&'static str),
    /// It loads, but nobody can call it.
    Unoffered,
    /// The caller gets this error; in the log one of these (between bars) stands beside the request's id. Empty: nothing has to.
    Fails(Expected, &'static str),
    /// The answer is in order and has this text.
    Says(&'static str),
    /// Any orderly end: an answer, or an error of a documented code.
    Ends,
}

/// Guests that need a component of their own to misbehave: all that misbehave in their catalog, all that do so in a grant (which is not
/// told the model), and what would have its channel switched off.
pub(super) fn needs_its_own(name: &str, is: Is) -> bool {
    let by_name = [
        "harmless",
        "variable-of-another",
        "endpoint-metadata",
        "fail-for-ever",
        "token-in-header",
        "operation-unknown",
    ];
    matches!(is, Refused(_) | Unoffered)
        || name.starts_with("grant-")
        || name.starts_with("loop-grant-")
        || by_name.contains(&name)
}

/// Guests that take as long as a limit allows: run side by side, and once.
pub(super) const SLOW: [&str; 7] =
    ["sleep", "drip-cpu", "timers-zero", "finish-never", "output-drip", "park-for-ever", "requests-many"];

const BROKEN: Expected = expect::ADAPTER_BROKEN;
const REFUSED: Expected = expect::EGRESS_REFUSED;
const UNKNOWN: Expected = expect::UNSUPPORTED;
/// On a busy machine the clock may be first.
const CPU_OR_CLOCK: &str = "CPU time|took longer than";
const CPU: &str = CPU_OR_CLOCK;
const PATH: &str = "path that is not allowed";
const UNDECLARED: &str = "its catalog does not declare";
const UTF8: &str = "utf-8|UTF-8";

pub(super) const CASES: &[(&str, Is)] = &[
    // Time.
    ("loop-catalog", Refused(CPU_OR_CLOCK)),
    ("loop-constructor", Fails(BROKEN, CPU)),
    ("loop-step", Fails(BROKEN, CPU)),
    ("loop-grant-constructor", Fails(BROKEN, CPU)),
    ("loop-grant-step", Fails(BROKEN, CPU)),
    ("sleep-catalog", Refused("took longer than")),
    ("sleep", Fails(BROKEN, "took longer than")),
    ("drip-cpu", Fails(BROKEN, "exchange_wall_s")),
    ("timers-zero", Ends),
    ("timers-10000", Fails(BROKEN, "timers")),
    ("finish-never", Fails(expect::TIMEOUT, "")),
    ("nothing-outstanding", Fails(BROKEN, "outstanding")),
    ("hash-endless", Fails(BROKEN, "hashed or encoded more than|CPU time")),
    // Memory, stack and floods.
    ("memory-bomb-catalog", Refused("bytes of memory")),
    ("memory-bomb", Fails(BROKEN, "bytes of memory")),
    ("recursion", Fails(BROKEN, "call stack exhausted|out of bounds memory access")),
    ("trap", Fails(BROKEN, "unreachable")),
    ("exit", Fails(BROKEN, "exit")),
    ("panic-catalog", Refused("the catalog panicked, as it was told")),
    ("panic-catalog-escapes", Refused("all is well")),
    ("panic-constructor", Fails(BROKEN, "unreachable")),
    ("panic-step", Fails(BROKEN, "unreachable")),
    ("stderr-flood", Fails(BROKEN, CPU)),
    ("stdout-flood", Fails(BROKEN, CPU)),
    ("log-flood", Fails(BROKEN, CPU)),
    ("effects-million", Fails(BROKEN, "bytes of memory|CPU time")),
    ("effects-5000", Fails(BROKEN, "5000 effects")),
    ("output-long", Fails(BROKEN, "too much data|bytes of memory|CPU time")),
    ("output-1-gb", Fails(BROKEN, "too much data|CPU time")),
    ("output-drip", Fails(BROKEN, "answer_max_bytes")),
    ("header-million", Ends),
    ("values-many", Fails(BROKEN, "values")),
    ("out-of-bounds", Fails(BROKEN, "out of bounds")),
    // Requests to somebody else.
    ("host-absolute-url", Fails(BROKEN, PATH)),
    ("host-double-slash", Fails(BROKEN, PATH)),
    ("host-at-sign", Fails(BROKEN, PATH)),
    ("host-suffix", Fails(BROKEN, PATH)),
    ("host-port", Fails(BROKEN, PATH)),
    ("host-no-slash", Fails(BROKEN, PATH)),
    ("host-crlf", Fails(BROKEN, PATH)),
    ("host-encoded-crlf", Says("/v1/x%0d%0ahost:%20evil.test")),
    ("host-encoded-slashes", Fails(BROKEN, PATH)),
    ("host-dot-segments", Fails(BROKEN, PATH)),
    ("host-encoded-dots", Fails(BROKEN, PATH)),
    ("host-unicode-dots", Fails(BROKEN, PATH)),
    ("host-backslash", Fails(BROKEN, PATH)),
    ("host-tab", Fails(BROKEN, PATH)),
    ("host-query", Fails(BROKEN, PATH)),
    ("host-fragment", Fails(BROKEN, PATH)),
    ("host-long-path", Ends),
    ("host-endpoint", Fails(BROKEN, "endpoint")),
    ("endpoint-unknown", Fails(BROKEN, "endpoint `moon`")),
    ("endpoint-metadata", Says("refused-by-host")),
    ("endpoint-file", Refused("http or https")),
    ("fetch-loopback", Fails(BROKEN, "did not give")),
    ("fetch-metadata", Fails(BROKEN, "did not give")),
    ("fetch-file", Fails(BROKEN, "did not give")),
    // Requests that look like others.
    ("header-host", Fails(BROKEN, "header `host`")),
    ("header-content-length", Fails(BROKEN, "header `content-length`")),
    ("header-transfer-encoding", Fails(BROKEN, "header `transfer-encoding`")),
    ("header-connection", Fails(BROKEN, "header `connection`")),
    ("header-proxy", Fails(BROKEN, "header `proxy-authorization`")),
    ("header-name-crlf", Fails(BROKEN, "not a header name")),
    ("header-value-crlf", Fails(BROKEN, "line break or control character")),
    ("header-value-nul", Fails(BROKEN, "line break or control character")),
    ("header-pseudo", Fails(BROKEN, "not a header name")),
    ("method-crlf", Fails(BROKEN, "method")),
    ("method-connect", Fails(BROKEN, "method")),
    ("query-crlf", Says("a%26b%3Dc%23%0D%0Ahost%3A%20evil.test=d%26e%3Df%0D%0A%0D%0AGET%20%2Fsteal%20HTTP%2F1.1")),
    ("form-part-crlf", Fails(BROKEN, "control character")),
    ("form-filename-crlf", Fails(BROKEN, "control character")),
    ("form-type-crlf", Fails(BROKEN, "control character")),
    // Secrets.
    ("secret-not-given", Fails(REFUSED, "no secret `admin`")),
    ("secret-in-header", Fails(BROKEN, UNDECLARED)),
    ("secret-in-query", Fails(BROKEN, UNDECLARED)),
    ("secret-in-form", Fails(BROKEN, UNDECLARED)),
    ("secret-in-part", Fails(BROKEN, UNDECLARED)),
    ("secret-as-basic", Fails(BROKEN, UNDECLARED)),
    ("secret-elsewhere", Fails(BROKEN, UNDECLARED)),
    ("secret-errors", Says("Err(")),
    ("opaque-in-header", Fails(BROKEN, UNDECLARED)),
    ("opaque-in-query", Fails(BROKEN, UNDECLARED)),
    ("opaque-in-form", Fails(BROKEN, UNDECLARED)),
    ("opaque-in-body", Says("stolen")),
    ("opaque-in-path", Says("path")),
    ("opaque-in-text", Says("stolen=")),
    ("opaque-in-log", Says("logged")),
    ("opaque-in-fault", Fails(expect::BROKEN, "")),
    ("opaque-in-emit", Says("")),
    ("opaque-guessed", Fails(BROKEN, "no opaque value")),
    ("token-not-given", Fails(BROKEN, "`nobody`")),
    ("token-in-header", Fails(BROKEN, UNDECLARED)),
    ("echo-secret", Says("[secret]")),
    ("echo-opaque", Says("[secret]")),
    ("scans-memory", Says("needle 0 times, control true")),
    ("grant-recursion", Fails(BROKEN, "grant")),
    ("grant-emits", Fails(BROKEN, "grant")),
    ("grant-nosy", Fails(expect::BROKEN, "")),
    ("grant-fetches", Fails(BROKEN, "grant")),
    ("grant-no-text", Fails(BROKEN, "/nowhere")),
    ("grant-leaks", Fails(expect::BROKEN, "")),
    ("grant-in-chat", Fails(BROKEN, "grant|answer to request")),
    ("harmless", Says("harmless")),
    ("variable-of-the-host", Unoffered),
    ("variable-of-another", Unoffered),
    ("placement-host-header", Refused("belongs to the host")),
    ("placement-body", Refused("`body`")),
    // Looking around.
    ("keeps-state", Says("exchange 1")),
    ("reads-environment", Says("[]")),
    ("reads-arguments", Says("[]")),
    ("reads-files", Says("read false, listed false, written false, own false")),
    ("reads-clock", Says("fraction 0, elapsed 0")),
    ("reads-chance", Says("")),
    ("opens-sockets", Says("tcp false, udp false, names false")),
    ("reads-call", Says("Call {")),
    // Saying what is not so.
    ("emit-no-json", Fails(BROKEN, "JSON")),
    ("emit-half-json", Fails(BROKEN, "JSON")),
    ("emit-array", Fails(BROKEN, "JSON")),
    ("emit-other-object", Fails(BROKEN, "JSON|answer")),
    ("emit-no-choices", Ends),
    ("emit-deep-json", Fails(BROKEN, "nested")),
    ("emit-sse", Says("data: [DONE]")),
    ("emit-after-finish", Fails(BROKEN, "after `finish`")),
    ("finish-empty", Fails(BROKEN, "without an answer")),
    ("finish-twice", Says("once")),
    ("send-after-finish", Ends),
    ("send-and-leave", Says("")),
    ("same-id-twice", Fails(BROKEN, "second request 1")),
    ("requests-in-flight", Fails(BROKEN, "in flight")),
    ("requests-many", Fails(BROKEN, "exchange.requests")),
    ("relay-unknown", Says("relayed nothing")),
    ("cancel-unknown", Says("cancelled nothing")),
    ("ws-unknown", Fails(BROKEN, "WebSocket 7")),
    ("unknown-effect", Fails(UNKNOWN, "")),
    ("unknown-framing", Fails(UNKNOWN, "")),
    ("unknown-body", Fails(UNKNOWN, "")),
    ("unknown-held", Fails(UNKNOWN, "")),
    ("unknown-form", Fails(UNKNOWN, "")),
    ("unknown-piece", Fails(UNKNOWN, "")),
    ("park-in-flight", Fails(BROKEN, "park")),
    ("park-after-emit", Fails(BROKEN, "park")),
    ("park-and-go-on", Fails(BROKEN, "park")),
    ("park-huge", Fails(BROKEN, "park")),
    ("park-for-ever", Fails(expect::TIMEOUT, "")),
    ("fail-unknown-code", Fails(BROKEN, "out-of-cheese")),
    ("fail-host-code", Fails(BROKEN, "key-invalid")),
    ("fail-huge", Fails(expect::BROKEN, "")),
    ("fail-forged", Fails(BROKEN, "all is well")),
    ("fail-param", Fails(expect::INVALID, "")),
    ("fail-vendor-no-json", Fails(expect::RATE_LIMITED, "")),
    ("fail-for-ever", Fails(expect::ACCOUNT_EMPTY, "")),
    ("usage-zero", Says("counted")),
    ("usage-max", Says("counted")),
    ("usage-again-and-again", Ends),
    ("usage-classes", Ends),
    ("loss-flood", Says("lost")),
    ("loss-crlf", Says("lost")),
    ("utf8-emit", Fails(BROKEN, UTF8)),
    ("utf8-fault", Fails(BROKEN, UTF8)),
    ("utf8-vendor", Fails(BROKEN, UTF8)),
    ("utf8-log", Fails(BROKEN, UTF8)),
    ("utf8-secret", Fails(BROKEN, UTF8)),
    ("utf8-path", Fails(BROKEN, UTF8)),
    ("utf8-header", Fails(BROKEN, UTF8)),
    // The catalog.
    ("utf8-id", Refused(UTF8)),
    ("utf8-descriptor", Refused(UTF8)),
    ("descriptor-no-json", Refused("not JSON")),
    ("descriptor-deep", Refused("recursion limit")),
    ("descriptor-2-mb", Refused("larger than")),
    ("providers-none", Refused("0 providers")),
    ("providers-1000", Refused("1000 providers")),
    ("providers-twice", Refused("twice")),
    ("id-illegal", Refused("a-z, 0-9 and -")),
    ("id-of-echo", Refused("already offered by echo.wasm")),
    ("models-50000", Refused("models")),
    ("operation-unknown", Says("harmless")),
    ("settings-ref-loop", Refused("$ref")),
    ("settings-ref-bomb", Refused("$ref")),
    ("settings-ref-remote", Refused("$ref|JSON Schema")),
    ("settings-ref-file", Refused("$ref|JSON Schema")),
    ("settings-regex", Unoffered),
    ("settings-regex-big", Refused("settings")),
    ("settings-secret", Refused("names a secret")),
];
