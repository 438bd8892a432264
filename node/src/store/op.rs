//! What is written, and what is asked for: writes and their bounds, ranges.
//!
//! *Invariants.* Keys order as bytes do.
//!
//! *Source*: ours.

use std::ops::Bound;

use concordat_protocol::engine;

use super::{StoreError, Table};

/// The longest key; longer ones are our own mistake.
pub const KEY_BYTES_MAX: usize = 1024;
/// The longest value: a 1 MiB payload with its salt, attribution and framing fits well within.
pub const VALUE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// Where.
    pub table: Table,
    /// Under which key.
    pub key: Vec<u8>,
    /// The new value; `None` removes the key.
    pub value: Option<Vec<u8>>,
}

impl Op {
    /// Writes a row.
    #[must_use]
    pub fn put(table: impl Into<Table>, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self { table: table.into(), key, value: Some(value) }
    }

    /// Removes a row; nothing happens if there is none.
    #[must_use]
    pub fn delete(table: impl Into<Table>, key: Vec<u8>) -> Self {
        Self { table: table.into(), key, value: None }
    }
}

/// What the protocol's engine wants written.
impl From<engine::Op> for Op {
    fn from(engine::Op { table, key, value }: engine::Op) -> Self {
        Self { table: table.into(), key, value }
    }
}

/// Bytes that a write carries.
#[must_use]
pub(super) fn len_bytes(op: &Op) -> usize {
    op.key.len() + op.value.as_ref().map_or(0, Vec::len)
}

/// A span of keys: `start` included, `end` not; no `end` means to the end of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// First key that may be returned.
    pub start: Vec<u8>,
    /// First key that may not.
    pub end: Option<Vec<u8>>,
}

impl KeyRange {
    /// The whole table.
    #[must_use]
    pub const fn all() -> Self {
        Self { start: Vec::new(), end: None }
    }

    /// From `start` up to and without `end`; empty if `start >= end`.
    #[must_use]
    pub const fn between(start: Vec<u8>, end: Vec<u8>) -> Self {
        Self { start, end: Some(end) }
    }

    /// Every key that begins with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        // The next prefix of the same or lesser length: drop trailing 0xff, add one to the last.
        let mut end = prefix.to_vec();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Self { start: prefix.to_vec(), end: Some(end) };
            }
        }
        Self { start: prefix.to_vec(), end: None }
    }

    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        (Bound::Included(&self.start), end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }
}

/// Which end of a range a scan starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the lowest key up.
    Ascending,
    /// From the highest key down.
    Descending,
}

/// Err for what no engine is asked to hold.
pub(super) fn check_bounds(op: &Op) -> Result<(), StoreError> {
    let table = op.table.name();
    if op.key.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong { table, bytes: op.key.len() });
    }
    match &op.value {
        Some(value) if value.len() > VALUE_BYTES_MAX => {
            Err(StoreError::ValueTooLong { table, bytes: value.len() })
        }
        Some(_) | None => Ok(()),
    }
}
