//! Rules and charters as a whole: ballots against enumeration, and each unsound charter.

mod ballot;
pub(crate) mod fixture;
pub(crate) mod rule;
mod validate;
