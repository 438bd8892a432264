//! Stage 1 of 8: edit. From `artefact::edit`; to `engine::edit`.
//!
//! What an entry about an artefact relies on: everything its author knew of it.
//!
//! Refs name the last entries of other feeds that no other known entry has in its past, and the
//! entries that carry what changes build on. The feed's own entries need no naming. What stands
//! above a fork and nobody else acknowledged is not named, nor what relies on it: others may never
//! hold it, and an entry that relies on it would wait with them for ever and have effect here.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::Replay;
use crate::{
    artefact::lifecycle::Frontier,
    hash::{EntryId, FeedId},
    limits::REFS_MAX,
    verdict::ChangeHash,
};

impl Replay {
    /// The refs of the next entry in a feed, whose changes build on `dependencies`.
    ///
    /// At most [`REFS_MAX`]: what changes build on comes first, then the newest of what was known.
    #[must_use]
    pub fn refs(&self, own: &FeedId, dependencies: &[ChangeHash]) -> Vec<EntryId> {
        let is_own = |id: &EntryId| self.places.get(id).is_some_and(|(feed, _)| feed == own);
        let carriers = dependencies.iter().filter_map(|hash| {
            let mut carriers = self.changes.iter().filter(|one| one.hash == *hash);
            carriers.find(|one| one.status == super::Status::Applied).map(|one| one.entry)
        });
        let mut refs: BTreeSet<EntryId> = carriers.filter(|id| !is_own(id)).collect();
        let mut newest = self.newest();
        newest.retain(|id| !is_own(id));
        for id in newest {
            if refs.len() < REFS_MAX {
                refs.insert(id);
            }
        }
        refs.into_iter().collect()
    }

    /// Entries that no other known entry has in its past, the one with the largest past first; those
    /// left out that not everybody comes to hold.
    fn newest(&self) -> Vec<EntryId> {
        let relies_on = |id: &EntryId, on: &EntryId| id == on || self.is_before(on, id);
        let is_named = |id: &EntryId| !self.unkept.iter().any(|on| relies_on(id, on));
        let named: BTreeMap<&EntryId, &Frontier> =
            self.pasts.iter().filter(|(id, _)| is_named(id)).collect();
        let mut known = Frontier::default();
        named.values().for_each(|past| known.join(past));
        let is_newest = |id: &&EntryId| {
            self.places.get(*id).is_some_and(|(feed, seq)| !known.contains(feed, *seq))
        };
        let mut newest: Vec<EntryId> = named.into_keys().filter(is_newest).copied().collect();
        newest.sort_by_key(|id| {
            let size = self.pasts.get(id).map_or(0, Frontier::size);
            (core::cmp::Reverse(size), *id)
        });
        newest
    }
}
