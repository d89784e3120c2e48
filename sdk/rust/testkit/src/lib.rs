//! Golden tests for adapters: a folder of cases, run natively, without a network and without WebAssembly.
//!
//! A case is a folder:
//!
//! | file | holds |
//! |---|---|
//! | `case.json` | what the host knows ([`Case`]): provider, model, settings, names of secrets, and the vendor's status and headers |
//! | `client.json` | the client's request |
//! | `upstream-request.json` | expected: the request to the vendor; absent when none is sent |
//! | `upstream-response.json`, `.sse`, `.ndjson` or `.txt` | the vendor's answer |
//! | `effects.json` | expected: what the client gets and the host is told, one line each |
//!
//! Every case runs twice, with one message in a step and with all in one step, and must give the same. `UPDATE=1` writes the expected
//! files instead of comparing. White space in them does not matter; the order of fields does.
//!
//! ```no_run
//! # use witgate_sdk::{Call, Effect, Event, Machine};
//! # struct Chat;
//! # impl Machine for Chat {
//! #     fn open(_: Call) -> Self { Chat }
//! #     fn step(&mut self, _: u32, _: Vec<Event>) -> Vec<Effect> { Vec::new() }
//! # }
//! // tests/golden.rs
//! # fn main() {
//! witgate_sdk_testkit::golden::<Chat>("fixtures/chat");
//! # }
//! ```

mod case;
pub use case::{Answer, Case};

mod frames;
mod json;
mod run;
mod shown;

mod diff;

use std::path::{Path, PathBuf};
use witgate_sdk::{Call, Effect, Event, Machine};

/// One exchange, however it is run: what `step` of a machine is.
pub type Step = Box<dyn FnMut(u32, Vec<Event>) -> Vec<Effect>>;

/// Runs every case under `folder` (relative to the package) against a machine.
///
/// # Panics
/// With a readable difference when a case does not give what its files say, and when there is no case.
pub fn golden<M: Machine>(folder: &str) {
    golden_with(folder, |call| {
        let mut machine = M::open(call);
        Box::new(move |now, events| machine.step(now, events))
    });
}

/// Runs every case under `folder` against whatever `open` opens, for example a compiled component.
///
/// # Panics
/// As [`golden`].
#[expect(clippy::panic, reason = "a failed test is a panic")]
pub fn golden_with(folder: &str, open: impl Fn(Call) -> Step) {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let cases = cases(Path::new(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    assert!(!cases.is_empty(), "{folder}: there is no case in it");
    let mut failures = Vec::new();
    for case in cases {
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&case, &open, update)));
        let checked = checked.unwrap_or_else(|_| Err("the adapter panicked, see above".to_owned()));
        if let Err(what) = checked {
            failures.push(format!("{}: {what}", case.display()));
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE=1 writes what is there now)", failures.join("\n\n"));
}

/// The case folders, by name.
fn cases(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            cases.push(path);
        }
    }
    cases.sort();
    Ok(cases)
}

fn check(folder: &Path, open: &impl Fn(Call) -> Step, update: bool) -> Result<(), String> {
    let case = Case::load(folder)?;
    let single = run::run(&case, open(case.call()?), run::Pace::Single)?;
    let batched = run::run(&case, open(case.call()?), run::Pace::Batched)?;
    same_at_any_pace(&single, &batched)?;
    let request = single.request.as_ref().map(|request| shown::request(request, &case)).transpose()?;
    let effects = Some(shown::happenings(&single.happenings)?);
    let mut wrong = Vec::new();
    for (name, actual) in [("upstream-request.json", request), ("effects.json", effects)] {
        if let Err(what) = compare(&folder.join(name), actual, update) {
            wrong.push(format!("{name} differs (- expected, + actual)\n{what}"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn same_at_any_pace(single: &run::Run, batched: &run::Run) -> Result<(), String> {
    let one = shown::happenings(&run::without_relay(&single.happenings))?;
    let all = shown::happenings(&run::without_relay(&batched.happenings))?;
    if one == all && single.request == batched.request {
        return Ok(());
    }
    let what = diff::lines(&one, &all);
    Err(format!("the effects depend on how messages are batched (- one in a step, + all in one step)\n{what}"))
}

fn compare(file: &Path, actual: Option<String>, update: bool) -> Result<(), String> {
    let expected = std::fs::read_to_string(file).ok();
    let same = match (&expected, &actual) {
        (Some(expected), Some(actual)) => json::squeezed(expected) == json::squeezed(actual),
        (expected, actual) => expected.is_none() && actual.is_none(),
    };
    if same {
        return Ok(());
    }
    if update {
        let written = match actual {
            Some(actual) => std::fs::write(file, actual),
            None => std::fs::remove_file(file),
        };
        return written.map_err(|error| format!("cannot write it: {error}"));
    }
    Err(diff::lines(&expected.unwrap_or_default(), &actual.unwrap_or_default()))
}
