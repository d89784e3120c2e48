//! Who is calling: makes API keys, finds the one that a request presents and looks it up in the snapshot. Pure, no I/O but randomness.

mod authenticate;
mod generate;
mod key_hasher;
mod present;

pub use authenticate::authenticate;
pub use generate::{EntropyError, display_prefix, generate_key};
pub use key_hasher::KeyHasher;
pub use present::{Presented, present};
