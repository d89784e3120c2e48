//! Who can serve a request, and in which order to try them. Pure: no clock, no I/O, chance comes in as a number.

mod choose;
mod table;

pub use choose::order;
pub use table::{Candidate, Listed, Table};
