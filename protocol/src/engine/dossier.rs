//! Stage 6 of 8: apply. From `engine::apply`; to `replay`.
//!
//! What is held about one artefact, gathered from what is durable: its entries, whether each stands
//! and is settled, and what members acknowledged.
//!
//! *Bounds.* Of one chain of a feed as many entries and as many bytes of payloads as
//! [`crate::limits`] says; what is beyond has no effect anywhere, so nobody can make others read
//! without end.
//!
//! Needs no engine: a view of the board and a snapshot of the store, not older than the view, are enough.

use alloc::{
    collections::{BTreeMap, btree_map},
    vec::Vec,
};

use super::{
    audience::ArtefactRecord,
    received,
    tables::{BranchNo, Reader, Table, after_prefix, place_key, placed_key, read_placed_key},
    view::{BoardView, ChainView, FeedStanding, FeedView},
};
use crate::{
    decision::{Standing, Written},
    feed::{Header, Kind, Sealed},
    hash::{ArtefactId, EntryId, FeedId},
    limits::{ARTEFACT_BYTES_MAX, ARTEFACT_ENTRIES_MAX},
    replay::{Content, Dossier, Entry},
};

/// Rows that are read at a time.
const PAGE: usize = 1_000;

impl Dossier {
    /// Gathers what is held about an artefact; `None` while its opening has not come.
    ///
    /// Acknowledgements are read only as far as the closings of votes need them; all of them if
    /// `with_acks` asks for that, which costs time that grows with the board's age.
    #[must_use]
    pub fn gather(
        reader: &dyn Reader,
        view: &BoardView,
        artefact: &ArtefactId,
        with_acks: bool,
    ) -> Option<Self> {
        let record = ArtefactRecord::read(reader, &view.board, artefact)?;
        let opener = record.opener();
        let first = record.first?;
        let mut budget = Budget::default();
        let places = places(reader, artefact).into_iter();
        let entries = places.filter_map(|place| entry(reader, view, artefact, place, &mut budget));
        let entries = each_once(entries);
        let closings = entries.iter().filter(|one| one.kind == Kind::CLOSE);
        let closings: Vec<_> = closings.map(|one| (one.feed, one.by.seq)).collect();
        let size = |(id, feed): (&FeedId, &FeedView)| (*id, (feed.descriptor.org, feed.shared()));
        Some(Self {
            board: view.board,
            artefact: *artefact,
            opener,
            kind: first.kind,
            schema_version: first.schema_version,
            feeds: view.feeds.iter().map(size).collect(),
            acknowledged: match with_acks {
                true => received::all(reader, view),
                false => received::beside(reader, view, &closings),
            },
            entries,
        })
    }
}

/// Where the entries stand, chain by chain: of each chain the first [`ARTEFACT_ENTRIES_MAX`].
fn places(reader: &dyn Reader, artefact: &ArtefactId) -> Vec<(FeedId, BranchNo, u64)> {
    let prefix = artefact.as_bytes();
    let end = after_prefix(prefix).unwrap_or_default();
    let mut places = Vec::new();
    let (mut next, mut chain, mut count) = (prefix.to_vec(), None, 0);
    loop {
        let rows = reader.scan(Table::Placed, &next, &end, PAGE);
        let Some((last, _)) = rows.last() else { return places };
        next = [last, &[0][..]].concat();
        for (key, _) in &rows {
            let Some(place @ (feed, branch, _)) = read_placed_key(key) else { continue };
            count = if chain == Some((feed, branch)) { count + 1 } else { 1 };
            chain = Some((feed, branch));
            if count > ARTEFACT_ENTRIES_MAX {
                let of_chain = placed_key(artefact, &feed, branch, u64::MAX);
                next = [&of_chain[..], &[0]].concat();
                break;
            }
            places.push(place);
        }
    }
}

/// How many bytes of payloads of a chain have been read.
#[derive(Default)]
struct Budget {
    chain: Option<(FeedId, BranchNo)>,
    bytes: u64,
}

impl Budget {
    /// Whether the next payload of this chain is still to be read.
    fn takes(&mut self, chain: (FeedId, BranchNo), len: u64) -> bool {
        if self.chain != Some(chain) {
            *self = Self { chain: Some(chain), bytes: 0 };
        }
        self.bytes = self.bytes.saturating_add(len);
        self.bytes <= ARTEFACT_BYTES_MAX
    }
}

/// Chains store what they have in common more than once; an entry stands as it does on the chain
/// that stands.
fn each_once(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut once: BTreeMap<EntryId, Entry> = BTreeMap::new();
    let rank = |one: &Entry| (one.by.settled, one.by.may_count(), one.is_kept);
    for one in entries {
        match once.entry(one.by.entry) {
            btree_map::Entry::Vacant(free) => {
                free.insert(one);
            }
            btree_map::Entry::Occupied(mut held) if rank(held.get()) < rank(&one) => {
                held.insert(one);
            }
            btree_map::Entry::Occupied(_) => {}
        }
    }
    once.into_values().collect()
}

fn entry(
    reader: &dyn Reader,
    view: &BoardView,
    artefact: &ArtefactId,
    (feed, branch, seq): (FeedId, BranchNo, u64),
    budget: &mut Budget,
) -> Option<Entry> {
    let of = view.feeds.get(&feed)?;
    let place = place_key(&feed, branch, seq);
    let bytes = reader.get(Table::Headers, &place)?;
    let header = Header::from_bytes(&bytes).ok()?;
    if header.artefact != Some(*artefact) {
        return None;
    }
    let is_within = budget.takes((feed, branch), header.payload_len);
    let sealed = reader.get(Table::Payloads, &place).filter(|_| is_within);
    let content = match sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok()) {
        _ if !is_within => Content::Beyond,
        Some(sealed) => Content::Here(sealed),
        None if reader.get(Table::Missing, &place).is_some() => Content::Due,
        None => Content::Withheld,
    };
    let (standing, settled) = of.standing_of(reader, &feed, (branch, seq));
    let is_kept = of.keeps(branch, seq);
    let by = Written {
        entry: Header::id_of(&bytes),
        org: of.descriptor.org,
        epoch: of.descriptor.epoch,
        seq,
        at: header.t,
        charter: header.charter,
        settled,
        standing,
    };
    Some(Entry { by, feed, kind: header.kind, refs: header.refs, content, is_kept })
}

impl FeedView {
    /// Whether an entry of this feed stands, and whether it is settled.
    fn standing_of(
        &self,
        reader: &dyn Reader,
        id: &FeedId,
        (branch, seq): (BranchNo, u64),
    ) -> (Standing, bool) {
        let chain = self.chains.iter().find(|chain| chain.branch == branch);
        let (Some(chain), Some(trunk)) = (chain, self.chains.first()) else {
            return (Standing::Void, false);
        };
        let (index, winner) = match self.standing {
            FeedStanding::Sound | FeedStanding::Superseded => {
                let settled = seq < trunk.settled;
                let stands = settled || seq < self.effective;
                return (if stands { Standing::Stands } else { Standing::Void }, settled);
            }
            FeedStanding::Held { index } | FeedStanding::Halted { index } => (index, None),
            FeedStanding::Won { index, .. } => (index, self.winner),
        };
        if seq < index {
            return (Standing::Stands, seq < trunk.settled || chain.settled > seq);
        }
        // What the winner has in common with the first chain is stored under that one.
        let won = winner.and_then(|no| self.chains.iter().find(|chain| chain.branch == no));
        let won = won.filter(|won| won.branch == branch || (branch == 0 && seq < won.start));
        match (self.standing, won) {
            // Named alike by all: which chain a node saw first is its own history.
            (FeedStanding::Won { entry, .. }, Some(won)) => {
                (Standing::Forked { branch: entry }, seq < won.settled)
            }
            (FeedStanding::Won { index, .. }, None) => {
                let parted = self.parts_from_winner(reader, id, (chain, index));
                (Standing::Forked { branch: parted }, false)
            }
            (FeedStanding::Halted { .. }, _) => {
                (Standing::Forked { branch: chain.parted }, seq < chain.settled)
            }
            _ => (Standing::Forked { branch: chain.parted }, false),
        }
    }
}

impl FeedView {
    /// Where its histories part, if there are two.
    const fn fork_index(&self) -> Option<u64> {
        match self.standing {
            FeedStanding::Sound | FeedStanding::Superseded => None,
            FeedStanding::Held { index }
            | FeedStanding::Halted { index }
            | FeedStanding::Won { index, .. } => Some(index),
        }
    }

    /// Whether everybody comes to hold an entry of a chain.
    fn keeps(&self, branch: BranchNo, seq: u64) -> bool {
        let Some(index) = self.fork_index() else { return true };
        let chain = self.chains.iter().find(|chain| chain.branch == branch);
        seq < index || chain.is_some_and(|chain| seq < chain.acknowledged)
    }

    /// How many entries there are, from the first, that everybody comes to hold. What else a node
    /// holds above a fork is its own history, and no result may rest on it.
    fn shared(&self) -> u64 {
        // What is still on its way to disk may not be read yet, so it is not said to be held.
        let Some(index) = self.fork_index() else { return self.durable_size };
        let acknowledged = self.chains.iter().map(|chain| chain.acknowledged);
        acknowledged.max().unwrap_or(0).max(index)
    }

    /// The first entry of a chain that the winner does not have.
    fn parts_from_winner(
        &self,
        reader: &dyn Reader,
        id: &FeedId,
        (chain, index): (&ChainView, u64),
    ) -> EntryId {
        let winner = self.chains.iter().find(|one| Some(one.branch) == self.winner);
        let at = |one: &ChainView, seq: u64| {
            let stored_under = if seq < one.start { 0 } else { one.branch };
            let bytes = reader.get(Table::Headers, &place_key(id, stored_under, seq))?;
            Some(Header::id_of(&bytes))
        };
        let own = |seq: &u64| Some((at(chain, *seq)?, winner.and_then(|one| at(one, *seq))));
        let mut entries = (index..).map_while(|seq| own(&seq));
        let parted = entries.find(|(ours, theirs)| Some(*ours) != *theirs);
        parted.map_or(chain.parted, |(ours, _)| ours)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        feed::Descriptor,
        hash::{BoardId, OrgId},
        identity::{KeyPair, Signer},
    };
    use alloc::vec;

    fn view(standing: FeedStanding, chains: Vec<ChainView>) -> FeedView {
        let key = KeyPair::from_seed(&[1; 32]).public();
        let board = BoardId::from_bytes([0; 32]);
        let org = OrgId::from_bytes([1; 32]);
        FeedView {
            descriptor: Descriptor { board, org, epoch: 0, key },
            size: 9,
            id: EntryId::NONE,
            durable_size: 9,
            durable_id: None,
            settled: 0,
            missing: 0,
            standing,
            effective: 5,
            chains,
            winner: None,
            unexplained: BTreeMap::new(),
            odd_times: Default::default(),
            acknowledged_both: vec![],
        }
    }

    fn chain(branch: BranchNo, acknowledged: u64) -> ChainView {
        ChainView { branch, start: 0, settled: 0, acknowledged, parted: EntryId::NONE }
    }

    /// Two nodes that each hold another tail which nobody acknowledged.
    #[test]
    fn of_a_forked_feed_only_what_was_acknowledged_is_shared() {
        let held = FeedStanding::Held { index: 5 };
        let one = view(held, vec![chain(0, 4), chain(1, 7)]);
        assert_eq!(one.shared(), 7);
        assert_eq!(FeedView { size: 12, ..one.clone() }.shared(), 7);
        assert_eq!(view(held, vec![chain(0, 0)]).shared(), 5);
        assert_eq!(view(FeedStanding::Sound, vec![chain(0, 4)]).shared(), 9);
        assert_eq!([4, 5].map(|seq| one.keeps(0, seq)), [true, false]);
        assert_eq!([6, 7].map(|seq| one.keeps(1, seq)), [true, false]);
        assert!(view(FeedStanding::Sound, vec![]).keeps(0, 8));
    }
}
