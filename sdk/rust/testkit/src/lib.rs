//! Golden tests for adapters: a folder of cases, run without a network, natively here and through a compiled component by the host.
//!
//! A case is a folder with the client's request, the requests that the vendor must get, the vendor's answers as they come on the wire, and
//! what the client must get; `docs/fixtures.md` describes it. Every case runs with one message in a step, with every answer in one step,
//! and with every answer split at every place where that makes a difference, and must give the same. `UPDATE=1` writes the expected files
//! instead of comparing, and is refused where `CI` is set.
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

mod golden;
pub use golden::{Step, golden, golden_with};

mod case;
pub use case::{Answer, Case, Secrets};

mod files;
pub use files::Files;

mod play;
pub use play::{Ask, Pace, Play, Run};

mod answer;
mod dialogue;
mod fetch;
mod plain;
mod withhold;

mod frames;
pub use frames::{Content, Cut, Cutter, FRAMES_MAX, Frame, Plain};

mod evaluate;
pub use evaluate::evaluate;

mod check;
pub use check::{check, same};

mod shown;

mod suite;
pub use suite::{Named, suite};

mod report;
pub use report::Report;

pub mod archive;
pub mod section;

mod diff;
mod json;
