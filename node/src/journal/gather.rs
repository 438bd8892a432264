//! The journal of a running replica: lines are gathered, and written with the commits of what they tell.
//!
//! ```text
//!   tell ──▶ lines, some of a batch ──write(batch)──▶ rows of that batch's commit ──▶ new head
//!                                   ──write(none)───▶ rows of a commit of their own, once a tick
//! ```
//!
//! *Invariants.* A line that tells of a batch is in the commit of that batch or of a later one, never of an
//! earlier one. What is written for every line of a kind that others can bring about at will is bounded by
//! the minute; lines that were left out are counted in the journal.
//!
//! *Source*: ours.

use std::collections::BTreeMap;

use concordat_protocol::engine::BatchId;

use super::{
    Aside, Event, Line, Outcome,
    chain::{Anchor, last_head, row_hash},
    entry::{Entry, Head, row},
};
use crate::{
    clock,
    store::{KeyRange, Op, Order, Own, Reader, StoreError},
};

/// Lines that may wait, beside those of batches.
const LINES_MAX: usize = 4_096;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Entries that are removed in one commit.
const PRUNED_AT_ONCE: usize = 256;

/// See the module.
#[derive(Debug)]
pub struct Journal {
    head: Head,
    lines: Vec<(Option<BatchId>, Line)>,
    quota: Quota,
    aside: Aside,
    /// When old entries were looked for last.
    pruned_ms: u64,
}

impl Journal {
    /// Goes on after what is durable. Told of in the journal itself, if that is not what the high-water
    /// file says: `marked`.
    ///
    /// # Errors
    /// - [`StoreError`]: the store could not be read.
    pub fn open(reader: &Reader, marked: Option<Head>) -> Result<Self, StoreError> {
        let head = last_head(reader)?;
        let (lines, quota, aside) = (Vec::new(), Quota::default(), Aside::default());
        let mut journal = Self { head, lines, quota, aside, pruned_ms: 0 };
        if let Some(marked) = marked
            && row_hash(reader, marked)? != Some(marked.hash)
        {
            let digest = data_encoding::HEXLOWER.encode(&marked.hash);
            tracing::error!(
                code = "journal-cut",
                number = marked.number,
                digest,
                held = head.number,
                "the journal does not hold the last entry that it had held: it was shortened, changed, or is an \
                 older copy; keep a copy of the store, and compare it with the last export"
            );
            journal.tell(Event::JournalCut { entry: marked.number, digest, held: head.number });
        }
        Ok(journal)
    }

    /// The last entry, once all that was handed out is durable.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// For whoever tells from another thread.
    #[must_use]
    pub fn aside(&self) -> Aside {
        self.aside.clone()
    }

    /// Tells what happened.
    pub fn tell(&mut self, event: Event) {
        self.take(None, Line::done(event));
    }

    /// Tells what was refused, with the code of the refusal.
    pub fn tell_refused(&mut self, event: Event, code: &str) {
        self.take(None, Line::refused(event, code));
    }

    /// Takes a line that tells of a batch, or of none.
    pub fn take(&mut self, batch: Option<BatchId>, line: Line) {
        let alike = self.lines.iter_mut().rev().filter(|(of, _)| *of == batch);
        for (_, earlier) in alike {
            if earlier.absorb(&line) {
                return;
            }
        }
        let is_full = batch.is_none() && self.lines.len() >= LINES_MAX;
        if is_full || !self.quota.allows(&line) {
            self.quota.leave_out(line.event.code(), 1);
            return;
        }
        self.lines.push((batch, line));
    }

    /// The rows of all lines that wait, but those of later batches than this; they go into the next commit.
    pub fn write(&mut self, batch: Option<BatchId>) -> Vec<Op> {
        let told = self.aside.take();
        for line in told.lines {
            self.take(None, line);
        }
        if told.left_out > 0 {
            self.quota.leave_out("aside", told.left_out);
        }
        let is_due = |of: &Option<BatchId>| of.is_none_or(|of| batch.is_some_and(|to| of <= to));
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.lines).into_iter().partition(|(of, _)| is_due(of));
        self.lines = later;
        due.into_iter().map(|(_, line)| self.append(&line)).collect()
    }

    /// Once a minute what was left out, and once an hour what is too old: the ops that remove it.
    ///
    /// # Errors
    /// - [`StoreError`]: the store could not be read.
    pub fn keep_house(&mut self, reader: &Reader, days: u64) -> Result<Vec<Op>, StoreError> {
        let now = clock::now_ms();
        for (event, times) in self.quota.renew(now) {
            let of = event.to_owned();
            self.lines.push((None, Line::done(Event::LinesLeftOut { of, times })));
        }
        if now.saturating_sub(self.pruned_ms) < HOUR_MS {
            return Ok(Vec::new());
        }
        let before = now.saturating_sub(days.saturating_mul(DAY_MS));
        let removed = self.prune(reader, before)?;
        // With more to remove, the next tick goes on.
        if removed.is_empty() {
            self.pruned_ms = now;
        }
        Ok(removed)
    }

    fn prune(&mut self, reader: &Reader, before_ms: u64) -> Result<Vec<Op>, StoreError> {
        let range = KeyRange { start: key(1), end: Some(key(self.head.number)) };
        let rows = reader.scan(Own::Journal, &range, PRUNED_AT_ONCE, Order::Ascending)?;
        let is_old = |row: &[u8]| Entry::from_row(row).is_ok_and(|one| one.time_ms < before_ms);
        let old: Vec<_> = rows.into_iter().take_while(|(_, row)| is_old(row)).collect();
        let Some((last, row)) = old.last() else { return Ok(Vec::new()) };
        let number = last.as_slice().try_into().map(u64::from_be_bytes).unwrap_or_default();
        let anchor = Anchor(Head { number, hash: super::entry::hash(row) });
        let digest = data_encoding::HEXLOWER.encode(&anchor.0.hash);
        let pruned = Event::JournalPruned { entry: number, digest, entries: old.len() as u64 };
        // In the same commit, whatever else waits.
        self.lines.push((None, Line::done(pruned)));
        let mut ops: Vec<Op> =
            old.into_iter().map(|(key, _)| Op::delete(Own::Journal, key)).collect();
        ops.push(anchor.to_op());
        Ok(ops)
    }

    fn append(&mut self, line: &Line) -> Op {
        let (row, head) = row(self.head, line.time_ms, &line.event, &line.outcome);
        self.head = head;
        Op::put(Own::Journal, key(head.number), row)
    }
}

/// The key of an entry.
pub(super) fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

impl Line {
    /// A line of this moment.
    #[must_use]
    pub fn done(event: Event) -> Self {
        Self { time_ms: clock::now_ms(), event, outcome: Outcome::Done }
    }

    /// The same, of what was refused. A code that a peer wrote is kept only if it is one.
    #[must_use]
    pub fn refused(event: Event, code: &str) -> Self {
        Self { outcome: Outcome::Refused(super::plain_code(code)), ..Self::done(event) }
    }

    pub(super) fn absorb(&mut self, later: &Self) -> bool {
        self.outcome == later.outcome && self.event.absorb(&later.event)
    }
}

/// How many lines of a kind were written in this minute.
#[derive(Debug, Default)]
struct Quota {
    began_ms: u64,
    written: BTreeMap<&'static str, u64>,
    left_out: BTreeMap<&'static str, u64>,
}

impl Quota {
    fn allows(&mut self, line: &Line) -> bool {
        let Some(most) = line.event.most_per_minute() else { return true };
        let written = self.written.entry(line.event.code()).or_default();
        *written = written.saturating_add(1);
        *written <= most
    }

    fn leave_out(&mut self, event: &'static str, times: u64) {
        let left_out = self.left_out.entry(event).or_default();
        *left_out = left_out.saturating_add(times);
    }

    /// Begins the next minute if it is time, and gives what was left out in the last one.
    fn renew(&mut self, now: u64) -> BTreeMap<&'static str, u64> {
        if now.abs_diff(self.began_ms) < MINUTE_MS {
            return BTreeMap::new();
        }
        self.began_ms = now;
        self.written.clear();
        std::mem::take(&mut self.left_out)
    }
}
