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
    clock::OddTimes,
    state::{Board, Counted, Feed},
    tables::{BranchNo, Table, acks_from, read_ack_key},
};
use crate::{
    charter::Founding,
    codec::Fixed,
    feed::{Descriptor, Extent, SignedHead, settled_size},
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
    /// Its chains, the one seen first before the others.
    pub chains: Vec<ChainView>,
    /// The chain that stands from the fork on, if one does.
    pub winner: Option<BranchNo>,
    /// Organisations that acknowledged entries which nobody showed us, and how many.
    pub unexplained: BTreeMap<OrgId, usize>,
    /// Entries that claim an odd time, since the start.
    pub odd_times: OddTimes,
    /// Organisations that acknowledged more than one history of the feed: they are at fault too.
    pub acknowledged_both: Vec<OrgId>,
}

/// One chain of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainView {
    /// Under which number it is stored; 0 is the chain seen first.
    pub branch: BranchNo,
    /// The first entry that is stored under that number.
    pub start: u64,
    /// How many entries, from the first, are settled on it.
    pub settled: u64,
    /// How many entries, from the first, another organisation acknowledged: those are kept and
    /// served for ever.
    pub acknowledged: u64,
    /// Acknowledgements in how many entries, from the first, count with everybody who holds the same.
    pub heard: u64,
    /// Its entry at the lowest proven index: which of the histories it is.
    pub parted: EntryId,
    /// From where another settled chain contradicts it, if it is settled there and one does, and its
    /// entry there.
    pub disputed: Option<(u64, EntryId)>,
}

/// Our own feed on one board: little enough to ask for at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnFeed {
    /// The board.
    pub board: BoardId,
    /// The feed.
    pub feed: FeedId,
    /// Its newest durable head, if there is one.
    pub durable: Option<SignedHead>,
    /// Drafts that wait to be signed.
    pub drafts: usize,
    /// Whether the node waits for partners before it signs.
    pub is_restoring: bool,
}

/// What an equivocation, or a key that was taken back, did to a feed.
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
    /// The recovery key opened another feed in its place: it stands as far as it is settled.
    Superseded,
}

/// Acknowledgements that are looked through for a view of one feed.
const UNEXPLAINED_MAX: usize = 1_000;

impl Engine {
    /// What is known of every board.
    #[must_use]
    pub fn views(&self, reader: &dyn Reader) -> Vec<BoardView> {
        self.boards.values().map(|board| self.board_view(board, reader)).collect()
    }

    /// Our own feeds, board by board.
    pub fn own_feeds(&self) -> impl Iterator<Item = OwnFeed> {
        self.boards.iter().map(|(id, board)| OwnFeed {
            board: *id,
            feed: board.own,
            durable: board.feeds.get(&board.own).and_then(|feed| feed.trunk.durable),
            drafts: board.drafts.len(),
            is_restoring: board.restoring.is_some(),
        })
    }

    /// The board that a feed is on, if it is known here.
    #[must_use]
    pub fn board_of(&self, feed: &FeedId) -> Option<BoardId> {
        self.feeds.get(feed).copied()
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
        let step = Step::reading(reader);
        let trunk = &feed.trunk;
        let (standing, settled, effective) = match feed.fork_index() {
            None => {
                let settled = self.settled_on(&step, board, feed, 0);
                let standing = self.unforked_standing(&step, board, feed, settled);
                let alone = self.counts_alone(&step, feed, 0).min(trunk.tip.size());
                let stands = standing.lets_settled_entries_stand();
                (standing, settled, if stands { settled.max(alone) } else { alone })
            }
            Some(index) => self.forked_view(&step, board, feed, index),
        };
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
            chains: self.chains_of(&step, board, feed),
            winner: self.winner(&step, board, feed, standing),
            unexplained: self.unexplained(&step, board, feed),
            odd_times: feed.claimed.odd,
            acknowledged_both: self.acknowledged_both(&step, feed),
        }
    }

    fn chains_of(&self, step: &Step<'_>, board: &Board, feed: &Feed) -> Vec<ChainView> {
        let (id, index) = (feed.trunk.tip.feed(), feed.fork_index().unwrap_or(0));
        let settled_on = |(no, _): (BranchNo, &_)| (no, self.settled_on(step, board, feed, no));
        let settled: Vec<(BranchNo, u64)> = feed.branches().map(settled_on).collect();
        let chain = |((no, state), (_, size)): ((BranchNo, &super::state::Branch), &(_, u64))| {
            let others = settled.iter().filter(|(other, _)| *other != no);
            let parted = others.filter_map(|(other, other_size)| {
                let shared = self.shared_size(step, feed, no, *other);
                (*size.min(other_size) > shared).then_some(shared)
            });
            let at = |seq| self.id_at(step, feed, no, seq);
            ChainView {
                branch: no,
                start: state.start,
                settled: *size,
                acknowledged: state.acked.map_or(0, |last| last.0.saturating_add(1)),
                // What our own feed said beyond its end may have counted with us alone.
                heard: state.applied.min(self.counts_below(step, &board.id(), &id, no)),
                parted: at(index).unwrap_or(EntryId::NONE),
                disputed: parted.min().and_then(|seq| Some((seq, at(seq)?))),
            }
        };
        feed.branches().zip(&settled).map(chain).collect()
    }

    fn winner(
        &self,
        step: &Step<'_>,
        board: &Board,
        feed: &Feed,
        standing: FeedStanding,
    ) -> Option<BranchNo> {
        let numbers = feed.branches().map(|(no, _)| (self.settled_on(step, board, feed, no), no));
        let best = numbers.max().map(|(_, no)| no);
        best.filter(|_| matches!(standing, FeedStanding::Won { .. }))
    }

    /// The standing of a feed with one history, of which another may have taken the place.
    fn unforked_standing(
        &self,
        step: &Step<'_>,
        board: &Board,
        feed: &Feed,
        settled: u64,
    ) -> FeedStanding {
        match feed.extent {
            Extent::Open | Extent::Until(_) => FeedStanding::Sound,
            Extent::Superseded => FeedStanding::Superseded,
            // Rivals are two histories that part at entry 0.
            Extent::Contested => {
                let Descriptor { org, epoch, .. } = feed.descriptor;
                let is_rival = |other: &&Feed| {
                    (other.descriptor.org, other.descriptor.epoch) == (org, epoch)
                        && other.extent == Extent::Contested
                        && other.descriptor != feed.descriptor
                };
                let mut rivals = board.feeds.values().filter(is_rival);
                let is_settled = |other| self.settled_on(step, board, other, 0) > 0;
                match self.id_at(step, feed, 0, 0).filter(|_| settled > 0) {
                    _ if settled > 0 && rivals.any(is_settled) => FeedStanding::Halted { index: 0 },
                    Some(entry) => FeedStanding::Won { index: 0, entry },
                    None => FeedStanding::Held { index: 0 },
                }
            }
        }
    }

    /// A forked feed's standing, how much of it is settled, and how much has effect.
    fn forked_view(
        &self,
        step: &Step<'_>,
        board: &Board,
        feed: &Feed,
        index: u64,
    ) -> (FeedStanding, u64, u64) {
        let numbers = feed.branches().map(|(no, _)| no);
        let chains: Vec<(u64, BranchNo)> =
            numbers.map(|no| (self.settled_on(step, board, feed, no), no)).collect();
        let winners = || chains.iter().filter(|(size, _)| *size > index);
        let contradict = |(one, a): &(u64, BranchNo), (other, b): &(u64, BranchNo)| {
            a != b && *one.min(other) > self.shared_size(step, feed, *a, *b)
        };
        let below = self.counts_alone(step, feed, 0).min(feed.trunk.tip.size());
        let (settled, best) = chains.iter().max().copied().unwrap_or((0, 0));
        if winners().any(|one| winners().any(|other| contradict(one, other))) {
            return (FeedStanding::Halted { index }, settled, below);
        }
        match self.id_at(step, feed, best, index).filter(|_| settled > index) {
            Some(entry) => (FeedStanding::Won { index, entry }, settled, settled),
            None => (FeedStanding::Held { index }, settled, settled.max(below)),
        }
    }

    /// How many entries of a chain are settled. An acknowledgement of another chain counts as far
    /// as the two are one.
    fn settled_on(&self, step: &Step<'_>, board: &Board, feed: &Feed, no: BranchNo) -> u64 {
        let author = feed.descriptor.org;
        let mut best: BTreeMap<OrgId, u64> = BTreeMap::new();
        for (other, branch) in feed.branches() {
            let shared = self.shared_size(step, feed, no, other);
            for (org, counted) in &branch.complete {
                let known = best.entry(*org).or_insert(0);
                *known = counted.complete.min(shared).max(*known);
            }
        }
        let voting = best.into_iter().filter(|(org, _)| *org != author && board.is_voting(org));
        let size = feed.branch(no).map_or(0, |branch| branch.tip.size());
        settled_size(size, board.voting_others(&author), voting.map(|(_, size)| size))
    }

    /// How many entries, from the first, two chains of a feed have in common.
    fn shared_size(&self, step: &Step<'_>, feed: &Feed, one: BranchNo, other: BranchNo) -> u64 {
        let size = |no| feed.branch(no).map_or(0, |branch| branch.tip.size());
        let least = size(one).min(size(other));
        if one == other {
            return least;
        }
        // Chains that have parted never meet again, so halving finds where they part.
        let (mut shared, mut parted) = (0, least.saturating_add(1));
        while parted.saturating_sub(shared) > 1 {
            let middle = shared.midpoint(parted);
            let at = |no| self.id_before(step, feed, no, middle);
            if at(one) == at(other) { shared = middle } else { parted = middle }
        }
        shared
    }

    /// Who acknowledged entries of two chains where they have parted.
    fn acknowledged_both(&self, step: &Step<'_>, feed: &Feed) -> Vec<OrgId> {
        let mut both = BTreeSet::new();
        for (one, branch) in feed.branches() {
            for (other, beside) in feed.branches().filter(|(other, _)| *other > one) {
                let shared = self.shared_size(step, feed, one, other);
                let above = |counted: &Counted| counted.point.0 >= shared;
                let above_on_both = branch.complete.iter().filter(|(org, counted)| {
                    above(counted) && beside.complete.get(org).is_some_and(above)
                });
                both.extend(above_on_both.map(|(org, _)| *org));
            }
        }
        both.into_iter().collect()
    }

    /// Who acknowledged entries, where we hold others, that are on no chain we hold.
    fn unexplained(&self, step: &Step<'_>, board: &Board, feed: &Feed) -> BTreeMap<OrgId, usize> {
        let id = feed.trunk.tip.feed();
        let (begin, end) = (acks_from(&id, 0), acks_from(&id, feed.trunk.tip.size()));
        let rows = self.pending.scan(step.reader, Table::Acks, (&begin, &end), UNEXPLAINED_MAX);
        let mut unexplained = BTreeMap::new();
        for (seq, entry, by) in rows.iter().filter_map(|(key, _)| read_ack_key(key)) {
            let holds = |no| self.id_at(step, feed, no, seq) == Some(entry);
            let by = board.feeds.get(&by).map(|feed| feed.descriptor.org);
            if let Some(by) = by.filter(|_| !feed.branches().any(|(no, _)| holds(no))) {
                let count: &mut usize = unexplained.entry(by).or_default();
                *count = count.saturating_add(1);
            }
        }
        unexplained
    }
}

impl FeedStanding {
    /// Whether entries that do not count alone stand as far as they are settled.
    const fn lets_settled_entries_stand(self) -> bool {
        !matches!(self, Self::Halted { .. })
    }
}
