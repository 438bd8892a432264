//! Which entries stand, and whether everybody comes to hold them.

use super::{Chains, Holdings};
use crate::{
    decision::Standing,
    feed::Extent,
    hash::{EntryId, FeedId},
};

/// What a fork, or a key that was taken back, did to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It has one history, of which so many entries have effect.
    Sound { effective: u64 },
    /// It has several, and none is settled from there on.
    Held { index: u64 },
    /// One history is settled furthest, and none that is settled contradicts it.
    Won { index: u64, winner: usize },
    /// Settled histories contradict each other.
    Halted { index: u64 },
}

impl Holdings {
    fn verdict(&self, id: &FeedId, chains: &Chains) -> Verdict {
        let effective = chains.settled(0).max(chains.alone(0));
        match (chains.fork, chains.extent) {
            (Some(index), _) => chains.forked(index),
            (None, Extent::Open | Extent::Until(_) | Extent::Superseded) => {
                Verdict::Sound { effective }
            }
            // Rivals are histories that part at entry 0.
            (None, Extent::Contested) => {
                let mut rivals = self.feeds.iter().filter(|(other, of)| {
                    *other != id
                        && (of.board, of.org, of.epoch) == (chains.board, chains.org, chains.epoch)
                        && of.extent == Extent::Contested
                });
                match chains.settled(0) {
                    0 => Verdict::Held { index: 0 },
                    _ if rivals.any(|(_, of)| of.settled(0) > 0) => Verdict::Halted { index: 0 },
                    _ => Verdict::Won { index: 0, winner: 0 },
                }
            }
        }
    }

    /// Whether an entry stands, and whether it is settled; it is gathered with history `no`.
    pub(super) fn standing(&self, id: &FeedId, (no, seq): (usize, u64)) -> (Standing, bool) {
        let Some(chains) = self.feeds.get(id) else { return (Standing::Void, false) };
        let forked =
            |branch: Option<EntryId>| Standing::Forked { branch: branch.unwrap_or(EntryId::NONE) };
        let (index, winner, is_halted) = match self.verdict(id, chains) {
            Verdict::Sound { effective } => {
                let settled = seq < chains.settled(0);
                let stands = settled || seq < effective;
                return (if stands { Standing::Stands } else { Standing::Void }, settled);
            }
            Verdict::Held { index } => (index, None, false),
            Verdict::Won { index, winner } => (index, Some(winner), false),
            Verdict::Halted { index } => (index, None, true),
        };
        if seq < index {
            return (Standing::Stands, seq < chains.settled(0).max(chains.settled(no)));
        }
        match winner {
            // Named alike by all, whichever history stands first in a bundle.
            Some(won) if chains.has(won, (no, seq)) => {
                (forked(chains.id_at(won, index)), seq < chains.settled(won))
            }
            Some(won) => {
                let mut parted = (index..)
                    .map_while(|seq| Some((chains.id_at(no, seq)?, chains.id_at(won, seq))));
                let parted = parted.find(|(ours, theirs)| Some(*ours) != *theirs);
                (forked(parted.map(|(ours, _)| ours).or(chains.id_at(no, index))), false)
            }
            // What the settled histories have in common nobody contradicts.
            None if is_halted => match chains.disputed(no) {
                Some(at) if seq >= at => (forked(chains.id_at(no, at)), seq < chains.settled(no)),
                Some(_) => (Standing::Stands, true),
                None => (forked(chains.id_at(no, index)), seq < chains.settled(no)),
            },
            None => (forked(chains.id_at(no, index)), false),
        }
    }

    /// Where several histories, or several feeds that contest each other, part.
    pub(super) fn parts_at(&self, chains: &Chains) -> Option<u64> {
        chains.fork.or((chains.extent == Extent::Contested).then_some(0))
    }

    /// Whether everybody comes to hold an entry that is gathered with history `no`.
    pub(super) fn keeps(&self, chains: &Chains, (no, seq): (usize, u64)) -> bool {
        let Some(index) = self.parts_at(chains) else { return true };
        let mut counts = chains.counts.iter().enumerate();
        let is_acknowledged =
            counts.any(|(other, count)| chains.has(other, (no, seq)) && seq < count.acknowledged);
        seq < index || is_acknowledged
    }

    /// How many entries of a feed, from the first, everybody comes to hold.
    pub(super) fn shared(&self, chains: &Chains) -> u64 {
        let Some(index) = self.parts_at(chains) else { return chains.size(0) };
        let acknowledged = chains.counts.iter().map(|count| count.acknowledged);
        acknowledged.max().unwrap_or(0).max(index)
    }
}

impl Chains {
    fn settled(&self, no: usize) -> u64 {
        self.counts.get(no).map_or(0, |count| count.settled)
    }

    fn numbers(&self) -> core::ops::Range<usize> {
        0..self.histories.len()
    }

    fn contradict(&self, one: usize, other: usize) -> bool {
        one != other && self.settled(one).min(self.settled(other)) > self.shared(one, other)
    }

    fn forked(&self, index: u64) -> Verdict {
        let is_settled = |no: &usize| self.settled(*no) > index;
        let settled = || self.numbers().filter(is_settled);
        if settled().any(|one| settled().any(|other| self.contradict(one, other))) {
            return Verdict::Halted { index };
        }
        // Of several that are settled as far the last, as a node has it: they are one up to there.
        match self.numbers().max_by_key(|no| (self.settled(*no), *no)).filter(is_settled) {
            Some(winner) => Verdict::Won { index, winner },
            None => Verdict::Held { index },
        }
    }

    /// From where another settled history contradicts this one, if it is settled there and one does.
    fn disputed(&self, no: usize) -> Option<u64> {
        let others = self.numbers().filter(|other| self.contradict(no, *other));
        others.map(|other| self.shared(no, other)).min()
    }
}
