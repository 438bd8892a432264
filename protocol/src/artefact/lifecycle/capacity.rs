//! What is offered, claimed and confirmed, line by line.
//!
//! ```text
//! line = (organisation that offers, id of the item)     quantities in thousandths
//! remaining     = quantity − confirmed, at least 0      short_by    = what was confirmed above it
//! over_claimed  = claims without an answer − remaining, at least 0
//! ```
//!
//! Anybody on the asking side claims, also more than there is. Only the organisation that offers
//! confirms, and never above the line's quantity or the claim: its own feed puts its confirmations
//! in an order, so two nodes never come to different sums. It may lower a quantity below what it
//! confirmed; that is shown as `short_by`. Giving up a claim comes from another organisation's feed,
//! in any order with the confirmation: it ends what was not confirmed by those who knew of it.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::{Fact, NoEffect};
use crate::{
    artefact::{calendar, events::Statement},
    hash::{EntryId, OrgId},
    time::TimeMs,
};

/// What kind of aid it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aid {
    /// Its sponsor offers.
    #[default]
    Offer,
    /// Its sponsor asks.
    Request,
    /// Its sponsor offers whenever it is needed.
    Standing,
}

/// What is offered, claimed and confirmed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capacity {
    /// What kind of aid it is.
    pub aid: Aid,
    /// The lines of which a quantity was set.
    pub lines: BTreeMap<LineKey, Line>,
    /// Claims, by their entries.
    pub claims: BTreeMap<EntryId, Claim>,
    /// Deliveries, each after those in its past.
    pub deliveries: Vec<Delivery>,
    /// Until when each organisation's offer holds.
    pub valid_until: BTreeMap<OrgId, TimeMs>,
}

/// Which line of which organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// The organisation that offers.
    pub org: OrgId,
    /// The id of the item in the document.
    pub line: String,
}

/// One line of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The entry that set the quantity last.
    pub entry: EntryId,
    /// The quantity, in thousandths.
    pub qty: u64,
    /// Its unit.
    pub unit: String,
    /// From when.
    pub from: TimeMs,
    /// Until when.
    pub to: TimeMs,
    /// How much is confirmed, in thousandths.
    pub confirmed: u64,
    /// How much is claimed and has no answer yet, in thousandths.
    pub unanswered: u64,
    /// The last recall.
    pub recalled: Option<Recall>,
}

/// Calling back a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The entry.
    pub entry: EntryId,
    /// The notice, in hours.
    pub notice_hours: u64,
    /// From when it holds.
    pub effective: TimeMs,
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who claims.
    pub org: OrgId,
    /// What it claims from.
    pub line: LineKey,
    /// How much, in thousandths.
    pub qty: u64,
    /// From when.
    pub from: TimeMs,
    /// Until when.
    pub to: TimeMs,
    /// How much of it is confirmed, in thousandths.
    pub confirmed: u64,
    /// Whether the organisation that offers declined what it has not confirmed.
    pub declined: bool,
    /// Whether its author gave up what is not confirmed.
    pub given_up: bool,
    /// Whether its author claims to have written it after the offer ended: for a person to see.
    pub late: bool,
    /// Whether it is settled.
    pub settled: bool,
}

/// What was delivered, as one side says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The entry.
    pub entry: EntryId,
    /// Who says so.
    pub org: OrgId,
    /// The line.
    pub line: LineKey,
    /// How much, in thousandths.
    pub qty: u64,
}

impl Line {
    /// How much is left, in thousandths.
    #[must_use]
    pub const fn remaining(&self) -> u64 {
        self.qty.saturating_sub(self.confirmed)
    }

    /// How much more was confirmed than there is now, in thousandths.
    #[must_use]
    pub const fn short_by(&self) -> u64 {
        self.confirmed.saturating_sub(self.qty)
    }

    /// How much more is claimed, without an answer, than is left, in thousandths.
    #[must_use]
    pub const fn over_claimed(&self) -> u64 {
        self.unanswered.saturating_sub(self.remaining())
    }
}

impl Claim {
    /// Whether the organisation that offers still has to answer.
    #[must_use]
    pub const fn is_unanswered(&self) -> bool {
        self.confirmed == 0 && !self.declined && !self.given_up
    }

    /// How much is claimed, not confirmed, and not off the table, in thousandths.
    #[must_use]
    pub const fn outstanding(&self) -> u64 {
        if self.declined || self.given_up { 0 } else { self.qty.saturating_sub(self.confirmed) }
    }
}

impl Capacity {
    /// The state that offers, claims and time show instead of `base`.
    #[must_use]
    pub(super) fn shown(&self, base: &str, as_of: TimeMs) -> Option<&'static str> {
        if base != "offered" {
            return None;
        }
        let confirmed = || self.lines.values().filter(|line| line.confirmed > 0);
        if confirmed().next().is_none() {
            return self.unconfirmed(as_of);
        }
        let (begins, ends) = confirmed().fold((TimeMs(u64::MAX), TimeMs(0)), |span, line| {
            (span.0.min(line.from), span.1.max(line.to))
        });
        if confirmed().all(|line| line.recalled.is_some()) {
            return Some("recalled");
        }
        if as_of >= ends {
            return Some("ended");
        }
        if as_of >= begins || !self.deliveries.is_empty() {
            return Some("active");
        }
        let waits = |claim: &Claim| {
            let left = self.lines.get(&claim.line).map_or(0, Line::remaining);
            claim.is_unanswered() || claim.outstanding().min(left) > 0
        };
        let is_part = self.claims.values().any(waits);
        Some(if is_part { "part_confirmed" } else { "confirmed" })
    }

    fn unconfirmed(&self, as_of: TimeMs) -> Option<&'static str> {
        let ends = self.valid_until.values().max();
        if ends.is_some_and(|ends| *ends <= as_of) {
            return Some("expired");
        }
        if self.claims.values().any(Claim::is_unanswered) {
            return Some("claimed");
        }
        self.claims.values().any(|claim| claim.declined).then_some("declined")
    }

    /// Sets how much a line has, and from when to when.
    pub(super) fn set(&mut self, fact: &Fact, said: &Statement) -> Result<(), NoEffect> {
        let (from, to) = times(said)?;
        let fresh = Line {
            entry: fact.entry,
            qty: said.quantity("qty").unwrap_or_default(),
            unit: said.text("unit").unwrap_or_default().into(),
            from,
            to,
            confirmed: 0,
            unanswered: 0,
            recalled: None,
        };
        let line = self.lines.entry(key(fact.author.org, said)).or_insert_with(|| fresh.clone());
        let Line { entry, qty, unit, from, to, .. } = fresh;
        (line.entry, line.qty, line.unit, line.from, line.to) = (entry, qty, unit, from, to);
        Ok(())
    }

    /// Claims a quantity; `is_known` says whether its author knew of the line.
    pub(super) fn claim(
        &mut self,
        fact: &Fact,
        said: &Statement,
        is_known: bool,
    ) -> Result<(), NoEffect> {
        let event = said.kind.name;
        let (from, to) = times(said)?;
        let key = key(said.org("offered_by").unwrap_or(fact.author.org), said);
        let Some(line) = self.lines.get_mut(&key).filter(|_| is_known) else {
            return Err(NoEffect::NoLine { event });
        };
        let qty = something(said)?;
        line.unanswered = line.unanswered.saturating_add(qty);
        let ends = self.valid_until.get(&key.org);
        let claim = Claim {
            org: fact.author.org,
            late: ends.is_some_and(|ends| fact.at > *ends),
            line: key,
            qty,
            from,
            to,
            confirmed: 0,
            declined: false,
            given_up: false,
            settled: fact.settled,
        };
        self.claims.insert(fact.entry, claim);
        Ok(())
    }

    /// Confirms a claim that its author knew; `is_given_up` says whether it knew that too.
    pub(super) fn confirm(
        &mut self,
        fact: &Fact,
        said: &Statement,
        is_given_up: bool,
    ) -> Result<(), NoEffect> {
        let asked = something(said)?;
        let (claim, line) = self.answered(fact.author.org, said)?;
        let open = if claim.declined || is_given_up { 0 } else { claim.qty };
        let left = open.saturating_sub(claim.confirmed);
        if asked > left {
            return Err(NoEffect::AboveClaim { asked, left });
        }
        let left = line.remaining();
        if asked > left {
            return Err(NoEffect::AboveLine { asked, left });
        }
        if claim.is_unanswered() {
            line.unanswered = line.unanswered.saturating_sub(claim.qty);
        }
        claim.confirmed = claim.confirmed.saturating_add(asked);
        line.confirmed = line.confirmed.saturating_add(asked);
        Ok(())
    }

    /// Declines what is not confirmed of a claim that its author knew.
    pub(super) fn decline(&mut self, fact: &Fact, said: &Statement) -> Result<(), NoEffect> {
        let (claim, line) = self.answered(fact.author.org, said)?;
        if claim.is_unanswered() {
            line.unanswered = line.unanswered.saturating_sub(claim.qty);
        }
        claim.declined = true;
        Ok(())
    }

    /// Gives up what is not confirmed of one's own claim, and says which claim that is.
    pub(super) fn give_up(&mut self, said: &Statement) -> Result<EntryId, NoEffect> {
        let missing = NoEffect::NotThere { event: said.kind.name, expected: "claim" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        let claim = self.claims.get_mut(&id).ok_or(missing)?;
        let line = self.lines.get_mut(&claim.line).filter(|_| claim.is_unanswered());
        if let Some(line) = line {
            line.unanswered = line.unanswered.saturating_sub(claim.qty);
        }
        claim.given_up = true;
        Ok(id)
    }

    /// Calls a line back.
    pub(super) fn recall(&mut self, fact: &Fact, said: &Statement) -> Result<(), NoEffect> {
        let line = self.lines.get_mut(&key(fact.author.org, said));
        let line = line.ok_or(NoEffect::NoLine { event: said.kind.name })?;
        line.recalled = Some(Recall {
            entry: fact.entry,
            notice_hours: said.number("notice_hours").unwrap_or_default(),
            effective: said.text("effective").and_then(calendar::minute).unwrap_or_default(),
        });
        Ok(())
    }

    /// Says what was delivered; `is_known` says whether its author knew of the line.
    pub(super) fn deliver(
        &mut self,
        fact: &Fact,
        said: &Statement,
        is_known: bool,
    ) -> Result<(), NoEffect> {
        let org = fact.author.org;
        let line = key(said.org("offered_by").unwrap_or(org), said);
        if !is_known {
            return Err(NoEffect::NoLine { event: said.kind.name });
        }
        let qty = said.quantity("qty").unwrap_or_default();
        self.deliveries.push(Delivery { entry: fact.entry, org, line, qty });
        Ok(())
    }

    /// The claim that an answer names, and its line, given that the answer is its own to give.
    fn answered(
        &mut self,
        org: OrgId,
        said: &Statement,
    ) -> Result<(&mut Claim, &mut Line), NoEffect> {
        let missing = NoEffect::NotThere { event: said.kind.name, expected: "claim on its lines" };
        let id = said.first_entry().ok_or_else(|| missing.clone())?;
        let claim = self.claims.get_mut(&id).filter(|claim| claim.line.org == org);
        let claim = claim.ok_or_else(|| missing.clone())?;
        let line = self.lines.get_mut(&claim.line).ok_or(missing)?;
        Ok((claim, line))
    }
}

/// The line that a statement names, of this organisation.
pub(super) fn key(org: OrgId, said: &Statement) -> LineKey {
    LineKey { org, line: said.text("line").unwrap_or_default().into() }
}

fn times(said: &Statement) -> Result<(TimeMs, TimeMs), NoEffect> {
    let time = |name| said.text(name).and_then(calendar::minute).unwrap_or_default();
    let (from, to) = (time("from"), time("to"));
    let backwards = NoEffect::Backwards { event: said.kind.name };
    if from < to { Ok((from, to)) } else { Err(backwards) }
}

fn something(said: &Statement) -> Result<u64, NoEffect> {
    let nothing = NoEffect::Nothing { event: said.kind.name };
    said.quantity("qty").filter(|qty| *qty > 0).ok_or(nothing)
}
