//! Runs vendor adapters: loads WebAssembly components from a directory, checks and compiles them off the request path, swaps them
//! atomically and gives every exchange a fresh, limited sandbox.
//!
//! The only room that knows wasmtime. [`Runtime`] holds the engines, [`Registry`] what is offered now, [`Adapter`] one provider of one
//! loaded version, [`Guest`] the sandbox of one exchange.

mod adapter;
mod budget;
mod cache;
mod capability;
mod catalog;
mod compile;
mod component;
mod contract;
mod descriptor;
mod directory;
mod entry;
mod error;
mod functions;
mod guest;
mod inspect;
mod load;
mod loader;
pub mod machine;
mod opaque;
mod options;
mod plugin_log;
mod registry;
mod report;
mod runtime;
mod sandbox;
mod settings;
mod ticker;
mod trial;
mod v0_1;
mod watch;

pub use adapter::Adapter;
pub use capability::Capability;
pub use compile::compile_child;
pub use contract::{CONTRACT, CONTRACTS};
pub use error::{LoadError, RuntimeError};
pub use guest::Guest;
pub use load::check_file;
pub use options::{Compiler, RuntimeOptions};
pub use plugin_log::{one_line, turns_direction};
pub use registry::{PluginState, PluginStatus, Registry};
pub use report::{PluginReport, ProviderReport};
pub use runtime::Runtime;
pub use trial::{FIXTURES_SECTION, Trial};
pub use watch::{load_dir, load_dir_again, watch_dir};
