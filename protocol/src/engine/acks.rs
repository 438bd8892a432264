//! Acknowledgements: counting those of others, and writing our own when they are due.
//!
//! Each acknowledgement is a row until a later one of the same organisation on the same chain
//! passes it. It counts on every chain that holds its entry; one that is ahead of what we hold, or
//! on a chain that we do not hold, waits in its row. Counting takes the highest, so the order of
//! arrival does not matter.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    record::AckRow,
    state::{Counted, Feed},
    tables::{BranchNo, Table, ack_key, acks_from, after_prefix, read_ack_key},
};
use crate::{
    feed::{Ack, AckItem, Draft, Kind},
    hash::{BoardId, FeedId},
    limits::{ACK_ITEMS_MAX, ACK_MISSING_MAX},
    sync::Point,
};

/// Least time between two acknowledgements when only content waits: one minute for each 36 members.
const INTERVAL_MS: u64 = 60_000;
/// Least time between two acknowledgements when governance waits.
const URGENT_INTERVAL_MS: u64 = 10_000;
/// Rows that are read at a time for entries that have just come.
const ROWS_MAX: usize = 100_000;

impl Engine {
    /// Takes in an acknowledgement that stands at `place` of feed `by`.
    pub(super) fn apply_ack(
        &mut self,
        step: &mut Step<'_>,
        board: &BoardId,
        (by, place): (FeedId, u64),
        ack: Ack,
    ) {
        let Some(org) = self.feed(board, &by).map(|feed| feed.descriptor.org) else { return };
        for item in ack.0 {
            let known = self.feed(board, &item.feed);
            if known.is_some_and(|feed| feed.descriptor.org == org) {
                continue;
            }
            let is_limited = known.is_some_and(Feed::is_limited);
            let complete = item.complete_through().map_or(0, |seq| seq.saturating_add(1));
            let key = ack_key(&item.feed, (item.seq, &item.id), &by);
            let said = self.pending.get(step.reader, Table::Acks, &key);
            let said = said.and_then(|bytes| AckRow::from_bytes(&bytes).ok());
            // Who says less of an entry than before takes nothing back.
            if said.is_none_or(|said| said.complete < complete) {
                self.pending.put(Table::Acks, key, AckRow { complete, place }.to_bytes());
            }
            self.pending.consequences().feeds.push((*board, item.feed));
            let counted = Counted { by, point: Point(item.seq, item.id), complete };
            let branches = self.count_everywhere(step, board, &item.feed, counted);
            for no in branches.into_iter().filter(|_| is_limited) {
                self.apply_stored(step, (*board, item.feed, no));
            }
        }
    }

    /// Counts an acknowledgement on every chain that holds its entry, and says which.
    fn count_everywhere(
        &mut self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        counted: Counted,
    ) -> Vec<BranchNo> {
        let Some(feed) = self.feed(board, id) else { return Vec::new() };
        let Point(seq, entry) = counted.point;
        let holding = feed.branches().map(|(no, _)| no);
        let holding = holding.filter(|no| self.id_at(step, feed, *no, seq) == Some(entry));
        let holding: Vec<BranchNo> = holding.collect();
        for no in &holding {
            self.count_ack(board, id, *no, counted);
        }
        holding
    }

    /// Counts an acknowledgement on a chain that holds its entry, and drops rows that are passed.
    fn count_ack(&mut self, board_id: &BoardId, id: &FeedId, no: BranchNo, new: Counted) {
        let Some(board) = self.boards.get_mut(board_id) else { return };
        let Some(org) = board.feeds.get(&new.by).map(|feed| feed.descriptor.org) else { return };
        let is_ours = new.by == board.own;
        // An acknowledgement that came before the feed it is about may turn out to be its own author's.
        let of_another = |feed: &&mut Feed| feed.descriptor.org != org;
        let Some(feed) = board.feeds.get_mut(id).filter(of_another) else { return };
        if is_ours {
            feed.acked_size = feed.acked_size.max(new.point.0.saturating_add(1));
        }
        let Some(branch) = feed.branch_mut(no) else { return };
        branch.acked = branch.acked.max(Some(new.point));
        let passed = branch.count(org, new);
        if let Some(Counted { by, point: Point(seq, entry), .. }) = passed {
            self.pending.remove(Table::Acks, ack_key(id, (seq, &entry), &by));
        }
    }

    /// Counts the acknowledgements that waited for entries of a chain from `from` on.
    pub(super) fn count_waiting_acks(
        &mut self,
        step: &Step<'_>,
        (board, id, no): (&BoardId, &FeedId, BranchNo),
        from: u64,
    ) {
        let Some(branch) = self.feed(board, id).and_then(|feed| feed.branch(no)) else { return };
        let (begin, end) = (acks_from(id, from), acks_from(id, branch.tip.size()));
        for (key, bytes) in self.pending.scan(step.reader, Table::Acks, (&begin, &end), ROWS_MAX) {
            let Some((seq, entry, by)) = read_ack_key(&key) else { continue };
            let Ok(row) = AckRow::from_bytes(&bytes) else { continue };
            let held = self.feed(board, id).and_then(|feed| self.id_at(step, feed, no, seq));
            if held == Some(entry) {
                let counted = Counted { by, point: Point(seq, entry), complete: row.complete };
                self.count_ack(board, id, no, counted);
            }
        }
    }

    /// Drops what our own feed says beyond its end of a chain's entries from `from` on, which are only now coming. Had
    /// it counted, we would have said it again (`engine/opening.rs`); it comes back when somebody else
    /// acknowledges it.
    pub(super) fn drop_what_counts_no_more(
        &mut self,
        step: &Step<'_>,
        (board, id, no): (&BoardId, &FeedId, BranchNo),
        from: u64,
    ) {
        let Some(of_board) = self.boards.get(board) else { return };
        let me = self.me.org;
        let of_ours = of_board.feeds.values().filter(|feed| feed.descriptor.org == me);
        if of_ours.count() < 2 {
            return;
        }
        let (begin, end) = (acks_from(id, from), after_prefix(id.as_bytes()).unwrap_or_default());
        for (key, bytes) in self.pending.scan(step.reader, Table::Acks, (&begin, &end), ROWS_MAX) {
            let Some((seq, entry, by)) = read_ack_key(&key) else { continue };
            let Ok(row) = AckRow::from_bytes(&bytes) else { continue };
            // What it says of another history is of entries that we held before, and counts.
            let held = self.feed(board, id).and_then(|feed| self.id_at(step, feed, no, seq));
            let is_ours = self.feed(board, &by).is_some_and(|feed| feed.descriptor.org == me);
            if is_ours && held == Some(entry) && !self.counts_at(step, board, &by, row.place) {
                self.pending.remove(Table::Acks, key);
            }
        }
    }

    /// Entries of a feed from a place on that somebody acknowledged, where everybody counts it: what our
    /// own feed says beyond its end may count with us alone.
    pub(super) fn acknowledged_from(&self, step: &Step<'_>, feed: &Feed, from: u64) -> Vec<Point> {
        let (board, id) = (feed.descriptor.board, feed.trunk.tip.feed());
        let end = after_prefix(id.as_bytes()).unwrap_or_default();
        let rows =
            self.pending.scan(step.reader, Table::Acks, (&acks_from(&id, from), &end), ROWS_MAX);
        let point = |(key, bytes): &(Vec<u8>, Vec<u8>)| {
            let (seq, entry, by) = read_ack_key(key)?;
            let row = AckRow::from_bytes(bytes).ok()?;
            self.counts_at(step, &board, &by, row.place).then_some(Point(seq, entry))
        };
        rows.iter().filter_map(point).collect()
    }

    /// Whether what stands at a place of a feed counts with everybody, on some chain of it.
    fn counts_at(&self, step: &Step<'_>, board: &BoardId, id: &FeedId, place: u64) -> bool {
        self.feed(board, id).is_some_and(|feed| {
            let mut numbers = feed.branches().map(|(no, _)| no);
            numbers.any(|no| place < self.counts_below(step, board, id, no))
        })
    }

    /// Whether what counts with us as our own acknowledgement stands beyond the end of another feed of ours,
    /// and so counts with nobody else (`engine/opening.rs`). We may have had no feed to say it again with.
    pub(super) fn is_said_in_vain(
        &self,
        step: &Step<'_>,
        (board, id): (&BoardId, &FeedId),
    ) -> bool {
        let said = self.feed(board, id).and_then(|feed| feed.trunk.complete.get(&self.me.org));
        let Some(Counted { by, point: Point(seq, entry), .. }) = said else { return false };
        let key = ack_key(id, (*seq, entry), by);
        let row = self.pending.get(step.reader, Table::Acks, &key);
        let row = row.and_then(|bytes| AckRow::from_bytes(&bytes).ok());
        row.is_some_and(|row| !self.counts_at(step, board, by, row.place))
    }

    /// Whether another organisation acknowledged this entry.
    pub(super) fn is_acknowledged(&self, step: &Step<'_>, id: &FeedId, at: Point) -> bool {
        let mut begin = acks_from(id, at.0);
        begin.extend_from_slice(at.1.as_bytes());
        let end = after_prefix(&begin).unwrap_or_default();
        !self.pending.scan(step.reader, Table::Acks, (&begin, &end), 1).is_empty()
    }

    /// Drafts the acknowledgements that are due by the clock.
    pub(super) fn draft_due_acks(&mut self, step: &Step<'_>) {
        let mut due = Vec::new();
        for (id, board) in &mut self.boards {
            let members = board.founding.charter().members.len() as u64;
            let interval = INTERVAL_MS.saturating_mul(members.div_ceil(36).max(1));
            let since = |last: Option<_>| last.map_or(u64::MAX, |last| step.uptime.ms_since(last));
            let is_due = (board.acks.urgent.is_some()
                && since(board.acks.last) >= URGENT_INTERVAL_MS)
                || (board.acks.due.is_some() && since(board.acks.last) >= interval);
            if !is_due || board.restoring.is_some() || !board.may_sign() {
                continue;
            }
            board.acks.last = Some(step.uptime);
            board.acks.due = None;
            board.acks.urgent = None;
            due.push(*id);
        }
        for board in due {
            self.draft_acks(step, &board);
        }
    }

    /// Drafts one acknowledgement of everything that waits for it, and cosignatures.
    pub(super) fn draft_acks(&mut self, step: &Step<'_>, board: &BoardId) {
        let Some(feeds) = self.boards.get(board).map(|board| board.feeds.values()) else { return };
        let due = feeds.filter(|feed| feed.ack_due && feed.descriptor.org != self.me.org);
        let points: Vec<(FeedId, Option<Point>)> = due
            .map(|feed| {
                let size = self.counts_alone(step, feed, 0).min(feed.trunk.tip.size());
                (feed.trunk.tip.feed(), self.last_below(step, feed, size))
            })
            .collect();
        let items = points.into_iter().filter_map(|(id, point)| {
            let feed = self.feed_mut(board, &id)?;
            feed.ack_due = false;
            point.map(|point| feed.acknowledge(point))
        });
        let items: Vec<AckItem> = items.collect();
        let Some(of_board) = self.boards.get_mut(board) else { return };
        for items in items.chunks(ACK_ITEMS_MAX) {
            of_board.drafts.push_back((None, Draft::of(Kind::ACK, Ack(items.to_vec()).to_bytes())));
        }
        self.draft_cosignatures(step, board);
    }

    /// The last of the first `size` entries of a feed's first chain.
    pub(super) fn last_below(&self, step: &Step<'_>, feed: &Feed, size: u64) -> Option<Point> {
        let seq = size.checked_sub(1)?;
        self.id_at(step, feed, 0, seq).map(|id| Point(seq, id))
    }
}

impl Feed {
    /// The acknowledgement of all that we hold of the feed up to an entry.
    pub(super) fn acknowledge(&mut self, Point(seq, id): Point) -> AckItem {
        let missing = || self.trunk.missing.iter().copied().filter(|missing| *missing <= seq);
        let first_unnamed = missing().nth(ACK_MISSING_MAX);
        let payloads_through = first_unnamed.map_or(seq, |next| next.saturating_sub(1));
        let missing = missing().take(ACK_MISSING_MAX).collect();
        self.ack_due = false;
        self.acked_size = self.acked_size.max(seq.saturating_add(1));
        AckItem {
            feed: self.trunk.tip.feed(),
            seq,
            id,
            payloads_through,
            missing,
            received_at: self.received_at,
        }
    }
}

impl Draft {
    /// A draft with nothing but a kind and a payload.
    pub(super) const fn of(kind: Kind, payload: Vec<u8>) -> Self {
        Self { kind, artefact: None, refs: Vec::new(), payload, attribution: None }
    }
}
