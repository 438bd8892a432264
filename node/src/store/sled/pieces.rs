//! How rows lie in sled's one tree: keys, and rows longer than a piece.
//!
//! ```text
//!   0                                       the ledger
//!   1 │ table's name │ 0 │ key │ number, 4  one piece of a row, at most 64 KiB
//!   table's name │ 0 │ key                  a row: 0 │ its bytes
//!                                             or:  1 │ its length, 4: it lies in pieces
//! ```
//!
//! Numbers are big-endian. Pieces are numbered from 0, all but the last are full. They are written and
//! removed with their row, in the same batch.
//!
//! *Invariants.* No table's name begins with 0 or 1 or has a 0 in it. Seventeen pieces, which is the
//! longest leaf, fit into a quarter of a segment, so that sled makes no file of its own of them.
//!
//! *Source*: ours; sled 0.34.7 `node.rs` (a leaf is split above 16 entries).

use std::{collections::BTreeSet, ops::Bound};

use ::sled::Batch;

use super::{KeyRange, Table};
use crate::store::{Change, VALUE_BYTES_MAX};

pub(super) const PIECE_BYTES: usize = 64 * 1024;
pub(super) const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
const _: () = assert!(17 * (PIECE_BYTES + 2048) < SEGMENT_BYTES / 4);

const PIECES: u8 = 1;
const WHOLE: u8 = 0;
const IN_PIECES: u8 = 1;
/// Above any row: its checksum stands before its value.
const ROW_BYTES_MAX: usize = VALUE_BYTES_MAX + 64;

/// What is stored under a row's key.
pub(super) enum Stored<'a> {
    Whole(&'a [u8]),
    Pieces { len_bytes: usize },
}

impl<'a> Stored<'a> {
    /// `None`: not what [`write()`] wrote.
    pub(super) fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&WHOLE, row) => Some(Self::Whole(row)),
            (&IN_PIECES, len) => {
                let len_bytes = u32::from_be_bytes(len.try_into().ok()?).try_into().ok()?;
                (len_bytes <= ROW_BYTES_MAX).then_some(Self::Pieces { len_bytes })
            }
            _ => None,
        }
    }
}

pub(super) fn row_key(table: Table, key: &[u8]) -> Vec<u8> {
    [table.name().as_bytes(), &[0], key].concat()
}

/// The key within its table.
pub(super) fn key_of(table: Table, mut row_key: Vec<u8>) -> Vec<u8> {
    row_key.drain(..=table.name().len());
    row_key
}

/// Where the rows of a table's range are.
pub(super) fn bounds(table: Table, range: &KeyRange) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let end = match &range.end {
        Some(end) => row_key(table, end),
        None => [table.name().as_bytes(), &[1]].concat(),
    };
    (Bound::Included(row_key(table, &range.start)), Bound::Excluded(end))
}

/// Where the pieces of a row of this length are; none if it lies whole under its key.
pub(super) fn keys(row_key: &[u8], len_bytes: usize) -> impl Iterator<Item = Vec<u8>> {
    let pieces = if len_bytes > PIECE_BYTES { len_bytes.div_ceil(PIECE_BYTES) } else { 0 };
    (0_u32..).take(pieces).map(move |piece| [&[PIECES], row_key, &piece.to_be_bytes()].concat())
}

/// Adds a change to a batch, and the pieces that it brings and leaves behind.
pub(super) fn write(batch: &mut Batch, row_key: &[u8], change: &Change) {
    let mut left: BTreeSet<Vec<u8>> = match &change.before {
        Some(before) => keys(row_key, before.len()).collect(),
        None => BTreeSet::new(),
    };
    match &change.after {
        None => batch.remove(row_key),
        Some(row) if row.len() <= PIECE_BYTES => {
            batch.insert(row_key, [&[WHOLE], row.as_slice()].concat());
        }
        Some(row) => {
            // Bounded by `ROW_BYTES_MAX`, which fits.
            let len = u32::try_from(row.len()).unwrap_or(u32::MAX);
            batch.insert(row_key, [&[IN_PIECES], &len.to_be_bytes()[..]].concat());
            for (key, piece) in keys(row_key, row.len()).zip(row.chunks(PIECE_BYTES)) {
                left.remove(&key);
                batch.insert(key, piece);
            }
        }
    }
    left.into_iter().for_each(|key| batch.remove(key));
}
