//! A proof: how something was decided, for somebody who was not there.
//!
//! | question | answered by |
//! |---|---|
//! | on which exact words? | the frozen snapshot, its digest computed anew |
//! | who answered, in which capacity? | every seat, its sign-off and its organisation's attribution |
//! | by which rule? | the rule in words, and its trace line by line |
//! | when? | claimed times, and when others say that they received it |
//! | is it certain? | settled or not, what a person must see, and what is missing |
//!
//! What times and attributions are worth, see `deed`; none of them has an effect on the result.
//!
//! The value serialises: a command prints [`Proof::lines`], or all of it as JSON.
//!
//! Invariant: holds nothing that is not in its input or follows from it.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use super::{
    deed::{Beside, Deed, Point, utc},
    papers::{Papers, Written},
    poll::{Poll, Ruling, Wait, answer_word, poll},
    slip::{Fate, Flag},
    trace,
    wording::Wording,
};
use crate::{
    charter::{Charter, Outcome, Seat, Tally, Test},
    codec::hex,
    hash::{EntryId, OrgId},
};

/// How something was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The board.
    pub board: String,
    /// The version of the charter that the proposal names.
    pub charter_version: Option<u64>,
    /// The entry of the proposal.
    pub proposal: String,
    /// Who froze the wording, and when.
    pub proposed: Deed,
    /// The exact wording.
    pub wording: ProvenWording,
    /// `carried`, `failed`, `inquorate`, `disputed`, `open` or `without effect`.
    pub result: &'static str,
    /// Why the proposal has no effect, if it has none.
    pub why_without_effect: Option<String>,
    /// The rule, in words.
    pub rule: Option<String>,
    /// Every test of the rule.
    pub trace: Vec<ProvenLine>,
    /// The tests by which it failed, or was inquorate, with their figures.
    pub because: Vec<String>,
    /// How many answers could be taken away and the rule would still hold.
    pub spare: Option<u64>,
    /// Every seat of the board, in the order of the charter's short names.
    pub seats: Vec<ProvenSeat>,
    /// Sign-offs that do not count, each with the reason.
    pub not_counted: Vec<NotCounted>,
    /// The closing, if the result rests on one.
    pub closed: Option<Deed>,
    /// Between which times.
    pub interval: Interval,
    /// What a person must see: code and sentence.
    pub flags: Vec<Point>,
    /// What is missing for certainty: code and sentence.
    pub missing: Vec<Point>,
}

/// The exact wording, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenWording {
    /// The digest that the proposal and the sign-offs name.
    pub named: String,
    /// The digest of the frozen snapshot, computed anew.
    pub computed: Option<String>,
    /// Whether these are equal.
    pub matches: bool,
    /// Artefact kind, its schema version, and the renderer's.
    pub made_as: Option<(String, u32, u32)>,
    /// The frozen snapshot: canonical JSON.
    pub snapshot: String,
}

/// One test of the rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenLine {
    /// How deep it stands in the rule.
    pub depth: usize,
    /// `true`, `false` or `open`.
    pub outcome: &'static str,
    /// The seats it was tested on.
    pub tally: Option<Figures>,
    /// For a share, what was reached, in thousandths.
    pub per_mille: Option<u64>,
    /// How many answers could be taken away and it would still hold.
    pub spare: Option<u64>,
    /// The line in words.
    pub words: String,
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// For.
    pub approve: u64,
    /// Against.
    pub reject: u64,
    /// Abstained.
    pub abstain: u64,
    /// Recused.
    pub recused: u64,
    /// Did not answer before the closing.
    pub absent: u64,
    /// May still answer.
    pub open: u64,
}

/// One seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProvenSeat {
    /// The organisation, by its short name on the board.
    pub org: String,
    /// Its class.
    pub class: String,
    /// `for`, `against`, `abstained`, `recused`, `absent` or `open`.
    pub answer: &'static str,
    /// The sign-off that counts.
    pub signed: Option<Deed>,
}

/// A sign-off that does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCounted {
    /// `for`, `against`, `abstained` or `recused`.
    pub answer: &'static str,
    /// Why it does not count.
    pub why: &'static str,
    /// Who signed it, and when.
    pub signed: Deed,
}

/// Between which times something was decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The earliest claimed time among what counts.
    pub first_claimed_ms: Option<u64>,
    /// The latest claimed time among what counts.
    pub last_claimed_ms: Option<u64>,
    /// When, as they say, a majority of the others held everything that counts.
    pub held_by_majority_ms: Option<u64>,
}

/// Proves a decision.
#[must_use]
pub fn prove(papers: &Papers<'_>, beside: Beside<'_>) -> Proof {
    let poll = poll(papers);
    let show = Show { papers, beside };
    let proposal = papers.proposal;
    let charter = papers.charter();
    let rule = charter.and_then(|charter| charter.rule(&proposal.says.rule));
    let seats = show.seats(&poll);
    let closed = papers.closings.iter().find(|one| Some(one.by.entry) == poll.closing);
    let closed = closed.map(|one| show.deed(&one.by));
    let counted: Vec<&Deed> =
        seats.iter().filter_map(|seat| seat.signed.as_ref()).chain(&closed).collect();
    let interval = interval(&counted);
    let flags = poll.flags.iter().map(|flag| show.flag(flag, &poll)).collect();
    let missing = show.missing(&poll, &counted);
    Proof {
        board: charter.map_or_else(String::new, |charter| charter.title.clone()),
        charter_version: charter.map(|charter| charter.version),
        proposal: proposal.by.entry.to_string(),
        proposed: show.deed(&proposal.by),
        wording: show.wording(),
        result: poll.ruling.word(),
        why_without_effect: match &poll.ruling {
            Ruling::WithoutEffect(why) => Some(why.to_string()),
            Ruling::Open
            | Ruling::Carried
            | Ruling::Failed
            | Ruling::Inquorate
            | Ruling::Disputed => None,
        },
        rule: charter.and_then(|charter| rule.map(|rule| rule.in_words(charter))),
        trace: poll.trace.iter().map(ProvenLine::of).collect(),
        because: match &poll.ruling {
            Ruling::Failed => trace::failing(&poll.trace, |_| true),
            Ruling::Inquorate => {
                trace::failing(&poll.trace, |test| matches!(test, Test::Answered { .. }))
            }
            Ruling::Open | Ruling::Carried | Ruling::Disputed | Ruling::WithoutEffect(_) => {
                Vec::new()
            }
        },
        spare: poll.spare,
        not_counted: show.not_counted(&poll),
        seats,
        closed,
        interval,
        flags,
        missing,
    }
}

/// Finds words for what the papers hold.
struct Show<'a> {
    papers: &'a Papers<'a>,
    beside: Beside<'a>,
}

impl Show<'_> {
    fn charter(&self) -> Option<&Charter> {
        self.papers.charter()
    }

    fn name(&self, org: &OrgId) -> String {
        let charters = self.papers.charters.iter();
        let member = charters.filter_map(|(_, charter)| charter.member(org)).next();
        member.map_or_else(|| org.to_string(), |member| member.slug.as_str().to_string())
    }

    fn deed(&self, by: &Written) -> Deed {
        Deed::of(by, self.name(&by.org), self.charter(), self.beside)
    }

    fn wording(&self) -> ProvenWording {
        let says = &self.papers.proposal.says;
        let read = Wording::from_bytes(&says.snapshot).ok();
        let computed = read.as_ref().map(Wording::digest);
        ProvenWording {
            named: hex(&says.wording.0),
            computed: computed.map(|digest| hex(&digest.0)),
            matches: computed == Some(says.wording),
            made_as: read.map(|read| (read.kind().to_string(), read.schema(), read.renderer())),
            snapshot: String::from_utf8_lossy(&says.snapshot).into_owned(),
        }
    }

    fn seats(&self, poll: &Poll) -> Vec<ProvenSeat> {
        let Some(charter) = self.charter() else {
            return Vec::new();
        };
        let counted = |org: &OrgId| {
            let slip =
                poll.slips.iter().find(|one| one.org == *org && one.fate == Fate::Counted)?;
            let entry = self.papers.sign_offs.iter().find(|one| one.by.entry == slip.entry)?;
            Some(self.deed(&entry.by))
        };
        let seat = |(org, seat): (&OrgId, &Seat)| ProvenSeat {
            org: self.name(org),
            class: charter.member(org).map_or_else(String::new, |member| member.class.clone()),
            answer: match seat {
                Seat::Open => "open",
                Seat::Absent => "absent",
                Seat::Answered(answer) => answer_word(*answer),
            },
            signed: counted(org),
        };
        let mut seats: Vec<_> = poll.seats.iter().map(seat).collect();
        seats.sort_by(|one, other| one.org.cmp(&other.org));
        seats
    }

    fn not_counted(&self, poll: &Poll) -> Vec<NotCounted> {
        let slips = poll.slips.iter().filter_map(|slip| Some((slip, slip.fate.why()?)));
        let mut list = Vec::new();
        for (slip, why) in slips {
            let entry = self.papers.sign_offs.iter().find(|one| one.by.entry == slip.entry);
            list.extend(entry.map(|entry| NotCounted {
                answer: answer_word(slip.answer),
                why,
                signed: self.deed(&entry.by),
            }));
        }
        list
    }

    fn flag(&self, flag: &Flag, poll: &Poll) -> Point {
        let words = match flag {
            Flag::TwoAnswers { org, entries } => {
                format!("{} answered in {} different ways", self.name(org), entries.len())
            }
            Flag::Stale { org, .. } => format!("{} signed other wording", self.name(org)),
            Flag::Membership { org, .. } => {
                format!(
                    "{} is another kind of member under the charter it signed under",
                    self.name(org)
                )
            }
            Flag::Forked { org, .. } => format!(
                "the feed of {} is proven to be forked; its settled answer stands, and without such \
                 answers this would be {}",
                self.name(org),
                remaining(poll)
            ),
            Flag::ForkedProposal => {
                "the feed that holds the proposal is proven to be forked".into()
            }
            Flag::NoRightToClose { org, .. } => {
                format!("{} wrote a closing and may not close this", self.name(org))
            }
            Flag::TwoClosings { entries } => format!("{} closings are settled", entries.len()),
            Flag::BeforeProposal { org, .. } => {
                format!("{} claims to have signed before the proposal was written", self.name(org))
            }
        };
        Point { code: flag.code().unwrap_or("closing"), words }
    }

    fn missing(&self, poll: &Poll, counted: &[&Deed]) -> Vec<Point> {
        let mut missing: Vec<Point> = poll.waits.iter().map(|wait| self.wait(wait)).collect();
        missing.extend(counted.iter().flat_map(|deed| deed.missing()));
        missing
    }

    fn wait(&self, wait: &Wait) -> Point {
        let (code, words) = match wait {
            Wait::Charter => {
                ("charter", "the charter that the proposal names is not known here".into())
            }
            Wait::HeldProposal => {
                ("held-proposal", "the proposal stands on a forked feed and is not settled".into())
            }
            Wait::Proposal => ("unsettled-proposal", "the proposal is not settled yet".into()),
            Wait::SignOff(entry) => {
                ("unsettled", format!("the sign-off of {} is not settled yet", self.author(entry)))
            }
            Wait::InTime(entry) => (
                "order",
                format!(
                    "it is not known yet whether the sign-off of {} came before the closing",
                    self.author(entry)
                ),
            ),
            Wait::Closing(_) => ("unsettled-closing", "the closing is not settled yet".into()),
            Wait::Unread(entry) => {
                ("unread", format!("the closing lists {entry}, which has not been read here"))
            }
            Wait::Answer(org) => {
                ("no-answer", format!("no answer of {} is known here", self.name(org)))
            }
        };
        Point { code, words }
    }

    fn author(&self, entry: &EntryId) -> String {
        let found = self.papers.sign_offs.iter().find(|one| one.by.entry == *entry);
        found.map_or_else(|| entry.to_string(), |one| self.name(&one.by.org))
    }
}

fn remaining(poll: &Poll) -> String {
    match &poll.remaining {
        None => "the same".into(),
        Some(left) => match left.spare {
            None => left.ruling.word().into(),
            Some(1) => format!("{} with 1 answer to spare", left.ruling.word()),
            Some(spare) => format!("{} with {spare} answers to spare", left.ruling.word()),
        },
    }
}

fn interval(counted: &[&Deed]) -> Interval {
    let claimed = || counted.iter().map(|deed| deed.claimed_ms);
    let held: Option<Vec<u64>> = counted.iter().map(|deed| deed.held_by_majority_ms).collect();
    Interval {
        first_claimed_ms: claimed().min(),
        last_claimed_ms: claimed().max(),
        held_by_majority_ms: held.and_then(|held| held.into_iter().max()),
    }
}

impl ProvenLine {
    fn of(line: &trace::Line) -> Self {
        Self {
            depth: line.depth,
            outcome: match line.outcome {
                Outcome::True => "true",
                Outcome::False => "false",
                Outcome::Open => "open",
            },
            tally: line.tally.map(Figures::of),
            per_mille: line.per_mille,
            spare: line.spare,
            words: line.words.clone(),
        }
    }
}

impl Figures {
    const fn of(tally: Tally) -> Self {
        let Tally { approve, reject, abstain, recused, absent, open } = tally;
        Self { approve, reject, abstain, recused, absent, open }
    }
}

impl Proof {
    /// The proof in plain words, line by line; the last is one that anybody can quote.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        lines.push(format!("Board: {}", self.board));
        lines.push(format!("Proposal: {}", self.proposal));
        lines.push(format!("Frozen by: {}", self.proposed.in_words()));
        let matches = if self.wording.matches { "computed anew, and equal" } else { "NOT EQUAL" };
        lines.push(format!("Wording: {} ({matches})", self.wording.named));
        lines.push(format!("  {}", self.wording.snapshot));
        if let Some(rule) = &self.rule {
            lines.push(format!("Rule: {rule}"));
        }
        for line in &self.trace {
            lines.push(format!("  {}{}", "  ".repeat(line.depth), line.words));
        }
        for seat in &self.seats {
            let signed = seat
                .signed
                .as_ref()
                .map_or_else(String::new, |deed| format!(" — {}", deed.in_words()));
            lines.push(format!("{} ({}): {}{signed}", seat.org, seat.class, seat.answer));
        }
        for one in &self.not_counted {
            lines.push(format!("Not counted: {}, {} — {}", one.signed.by, one.answer, one.why));
        }
        if let Some(closed) = &self.closed {
            lines.push(format!("Closed by: {}", closed.in_words()));
        }
        lines.extend(self.interval.in_words());
        lines.extend(self.flags.iter().map(|flag| format!("{}: {}", flag.code, flag.words)));
        lines.extend(self.missing.iter().map(|one| format!("Missing: {}", one.words)));
        lines.push(self.sentence());
        lines
    }

    /// The conclusion, in one sentence: with what could be left out if it is carried, and what fails if it is not.
    #[must_use]
    pub fn sentence(&self) -> String {
        let because = match (self.result, self.spare) {
            ("carried", Some(0)) => ", with no answer to spare".to_string(),
            ("carried", Some(1)) => ", with 1 answer to spare".to_string(),
            ("carried", Some(spare)) => format!(", with {spare} answers to spare"),
            _ => match self.because.as_slice() {
                [] => String::new(),
                [one] => format!(", as this does not hold: {one}"),
                several => format!(", as these do not hold: {}", several.join("; ")),
            },
        };
        match &self.why_without_effect {
            Some(why) => format!("The proposal is without effect: {why}."),
            None => format!("The result is: {}{because}.", self.result),
        }
    }
}

impl Interval {
    fn in_words(&self) -> Option<String> {
        let (first, last) = (self.first_claimed_ms?, self.last_claimed_ms?);
        let claimed = format!("When: {} to {} by the authors' clocks", utc(first), utc(last));
        Some(match self.held_by_majority_ms {
            Some(at) => format!("{claimed}, held by majorities by {} by theirs", utc(at)),
            None => format!("{claimed}, not bounded by others"),
        })
    }
}

impl Fate {
    /// Why it does not count, if it does not.
    #[must_use]
    pub const fn why(&self) -> Option<&'static str> {
        Some(match self {
            Self::Counted => return None,
            Self::Waiting => "not settled, or not known to be in time",
            Self::Late => "it came after the closing",
            Self::Stale => "it names other wording",
            Self::Repeated(_) => "the organisation had answered so already",
            Self::Contradicts(_) => "the organisation had answered otherwise already",
            Self::Held => "its feed is forked, and this branch is not settled",
            Self::Disputed => "its feed is forked, and two branches are settled",
            Self::Void => "it lies beyond the last entry that counts",
            Self::NoVote => "its author has no vote",
            Self::OutsideAudience => "its author is outside the audience",
        })
    }
}
