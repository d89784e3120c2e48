//! The program `witgate`: `cli` reads the command line and runs one command, `serve` is the gateway itself.

use std::process::ExitCode;

mod app;
mod channel_draft;
mod channel_seed;
mod cli;
mod config;
mod http;
mod routes;
mod serve;
mod shutdown;

/// Many small, short-lived allocations on many threads: half the time in glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
