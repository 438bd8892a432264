//! Stage 1 of 8: edit. From `artefact::edit`; to `engine::edit`.
//!
//! What an entry about an artefact relies on: everything its author knew of it.
//!
//! Refs name the last entries of other feeds that no other known entry has in its past, and the
//! entries that carry what changes build on. The feed's own entries need no naming. What has no place
//! (`order.rs`) is not named.

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
        let wanted: BTreeSet<&ChangeHash> = dependencies.iter().collect();
        let mut carriers: BTreeMap<ChangeHash, EntryId> = BTreeMap::new();
        for one in self.changes.iter().filter(|one| wanted.contains(&one.hash)) {
            if one.status == super::Status::Applied {
                carriers.entry(one.hash).or_insert(one.entry);
            }
        }
        let carriers = dependencies.iter().filter_map(|hash| carriers.get(hash).copied());
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

    /// Entries that no other known entry has in its past, the one with the largest past first.
    fn newest(&self) -> Vec<EntryId> {
        let mut known = Frontier::default();
        self.pasts.values().for_each(|past| known.join(past));
        let is_newest = |id: &&EntryId| {
            self.places.get(*id).is_some_and(|(feed, seq)| !known.contains(feed, *seq))
        };
        let mut newest: Vec<EntryId> = self.pasts.keys().filter(is_newest).copied().collect();
        newest.sort_by_key(|id| {
            let size = self.pasts.get(id).map_or(0, Frontier::size);
            (core::cmp::Reverse(size), *id)
        });
        newest
    }
}
