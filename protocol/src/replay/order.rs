//! What lies in the past of each entry about an artefact.
//!
//! ```text
//! feed      ──●──●──●                 numbered anew: entries about other artefacts leave no gaps
//! branch          └──●──●             above a fork: a feed of its own, named by its first entry,
//!              nested   └──●          which relies on the last one below
//! ```
//!
//! An entry that relies on one that is not here has no place yet, nor has what follows it in its
//! feed. Nor has one above a fork that nobody else acknowledged: others may never hold it, and what
//! relies on it would have effect here and wait there. Whether an entry counts is not asked: what has
//! no effect was still known to whoever relies on it.

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
        let links = links(dossier.kept());
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

/// The entries of each feed as chains without gaps. Where a history goes on in more than one way, the
/// first way continues the chain, and each other begins one: which of them a node saw first says
/// nothing.
fn links<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Link> {
    let mut in_order: Vec<&Entry> = entries.collect();
    in_order.sort_by_key(|one| (one.feed, one.by.seq, one.by.entry));
    let mut places: BTreeMap<EntryId, (FeedId, u64)> = BTreeMap::new();
    let mut taken: BTreeSet<(FeedId, u64)> = BTreeSet::new();
    let place = |entry: &Entry| {
        let (id, mut refs) = (entry.by.entry, entry.refs.clone());
        let next = match entry.after {
            None => Some((entry.feed, 0)),
            Some(after) => places.get(&after).map(|(chain, seq)| (*chain, seq.saturating_add(1))),
        };
        let next = next.filter(|next| !taken.contains(next));
        let (feed, seq) = next.unwrap_or_else(|| {
            refs.extend(entry.after);
            (FeedId::from_bytes(*id.as_bytes()), 0)
        });
        places.insert(id, (feed, seq));
        taken.insert((feed, seq));
        Link { entry: id, feed, seq, refs }
    };
    in_order.into_iter().map(place).collect()
}

const fn of(entry: &Entry) -> (OrgId, u64) {
    (entry.by.org, entry.by.epoch)
}

/// Organisations and epochs of which two histories are settled: the settled entries above a fork, or
/// in feeds that contest each other, do not all stand one behind the other.
fn disputed(entries: &[Entry]) -> BTreeSet<(OrgId, u64)> {
    let after: BTreeMap<EntryId, EntryId> =
        entries.iter().filter_map(|one| Some((one.by.entry, one.after?))).collect();
    let mut settled: BTreeMap<(OrgId, u64), BTreeSet<(u64, EntryId)>> = BTreeMap::new();
    let above = entries.iter().filter(|one| one.by.settled && one.by.branch().is_some());
    for entry in above {
        settled.entry(of(entry)).or_default().insert((entry.by.seq, entry.by.entry));
    }
    let are_parted = |all: &BTreeSet<(u64, EntryId)>| {
        let last = all.last().map(|(_, last)| *last);
        let line = core::iter::successors(last, |one| after.get(one).copied());
        let line: BTreeSet<EntryId> = line.collect();
        all.iter().any(|(_, one)| !line.contains(one))
    };
    settled.into_iter().filter(|(_, all)| are_parted(all)).map(|(of, _)| of).collect()
}
