//! Black-box tests: the real program, a scripted vendor on a socket, and nothing else. Modules follow the URLs, then what is not one.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says why and stops"
)]

mod command_line;
mod config;
mod expect;
mod fixtures;
mod flows;
mod hostile;
mod logs;
mod plugins;
mod probes;
mod restart;
mod setup;
mod v1;
