//! A ballot: who has answered what, and whether a rule holds whatever the others may still answer.
//!
//! ```text
//! seat     open ──▶ approve | reject | abstain | recused        settled: it never changes again
//!               └─▶ absent                                      when it, or the ballot, is closed
//!
//! leaf     true   if it holds in every completion of the open seats
//!          false  if it holds in none
//!          open   otherwise
//! all, any, atleast combine these by Kleene logic
//! ```
//!
//! A completion gives every open seat one of the five settled states. Leaves are exact: a leaf is
//! open only if the open seats really can decide it. All leaves are monotone, so the least and the
//! most favourable completion decide, and nothing is enumerated. Active and suspended members have
//! seats; observers and removed members never count. Abstaining and recusing oneself counts as
//! answering and for nothing else.
//!
//! Invariants: settling a seat never turns a true or false result back. Integers only. Which
//! sign-offs are settled, and in time, is the caller's to know.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    document::Charter,
    member::Member,
    rule::{Quorum, Rule, Scope, Share, ShareOf},
    tally::{Answer, Outcome, Seat, Tally},
};
use crate::{hash::OrgId, identity::OrgClass};

/// One line of an evaluation: what was tested, on which figures, with what outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceLine {
    /// How deep the test stands in the rule; 0 is the whole rule.
    pub depth: usize,
    /// What was tested.
    pub test: Test,
    /// The seats it was tested on; none for a test that only joins those below it.
    pub tally: Option<Tally>,
    /// What came out.
    pub outcome: Outcome,
}

/// What one line of an evaluation tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// At least `needed` of the `of` tests one level below.
    Joined {
        /// How many must hold.
        needed: u64,
        /// How many there are.
        of: u64,
    },
    /// More approve than reject in the class.
    Majority(OrgClass),
    /// Enough approve.
    Share(Share),
    /// Enough answer.
    Answered {
        /// Among whom.
        scope: Scope,
        /// How many must answer.
        least: u64,
    },
    /// The organisation approves.
    Org(OrgId),
}

/// What a rule comes to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The outcome of the whole rule.
    pub outcome: Outcome,
    /// Every test, each before those below it.
    pub trace: Vec<TraceLine>,
}

/// The seats of a charter, and how they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    seats: BTreeMap<OrgId, (OrgClass, Seat)>,
}

impl Ballot {
    /// A ballot in which nobody has answered.
    #[must_use]
    pub fn new(charter: &Charter) -> Self {
        let seat = |member: &Member| (member.org, (member.class.clone(), Seat::Open));
        Self { seats: charter.seats().map(seat).collect() }
    }

    /// Settles a seat; says whether the answer counts. It does not if the organisation has no seat
    /// or its seat is no longer open: the first answer stands.
    #[must_use = "an answer may not count"]
    pub fn settle(&mut self, org: &OrgId, answer: Answer) -> bool {
        match self.seats.get_mut(org) {
            Some((_, seat)) if *seat == Seat::Open => {
                *seat = Seat::Answered(answer);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Closes one seat: if it has not answered, it is absent.
    pub fn close_seat(&mut self, org: &OrgId) {
        if let Some((_, seat @ Seat::Open)) = self.seats.get_mut(org) {
            *seat = Seat::Absent;
        }
    }

    /// Closes the ballot: who has not answered is absent.
    pub fn close(&mut self) {
        for (_, seat) in self.seats.values_mut() {
            if *seat == Seat::Open {
                *seat = Seat::Absent;
            }
        }
    }

    /// How the organisation's seat stands, if it has one.
    #[must_use]
    pub fn seat(&self, org: &OrgId) -> Option<Seat> {
        self.seats.get(org).map(|(_, seat)| *seat)
    }

    /// Every seat, ascending by organisation.
    pub fn seats(&self) -> impl Iterator<Item = (&OrgId, &OrgClass, Seat)> {
        self.seats.iter().map(|(org, (class, seat))| (org, class, *seat))
    }

    /// How the seats in the scope stand.
    #[must_use]
    pub fn tally(&self, scope: &Scope) -> Tally {
        let counted = self.seats.values().filter(|(class, _)| scope.includes(class));
        counted.fold(Tally::default(), |tally, (_, seat)| tally.add(*seat))
    }

    /// What the rule comes to, with every test on the way.
    #[must_use]
    pub fn evaluate(&self, rule: &Rule) -> Evaluation {
        let mut trace = Vec::new();
        let outcome = self.test(rule, 0, &mut trace);
        Evaluation { outcome, trace }
    }

    fn test(&self, rule: &Rule, depth: usize, trace: &mut Vec<TraceLine>) -> Outcome {
        let mut below = Vec::new();
        let join = |needed: u64, rules: &[Rule], below: &mut Vec<TraceLine>| {
            let under = depth.saturating_add(1);
            let tests = rules.iter().map(|rule| self.test(rule, under, below));
            joined(needed, &tests.collect::<Vec<_>>())
        };
        let (test, tally, outcome) = match rule {
            Rule::All(rules) => join(rules.len() as u64, rules, &mut below),
            Rule::Any(rules) => join(1, rules, &mut below),
            Rule::AtLeast(needed, rules) => join(*needed, rules, &mut below),
            Rule::Quorum(quorum) => self.quorum(quorum, depth.saturating_add(1), &mut below),
            Rule::Majority(class) => {
                let tally = self.tally(&Scope::Class(class.clone()));
                let outcome = tally.between(|approve, reject| approve > reject);
                (Test::Majority(class.clone()), Some(tally), outcome)
            }
            Rule::Share(share) => {
                let tally = self.tally(&share.scope);
                (Test::Share(share.clone()), Some(tally), reach(share, &tally))
            }
            Rule::Org(org) => {
                let seat = self.seat(org).map(|seat| Tally::default().add(seat));
                let tally = seat.unwrap_or_default();
                let outcome = tally.between(|approve, _| approve > 0);
                (Test::Org(*org), Some(tally), outcome)
            }
        };
        trace.push(TraceLine { depth, test, tally, outcome });
        trace.append(&mut below);
        outcome
    }

    fn quorum(
        &self,
        quorum: &Quorum,
        depth: usize,
        trace: &mut Vec<TraceLine>,
    ) -> (Test, Option<Tally>, Outcome) {
        let minima = quorum.classes.iter();
        let classes = minima.map(|(class, least)| (Scope::Class(class.clone()), *least));
        let mut outcomes = Vec::new();
        for (scope, least) in [(Scope::Board, quorum.least)].into_iter().chain(classes) {
            let tally = self.tally(&scope);
            let answered = tally.answered();
            let possible = answered.saturating_add(tally.open);
            let outcome = Outcome::between(answered >= least, possible >= least);
            outcomes.push(outcome);
            trace.push(TraceLine {
                depth,
                test: Test::Answered { scope, least },
                tally: Some(tally),
                outcome,
            });
        }
        joined(outcomes.len() as u64, &outcomes)
    }
}

fn joined(needed: u64, outcomes: &[Outcome]) -> (Test, Option<Tally>, Outcome) {
    let of = outcomes.len() as u64;
    let outcome = Outcome::at_least(needed, outcomes);
    (Test::Joined { needed, of }, None, outcome)
}

/// Whether approvals reach the share. Nothing reaches a share of nobody.
fn reach(share: &Share, tally: &Tally) -> Outcome {
    let (n, d) = (u128::from(share.numerator), u128::from(share.denominator));
    let reaches = |approve: u64, whole: u64| {
        // Cannot overflow: each factor is below 2^64.
        whole > 0 && u128::from(approve) * d >= n * u128::from(whole)
    };
    match share.of {
        ShareOf::Cast => {
            tally.between(|approve, reject| reaches(approve, approve.saturating_add(reject)))
        }
        ShareOf::Members => tally.between(|approve, _| reaches(approve, tally.seats())),
    }
}
