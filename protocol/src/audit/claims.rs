//! Acknowledgements in an audit: what each feed last said of each other feed.
//!
//! Two statements are kept for each pair: the one that names the highest entry, and the one that
//! covers most entries with their payloads. The first shows what is missing, the second settles.
//!
//! Invariant: bounded by the members, however much a feed acknowledges.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::{
    feed::{Ack, AckItem},
    hash::{EntryId, FeedId},
    time::TimeMs,
};

/// Most feeds that one feed's acknowledgements are kept of; a board has far fewer.
const FEEDS_MAX: usize = 4_096;

/// One acknowledgement of one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The entry acknowledged.
    pub(super) seq: u64,
    pub(super) id: EntryId,
    /// How many entries, from the first, it covers with the payloads due.
    pub(super) complete: u64,
    pub(super) received_at: TimeMs,
    /// Where it stands in the acknowledging feed.
    pub(super) place: u64,
    /// Which history in the bundle holds the entry, if one does.
    pub(super) held_by: Option<usize>,
}

/// What one feed said of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) highest: Claim,
    pub(super) most_complete: Claim,
}

/// All that was said, by (feed acknowledged, feed that acknowledges).
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    pairs: BTreeMap<(FeedId, FeedId), Pair>,
    counts: BTreeMap<FeedId, usize>,
}

impl Claims {
    /// Takes in an acknowledgement that stands at `place` of feed `by`.
    pub(super) fn take(&mut self, by: FeedId, place: u64, ack: &Ack) {
        for item in &ack.0 {
            let claim = Claim::of(item, place);
            match self.pairs.get_mut(&(item.feed, by)) {
                Some(pair) => pair.take(claim),
                None => self.add(item.feed, by, claim),
            }
        }
    }

    fn add(&mut self, of: FeedId, by: FeedId, claim: Claim) {
        let count = self.counts.entry(by).or_default();
        if *count < FEEDS_MAX {
            *count = count.saturating_add(1);
            self.pairs.insert((of, by), Pair { highest: claim, most_complete: claim });
        }
    }

    /// The places of a feed that somebody acknowledged.
    pub(super) fn places(&self, of: FeedId) -> BTreeSet<u64> {
        let pairs = self.of(of).map(|(_, pair)| pair);
        pairs.flat_map(|pair| [pair.highest.seq, pair.most_complete.seq]).collect()
    }

    /// Marks those that name this entry of a history, and gives who says so.
    pub(super) fn matched(
        &mut self,
        (of, history): (FeedId, usize),
        (seq, id): (u64, EntryId),
    ) -> impl Iterator<Item = (FeedId, Claim)> {
        let range = (of, FeedId::from_bytes([0; 32]))..=(of, FeedId::from_bytes([0xff; 32]));
        self.pairs.range_mut(range).filter_map(move |((_, by), pair)| {
            let mut named = None;
            for claim in [&mut pair.most_complete, &mut pair.highest] {
                if (claim.seq, claim.id) == (seq, id) {
                    claim.held_by = Some(history);
                    named = Some((*by, *claim));
                }
            }
            named
        })
    }

    /// What was said of a feed, and by which.
    pub(super) fn of(&self, of: FeedId) -> impl Iterator<Item = (FeedId, &Pair)> {
        let range = (of, FeedId::from_bytes([0; 32]))..=(of, FeedId::from_bytes([0xff; 32]));
        self.pairs.range(range).map(|((_, by), pair)| (*by, pair))
    }

    /// All that was said.
    pub(super) fn all(&self) -> impl Iterator<Item = (FeedId, FeedId, &Pair)> {
        self.pairs.iter().map(|((of, by), pair)| (*of, *by, pair))
    }
}

impl Claim {
    fn of(item: &AckItem, place: u64) -> Self {
        Self {
            seq: item.seq,
            id: item.id,
            complete: item.complete_through().map_or(0, |seq| seq.saturating_add(1)),
            received_at: item.received_at,
            place,
            held_by: None,
        }
    }
}

impl Pair {
    fn take(&mut self, claim: Claim) {
        if claim.seq > self.highest.seq {
            self.highest = claim;
        }
        if claim.complete > self.most_complete.complete {
            self.most_complete = claim;
        }
    }
}
