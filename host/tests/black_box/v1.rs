//! `/v1`: the OpenAI-compatible API.

mod bad_input;
mod chat;
mod cors;
mod disconnect;
mod keys;
mod models;
mod passthrough;
mod paths;
mod stream;
mod stream_faults;
mod upstream_faults;
