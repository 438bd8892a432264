//! Stage 4 of 8: sync. From `engine::append`; to `engine::accept`.
//!
//! Meetings. Each side tells who it is and, board by board, a digest of what it holds; equal
//! digests end the matter. Otherwise they tell the items that moved since they last told, and
//! whoever holds less asks. New entries go at once to neighbours known to lack just them: an
//! author's own to all, others' to three; the rest hear of them by `have`.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Engine, Step, io::Report, state::Board};
use crate::{
    charter::Status,
    codec::Fixed,
    feed::{Descriptor, Extent, Run},
    hash::{BoardId, EntryId, FeedId, NodeKey},
    identity::{Card, SignedCard},
    limits::{FEEDS_MAX, FRAME_BYTES_MAX, TIME_MS_MAX},
    sync::{HaveItem, Message, VERSION, have_digest},
    time::TimeMs,
};

/// Bytes of items that are told in one frame.
const HAVE_BYTES: usize = FRAME_BYTES_MAX / 2;
/// Most time between two digests that a peer is told: what was pushed and lost, or taken for
/// another's, shows by then.
const DIGEST_MS: u64 = 60_000;
/// Neighbours to which a relayed entry is pushed at once.
const PUSH_NEIGHBOURS: usize = 3;

impl Engine {
    /// Says who we are and which boards we share, as far as we know.
    pub(super) fn greet(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(org) = self.peers.get(&peer).and_then(|peer| peer.org) else {
            return;
        };
        let is_member = |board: &&Board| board.status(&org).is_some_and(Status::is_present);
        let boards = self.boards.values().filter(is_member);
        let boards = boards.map(Board::id).collect();
        let card = self.me.card.to_bytes();
        let versions = Vec::from([VERSION]);
        let now = TimeMs(step.now.0.min(TIME_MS_MAX));
        self.send(step, peer, Some(Message::Hello { versions, card, boards, now }));
    }

    pub(super) fn hello(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        versions: &[u64],
        card: &[u8],
        boards: Vec<BoardId>,
    ) {
        if !versions.contains(&VERSION) {
            let sentence =
                alloc::format!("the peer speaks versions {versions:?}, this node speaks {VERSION}");
            return self.drop_peer(step, peer, "incompatible", &sentence);
        }
        let card = match SignedCard::from_bytes(card) {
            Ok(card) => card,
            Err(why) => return self.drop_peer(step, peer, "bad-card", &why),
        };
        let org = self.peers.get(&peer).and_then(|peer| peer.org);
        let known = org.and_then(|org| self.cards.get(&org)).map(SignedCard::card);
        let shown = card.card();
        if known.is_none_or(|known| shown.org != known.org || shown.node_key != peer) {
            let sentence = "it shows a card of another organisation or node than it is known as";
            return self.drop_peer(step, peer, "foreign-card", &sentence);
        }
        if self.may_show(shown) {
            self.learn(step, card);
        }
        if let Some(meeting) = self.meeting_mut(&peer) {
            meeting.greeted = true;
            meeting.claimed = boards.into_iter().collect();
        }
        self.share_boards(&peer);
    }

    /// Whether a card may be taken from the node that shows it. Others need a person to vouch for them.
    ///
    /// It must be of the newest epoch that was opened and is not superseded, and under a key that opened it. On a board that
    /// was founded under a later key that key's epoch is 0, so an epoch that people vouched for does too,
    /// as long as another key took the place of this one on no board.
    fn may_show(&self, card: &Card) -> bool {
        let newest = |board: &Board| {
            let feeds = board.feeds.values().filter(|feed| feed.extent != Extent::Superseded);
            let feeds = feeds.map(|feed| feed.descriptor);
            let of_org = feeds.filter(|feed| feed.org == card.org);
            of_org.max_by_key(|feed| (feed.epoch, feed.key == card.feed_key))
        };
        let newest: Vec<Descriptor> = self.boards.values().filter_map(newest).collect();
        let highest = newest.iter().max_by_key(|feed| (feed.epoch, feed.key == card.feed_key));
        let opened =
            highest.is_some_and(|feed| feed.epoch == card.epoch && feed.key == card.feed_key);
        let known = self.cards.get(&card.org).map(SignedCard::card);
        let is_vouched_for =
            known.is_some_and(|known| known.epoch == card.epoch && known.feed_key == card.feed_key);
        let is_in_use = !newest.is_empty() && newest.iter().all(|feed| feed.key == card.feed_key);
        opened || (is_vouched_for && is_in_use)
    }

    /// Works out which boards we share with a peer, and opens the meeting on those that are new.
    pub(super) fn share_boards(&mut self, peer: &NodeKey) {
        let Some(known) = self.peers.get_mut(peer) else { return };
        let (Some(org), Some(meeting)) = (known.org, &mut known.meeting) else { return };
        for id in &meeting.claimed {
            let is_member = |board: &Board| board.status(&org).is_some_and(Status::is_present);
            if self.boards.get(id).is_some_and(is_member) && meeting.shared.insert(*id) {
                known.boards.entry(*id).or_default().open = true;
            }
        }
    }

    /// What we may tell of a board: the digest, and all items.
    pub(super) fn holdings(
        &mut self,
        board: &BoardId,
    ) -> Option<(Fixed<32>, &BTreeMap<FeedId, HaveItem>)> {
        let board = self.boards.get_mut(board)?;
        let digest = match board.digest {
            Some(digest) => digest,
            None => {
                let items: Vec<HaveItem> = board.items.values().cloned().collect();
                have_digest(&board.id(), &items)
            }
        };
        board.digest = Some(digest);
        Some((digest, &board.items))
    }

    pub(super) fn have(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (id, digest): (BoardId, Fixed<32>),
        items: Vec<HaveItem>,
    ) {
        if !self.shares(&peer, &id) {
            return;
        }
        let Some((ours, our_items)) = self.holdings(&id) else {
            return;
        };
        let our_items = our_items.clone();
        let members =
            self.boards.get(&id).map_or(0, |board| board.founding.charter().members.len());
        let feeds_max = members.saturating_mul(usize::try_from(FEEDS_MAX).unwrap_or(usize::MAX));
        let Some(known) = self.peers.get_mut(&peer) else {
            return;
        };
        let knowledge = known.boards.entry(id).or_default();
        if ours == digest {
            knowledge.theirs.clone_from(&our_items);
            knowledge.told = our_items;
            knowledge.behind.clear();
            knowledge.unexplained = None;
            return self.heard_of_own_feed(&peer, &id);
        }
        let is_opening = items.is_empty();
        let told: Vec<FeedId> = items.iter().map(|item| item.0).collect();
        for item in items {
            knowledge.theirs.insert(item.0, item);
        }
        if knowledge.theirs.len() > feeds_max {
            let sentence = "it told of more feeds than a board can have";
            return self.drop_peer(step, peer, "too-many-feeds", &sentence);
        }
        let all: Vec<HaveItem> = knowledge.theirs.values().cloned().collect();
        let is_explained = have_digest(&id, &all) == digest;
        knowledge.unexplained =
            (!is_explained).then(|| knowledge.unexplained.unwrap_or(step.uptime));
        // The opening of a meeting is answered even when nothing moved, so that both know that the
        // other is done; once, or two who differ would answer each other for ever.
        knowledge.tell |= is_opening && !knowledge.opening_answered;
        knowledge.opening_answered |= is_opening;
        for feed in told {
            self.compare_item(step, peer, id, feed);
        }
        if is_explained {
            self.heard_of_own_feed(&peer, &id);
        }
    }

    /// Compares one item that a peer told with what we hold.
    pub(super) fn compare_item(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        board: BoardId,
        id: FeedId,
    ) {
        let knowledge = self.peers.get(&peer).and_then(|peer| peer.boards.get(&board));
        let Some(item) = knowledge.and_then(|knowledge| knowledge.theirs.get(&id)).cloned() else {
            return;
        };
        let HaveItem(_, size, last, _) = item;
        let (ours, is_forked) = match self.feed(&board, &id) {
            Some(feed) => (feed.trunk.tip.size(), feed.fork.is_some()),
            None => (0, false),
        };
        if size > ours {
            return self.mark_behind(&peer, &board, id);
        }
        if self.differs(step, &board, &HaveItem(id, size, last, Vec::new())) {
            self.mark_differing(&peer, &board, id);
        }
        if is_forked {
            self.want_tips(step, peer, board, id);
        }
    }

    /// Whether a peer's copy of a feed differs from ours, where that would be news.
    pub(super) fn differs(&self, step: &Step<'_>, board: &BoardId, item: &HaveItem) -> bool {
        let HaveItem(id, size, last, _) = item;
        let Some(feed) = self.feed(board, id) else { return false };
        let is_held = *size > 0 && *size <= feed.trunk.tip.size().min(feed.compared_below());
        is_held && self.id_before(step, feed, 0, *size) != Some(*last)
    }

    /// Notes that a peer's copy of a feed seems to differ: compared as soon as there is credit.
    pub(super) fn mark_differing(&mut self, peer: &NodeKey, board: &BoardId, id: FeedId) {
        if let Some(knowledge) = self.knowledge_mut(peer, board) {
            knowledge.differing.insert(id);
        }
    }

    /// Compares the feeds that seem to differ, as far as there is credit, until they do not.
    pub(super) fn compare_what_differs(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(known) = self.peers.get(&peer) else { return };
        let boards = known.boards.iter();
        let differing = boards.flat_map(|(board, k)| k.differing.iter().map(|id| (*board, *id)));
        let differing: Vec<(BoardId, FeedId)> = differing.collect();
        for (board, id) in differing {
            if !self.meeting_mut(&peer).is_some_and(|meeting| meeting.session.is_idle()) {
                return;
            }
            let theirs = self.peers.get(&peer).and_then(|known| known.boards.get(&board));
            let item = theirs.and_then(|knowledge| knowledge.theirs.get(&id));
            if !item.is_some_and(|item| self.differs(step, &board, item)) {
                if let Some(knowledge) = self.knowledge_mut(&peer, &board) {
                    knowledge.differing.remove(&id);
                }
                continue;
            }
            self.start_compare(step, peer, board, id);
        }
    }

    pub(super) fn mark_behind(&mut self, peer: &NodeKey, board: &BoardId, id: FeedId) {
        if let Some(knowledge) = self.knowledge_mut(peer, board) {
            knowledge.behind.insert(id);
        }
    }

    /// A peer told all it holds: on a restored node, that is one more who told how far our own feed
    /// had come.
    fn heard_of_own_feed(&mut self, peer: &NodeKey, id: &BoardId) {
        let Some(known) = self.peers.get(peer) else { return };
        let Some(board) = self.boards.get_mut(id) else { return };
        let item = known.boards.get(id).and_then(|knowledge| knowledge.theirs.get(&board.own));
        let size = item.map_or(0, |item| item.1);
        let Some(org) = known.org.filter(|org| board.is_voting(org)) else { return };
        if let Some(restoring) = &mut board.restoring {
            restoring.told.entry(org).or_default().size = size;
        }
    }

    /// A peer did not give what it told that it holds of our own feed.
    pub(super) fn not_given_of_own_feed(&mut self, peer: &NodeKey, id: &BoardId, feed: &FeedId) {
        let org = self.peers.get(peer).and_then(|peer| peer.org);
        let board = self.boards.get_mut(id).filter(|board| board.own == *feed);
        let restoring = board.and_then(|board| board.restoring.as_mut());
        if let Some(told) = org.zip(restoring).and_then(|(org, state)| state.told.get_mut(&org)) {
            told.failures = told.failures.saturating_add(1);
        }
    }

    /// Signs again on boards where enough partners told how far our own feed had come, and we hold
    /// all of that.
    pub(super) fn finish_restoring(&mut self, step: &mut Step<'_>) {
        let me = self.me.org;
        for (id, board) in &mut self.boards {
            let others = board.voting_others(&me);
            let due = if others == 0 { 0 } else { (others / 2).saturating_add(1) };
            let size = board.feeds.get(&board.own).map_or(0, |feed| feed.trunk.tip.size());
            let Some(restoring) = &mut board.restoring else { continue };
            let heard = restoring.told.len();
            if heard >= due && restoring.told.values().all(|told| told.is_met(size)) {
                board.restoring = None;
            } else if restoring.reported != Some(heard) {
                restoring.reported = Some(heard);
                step.report(Report::Restoring { board: *id, heard, due });
            }
        }
    }

    pub(super) fn asked_for_all(&mut self, peer: NodeKey, board: BoardId) {
        if let Some(knowledge) = self.knowledge_mut(&peer, &board) {
            knowledge.told.clear();
            knowledge.told_at = None;
            knowledge.tell = true;
        }
    }

    /// Feeds came to be durable: push what is small and surely lacking, and tell the rest.
    pub(super) fn announce(&mut self, step: &mut Step<'_>, touched: &BTreeSet<(BoardId, FeedId)>) {
        for (board, id) in touched {
            let is_own = self.boards.get(board).is_some_and(|board| board.own == *id);
            let mut pushes = if is_own { usize::MAX } else { PUSH_NEIGHBOURS };
            let sharing = self.peers.iter().filter(|(_, peer)| {
                peer.meeting.as_ref().is_some_and(|meeting| meeting.shared.contains(board))
            });
            let sharing: Vec<NodeKey> = sharing.map(|(key, _)| *key).collect();
            for peer in sharing {
                if pushes > 0 && self.push(step, peer, board, *id) {
                    pushes = pushes.saturating_sub(1);
                }
            }
        }
    }

    /// Pushes what a peer lacks of a feed, if that is one small run that continues what it holds.
    pub(super) fn push(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        board: &BoardId,
        id: FeedId,
    ) -> bool {
        let Some(run) = self.small_run_for(step, &peer, board, id) else {
            return false;
        };
        let item = self.boards.get(board).and_then(|board| board.items.get(&id)).cloned();
        let Some(knowledge) = self.knowledge_mut(&peer, board) else {
            return false;
        };
        if let Some(item) = item {
            knowledge.told.insert(id, item.clone());
            knowledge.theirs.insert(id, item);
        }
        self.send(step, peer, Some(Message::Run { request: 0, last: true, run }));
        true
    }

    pub(super) fn small_run_for(
        &self,
        step: &Step<'_>,
        peer: &NodeKey,
        board: &BoardId,
        id: FeedId,
    ) -> Option<Run> {
        let known = self.peers.get(peer)?;
        let is_idle = known.meeting.as_ref()?.session.is_idle();
        let theirs = known.boards.get(board)?.theirs.get(&id);
        let (from, before) = theirs.map_or((0, EntryId::NONE), |item| (item.1, item.2));
        let feed = self.feed(board, &id)?;
        let durable = feed.trunk.durable_size();
        let continues = feed.fork.is_none() && from < durable && is_idle;
        if !continues || self.id_before(step, feed, 0, from) != Some(before) {
            return None;
        }
        self.build_small_run(step, (board, &known.org?), id, from)
    }

    pub(super) fn tell_what_moved(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(meeting) = self.peers.get(&peer).and_then(|peer| peer.meeting.as_ref()) else {
            return;
        };
        let shared: Vec<BoardId> = meeting.shared.iter().copied().collect();
        for board in shared {
            while self.meeting_mut(&peer).is_some_and(|meeting| meeting.session.is_idle()) {
                let Some(message) = self.what_moved(step, &peer, &board) else { break };
                self.send(step, peer, Some(message));
            }
        }
    }

    /// The next `have` that a peer is due, if any: to open a meeting, the digest alone.
    fn what_moved(&mut self, step: &Step<'_>, peer: &NodeKey, id: &BoardId) -> Option<Message> {
        let (digest, _) = self.holdings(id)?;
        let board = self.boards.get(id)?;
        let knowledge = self.peers.get_mut(peer)?.boards.get_mut(id)?;
        knowledge.tell |= step.uptime.ms_since(knowledge.digest_told) >= DIGEST_MS;
        if core::mem::take(&mut knowledge.open) {
            knowledge.digest_told = step.uptime;
            return Some(Message::Have { board: *id, digest, items: Vec::new() });
        }
        if knowledge.told_at == Some(board.version) && !knowledge.tell {
            return None;
        }
        let news = board.items.values().filter(|item| knowledge.told.get(&item.0) != Some(item));
        let mut bytes = 0usize;
        let within = news.take_while(|item| {
            bytes = bytes.saturating_add(item.bytes_max());
            bytes <= HAVE_BYTES
        });
        let items: Vec<HaveItem> = within.cloned().collect();
        if bytes <= HAVE_BYTES {
            knowledge.told_at = Some(board.version);
        }
        if items.is_empty() && !knowledge.tell {
            return None;
        }
        knowledge.tell = false;
        knowledge.digest_told = step.uptime;
        knowledge.told.extend(items.iter().map(|item| (item.0, item.clone())));
        Some(Message::Have { board: *id, digest, items })
    }
}
