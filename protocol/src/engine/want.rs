//! Stage 4 of 8: sync. From `engine::sync`; to `engine::accept`.
//!
//! Asking: for the next entries of feeds of which a peer holds more, for payloads that are due and
//! not here, and again elsewhere when an answer does not come.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    Engine, Step,
    state::{Asked, Feed, Onto, Peer, Request},
};
use crate::{
    hash::{BoardId, EntryId, FeedId, NodeKey},
    limits::REQUESTS_IN_FLIGHT,
    sync::{Message, Point},
};

/// How long an answer may take before somebody else is asked, and a refusal lasts.
const ANSWER_MS: u64 = 10_000;
/// How long a peer's digest may differ from what it told us before we ask for all its items.
const UNEXPLAINED_MS: u64 = 2_000;
/// Bytes on their way to disk above which nothing more is asked for.
const PENDING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Payloads of a feed that may be missing before no more of its headers are asked for.
const MISSING_MAX: usize = 4_096;

/// What to ask for next.
enum Next {
    /// These entries: from here, after this one.
    Ask(u64, EntryId),
    /// Nothing yet: somebody is being asked.
    Wait,
    /// Nothing: we hold as much.
    Nothing,
}

impl Engine {
    /// Whether so much is on its way to disk that nothing more should come in.
    pub(super) fn is_disk_behind(&self) -> bool {
        self.pending.bytes() > PENDING_BYTES_MAX
    }

    pub(super) fn ask_for_entries(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        if self.is_disk_behind() {
            return;
        }
        let Some(known) = self.peers.get(&peer) else { return };
        let boards = known.boards.iter();
        let behind =
            boards.flat_map(|(board, knowledge)| knowledge.behind.iter().map(|id| (*board, *id)));
        let behind: Vec<(BoardId, FeedId)> = behind.collect();
        let (unopened, opened): (Vec<_>, Vec<_>) =
            behind.into_iter().partition(|(board, id)| self.feed(board, id).is_none());
        // An opening may end the feeds before it, and what is taken in of those beyond their end before it
        // comes has an effect for good.
        let is_kept_waiting: BTreeSet<BoardId> = unopened.iter().map(|(board, _)| *board).collect();
        let opened = opened.into_iter().filter(|(board, _)| !is_kept_waiting.contains(board));
        for (board, id) in unopened.into_iter().chain(opened) {
            match self.next_wanted(&peer, &board, &id) {
                Next::Wait => {}
                Next::Ask(from, before) => {
                    self.want(step, peer, (board, id), Onto::Branch(0), (from, before, None));
                }
                Next::Nothing => {
                    if let Some(knowledge) = self.knowledge_mut(&peer, &board) {
                        knowledge.behind.remove(&id);
                    }
                    self.compare_item(step, peer, board, id);
                }
            }
        }
    }

    /// What to ask a peer for of a feed of which it said that it holds more.
    fn next_wanted(&self, peer: &NodeKey, board: &BoardId, id: &FeedId) -> Next {
        let known = self.peers.get(peer);
        let item = known.and_then(|known| known.boards.get(board)?.theirs.get(id));
        let their_size = item.map_or(0, |item| item.1);
        let Some(feed) = self.feed(board, id) else {
            let meeting = known.and_then(|known| known.meeting.as_ref());
            let is_asked = meeting.is_some_and(|meeting| {
                meeting.session.requests().any(|request| request.what.is_entries_of(id))
            });
            return if is_asked { Next::Wait } else { Next::Ask(0, EntryId::NONE) };
        };
        let size = feed.trunk.tip.size();
        // Above a fork only acknowledged entries are asked for, by name.
        let limit = feed.fork_index().unwrap_or(u64::MAX);
        if their_size <= size || size >= limit {
            Next::Nothing
        } else if feed.asking.is_some()
            || feed.trunk.missing.len() > MISSING_MAX
            || self.another_goes_first(peer, board, feed)
        {
            Next::Wait
        } else {
            Next::Ask(size, feed.trunk.tip.id())
        }
    }

    /// Whether a peer that did not give entries of a feed should wait for another that holds more of
    /// it too, and did so longer ago or never: else two that are silent could be asked in turn.
    fn another_goes_first(&self, peer: &NodeKey, board: &BoardId, feed: &Feed) -> bool {
        let Some(failed) = feed.failed.get(peer) else { return false };
        let (id, size) = (feed.trunk.tip.feed(), feed.trunk.tip.size());
        let holds_more = |other: &Peer| {
            let theirs = other.boards.get(board).and_then(|knowledge| knowledge.theirs.get(&id));
            theirs.is_some_and(|item| item.1 > size)
        };
        let mut others = self
            .peers
            .iter()
            .filter(|(key, other)| *key != peer && holds_more(other) && self.shares(key, board));
        others.any(|(key, _)| feed.failed.get(key).is_none_or(|other| other < failed))
    }

    /// Asks a peer for entries, when one more request may be made.
    pub(super) fn want(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (board, feed): (BoardId, FeedId),
        onto: Onto,
        (from, before, target): (u64, EntryId, Option<Point>),
    ) {
        let may = self.shares(&peer, &board)
            && self.meeting_mut(&peer).is_some_and(|meeting| meeting.session.may_request());
        if !may {
            return;
        }
        if let Some(feed) = self.feed_mut(&board, &feed) {
            feed.asking = Some(peer);
        }
        let asked = Asked::Entries { board, feed, onto, target };
        self.ask(step, peer, asked, |request| Message::Want {
            request,
            feed,
            from,
            before,
            target,
        });
    }

    pub(super) fn ask_for_payloads(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(meeting) = self.peers.get(&peer).and_then(|peer| peer.meeting.as_ref()) else {
            return;
        };
        if !meeting.session.may_request() {
            return;
        }
        let mut wanted = Vec::new();
        for board_id in &meeting.shared {
            let Some(board) = self.boards.get(board_id) else {
                continue;
            };
            let lacking = board
                .feeds
                .iter()
                .filter(|(_, feed)| feed.branches().any(|(_, branch)| !branch.missing.is_empty()));
            for (id, feed) in lacking {
                for (no, branch) in feed.branches() {
                    let due = branch.missing.iter().copied().filter(|seq| {
                        !feed.fetching.contains(&(no, *seq))
                            && !meeting.not_given.contains_key(&(*id, no, *seq))
                    });
                    let given = due.take(REQUESTS_IN_FLIGHT).filter_map(|seq| {
                        self.id_at(step, feed, no, seq).map(|entry| Point(seq, entry))
                    });
                    wanted.extend(given.map(|at| (*board_id, *id, no, at)));
                }
            }
        }
        for (board, feed, branch, at) in wanted {
            if !self.meeting_mut(&peer).is_some_and(|meeting| meeting.session.may_request()) {
                return;
            }
            if let Some(feed) = self.feed_mut(&board, &feed) {
                feed.fetching.insert((branch, at.0));
            }
            let asked = Asked::Payload { board, feed, branch, at, got: Vec::new() };
            self.ask(step, peer, asked, |request| Message::WantPayload {
                request,
                feed,
                at,
                offset: 0,
            });
        }
    }

    /// A peer answered a request for entries without them.
    pub(super) fn nothing(&mut self, step: &mut Step<'_>, peer: NodeKey, request: u64) {
        match self.close_request(&peer, request) {
            Some(Asked::Entries { board, feed, target: None, .. }) => {
                self.not_given_of_own_feed(&peer, &board, &feed);
                self.forget_theirs(step, &peer, &board, &feed);
            }
            Some(Asked::Entries { board, feed, target: Some(_), .. }) => {
                self.want_tips(step, peer, board, feed);
            }
            Some(Asked::Payload { .. }) | None => {}
        }
    }

    /// An answer brought nothing new: if the peer should still hold more, it is not asked again
    /// before it told so again.
    pub(super) fn given_nothing_new(
        &mut self,
        step: &Step<'_>,
        peer: &NodeKey,
        board: &BoardId,
        feed: &FeedId,
    ) {
        if !matches!(self.next_wanted(peer, board, feed), Next::Nothing) {
            self.forget_theirs(step, peer, board, feed);
        }
    }

    /// Forgets what a peer told of a feed; before long it is asked to tell all again.
    fn forget_theirs(&mut self, step: &Step<'_>, peer: &NodeKey, board: &BoardId, feed: &FeedId) {
        if let Some(feed) = self.feed_mut(board, feed) {
            feed.failed.insert(*peer, step.uptime);
        }
        if let Some(knowledge) = self.knowledge_mut(peer, board) {
            knowledge.behind.remove(feed);
            knowledge.theirs.remove(feed);
            knowledge.unexplained.get_or_insert(step.uptime);
        }
    }

    /// Requests that were not answered in time are given up, and others are asked.
    pub(super) fn give_up_requests(&mut self, step: &mut Step<'_>) {
        let mut late = Vec::new();
        for (peer, known) in &mut self.peers {
            let Some(meeting) = &mut known.meeting else {
                continue;
            };
            meeting.not_given.retain(|_, since| step.uptime.ms_since(*since) < ANSWER_MS);
            let is_late = |request: &Request| step.uptime.ms_since(request.asked_at) >= ANSWER_MS;
            late.extend(
                meeting.session.close_requests(is_late).map(|request| (*peer, request.what)),
            );
        }
        for (peer, asked) in late {
            self.forget_asked(&peer, &asked);
            match asked {
                Asked::Entries { board, feed, target, .. } => {
                    self.forget_theirs(step, &peer, &board, &feed);
                    if let Some((target, knowledge)) = target.zip(self.knowledge_mut(&peer, &board))
                    {
                        knowledge.tried.remove(&(feed, target));
                    }
                }
                Asked::Payload { feed, branch, at, .. } => {
                    if let Some(meeting) = self.meeting_mut(&peer) {
                        meeting.not_given.insert((feed, branch, at.0), step.uptime);
                    }
                }
            }
        }
    }

    /// Asks peers whose digest we cannot explain for all their items.
    pub(super) fn ask_the_unexplained(&mut self, step: &mut Step<'_>) {
        let mut unexplained = Vec::new();
        for (peer, known) in &mut self.peers {
            let Some(meeting) = known.meeting.as_ref().filter(|m| m.session.is_idle()) else {
                continue;
            };
            // One board a second for each peer, so that what we start never overruns a session.
            let due = known.boards.iter_mut().find(|(board, knowledge)| {
                let since = knowledge.unexplained.filter(|_| meeting.shared.contains(board));
                since.is_some_and(|since| step.uptime.ms_since(since) >= UNEXPLAINED_MS)
            });
            if let Some((board, knowledge)) = due {
                knowledge.unexplained = None;
                unexplained.push((*peer, *board));
            }
        }
        for (peer, board) in unexplained {
            self.send(step, peer, Some(Message::Ask(board)));
        }
    }

    /// Asks again for acknowledged entries of forked feeds that peers said they hold.
    pub(super) fn ask_for_tips(&mut self, step: &mut Step<'_>) {
        let forked = self.boards.iter().flat_map(|(board, state)| {
            let forked = state.feeds.iter().filter(|(_, feed)| feed.fork.is_some());
            forked.map(|(id, _)| (*board, *id))
        });
        let forked: Vec<(BoardId, FeedId)> = forked.collect();
        let peers: Vec<NodeKey> = self.peers.keys().copied().collect();
        for (board, id) in forked {
            for peer in &peers {
                if self.shares(peer, &board) {
                    self.want_tips(step, *peer, board, id);
                }
            }
        }
    }
}
