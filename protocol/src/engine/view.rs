//! Stage 7 of 8: view. From `engine::apply`; to whoever shows it.
//!
//! What a replica knows of its boards, as plain values. Views hold no truth: all of it follows from
//! the entries.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    Engine, Reader, Step,
    state::{Board, Branch, Feed},
};
use crate::{
    charter::Founding,
    codec::Fixed,
    feed::{Descriptor, End, settled_size},
    hash::{BoardId, EntryId, FeedId, OrgId},
    identity::SignedCard,
    sync::{HaveItem, have_digest},
};

/// One board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardView {
    /// The board.
    pub board: BoardId,
    /// The digest over what is durably held.
    pub digest: Fixed<32>,
    /// Our own feed.
    pub own: FeedId,
    /// Every feed, also those that are still empty.
    pub feeds: BTreeMap<FeedId, FeedView>,
    /// Drafts that wait to be signed.
    pub drafts: usize,
    /// Whether the node waits for partners before it signs.
    pub is_restoring: bool,
}

/// One feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedView {
    /// Whose, and in which epoch.
    pub descriptor: Descriptor,
    /// Number of entries held.
    pub size: u64,
    /// The id of the last.
    pub id: EntryId,
    /// Number of entries that are durable.
    pub durable_size: u64,
    /// The id of the last durable entry, if there is one.
    pub durable_id: Option<EntryId>,
    /// Number of entries, from the first, that are settled.
    pub settled: u64,
    /// Payloads that are due and not here.
    pub missing: usize,
    /// Whether the feed is sound.
    pub standing: FeedStanding,
    /// How many entries, from the first, have effect.
    pub effective: u64,
    /// Organisations that acknowledged entries which nobody showed us, and how many.
    pub unexplained: BTreeMap<OrgId, usize>,
    /// Organisations that acknowledged more than one history of the feed: they are at fault too.
    pub acknowledged_both: Vec<OrgId>,
}

/// What an equivocation did to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedStanding {
    /// One history.
    Sound,
    /// Two histories, none settled from `index` on: those entries wait.
    Held {
        /// The first index that differs.
        index: u64,
    },
    /// Two histories, one of them settled: it stands as far as it is settled.
    Won {
        /// The first index that differs.
        index: u64,
        /// The settled entry at that index.
        entry: EntryId,
    },
    /// Two histories, both settled: governance on the board halts.
    Halted {
        /// The first index that differs.
        index: u64,
    },
}

/// How far a chain of a forked feed is settled, and which entry it has at the fork.
struct Settled {
    size: u64,
    at_fork: Option<EntryId>,
}

impl Engine {
    /// What is known of every board.
    #[must_use]
    pub fn views(&self, reader: &dyn Reader) -> Vec<BoardView> {
        self.boards.values().map(|board| self.board_view(board, reader)).collect()
    }

    /// The charter of a board and everybody's acceptance of it.
    #[must_use]
    pub fn founding(&self, board: &BoardId) -> Option<&Founding> {
        self.boards.get(board).map(|board| &board.founding)
    }

    /// The newest card that is known of an organisation.
    #[must_use]
    pub fn card(&self, org: &OrgId) -> Option<&SignedCard> {
        self.cards.get(org)
    }

    fn board_view(&self, board: &Board, reader: &dyn Reader) -> BoardView {
        let items: Vec<HaveItem> = board.items.values().cloned().collect();
        let feeds = board.feeds.iter().map(|(id, feed)| (*id, self.feed_view(board, feed, reader)));
        BoardView {
            board: board.id(),
            digest: have_digest(&board.id(), &items),
            own: board.own,
            feeds: feeds.collect(),
            drafts: board.drafts.len(),
            is_restoring: board.restoring.is_some(),
        }
    }

    fn feed_view(&self, board: &Board, feed: &Feed, reader: &dyn Reader) -> FeedView {
        let trunk = &feed.trunk;
        let (standing, settled, effective) = match feed.fork_index() {
            None => {
                let settled = board.settled_on(feed, trunk, u64::MAX);
                let named = feed.named_size().min(trunk.tip.size());
                (FeedStanding::Sound, settled, settled.max(named))
            }
            Some(index) => self.forked_view(board, feed, index, reader),
        };
        let mut unexplained = BTreeMap::new();
        let contradicting = feed.unmatched.iter().filter(|(at, _)| at.0 < trunk.tip.size());
        for (_, by) in contradicting {
            if let Some(by) = board.feeds.get(by) {
                let count: &mut usize = unexplained.entry(by.descriptor.org).or_default();
                *count = count.saturating_add(1);
            }
        }
        FeedView {
            descriptor: feed.descriptor,
            size: trunk.tip.size(),
            id: trunk.tip.id(),
            durable_size: trunk.durable_size(),
            durable_id: trunk.durable.map(|signed| signed.head.id),
            settled,
            missing: trunk.missing.len(),
            standing,
            effective,
            unexplained,
            acknowledged_both: self.acknowledged_both(feed, reader),
        }
    }

    fn acknowledged_both(&self, feed: &Feed, reader: &dyn Reader) -> Vec<OrgId> {
        let Some(index) = feed.fork_index() else { return Vec::new() };
        let step = Step::reading(reader);
        let mut seen: BTreeMap<OrgId, BTreeSet<EntryId>> = BTreeMap::new();
        for (no, branch) in feed.branches() {
            let Some(entry) = self.id_at(&step, feed, no, index) else { continue };
            for (org, _) in branch.complete.iter().filter(|(_, counted)| counted.seq >= index) {
                seen.entry(*org).or_default().insert(entry);
            }
        }
        seen.into_iter().filter(|(_, entries)| entries.len() > 1).map(|(org, _)| org).collect()
    }

    fn forked_view(
        &self,
        board: &Board,
        feed: &Feed,
        index: u64,
        reader: &dyn Reader,
    ) -> (FeedStanding, u64, u64) {
        let step = Step::reading(reader);
        let chains: Vec<Settled> = feed
            .branches()
            .map(|(no, branch)| Settled {
                size: board.settled_on(feed, branch, index),
                at_fork: self.id_at(&step, feed, no, index),
            })
            .collect();
        let settled = chains.iter().map(|chain| chain.size).max().unwrap_or(0);
        let beyond =
            chains.iter().filter(|chain| chain.size > index).filter_map(|chain| chain.at_fork);
        let mut winners: Vec<EntryId> = beyond.collect();
        winners.sort_unstable();
        winners.dedup();
        let below = feed.named_size().min(index).min(feed.trunk.tip.size());
        match winners.as_slice() {
            [] => (FeedStanding::Held { index }, settled, below),
            [entry] => (FeedStanding::Won { index, entry: *entry }, settled, settled),
            [..] => (FeedStanding::Halted { index }, settled, below),
        }
    }
}

impl Board {
    /// How many entries of a chain are settled. Below `shared` all chains of the feed are one, so
    /// an acknowledgement of any of them counts there.
    fn settled_on(&self, feed: &Feed, chain: &Branch, shared: u64) -> u64 {
        let author = feed.descriptor.org;
        let mut best: BTreeMap<OrgId, u64> = BTreeMap::new();
        for (_, branch) in feed.branches() {
            let is_this = core::ptr::eq(branch, chain);
            for (org, counted) in &branch.complete {
                let covers = if is_this { counted.complete } else { counted.complete.min(shared) };
                let known = best.entry(*org).or_insert(0);
                *known = covers.max(*known);
            }
        }
        let voting = best.into_iter().filter(|(org, _)| *org != author && self.is_voting(org));
        settled_size(chain.tip.size(), self.voting_others(&author), voting.map(|(_, size)| size))
    }
}

impl Feed {
    /// How many entries the feed has by the opening of the next epoch, if there is one.
    fn named_size(&self) -> u64 {
        self.end.map_or(u64::MAX, |End(seq, _)| seq.saturating_add(1))
    }
}
