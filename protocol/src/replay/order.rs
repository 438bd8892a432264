//! What lies in the past of each entry about an artefact.
//!
//! ```text
//! feed      ──●──●──●                 numbered anew: entries about other artefacts leave no gaps
//! branch          └──●──●             above a fork, and of feeds that contest each other: a feed of
//!                                     its own, named by its first entry, which relies on the last
//!                                     one below
//! ```
//!
//! An entry that relies on one that is not here has no place yet, nor has what follows it in its
//! feed. Whether an entry counts is not asked: what has no effect was still known to whoever
//! relies on it.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Dossier, Entry};
use crate::{
    artefact::lifecycle::{Frontier, Link, pasts},
    hash::{EntryId, FeedId, OrgId},
};

/// See the module.
pub(super) struct Order {
    /// What lies in the past of each entry that has a place.
    pub(super) pasts: BTreeMap<EntryId, Frontier>,
    /// Its feed, and its place among the entries of that feed about the artefact.
    pub(super) places: BTreeMap<EntryId, (FeedId, u64)>,
    /// Organisations and epochs of which two histories are settled.
    disputed: BTreeSet<(OrgId, u64)>,
}

impl Order {
    pub(super) fn of(dossier: &Dossier) -> Self {
        let mut chains: BTreeMap<FeedId, BTreeMap<u64, &Entry>> = BTreeMap::new();
        for entry in &dossier.entries {
            chains.entry(chain_of(entry)).or_default().insert(entry.by.seq, entry);
        }
        let numbered = chains.iter().flat_map(|(chain, entries)| {
            (0..).zip(entries.values()).map(|(seq, entry)| (*chain, seq, *entry))
        });
        let links: Vec<Link> = numbered
            .map(|(feed, seq, entry)| {
                let mut refs = entry.refs.clone();
                let trunk = chains.get(&entry.feed).filter(|_| seq == 0 && feed != entry.feed);
                let below = trunk.and_then(|trunk| trunk.range(..entry.by.seq).next_back());
                refs.extend(below.map(|(_, below)| below.by.entry));
                Link { entry: entry.by.entry, feed, seq, refs }
            })
            .collect();
        Self {
            pasts: pasts(&links),
            places: links.iter().map(|link| (link.entry, (link.feed, link.seq))).collect(),
            disputed: disputed(&dossier.entries),
        }
    }

    /// Whether an entry is on a chain that does not stand: it is not settled, or another one is too.
    pub(super) fn is_held(&self, entry: &Entry) -> bool {
        entry.by.is_held() || entry.by.branch().is_some() && self.disputed.contains(&of(entry))
    }

    /// Whether one entry lies in the past of another.
    pub(super) fn is_before(&self, one: &EntryId, other: &EntryId) -> bool {
        let past = self.pasts.get(other);
        past.is_some_and(|past| self.is_in(one, past))
    }

    /// Whether an entry is among these.
    pub(super) fn is_in(&self, one: &EntryId, past: &Frontier) -> bool {
        self.places.get(one).is_some_and(|(feed, seq)| past.contains(feed, *seq))
    }

    /// Entries that have a place, each after those in its past.
    pub(super) fn sorted<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Vec<&'a Entry> {
        let size = |one: &&Entry| self.pasts.get(&one.by.entry).map(Frontier::size);
        let mut placed: Vec<(u64, &Entry)> =
            entries.filter_map(|one| Some((size(&one)?, one))).collect();
        placed.sort_by_key(|(size, one)| (*size, one.by.entry));
        placed.into_iter().map(|(_, one)| one).collect()
    }
}

/// The feed, or from a fork on the branch that the entry stands on.
fn chain_of(entry: &Entry) -> FeedId {
    entry.by.branch().map_or(entry.feed, |branch| FeedId::from_bytes(*branch.as_bytes()))
}

const fn of(entry: &Entry) -> (OrgId, u64) {
    (entry.by.org, entry.by.epoch)
}

/// Organisations and epochs of which two histories are settled.
fn disputed(entries: &[Entry]) -> BTreeSet<(OrgId, u64)> {
    let mut branches: BTreeMap<(OrgId, u64), BTreeSet<EntryId>> = BTreeMap::new();
    for entry in entries.iter().filter(|one| one.by.settled) {
        branches.entry(of(entry)).or_default().extend(entry.by.branch());
    }
    let parted = branches.into_iter().filter(|(_, branches)| branches.len() > 1);
    parted.map(|(of, _)| of).collect()
}
