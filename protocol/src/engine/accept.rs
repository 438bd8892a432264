//! Stage 5 of 8: verify. From `sync::session`; to `engine::apply`.
//!
//! What came in is checked and put in its place, or refused with the reason. A run that continues
//! another chain than ours is no fault: the copies are compared, and only two signed heads that
//! contradict each other accuse anybody.

use super::{
    Engine, Step,
    io::Report,
    state::{Asked, Branch, Onto},
    tables::{BranchNo, Table, place_key},
};
use crate::{
    feed::{
        BadOpening, Body, Descriptor, Header, Kind, Misbehaved, OpenFeed, Run, Sealed, Tip,
        VerifiedRun, verify_run,
    },
    hash::{BoardId, FeedId, NodeKey},
    limits::ACK_POINTS_MAX,
    sync::{Message, NoPayload, Point},
};

impl Engine {
    /// A run came in: pushed, or in answer to a request.
    pub(super) fn accept_run(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (request, last): (u64, bool),
        run: Run,
    ) {
        let asked = if last {
            self.close_request(&peer, request)
        } else {
            self.asked(step, &peer, request)
        };
        let (onto, target) = match asked {
            Some(Asked::Entries { feed, onto, target, .. }) if feed == run.feed => (onto, target),
            _ => (Onto::Branch(0), None),
        };
        let Some(board) = self.board_of_run(step, peer, &run) else {
            return;
        };
        let id = run.feed;
        let outcome = match (onto, self.end_continued_by(&board, &run)) {
            (Onto::Branch(no), _) | (Onto::New, Some(no)) => {
                self.extend_branch(step, (board, id, no), run, target.is_some())
            }
            (Onto::New, None) => self.new_branch(step, (board, id), run),
        };
        match outcome {
            Ok(point) => {
                if let Some(point) = point {
                    self.note_theirs(&board, &peer, id, point);
                }
                self.reached_more(step, peer, (board, id), target);
            }
            Err(Misbehaved::WrongPrev { .. }) => self.start_compare(step, peer, board, id),
            // Somebody else was quicker, or we are not so far: the next `have` tells.
            Err(Misbehaved::WrongSeq { .. }) => {}
            Err(why) => {
                step.report(Report::RunRefused { peer, feed: id, why: why.clone() });
                if !why.is_by_author() {
                    self.drop_peer(step, peer, why.code(), &why);
                }
            }
        }
    }

    /// The chain of a forked feed that ends where a run begins.
    fn end_continued_by(&self, board: &BoardId, run: &Run) -> Option<BranchNo> {
        let feed = self.feed(board, &run.feed).filter(|feed| feed.fork.is_some())?;
        let ends_there =
            |branch: &Branch| branch.tip.size() == run.from && branch.tip.id() == run.before;
        feed.branches().find(|(_, branch)| ends_there(branch)).map(|(no, _)| no)
    }

    /// Appends a run to a chain that we hold. Gives what the peer is then known to hold.
    fn extend_branch(
        &mut self,
        step: &mut Step<'_>,
        (board, id, no): (BoardId, FeedId, BranchNo),
        run: Run,
        wanted: bool,
    ) -> Result<Option<Point>, Misbehaved> {
        let Some(feed) = self.feed(&board, &id) else {
            return Ok(None);
        };
        let Some(branch) = feed.branch(no) else {
            return Ok(None);
        };
        let stands = feed.fork_index().is_none_or(|index| run.from < index) || wanted;
        if !stands {
            return Ok(None);
        }
        let run = verify_run(&branch.tip, &feed.descriptor, run)?;
        self.append(step, (board, id, no), &run);
        let head = run.newest_head().head;
        Ok((no == 0).then_some(Point(head.size, head.id)))
    }

    /// Begins a new chain of a forked feed with a run that leaves ours at the fork.
    fn new_branch(
        &mut self,
        step: &mut Step<'_>,
        (board, id): (BoardId, FeedId),
        run: Run,
    ) -> Result<Option<Point>, Misbehaved> {
        let members =
            self.boards.get(&board).map_or(0, |board| board.founding.charter().members.len());
        let Some(feed) = self.feed(&board, &id) else {
            return Ok(None);
        };
        let branches_max = members.saturating_mul(ACK_POINTS_MAX);
        if feed.others.len() >= branches_max || feed.fork_index() != Some(run.from) {
            return Ok(None);
        }
        let Some(tip) = self.tip_at(step, &board, &id, run.from) else {
            return Ok(None);
        };
        let Some(feed) = self.feed(&board, &id) else {
            return Ok(None);
        };
        let verified: VerifiedRun = verify_run(&tip, &feed.descriptor, run)?;
        let first = verified.entries().first().map(|entry| (entry.header.seq, entry.id));
        let is_held = first.is_some_and(|(seq, entry)| {
            feed.branches().any(|(no, _)| self.id_at(step, feed, no, seq) == Some(entry))
        });
        let no = BranchNo::try_from(feed.others.len().saturating_add(1)).unwrap_or(BranchNo::MAX);
        if is_held {
            return Ok(None);
        }
        let start = tip.size();
        if let Some(feed) = self.feed_mut(&board, &id) {
            feed.others.push(Branch::new(start, tip));
        }
        self.append(step, (board, id, no), &verified);
        Ok(None)
    }

    /// The end that the trunk had at `size`, from the stored headers.
    pub(super) fn tip_at(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        size: u64,
    ) -> Option<Tip> {
        let feed = self.feed(board, id)?;
        if feed.trunk.tip.size() == size {
            return Some(feed.trunk.tip.clone());
        }
        let mut tip = Tip::empty(*id);
        for seq in 0..size {
            tip.replay(&self.header_at(step, feed, 0, seq)?).ok()?;
        }
        Some(tip)
    }

    /// The board that a run belongs to; opens a later epoch's feed when the run begins with one.
    fn board_of_run(&mut self, step: &mut Step<'_>, peer: NodeKey, run: &Run) -> Option<BoardId> {
        if let Some(board) = self.feeds.get(&run.feed) {
            return self.shares(&peer, board).then_some(*board);
        }
        let opening = opening_of(run)?;
        let descriptor = opening.descriptor;
        if !self.shares(&peer, &descriptor.board) {
            return None;
        }
        match self.check_opening(run.feed, &opening) {
            Ok(()) => {
                self.remember_feed(step, descriptor);
                if let Some(board) = self.boards.get_mut(&descriptor.board) {
                    board.end_epoch(&opening);
                }
                Some(descriptor.board)
            }
            Err(why) => {
                step.report(Report::OpeningRefused { org: descriptor.org, feed: run.feed, why });
                None
            }
        }
    }

    /// Checks a later epoch's opening against the epoch before.
    fn check_opening(&self, feed: FeedId, opening: &OpenFeed) -> Result<(), BadOpening> {
        let Descriptor { board, org, epoch, .. } = opening.descriptor;
        if opening.descriptor.feed_id() != feed {
            return Err(BadOpening::OtherFeed);
        }
        let board = self.boards.get(&board).ok_or(BadOpening::NotAMember)?;
        let member = board.founding.charter().member(&org).ok_or(BadOpening::NotAMember)?;
        let of_org = board.feeds.values().filter(|feed| feed.descriptor.org == org);
        let before = of_org
            .filter(|feed| feed.descriptor.epoch < epoch)
            .max_by_key(|feed| feed.descriptor.epoch);
        let before = before.ok_or(BadOpening::KeyNotInCharter)?;
        opening.check_next(&before.descriptor, &member.recovery_digest)
    }

    /// A piece of a payload came in.
    pub(super) fn accept_piece(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        request: u64,
        (offset, total, piece): (u64, u64, &[u8]),
    ) {
        let Some(Asked::Payload { board, feed, branch, at, mut got }) =
            self.close_request(&peer, request)
        else {
            return;
        };
        let is_next =
            offset == got.len() as u64 && !piece.is_empty() && total <= Sealed::BYTES_MAX as u64;
        got.extend_from_slice(piece);
        let len = got.len() as u64;
        if !is_next || len > total {
            let sentence =
                alloc::format!("piece at byte {offset} of {total} does not continue {len} bytes");
            self.drop_peer(step, peer, "payload-out-of-place", &sentence);
            return;
        }
        if len < total {
            let asked = Asked::Payload { board, feed, branch, at, got };
            self.ask(step, peer, asked, |request| Message::WantPayload {
                request,
                feed,
                at,
                offset: len,
            });
            return;
        }
        self.accept_payload(step, peer, (board, feed, branch, at), &got);
    }

    fn accept_payload(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (board, id, no, at): (BoardId, FeedId, BranchNo, Point),
        bytes: &[u8],
    ) {
        let Some(feed) = self.feed_mut(&board, &id) else {
            return;
        };
        feed.fetching.remove(&(no, at.0));
        let Some(feed) = self.feed(&board, &id) else {
            return;
        };
        let header = self.header_at(step, feed, no, at.0);
        let Some(header) = header.and_then(|bytes| Header::from_bytes(&bytes).ok()) else {
            return;
        };
        let fitting = Sealed::from_bytes(bytes).ok().filter(|sealed| sealed.fits(&header));
        let Some(sealed) = fitting else {
            let sentence =
                alloc::format!("the payload of entry {} is not the one its header names", at.0);
            self.drop_peer(step, peer, "payload-mismatch", &sentence);
            return;
        };
        let place = place_key(&id, no, at.0);
        self.pending.put(Table::Payloads, place.clone(), sealed.to_bytes());
        self.pending.remove(Table::Missing, place);
        let due = self.feed_mut(&board, &id).and_then(|feed| {
            let is_sound = feed.fork.is_none() && no == 0;
            let branch = feed.branch_mut(no)?;
            branch.missing.remove(&at.0);
            let is_applied = branch.applied > at.0;
            feed.ack_due |= is_sound && header.kind != Kind::ACK;
            Some((is_applied, feed.ack_due))
        });
        let Some((is_applied, is_ack_due)) = due else {
            return;
        };
        if let Some(board) =
            self.boards.get_mut(&board).filter(|board| board.own != id && is_ack_due)
        {
            board.acks.due.get_or_insert(step.uptime);
        }
        if is_applied {
            self.apply_entry(step, (board, id), &header, &sealed);
        }
    }

    /// The peer does not send a payload.
    pub(super) fn accept_no_payload(
        &mut self,
        step: &Step<'_>,
        peer: NodeKey,
        request: u64,
        why: NoPayload,
    ) {
        let Some(Asked::Payload { board, feed, branch, at, .. }) =
            self.close_request(&peer, request)
        else {
            return;
        };
        // Whatever the reason, this peer is not asked again for a while; others are.
        let (NoPayload::NotYours | NoPayload::Redacted(_) | NoPayload::NotHere) = why;
        if let Some(feed) = self.feed_mut(&board, &feed) {
            feed.fetching.remove(&(branch, at.0));
        }
        if let Some(meeting) = self.meeting_mut(&peer) {
            meeting.not_given.insert((feed, branch, at.0), step.uptime);
        }
    }
}

/// The opening that a run begins with, if it begins at 0 and carries one.
fn opening_of(run: &Run) -> Option<OpenFeed> {
    let first =
        run.entries.first().filter(|first| run.from == 0 && first.kind == Kind::OPEN_FEED)?;
    match &first.body {
        Body::Carried(sealed) => OpenFeed::from_bytes(sealed.payload.bytes()).ok(),
        Body::Named { .. } => None,
    }
}
