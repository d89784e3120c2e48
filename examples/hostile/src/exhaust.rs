//! Uses up what a guest shares with others: time, memory, stack, log, the host's patience.

use std::{hint::black_box, time::Duration};

use crate::{
    behavior,
    bindings::witgate::adapter::{
        log,
        machine::{Effect, Field, Pause, Piece},
        secrets,
    },
    raw,
    turn::{Turn, answer, completion, finish, harmless},
};

/// Copies that do not get past their catalog.
pub(crate) fn catalog() {
    match behavior::name().as_str() {
        "loop-catalog" => endless_loop(),
        "panic-catalog" => panic!("the catalog panicked, as it was told"),
        "panic-catalog-escapes" => {
            panic!("\u{1b}]0;owned\u{7}\u{1b}[2J\r\n2026-01-01T00:00:00Z  INFO forged: all is well")
        }
        "memory-bomb-catalog" => allocate(),
        "sleep-catalog" => std::thread::sleep(Duration::from_secs(3600)),
        _ => {}
    }
}

/// Copies that do not get past a constructor.
pub(crate) fn constructor(name: &str, in_grant: bool) {
    match name {
        "loop-constructor" => endless_loop(),
        "loop-grant-constructor" if in_grant => endless_loop(),
        "panic-constructor" => panic!("the constructor panicked, as it was told"),
        _ => {}
    }
}

pub(crate) fn step(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    Some(match turn.name {
        "loop-step" => endless_loop(),
        "loop-grant-constructor" | "loop-grant-step" if !turn.in_grant && turn.starts() => {
            return Some(needing_a_token());
        }
        "loop-grant-step" if turn.in_grant => endless_loop(),
        "drip-cpu" => {
            spin(10_000_000);
            vec![pause(turn.step, 0)]
        }
        "timers-zero" => vec![pause(1, 0)],
        "timers-10000" => (0..10_000).take(4_000).map(|id| pause(id, 3_600_000)).collect(),
        "memory-bomb" => {
            allocate();
            Vec::new()
        }
        "recursion" => answer(&recurse(1).to_string()),
        "trap" => core::arch::wasm32::unreachable(),
        "panic-step" => panic!("the step panicked, as it was told"),
        "exit" => std::process::exit(7),
        "sleep" => {
            std::thread::sleep(Duration::from_secs(3600));
            Vec::new()
        }
        "stderr-flood" => loop {
            eprintln!("{}", "flood ".repeat(1000));
        },
        "stdout-flood" => loop {
            println!("{}", "flood ".repeat(1000));
        },
        "log-flood" => loop {
            log::write(log::Level::Error, &"flood ".repeat(1000));
        },
        "effects-million" => vec![Effect::Cancel(1); 1_000_000],
        "effects-5000" => vec![Effect::Cancel(1); 5_000],
        "output-long" => vec![Effect::Emit("x".repeat(40 << 20))],
        "output-1-gb" => raw::same_text_again_and_again(1 << 20, 1_024),
        "output-drip" => output_drip(turn),
        "values-many" => loop {
            secrets::text("one more");
        },
        "hash-endless" => {
            let data = secrets::text(&"x".repeat(1 << 20));
            loop {
                let _ = secrets::hash("sha512", data);
            }
        }
        "header-million" if turn.starts() => {
            let header = Field { name: "x-long".to_owned(), value: vec![Piece::Text("y".repeat(512 << 10))] };
            let mut request = harmless(1);
            request.headers.push(header);
            vec![Effect::Send(request)]
        }
        "finish-never" => vec![pause(1, u32::MAX)],
        "nothing-outstanding" => Vec::new(),
        _ => return None,
    })
}

/// Streams a megabyte every step, for ever.
fn output_drip(turn: &Turn<'_>) -> Vec<Effect> {
    if turn.step > 100_000 {
        return vec![finish()];
    }
    let chunk = completion(&"x".repeat(1 << 20))
        .replace("chat.completion", "chat.completion.chunk")
        .replace("message", "delta");
    vec![Effect::Emit(chunk), pause(1, 0)]
}

fn needing_a_token() -> Vec<Effect> {
    let value = vec![Piece::Text("Bearer ".to_owned()), Piece::Token("access".to_owned())];
    let mut request = harmless(1);
    request.headers.push(Field { name: "authorization".to_owned(), value });
    vec![Effect::Send(request)]
}

pub(crate) fn pause(id: u32, ms: u32) -> Effect {
    Effect::Sleep(Pause { id, ms })
}

fn spin(rounds: u64) {
    let mut count = 0_u64;
    for round in 0..rounds {
        count = black_box(count ^ round);
    }
}

fn endless_loop() -> ! {
    loop {
        spin(1_000_000);
    }
}

fn allocate() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 4 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "this is what it is for")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + black_box(frame[7])
}
