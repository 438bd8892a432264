//! Openings: feeds of later epochs, taken in once their first run is verified and warranted.

use alloc::vec::Vec;

use super::{Engine, Step, io::Report, state::Feed, tables::BranchNo};
use crate::{
    feed::{
        BadOpening, Body, Descriptor, Kind, OpenFeed, Opened, Run, Tip, expect_room, verify_run,
    },
    hash::{BoardId, FeedId, NodeKey, OrgId},
};

impl Engine {
    /// The board that a run belongs to; takes in a later epoch's feed when the run begins with one.
    pub(super) fn board_of_run(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        run: &Run,
    ) -> Option<BoardId> {
        if let Some(board) = self.feeds.get(&run.feed) {
            let epoch = self.feed(board, &run.feed).map_or(0, |feed| feed.descriptor.epoch);
            // A later feed stands on its opening: a node that stored it without could not start again.
            let is_bare = run.from == 0 && epoch > 0 && opening_of(run).is_none();
            return self.shares(&peer, board).then_some(*board).filter(|_| !is_bare);
        }
        let opening = opening_of(run)?;
        let descriptor = opening.descriptor;
        if !self.shares(&peer, &descriptor.board) {
            return None;
        }
        if let Err(why) = self.check_opening(run.feed, &opening) {
            step.report(Report::OpeningRefused { org: descriptor.org, feed: run.feed, why });
            return None;
        }
        // Nothing is remembered of a feed whose first run is not its author's.
        verify_run(&Tip::empty(run.feed), &descriptor, run.clone()).ok()?;
        self.remember_feed(step, &opening);
        self.end_epochs(step, &descriptor.board, &descriptor.org);
        Some(descriptor.board)
    }

    /// An opening has come, or is contradicted by another of the same feed: some feeds of the
    /// organisation may end there, or count no longer by themselves. Whatever of them had an effect here
    /// must become known everywhere.
    pub(super) fn end_epochs(&mut self, step: &mut Step<'_>, board: &BoardId, org: &OrgId) {
        let Some(of_board) = self.boards.get_mut(board) else { return };
        for id in of_board.rank_feeds(org) {
            let Some(feed) = self.feed(board, &id) else { continue };
            let numbers: Vec<BranchNo> = feed.branches().map(|(no, _)| no).collect();
            if self.counts_alone(step, feed, 0) < feed.trunk.applied {
                match *org == self.me.org {
                    true => {
                        self.say_again(step, board);
                        self.take_back(step, (board, &id), &numbers);
                    }
                    false => self.acknowledge_for_the_last_time(step, board, &id),
                }
            }
            for no in numbers {
                self.apply_stored(step, (*board, id, no));
            }
            self.acknowledge_what_counts_again(step, board, &id);
        }
    }

    /// What our own feed acknowledged beyond its end counts with us and with nobody else, and we cannot
    /// acknowledge our own feed: so we acknowledge again, under the key that counts. Above forks it is no
    /// longer told.
    fn say_again(&mut self, step: &Step<'_>, board: &BoardId) {
        let me = self.me.org;
        let Some(of_board) = self.boards.get_mut(board) else { return };
        for feed in of_board.feeds.values_mut() {
            let is_said = feed.fork.is_some() || feed.acked_size >= feed.trunk.tip.size();
            feed.ack_due |= feed.descriptor.org != me && !is_said;
            if feed.fork.is_some() {
                self.pending.consequences().feeds.push((*board, feed.trunk.tip.feed()));
            }
        }
        self.draft_acks(step, board);
    }

    /// What no longer counts of our own feed is applied anew if it comes to count again. What has counted
    /// stays so.
    fn take_back(
        &mut self,
        step: &Step<'_>,
        (board, id): (&BoardId, &FeedId),
        numbers: &[BranchNo],
    ) {
        for no in numbers {
            let counts = self.counts_below(step, board, id, *no);
            if let Some(branch) = self.feed_mut(board, id).and_then(|feed| feed.branch_mut(*no)) {
                branch.applied = branch.applied.min(counts);
            }
            self.put_record(board, id, *no);
        }
    }

    /// More of a feed may count by itself than before: a recovery beat the rotation that ended it
    /// sooner. Those entries wait to be acknowledged, as if they had just come.
    fn acknowledge_what_counts_again(&mut self, step: &Step<'_>, board: &BoardId, id: &FeedId) {
        let me = self.me.org;
        let of_others = |feed: &&Feed| feed.descriptor.org != me && feed.fork.is_none();
        let Some(feed) = self.feed(board, id).filter(of_others) else { return };
        let size = self.counts_alone(step, feed, 0).min(feed.trunk.tip.size());
        if !self.holds_news(step, feed, (feed.acked_size, size)) {
            return;
        }
        if let Some(feed) = self.feed_mut(board, id) {
            feed.ack_due = true;
        }
        if let Some(board) = self.boards.get_mut(board) {
            board.acks.due.get_or_insert(step.uptime);
        }
    }

    /// Checks a later epoch's opening: some feed of the epoch before must warrant it.
    fn check_opening(&self, feed: FeedId, opening: &OpenFeed) -> Result<(), BadOpening> {
        let Descriptor { board, org, epoch, key } = opening.descriptor;
        if opening.descriptor.feed_id() != feed {
            return Err(BadOpening::OtherFeed);
        }
        let board = self.boards.get(&board).ok_or(BadOpening::NotAMember)?;
        let member = board.founding.charter().member(&org).ok_or(BadOpening::NotAMember)?;
        let of_org = || board.feeds.values().filter(|feed| feed.descriptor.org == org);
        let opened: Vec<Opened> = of_org().map(Feed::as_opened).collect();
        let of_org = || of_org().map(|feed| feed.descriptor);
        let held = of_org().map(|descriptor| descriptor.epoch).max().unwrap_or(0);
        expect_room(&opened, &Opened::by(opening))?;
        if of_org().any(|descriptor| descriptor.key == key) {
            return Err(BadOpening::KeyUsedBefore);
        }
        let mut refused = BadOpening::NotNext { held, found: epoch };
        for before in of_org().filter(|before| before.epoch.checked_add(1) == Some(epoch)) {
            match opening.check_next(&before, &member.recovery_digest) {
                Ok(()) => return Ok(()),
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }
}

/// The opening that a run begins with, if it begins at 0 and carries one.
fn opening_of(run: &Run) -> Option<OpenFeed> {
    let is_opening = |kind| run.from == 0 && kind == Kind::OPEN_FEED;
    let first = run.entries.first().filter(|first| is_opening(first.kind))?;
    match &first.body {
        Body::Carried(sealed) => OpenFeed::from_bytes(sealed.payload.bytes()).ok(),
        Body::Named { .. } => None,
    }
}
