//! Where a past leads to: its tips, the most cautious of them, and what its proposal came to.

use alloc::vec::Vec;

use super::{
    Decided, Frontier,
    fold::{Fold, Verdict},
    steps::{Taken, rank},
};
use crate::{
    artefact::kind::{Need, Transition, Trigger},
    hash::{EntryId, FeedId},
};

/// Where a past leads to.
pub(super) struct Before<'s, 'a> {
    pub(super) state: &'static str,
    pub(super) tips: Vec<&'s Taken<'a>>,
}

impl<'a> Fold<'a> {
    /// Where the steps in a past lead to, or all steps.
    pub(super) fn before(&self, past: Option<&Frontier>) -> Before<'_, 'a> {
        let kind = self.case.kind;
        let mut tips = self.steps.tips(past);
        let place = |taken: &&Taken<'a>| {
            let (caution, earlier) = rank(kind, self.reached(taken, past));
            (core::cmp::Reverse(caution), core::cmp::Reverse(earlier), taken.step.entry)
        };
        tips.sort_by_key(place);
        let first = kind.states.first().map_or("", |state| state.name);
        let state = tips.first().map_or(first, |taken| self.reached(taken, past));
        Before { state, tips }
    }

    /// The state that a step leads to, with the result of its proposal.
    pub(super) fn reached(&self, taken: &Taken<'a>, past: Option<&Frontier>) -> &'static str {
        let result = taken.proposal.and_then(|proposal| self.case.results.get(&proposal));
        let by = match result {
            None => return taken.step.to,
            Some(Decided::Carried) => Trigger::Carried,
            Some(Decided::NotCarried) => Trigger::NotCarried,
        };
        let leads_on = |transition: &&Transition| {
            let needs = transition.needs.iter();
            transition.by == by
                && transition.from.contains(&taken.step.to)
                && needs
                    .filter(|need| need.is_of_events())
                    .all(|need| self.is_met(*need, past, taken.proposal))
        };
        let on = self.case.kind.transitions.iter().find(leads_on);
        on.map_or(taken.step.to, |transition| transition.to)
    }

    pub(super) fn is_met(
        &self,
        need: Need,
        past: Option<&Frontier>,
        proposal: Option<EntryId>,
    ) -> bool {
        match need {
            Need::NothingConfirmed => {
                let seen = |(feed, seq): (&FeedId, &u64)| {
                    past.is_none_or(|past| past.contains(feed, *seq))
                };
                !self.confirmed.iter().any(seen)
            }
            Need::From { class, least, event, value } => {
                let said = proposal.and_then(|proposal| self.verdicts.get(&(event, proposal)));
                let says = |verdicts: &&Vec<Verdict<'a>>| {
                    let within = |one: &&Verdict<'a>| {
                        past.is_none_or(|past| past.contains(&one.fact.feed, one.fact.seq))
                    };
                    let last = verdicts.iter().rev().find(within);
                    last.is_some_and(|one| one.value == value && one.fact.author.class == class)
                };
                said.is_some_and(|said| said.values().filter(says).count() >= least)
            }
            Need::Filled(_)
            | Need::NoConflict
            | Need::Sum { .. }
            | Need::NotPassed(_)
            | Need::Item { .. }
            | Need::Above { .. }
            | Need::EachOf { .. } => true,
        }
    }
}
