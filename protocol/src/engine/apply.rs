//! Stage 6 of 8: apply. From `engine::accept`; to `engine::view`.
//!
//! What entries do to acknowledgements, evidence, audiences and cards. What they make of an artefact is
//! worked out when somebody looks at it: see `replay`. Kinds this node does not understand are
//! stored and passed on.
//!
//! Above a fork, and beyond the end of an epoch, entries are applied only as far as another
//! organisation acknowledged them: those are the ones that every node comes to hold or that had an
//! effect before the end was known, so all nodes apply the same.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    state::Feed,
    tables::{BranchNo, Table, place_key},
};
use crate::{
    feed::{Ack, End, Evidence, Extent, Header, Kind, Sealed, VerifiedRun},
    hash::{BoardId, FeedId},
    payload::{Open, Widening},
    sync::Point,
};

impl Engine {
    /// Applies the entries of a run that was just appended, as far as they count.
    pub(super) fn apply_run(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
        run: &VerifiedRun,
    ) {
        let next = run.entries().first().map_or(0, |entry| entry.header.seq);
        let end = run.tip().size();
        let Some(branch) = self.feed_mut(&board, &id).and_then(|feed| feed.branch_mut(no)) else {
            return;
        };
        let in_step = branch.applied == next;
        if !in_step || self.counts_below(step, &board, &id, no) < end {
            self.apply_stored(step, (board, id, no));
            return;
        }
        if let Some(branch) = self.feed_mut(&board, &id).and_then(|feed| feed.branch_mut(no)) {
            branch.applied = end;
        }
        for entry in run.entries() {
            if let Some(sealed) = &entry.sealed {
                self.apply_entry(step, (board, id, no), &entry.header, sealed);
            }
        }
    }

    /// Applies stored entries that have come to count.
    pub(super) fn apply_stored(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
    ) {
        let end = self.counts_below(step, &board, &id, no);
        let Some(branch) = self.feed_mut(&board, &id).and_then(|feed| feed.branch_mut(no)) else {
            return;
        };
        let from = branch.applied;
        if from >= end {
            return;
        }
        branch.applied = end;
        self.put_record(&board, &id, no);
        let keys: Vec<_> = (from..end).map(|seq| place_key(&id, no, seq)).collect();
        for key in keys {
            let header = self.pending.get(step.reader, Table::Headers, &key);
            let sealed = self.pending.get(step.reader, Table::Payloads, &key);
            let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
            let sealed = sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok());
            if let (Some(header), Some(sealed)) = (header, sealed) {
                self.apply_entry(step, (board, id, no), &header, &sealed);
            }
        }
    }

    /// Up to which size the entries of a branch count: those that count alone, and those that
    /// another organisation acknowledged.
    pub(super) fn counts_below(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        no: BranchNo,
    ) -> u64 {
        let Some(feed) = self.feed(board, id) else { return 0 };
        let Some(branch) = feed.branch(no) else { return 0 };
        let acked = branch.acked.map_or(0, |Point(seq, _)| seq.saturating_add(1));
        self.counts_alone(step, feed, no).max(acked).min(branch.tip.size())
    }

    /// Up to which size the entries of a branch count whoever acknowledged them: those below a fork,
    /// and up to the end that a later epoch names, if the entry named is on this chain.
    pub(super) fn counts_alone(&self, step: &Step<'_>, feed: &Feed, no: BranchNo) -> u64 {
        let by_epochs = match feed.extent {
            Extent::Open => u64::MAX,
            Extent::Until(End(seq, id)) => match self.id_at(step, feed, no, seq) {
                Some(held) if held != id => seq,
                Some(_) | None => seq.saturating_add(1),
            },
            Extent::Contested | Extent::Superseded => 0,
        };
        by_epochs.min(feed.fork_index().unwrap_or(u64::MAX))
    }

    /// Applies one verified entry whose payload is here.
    pub(super) fn apply_entry(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
        header: &Header,
        sealed: &Sealed,
    ) {
        match header.kind {
            // Under a charter that we do not know, an entry waits; evidence proves itself.
            Kind::ACK if header.charter == board.as_charter() => {
                if let Ok(ack) = Ack::from_bytes(sealed.payload.bytes()) {
                    let owner =
                        self.feed(&board, &id).map_or(no, |of| of.stored_under(no, header.seq));
                    let place = place_key(&id, owner, header.seq);
                    self.pending.put(Table::AckPlaces, place, Vec::new());
                    self.apply_ack(step, &board, (id, header.seq), ack);
                }
            }
            Kind::EVIDENCE => {
                if let Ok(Evidence::Fork(proof)) = Evidence::from_bytes(sealed.payload.bytes()) {
                    self.learn_fork(step, proof, Some((id, header.seq)));
                }
            }
            Kind::CHECKPOINT if no == 0 => {
                let payload = (header.seq, sealed.payload.bytes());
                self.apply_checkpoint(step, (board, id), payload);
            }
            Kind::COSIGN => self.apply_cosigned(&board, &id, sealed.payload.bytes()),
            Kind::OPEN => {
                if let Ok(open) = Open::from_bytes(sealed.payload.bytes()) {
                    self.apply_open(step, (board, id), (header, open));
                }
            }
            Kind::AUDIENCE => {
                if let Ok(widening) = Widening::from_bytes(sealed.payload.bytes()) {
                    self.apply_widening(step, (board, id), (header, widening));
                }
            }
            Kind::CARD => {
                let payload = (header.seq, sealed.payload.bytes());
                self.apply_card(step, (board, id), payload);
            }
            _ => {}
        }
    }
}
