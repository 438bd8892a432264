//! Steps, holds and what is upheld: what moves an artefact from state to state.

use super::{
    Author, Body, Fact, Hold, NoEffect, Step,
    fold::{Fold, Held},
    steps::Taken,
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
        self.expect_state(fact, "proposal", transition.from)?;
        self.proposals.push(fact.entry);
        self.go(fact, transition.to, Some(fact.entry), fact.entry);
        Ok(())
    }

    pub(super) fn step(&mut self, fact: &'a Fact, said: &Statement) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let named = |one: &&Transition| one.by == Trigger::Event(event);
        let before = self.before(Some(&fact.past));
        let wrong = NoEffect::WrongState { event, state: before.state };
        let transition = self.case.kind.transitions.iter().find(named).ok_or(wrong.clone())?;
        if !transition.from.contains(&before.state) {
            return Err(wrong);
        }
        let proposal = before.tips.first().and_then(|tip| tip.proposal);
        for need in transition.needs.iter().filter(|need| need.is_of_events()) {
            if !self.is_met(*need, Some(&fact.past), proposal) {
                return Err(NoEffect::Lacking { event, need: *need });
            }
        }
        self.go(fact, transition.to, None, fact.entry);
        self.note_offer(fact, said);
        Ok(())
    }

    /// Takes a step from where the fact's past leads to.
    pub(super) fn go(
        &mut self,
        fact: &'a Fact,
        to: &'static str,
        proposal: Option<EntryId>,
        cause: EntryId,
    ) {
        let from = self.before(Some(&fact.past)).state;
        let Fact { entry, feed, seq, past, settled, author: Author { org, .. }, .. } = fact;
        let step = Step { entry: *entry, org: *org, from, to, settled: *settled };
        self.steps.push(Taken { step, feed: *feed, seq: *seq, past, proposal, cause });
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
        let missing = NoEffect::NotThere { event, expected: "hold" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        let held = self.holds.get_mut(&id).ok_or(missing)?;
        held.let_go.get_or_insert((fact.feed, fact.seq));
        let last = said.kind.params.last().and_then(|param| said.text(param.name));
        let during = self.facts.get(&id).and_then(|held| match &held.body {
            Body::Event(event) => self.case.kind.event(&event.name).map(|kind| kind.during),
            Body::Proposal => None,
        });
        let state = self.before(Some(&fact.past)).state;
        let may_move = during.is_some_and(|during| during.contains(&state));
        let instead = instead.filter(|(value, _)| may_move && last == Some(*value));
        if let Some((_, to)) = instead {
            self.go(fact, to, None, fact.entry);
        }
        Ok(())
    }

    pub(super) fn uphold(&mut self, fact: &'a Fact, said: &Statement) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let missing = NoEffect::NotThere { event, expected: "step among several taken at once" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        let before = self.before(Some(&fact.past));
        let tip = before.tips.iter().find(|tip| tip.step.entry == id && before.tips.len() > 1);
        let (to, proposal, cause) =
            tip.map(|tip| (tip.step.to, tip.proposal, tip.cause)).ok_or(missing)?;
        self.go(fact, to, proposal, cause);
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
