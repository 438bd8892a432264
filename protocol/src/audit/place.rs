//! Code and place of a finding: what programs go by, and what two verifiers of a bundle compare.
//!
//! ```text
//! finding ──▶ code     "EndsEarly"                 stable; sentences may be reworded
//!         └─▶ place    feed, seq to last_seq       entries of a feed
//!                      record                      of the file, from 1
//! ```
//!
//! Invariants: a code never changes its meaning; of a finding that names a feed the board knows, the name
//! is there too. Knows nothing of severities.
//!
//! Source: ours, `SPEC.md` section "Audit".

use super::finding::{FeedName, Finding};
use crate::{feed::Misbehaved, hash::FeedId};

/// What a finding is about, as far as it is about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// The feed.
    pub feed: Option<FeedId>,
    /// The entry, or the first of several.
    pub seq: Option<u64>,
    /// The last entry, if it is about all from `seq` to here.
    pub last_seq: Option<u64>,
    /// The record of the file, from 1.
    pub record: Option<u64>,
}

impl Place {
    fn of(feed: FeedId) -> Self {
        Self { feed: Some(feed), ..Self::default() }
    }

    fn entry(feed: FeedId, seq: u64) -> Self {
        Self { seq: Some(seq), ..Self::of(feed) }
    }

    /// Every entry from one up to, and without, another.
    fn entries(feed: FeedId, from: u64, end: u64) -> Self {
        let last = end.checked_sub(1).filter(|last| *last >= from);
        Self { last_seq: last, ..Self::entry(feed, from) }
    }

    fn record(record: u64) -> Self {
        Self { record: Some(record), ..Self::default() }
    }

    fn in_record(self, record: u64) -> Self {
        Self { record: Some(record), ..self }
    }
}

impl Finding {
    /// Its name in `SPEC.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ForkProven { .. } => "ForkProven",
            Self::SecondHistory { .. } => "SecondHistory",
            Self::OpenedTwice { .. } => "OpenedTwice",
            Self::MisSigned { .. } => "MisSigned",
            Self::BadFirstOpening { .. } => "BadFirstOpening",
            Self::BadPayload { .. } => "BadPayload",
            Self::NotForObservers { .. } => "NotForObservers",
            Self::Damaged { .. } => "Damaged",
            Self::NoEnd { .. } => "NoEnd",
            Self::WrongCount { .. } => "WrongCount",
            Self::AfterEnd { .. } => "AfterEnd",
            Self::Unreadable { .. } => "Unreadable",
            Self::NewerRecord { .. } => "NewerRecord",
            Self::NotFounded { .. } => "NotFounded",
            Self::BadCard { .. } => "BadCard",
            Self::Outsider { .. } => "Outsider",
            Self::OpeningRefused { .. } => "OpeningRefused",
            Self::Gap { .. } => "Gap",
            Self::BrokenRun { .. } => "BrokenRun",
            Self::Unplaced { .. } => "Unplaced",
            Self::Repeated { .. } => "Repeated",
            Self::OtherCharter { .. } => "OtherCharter",
            Self::BackDated { .. } => "BackDated",
            Self::PayloadAbsent { .. } => "PayloadAbsent",
            Self::PayloadAltered { .. } => "PayloadAltered",
            Self::PayloadUnasked { .. } => "PayloadUnasked",
            Self::EndsEarly { .. } => "EndsEarly",
            Self::AcknowledgedOther { .. } => "AcknowledgedOther",
            Self::CosignedOther { .. } => "CosignedOther",
            Self::AcknowledgedUnknown { .. } => "AcknowledgedUnknown",
            Self::AccusesUnknown { .. } => "AccusesUnknown",
            Self::PayloadWithheld { .. } => "PayloadWithheld",
            Self::NewerKind { .. } => "NewerKind",
            Self::ClockBack { .. } => "ClockBack",
            Self::ClockJump { .. } => "ClockJump",
            Self::ClockAhead { .. } => "ClockAhead",
            Self::BeyondEnd { .. } => "BeyondEnd",
            Self::Superseded { .. } => "Superseded",
            Self::Silent { .. } => "Silent",
            Self::ForeignCard { .. } => "ForeignCard",
        }
    }

    /// The feed that it is about, if a member has it.
    #[must_use]
    pub const fn of(&self) -> Option<&FeedName> {
        match self {
            Self::ForkProven { of, .. }
            | Self::SecondHistory { of, .. }
            | Self::OpenedTwice { of }
            | Self::MisSigned { of, .. }
            | Self::BadFirstOpening { of, .. }
            | Self::BadPayload { of, .. }
            | Self::NotForObservers { of, .. }
            | Self::Gap { of, .. }
            | Self::BrokenRun { of, .. }
            | Self::Unplaced { of, .. }
            | Self::Repeated { of, .. }
            | Self::OtherCharter { of, .. }
            | Self::BackDated { of, .. }
            | Self::PayloadAbsent { of, .. }
            | Self::PayloadAltered { of, .. }
            | Self::EndsEarly { of, .. }
            | Self::AcknowledgedOther { of, .. }
            | Self::CosignedOther { of, .. }
            | Self::AccusesUnknown { by: of, .. }
            | Self::PayloadWithheld { of, .. }
            | Self::NewerKind { of, .. }
            | Self::ClockBack { of, .. }
            | Self::ClockJump { of, .. }
            | Self::ClockAhead { of, .. }
            | Self::BeyondEnd { of, .. }
            | Self::Superseded { of, .. }
            | Self::Silent { of } => Some(of),
            Self::Damaged { .. }
            | Self::NoEnd { .. }
            | Self::WrongCount { .. }
            | Self::AfterEnd { .. }
            | Self::Unreadable { .. }
            | Self::NewerRecord { .. }
            | Self::NotFounded { .. }
            | Self::BadCard { .. }
            | Self::Outsider { .. }
            | Self::OpeningRefused { .. }
            | Self::PayloadUnasked { .. }
            | Self::AcknowledgedUnknown { .. }
            | Self::ForeignCard { .. } => None,
        }
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::OpenedTwice { of } | Self::Superseded { of, .. } | Self::Silent { of } => {
                Place::of(of.feed)
            }
            Self::MisSigned { of, why } => Place::entry(of.feed, why.signed_at()),
            Self::BadFirstOpening { of, .. } => Place::entry(of.feed, 0),
            Self::ForkProven { of, index: seq, .. }
            | Self::SecondHistory { of, index: seq }
            | Self::BadPayload { of, seq, .. }
            | Self::NotForObservers { of, seq, .. }
            | Self::Unplaced { of, from: seq, .. }
            | Self::Repeated { of, from: seq }
            | Self::OtherCharter { of, seq, .. }
            | Self::BackDated { of, seq, .. }
            | Self::PayloadAbsent { of, seq, .. }
            | Self::PayloadAltered { of, seq }
            | Self::AccusesUnknown { by: of, seq, .. }
            | Self::PayloadWithheld { of, seq, .. }
            | Self::NewerKind { of, seq, .. }
            | Self::ClockBack { of, seq, .. }
            | Self::ClockJump { of, seq, .. }
            | Self::ClockAhead { of, seq, .. } => Place::entry(of.feed, *seq),
            Self::CosignedOther { of, size, .. } => Place::entries(of.feed, 0, *size),
            Self::AcknowledgedUnknown { feed, seq, .. } => Place::entry(*feed, *seq),
            Self::Gap { of, due: from, found: end }
            | Self::BrokenRun { of, from, end, .. }
            | Self::BeyondEnd { of, end: from, entries: end } => {
                Place::entries(of.feed, *from, *end)
            }
            Self::EndsEarly { of, size: from, seq, .. }
            | Self::AcknowledgedOther { of, from, seq, .. } => {
                Place::entries(of.feed, *from, seq.saturating_add(1))
            }
            Self::Outsider { record, feed, from: seq }
            | Self::PayloadUnasked { record, feed, seq } => {
                Place::entry(*feed, *seq).in_record(*record)
            }
            Self::OpeningRefused { record, feed, .. } => Place::entry(*feed, 0).in_record(*record),
            Self::Damaged { record, .. }
            | Self::NoEnd { record }
            | Self::AfterEnd { record }
            | Self::Unreadable { record, .. }
            | Self::NewerRecord { record, .. }
            | Self::NotFounded { record, .. }
            | Self::BadCard { record, .. }
            | Self::ForeignCard { record } => Place::record(*record),
            Self::WrongCount { .. } => Place::default(),
        }
    }
}

impl Misbehaved {
    /// Which entry the author signed that breaks a rule; the first, if it is none of that kind.
    const fn signed_at(&self) -> u64 {
        match self {
            Self::OpenedAgain { seq } => *seq,
            Self::OtherFeed { .. }
            | Self::WrongSeq { .. }
            | Self::WrongPrev { .. }
            | Self::Header { .. }
            | Self::OtherEntries { .. }
            | Self::BadSignature { .. }
            | Self::MissingMandatoryHead { .. }
            | Self::StrayHead { .. }
            | Self::Uncovered { .. }
            | Self::NotOpened { .. } => 0,
        }
    }
}

/// The entries that no head of a run vouches for, up to the fault: from the last head that held.
///
/// `heads` are the sizes of the run's heads in their order.
pub(super) fn doubtful(heads: &[u64], (from, end): (u64, u64), why: &Misbehaved) -> (u64, u64) {
    let size = match why {
        Misbehaved::Header { seq, .. } => return (*seq, seq.saturating_add(1)),
        Misbehaved::Uncovered { from, end } => return (*from, *end),
        Misbehaved::OtherEntries { size }
        | Misbehaved::BadSignature { size }
        | Misbehaved::MissingMandatoryHead { size } => *size,
        // A head of more than the run has.
        Misbehaved::StrayHead { size, .. } if *size > end => *size,
        Misbehaved::OtherFeed { .. }
        | Misbehaved::WrongSeq { .. }
        | Misbehaved::WrongPrev { .. }
        | Misbehaved::StrayHead { .. }
        | Misbehaved::NotOpened { .. }
        | Misbehaved::OpenedAgain { .. } => return (from, end),
    };
    let mut held = from;
    for head in heads {
        if *head <= held || *head >= size {
            break;
        }
        held = *head;
    }
    (held, size)
}
