//! Why the runtime could not be made, and why a component was refused.

use std::path::PathBuf;

use domain::ProviderError;

/// Why there is no runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The compiled-code directory cannot be used.
    #[error("compiled-code directory {}: {what}", path.display())]
    Cache {
        /// Which directory.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The engine could not be made.
    #[error("the WebAssembly engine could not be made: {0}")]
    Engine(String),
}

/// Why a component file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It could not be read. Tried again at the next look.
    #[error("cannot be read: {0}")]
    Read(String),
    /// The compiled code could not be kept. Tried again at the next look.
    #[error("its compiled code could not be kept: {0}")]
    Cache(String),
    /// It is larger than the limit.
    #[error("larger than the limit of {max} bytes")]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// It is not a component.
    #[error("not a WebAssembly component: {0}")]
    NotAComponent(String),
    /// It imports something that is not lent to adapters.
    #[error(
        "imports `{0}`, which this host does not lend to adapters (allowed: witgate:adapter/machine, log, secrets and WASI 0.2 without \
         network or files)"
    )]
    Import(String),
    /// It was built for another version of the contract.
    #[error("{what}")]
    Contract {
        /// The version that it names.
        built: String,
        /// Which version that is, what the host serves, and what to do.
        what: String,
    },
    /// It names versions of the contract that do not go together.
    #[error("built for adapter contracts {one} and {other} at once: rebuild it against one version of the SDK")]
    Mixed {
        /// The version that it names first.
        one: String,
        /// The version of another generation.
        other: String,
    },
    /// It does not offer what an adapter must, or with other types.
    #[error("does not fit the adapter contract: {0}")]
    Shape(String),
    /// The compiler failed, or was stopped at a limit.
    #[error("could not be compiled: {0}")]
    Compile(String),
    /// A trial run failed.
    #[error("failed when asked for its catalog: {0}")]
    Trial(String),
    /// The fixtures that are packed into it failed.
    #[error("its own fixtures failed: {0}")]
    Fixtures(String),
    /// A descriptor is wrong.
    #[error("provider `{provider}`: {error}")]
    Descriptor {
        /// Whose.
        provider: String,
        /// Where and what.
        error: ProviderError,
    },
    /// Another file offers the same provider and was first.
    #[error("provider `{provider}` is already offered by {holder}")]
    Conflict {
        /// Which provider.
        provider: String,
        /// The file that holds it.
        holder: String,
    },
}

impl LoadError {
    /// Whether the file may be fine and the next look should try again by itself.
    pub(crate) fn transient(&self) -> bool {
        matches!(self, LoadError::Read(_) | LoadError::Cache(_))
    }
}
