//! Runs real components in the runtime: what a sandbox allows and stops, and how a directory of plugins is followed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what the tests stand on fails by panicking, like the tests")]

mod follow;
mod frozen;
mod identity;
mod sandbox;
mod stage;
mod stops;
mod trial;
