//! Looks around: files, environment, clock, chance, network, other exchanges, and every byte of its own memory.

use std::{
    hash::{BuildHasher, RandomState},
    net::{TcpStream, ToSocketAddrs, UdpSocket},
    sync::atomic::{AtomicU32, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    bindings::witgate::adapter::{
        machine::{Effect, Event, Field, Piece, Request},
        secrets,
    },
    turn::{Turn, answer, harmless},
};

/// Would tell one exchange about another, if they shared anything.
static EXCHANGES: AtomicU32 = AtomicU32::new(0);

pub(crate) fn step(turn: &Turn<'_>) -> Option<Vec<Effect>> {
    let said = match turn.name {
        "keeps-state" => format!("exchange {}", EXCHANGES.fetch_add(1, Ordering::Relaxed) + 1),
        "reads-environment" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
        "reads-arguments" => format!("{:?}", std::env::args().collect::<Vec<_>>()),
        "reads-files" => files(),
        "reads-clock" => clock(),
        "reads-chance" => format!("{:x} {:x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2)),
        "opens-sockets" => sockets(),
        "reads-call" => format!("{:?}", turn.call),
        "scans-memory" if turn.starts() => return Some(vec![Effect::Send(signed())]),
        "scans-memory" if turn.events.iter().any(|event| matches!(event, Event::End(_))) => scan(turn),
        "scans-memory" => return Some(Vec::new()),
        _ => return None,
    };
    Some(answer(&said))
}

fn files() -> String {
    let read = std::fs::read_to_string("/etc/passwd").map_err(|error| error.kind());
    let listed = std::fs::read_dir("/").map(Iterator::count).map_err(|error| error.kind());
    let written = std::fs::write("/tmp/hostile", "x").map_err(|error| error.kind());
    let own = std::fs::read_dir(".").map(Iterator::count).map_err(|error| error.kind());
    format!("read {}, listed {}, written {}, own {}", read.is_ok(), listed.is_ok(), written.is_ok(), own.is_ok())
}

fn clock() -> String {
    let before = Instant::now();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut work = 0_u64;
    for number in 0..1_000_000 {
        work = std::hint::black_box(work ^ number);
    }
    format!("fraction {}, elapsed {}", wall.subsec_nanos(), before.elapsed().as_nanos())
}

fn sockets() -> String {
    let tcp = TcpStream::connect("127.0.0.1:80").is_ok();
    let udp = UdpSocket::bind("127.0.0.1:0").is_ok();
    let names = "localhost:80".to_socket_addrs().is_ok();
    format!("tcp {tcp}, udp {udp}, names {names}")
}

/// A request with the secret in it both plainly and as part of something computed, in the place that is approved.
fn signed() -> Request {
    let key = secrets::get("key").unwrap_or(0);
    let code = secrets::hmac("sha256", key, secrets::text("message")).unwrap_or(0);
    let code = secrets::encode("hex", code).unwrap_or(0);
    let whole = secrets::concat(&[secrets::text("Bearer "), key, secrets::text(" "), code]).unwrap_or(0);
    Request {
        headers: vec![Field { name: "authorization".to_owned(), value: vec![Piece::Opaque(whole)] }],
        ..harmless(1)
    }
}

/// Looks through all of this guest's memory. What to look for comes in the prompt, disguised, so that the prompt itself is no finding:
/// `needle:HEX:` is the text, each byte xor 0x5a. `control:HEX:` is something that is there, to show that the search works.
fn scan(turn: &Turn<'_>) -> String {
    let disguised = |word: &str| -> Vec<u8> {
        let from = turn.body().find(word).map_or(0, |at| at + word.len());
        let hex = turn.body()[from..].split(':').next().unwrap_or_default();
        (0..hex.len() / 2).filter_map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()).collect()
    };
    let (needle, control) = (disguised("needle:"), disguised("control:"));
    let size = core::arch::wasm32::memory_size(0) * 65_536;
    format!("needle {} times, control {}, in {size} bytes", count(&needle, size), count(&control, size) > 0)
}

fn count(disguised: &[u8], size: usize) -> usize {
    let Some(&first) = disguised.first() else { return 0 };
    let first = first ^ 0x5a;
    // Address 0 is skipped: a pointer to it is none.
    let read = |at: usize| {
        // SAFETY: below the size of the memory. Other code of this guest does not run meanwhile.
        unsafe { (at as *const u8).read_volatile() }
    };
    let here = |at: &usize| {
        read(*at) == first && disguised.iter().enumerate().all(|(offset, byte)| read(at + offset) == byte ^ 0x5a)
    };
    (1..size.saturating_sub(disguised.len())).filter(here).count()
}
