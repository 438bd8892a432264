//! Cosignatures in an audit: what each feed last cosigned of each other feed.
//!
//! ```text
//! first reading    of each pair of feeds the longest checkpoint that the one cosigned of the other
//! second reading   the root of the first history where that checkpoint stands
//! ```
//!
//! A checkpoint is cosigned where it stands in a feed, so the first history that is longer must hold it.
//! Of a feed with two histories above the fork, and of an epoch that has two feeds, nothing follows.
//!
//! Invariant: bounded by the members, however much a feed cosigns.

use alloc::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    vec::Vec,
};

use super::{
    board::{Boards, Feed},
    finding::Finding,
};
use crate::{
    checkpoint::{Checkpoint, Cosigned, Origin},
    codec::Fixed,
    feed::{Kind, Tip, VerifiedRun},
    hash::FeedId,
};

/// Most feeds whose cosignatures by one feed are kept; a board has far fewer.
const FEEDS_MAX: usize = 4_096;

/// The longest checkpoint of a feed that another cosigned.
#[derive(Debug, Clone, Copy)]
struct Claim {
    checkpoint: Checkpoint,
    /// Where it stands in the feed that cosigns.
    seq: u64,
}

/// All that was cosigned, and what stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Cosignatures {
    claims: BTreeMap<FeedId, BTreeMap<Origin, Claim>>,
    /// By feed and size: the roots of first histories before their checkpoints.
    roots: BTreeMap<(FeedId, u64), Fixed<32>>,
}

impl Cosignatures {
    /// Takes in what stands at `seq` of feed `by`.
    pub(super) fn take(&mut self, by: FeedId, seq: u64, given: &[Cosigned]) {
        let claims = self.claims.entry(by).or_default();
        for Cosigned { checkpoint, .. } in given {
            let claim = Claim { checkpoint: *checkpoint, seq };
            let has_room = claims.len() < FEEDS_MAX;
            match claims.entry(checkpoint.origin) {
                Entry::Occupied(mut known) if known.get().checkpoint.size < checkpoint.size => {
                    known.insert(claim);
                }
                Entry::Vacant(place) if has_room => {
                    place.insert(claim);
                }
                Entry::Occupied(_) | Entry::Vacant(_) => {}
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = (FeedId, &Claim)> {
        self.claims.iter().flat_map(|(by, of)| of.values().map(move |claim| (*by, claim)))
    }

    /// Remembers the roots that a run of a feed's first history has where it is cosigned.
    pub(super) fn note_roots(&mut self, feed: &Feed, start: &Tip, run: &VerifiedRun) {
        let is_of = |claim: &&Claim| claim.checkpoint.origin == Origin::of(&feed.descriptor);
        let sizes = self.all().map(|(_, claim)| claim).filter(is_of);
        let sizes: BTreeSet<u64> = sizes.map(|claim| claim.checkpoint.size).collect();
        let roots = roots_before_checkpoints(start, run);
        let wanted = roots.into_iter().filter(|(size, _)| sizes.contains(size));
        self.roots.extend(wanted.map(|(size, root)| ((feed.name.feed, size), root)));
    }

    /// Those that agree with no entry of a feed that is here.
    pub(super) fn unheld(&self, boards: &Boards) -> Vec<Finding> {
        let finding = |(by, claim): (FeedId, &Claim)| {
            let Checkpoint { origin, size, root } = claim.checkpoint;
            let mut feeds = boards.feeds.values();
            let mut feeds = feeds.by_ref().filter(|feed| Origin::of(&feed.descriptor) == origin);
            let (feed, None) = (feeds.next()?, feeds.next()) else { return None };
            let is_past = size >= feed.tip.size() || feed.fork.is_some_and(|index| index <= size);
            let held = self.roots.get(&(feed.name.feed, size));
            if is_past || feed.is_broken || held == Some(&root) {
                return None;
            }
            let by = boards.feeds.get(&by)?.name.clone();
            Some(Finding::CosignedOther { of: feed.name.clone(), size, by, seq: claim.seq })
        };
        self.all().filter_map(finding).collect()
    }
}

/// The root before each checkpoint of a run, by the checkpoint's seq: the size that it should name.
pub(super) fn roots_before_checkpoints(start: &Tip, run: &VerifiedRun) -> BTreeMap<u64, Fixed<32>> {
    let mut roots = BTreeMap::new();
    if run.entries().iter().all(|entry| entry.header.kind != Kind::CHECKPOINT) {
        return roots;
    }
    let mut tip = start.clone();
    for entry in run.entries() {
        if entry.header.kind == Kind::CHECKPOINT {
            roots.insert(tip.size(), tip.root());
        }
        if tip.replay(&entry.bytes).is_err() {
            break;
        }
    }
    roots
}
