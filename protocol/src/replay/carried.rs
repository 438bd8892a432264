//! Which entries carry which changes, and what each history of a feed has said so far.
//!
//! ```text
//! change ─▶ entry that carries it ─▶ place among all changes     for those that refs name
//!       └─▶ history of a feed     ─▶ place of the first copy     for what a feed carried before
//! history = feed or branch, see order.rs ─▶ the first payload that is not here, how much it said
//! ```
//!
//! Entries come in the order of their pasts. So all that was noted of an entry's own history, and of
//! what lies below it where that is a branch, is in its past: nothing has to be looked for there.
//!
//! *Invariant.* What is asked of one change costs a few look-ups, however much was carried before.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use crate::{
    hash::{EntryId, FeedId},
    verdict::ChangeHash,
};

/// The place of a change among all that were looked at.
pub(super) type Place = usize;

/// A history of a feed: all of it below every fork, and one branch above.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// What lies below every fork.
    pub(super) feed: FeedId,
    /// The branch; else the feed itself.
    pub(super) chain: FeedId,
}

/// See the module.
#[derive(Default)]
pub(super) struct Carried(BTreeMap<ChangeHash, Carriers>);

#[derive(Default)]
struct Carriers {
    by_entry: BTreeMap<EntryId, Place>,
    first: BTreeMap<FeedId, Place>,
}

impl Carried {
    /// Notes that an entry of this history carries a change, unless it did already.
    pub(super) fn note(&mut self, change: ChangeHash, entry: EntryId, line: Line, place: Place) {
        let carriers = self.0.entry(change).or_default();
        carriers.by_entry.entry(entry).or_insert(place);
        if carriers.own(line).is_none() {
            carriers.first.insert(line.chain, place);
        }
    }

    /// Where the history carried the change first.
    pub(super) fn own(&self, change: &ChangeHash, line: Line) -> Option<Place> {
        self.0.get(change)?.own(line)
    }

    /// Where these entries carry the change.
    pub(super) fn named(&self, change: &ChangeHash, refs: &BTreeSet<EntryId>) -> Vec<Place> {
        let Some(Carriers { by_entry, .. }) = self.0.get(change) else { return Vec::new() };
        if by_entry.len() < refs.len() {
            let named = by_entry.iter().filter(|(entry, _)| refs.contains(*entry));
            return named.map(|(_, place)| *place).collect();
        }
        refs.iter().filter_map(|entry| by_entry.get(entry)).copied().collect()
    }
}

impl Carriers {
    fn own(&self, line: Line) -> Option<Place> {
        let below = self.first.get(&line.feed);
        below.or_else(|| self.first.get(&line.chain)).copied()
    }
}

/// What a history of a feed has said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The first entry that carries changes and has no payload here.
    pub(super) unread: Option<EntryId>,
    /// Operations of its changes.
    pub(super) operations: u64,
    /// Bytes of its changes.
    pub(super) bytes: u64,
    /// Applied changes on which no other applied one of it builds.
    pub(super) heads: Vec<ChangeHash>,
}

/// What every history has said so far.
#[derive(Default)]
pub(super) struct Sayings(BTreeMap<FeedId, Said>);

impl Sayings {
    /// Of this history; a branch begins with what lies below it.
    pub(super) fn of(&mut self, line: Line) -> &mut Said {
        if !self.0.contains_key(&line.chain) {
            let below = self.0.get(&line.feed).cloned().unwrap_or_default();
            self.0.insert(line.chain, below);
        }
        self.0.entry(line.chain).or_default()
    }
}
