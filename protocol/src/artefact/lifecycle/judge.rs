//! Where a past leads to, and from where a step may go on.
//!
//! ```text
//! P ──▶ frozen ──────────────▶ withdrawn      knew of P, and not that it was carried
//!          └╌╌ result ╌╌▶ decided             stands beside, until somebody who may upholds one
//! ```
//!
//! A result is fixed by entries that need not lie in the past of a step. So a step from where a
//! proposal led keeps its effect when that proposal is carried in the end; what builds on a result
//! waits for it, and what builds on a step that waits, waits too. Nothing that had effect loses it.

use alloc::vec::Vec;

use super::{
    Decided, Frontier, NoEffect, Step,
    fold::{Fold, Verdict},
    steps::{Taken, rank},
};
use crate::{
    artefact::kind::{Need, Transition, Trigger},
    hash::{EntryId, FeedId},
};

/// From where a step goes on.
pub(super) struct Start {
    /// The state before.
    pub(super) state: &'static str,
    /// The proposal that led there.
    pub(super) proposal: Option<EntryId>,
    /// Results that it comes after, whenever they are fixed: by the steps of their proposals.
    pub(super) after: Vec<(EntryId, Decided)>,
}

/// One of the places to which all steps together lead.
pub(super) struct Tip<'s, 'a> {
    pub(super) taken: &'s Taken<'a>,
    pub(super) state: &'static str,
}

const RESULTS: [Decided; 2] = [Decided::Carried, Decided::NotCarried];

impl<'a> Fold<'a> {
    /// From where a fact with this past may go on, if the state before has to be one of these.
    ///
    /// # Errors
    /// - [`NoEffect::Waits`]: a result is missing, here or for a step in its past.
    /// - [`NoEffect::WrongState`]: the state before is another.
    pub(super) fn start(
        &self,
        past: &Frontier,
        from: &[&'static str],
        event: &'static str,
    ) -> Result<Start, NoEffect> {
        if self.waits(past) {
            return Err(NoEffect::Waits { event });
        }
        let tips = self.steps.tips(Some(past));
        let fixed = |taken: &Taken<'a>| self.result_of(taken);
        let is_met = |result| move |taken: &Taken<'a>| self.result_of(taken).or(Some(result));
        let (state, first) = self.first(&tips, past, fixed);
        let (open, proposed) = self.first(&tips, past, |_| None);
        if from.contains(&state) {
            let after = self.results_after(&tips, from, fixed);
            return Ok(Start { state, proposal: first.and_then(|taken| taken.proposal), after });
        }
        if from.contains(&open) {
            let after = self.results_after(&tips, from, |_| None);
            let proposal = proposed.and_then(|taken| taken.proposal);
            return Ok(Start { state: open, proposal, after });
        }
        let could = |result| from.contains(&self.first(&tips, past, is_met(result)).0);
        if RESULTS.into_iter().any(could) {
            return Err(NoEffect::Waits { event });
        }
        Err(NoEffect::WrongState { event, state })
    }

    /// The state that a past leads to.
    pub(super) fn state_before(&self, past: &Frontier) -> &'static str {
        let tips = self.steps.tips(Some(past));
        self.first(&tips, past, |taken| self.result_of(taken)).0
    }

    /// Whether a step in this past waits for a result.
    pub(super) fn waits(&self, past: &Frontier) -> bool {
        self.waiting.iter().any(|(feed, seq)| past.contains(feed, *seq))
    }

    /// The most cautious of where tips lead to, given what their proposals came to.
    fn first<'s>(
        &self,
        tips: &[&'s Taken<'a>],
        past: &Frontier,
        result: impl Fn(&Taken<'a>) -> Option<Decided>,
    ) -> (&'static str, Option<&'s Taken<'a>>) {
        let led = |taken: &&'s Taken<'a>| {
            let on = result(taken).and_then(|result| self.leads_on(taken, result, Some(past)));
            (on.unwrap_or(taken.step.to), Some(*taken))
        };
        let place = |(state, taken): &(&'static str, Option<&'s Taken<'a>>)| {
            (core::cmp::Reverse(rank(self.case.kind, state)), taken.map(|taken| taken.step.entry))
        };
        let initial = self.case.kind.states.first().map_or("", |state| state.name);
        tips.iter().map(led).min_by_key(place).unwrap_or((initial, None))
    }

    /// The results that a step from these states comes after: those that are fixed for it, and those
    /// that lead to a state from which it may go on too.
    fn results_after(
        &self,
        tips: &[&Taken<'a>],
        from: &[&'static str],
        result: impl Fn(&Taken<'a>) -> Option<Decided>,
    ) -> Vec<(EntryId, Decided)> {
        let mut after = Vec::new();
        for taken in tips.iter().filter(|taken| taken.proposal.is_some()) {
            let comes_after = |decided: &Decided| {
                result(taken) == Some(*decided)
                    || self.transition(taken, *decided).is_some_and(|one| from.contains(&one.to))
            };
            let results = RESULTS.into_iter().filter(comes_after);
            after.extend(results.map(|decided| (taken.step.entry, decided)));
        }
        after
    }

    pub(super) fn result_of(&self, taken: &Taken<'a>) -> Option<Decided> {
        taken.proposal.and_then(|proposal| self.case.results.get(&proposal)).copied()
    }

    /// The transition of a result from where a step led.
    fn transition(&self, taken: &Taken<'a>, result: Decided) -> Option<&'static Transition> {
        let by = match result {
            Decided::Carried => Trigger::Carried,
            Decided::NotCarried => Trigger::NotCarried,
        };
        let mut transitions = self.case.kind.transitions.iter();
        transitions.find(|one| one.by == by && one.from.contains(&taken.step.to))
    }

    /// The state that a result leads to, if what it needs is met in the past.
    pub(super) fn leads_on(
        &self,
        taken: &Taken<'a>,
        result: Decided,
        past: Option<&Frontier>,
    ) -> Option<&'static str> {
        let transition = self.transition(taken, result)?;
        let mut needs = transition.needs.iter().filter(|need| need.is_of_events());
        needs.all(|need| self.is_met(*need, past, taken.proposal)).then_some(transition.to)
    }

    /// Proposals in a past that steps left without coming after such a result.
    pub(super) fn overtaken(&self, past: Option<&Frontier>, result: Decided) -> Vec<&Taken<'a>> {
        let tips: Vec<EntryId> =
            self.steps.tips(past).into_iter().map(|tip| tip.step.entry).collect();
        let is_open = |taken: &&Taken<'a>| {
            let Taken { step, feed, seq, .. } = taken;
            past.is_none_or(|past| past.contains(feed, *seq))
                && !tips.contains(&step.entry)
                && self.transition(taken, result).is_some()
                && !self.steps.is_followed(taken, result, past)
        };
        self.steps.proposed().filter(is_open).collect()
    }

    /// Where all steps and results lead to, the one that holds first.
    pub(super) fn now(&self) -> Vec<Tip<'_, 'a>> {
        let led = |taken| {
            let on = self.result_of(taken).and_then(|result| self.leads_on(taken, result, None));
            Tip { taken, state: on.unwrap_or(taken.step.to) }
        };
        let mut tips: Vec<Tip<'_, 'a>> = self.steps.tips(None).into_iter().map(led).collect();
        for result in RESULTS {
            let beside = self.overtaken(None, result).into_iter();
            tips.extend(beside.filter(|taken| self.result_of(taken) == Some(result)).filter_map(
                |taken| self.leads_on(taken, result, None).map(|state| Tip { taken, state }),
            ));
        }
        let place = |tip: &Tip<'_, 'a>| {
            (core::cmp::Reverse(rank(self.case.kind, tip.state)), tip.taken.step.entry)
        };
        tips.sort_by_key(place);
        tips
    }

    pub(super) fn step_of(tip: &Tip<'_, 'a>) -> Step {
        Step { to: tip.state, ..tip.taken.step.clone() }
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
