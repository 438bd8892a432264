//! A copy of all rows as they are at one commit, taken while commits go on.
//!
//! ```text
//!   begin ── commit n ─────────────────────────────────────────────▶ later commits
//!              slice 1 │ slice 2 │ …        before a commit changes a row that is not copied yet,
//!                                           its image is kept, and copied in its place
//! ```
//!
//! *Bounds.* Images take at most [`IMAGES_BYTES_MAX`]; beyond, the copy is given up.
//!
//! *Invariants.* What is copied is what the store held at the commit at which it began: no row of a later
//! one, none missing. Works over what every engine does, and asks nothing more of it.
//!
//! *Source*: ours; copy on write, as in any engine's snapshots.

use std::collections::BTreeMap;

use super::{Row, Table, ledger::Place};

/// Rows that are changed while a copy is taken are mostly new ones, whose image is their key alone.
const IMAGES_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a copy held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// At which commit.
    pub commits: u64,
    /// How many rows.
    pub rows: u64,
}

/// How far a copy has come.
#[derive(Debug)]
pub(super) struct Copying {
    /// Rows before this place have been copied.
    pub(super) next: Place,
    /// Rows as they were, of those that have changed since and are not copied; `None`: there was none.
    images: BTreeMap<Place, Option<Vec<u8>>>,
    images_bytes: usize,
}

impl Copying {
    pub(super) const fn from(first: Table) -> Self {
        Self { next: (first, Vec::new()), images: BTreeMap::new(), images_bytes: 0 }
    }

    /// A commit is about to change this row, which is as `before`.
    pub(super) fn keep(&mut self, place: &Place, before: Option<&Vec<u8>>) {
        if *place < self.next || self.images.contains_key(place) {
            return;
        }
        self.images_bytes += place.1.len() + before.map_or(0, Vec::len);
        self.images.insert(place.clone(), before.cloned());
    }

    /// Whether the store changes faster than it is copied.
    pub(super) const fn is_overrun(&self) -> bool {
        self.images_bytes > IMAGES_BYTES_MAX
    }

    /// Rows of the next slice as they were: `found` is what the engine holds from the next place on, all
    /// that there is of the table if `is_last`.
    pub(super) fn slice(&mut self, table: Table, found: Vec<Row>, is_last: bool) -> Vec<Row> {
        let end = match found.last() {
            Some((key, _)) if !is_last => Some([key.as_slice(), &[0]].concat()),
            Some(_) | None => None,
        };
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = found.into_iter().collect();
        while let Some(((of, key), _)) = self.images.first_key_value() {
            if *of != table || end.as_ref().is_some_and(|end| key >= end) {
                break;
            }
            let Some(((_, key), before)) = self.images.pop_first() else { break };
            self.images_bytes =
                self.images_bytes.saturating_sub(key.len() + before.as_ref().map_or(0, Vec::len));
            match before {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
        if let Some(end) = end {
            self.next = (table, end);
        }
        rows.into_iter().collect()
    }

    /// All of this table is copied: what is written to it from now on is not kept.
    pub(super) fn end_table(&mut self, table: Table) {
        if let Some(next) = Table::all().find(|other| *other > table) {
            self.next = (next, Vec::new());
        }
    }
}
