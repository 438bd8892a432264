//! Stage 7 of 8: view. From `engine::view`; to `engine::dossier`.
//!
//! Whether an entry of a feed stands, and whether everybody comes to hold it: the same at all nodes
//! that know the same, whichever chain of a forked feed each of them saw first.

use super::{
    tables::{BranchNo, Reader, Table, place_key},
    view::{ChainView, FeedStanding, FeedView},
};
use crate::{
    decision::Standing,
    feed::Header,
    hash::{EntryId, FeedId},
};

impl ChainView {
    /// Whether an entry that is stored under this number is one of this chain's: what a chain has in
    /// common with the first is stored under that.
    pub(super) const fn has(&self, (branch, seq): (BranchNo, u64)) -> bool {
        self.branch == branch || branch == 0 && seq < self.start
    }
}

impl FeedView {
    /// Whether an entry of this feed stands, and whether it is settled.
    pub(super) fn standing_of(
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
        let won = winner.and_then(|no| self.chains.iter().find(|chain| chain.branch == no));
        let won = won.filter(|won| won.has((branch, seq)));
        match (self.standing, won) {
            // Named alike by all: which chain a node saw first is its own history.
            (FeedStanding::Won { entry, .. }, Some(won)) => {
                (Standing::Forked { branch: entry }, seq < won.settled)
            }
            (FeedStanding::Won { index, .. }, None) => {
                let parted = self.parts_from_winner(reader, id, (chain, index));
                (Standing::Forked { branch: parted }, false)
            }
            // What the settled chains have in common nobody contradicts.
            (FeedStanding::Halted { .. }, _) => match chain.disputed {
                Some((at, branch)) if seq >= at => {
                    (Standing::Forked { branch }, seq < chain.settled)
                }
                Some(_) => (Standing::Stands, true),
                None => (Standing::Forked { branch: chain.parted }, seq < chain.settled),
            },
            _ => (Standing::Forked { branch: chain.parted }, false),
        }
    }
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
    pub(super) fn keeps(&self, branch: BranchNo, seq: u64) -> bool {
        let Some(index) = self.fork_index() else { return true };
        let mut chains = self.chains.iter().filter(|chain| chain.has((branch, seq)));
        seq < index || chains.any(|chain| seq < chain.acknowledged)
    }

    /// How many entries there are, from the first, that everybody comes to hold. What else a node
    /// holds above a fork is its own history, and no result may rest on it.
    pub(super) fn shared(&self) -> u64 {
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
pub(super) mod tests {
    use super::*;
    use crate::{
        engine::tables::Row,
        feed::Descriptor,
        hash::{BoardId, OrgId},
        identity::{KeyPair, Signer},
    };
    use alloc::{collections::BTreeMap, vec, vec::Vec};

    pub(in crate::engine) fn view(standing: FeedStanding, chains: Vec<ChainView>) -> FeedView {
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

    pub(in crate::engine) fn chain(branch: BranchNo, acknowledged: u64) -> ChainView {
        ChainView {
            branch,
            start: 0,
            settled: 0,
            acknowledged,
            heard: 0,
            parted: EntryId::NONE,
            disputed: None,
        }
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
        let nested = ChainView { start: 6, ..chain(2, 8) };
        let shared = view(held, vec![chain(0, 4), nested]);
        assert_eq!([5, 6].map(|seq| shared.keeps(0, seq)), [true, false], "stored once for both");
    }

    struct NoRows;

    impl Reader for NoRows {
        fn get(&self, _: Table, _: &[u8]) -> Option<Vec<u8>> {
            None
        }

        fn scan(&self, _: Table, _: &[u8], _: &[u8], _: usize) -> Vec<Row> {
            vec![]
        }
    }

    /// Two settled chains part at 8, above the lowest proof at 5. What they share stands; beyond, each
    /// is named by its own entry at 8, whichever a node saw first.
    #[test]
    fn what_settled_chains_share_stands_and_beyond_they_are_told_apart() {
        let entry = |number: u8| EntryId::from_bytes([number; 32]);
        let settled = |branch, start, at: u8| ChainView {
            start,
            settled: 9,
            parted: entry(5),
            disputed: Some((8, entry(at))),
            ..chain(branch, 9)
        };
        let other = |branch, start| ChainView { start, parted: entry(55), ..chain(branch, 6) };
        let orders = [
            ([settled(0, 0, 81), settled(1, 8, 82), other(2, 5)], [0, 0, 1]),
            ([other(0, 0), settled(1, 5, 81), settled(2, 5, 82)], [1, 1, 2]),
        ];
        for (chains, [shared, one, two]) in orders {
            let unsettled = chains.iter().find(|chain| chain.disputed.is_none()).unwrap().branch;
            let view = view(FeedStanding::Halted { index: 5 }, chains.to_vec());
            let of = |branch, seq| {
                view.standing_of(&NoRows, &FeedId::from_bytes([9; 32]), (branch, seq))
            };
            let forked = |at| Standing::Forked { branch: entry(at) };
            assert_eq!(of(shared, 7), (Standing::Stands, true));
            assert_eq!(of(one, 8), (forked(81), true));
            assert_eq!(of(two, 8), (forked(82), true));
            assert_eq!(of(one, 9), (forked(81), false));
            assert_eq!(of(unsettled, 6), (forked(55), false));
        }
    }
}
