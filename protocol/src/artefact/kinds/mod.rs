//! The kinds of artefacts, one file each, and what is common to all.
//!
//! Adding a kind: one file, one `mod` line, one line in [`ALL`].

mod common;
mod decision;
mod mutual_aid;
mod standard;

pub use decision::DECISION;
pub use mutual_aid::MUTUAL_AID;
pub use standard::STANDARD;

use super::kind::Kind;

/// Every kind and version that this node knows.
pub const ALL: &[&Kind] = &[&DECISION, &MUTUAL_AID, &STANDARD];

/// The kind with this name at this version, if this node knows it.
#[must_use]
pub fn find(name: &str, version: u64) -> Option<&'static Kind> {
    ALL.iter().copied().find(|kind| kind.name == name && kind.version == version)
}

#[cfg(test)]
mod tests;
