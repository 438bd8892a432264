//! The fold: facts in an order that agrees with their pasts, each judged by its past alone.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    Aid, Body, Capacity, Case, Decided, Fact, Hold, Lifecycle, LineKey, NoEffect, Row, RowKey,
    Step, author::Said, capacity::key, clock, steps::Steps,
};
use crate::{
    artefact::{
        events::{self, Statement},
        kind::{Among, Capacity as About, Effect},
    },
    hash::{EntryId, FeedId, OrgId},
};

/// What the artefact is, given the facts that count.
#[must_use]
pub fn fold(case: Case<'_>, facts: &[Fact]) -> Lifecycle {
    let by_entry: BTreeMap<_, _> = facts.iter().map(|fact| (fact.entry, fact)).collect();
    let mut ordered: Vec<&Fact> = by_entry.values().copied().collect();
    ordered.sort_by_key(|fact| (fact.past.size(), fact.entry));
    let first = ordered.iter().filter(|fact| fact.author.org == case.opener);
    let first = first.min_by_key(|fact| (fact.epoch, fact.seq)).map(|fact| fact.entry);
    let mut fold = Fold::new(case, by_entry, first);
    for fact in ordered {
        if let Err(why) = fold.take(fact) {
            if matches!(why, NoEffect::Waits { .. }) && fold.is_step(fact) {
                fold.wait(fact);
            }
            fold.without_effect.insert(fact.entry, why);
        }
    }
    fold.finish()
}

pub(super) struct Fold<'a> {
    pub(super) case: Case<'a>,
    pub(super) facts: BTreeMap<EntryId, &'a Fact>,
    /// The opener's first fact, which alone may say what kind of aid it is.
    pub(super) first: Option<EntryId>,
    pub(super) steps: Steps<'a>,
    /// Where each feed first has a step that waits for a result.
    pub(super) waiting: BTreeMap<FeedId, u64>,
    pub(super) proposals: Vec<EntryId>,
    pub(super) holds: BTreeMap<EntryId, Held>,
    pub(super) rows: BTreeMap<RowKey, Row>,
    pub(super) log: BTreeMap<&'static str, Vec<EntryId>>,
    pub(super) capacity: Capacity,
    /// Where the kind of aid was said.
    pub(super) aid: Option<(FeedId, u64)>,
    /// Where the first quantity of each line was set.
    pub(super) quantities: BTreeMap<LineKey, (FeedId, u64)>,
    /// Where each feed first gave up each claim.
    pub(super) given_up: BTreeMap<EntryId, BTreeMap<FeedId, u64>>,
    /// Where each feed first confirmed anything.
    pub(super) confirmed: BTreeMap<FeedId, u64>,
    /// What organisations say of proposals: the last within any past counts.
    pub(super) verdicts: BTreeMap<(&'static str, EntryId), BTreeMap<OrgId, Vec<Verdict<'a>>>>,
    pub(super) statements: BTreeMap<EntryId, Statement>,
    pub(super) without_effect: BTreeMap<EntryId, NoEffect>,
}

/// A hold, where it was set, and where its author let go of it.
pub(super) struct Held {
    pub(super) hold: Hold,
    pub(super) set: (FeedId, u64),
    pub(super) let_go: Option<(FeedId, u64)>,
}

/// What one organisation says of a proposal.
pub(super) struct Verdict<'a> {
    pub(super) fact: &'a Fact,
    pub(super) value: alloc::string::String,
}

impl<'a> Fold<'a> {
    fn new(case: Case<'a>, facts: BTreeMap<EntryId, &'a Fact>, first: Option<EntryId>) -> Self {
        Self {
            case,
            facts,
            first,
            steps: Steps::default(),
            waiting: BTreeMap::new(),
            proposals: Vec::new(),
            holds: BTreeMap::new(),
            rows: BTreeMap::new(),
            log: BTreeMap::new(),
            capacity: Capacity::default(),
            aid: None,
            quantities: BTreeMap::new(),
            given_up: BTreeMap::new(),
            confirmed: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            statements: BTreeMap::new(),
            without_effect: BTreeMap::new(),
        }
    }

    fn take(&mut self, fact: &'a Fact) -> Result<(), NoEffect> {
        let event = match &fact.body {
            Body::Proposal => return self.propose(fact),
            Body::Event(event) => event,
        };
        let said = events::read(self.case.kind, event)?;
        self.expect_author(fact, Some(&said), said.kind.who.org, said.kind.name)?;
        if !said.kind.during.is_empty() {
            self.start(&fact.past, said.kind.during, said.kind.name)?;
        }
        if matches!(said.kind.effect, Effect::Capacity(_)) && !said.kind.during.is_empty() {
            self.expect_no_hold(fact, said.kind.name)?;
        }
        match said.kind.effect {
            Effect::Log => self.log.entry(said.kind.name).or_default().push(fact.entry),
            Effect::Row { table, key } => self.write_row(fact, &said, table, key),
            Effect::Move => self.step(fact, &said)?,
            Effect::Hold { state } => self.hold(fact, state),
            Effect::LetGo { instead } => self.let_go(fact, &said, instead)?,
            Effect::Uphold => self.uphold(fact, &said)?,
            Effect::Capacity(about) => self.count(fact, &said, about)?,
        }
        if matches!(said.kind.effect, Effect::Move | Effect::LetGo { .. }) {
            self.statements.insert(fact.entry, said);
        }
        Ok(())
    }

    pub(super) fn expect_author(
        &self,
        fact: &Fact,
        statement: Option<&Statement>,
        among: Among,
        event: &'static str,
    ) -> Result<(), NoEffect> {
        let named = statement.and_then(Statement::first_entry);
        let about = named.and_then(|id| self.facts.get(&id).copied());
        let about = about.filter(|about| fact.past.contains(&about.feed, about.seq));
        let is_known = |(feed, seq): &(FeedId, u64)| fact.past.contains(feed, *seq);
        let aid =
            if self.aid.as_ref().is_some_and(is_known) { self.capacity.aid } else { Aid::Offer };
        let said = Said { statement, about, aid };
        if fact.author.is(among, &said) {
            Ok(())
        } else {
            Err(NoEffect::NotAllowed { event, among })
        }
    }

    /// Whether a fact moves the artefact, once it has effect.
    fn is_step(&self, fact: &Fact) -> bool {
        let Body::Event(event) = &fact.body else { return true };
        let effect = self.case.kind.event(&event.name).map(|kind| kind.effect);
        matches!(effect, Some(Effect::Move | Effect::LetGo { instead: Some(_) } | Effect::Uphold))
    }

    /// Keeps that a step waits, for those that come after it.
    pub(super) fn wait(&mut self, fact: &Fact) {
        let first = self.waiting.entry(fact.feed).or_insert(fact.seq);
        *first = fact.seq.min(*first);
    }

    /// Refuses while a hold stands, as far as the author knew.
    fn expect_no_hold(&self, fact: &Fact, event: &'static str) -> Result<(), NoEffect> {
        let knew = |place: &(FeedId, u64)| fact.past.contains(&place.0, place.1);
        let stands = |held: &&Held| knew(&held.set) && !held.let_go.as_ref().is_some_and(knew);
        match self.holds.values().find(stands) {
            Some(held) => Err(NoEffect::WrongState { event, state: held.hold.state }),
            None => Ok(()),
        }
    }

    fn write_row(&mut self, fact: &'a Fact, said: &Statement, table: &'static str, count: usize) {
        let place = (fact.epoch, fact.seq);
        let at = RowKey { table, key: said.leading(count), org: fact.author.org };
        if let (Some(proposal), Some(param)) = (said.first_entry(), said.kind.params.get(1)) {
            let value = said.text(param.name).unwrap_or_default().into();
            let said = self.verdicts.entry((said.kind.name, proposal)).or_default();
            said.entry(fact.author.org).or_default().push(Verdict { fact, value });
        }
        if self.rows.get(&at).is_none_or(|row| row.place < place) {
            let Fact { entry, at: time, settled, .. } = *fact;
            let row = Row { entry, statement: said.clone(), at: time, settled, place };
            self.rows.insert(at, row);
        }
    }

    fn count(&mut self, fact: &Fact, said: &Statement, about: About) -> Result<(), NoEffect> {
        let here = (fact.feed, fact.seq);
        let lender = said.org("offered_by").unwrap_or(fact.author.org);
        let known = self.quantities.get(&key(lender, said));
        let is_known = known.is_some_and(|(feed, seq)| fact.past.contains(feed, *seq));
        let named = said.first_entry().and_then(|id| self.facts.get(&id));
        let knows = named.is_some_and(|named| fact.past.contains(&named.feed, named.seq));
        let event = said.kind.name;
        let unknown = NoEffect::NotThere { event, expected: "claim" };
        match about {
            About::Aid if self.first != Some(fact.entry) => Err(NoEffect::TooLate),
            About::Aid => {
                self.aid = Some(here);
                self.capacity.aid = match said.text("kind") {
                    Some("request") => Aid::Request,
                    Some("standing_arrangement") => Aid::Standing,
                    Some(_) | None => Aid::Offer,
                };
                Ok(())
            }
            About::Quantity => {
                self.capacity.set(fact, said)?;
                self.quantities.entry(key(fact.author.org, said)).or_insert(here);
                Ok(())
            }
            About::Claim => self.capacity.claim(fact, said, is_known),
            About::Recall => self.capacity.recall(fact, said),
            About::Deliver => self.capacity.deliver(fact, said, is_known),
            About::GiveUp | About::Confirm | About::Decline if !knows => Err(unknown),
            About::GiveUp => {
                let claim = self.capacity.give_up(said)?;
                self.given_up.entry(claim).or_default().entry(fact.feed).or_insert(fact.seq);
                Ok(())
            }
            About::Decline => self.capacity.decline(fact, said),
            About::Confirm => {
                let given_up = said.first_entry().and_then(|claim| self.given_up.get(&claim));
                let is_known = |(feed, seq): (&FeedId, &u64)| fact.past.contains(feed, *seq);
                let is_given_up = given_up.is_some_and(|places| places.iter().any(is_known));
                self.capacity.confirm(fact, said, is_given_up)?;
                self.confirmed.entry(fact.feed).or_insert(fact.seq);
                Ok(())
            }
        }
    }

    fn finish(self) -> Lifecycle {
        let kind = self.case.kind;
        let now = self.now();
        let first = kind.states.first().map_or("", |state| state.name);
        let winner = now.first();
        let cause = winner.and_then(|tip| self.statements.get(&tip.taken.cause));
        let base = winner.map_or(first, |tip| tip.state);
        let clocks = kind.state(base).map_or(&[][..], |state| state.clock);
        let turns = clock::turns(clocks, cause);
        let proposal = winner.and_then(|tip| tip.taken.proposal);
        let tips: Vec<Step> = now.iter().map(Self::step_of).collect();
        let open = self.holds.values().filter(|held| held.let_go.is_none());
        let holds: Vec<Hold> = open.map(|held| held.hold.clone()).collect();
        let is_carried = |id: &&EntryId| self.case.results.get(*id) == Some(&Decided::Carried);
        let carried = self.proposals.iter().rev().find(is_carried).copied();
        let settled = tips.iter().all(|tip| tip.settled) && holds.iter().all(|hold| hold.settled);
        Lifecycle {
            kind,
            base,
            tips,
            steps: self.steps.into_steps(),
            holds,
            proposal,
            carried,
            rows: self.rows,
            log: self.log,
            capacity: self.capacity,
            without_effect: self.without_effect,
            settled,
            turns,
        }
    }
}
