//! What an exchange costs and who pays. The accounting arrives with the ledger; the order of the calls is already the real one.

mod ledger;
mod parking;

pub use ledger::{Ledger, Reservation, Reserved};
pub use parking::{Outcome, ParkedExchange, Parking};
