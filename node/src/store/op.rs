//! What is written, and what is asked for: tables, writes, ranges.
//!
//! *Invariants.* The names of tables are fixed for ever. Keys order as bytes do.
//!
//! *Source*: ours.

use std::ops::Bound;

use super::StoreError;

/// The longest key; longer ones are our own mistake.
pub const KEY_BYTES_MAX: usize = 1024;
/// The longest value: a 1 MiB payload with its salt, attribution and framing fits well within.
pub const VALUE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The tables; what a key and a value mean in each is the protocol engine's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Boards this node is on, and their charters.
    Boards,
    /// Feeds by id: descriptor and end.
    Feeds,
    /// Headers by feed and seq.
    Headers,
    /// Signed heads by feed and size.
    Heads,
    /// Payloads and attributions, apart from headers so that they can be withheld or redacted.
    Payloads,
    /// Who has acknowledged what.
    Acks,
    /// Pairs of signed statements that contradict each other; never deleted.
    Evidence,
    /// Node cards by organisation.
    Cards,
    /// This node's own hash-chained account of what it received, accepted, refused and sent.
    Journal,
}

impl Table {
    /// Every table, in the order of the enum.
    pub const ALL: [Self; 9] = [
        Self::Boards,
        Self::Feeds,
        Self::Headers,
        Self::Heads,
        Self::Payloads,
        Self::Acks,
        Self::Evidence,
        Self::Cards,
        Self::Journal,
    ];

    /// The name on disk; fixed for ever.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boards => "boards",
            Self::Feeds => "feeds",
            Self::Headers => "headers",
            Self::Heads => "heads",
            Self::Payloads => "payloads",
            Self::Acks => "acks",
            Self::Evidence => "evidence",
            Self::Cards => "cards",
            Self::Journal => "journal",
        }
    }
}

/// What becomes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// The key holds this value afterwards, whatever it held before.
    Put(Vec<u8>),
    /// The key is gone afterwards; no fault if it was not there.
    Delete,
}

/// One write; of several to one key in one commit the last holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The table written to.
    pub table: Table,
    /// At most [`KEY_BYTES_MAX`] bytes.
    pub key: Vec<u8>,
    /// The value, at most [`VALUE_BYTES_MAX`] bytes, or its removal.
    pub write: Write,
}

impl Op {
    /// Sets `key` to `value`.
    #[must_use]
    pub const fn put(table: Table, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self {
            table,
            key,
            write: Write::Put(value),
        }
    }

    /// Removes `key`.
    #[must_use]
    pub const fn delete(table: Table, key: Vec<u8>) -> Self {
        Self {
            table,
            key,
            write: Write::Delete,
        }
    }

    /// Bytes that this op carries.
    #[must_use]
    pub const fn len_bytes(&self) -> usize {
        let value = match &self.write {
            Write::Put(value) => value.len(),
            Write::Delete => 0,
        };
        self.key.len() + value
    }
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
        Self {
            start: Vec::new(),
            end: None,
        }
    }

    /// From `start` up to and without `end`; empty if `start >= end`.
    #[must_use]
    pub const fn between(start: Vec<u8>, end: Vec<u8>) -> Self {
        Self {
            start,
            end: Some(end),
        }
    }

    /// Every key that begins with `prefix`.
    #[must_use]
    pub fn prefix(prefix: &[u8]) -> Self {
        // The next prefix of the same or lesser length: drop trailing 0xff, add one to the last.
        let mut end = prefix.to_vec();
        while let Some(last) = end.pop() {
            if last < u8::MAX {
                end.push(last + 1);
                return Self {
                    start: prefix.to_vec(),
                    end: Some(end),
                };
            }
        }
        Self {
            start: prefix.to_vec(),
            end: None,
        }
    }

    pub(super) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self
            .end
            .as_deref()
            .map_or(Bound::Unbounded, Bound::Excluded);
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

/// A key and its value, as `scan` returns them.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Err for what no engine is asked to hold.
pub(super) fn check_bounds(op: &Op) -> Result<(), StoreError> {
    let table = op.table.name();
    if op.key.len() > KEY_BYTES_MAX {
        return Err(StoreError::KeyTooLong {
            table,
            bytes: op.key.len(),
        });
    }
    match &op.write {
        Write::Put(value) if value.len() > VALUE_BYTES_MAX => Err(StoreError::ValueTooLong {
            table,
            bytes: value.len(),
        }),
        Write::Put(_) | Write::Delete => Ok(()),
    }
}
