//! Answers, seats, and how many of each: the figures that rules are tested on.
//!
//! ```text
//! answer   0 approve   1 reject   2 abstain   3 recused          as they stand in a sign-off
//! seat     open ──▶ an answer, or absent once the ballot is closed
//! outcome  true, false, or open while the open seats can still decide
//! ```
//!
//! Invariant: integers only. Knows nothing of members or rules.

use core::fmt;

use crate::codec::Malformed;

/// What an organisation answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// It approves.
    Approve = 0,
    /// It rejects.
    Reject = 1,
    /// It abstains.
    Abstain = 2,
    /// It takes no part, because of an interest.
    Recused = 3,
}

impl Answer {
    const ALL: [Self; 4] = [Self::Approve, Self::Reject, Self::Abstain, Self::Recused];

    /// The answer with this number.
    ///
    /// # Errors
    /// [`Malformed::Range`] for any other number.
    pub fn from_number(number: u64) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|answer| *answer as u64 == number);
        known.ok_or(Malformed::Range { what: "answer", value: number })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Abstain => "abstain",
            Self::Recused => "recused",
        })
    }
}

/// The state of one member's seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// It may still answer.
    Open,
    /// It has answered, once and for all.
    Answered(Answer),
    /// It has not answered, and the ballot is closed.
    Absent,
}

/// What is known of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds, whatever the open seats do.
    True,
    /// It fails, whatever the open seats do.
    False,
    /// The open seats can decide it.
    Open,
}

impl Outcome {
    /// From whether it holds in the least and in the most favourable completion.
    pub(super) const fn between(least: bool, most: bool) -> Self {
        match (least, most) {
            (true, _) => Self::True,
            (false, true) => Self::Open,
            (false, false) => Self::False,
        }
    }

    /// Kleene's "at least so many": `all` needs every one, `any` needs one.
    pub(super) fn at_least(needed: u64, outcomes: &[Self]) -> Self {
        let count = |wanted: Self| outcomes.iter().filter(|one| **one == wanted).count() as u64;
        let holding = count(Self::True);
        Self::between(holding >= needed, holding.saturating_add(count(Self::Open)) >= needed)
    }
}

/// How the seats in a scope stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Seats that approve.
    pub approve: u64,
    /// Seats that reject.
    pub reject: u64,
    /// Seats that abstain.
    pub abstain: u64,
    /// Seats that take no part.
    pub recused: u64,
    /// Seats that did not answer before the ballot was closed.
    pub absent: u64,
    /// Seats that may still answer.
    pub open: u64,
}

impl Tally {
    pub(super) fn add(mut self, seat: Seat) -> Self {
        let count = match seat {
            Seat::Open => &mut self.open,
            Seat::Absent => &mut self.absent,
            Seat::Answered(Answer::Approve) => &mut self.approve,
            Seat::Answered(Answer::Reject) => &mut self.reject,
            Seat::Answered(Answer::Abstain) => &mut self.abstain,
            Seat::Answered(Answer::Recused) => &mut self.recused,
        };
        *count = count.saturating_add(1);
        self
    }

    /// Seats that have answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        [self.approve, self.reject, self.abstain, self.recused].iter().sum()
    }

    /// All seats in the scope.
    #[must_use]
    pub fn seats(&self) -> u64 {
        [self.answered(), self.absent, self.open].iter().sum()
    }

    /// Between all open seats rejecting and all approving: what `holds` says of (approve, reject).
    pub(super) fn between(&self, holds: impl Fn(u64, u64) -> bool) -> Outcome {
        Outcome::between(
            holds(self.approve, self.reject.saturating_add(self.open)),
            holds(self.approve.saturating_add(self.open), self.reject),
        )
    }
}
