//! The runner itself: what it writes, what it holds an adapter to, every shape that a case can have, and that it can fail.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up must fail")]

mod rules;
mod shapes;
mod update;

use std::path::PathBuf;
use witgate_sdk::{Call, Effect, Event, Machine};
use witgate_sdk_testkit::golden;

/// Writes a folder with one case and gives the folder of its capability.
fn folder(name: &str, capability: &str, files: &[(&str, &str)]) -> PathBuf {
    // Under the name of the test, which is its thread's: two tests may use one name for a case.
    let test = std::thread::current().name().unwrap_or("main").replace("::", "-");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test).join(name).join(capability);
    let case = folder.join("case");
    std::fs::create_dir_all(&case).unwrap();
    for left in std::fs::read_dir(&case).unwrap() {
        std::fs::remove_file(left.unwrap().path()).unwrap();
    }
    for (name, text) in files {
        std::fs::write(case.join(name), text).unwrap();
    }
    folder
}

/// The case passes.
fn passes<M: Machine>(name: &str, capability: &str, files: &[(&str, &str)]) {
    golden::<M>(folder(name, capability, files).to_str().unwrap());
}

/// Why the case fails.
fn fails<M: Machine>(name: &str, capability: &str, files: &[(&str, &str)]) -> String {
    let folder = folder(name, capability, files);
    let panic = std::panic::catch_unwind(|| golden::<M>(folder.to_str().unwrap())).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

/// The same files with one of them replaced, or added.
fn with<'a>(files: &[(&'a str, &'a str)], name: &'a str, text: &'a str) -> Vec<(&'a str, &'a str)> {
    let others = files.iter().copied().filter(|(known, _)| *known != name);
    others.chain([(name, text)]).collect()
}

/// A machine that is one function over its call, how often it was stepped, and what happened.
trait Told: 'static {
    fn told(call: &Call, step: usize, event: &Event) -> Vec<Effect>;
}

/// Tells its function one event after the other.
struct Teller<T> {
    call: Call,
    step: usize,
    kind: std::marker::PhantomData<T>,
}

impl<T: Told> Machine for Teller<T> {
    fn open(call: Call) -> Self {
        Teller { call, step: 0, kind: std::marker::PhantomData }
    }
    fn step(&mut self, _: u32, events: Vec<Event>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in events {
            effects.extend(T::told(&self.call, self.step, &event));
            self.step += 1;
        }
        effects
    }
}
