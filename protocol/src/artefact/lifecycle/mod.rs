//! From events that count to what an artefact is: its state, its rows, its capacity.
//!
//! ```text
//! facts ── each in its causal past ──▶ has effect, or has none for a reason
//!                                        │
//!          steps, holds, rows, lines ◀───┘          Lifecycle::at(as_of) ──▶ the state shown
//! ```
//!
//! A step starts from the state that its own past gives, or waits for a result that is not fixed yet;
//! a result that it did not come after stands beside it (`judge`). Where several steps were taken at
//! once, the most cautious state holds until a later step, or the secretariat's `uphold`, has all of
//! them in its past. A hold (called in, suspended) stays whatever moves underneath, until
//! the organisation that set it lets go. What waits for a day stays in its state here, and
//! [`Lifecycle::at`] shows what follows from the day: no step depends on a clock.
//!
//! ```text
//! suspended > withdrawn > called_in > deferred > others > approved        ties: the earlier state,
//!                                                                         then the smaller entry id
//! ```
//!
//! Invariants: equal facts give an equal lifecycle, in whatever order they come; whether a fact has
//! effect depends on its past and on results that are fixed, and what has it keeps it. Documents and claimed times decide
//! nothing here.
//!
//! The caller gives facts that count: not void, held, redacted or withheld; with what the charter
//! that the entry names says about its author; and results of proposals once they are fixed.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

mod author;
mod capacity;
mod clock;
mod fold;
mod judge;
mod moves;
mod order;
mod refused;
mod steps;

pub use author::Author;
pub use capacity::{Aid, Capacity, Claim, Delivery, Line, LineKey, Recall};
pub use fold::fold;
pub use order::{Frontier, Link, pasts};
pub use refused::NoEffect;

use super::{events::Statement, kind::Kind};
use crate::{
    hash::{EntryId, FeedId, OrgId},
    payload::Event,
    time::TimeMs,
    value::Value,
};

/// An event or a proposal of an artefact that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The entry.
    pub entry: EntryId,
    /// Its feed.
    pub feed: FeedId,
    /// Which epoch of its organisation that is.
    pub epoch: u64,
    /// Its place in the feed.
    pub seq: u64,
    /// What lies in its causal past.
    pub past: Frontier,
    /// Who wrote it.
    pub author: Author,
    /// The time that its author claims: shown, and compared with dates to find what came late.
    pub at: TimeMs,
    /// Whether it is settled.
    pub settled: bool,
    /// What it says.
    pub body: Body,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// An event.
    Event(Event),
    /// A proposal.
    Proposal,
}

/// How a proposal came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decided {
    /// Its rule holds.
    Carried,
    /// Its rule does not hold.
    NotCarried,
}

/// Which artefact facts are about, and how its proposals came out.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Its kind.
    pub kind: &'static Kind,
    /// The organisation that opened it.
    pub opener: OrgId,
    /// Proposals of which the result is fixed.
    pub results: &'a BTreeMap<EntryId, Decided>,
}

/// What an artefact is, as far as its events say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle {
    /// The kind.
    pub kind: &'static Kind,
    /// The state that the steps lead to, without holds and clocks.
    pub base: &'static str,
    /// The steps that no later step has in its past, the one that holds first.
    pub tips: Vec<Step>,
    /// Every step that had effect, each after those in its past.
    pub steps: Vec<Step>,
    /// The holds of which nobody has let go.
    pub holds: Vec<Hold>,
    /// The proposal that led to the state, if one did.
    pub proposal: Option<EntryId>,
    /// The last proposal that was carried: the version that holds.
    pub carried: Option<EntryId>,
    /// The last row of each organisation in each table.
    pub rows: BTreeMap<RowKey, Row>,
    /// Events that are kept beside each other, by name, each after those in its past.
    pub log: BTreeMap<&'static str, Vec<EntryId>>,
    /// What is offered, claimed and confirmed.
    pub capacity: Capacity,
    /// Facts without effect, and why.
    pub without_effect: BTreeMap<EntryId, NoEffect>,
    /// Whether all that the state rests on is settled.
    pub settled: bool,
    /// From when on time alone shows the base as another state.
    turns: Vec<(TimeMs, &'static str)>,
}

/// A step from state to state that had effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entry that took it.
    pub entry: EntryId,
    /// The organisation that wrote it.
    pub org: OrgId,
    /// The state before.
    pub from: &'static str,
    /// The state that it leads to; a proposal's result may lead on.
    pub to: &'static str,
    /// Whether its entry is settled.
    pub settled: bool,
}

/// A hold of which nobody has let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The entry that set it.
    pub entry: EntryId,
    /// The organisation that wrote it, and that alone may let go.
    pub org: OrgId,
    /// The state.
    pub state: &'static str,
    /// Whether its entry is settled.
    pub settled: bool,
}

/// Which row of which table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowKey {
    /// The table.
    pub table: &'static str,
    /// The values that name the row.
    pub key: Vec<Value>,
    /// The organisation that writes it.
    pub org: OrgId,
}

/// The last that an organisation wrote in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The entry.
    pub entry: EntryId,
    /// What it says.
    pub statement: Statement,
    /// The time that its author claims.
    pub at: TimeMs,
    /// Whether it is settled.
    pub settled: bool,
    /// Where it stands among what its organisation wrote.
    place: (u64, u64),
}

impl Lifecycle {
    /// Whether steps taken at once lead to different states, so that a person must choose.
    #[must_use]
    pub fn is_contested(&self) -> bool {
        self.tips.windows(2).any(|pair| matches!(pair, [a, b] if a.to != b.to))
    }

    /// The rows of one table.
    pub fn table(&self, table: &str) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.rows.iter().filter(move |(key, _)| key.table == table)
    }

    /// Why a fact has no effect, in a sentence.
    #[must_use]
    pub fn why_not(&self, entry: &EntryId) -> Option<String> {
        self.without_effect.get(entry).map(|why| alloc::format!("{why}"))
    }
}

#[cfg(test)]
mod tests;
