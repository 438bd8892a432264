//! A poll: what comes of a proposal, from its papers alone.
//!
//! ```text
//! seat      answered   the first sign-off of the organisation on this wording that may count is
//!                      settled, and in time or listed by the closing
//!           absent     a closing is settled and does not list it, and nothing of it can come in time
//!           open       otherwise
//! result    carried    the rule holds, whatever the open seats do
//!           inquorate  too few will have answered, whatever the open seats do
//!           failed     enough have answered, and the rule fails whatever the open seats do
//!           disputed   two branches of a feed, or two closings, are both settled and decide otherwise
//!           open       otherwise, or while the proposal is not settled
//! ```
//!
//! One organisation, one vote: of several answers in one history the first counts and the others
//! are shown; on branches of a fork none counts unless its branch is settled. A quorum counts here
//! if the rule needs it: it stands outside any `any` and `at least`. The close by date is advice.
//!
//! Invariants: a carried, failed or inquorate result never changes with what comes later, but that
//! a majority has settled both branches of one feed, or closings of two organisations that had the
//! right under different charters. Equal papers in any order give an equal poll. Late evidence
//! against a feed is shown with what would remain without it, and changes nothing.
//!
//! Source: ours, `SPEC.md` section "Decisions".

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    effect::{NoEffect, admit, may_close},
    papers::{CloseEntry, Papers, SignOffEntry, Standing, Written},
    slip::{self, Earlier, Flag, Slip},
    trace::{self, Line},
};
use crate::{
    charter::{Answer, Ballot, Charter, Outcome, Rule, Seat},
    hash::{EntryId, OrgId},
};

/// What comes of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing is fixed yet.
    Open,
    /// The rule holds.
    Carried,
    /// The rule does not hold.
    Failed,
    /// Too few have answered.
    Inquorate,
    /// What is settled contradicts itself; people have to say what holds.
    Disputed,
    /// The proposal has no effect, and why.
    WithoutEffect(NoEffect),
}

/// What a result waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wait {
    /// The charter that the proposal names is not known.
    Charter,
    /// The proposal is held: its feed is forked and its branch is not settled.
    HeldProposal,
    /// The proposal is not settled.
    Proposal,
    /// This sign-off is not settled.
    SignOff(EntryId),
    /// This sign-off is settled, and not known to be in time.
    InTime(EntryId),
    /// This closing is not settled, or held.
    Closing(EntryId),
    /// A closing lists an entry that has not been read.
    Unread(EntryId),
    /// This organisation has a seat and has not answered.
    Answer(OrgId),
}

/// What would have come out without answers on feeds that are proven to be forked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    /// Whose answers are left out, ascending.
    pub without: Vec<OrgId>,
    /// The result without them.
    pub ruling: Ruling,
    /// How many more could be left out, if it would still be carried.
    pub spare: Option<u64>,
}

/// A proposal's sign-offs counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The result.
    pub ruling: Ruling,
    /// The rule alone: false may come before the result is fixed as failed or inquorate.
    pub rule: Outcome,
    /// Whether enough answer: the quorums that the rule cannot do without.
    pub quorum: Outcome,
    /// Every seat of the board.
    pub seats: BTreeMap<OrgId, Seat>,
    /// Every test of the rule.
    pub trace: Vec<Line>,
    /// If the rule holds, how many answers could be taken away and it would still hold.
    pub spare: Option<u64>,
    /// Every sign-off on the proposal, and what became of it.
    pub slips: Vec<Slip>,
    /// The closing that the result rests on.
    pub closing: Option<EntryId>,
    /// What a person must see.
    pub flags: Vec<Flag>,
    /// What the result would be without forked feeds, if any counts.
    pub remaining: Option<Remaining>,
    /// What the result waits for, if it is open.
    pub waits: Vec<Wait>,
    /// Who signed an earlier wording and has not answered this one.
    pub earlier: Vec<Earlier>,
}

/// Counts.
#[must_use]
pub fn poll(papers: &Papers<'_>) -> Poll {
    let Some(charter) = papers.charter() else {
        return Poll { waits: Vec::from([Wait::Charter]), ..nothing(Ruling::Open) };
    };
    let rule = match admit(papers, charter) {
        Ok((rule, _)) => rule,
        Err(why) => return nothing(Ruling::WithoutEffect(why)),
    };
    let voices = Voices::of(papers, charter);
    let closings = closings(papers);
    let counts: Vec<_> = match closings.as_slice() {
        [] => Vec::from([Count::of(papers, charter, rule, &voices, None)]),
        some => {
            some.iter().map(|one| Count::of(papers, charter, rule, &voices, Some(one))).collect()
        }
    };
    let fixed: Vec<_> = counts.iter().filter(|count| count.ruling != Ruling::Open).collect();
    let shown = fixed.first().copied().or_else(|| counts.first());
    let Some(count) = shown else {
        return nothing(Ruling::Open);
    };
    let contradict = fixed.iter().any(|one| one.ruling != count.ruling);
    let ruling = if !papers.proposal.by.settled {
        Ruling::Open
    } else if contradict || count.ruling == Ruling::Open && count.rests_on_disputed(rule, &voices) {
        Ruling::Disputed
    } else {
        count.ruling.clone()
    };
    let slips = slip::slips(papers, charter, &voices, &count.seats(), count.closing);
    let is_open = ruling == Ruling::Open;
    Poll {
        flags: slip::flags(papers, charter, &slips, &closings),
        remaining: count.remaining(papers, rule, &voices),
        waits: if is_open { waits(papers, count, &voices) } else { Vec::new() },
        earlier: slip::earlier(papers, &slips),
        seats: count.seats(),
        trace: trace::lines(&count.evaluation.trace, charter),
        spare: trace::spare(&count.evaluation.trace),
        closing: count.closing.map(|closing| closing.by.entry),
        rule: count.evaluation.outcome,
        quorum: count.quorum,
        slips,
        ruling,
    }
}

/// A poll in which nothing is counted.
const fn nothing(ruling: Ruling) -> Poll {
    Poll {
        ruling,
        rule: Outcome::Open,
        quorum: Outcome::Open,
        seats: BTreeMap::new(),
        trace: Vec::new(),
        spare: None,
        slips: Vec::new(),
        closing: None,
        flags: Vec::new(),
        remaining: None,
        waits: Vec::new(),
        earlier: Vec::new(),
    }
}

/// The one sign-off of each organisation that counts, or will.
pub(super) struct Voices<'a> {
    /// By organisation with a seat.
    pub(super) first: BTreeMap<OrgId, &'a SignOffEntry>,
    /// Organisations of which two histories are settled, with the answer in the other one; and those
    /// whose answer is contested, with none.
    pub(super) disputed: BTreeMap<OrgId, Option<Answer>>,
}

impl<'a> Voices<'a> {
    fn of(papers: &Papers<'a>, charter: &Charter) -> Self {
        let mut voices = Self { first: BTreeMap::new(), disputed: BTreeMap::new() };
        let seats: BTreeSet<OrgId> = charter.seats().map(|member| member.org).collect();
        let proposal = papers.proposal;
        let sign_offs: &'a [SignOffEntry] = papers.sign_offs;
        let mut in_order: Vec<&'a SignOffEntry> = sign_offs.iter().collect();
        in_order.sort_by_key(|one| (one.by.org, one.by.place()));
        for one in in_order {
            let org = one.by.org;
            let is_on_this =
                one.says.proposal == proposal.by.entry && one.says.wording == proposal.says.wording;
            if !is_on_this || !one.by.may_count() || !seats.contains(&org) {
                continue;
            }
            let first = *voices.first.entry(org).or_insert(one);
            let differs = first.says.answer != one.says.answer;
            // In a later epoch, what was held can be answered anew; if it is settled after all,
            // both are.
            let is_answered_anew = first.by.branch().is_some()
                && first.by.epoch != one.by.epoch
                && one.by.settled
                && differs;
            if is_other_branch(&first.by, &one.by) || is_answered_anew {
                voices.disputed.entry(org).or_insert(Some(one.says.answer));
            }
        }
        for (org, first) in &voices.first {
            if papers.contested.contains(&first.by.entry) {
                voices.disputed.entry(*org).or_insert(None);
            }
        }
        voices
    }
}

/// Whether two entries that may both count stand on two branches of one feed.
fn is_other_branch(one: &Written, other: &Written) -> bool {
    match (one.branch(), other.branch()) {
        (Some(branch), Some(another)) => one.epoch == other.epoch && branch != another,
        (None, _) | (_, None) => false,
    }
}

/// The settled closings that may count: the first of each organisation, and of each other branch of
/// its feed; in the order of the charters they name.
fn closings<'a>(papers: &Papers<'a>) -> Vec<&'a CloseEntry> {
    let all: &'a [CloseEntry] = papers.closings;
    let counts = |one: &&CloseEntry| {
        one.says.proposal == papers.proposal.by.entry
            && one.by.settled
            && one.by.may_count()
            && may_close(papers, &one.by)
    };
    let mut found: Vec<&'a CloseEntry> = all.iter().filter(counts).collect();
    found.sort_by_key(|one| (one.by.org, one.by.place()));
    let mut kept: Vec<&'a CloseEntry> = Vec::new();
    for one in found {
        let mut same_org = kept.iter().filter(|other| other.by.org == one.by.org);
        if same_org.all(|other| is_other_branch(&other.by, &one.by)) {
            kept.push(one);
        }
    }
    let charter_at =
        |one: &CloseEntry| papers.charters.iter().position(|(hash, _)| *hash == one.by.charter);
    kept.sort_by_key(|one| (charter_at(one), one.by.org, one.by.place()));
    kept
}

/// One way to count: with one closing, or without any.
struct Count<'a> {
    closing: Option<&'a CloseEntry>,
    ballot: Ballot,
    evaluation: crate::charter::Evaluation,
    quorum: Outcome,
    ruling: Ruling,
}

impl<'a> Count<'a> {
    fn of(
        papers: &Papers<'_>,
        charter: &Charter,
        rule: &Rule,
        voices: &Voices<'_>,
        closing: Option<&'a CloseEntry>,
    ) -> Self {
        let mut ballot = Ballot::new(charter);
        for member in charter.seats() {
            match seat(papers, voices, closing, &member.org) {
                Seat::Open => {}
                Seat::Absent => ballot.close_seat(&member.org),
                Seat::Answered(answer) => {
                    let _is_first = ballot.settle(&member.org, answer);
                }
            }
        }
        let evaluation = ballot.evaluate(rule);
        let quorum = quorum(&ballot, rule);
        let ruling = ruling(evaluation.outcome, quorum);
        Self { closing, ballot, evaluation, quorum, ruling }
    }

    fn seats(&self) -> BTreeMap<OrgId, Seat> {
        self.ballot.seats().map(|(org, _, seat)| (*org, seat)).collect()
    }

    /// Whether the result would be fixed if the answers of one or the other history counted.
    fn rests_on_disputed(&self, rule: &Rule, voices: &Voices<'_>) -> bool {
        let with = |answer: &dyn Fn(&OrgId, Option<Answer>) -> Option<Answer>| {
            let mut ballot = self.ballot.clone();
            for (org, other) in &voices.disputed {
                match answer(org, *other) {
                    Some(answer) => _ = ballot.settle(org, answer),
                    None => ballot.close_seat(org),
                }
            }
            ruling(ballot.evaluate(rule).outcome, quorum(&ballot, rule)) != Ruling::Open
        };
        let first = |org: &OrgId, other| voices.first.get(org).map(|one| one.says.answer).or(other);
        !voices.disputed.is_empty() && (with(&first) || with(&|_, other| other))
    }

    /// The same without the answers that stand on forked feeds.
    fn remaining(
        &self,
        papers: &Papers<'_>,
        rule: &Rule,
        voices: &Voices<'_>,
    ) -> Option<Remaining> {
        let charter = papers.charter()?;
        let is_forked = |one: &SignOffEntry| matches!(one.by.standing, Standing::Forked { .. });
        let without: Vec<OrgId> = self
            .ballot
            .seats()
            .filter(|(org, _, seat)| {
                let voice = voices.first.get(*org);
                matches!(seat, Seat::Answered(_)) && voice.is_some_and(|one| is_forked(one))
            })
            .map(|(org, _, _)| *org)
            .collect();
        if without.is_empty() {
            return None;
        }
        let mut ballot = Ballot::new(charter);
        for (org, _, seat) in self.ballot.seats() {
            match seat {
                Seat::Answered(answer) if !without.contains(org) => {
                    let _is_first = ballot.settle(org, answer);
                }
                Seat::Answered(_) | Seat::Absent => ballot.close_seat(org),
                Seat::Open => {}
            }
        }
        let evaluation = ballot.evaluate(rule);
        let ruling = ruling(evaluation.outcome, quorum(&ballot, rule));
        Some(Remaining { without, ruling, spare: trace::spare(&evaluation.trace) })
    }
}

fn seat(
    papers: &Papers<'_>,
    voices: &Voices<'_>,
    closing: Option<&CloseEntry>,
    org: &OrgId,
) -> Seat {
    let voice = voices.first.get(org);
    let is_listed = |one: &SignOffEntry| {
        closing.is_some_and(|closing| closing.says.counted.contains(&one.by.entry))
    };
    match voices.disputed.get(org) {
        // What the closing lists counts whenever it came.
        Some(None) if voice.is_some_and(|one| is_listed(one)) => {}
        Some(_) => return Seat::Open,
        None => {}
    }
    match voice {
        Some(one) if one.by.settled && (one.in_time || is_listed(one)) => {
            return Seat::Answered(one.says.answer);
        }
        Some(one) if is_listed(one) => return Seat::Open,
        Some(_) | None => {}
    }
    // What a closing lists and nobody has read might be this organisation's.
    let is_read = closing.is_some_and(|closing| closing.unread.is_empty());
    if is_read && papers.shut.contains(org) { Seat::Absent } else { Seat::Open }
}

/// The quorums that the rule cannot do without.
fn quorum(ballot: &Ballot, rule: &Rule) -> Outcome {
    let both = |one: Outcome, other: Outcome| match (one, other) {
        (Outcome::False, _) | (_, Outcome::False) => Outcome::False,
        (Outcome::True, Outcome::True) => Outcome::True,
        _ => Outcome::Open,
    };
    match rule {
        Rule::Quorum(_) => ballot.evaluate(rule).outcome,
        Rule::All(parts) => parts.iter().map(|part| quorum(ballot, part)).fold(Outcome::True, both),
        Rule::Any(_) | Rule::AtLeast(..) | Rule::Majority(_) | Rule::Share(_) | Rule::Org(_) => {
            Outcome::True
        }
    }
}

const fn ruling(rule: Outcome, quorum: Outcome) -> Ruling {
    match (rule, quorum) {
        (Outcome::True, _) => Ruling::Carried,
        (_, Outcome::False) => Ruling::Inquorate,
        (Outcome::False, Outcome::True) => Ruling::Failed,
        (Outcome::False | Outcome::Open, _) => Ruling::Open,
    }
}

fn waits(papers: &Papers<'_>, count: &Count<'_>, voices: &Voices<'_>) -> Vec<Wait> {
    let mut waits = BTreeSet::new();
    let proposal = &papers.proposal.by;
    if proposal.is_held() {
        waits.insert(Wait::HeldProposal);
    } else if !proposal.settled {
        waits.insert(Wait::Proposal);
    }
    for closing in papers.closings {
        if closing.says.proposal != proposal.entry || !may_close(papers, &closing.by) {
            continue;
        }
        if !closing.by.settled {
            waits.insert(Wait::Closing(closing.by.entry));
        }
        waits.extend(closing.unread.iter().copied().map(Wait::Unread));
    }
    for (org, _, seat) in count.ballot.seats() {
        if seat != Seat::Open {
            continue;
        }
        waits.insert(match voices.first.get(org) {
            Some(voice) if !voice.by.settled => Wait::SignOff(voice.by.entry),
            Some(voice) => Wait::InTime(voice.by.entry),
            None => Wait::Answer(*org),
        });
    }
    waits.into_iter().collect()
}

/// What an organisation may still answer, for whoever asks it: nothing if its seat is not open.
#[must_use]
pub fn may_answer(poll: &Poll, org: &OrgId) -> bool {
    let has_seat = poll.seats.get(org).is_some_and(|seat| *seat == Seat::Open);
    let has_answered = poll.slips.iter().any(|slip| slip.org == *org && slip.is_first());
    has_seat && !has_answered && poll.ruling == Ruling::Open
}

impl Ruling {
    /// The result in one word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Carried => "carried",
            Self::Failed => "failed",
            Self::Inquorate => "inquorate",
            Self::Disputed => "disputed",
            Self::WithoutEffect(_) => "without effect",
        }
    }
}

/// Which answers are for and against, as people say it.
#[must_use]
pub(super) const fn answer_word(answer: Answer) -> &'static str {
    match answer {
        Answer::Approve => "for",
        Answer::Reject => "against",
        Answer::Abstain => "abstained",
        Answer::Recused => "recused",
    }
}
