//! Steps with their pasts, and which of them are the last.
//!
//! A step is a tip of a set of steps if no other of the set has it in its past. Of one feed only
//! the last step of a set can be a tip, so finding tips takes as long as there are feeds.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Frontier, Step};
use crate::{
    artefact::kind::{Caution, Kind},
    hash::{EntryId, FeedId},
};

/// A step, and what else is needed to go on from it.
#[derive(Debug, Clone)]
pub(super) struct Taken<'a> {
    /// The step.
    pub(super) step: Step,
    /// Its feed.
    pub(super) feed: FeedId,
    /// Its place there.
    pub(super) seq: u64,
    /// Its past.
    pub(super) past: &'a Frontier,
    /// The proposal that fixes the text there, if one does.
    pub(super) proposal: Option<EntryId>,
    /// The entry whose dates count.
    pub(super) cause: EntryId,
}

/// All steps that had effect, in an order that agrees with their pasts.
#[derive(Debug, Default)]
pub(super) struct Steps<'a> {
    taken: Vec<Taken<'a>>,
    by_feed: BTreeMap<FeedId, Vec<usize>>,
}

impl<'a> Steps<'a> {
    /// Adds a step; those in its past are there already.
    pub(super) fn push(&mut self, taken: Taken<'a>) {
        self.by_feed.entry(taken.feed).or_default().push(self.taken.len());
        self.taken.push(taken);
    }

    /// The steps, in order.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.taken.into_iter().map(|taken| taken.step).collect()
    }

    /// The tips among the steps in the past given, or among all.
    pub(super) fn tips(&self, past: Option<&Frontier>) -> Vec<&Taken<'a>> {
        let within = |at: &usize| {
            let taken = self.taken.get(*at);
            taken.is_some_and(|taken| past.is_none_or(|past| past.contains(&taken.feed, taken.seq)))
        };
        let last = |feed: &Vec<usize>| {
            let at = feed.partition_point(within).checked_sub(1)?;
            self.taken.get(*feed.get(at)?)
        };
        let lasts: Vec<_> = self.by_feed.values().filter_map(last).collect();
        let is_tip =
            |one: &&&Taken<'a>| !lasts.iter().any(|other| other.past.contains(&one.feed, one.seq));
        lasts.iter().filter(is_tip).copied().collect()
    }
}

/// How a state ranks among others that were reached at once: the greatest holds.
pub(super) fn rank(kind: &Kind, name: &str) -> (Caution, core::cmp::Reverse<usize>) {
    let place = kind.states.iter().position(|state| state.name == name);
    let caution = kind.state(name).map_or(Caution::Approved, |state| state.caution);
    (caution, core::cmp::Reverse(place.unwrap_or(usize::MAX)))
}
