//! Stage 4 of 8: sync. From `engine::sync`; to `engine::accept`.
//!
//! Asking: for the next entries of feeds of which a peer holds more, for payloads that are due and
//! not here, and again elsewhere when an answer does not come.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    state::{Asked, Onto, Request},
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

impl Engine {
    pub(super) fn ask_for_entries(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        if self.pending.bytes() > PENDING_BYTES_MAX {
            return;
        }
        let Some(known) = self.peers.get(&peer) else {
            return;
        };
        let behind: Vec<(BoardId, FeedId)> = known
            .boards
            .iter()
            .flat_map(|(board, knowledge)| knowledge.behind.iter().map(|id| (*board, *id)))
            .collect();
        for (board, id) in behind {
            let their_size = self
                .peers
                .get(&peer)
                .and_then(|peer| peer.boards.get(&board)?.theirs.get(&id))
                .map_or(0, |item| item.1);
            let (size, before, is_asking) = match self.feed(&board, &id) {
                Some(feed) => (feed.trunk.tip.size(), feed.trunk.tip.id(), feed.asking.is_some()),
                None => (0, EntryId::NONE, false),
            };
            if their_size <= size {
                if let Some(knowledge) = self.knowledge_mut(&peer, &board) {
                    knowledge.behind.remove(&id);
                }
                self.compare_item(step, peer, board, id);
            } else if !is_asking {
                self.want(step, peer, (board, id), Onto::Branch(0), (size, before, None));
            }
        }
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

    pub(super) fn nothing(&mut self, step: &mut Step<'_>, peer: NodeKey, request: u64) {
        let Some(asked) = self.close_request(&peer, request) else {
            return;
        };
        if let Asked::Entries { board, feed, target: None, .. } = &asked {
            self.not_given(step, &peer, board, feed);
        }
        self.want_more_tips(step, &asked, peer);
    }

    /// A peer did not give entries that it had told of: what it told is forgotten, and asked for
    /// again before long.
    fn not_given(&mut self, step: &Step<'_>, peer: &NodeKey, board: &BoardId, feed: &FeedId) {
        self.not_given_of_own_feed(peer, board, feed);
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
                Asked::Entries { board, feed, .. } => self.not_given(step, &peer, &board, &feed),
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
            let Some(meeting) = &known.meeting else {
                continue;
            };
            for (board, knowledge) in &mut known.boards {
                let since = knowledge.unexplained.filter(|_| meeting.shared.contains(board));
                if since.is_some_and(|since| step.uptime.ms_since(since) >= UNEXPLAINED_MS) {
                    knowledge.unexplained = None;
                    unexplained.push((*peer, *board));
                }
            }
        }
        for (peer, board) in unexplained {
            self.send(step, peer, Some(Message::Ask(board)));
        }
        let boards: Vec<BoardId> = self.boards.keys().copied().collect();
        for board in boards {
            self.carry_evidence(&board);
        }
    }

    /// Asks again for acknowledged entries of forked feeds that peers said they hold.
    pub(super) fn ask_for_tips(&mut self, step: &mut Step<'_>) {
        let lacking = self.boards.iter().flat_map(|(board, state)| {
            let feeds = state.feeds.iter();
            let lacking =
                feeds.filter(|(_, feed)| feed.fork.is_some() && !feed.unmatched.is_empty());
            lacking.map(|(id, _)| (*board, *id))
        });
        let lacking: Vec<(BoardId, FeedId)> = lacking.collect();
        let peers: Vec<NodeKey> = self.peers.keys().copied().collect();
        for (board, id) in lacking {
            for peer in &peers {
                if self.shares(peer, &board) {
                    self.want_tips(step, *peer, board, id);
                }
            }
        }
    }
}
