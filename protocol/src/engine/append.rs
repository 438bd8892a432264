//! Stage 3 of 8: append. From `engine::edit` and `engine::accept`; to `engine::sync`.
//!
//! A verified run becomes writes in the batch that is being gathered. Its head may be told to
//! others only when the batch is durable: see [`Engine::persisted`], which alone sets `durable`.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    BatchId, Effect, Engine, Step,
    state::Feed,
    tables::{BranchNo, Table, place_key},
};
use crate::{
    feed::{Header, Kind, SignedHead, VerifiedRun},
    hash::{BoardId, EntryId, FeedId},
    sync::{HaveItem, Point},
};

impl Engine {
    /// Puts a verified run into its place and applies what it brings.
    pub(super) fn append(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
        run: &VerifiedRun,
    ) {
        let mut missing = Vec::new();
        for entry in run.entries() {
            let place = place_key(&id, no, entry.header.seq);
            self.pending.put(Table::Headers, place.clone(), entry.bytes.clone());
            self.place_of_artefact((board, id, no), &entry.header);
            match &entry.sealed {
                // What is not for us is not kept, even if somebody gave it to us.
                _ if !self.is_due(step, &board, &entry.header) => {}
                Some(sealed) => self.pending.put(Table::Payloads, place, sealed.to_bytes()),
                None => {
                    missing.push(entry.header.seq);
                    self.pending.put(Table::Missing, place, Vec::new());
                }
            }
        }
        for signed in run.mandatory_heads() {
            let place = place_key(&id, no, signed.head.size);
            self.pending.put(Table::Heads, place, signed.to_bytes());
        }
        self.note_times(step, (&board, &id, no), run);
        let Some(feed) = self.feed_mut(&board, &id) else {
            return;
        };
        feed.received_at = step.now;
        let Some(branch) = feed.branch_mut(no) else {
            return;
        };
        branch.tip = run.tip().clone();
        branch.head = Some(*run.newest_head());
        branch.missing.extend(missing);
        self.pending.consequences().heads.push((board, id, no, *run.newest_head()));
        let from = run.entries().first().map_or(0, |entry| entry.header.seq);
        if let Some(org) = self.feed(&board, &id).map(|feed| feed.descriptor.org)
            && (from, no) == (0, 0)
        {
            self.end_epochs(step, &board, &org);
        }
        self.note_ack_due(step, &board, &id, run);
        self.drop_what_counts_no_more(step, (&board, &id, no), from);
        self.count_waiting_acks(step, (&board, &id, no), from);
        self.apply_run(step, (board, id, no), run);
        self.put_record(&board, &id, no);
    }

    fn note_ack_due(&mut self, step: &Step<'_>, board: &BoardId, id: &FeedId, run: &VerifiedRun) {
        let Some(feed) = self.feed(board, id).filter(|feed| feed.fork.is_none()) else { return };
        let counts_below = self.counts_alone(step, feed, 0);
        let counting = || run.entries().iter().map(|entry| &entry.header);
        let counting = || counting().filter(|header| header.seq < counts_below);
        let news = || counting().map(|header| header.kind).filter(|kind| kind.calls_for_ack());
        let Some(board) = self.boards.get_mut(board) else { return };
        let own = board.own;
        let Some(feed) = board.feeds.get_mut(id) else { return };
        if *id == own || news().next().is_none() {
            return;
        }
        feed.ack_due = true;
        board.acks.due.get_or_insert(step.uptime);
        if news().any(Kind::is_governance) {
            board.acks.urgent.get_or_insert(step.uptime);
        }
    }

    /// A batch is durable: what it holds may be told to others.
    pub(super) fn persisted(&mut self, step: &mut Step<'_>, batch: BatchId) {
        let done = self.pending.persisted(batch);
        let mut touched: BTreeSet<(BoardId, FeedId)> = done.feeds.into_iter().collect();
        for (board, id, no, signed) in done.heads {
            if let Some(branch) = self.feed_mut(&board, &id).and_then(|feed| feed.branch_mut(no)) {
                branch.durable = Some(signed);
                touched.insert((board, id));
            }
        }
        // What we tell of a forked feed rests on evidence and acknowledgements, which must be durable.
        touched.retain(|(board, id)| {
            let is_forked = self.feed(board, id).is_some_and(|feed| feed.fork.is_some());
            !is_forked || !self.pending.concerns(id)
        });
        for (board, id) in &touched {
            self.refresh_item(step, board, id);
        }
        step.effects.extend(done.answers);
        let artefacts = done.artefacts.into_iter();
        step.effects
            .extend(artefacts.map(|(board, artefact)| Effect::Materialise { board, artefact }));
        self.announce(step, &touched);
    }

    /// Brings what we may tell of a feed up to date.
    pub(super) fn refresh_item(&mut self, step: &mut Step<'_>, board_id: &BoardId, id: &FeedId) {
        let item = self.feed(board_id, id).and_then(|feed| self.item_of(step, feed));
        let Some(board) = self.boards.get_mut(board_id) else {
            return;
        };
        let changed = match item {
            Some(item) => board.items.insert(*id, item.clone()) != Some(item),
            None => board.items.remove(id).is_some(),
        };
        if changed {
            board.digest = None;
            board.version = board.version.saturating_add(1);
        }
    }

    fn item_of(&self, step: &Step<'_>, feed: &Feed) -> Option<HaveItem> {
        let id = feed.trunk.tip.feed();
        let size = feed.trunk.durable_size();
        match feed.fork_index() {
            Some(index) if index <= size => {
                let before = self.id_before(step, feed, 0, index)?;
                Some(HaveItem(id, index, before, self.tips(step, feed)))
            }
            _ => feed
                .trunk
                .durable
                .map(|SignedHead { head, .. }| HaveItem(id, head.size, head.id, Vec::new())),
        }
    }

    /// The highest acknowledged entries above the fork that we durably hold, none below another.
    fn tips(&self, step: &Step<'_>, feed: &Feed) -> Vec<Point> {
        let index = feed.fork_index().unwrap_or(u64::MAX);
        let told = self.acknowledged_from(step, feed, index);
        let acked = |(no, branch): &(BranchNo, &super::state::Branch)| {
            let holds = |point: &&Point| {
                point.0 < branch.durable_size()
                    && self.id_at(step, feed, *no, point.0) == Some(point.1)
            };
            told.iter().filter(holds).max().copied()
        };
        let points: BTreeSet<Point> = feed.branches().filter_map(|branch| acked(&branch)).collect();
        let is_below_another = |point: &Point| {
            feed.branches().any(|(no, branch)| {
                acked(&(no, branch)).is_some_and(|other| other.0 > point.0)
                    && self.id_at(step, feed, no, point.0) == Some(point.1)
            })
        };
        points
            .iter()
            .copied()
            .filter(|point| !is_below_another(point))
            .take(super::fork::TIPS_MAX)
            .collect()
    }

    /// The header at a place of a branch, through the writes under way.
    pub(super) fn header_at(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        no: BranchNo,
        seq: u64,
    ) -> Option<Vec<u8>> {
        let key = place_key(&feed.trunk.tip.feed(), feed.stored_under(no, seq), seq);
        self.pending.get(step.reader, Table::Headers, &key)
    }

    /// The id of the entry at a place of a branch.
    pub(super) fn id_at(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        no: BranchNo,
        seq: u64,
    ) -> Option<EntryId> {
        let tip = &feed.branch(no)?.tip;
        match tip.size().checked_sub(1)? {
            last if seq > last => None,
            last if seq == last => Some(tip.id()),
            _ => self.header_at(step, feed, no, seq).map(|bytes| Header::id_of(&bytes)),
        }
    }

    /// The id before a place of a branch: [`EntryId::NONE`] before 0.
    pub(super) fn id_before(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        no: BranchNo,
        seq: u64,
    ) -> Option<EntryId> {
        match seq.checked_sub(1) {
            None => Some(EntryId::NONE),
            Some(before) => self.id_at(step, feed, no, before),
        }
    }
}
