//! Steps, holds and what is upheld: what moves an artefact from state to state.

use super::{
    Author, Body, Decided, Fact, Hold, NoEffect, Step,
    fold::{Fold, Held},
    judge::Start,
    steps::{After, Taken},
};
use crate::{
    artefact::{
        calendar,
        events::Statement,
        kind::{Transition, Trigger},
    },
    hash::EntryId,
};

impl<'a> Fold<'a> {
    pub(super) fn propose(&mut self, fact: &'a Fact) -> Result<(), NoEffect> {
        let takes = self.case.kind.transitions.iter().find_map(|one| match one.by {
            Trigger::Proposal(who) => Some((one, who)),
            Trigger::Event(_) | Trigger::Carried | Trigger::NotCarried => None,
        });
        let (transition, who) = takes.ok_or(NoEffect::NoProposals)?;
        self.expect_author(fact, None, who.org, "proposal")?;
        let Start { state, after, .. } = self.start(&fact.past, transition.from, "proposal")?;
        self.proposals.push(fact.entry);
        let proposal = Some(fact.entry);
        self.go(fact, (state, transition.to), proposal, fact.entry, After::Of(after));
        Ok(())
    }

    pub(super) fn step(&mut self, fact: &'a Fact, said: &Statement) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let named = |one: &&Transition| one.by == Trigger::Event(event);
        let transition = self.case.kind.transitions.iter().find(named);
        let from = transition.map_or(&[][..], |transition| transition.from);
        let Start { state, proposal, after } = self.start(&fact.past, from, event)?;
        let wrong = NoEffect::WrongState { event, state };
        let transition = transition.ok_or(wrong)?;
        for need in transition.needs.iter().filter(|need| need.is_of_events()) {
            if !self.is_met(*need, Some(&fact.past), proposal) {
                return Err(NoEffect::Lacking { event, need: *need });
            }
        }
        self.go(fact, (state, transition.to), None, fact.entry, After::Of(after));
        self.note_offer(fact, said);
        Ok(())
    }

    /// Takes a step from one state to another.
    fn go(
        &mut self,
        fact: &'a Fact,
        (from, to): (&'static str, &'static str),
        proposal: Option<EntryId>,
        cause: EntryId,
        after: After,
    ) {
        let Fact { entry, feed, seq, past, settled, author: Author { org, .. }, .. } = fact;
        let step = Step { entry: *entry, org: *org, from, to, settled: *settled };
        self.steps.push(Taken { step, feed: *feed, seq: *seq, past, proposal, cause, after });
    }

    pub(super) fn hold(&mut self, fact: &Fact, state: &'static str) {
        let Fact { entry, settled, .. } = *fact;
        let hold = Hold { entry, org: fact.author.org, state, settled };
        let set = (fact.feed, fact.seq);
        self.holds.insert(entry, Held { hold, set, let_go: None });
    }

    pub(super) fn let_go(
        &mut self,
        fact: &'a Fact,
        said: &Statement,
        instead: Option<(&'static str, &'static str)>,
    ) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let last = said.kind.params.last().and_then(|param| said.text(param.name));
        let instead = instead.filter(|(value, _)| last == Some(*value));
        if instead.is_some() && self.waits(&fact.past) {
            return Err(NoEffect::Waits { event });
        }
        let missing = NoEffect::NotThere { event, expected: "hold" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        let held = self.holds.get_mut(&id).ok_or(missing)?;
        held.let_go.get_or_insert((fact.feed, fact.seq));
        let during = self.facts.get(&id).and_then(|held| match &held.body {
            Body::Event(event) => self.case.kind.event(&event.name).map(|kind| kind.during),
            Body::Proposal => None,
        });
        let Some((_, to)) = instead else { return Ok(()) };
        match self.start(&fact.past, during.unwrap_or_default(), event) {
            Ok(Start { state, after, .. }) => {
                self.go(fact, (state, to), None, fact.entry, After::Of(after));
            }
            Err(NoEffect::Waits { .. }) => self.wait(fact),
            Err(_) => {}
        }
        Ok(())
    }

    /// Chooses one of several tips, a result beside which steps were taken among them.
    pub(super) fn uphold(&mut self, fact: &'a Fact, said: &Statement) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let missing = NoEffect::NotThere { event, expected: "step among several taken at once" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        if self.waits(&fact.past) {
            return Err(NoEffect::Waits { event });
        }
        let past = Some(&fact.past);
        let (tips, beside) = (self.steps.tips(past), self.overtaken(past, Decided::Carried));
        let is_named = |taken: &&&Taken<'a>| taken.step.entry == id;
        let is_choice = tips.len().saturating_add(beside.len()) > 1;
        let tip = tips.iter().find(is_named).filter(|_| is_choice);
        let taken = tip.or_else(|| beside.iter().find(is_named)).ok_or_else(|| missing.clone())?;
        if tip.is_none() {
            match self.result_of(taken) {
                Some(Decided::Carried) => {}
                Some(Decided::NotCarried) => return Err(missing),
                None => return Err(NoEffect::Waits { event }),
            }
        }
        let (to, proposal, cause) = (taken.step.to, taken.proposal, taken.cause);
        let from = self.state_before(&fact.past);
        self.go(fact, (from, to), proposal, cause, After::All);
        Ok(())
    }

    /// Keeps until when an offer holds.
    fn note_offer(&mut self, fact: &Fact, said: &Statement) {
        let until = said.text("valid_until").and_then(calendar::minute);
        if let Some(until) = until {
            self.capacity.valid_until.insert(fact.author.org, until);
        }
    }
}
