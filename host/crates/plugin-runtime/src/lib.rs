//! Runs vendor adapters: loads WebAssembly components from a directory, checks and compiles them off the request path, swaps them
//! atomically and gives every exchange a fresh, limited sandbox.
//!
//! The only room that knows wasmtime. [`Runtime`] holds the engines, [`Registry`] what is offered now, [`Adapter`] one provider of one
//! loaded version, [`Guest`] the sandbox of one exchange.

mod adapter;
mod budget;
mod cache;
mod catalog;
mod compile;
mod component;
mod descriptor;
mod directory;
mod entry;
mod error;
mod guest;
mod inspect;
mod load;
mod loader;
pub mod machine;
mod opaque;
mod options;
mod plugin_log;
mod registry;
mod runtime;
mod sandbox;
mod settings;
mod ticker;
mod watch;

pub use adapter::Adapter;
pub use compile::compile_child;
pub use error::{LoadError, RuntimeError};
pub use guest::Guest;
pub use load::check_file;
pub use options::{Compiler, RuntimeOptions};
pub use registry::{PluginState, PluginStatus, Registry};
pub use runtime::Runtime;
pub use watch::{load_dir, watch_dir};

/// The contract that this host serves. A component names the version it was built for in its imports and exports.
pub const CONTRACT: &str = "0.1.0";
