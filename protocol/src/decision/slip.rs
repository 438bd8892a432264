//! Slips: every sign-off on a proposal with what became of it, and what a person must see.
//!
//! | code | seen when |
//! |---|---|
//! | C6 | one organisation answered two ways, in one history or on two branches |
//! | C7 | a sign-off names other wording than the proposal |
//! | C11 | a sign-off names a charter in which its author has another class or status |
//! | C15 | an answer that counts stands on a feed that is proven to be forked |
//!
//! The codes are those of the catalogue in the handbook. Nothing here changes a result.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    effect::{includes, may_close},
    papers::{CloseEntry, Papers, SignOffEntry, Standing},
    poll::Voices,
};
use crate::{
    charter::{Answer, Charter, Seat},
    codec::Fixed,
    hash::{EntryId, OrgId},
};

/// One sign-off, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slip {
    /// Its entry.
    pub entry: EntryId,
    /// Whose it is.
    pub org: OrgId,
    /// What it answers.
    pub answer: Answer,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a sign-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It counts.
    Counted,
    /// It will count once it is settled and known to be in time.
    Waiting,
    /// It is settled, and came after the closing.
    Late,
    /// It names other wording than the proposal.
    Stale,
    /// The organisation had answered so already, in this entry.
    Repeated(EntryId),
    /// The organisation had answered otherwise already, in this entry.
    Contradicts(EntryId),
    /// Its feed is forked below it, and its branch is not settled.
    Held,
    /// Two branches of its feed are settled, or some member's feed says in two histories that it is
    /// in time and that it is late.
    Disputed,
    /// It lies beyond the end of its feed.
    Void,
    /// Its author has no vote.
    NoVote,
    /// Its author is not in the audience.
    OutsideAudience,
}

impl Slip {
    /// Whether it is the organisation's answer, counted or not yet.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        matches!(self.fate, Fate::Counted | Fate::Waiting | Fate::Late | Fate::Disputed)
    }
}

/// What a person must see.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// C6: the organisation answered two ways.
    TwoAnswers {
        /// Which one.
        org: OrgId,
        /// Its sign-offs, ascending.
        entries: Vec<EntryId>,
    },
    /// C7: a sign-off on other wording.
    Stale {
        /// Whose.
        org: OrgId,
        /// The sign-off.
        entry: EntryId,
    },
    /// C11: the author is another kind of member under the charter that its sign-off names.
    Membership {
        /// Whose.
        org: OrgId,
        /// The sign-off.
        entry: EntryId,
    },
    /// C15: an answer that counts stands on a forked feed. [`super::Poll::remaining`] says what
    /// would remain without it.
    Forked {
        /// Whose.
        org: OrgId,
        /// The sign-off.
        entry: EntryId,
    },
    /// The proposal itself stands on a forked feed.
    ForkedProposal,
    /// A closing by somebody who may not close the proposal, or not any more.
    NoRightToClose {
        /// Who wrote it.
        org: OrgId,
        /// The closing.
        entry: EntryId,
    },
    /// Closings of two organisations, or on two branches, are settled.
    TwoClosings {
        /// Those, ascending.
        entries: Vec<EntryId>,
    },
    /// The sign-off claims to be older than the proposal.
    BeforeProposal {
        /// Whose.
        org: OrgId,
        /// The sign-off.
        entry: EntryId,
    },
}

impl Flag {
    /// Its code in the catalogue of what a person must see.
    #[must_use]
    pub const fn code(&self) -> Option<&'static str> {
        match self {
            Self::TwoAnswers { .. } => Some("C6"),
            Self::Stale { .. } => Some("C7"),
            Self::Membership { .. } => Some("C11"),
            Self::Forked { .. } | Self::ForkedProposal => Some("C15"),
            Self::BeforeProposal { .. } => Some("C14"),
            Self::NoRightToClose { .. } | Self::TwoClosings { .. } => None,
        }
    }
}

/// An organisation that signed an earlier wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Which one.
    pub org: OrgId,
    /// Its sign-off.
    pub entry: EntryId,
    /// What it answered.
    pub answer: Answer,
    /// The proposal it answered.
    pub proposal: EntryId,
    /// The wording it answered.
    pub wording: Fixed<32>,
    /// Whether that is the wording of this proposal too.
    pub is_same: bool,
}

/// Every sign-off on the proposal, in the order of organisations and their feeds.
pub(super) fn slips(
    papers: &Papers<'_>,
    charter: &Charter,
    voices: &Voices<'_>,
    seats: &BTreeMap<OrgId, Seat>,
    closing: Option<&CloseEntry>,
) -> Vec<Slip> {
    let is_listed =
        |entry: &EntryId| closing.is_some_and(|closing| closing.says.counted.contains(entry));
    let fate = |one: &SignOffEntry| -> Fate {
        let org = &one.by.org;
        if !includes(papers.audience, org) {
            return Fate::OutsideAudience;
        }
        if !charter.seats().any(|member| member.org == *org) {
            return Fate::NoVote;
        }
        if one.by.standing == Standing::Void {
            return Fate::Void;
        }
        if one.by.is_held() {
            return Fate::Held;
        }
        if one.says.wording != papers.proposal.says.wording {
            return Fate::Stale;
        }
        if voices.disputed.contains_key(org) && seats.get(org) == Some(&Seat::Open) {
            return Fate::Disputed;
        }
        match (voices.first.get(org), seats.get(org)) {
            (Some(first), _) if first.by.entry != one.by.entry => {
                let entry = first.by.entry;
                match first.says.answer == one.says.answer {
                    true => Fate::Repeated(entry),
                    false => Fate::Contradicts(entry),
                }
            }
            (_, Some(Seat::Answered(_))) => Fate::Counted,
            (_, Some(Seat::Absent)) => Fate::Late,
            _ if papers.shut.contains(org) && !one.in_time && !is_listed(&one.by.entry) => {
                Fate::Late
            }
            _ => Fate::Waiting,
        }
    };
    let on_this = papers.on(&papers.proposal.by.entry);
    let slip = |one: &SignOffEntry| Slip {
        entry: one.by.entry,
        org: one.by.org,
        answer: one.says.answer,
        fate: fate(one),
    };
    on_this.into_iter().map(slip).collect()
}

/// What a person must see, ascending.
pub(super) fn flags(
    papers: &Papers<'_>,
    charter: &Charter,
    slips: &[Slip],
    counting: &[&CloseEntry],
) -> Vec<Flag> {
    let mut flags = BTreeSet::new();
    let proposal = &papers.proposal.by;
    if proposal.branch().is_some() {
        flags.insert(Flag::ForkedProposal);
    }
    let on_this = papers.on(&proposal.entry);
    for (one, slip) in on_this.iter().zip(slips) {
        let (org, entry) = (one.by.org, one.by.entry);
        if slip.fate == Fate::Stale {
            flags.insert(Flag::Stale { org, entry });
        }
        if slip.fate == Fate::Counted && one.by.branch().is_some() {
            flags.insert(Flag::Forked { org, entry });
        }
        if one.by.at < proposal.at {
            flags.insert(Flag::BeforeProposal { org, entry });
        }
        if is_other_member(papers, charter, one) {
            flags.insert(Flag::Membership { org, entry });
        }
    }
    flags.extend(two_answers(papers, &on_this, slips));
    for closing in papers.closings {
        let (org, entry) = (closing.by.org, closing.by.entry);
        let is_known = papers.charters.iter().any(|(hash, _)| *hash == closing.by.charter);
        if is_known && !may_close(papers, &closing.by) {
            flags.insert(Flag::NoRightToClose { org, entry });
        }
    }
    if counting.len() > 1 {
        let mut entries: Vec<_> = counting.iter().map(|one| one.by.entry).collect();
        entries.sort();
        flags.insert(Flag::TwoClosings { entries });
    }
    flags.into_iter().collect()
}

/// Organisations whose sign-offs on this wording say different things.
fn two_answers(papers: &Papers<'_>, on_this: &[&SignOffEntry], slips: &[Slip]) -> Vec<Flag> {
    let mut answers: BTreeMap<OrgId, Vec<&SignOffEntry>> = BTreeMap::new();
    for (one, slip) in on_this.iter().zip(slips) {
        let is_void = matches!(slip.fate, Fate::Void | Fate::NoVote | Fate::OutsideAudience);
        if !is_void && one.says.wording == papers.proposal.says.wording {
            answers.entry(one.by.org).or_default().push(one);
        }
    }
    let differ = |said: &Vec<&SignOffEntry>| {
        said.iter()
            .any(|one| said.first().is_some_and(|first| first.says.answer != one.says.answer))
    };
    let flag = |(org, said): (OrgId, Vec<&SignOffEntry>)| {
        let mut entries: Vec<_> = said.iter().map(|one| one.by.entry).collect();
        entries.sort();
        Flag::TwoAnswers { org, entries }
    };
    answers.into_iter().filter(|(_, said)| differ(said)).map(flag).collect()
}

/// Whether the author has another class or status under the charter that its sign-off names.
fn is_other_member(papers: &Papers<'_>, charter: &Charter, one: &SignOffEntry) -> bool {
    let named = papers.charters.iter().find(|(hash, _)| *hash == one.by.charter);
    let seat = |charter: &Charter| {
        charter.member(&one.by.org).map(|member| (member.class.clone(), member.status))
    };
    named.is_some_and(|(_, named)| seat(named) != seat(charter))
}

/// Who signed an earlier wording and has not answered this one, the nearest wording first.
pub(super) fn earlier(papers: &Papers<'_>, slips: &[Slip]) -> Vec<Earlier> {
    let mut known: BTreeSet<OrgId> =
        slips.iter().filter(|slip| slip.is_first()).map(|slip| slip.org).collect();
    let mut found = Vec::new();
    for proposal in papers.earlier {
        for one in papers.on(&proposal.by.entry) {
            let is_on_it = one.says.wording == proposal.says.wording && one.by.may_count();
            if is_on_it && known.insert(one.by.org) {
                found.push(Earlier {
                    org: one.by.org,
                    entry: one.by.entry,
                    answer: one.says.answer,
                    proposal: proposal.by.entry,
                    wording: proposal.says.wording,
                    is_same: proposal.says.wording == papers.proposal.says.wording,
                });
            }
        }
    }
    found
}
