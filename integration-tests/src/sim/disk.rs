//! A node's disk: what is flushed, what waits to be, and a backup.
//!
//! ```text
//! Effect::Persist ──▶ waiting, in order ──flush──▶ rows ──▶ what a reader sees, what a crash leaves
//!                        │                           │
//!                     crash: lost                 backup: an older copy that a restore brings back
//! ```
//!
//! *Invariants.* A batch is flushed whole or not at all, and never before one that was queued
//! earlier. A reader sees nothing that a crash could take.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, VecDeque};

use concordat_protocol::{
    engine::{BatchId, Op, Reader, Row, Table, place_key},
    feed::Header,
    hash::{EntryId, FeedId},
};

use super::clock::SimTime;

/// The rows of every table.
pub type Rows = BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>;

/// More branches of one feed than any simulated organisation ever signs.
const BRANCHES: u16 = 24;

/// One batch on its way to the platter.
#[derive(Debug)]
pub struct Waiting {
    /// The batch.
    pub batch: BatchId,
    /// Its writes.
    pub ops: Vec<Op>,
}

/// One node's disk.
#[derive(Debug, Default)]
pub struct Disk {
    rows: Rows,
    waiting: VecDeque<Waiting>,
    busy_until: SimTime,
    backup: Option<Rows>,
}

impl Disk {
    /// Queues a batch that takes `latency_ms` to write. Gives the time at which it is flushed.
    pub fn queue(
        &mut self,
        now: SimTime,
        latency_ms: u64,
        batch: BatchId,
        ops: Vec<Op>,
    ) -> SimTime {
        self.busy_until = self.busy_until.max(now).plus_ms(latency_ms);
        self.waiting.push_back(Waiting { batch, ops });
        self.busy_until
    }

    /// Writes the oldest waiting batch and gives it back.
    pub fn flush_next(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        apply(&mut self.rows, &waiting.ops);
        Some(waiting)
    }

    /// The batches that wait, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// Whether everything asked for is flushed.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Loses what is not flushed.
    pub fn crash(&mut self) {
        self.waiting.clear();
        self.busy_until = SimTime::default();
    }

    /// Takes a backup of what is flushed.
    pub fn back_up(&mut self) {
        self.backup = Some(self.rows.clone());
    }

    /// Whether there is a backup.
    #[must_use]
    pub const fn has_backup(&self) -> bool {
        self.backup.is_some()
    }

    /// Whether the backup has an entry of this feed.
    #[must_use]
    pub fn backup_has(&self, feed: &FeedId) -> bool {
        let headers = self.backup.as_ref().and_then(|rows| rows.get(&Table::Headers));
        headers.is_some_and(|rows| rows.contains_key(&place_key(feed, 0, 0)))
    }

    /// Puts the backup in the place of what is flushed; false when there is none.
    pub fn restore(&mut self) -> bool {
        self.crash();
        let Some(rows) = self.backup.take() else {
            return false;
        };
        self.rows = rows;
        true
    }

    /// Another disk with the same flushed rows.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { rows: self.rows.clone(), ..Self::default() }
    }

    /// Writes rows behind the engine's back, as a broken shell would.
    pub fn tamper(&mut self, ops: &[Op]) {
        apply(&mut self.rows, ops);
    }

    /// Whether the entry is flushed, on whichever branch.
    #[must_use]
    pub fn holds(&self, feed: &FeedId, seq: u64, id: &EntryId) -> bool {
        self.branch_of(feed, seq, id).is_some()
    }

    /// Whether the entry's payload is flushed.
    #[must_use]
    pub fn holds_payload(&self, feed: &FeedId, seq: u64, id: &EntryId) -> bool {
        let branch = self.branch_of(feed, seq, id);
        branch.is_some_and(|branch| self.has(Table::Payloads, &place_key(feed, branch, seq)))
    }

    /// The entries of a feed of which a payload is due and not flushed.
    pub fn missing(&self, feed: &FeedId) -> impl Iterator<Item = (u64, EntryId)> {
        let rows = self.rows(Table::Missing).map(|(key, _)| key);
        let places = rows.filter(|key| key.starts_with(feed.as_bytes()));
        places.filter_map(|key| {
            let (_, _, seq) = read_place(key)?;
            Some((seq, Header::id_of(self.row(Table::Headers, key)?)))
        })
    }

    /// The flushed header of branch 0 at a place.
    #[must_use]
    pub fn header(&self, feed: &FeedId, seq: u64) -> Option<&Vec<u8>> {
        self.rows.get(&Table::Headers)?.get(&place_key(feed, 0, seq))
    }

    /// One flushed row.
    #[must_use]
    pub fn row(&self, table: Table, key: &[u8]) -> Option<&[u8]> {
        self.rows.get(&table)?.get(key).map(Vec::as_slice)
    }

    /// The flushed rows of a table, ascending.
    pub fn rows(&self, table: Table) -> impl Iterator<Item = (&Vec<u8>, &Vec<u8>)> {
        self.rows.get(&table).into_iter().flatten()
    }

    fn branch_of(&self, feed: &FeedId, seq: u64, id: &EntryId) -> Option<u16> {
        let headers = self.rows.get(&Table::Headers)?;
        (0..BRANCHES).find(|branch| {
            let header = headers.get(&place_key(feed, *branch, seq));
            header.is_some_and(|bytes| Header::id_of(bytes) == *id)
        })
    }

    fn has(&self, table: Table, key: &[u8]) -> bool {
        self.rows.get(&table).is_some_and(|rows| rows.contains_key(key))
    }
}

fn apply(rows: &mut Rows, ops: &[Op]) {
    for op in ops {
        let table = rows.entry(op.table).or_default();
        match &op.value {
            Some(value) => table.insert(op.key.clone(), value.clone()),
            None => table.remove(&op.key),
        };
    }
}

impl Reader for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.rows.get(&table)?.get(key).cloned()
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        let Some(rows) = self.rows.get(&table).filter(|_| from < to) else {
            return Vec::new();
        };
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        rows.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)))
            .take(limit)
            .map(copy)
            .collect()
    }
}

/// The place that a row of a table by feed, branch and seq is about.
#[must_use]
pub fn read_place(key: &[u8]) -> Option<(FeedId, u16, u64)> {
    let (feed, rest) = key.split_first_chunk::<32>()?;
    let (branch, seq) = rest.split_first_chunk::<2>()?;
    let seq = u64::from_be_bytes(seq.try_into().ok()?);
    Some((FeedId::from_bytes(*feed), u16::from_be_bytes(*branch), seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: u8) -> Vec<Op> {
        vec![Op { table: Table::Cards, key: vec![key], value: Some(vec![key]) }]
    }

    #[test]
    fn a_crash_takes_what_is_not_flushed_and_a_restore_what_came_after_the_backup() {
        let mut disk = Disk::default();
        let at = SimTime::default();
        assert_eq!(disk.queue(at, 5, BatchId(1), put(1)), SimTime(5));
        assert_eq!(disk.queue(at, 5, BatchId(2), put(2)), SimTime(10));
        assert_eq!(disk.get(Table::Cards, &[1]), None);

        assert_eq!(disk.flush_next().unwrap().batch, BatchId(1));
        disk.back_up();
        disk.flush_next().unwrap();
        disk.queue(at, 5, BatchId(3), put(3));
        disk.crash();
        assert_eq!(disk.scan(Table::Cards, &[0], &[9], 9).len(), 2);

        assert!(disk.restore());
        assert_eq!(disk.scan(Table::Cards, &[0], &[9], 9), vec![(vec![1], vec![1])]);
        assert!(!disk.restore());
    }
}
