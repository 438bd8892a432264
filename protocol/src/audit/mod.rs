//! Audit: everything that a bundle proves, derived anew from its bytes.
//!
//! ```text
//! bundle ──records──▶ Audit ──▶ findings        first reading: foundings, openings, runs, payloads
//!        ──records──▶ SecondReading ──▶ findings   second: branches, acknowledgements, cosignatures, settlement
//!                                   └─▶ Summary, one closing sentence, exit status 0, 1 or 2
//! ```
//!
//! Whoever wants to see artefacts again asks the second reading to gather what is about them; the
//! holdings give a dossier of each, from which `replay` works out what it was.
//!
//! The file is read twice because acknowledgements point both forwards and backwards, and a branch
//! leaves its history at an entry that was passed long ago. Memory grows with members and feeds,
//! never with entries, unless artefacts are gathered. May use everything of this crate but the engine, so that a fault there
//! cannot hide itself here.
//!
//! Source: ours, `SPEC.md` sections "Bundle" and "Audit".

mod board;
pub mod bundle;
mod check;
mod claims;
mod cosigned;
mod excerpt;
mod finding;
mod holdings;
mod payload;
mod place;
mod second;
mod selection;
mod summary;
#[cfg(test)]
mod tests;

pub use board::check_opening;
pub use check::{Audit, audit_bundle};
pub use excerpt::{BadRecord, Excerpt};
pub use finding::{FeedName, Finding, Severity};
pub use holdings::{HeldEntry, HeldFeed, Holdings, Knew, Logged, Unlogged};
pub use payload::BadPayload;
pub use place::Place;
pub use second::SecondReading;
pub use selection::Selection;
pub use summary::{BoardSummary, FeedSummary, Report, Summary};
