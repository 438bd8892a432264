//! Steps with their pasts, and which of them are the last.
//!
//! A step is a tip of a set of steps if no other of the set has it in its past. Of one feed only
//! the last step of a set can be a tip, so finding tips takes as long as there are feeds.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Decided, Frontier, Step};
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
    /// Which results in its past it comes after.
    pub(super) after: After,
}

/// Which results in its past a step comes after.
#[derive(Debug, Clone)]
pub(super) enum After {
    /// All: it was chosen among them.
    All,
    /// These, of the proposals that these steps put.
    Of(Vec<(EntryId, Decided)>),
}

/// All steps that had effect, in an order that agrees with their pasts.
#[derive(Debug, Default)]
pub(super) struct Steps<'a> {
    taken: Vec<Taken<'a>>,
    by_feed: BTreeMap<FeedId, Vec<usize>>,
    /// Those that lead to where a proposal was put.
    proposed: Vec<usize>,
    /// Those that come after all results.
    chosen: BTreeMap<FeedId, Vec<usize>>,
    /// Where each feed first came after a result.
    followed: BTreeMap<(EntryId, Decided), BTreeMap<FeedId, u64>>,
}

impl<'a> Steps<'a> {
    /// Adds a step; those in its past are there already.
    pub(super) fn push(&mut self, taken: Taken<'a>) {
        let at = self.taken.len();
        self.by_feed.entry(taken.feed).or_default().push(at);
        if taken.proposal.is_some() {
            self.proposed.push(at);
        }
        match &taken.after {
            After::All => self.chosen.entry(taken.feed).or_default().push(at),
            After::Of(results) => {
                for result in results {
                    let places = self.followed.entry(*result).or_default();
                    places.entry(taken.feed).or_insert(taken.seq);
                }
            }
        }
        self.taken.push(taken);
    }

    /// The steps that lead to where a proposal was put.
    pub(super) fn proposed(&self) -> impl Iterator<Item = &Taken<'a>> {
        self.proposed.iter().filter_map(|at| self.taken.get(*at))
    }

    /// Whether a step in the past given, or any, comes after the result of a proposal.
    pub(super) fn is_followed(
        &self,
        of: &Taken<'a>,
        result: Decided,
        past: Option<&Frontier>,
    ) -> bool {
        let places = self.followed.get(&(of.step.entry, result)).into_iter().flatten();
        let is_within =
            |(feed, seq): (&FeedId, &u64)| past.is_none_or(|past| past.contains(feed, *seq));
        let knew = |feed: &Vec<usize>| {
            let last = self.last(feed, past);
            last.is_some_and(|last| last.past.contains(&of.feed, of.seq))
        };
        places.into_iter().any(is_within) || self.chosen.values().any(knew)
    }

    /// The steps, in order.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.taken.into_iter().map(|taken| taken.step).collect()
    }

    /// The tips among the steps in the past given, or among all.
    pub(super) fn tips(&self, past: Option<&Frontier>) -> Vec<&Taken<'a>> {
        let lasts = self.by_feed.values().filter_map(|feed| self.last(feed, past));
        let lasts: Vec<_> = lasts.collect();
        let is_tip =
            |one: &&&Taken<'a>| !lasts.iter().any(|other| other.past.contains(&one.feed, one.seq));
        lasts.iter().filter(is_tip).copied().collect()
    }

    /// The last of these steps of one feed in the past given, or of all.
    fn last(&self, feed: &[usize], past: Option<&Frontier>) -> Option<&Taken<'a>> {
        let within = |at: &usize| {
            let taken = self.taken.get(*at);
            taken.is_some_and(|taken| past.is_none_or(|past| past.contains(&taken.feed, taken.seq)))
        };
        let at = feed.partition_point(within).checked_sub(1)?;
        self.taken.get(*feed.get(at)?)
    }
}

/// How a state ranks among others that were reached at once: the greatest holds.
pub(super) fn rank(kind: &Kind, name: &str) -> (Caution, core::cmp::Reverse<usize>) {
    let place = kind.states.iter().position(|state| state.name == name);
    let caution = kind.state(name).map_or(Caution::Approved, |state| state.caution);
    (caution, core::cmp::Reverse(place.unwrap_or(usize::MAX)))
}
