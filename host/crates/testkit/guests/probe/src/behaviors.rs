//! The ways in which the probe behaves, one per model name.

use std::{
    hash::{BuildHasher, RandomState},
    hint::black_box,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crate::{
    TEXT, VERSION,
    bindings::witgate::adapter::{
        log,
        machine::{Call, Effect, Field, Payload, Piece, Request},
        secrets,
    },
};

/// Models whose exchange does not get past its constructor.
pub(crate) fn construct(model: &str) {
    match model {
        "loop-in-constructor" => endless_loop(),
        "panic-in-constructor" => panic!("the constructor of the probe panicked"),
        _ => {}
    }
}

/// What a step does and answers.
pub(crate) fn step(call: &Call, now: u32, steps: u32, started: bool) -> Vec<Effect> {
    match call.model.as_str() {
        "loop" => endless_loop(),
        "late-loop" if steps > 1 => endless_loop(),
        "allocate" => allocate(),
        "recurse" => return answer(&recurse(1).to_string()),
        "panic" => panic!("the probe panicked, as it was told"),
        "exit" => std::process::exit(7),
        "abort" => std::process::abort(),
        "sleep" => std::thread::sleep(Duration::from_secs(3600)),
        "many-effects" => return vec![Effect::Cancel(1); 1_000_000],
        "5000-effects" => return vec![Effect::Cancel(1); 5_000],
        "4096-effects" => return vec![Effect::Cancel(1); 4_096],
        "long-text" => return vec![Effect::Emit("x".repeat(40 << 20))],
        "flood" => flood(),
        "log" => log::write(log::Level::Info, &format!("step {steps} at {now}")),
        "world" => return answer(&world()),
        "time" => return answer(&time()),
        "chance" => return answer(&RandomState::new().hash_one("chance").to_string()),
        "many-values" => many_values(),
        "hash-without-end" => hash_without_end(),
        "sign" => return sign(call),
        "body" => return answer(&call.body_text()),
        "settings" => return answer(&call.settings),
        _ => {}
    }
    let event = if started { "start" } else { "event" };
    vec![Effect::Emit(format!("{TEXT} ({VERSION}), {event} {steps} at {now}")), Effect::Finish("stop".to_owned())]
}

impl Call {
    fn body_text(&self) -> String {
        match &self.body {
            Payload::Text(text) => format!("{} bytes of text", text.len()),
            other => format!("{other:?}"),
        }
    }
}

fn answer(text: &str) -> Vec<Effect> {
    vec![Effect::Emit(text.to_owned()), Effect::Finish("stop".to_owned())]
}

fn endless_loop() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

fn allocate() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(Vec::<u8>::with_capacity(4 << 20)));
    }
}

#[expect(unconditional_recursion, reason = "this is what it is for")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + black_box(frame[7])
}

fn flood() {
    loop {
        log::write(log::Level::Error, &"flood ".repeat(100));
    }
}

fn many_values() {
    loop {
        secrets::text("one more");
    }
}

fn hash_without_end() {
    let data = secrets::text(&"x".repeat(1 << 20));
    for _ in 0..1_000 {
        let _ = secrets::hash("sha512", data);
    }
}

/// Everything that a hostile guest would look for, as one line each.
fn world() -> String {
    let file = std::fs::read_to_string("/etc/passwd").map_err(|error| error.kind());
    let listing = std::fs::read_dir("/").map(|entries| entries.count()).map_err(|error| error.kind());
    let written = std::fs::write("/tmp/probe", "x").map_err(|error| error.kind());
    let socket = std::net::TcpStream::connect("127.0.0.1:80").map(|_| ()).map_err(|error| error.kind());
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").map(|_| ()).map_err(|error| error.kind());
    let names = std::net::ToSocketAddrs::to_socket_addrs("localhost:80").map(|_| ()).map_err(|error| error.kind());
    let thread = std::thread::Builder::new().spawn(|| ()).map(|_| ()).map_err(|error| error.kind());
    let environment: Vec<_> = std::env::vars().collect();
    let arguments: Vec<_> = std::env::args().collect();
    let mut input = String::new();
    let stdin = std::io::stdin().read_line(&mut input).map_err(|error| error.kind());
    println!("this goes nowhere");
    format!(
        "file {file:?}\nlisting {listing:?}\nwritten {written:?}\nsocket {socket:?}\nudp {udp:?}\nnames {names:?}\nthread {thread:?}\n\
         environment {environment:?}\narguments {arguments:?}\nstdin {stdin:?}"
    )
}

fn time() -> String {
    let before = Instant::now();
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let mut work = 0_u64;
    for number in 0..1_000_000 {
        work = black_box(work ^ number);
    }
    format!("wall {wall}, elapsed {}", before.elapsed().as_nanos())
}

/// A request whose authorization header is computed from the secret, which this code never sees.
fn sign(call: &Call) -> Vec<Effect> {
    let signed = || {
        let key = secrets::get("key").ok_or("there is no key")?;
        let code = secrets::hmac("sha256", key, secrets::text("string to sign"))?;
        let code = secrets::encode("hex", code)?;
        secrets::concat(&[secrets::text("Signature "), code])
    };
    let number = match signed() {
        Ok(number) => number,
        Err(what) => return answer(&format!("not signed: {what}")),
    };
    let authorization = Field { name: "authorization".to_owned(), value: vec![Piece::Opaque(number)] };
    vec![Effect::Send(Request {
        id: 1,
        method: "POST".to_owned(),
        endpoint: "api".to_owned(),
        path: "/chat".to_owned(),
        query: Vec::new(),
        headers: vec![authorization],
        body: Payload::Text(call.model.clone()),
        framing: "text".to_owned(),
        extras: Vec::new(),
    })]
}
