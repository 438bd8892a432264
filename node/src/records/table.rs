//! What stands where in the table of private records.
//!
//! ```text
//! key                                        value
//! r name 00 id                               a record, see `row`
//! p at_ms u64 BE  nonce 8                    what was promoted once, see `promotion`
//! s at_ms u64 BE  nonce 8                    the salt of its digest
//! ```
//!
//! *Invariants.* No name of a collection and no id holds a 00. Records stand in the order of their ids as
//! bytes, promotions in that of their times.
//!
//! *Source*: ours.

use super::row::Row;
use crate::{
    control::Refusal,
    store::{KeyRange, Op, Order, Own, Reader, StoreError},
};

const RECORD: u8 = b'r';
const PROMOTION: u8 = b'p';
const SALT: u8 = b's';
/// Rows read at once.
const SLICE_ROWS: usize = 256;

/// Which promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PromotionId(pub(super) [u8; 16]);

/// The records of one collection.
#[derive(Debug)]
pub(super) struct Records<'a> {
    reader: &'a Reader,
    prefix: Vec<u8>,
}

impl<'a> Records<'a> {
    pub(super) fn of(reader: &'a Reader, collection: &str) -> Self {
        let prefix = [&[RECORD], collection.as_bytes(), &[0]].concat();
        Self { reader, prefix }
    }

    fn key(&self, id: &str) -> Vec<u8> {
        [&self.prefix, id.as_bytes()].concat()
    }

    pub(super) fn get(&self, id: &str) -> Result<Option<Row>, Refusal> {
        let found = self.reader.get(Own::Records, &self.key(id)).map_err(unreadable)?;
        found.map(|bytes| Row::from_bytes(id, &bytes)).transpose()
    }

    pub(super) fn put(&self, row: &Row) -> Op {
        Op::put(Own::Records, self.key(&row.id), row.to_bytes())
    }

    pub(super) fn delete(&self, id: &str) -> Op {
        Op::delete(Own::Records, self.key(id))
    }

    /// Those whose ids begin so, at most `limit`.
    pub(super) fn beginning(&self, with: &str, limit: usize) -> Result<Vec<Row>, Refusal> {
        self.scan(&KeyRange::prefix(&self.key(with)), limit)
    }

    /// How many there are, if at most `most`.
    pub(super) fn count(&self, most: usize) -> Result<Option<u64>, Refusal> {
        let mut count = 0;
        let mut after = None;
        while count <= most {
            let rows = self.after(after.as_deref())?;
            count += rows.len();
            after = rows.last().map(|row| row.id.clone());
            if rows.len() < SLICE_ROWS {
                break;
            }
        }
        Ok(u64::try_from(count).ok().filter(|_| count <= most))
    }

    /// The next few after this id; fewer than a slice holds: there are no more.
    fn after(&self, id: Option<&str>) -> Result<Vec<Row>, Refusal> {
        let KeyRange { start, end } = KeyRange::prefix(&self.prefix);
        // The least key after it.
        let start = id.map_or(start, |id| [self.key(id), Vec::from([0])].concat());
        self.scan(&KeyRange { start, end }, SLICE_ROWS)
    }

    /// Goes through all after this id, in their order, until `see` has seen enough.
    pub(super) fn each(
        &self,
        after: Option<&str>,
        mut see: impl FnMut(Row) -> Seen,
    ) -> Result<(), Refusal> {
        let mut after = after.map(str::to_owned);
        loop {
            let rows = self.after(after.as_deref())?;
            let is_last = rows.len() < SLICE_ROWS;
            after = rows.last().map(|row| row.id.clone()).or(after);
            for row in rows {
                if see(row) == Seen::Enough {
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn scan(&self, range: &KeyRange, limit: usize) -> Result<Vec<Row>, Refusal> {
        let rows = self.reader.scan(Own::Records, range, limit, Order::Ascending);
        let row = |(key, bytes): (Vec<u8>, Vec<u8>)| {
            let id = key.get(self.prefix.len()..).unwrap_or_default();
            Row::from_bytes(&String::from_utf8_lossy(id), &bytes)
        };
        rows.map_err(unreadable)?.into_iter().map(row).collect()
    }
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Enough,
    More,
}

/// At most `limit` promotions after this one.
pub(super) fn promotions(
    reader: &Reader,
    after: Option<PromotionId>,
    limit: usize,
) -> Result<Vec<(PromotionId, Vec<u8>)>, Refusal> {
    let KeyRange { start, end } = KeyRange::prefix(&[PROMOTION]);
    let start = after.map_or(start, |after| [key(PROMOTION, after), Vec::from([0])].concat());
    let rows = reader.scan(Own::Records, &KeyRange { start, end }, limit, Order::Ascending);
    let row = |(key, bytes): (Vec<u8>, Vec<u8>)| {
        let id = key.get(1..).and_then(|id| id.try_into().ok())?;
        Some((PromotionId(id), bytes))
    };
    Ok(rows.map_err(unreadable)?.into_iter().filter_map(row).collect())
}

pub(super) fn put_promotion(id: PromotionId, bytes: Vec<u8>) -> Op {
    Op::put(Own::Records, key(PROMOTION, id), bytes)
}

pub(super) fn put_salt(id: PromotionId, salt: [u8; 32]) -> Op {
    Op::put(Own::Records, key(SALT, id), salt.to_vec())
}

/// Both rows of a promotion that never was.
pub(super) fn delete_promotion(id: PromotionId) -> Vec<Op> {
    [PROMOTION, SALT].map(|table| Op::delete(Own::Records, key(table, id))).into()
}

fn key(table: u8, id: PromotionId) -> Vec<u8> {
    [&[table][..], &id.0].concat()
}

fn unreadable(error: StoreError) -> Refusal {
    Refusal::new("store", error)
}
