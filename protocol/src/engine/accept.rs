//! Stage 5 of 8: verify. From `sync::session`; to `engine::apply`.
//!
//! What came in is checked and put in its place, or refused with the reason. A run that continues
//! another chain than ours is no fault: the copies are compared, and only two signed heads that
//! contradict each other accuse anybody.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    io::Report,
    state::{Asked, Branch, Onto},
    tables::{BranchNo, Table, feed_key, place_key, placed_key},
};
use crate::{
    feed::{Header, Misbehaved, Run, Tip, VerifiedRun, verify_run},
    hash::{BoardId, FeedId, NodeKey},
    limits::{ACK_POINTS_MAX, KIB, PUSH_BYTES_MAX},
    sync::{HaveItem, Point},
};

/// How a run came: the number it answers (0 when pushed), whether that ends the answer, and the
/// length of its frame in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) request: u64,
    pub(super) last: bool,
    pub(super) bytes: usize,
}

impl Engine {
    /// A run came in.
    pub(super) fn accept_run(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        arrival: Arrival,
        run: Run,
    ) {
        let Arrival { request, last, bytes } = arrival;
        let asked = self.entries_asked(&peer, request, &run.feed);
        // Unasked, only what is small is taken, and only while the disk keeps up.
        let is_small = bytes <= PUSH_BYTES_MAX.saturating_add(KIB);
        if asked.is_none() && (request != 0 || !is_small || self.is_disk_behind()) {
            self.close_request(&peer, request);
            return;
        }
        let (onto, target) = asked.unwrap_or((Onto::Branch(0), None));
        let id = run.feed;
        let board = self.board_of_run(step, peer, &run);
        let grown =
            board.is_some_and(|board| self.place_run(step, peer, board, (onto, target), run));
        if grown && !last && self.renew_request(step, &peer, request) {
            return;
        }
        let closed = self.close_request(&peer, request);
        match (closed, board) {
            (Some(Asked::Entries { board, target: None, .. }), _) if !grown => {
                self.given_nothing_new(step, &peer, &board, &id);
            }
            (Some(Asked::Entries { board, target: Some(target), .. }), _) => {
                // An answer that ends before it leads there was no way there.
                let is_astray = last && self.discard_unacknowledged(step, &board, &id);
                if grown && !is_astray {
                    self.reached_more(step, peer, (board, id), target);
                }
            }
            _ => {}
        }
    }

    /// Verifies a run and appends it. Says whether it was appended.
    fn place_run(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        board: BoardId,
        (onto, target): (Onto, Option<Point>),
        run: Run,
    ) -> bool {
        let id = run.feed;
        let claimed = run.heads.last().map(|signed| signed.head);
        let outcome = match (onto, self.end_continued_by(&board, &run)) {
            (Onto::Branch(no), _) | (Onto::New, Some(no)) => {
                self.extend_branch(step, (board, id, no), run, target)
            }
            (Onto::New, None) => self.new_branch(step, (board, id), run, target),
        };
        match outcome {
            Ok(Placed::Trunk(point)) => self.note_theirs(&board, &peer, id, point),
            Ok(Placed::Branch) => {}
            Ok(Placed::Nowhere) => return false,
            Ok(Placed::Elsewhere) => {
                let sentence = "it answered with other entries than the ones it told of";
                self.drop_peer(step, peer, "not-the-target", &sentence);
                return false;
            }
            Err(Misbehaved::WrongPrev { .. }) => {
                self.mark_differing(&peer, &board, id);
                return false;
            }
            // Somebody else was quicker, perhaps with other entries. Or the peer did not know how
            // much we hold, as after its start: what lies beyond is asked for.
            Err(Misbehaved::WrongSeq { .. }) => {
                if let Some(head) = claimed {
                    let item = HaveItem(id, head.size, head.id, Vec::new());
                    self.heard_of(step, &peer, &board, item);
                }
                return false;
            }
            Err(why) => {
                step.report(Report::RunRefused { peer, feed: id, why: why.clone() });
                if !why.is_by_author() {
                    self.drop_peer(step, peer, why.code(), &why);
                }
                return false;
            }
        }
        true
    }

    /// A run that we could not append says how much its sender holds.
    fn heard_of(&mut self, step: &mut Step<'_>, peer: &NodeKey, board: &BoardId, item: HaveItem) {
        let id = item.0;
        let ours = self.feed(board, &id).map_or(0, |feed| feed.trunk.tip.size());
        if item.1 <= ours && !self.differs(step, board, &item) {
            return;
        }
        if let Some(knowledge) = self.knowledge_mut(peer, board) {
            knowledge.theirs.insert(id, item);
        }
        self.compare_item(step, *peer, *board, id);
    }

    /// The chain of a forked feed that ends where a run begins.
    fn end_continued_by(&self, board: &BoardId, run: &Run) -> Option<BranchNo> {
        let feed = self.feed(board, &run.feed).filter(|feed| feed.fork.is_some())?;
        let ends_there =
            |branch: &Branch| branch.tip.size() == run.from && branch.tip.id() == run.before;
        feed.branches().find(|(_, branch)| ends_there(branch)).map(|(no, _)| no)
    }

    /// Appends a run to a chain that we hold. Above a fork, only what leads to an acknowledged
    /// entry is taken.
    fn extend_branch(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
        run: Run,
        target: Option<Point>,
    ) -> Result<Placed, Misbehaved> {
        let Some(feed) = self.feed(&board, &id) else { return Ok(Placed::Nowhere) };
        let Some(branch) = feed.branch(no) else { return Ok(Placed::Nowhere) };
        let is_below_fork = feed.fork_index().is_none_or(|index| run.from < index);
        if !is_below_fork && target.is_none() {
            return Ok(Placed::Nowhere);
        }
        let run = verify_run(&branch.tip, &feed.descriptor, run)?;
        if leads_elsewhere(&run, target) {
            return Ok(Placed::Elsewhere);
        }
        self.append(step, (board, id, no), &run);
        let head = run.newest_head().head;
        Ok(if no == 0 { Placed::Trunk(Point(head.size, head.id)) } else { Placed::Branch })
    }

    /// Begins a new chain of a forked feed with a run that leaves the trunk at the fork. What it
    /// shares with another such chain is stored again: forks are rare, and chains stay simple.
    fn new_branch(
        &mut self,
        step: &mut Step<'_>,
        (board, id): (BoardId, FeedId),
        run: Run,
        target: Option<Point>,
    ) -> Result<Placed, Misbehaved> {
        let members =
            self.boards.get(&board).map_or(0, |board| board.founding.charter().members.len());
        let Some(feed) = self.feed(&board, &id) else { return Ok(Placed::Nowhere) };
        let is_full = feed.others.len() >= members.saturating_mul(ACK_POINTS_MAX);
        if is_full || feed.fork_index() != Some(run.from) {
            return Ok(Placed::Nowhere);
        }
        let Some(tip) = self.tip_at_fork(step, &board, &id) else { return Ok(Placed::Nowhere) };
        let Some(feed) = self.feed(&board, &id) else { return Ok(Placed::Nowhere) };
        let run: VerifiedRun = verify_run(&tip, &feed.descriptor, run)?;
        if leads_elsewhere(&run, target) {
            return Ok(Placed::Elsewhere);
        }
        let head = run.newest_head().head;
        let last = head.size.saturating_sub(1);
        let held = |no| self.id_at(step, feed, no, last) == Some(head.id);
        if feed.branches().any(|(no, _)| held(no)) {
            return Ok(Placed::Nowhere);
        }
        let no = BranchNo::try_from(feed.others.len().saturating_add(1)).unwrap_or(BranchNo::MAX);
        let start = tip.size();
        if let Some(feed) = self.feed_mut(&board, &id) {
            feed.others.push(Branch::new(start, tip));
        }
        self.append(step, (board, id, no), &run);
        Ok(Placed::Branch)
    }

    /// Drops the last chains of a forked feed that nobody acknowledged: a peer said they would lead
    /// to an acknowledged entry, and they did not. Says whether there were any.
    fn discard_unacknowledged(&mut self, step: &Step<'_>, board: &BoardId, id: &FeedId) -> bool {
        let mut any = false;
        loop {
            let Some(feed) = self.feed_mut(board, id) else { return any };
            let index = feed.fork_index().unwrap_or(u64::MAX);
            let last =
                feed.others.pop_if(|branch| branch.acked.is_none_or(|Point(seq, _)| seq < index));
            let Some(branch) = last else { return any };
            any = true;
            let no =
                BranchNo::try_from(feed.others.len().saturating_add(1)).unwrap_or(BranchNo::MAX);
            self.pending.remove(Table::Feeds, feed_key(board, id, no));
            for seq in branch.start..branch.tip.size() {
                let header = self.pending.get(step.reader, Table::Headers, &place_key(id, no, seq));
                let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
                if let Some(artefact) = header.and_then(|header| header.artefact) {
                    self.pending.remove(Table::Placed, placed_key(&artefact, id, no, seq));
                }
                for table in [Table::Headers, Table::Payloads, Table::Missing] {
                    self.pending.remove(table, place_key(id, no, seq));
                }
                let size = seq.saturating_add(1);
                self.pending.remove(Table::Heads, place_key(id, no, size));
            }
        }
    }

    /// The end that the trunk had at the fork, from the stored headers; read once.
    fn tip_at_fork(&mut self, step: &Step<'_>, board: &BoardId, id: &FeedId) -> Option<Tip> {
        let feed = self.feed(board, id)?;
        let size = feed.fork_index()?;
        if let Some(tip) = feed.fork_tip.as_ref().filter(|tip| tip.size() == size) {
            return Some(tip.clone());
        }
        let mut tip = Tip::empty(*id);
        for seq in 0..size {
            tip.replay(&self.header_at(step, feed, 0, seq)?).ok()?;
        }
        self.feed_mut(board, id)?.fork_tip = Some(tip.clone());
        Some(tip)
    }
}

/// Where a verified run went.
enum Placed {
    /// To the trunk: the peer holds it up to here.
    Trunk(Point),
    /// To another chain of a forked feed.
    Branch,
    /// Nowhere: it is held, or may not stand.
    Nowhere,
    /// Nowhere: it passes the acknowledged entry that it should lead to on another chain.
    Elsewhere,
}

/// Whether a run passes the place of the entry that it should lead to with another entry.
fn leads_elsewhere(run: &VerifiedRun, target: Option<Point>) -> bool {
    let Some(Point(seq, id)) = target else { return false };
    run.entries().iter().any(|entry| entry.header.seq == seq && entry.id != id)
}
