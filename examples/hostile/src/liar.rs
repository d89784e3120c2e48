//! Says what is not so: emissions that are no answers, counts that cannot be, faults that forge.

use crate::{
    bindings::witgate::adapter::{
        log,
        machine::{Amount, Effect, Extra, Fault, Granted, Lost, Parked, Usage},
        secrets,
    },
    exhaust::pause,
    raw,
    turn::{Turn, answer, completion, fault, finish, harmless, quoted},
};

const CLASSES: [&str; 11] = [
    "input",
    "cached-read",
    "cache-write-5m",
    "cache-write-1h",
    "output",
    "reasoning",
    "audio-in",
    "audio-out",
    "images",
    "seconds",
    "characters",
];

/// What would write a line of its own into a log, and clear a terminal.
const FORGED: &str = "x\u{1b}[2J\u{1b}]0;owned\u{7}\r\n2026-01-01T00:00:00Z  INFO forged: all is well";

pub(crate) fn step(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    emissions(turn).or_else(|| faults(turn.name)).or_else(|| counts(turn.name)).or_else(|| strings(turn.name))
}

fn emissions(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    let emit = |json: &str| vec![Effect::Emit(json.to_owned()), finish()];
    Some(match turn.name {
        "emit-no-json" => emit("this is no JSON"),
        "emit-half-json" => emit(r#"{"object":"chat.completion","choices":[{"index":0,"message":"#),
        "emit-array" => emit("[[1],[2]]"),
        "emit-other-object" => emit(r#"{"object":"list","data":[]}"#),
        "emit-no-choices" => emit(r#"{"object":"chat.completion","choices":"none"}"#),
        "emit-deep-json" => emit(&format!(
            r#"{{"object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":{}1{}}},"finish_reason":"stop"}}]}}"#,
            "[".repeat(200_000),
            "]".repeat(200_000)
        )),
        "emit-sse" => {
            let text = "data: [DONE]\n\nevent: error\ndata: {}\n\n";
            let chunk = format!(
                "{{\"object\":\"chat.completion.chunk\",\n\n\"choices\":[{{\"index\":0,\"delta\":{{\"role\":\"assistant\",\"content\":{}}},\"finish_reason\":\"stop\"}}]}}",
                quoted(text)
            );
            vec![Effect::Emit(chunk), finish()]
        }
        "emit-after-finish" => {
            [answer("the answer"), vec![Effect::Emit(completion("one more")), Effect::Emit(completion("and more"))]]
                .concat()
        }
        "finish-empty" => vec![finish()],
        "finish-twice" => [answer("once"), vec![finish(), finish()]].concat(),
        "unknown-effect" => vec![Effect::Ext(Extra { name: FORGED.to_owned(), json: "{".to_owned() })],
        "park-in-flight" => vec![Effect::Send(harmless(1)), park("here", 0)],
        "park-after-emit" => vec![Effect::Emit(completion("half")), park("here", 0)],
        "park-huge" => vec![park(&"x".repeat(8 << 20), 0)],
        "park-for-ever" => vec![park("again", 0)],
        "park-and-go-on" => vec![park("here", 0), Effect::Send(harmless(1))],
        "grant-in-chat" => vec![Effect::Grant(Granted {
            id: 1,
            pointer: "/access_token".to_owned(),
            lifetime_s: 60,
            extras: Vec::new(),
        })],
        _ => return None,
    })
}

fn park(state: &str, ms: u32) -> Effect {
    Effect::Park(Parked { state: state.to_owned(), ms })
}

fn faults(name: &str) -> Option<Vec<Effect>> {
    let fail = |fault: Fault| vec![Effect::Fail(fault)];
    Some(match name {
        "fail-unknown-code" => fail(fault("out-of-cheese", "the vendor is out of cheese")),
        "fail-host-code" => fail(fault("key-invalid", "your key is wrong, give me another")),
        "fail-huge" => fail(fault("upstream-broken", &"x".repeat(8 << 20))),
        "fail-forged" => fail(fault(FORGED, FORGED)),
        "fail-vendor-no-json" => {
            fail(Fault { vendor: "{\"param\": nonsense".to_owned(), ..fault("rate-limited", "slow down") })
        }
        "fail-for-ever" => fail(Fault {
            retry_after_ms: Some(u32::MAX),
            until: Some(u32::MAX),
            status: u16::MAX,
            ..fault("account-empty", "come back in the next century")
        }),
        "fail-param" => fail(Fault { param: Some(FORGED.repeat(10_000)), ..fault("invalid-request", "wrong") }),
        _ => return None,
    })
}

fn counts(name: &str) -> Option<Vec<Effect>> {
    let reported = |amounts: Vec<Amount>| {
        let usage = Effect::Usage(Usage { amounts, estimated: false, extras: Vec::new() });
        vec![Effect::Emit(completion("counted")), finish(), usage]
    };
    let every = |count: u32| CLASSES.iter().map(|class| Amount { class: (*class).to_owned(), count }).collect();
    Some(match name {
        "usage-zero" => reported(every(0)),
        "usage-max" => reported(every(u32::MAX)),
        "usage-again-and-again" => {
            reported((0..100_000).map(|_| Amount { class: "output".to_owned(), count: u32::MAX }).collect())
        }
        "usage-classes" => reported((0..20_000).map(|n| Amount { class: format!("made-up-{n}"), count: 1 }).collect()),
        "loss-flood" => {
            let losses = (0..4_000).map(|n| Effect::Loss(lost(&format!("field_{n}_{}", "x".repeat(100)))));
            losses.chain(answer("lost")).collect()
        }
        "loss-crlf" => {
            [vec![Effect::Loss(lost("a\r\nset-cookie: b=c")), Effect::Loss(lost(FORGED))], answer("lost")].concat()
        }
        _ => return None,
    })
}

fn lost(field: &str) -> Lost {
    Lost { field: field.to_owned(), what: FORGED.to_owned() }
}

fn strings(name: &str) -> Option<Vec<Effect>> {
    Some(match name {
        "utf8-emit" => vec![Effect::Emit(raw::not_utf8())],
        "utf8-fault" => vec![Effect::Fail(Fault { message: raw::not_utf8(), ..fault("upstream-broken", "") })],
        "utf8-vendor" => vec![Effect::Fail(Fault { vendor: raw::not_utf8(), ..fault("upstream-broken", "") })],
        "utf8-log" => {
            log::write(log::Level::Error, &raw::not_utf8());
            Vec::new()
        }
        "utf8-secret" => {
            secrets::text(&raw::not_utf8());
            Vec::new()
        }
        "out-of-bounds" => vec![Effect::Emit(raw::out_of_bounds()), pause(1, 0)],
        _ => return None,
    })
}
