//! `/v1`: the OpenAI-compatible API.

mod bad_input;
mod chat;
mod cors;
mod disconnect;
mod embeddings;
mod keys;
mod models;
mod odd_vendors;
mod passthrough;
mod paths;
mod slow_clients;
mod stream;
mod stream_faults;
mod tasks;
mod upstream_faults;
