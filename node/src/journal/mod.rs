//! The journal: this node's own account of what it received, accepted, refused and sent, and of what was
//! done to it, entry by entry, each chained to the one before.
//!
//! ```text
//!   engine's inputs and effects ──observe──┐
//!   daemon, desk, commands ──────tell──────┼──▶ Journal ──write──▶ rows in the commit of what they tell
//!   API, exports ──────────────Aside───────┘                        └─ head ──▶ high-water file
//!
//!   rows ──check──▶ whole, or what is wrong       ──page──▶ `journal list`, `export`, the API
//! ```
//!
//! | file | what |
//! |---|---|
//! | `event` | the catalogue: what can be told, as data |
//! | `entry` | one entry and its bytes |
//! | `observe` | what inputs and effects of the engine tell |
//! | `gather` | the journal of a running replica |
//! | `aside` | the way to it from other threads |
//! | `chain` | whether the chain is whole |
//! | `page` | entries by filters, a page at a time |
//!
//! *Invariants.* What a line tells of is durable with it or before it. Nothing here waits for a disk: lines
//! ride on commits that happen anyway, or on one commit a tick. Lines are of runs, not of entries. The
//! journal never leaves the node but by `journal export` and the API.
//!
//! *Source*: ours; `docs/journal.md` has the layout for others.

mod aside;
mod chain;
mod entry;
mod event;
mod gather;
mod observe;
mod page;
#[cfg(test)]
mod tests;

pub use aside::Aside;
pub use chain::{Checked, Fault, check};
pub use entry::{Entry, EntryHash, Head};
pub use event::{CATALOGUE, Channel, Described, Event, FIELDS};
pub use gather::Journal;
pub use observe::{Observer, Seen};
pub use page::{Page, Query, page};

use serde::{Deserialize, Serialize};

use crate::store::{Reader, Row, StoreError};

/// The word before the head in the high-water file.
const MARK: &str = "journal ";
const CODE_CHARS_MAX: usize = 64;

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As asked.
    Done,
    /// Not; by this code.
    Refused(String),
}

/// What is to become an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, by this node's clock.
    pub time_ms: u64,
    /// What.
    pub event: Event,
    /// How it went.
    pub outcome: Outcome,
}

/// A code that a peer wrote, if it is one.
fn plain_code(code: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let fits = (1..=CODE_CHARS_MAX).contains(&code.len()) && code.chars().all(is_plain);
    // So that no patient's number gets in as one.
    let has_letter = code.starts_with(|c: char| c.is_ascii_lowercase());
    let digits = code.chars().filter(char::is_ascii_digit).count();
    if fits && has_letter && digits < 10 { code.to_owned() } else { "other".to_owned() }
}

/// The line of the high-water file that keeps the head.
#[must_use]
pub fn mark_line(head: Head) -> String {
    format!("{MARK}{}\n", head.to_words())
}

/// The head that such a line keeps.
#[must_use]
pub fn head_of_line(line: &str) -> Option<Head> {
    Head::from_words(line.strip_prefix(MARK)?)
}

/// The head that a row of the journal makes; `None` if it is no entry.
#[must_use]
pub fn head_of_row((number, row): &Row) -> Option<Head> {
    let number = number.as_slice().try_into().ok().map(u64::from_be_bytes)?;
    let is_entry = Entry::from_row(row).is_ok_and(|entry| entry.number == number);
    is_entry.then(|| Head { number, hash: entry::hash(row) })
}

/// The head that the store's high-water file knows, if it knows one.
///
/// # Errors
/// - [`StoreError`]: the file could not be read.
pub fn marked(reader: &Reader) -> Result<Option<Head>, StoreError> {
    let kept = reader.kept()?;
    Ok(kept.and_then(|kept| kept.lines.lines().find_map(head_of_line)))
}
