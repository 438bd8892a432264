//! Acknowledgements: counting those of others, and writing our own when they are due.
//!
//! One row is kept for each acknowledgement that is not passed by a later one on the same chain. An
//! acknowledgement counts on the chain that holds its entry; one that is ahead of what we hold
//! waits in its row until we catch up. Counting takes the highest, so the order of arrival does not
//! matter.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    record::AckRow,
    state::{Board, Counted, Feed},
    tables::{BranchNo, Table, ack_key},
};
use crate::{
    feed::{Ack, AckItem, Draft, Kind},
    hash::{BoardId, FeedId, OrgId},
    limits::{ACK_ITEMS_MAX, ACK_MISSING_MAX, ACK_POINTS_MAX},
    sync::Point,
};

/// Least time between two acknowledgements when only content waits: one minute for each 36 members.
const INTERVAL_MS: u64 = 60_000;
/// Least time between two acknowledgements when governance waits.
const URGENT_INTERVAL_MS: u64 = 10_000;
/// Rows that are looked through again for a feed that acknowledged far ahead of what we hold.
const TRIMMED_MAX: usize = 4_096;

impl Engine {
    /// Takes in an acknowledgement that stands at `place` of feed `by`.
    pub(super) fn apply_ack(
        &mut self,
        step: &mut Step<'_>,
        board: &BoardId,
        (by, place): (FeedId, u64),
        ack: Ack,
    ) {
        let Some(by_org) = self.feed(board, &by).map(|feed| feed.descriptor.org) else {
            return;
        };
        for item in ack.0 {
            let is_own =
                self.feed(board, &item.feed).is_some_and(|feed| feed.descriptor.org == by_org);
            if is_own {
                continue;
            }
            let complete_size = item.complete_through().map_or(0, |seq| seq.saturating_add(1));
            let row = AckRow { id: item.id, complete_size, place };
            self.pending.put(Table::Acks, ack_key(&item.feed, &by, item.seq), row.to_bytes());
            self.pending.consequences().feeds.push((*board, item.feed));
            let branch = self.match_ack(
                step,
                board,
                &item.feed,
                by,
                (Point(item.seq, item.id), complete_size),
            );
            let is_forked = self.feed(board, &item.feed).is_some_and(|feed| feed.fork.is_some());
            if let Some(no) = branch.filter(|_| is_forked) {
                self.apply_stored(step, (*board, item.feed, no));
            }
        }
    }

    /// Counts an acknowledgement on the chain that holds its entry, and says which; otherwise keeps
    /// it among the unmatched.
    pub(super) fn match_ack(
        &mut self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        by: FeedId,
        (point, complete): (Point, u64),
    ) -> Option<BranchNo> {
        let by_org = self.feed(board, &by)?.descriptor.org;
        let feed = self.feed(board, id)?;
        let holds = |no| self.id_at(step, feed, no, point.0) == Some(point.1);
        let no = feed.branches().map(|(no, _)| no).find(|no| holds(*no));
        let own = self.boards.get(board).map(|board| board.own);
        let feed = self.feed_mut(board, id)?;
        if own == Some(by) {
            feed.acked_size = feed.acked_size.max(point.0.saturating_add(1));
        }
        match no {
            Some(no) => {
                let passed =
                    feed.count_ack(no, by_org, Counted { by, seq: point.0, complete }, point);
                if let Some((by, seq)) = passed {
                    self.pending.remove(Table::Acks, ack_key(id, &by, seq));
                }
            }
            None => feed.keep_unmatched(point, by),
        }
        no
    }

    /// Tries the unmatched acknowledgements again on a chain that has grown.
    pub(super) fn rematch_acks(
        &mut self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        no: BranchNo,
    ) {
        let Some(feed) = self.feed(board, id) else {
            return;
        };
        let size = feed.branch(no).map_or(0, |branch| branch.tip.size());
        let mut within: Vec<_> =
            feed.unmatched.iter().take_while(|(point, _)| point.0 < size).copied().collect();
        for by in &feed.trimmed {
            let (from, to) = (ack_key(id, by, 0), ack_key(id, by, size));
            for (key, bytes) in
                self.pending.scan(step.reader, Table::Acks, (&from, &to), TRIMMED_MAX)
            {
                let seq = key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes));
                let row = AckRow::from_bytes(&bytes).ok();
                within.extend(seq.zip(row).map(|(seq, row)| (Point(seq, row.id), *by)));
            }
        }
        for (point, by) in within {
            let key = ack_key(id, &by, point.0);
            let row = self.pending.get(step.reader, Table::Acks, &key);
            let Some(row) = row.and_then(|bytes| AckRow::from_bytes(&bytes).ok()) else {
                continue;
            };
            if let Some(feed) = self.feed_mut(board, id) {
                feed.unmatched.remove(&(point, by));
            }
            self.match_ack(step, board, id, by, (point, row.complete_size));
        }
    }

    /// Drafts the acknowledgements that are due by the clock.
    pub(super) fn draft_due_acks(&mut self, step: &Step<'_>) {
        for board in self.boards.values_mut() {
            let members = board.founding.charter().members.len() as u64;
            let interval = INTERVAL_MS.saturating_mul(members.div_ceil(36).max(1));
            let since = |last: Option<_>| last.map_or(u64::MAX, |last| step.uptime.ms_since(last));
            let is_due = (board.acks.urgent.is_some()
                && since(board.acks.last) >= URGENT_INTERVAL_MS)
                || (board.acks.due.is_some() && since(board.acks.last) >= interval);
            if !is_due || board.restoring.is_some() || board.own_is_forked() {
                continue;
            }
            board.acks.last = Some(step.uptime);
            board.acks.due = None;
            board.acks.urgent = None;
            board.draft_acks();
        }
    }
}

impl Board {
    /// Whether our own feed is forked: then we sign nothing more in this epoch.
    pub(super) fn own_is_forked(&self) -> bool {
        self.feeds.get(&self.own).is_some_and(|feed| feed.fork.is_some())
    }

    /// Drafts one acknowledgement of everything that waits for it.
    fn draft_acks(&mut self) {
        let due = self.feeds.values_mut().filter(|feed| feed.ack_due);
        let items: Vec<AckItem> = due.filter_map(Feed::acknowledge).collect();
        for items in items.chunks(ACK_ITEMS_MAX) {
            self.drafts.push_back((None, Draft::of(Kind::ACK, Ack(items.to_vec()).to_bytes())));
        }
    }
}

impl Feed {
    /// The acknowledgement of all that we hold of the feed.
    pub(super) fn acknowledge(&mut self) -> Option<AckItem> {
        let tip = &self.trunk.tip;
        let seq = tip.size().checked_sub(1)?;
        let missing: Vec<u64> = self.trunk.missing.iter().copied().take(ACK_MISSING_MAX).collect();
        let first_unnamed = self.trunk.missing.iter().nth(ACK_MISSING_MAX);
        let payloads_through = first_unnamed.map_or(seq, |next| next.saturating_sub(1));
        self.ack_due = false;
        self.acked_size = tip.size();
        Some(AckItem {
            feed: tip.feed(),
            seq,
            id: tip.id(),
            payloads_through,
            missing,
            received_at: self.received_at,
        })
    }

    /// Counts an acknowledgement, and says which rows are passed by it or by an earlier one.
    fn count_ack(
        &mut self,
        no: BranchNo,
        org: OrgId,
        new: Counted,
        point: Point,
    ) -> Option<(FeedId, u64)> {
        let branch = self.branch_mut(no)?;
        branch.acked = branch.acked.max(Some(point));
        let old = branch.complete.insert(org, new).filter(|old| *old != new)?;
        if old.seq <= new.seq && old.complete <= new.complete {
            return Some((old.by, old.seq));
        }
        if new.seq <= old.seq && new.complete <= old.complete {
            branch.complete.insert(org, old);
            return Some((new.by, new.seq));
        }
        if old.complete > new.complete {
            branch.complete.insert(org, old);
        }
        None
    }

    /// Keeps what an acknowledging feed says of entries that we do not hold: its highest few.
    fn keep_unmatched(&mut self, point: Point, by: FeedId) {
        self.unmatched.insert((point, by));
        let of_feed: Vec<_> =
            self.unmatched.iter().filter(|(_, other)| *other == by).copied().collect();
        if let Some(lowest) = of_feed.first().filter(|_| of_feed.len() > ACK_POINTS_MAX) {
            self.unmatched.remove(lowest);
            self.trimmed.insert(by);
        }
    }
}

impl Draft {
    /// A draft with nothing but a kind and a payload.
    pub(super) const fn of(kind: Kind, payload: Vec<u8>) -> Self {
        Self { kind, artefact: None, refs: Vec::new(), payload, attribution: None }
    }
}
