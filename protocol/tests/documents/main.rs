//! Documents: what edits do, what readers see, and that order and batches do not matter.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "these are tests; clippy sees only functions marked as such"
)]

mod comparisons;
mod editors;
mod edits;
mod histories;
mod patients;
mod readings;
mod skeletons;
