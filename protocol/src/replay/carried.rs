//! Which entries carry which changes, and what each history of a feed has said so far.
//!
//! ```text
//! change ─▶ entry that carries it ─▶ place among all changes     for those that refs name
//!       └─▶ chain (order.rs)      ─▶ place of the first copy     for what a history carried before
//! chain  ─▶ the first payload that is not here, how much it said; at a fork, as much as lies below
//! ```
//!
//! Entries come in the order of their pasts. So all that was noted of an entry's own chain is in its
//! past, and so is what lies in the chains below it up to where it leaves them: nothing has to be
//! looked for there.
//!
//! *Invariant.* What is asked of one change costs a few look-ups, however much was carried before.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{Entry, order::Order};
use crate::{
    hash::{EntryId, FeedId},
    verdict::ChangeHash,
};

/// The place of a change among all that were looked at.
pub(super) type Place = usize;

/// The history that ends with the last entry of a chain.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) chain: FeedId,
    /// The chains below, and how many entries of each.
    below: Vec<(FeedId, u64)>,
}

/// The histories of all chains.
#[derive(Default)]
pub(super) struct Lines {
    by_chain: BTreeMap<FeedId, Line>,
    /// Entries after which a chain begins.
    forks: BTreeSet<EntryId>,
}

impl Lines {
    /// Of entries each of which comes after those in its past.
    pub(super) fn of(entries: &[&Entry], order: &Order) -> Self {
        let mut lines = Self::default();
        for entry in entries {
            let Some((chain, 0)) = order.places.get(&entry.by.entry) else { continue };
            let after = entry.after.and_then(|after| Some((after, order.places.get(&after)?)));
            let mut below = Vec::new();
            if let Some((after, (chain, seq))) = after {
                let further = lines.by_chain.get(chain).map(|line| line.below.as_slice());
                below.extend_from_slice(further.unwrap_or_default());
                below.push((*chain, seq.saturating_add(1)));
                lines.forks.insert(after);
            }
            lines.by_chain.insert(*chain, Line { chain: *chain, below });
        }
        lines
    }

    /// The history of a chain.
    pub(super) fn line(&self, chain: &FeedId) -> Option<&Line> {
        self.by_chain.get(chain)
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Carried(BTreeMap<ChangeHash, Carriers>);

#[derive(Default)]
struct Carriers {
    by_entry: BTreeMap<EntryId, Place>,
    /// In which entry of a chain.
    first: BTreeMap<FeedId, (u64, Place)>,
}

impl Carried {
    /// Notes that an entry, at this place of its chain, carries a change, unless it did already.
    pub(super) fn note(
        &mut self,
        change: ChangeHash,
        (entry, seq): (EntryId, u64),
        line: &Line,
        place: Place,
    ) {
        let carriers = self.0.entry(change).or_default();
        carriers.by_entry.entry(entry).or_insert(place);
        if carriers.own(line).is_none() {
            carriers.first.insert(line.chain, (seq, place));
        }
    }

    /// Where the history carried the change first.
    pub(super) fn own(&self, change: &ChangeHash, line: &Line) -> Option<Place> {
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
    fn own(&self, line: &Line) -> Option<Place> {
        let below = line.below.iter().find_map(|(chain, size)| {
            self.first.get(chain).filter(|(seq, _)| seq < size).map(|(_, place)| *place)
        });
        below.or_else(|| self.first.get(&line.chain).map(|(_, place)| *place))
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
pub(super) struct Sayings {
    by_chain: BTreeMap<FeedId, Said>,
    /// Where another chain begins after an entry: up to and with that.
    at_forks: BTreeMap<EntryId, Said>,
}

impl Sayings {
    /// Comes to an entry; a chain begins with what lies below it.
    pub(super) fn begin(&mut self, entry: &Entry, line: &Line) {
        if !self.by_chain.contains_key(&line.chain) {
            let below = entry.after.and_then(|after| self.at_forks.get(&after));
            self.by_chain.insert(line.chain, below.cloned().unwrap_or_default());
        }
    }

    /// Passes an entry, and keeps what was said if a chain begins after it.
    pub(super) fn pass(&mut self, entry: &Entry, line: &Line, lines: &Lines) {
        if lines.forks.contains(&entry.by.entry) {
            let said = self.of(line).clone();
            self.at_forks.insert(entry.by.entry, said);
        }
    }

    /// Of this history.
    pub(super) fn of(&mut self, line: &Line) -> &mut Said {
        self.by_chain.entry(line.chain).or_default()
    }
}
