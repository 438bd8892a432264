//! The same artefact of fewer entries: as it was, and as somebody knew it.

use alloc::collections::{BTreeMap, BTreeSet};

use super::{Dossier, order::Order};
use crate::{
    hash::{EntryId, FeedId, OrgId},
    time::TimeMs,
};

/// Which entries to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All.
    Now,
    /// This one and all in its past: what its author knew of the artefact.
    At(EntryId),
    /// Those whose authors claim to have written them by then.
    By(TimeMs),
    /// Those that an organisation wrote, or acknowledged with their payloads.
    KnownTo(OrgId),
}

impl Dossier {
    /// The dossier with fewer entries. What is settled, and which chains stand, is as it is known now.
    #[must_use]
    pub fn cut(&self, cut: Cut) -> Self {
        let mut less = self.clone();
        let after: BTreeMap<EntryId, Option<EntryId>> =
            self.entries.iter().map(|one| (one.by.entry, one.after)).collect();
        match cut {
            Cut::Now => {}
            Cut::At(last) => {
                let order = Order::of(self);
                less.entries
                    .retain(|one| one.by.entry == last || order.is_before(&one.by.entry, &last));
            }
            Cut::By(time) => less.entries.retain(|one| one.by.at <= time),
            Cut::KnownTo(org) => {
                let covered = self.covered_by(&org);
                less.entries.retain(|one| {
                    let size = covered.get(&one.feed).copied().unwrap_or(0);
                    one.by.org == org || one.by.seq < size
                });
            }
        }
        // What is left out in the middle of a history leaves no gap.
        let kept: BTreeSet<EntryId> = less.entries.iter().map(|one| one.by.entry).collect();
        for entry in &mut less.entries {
            let line = |one: &EntryId| after.get(one).copied().flatten();
            let mut line = core::iter::successors(entry.after, line);
            entry.after = line.find(|one| kept.contains(one));
        }
        less
    }

    /// How many entries of each feed an organisation acknowledged.
    fn covered_by(&self, org: &OrgId) -> BTreeMap<FeedId, u64> {
        let mut covered = BTreeMap::new();
        for one in self.acknowledged.iter().filter(|one| one.by == *org) {
            let known = covered.entry(one.of).or_insert(0);
            *known = one.entries.max(*known);
        }
        covered
    }
}
