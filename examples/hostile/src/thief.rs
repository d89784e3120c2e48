//! Tries to learn the secret of its channel, or to send it where the operator did not allow.

use crate::{
    bindings::witgate::adapter::{
        log,
        machine::{Atom, Basic, Data, Effect, Event, Field, Form, Granted, Media, Part, Payload, Piece, Request},
        secrets,
    },
    turn::{Turn, answer, authorized, completion, fault, field, finish, harmless},
};

pub(crate) fn step(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    if turn.in_grant {
        return grant(turn);
    }
    if !turn.starts() {
        return None;
    }
    if let Some(effects) = spelled(turn) {
        return Some(effects);
    }
    misplaced(turn.name).map(|request| vec![Effect::Send(request)])
}

fn key() -> Piece {
    Piece::Secret("key".to_owned())
}

/// Something computed from the secret, by its number.
fn computed() -> u32 {
    let key = secrets::get("key").unwrap_or(0);
    let parts = [secrets::text("stolen "), key];
    secrets::concat(&parts).unwrap_or(0)
}

fn misplaced(name: &str) -> Option<Request> {
    let header = |name: &str, value: Vec<Piece>| Request {
        headers: vec![Field { name: name.to_owned(), value }],
        ..harmless(1)
    };
    let form = |encoding: &str, value: Piece| Request {
        body: Payload::Form(Form {
            encoding: encoding.to_owned(),
            parts: vec![Part {
                name: "stolen".to_owned(),
                filename: None,
                content_type: None,
                data: Data::Pieces(vec![value]),
                extras: Vec::new(),
            }],
        }),
        ..harmless(1)
    };
    let query =
        |value: Piece| Request { query: vec![Field { name: "stolen".to_owned(), value: vec![value] }], ..harmless(1) };
    let basic = || Basic { user: vec![Atom::Secret("key".to_owned())], password: Vec::new() };
    Some(match name {
        "secret-not-given" => header("authorization", vec![Piece::Secret("admin".to_owned())]),
        "secret-in-header" | "asks-for-more" => header("x-stolen", vec![key()]),
        "secret-in-query" => query(key()),
        "secret-in-form" => form("urlencoded", key()),
        "secret-in-part" => form("multipart", key()),
        "secret-as-basic" => header("x-stolen", vec![Piece::Basic(basic())]),
        "secret-elsewhere" => Request { endpoint: "other".to_owned(), ..authorized(1) },
        "opaque-in-header" => header("x-stolen", vec![Piece::Opaque(computed())]),
        "opaque-in-query" => query(Piece::Opaque(computed())),
        "opaque-in-form" => form("urlencoded", Piece::Opaque(computed())),
        "opaque-guessed" => header("authorization", vec![Piece::Opaque(4_000_000_000)]),
        "token-not-given" => header("authorization", vec![Piece::Token("nobody".to_owned())]),
        "token-in-header" => header("x-stolen", vec![Piece::Token("access".to_owned())]),
        // What the vendor is sent in the approved place comes back in its answer; the default behaviour hands that to the client.
        "echo-secret" => authorized(1),
        "echo-opaque" => {
            let hex = secrets::encode("base64", computed()).unwrap_or(0);
            header("authorization", vec![Piece::Opaque(hex)])
        }
        "grant-recursion" | "grant-emits" | "grant-nosy" | "grant-no-text" | "grant-fetches" | "grant-leaks" => {
            header("authorization", vec![Piece::Text("Bearer ".to_owned()), Piece::Token("access".to_owned())])
        }
        _ => return None,
    })
}

/// An opaque value is a number to its guest: this spells the number out wherever a text can go.
fn spelled(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    let number = || computed().to_string();
    Some(match turn.name {
        "opaque-in-body" => {
            let body = format!("{{\"model\":\"hostile\",\"stolen\":\"{}\"}}", number());
            vec![Effect::Send(Request { body: Payload::Text(body), ..harmless(1) })]
        }
        "opaque-in-path" => vec![Effect::Send(Request { path: format!("/{}", number()), ..harmless(1) })],
        "opaque-in-text" => vec![Effect::Send(Request { query: vec![field("stolen", &number())], ..harmless(1) })],
        "opaque-in-log" => {
            log::write(log::Level::Error, &number());
            eprintln!("{}", number());
            answer("logged")
        }
        "opaque-in-fault" => vec![Effect::Fail(fault("upstream-broken", &format!("stolen: {}", number())))],
        "opaque-in-emit" => answer(&number()),
        "secret-errors" => {
            // Errors of the host's functions must not quote what they were given.
            let key = secrets::get("key").unwrap_or(0);
            let errors = [
                secrets::hmac("md5", key, key),
                secrets::hash("none", key),
                secrets::encode("rot13", key),
                secrets::sign("rs256", key, key),
                secrets::concat(&[key, 4_000_000_000]),
            ];
            answer(&errors.iter().map(|error| format!("{error:?}\n")).collect::<String>())
        }
        _ => return None,
    })
}

fn for_a_token() -> Effect {
    Effect::Send(Request { path: "/token".to_owned(), ..authorized(1) })
}

/// A grant that wants more than its token.
fn grant(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    let ended = turn.events.iter().any(|event| matches!(event, Event::End(_)));
    let granted = |pointer: &str| {
        Effect::Grant(Granted { id: 1, pointer: pointer.to_owned(), lifetime_s: u32::MAX, extras: Vec::new() })
    };
    Some(match turn.name {
        "grant-recursion" => {
            let value = vec![Piece::Text("Bearer ".to_owned()), Piece::Token("access".to_owned())];
            let headers = vec![Field { name: "authorization".to_owned(), value }];
            vec![Effect::Send(Request { headers, ..harmless(1) })]
        }
        "grant-emits" => vec![Effect::Emit(completion("from a grant"))],
        // What it can see of the client: nothing is the right answer.
        "grant-nosy" => vec![Effect::Fail(fault(
            "upstream-broken",
            &format!("body {:?}, headers {:?}, model {:?}", turn.call.body, turn.call.headers, turn.call.model),
        ))],
        "grant-fetches" => vec![Effect::Fetch(Media { id: 1, url: "https://evil.test/".to_owned() })],
        "grant-no-text" if turn.starts() => vec![for_a_token()],
        "grant-no-text" if ended => vec![granted("/nowhere")],
        // Sees the answer with the token in it, and repeats what it saw in a fault.
        "grant-leaks" | "token-in-header" if turn.starts() => vec![for_a_token()],
        "token-in-header" if ended => vec![granted("/access_token"), finish()],
        "grant-leaks" if ended => vec![Effect::Fail(fault("upstream-broken", &turn.seen()))],
        _ => return None,
    })
}
