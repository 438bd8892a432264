//! Findings: what an audit has to say, one exact sentence each.
//!
//! | severity | means | exit status |
//! |---|---|---|
//! | proven | somebody signed what breaks a rule | 1 |
//! | unchecked | something could not be checked: it is missing, damaged or not understood | 2 |
//! | note | nothing is wrong; somebody may want to know | 0 |
//!
//! Invariants: a finding names the feed and the place, or the record of the file, that it is about;
//! nobody is accused by a file that was damaged on its way. Knows nothing of how findings are found.
//!
//! Source: ours, `SPEC.md` section "Audit".

use alloc::vec::Vec;
use core::fmt;

use super::{bundle::BadBundle, place::doubtful};
use crate::{
    charter::{Slug, Unfounded},
    codec::Malformed,
    feed::{BadOpening, Kind, Misbehaved, Run},
    hash::{CharterHash, EntryId, FeedId, OrgId},
    identity::BadCard,
    time::TimeMs,
};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong; somebody may want to know.
    Note,
    /// Something could not be checked.
    Unchecked,
    /// Somebody signed what breaks a rule.
    Proven,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Unchecked => "unchecked",
            Self::Proven => "proven",
        })
    }
}

/// A feed, as people name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedName {
    /// The feed.
    pub feed: FeedId,
    /// The short name of its organisation on the board.
    pub slug: Slug,
    /// Its epoch.
    pub epoch: u64,
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            0 => write!(f, "{}", self.slug),
            epoch => write!(f, "{} (epoch {epoch})", self.slug),
        }
    }
}

/// One result of an audit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// An entry proves that an organisation signed two histories.
    #[error("{of} signed two histories that part at entry {index}; entry {seq} of {by} proves it")]
    ForkProven {
        /// The forked feed.
        of: FeedName,
        /// The first index that is proven to differ.
        index: u64,
        /// The feed that carries the proof.
        by: FeedName,
        /// The entry that carries it.
        seq: u64,
    },
    /// The bundle itself holds two signed histories.
    #[error("{of} signed two histories that part at entry {index}; both are in the bundle")]
    SecondHistory {
        /// The forked feed.
        of: FeedName,
        /// Where they part.
        index: u64,
    },
    /// Two feeds of one epoch were opened by equal right.
    #[error("the epoch of {of}, or the one after it, was opened more than once by equal right")]
    OpenedTwice {
        /// The feed.
        of: FeedName,
    },
    /// The author signed a feed that breaks a rule of feeds.
    #[error("{of} signed a feed that breaks a rule: {why}")]
    MisSigned {
        /// The feed.
        of: FeedName,
        /// Which rule.
        why: Misbehaved,
    },
    /// The author signed an opening of its first feed that does not hold.
    #[error("{of} opens its feed wrongly: {why}")]
    BadFirstOpening {
        /// The feed.
        of: FeedName,
        /// Why.
        why: BadOpening,
    },
    /// The author signed a payload that is not what its kind says.
    #[error("entry {seq} of {of} is of kind {kind}, and its payload is none: {why}")]
    BadPayload {
        /// The feed.
        of: FeedName,
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: Kind,
        /// What is wrong with the payload.
        why: super::payload::BadPayload,
    },
    /// An observer wrote what observers do not write.
    #[error("entry {seq} of {of} is of kind {kind}, which an observer does not write")]
    NotForObservers {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// Its kind.
        kind: Kind,
    },

    /// The file is no bundle, or no longer a whole one.
    #[error("after record {record}: {fault}")]
    Damaged {
        /// The last record that was read, from 1.
        record: u64,
        /// What is wrong.
        fault: BadBundle,
    },
    /// The bundle does not end as bundles end.
    #[error("the bundle stops after record {record} without its end; ask for the rest of it")]
    NoEnd {
        /// The last record.
        record: u64,
    },
    /// The end counts other records than there are.
    #[error("the bundle should have {said} records before its end, it has {found}")]
    WrongCount {
        /// How many there should be.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// A record follows the end.
    #[error("record {record} stands after the end of the bundle")]
    AfterEnd {
        /// Which, from 1.
        record: u64,
    },
    /// A record does not decode.
    #[error("record {record} cannot be read: {fault}")]
    Unreadable {
        /// Which, from 1.
        record: u64,
        /// What is wrong.
        fault: Malformed,
    },
    /// A record is of a tag that this tool does not know.
    #[error("record {record} has the tag {tag}, which is newer than this tool; use a newer one")]
    NewerRecord {
        /// Which, from 1.
        record: u64,
        /// Its tag.
        tag: u8,
    },
    /// A founding file does not hold.
    #[error("record {record} founds no board: {why}")]
    NotFounded {
        /// Which, from 1.
        record: u64,
        /// Why.
        why: Unfounded,
    },
    /// A card does not hold.
    #[error("the node card in record {record} does not hold: {why}")]
    BadCard {
        /// Which, from 1.
        record: u64,
        /// Why.
        why: BadCard,
    },
    /// A run is of a feed that nobody on the boards of the bundle owns.
    #[error("record {record} holds entries from {from} on of {feed}, which is no member's")]
    Outsider {
        /// The record, from 1.
        record: u64,
        /// The feed that the run names.
        feed: FeedId,
        /// The first seq of the run.
        from: u64,
    },
    /// A later epoch's opening does not hold.
    #[error("record {record} opens {feed} for {org}, and may not: {why}")]
    OpeningRefused {
        /// The record, from 1.
        record: u64,
        /// The feed that it would open.
        feed: FeedId,
        /// The organisation that it names.
        org: OrgId,
        /// Why.
        why: BadOpening,
    },
    /// Entries are left out.
    #[error("the entries of {of} from {due} to {found} are not there, or not in order")]
    Gap {
        /// The feed.
        of: FeedName,
        /// The seq that is due.
        due: u64,
        /// The seq that the next run begins with.
        found: u64,
    },
    /// Entries are not the ones that were signed.
    #[error("the entries of {of} from {from} to size {end} do not hold: {why}")]
    BrokenRun {
        /// The feed.
        of: FeedName,
        /// The first that no head in its run vouches for.
        from: u64,
        /// The size at which that shows.
        end: u64,
        /// Why.
        why: Misbehaved,
    },
    /// A run continues none of the histories in the bundle.
    #[error("the run of {of} from entry {from} continues nothing in the bundle; {due} is due")]
    Unplaced {
        /// The feed.
        of: FeedName,
        /// Its first seq.
        from: u64,
        /// The seq that would continue the first history.
        due: u64,
    },
    /// A run repeats entries.
    #[error("the run of {of} from entry {from} repeats entries that came before")]
    Repeated {
        /// The feed.
        of: FeedName,
        /// Its first seq.
        from: u64,
    },
    /// An entry acts under a charter that is not in the bundle.
    #[error("entry {seq} of {of} acts under {charter:?}, which the bundle does not hold")]
    OtherCharter {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// The charter.
        charter: CharterHash,
    },
    /// An entry claims a time long before one that its author had claimed already.
    #[error(
        "entry {seq} of {of} claims {after}, after an entry of {latest}: when it was written is not known"
    )]
    BackDated {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// The latest time that an entry before it claims.
        latest: TimeMs,
        /// The time that it claims.
        after: TimeMs,
    },
    /// A payload that everybody is due is not there.
    #[error("the payload of entry {seq} of {of} ({kind}) is not in the bundle")]
    PayloadAbsent {
        /// The feed.
        of: FeedName,
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: Kind,
    },
    /// A payload is another than the entry vouches for.
    #[error("the payload given for entry {seq} of {of} is not the one that its author signed for")]
    PayloadAltered {
        /// The feed.
        of: FeedName,
        /// The entry.
        seq: u64,
    },
    /// A payload belongs to no entry of the run before it.
    #[error("record {record} holds a payload for entry {seq} of {feed}, which is not due there")]
    PayloadUnasked {
        /// The record, from 1.
        record: u64,
        /// The feed that it names.
        feed: FeedId,
        /// The entry that it names.
        seq: u64,
    },
    /// Somebody acknowledged more of a feed than the bundle holds.
    #[error("the bundle holds {size} entries of {of}, but {by} acknowledged entry {seq} of it")]
    EndsEarly {
        /// The feed.
        of: FeedName,
        /// How many of its entries are there.
        size: u64,
        /// Who acknowledged more.
        by: FeedName,
        /// The entry acknowledged.
        seq: u64,
    },
    /// Somebody acknowledged another entry than the bundle holds.
    #[error(
        "{by} acknowledged {acknowledged:?} as entry {seq} of {of}, and the bundle holds another: \
         a second history is missing, or the acknowledgement is false"
    )]
    AcknowledgedOther {
        /// The feed.
        of: FeedName,
        /// The first entry that nobody's acknowledgement agrees with.
        from: u64,
        /// The place.
        seq: u64,
        /// Who acknowledged.
        by: FeedName,
        /// The entry acknowledged.
        acknowledged: EntryId,
    },
    /// Somebody cosigned a checkpoint of other entries than the bundle holds.
    #[error(
        "entry {seq} of {by} cosigns the first {size} entries of {of}, and the bundle holds others: \
         a second history is missing, or the cosignature is false"
    )]
    CosignedOther {
        /// The feed.
        of: FeedName,
        /// How many entries are cosigned.
        size: u64,
        /// Who cosigned.
        by: FeedName,
        /// The entry that says so.
        seq: u64,
    },
    /// Somebody acknowledged entries of a feed that is not in the bundle.
    #[error("{by} acknowledged entry {seq} of {feed}, a feed that the bundle does not hold")]
    AcknowledgedUnknown {
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
        /// Who acknowledged.
        by: FeedName,
    },
    /// Evidence is about a feed that is not in the bundle.
    #[error("entry {seq} of {by} accuses {feed}, a feed that the bundle does not hold")]
    AccusesUnknown {
        /// The feed accused.
        feed: FeedId,
        /// The feed that carries the evidence.
        by: FeedName,
        /// The entry that carries it.
        seq: u64,
    },

    /// A payload that only an audience is due is not there.
    #[error("the payload of entry {seq} of {of} ({kind}) is withheld or not in the bundle")]
    PayloadWithheld {
        /// The feed.
        of: FeedName,
        /// The entry.
        seq: u64,
        /// Its kind.
        kind: Kind,
    },
    /// An entry is of a kind that this tool does not know.
    #[error("entry {seq} of {of} is of {kind}; it is authentic, use a newer tool to read it")]
    NewerKind {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// Its kind.
        kind: Kind,
    },
    /// The author's clock went backwards by a little.
    #[error("the clock of {of} went back at entry {seq}: from {before} to {after}")]
    ClockBack {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// The time that the entry before claims.
        before: TimeMs,
        /// The time that it claims.
        after: TimeMs,
    },
    /// The author's clock jumped.
    #[error("the clock of {of} jumped at entry {seq}: from {before} to {after}")]
    ClockJump {
        /// The feed.
        of: FeedName,
        /// The first such entry.
        seq: u64,
        /// The time that the entry before claims.
        before: TimeMs,
        /// The time that it claims.
        after: TimeMs,
    },
    /// An entry claims a time after somebody else had received it.
    #[error("entry {seq} of {of} claims a time {ahead_ms} ms after {by} says it had received it")]
    ClockAhead {
        /// The feed.
        of: FeedName,
        /// The entry.
        seq: u64,
        /// Who received it.
        by: FeedName,
        /// By how much.
        ahead_ms: u64,
    },
    /// A feed goes on beyond the end that a later epoch names.
    #[error(
        "{of} has {entries} entries and ends after {end}, as the next epoch says; those beyond count only as far as others acknowledged them"
    )]
    BeyondEnd {
        /// The feed.
        of: FeedName,
        /// How many entries it has by the opening of the next epoch.
        end: u64,
        /// How many it has.
        entries: u64,
    },
    /// The recovery key opened another feed in place of this one.
    #[error(
        "the recovery key took the place of {of}, which has {entries} entries; they count only as far as others acknowledged them"
    )]
    Superseded {
        /// The feed.
        of: FeedName,
        /// How many entries it has.
        entries: u64,
    },
    /// A member has written nothing.
    #[error("the bundle holds no entry of {of}")]
    Silent {
        /// The feed.
        of: FeedName,
    },
    /// A card is of nobody on the boards of the bundle, or names another key.
    #[error("the node card in record {record} is of no member's first feed key")]
    ForeignCard {
        /// The record, from 1.
        record: u64,
    },
}

/// The seq that a run begins with and the size after it; the sizes of its heads.
pub(super) type RunSpan = ((u64, u64), Vec<u64>);

/// What is remembered of a run while it is verified.
pub(super) fn span_of(run: &Run) -> RunSpan {
    ((run.from, run.end()), run.heads.iter().map(|signed| signed.head.size).collect())
}

impl Finding {
    /// A run that does not hold: what it spans, and the sizes of its heads.
    pub(super) fn of_run(of: FeedName, (span, heads): &RunSpan, why: Misbehaved) -> Self {
        if why.is_by_author() {
            return Self::MisSigned { of, why };
        }
        let (from, end) = doubtful(heads, *span, &why);
        Self::BrokenRun { of, from, end, why }
    }

    /// How much it weighs.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::ForkProven { .. }
            | Self::SecondHistory { .. }
            | Self::OpenedTwice { .. }
            | Self::MisSigned { .. }
            | Self::BadFirstOpening { .. }
            | Self::BadPayload { .. }
            | Self::NotForObservers { .. } => Severity::Proven,
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
            | Self::Gap { .. }
            | Self::BrokenRun { .. }
            | Self::Unplaced { .. }
            | Self::Repeated { .. }
            | Self::OtherCharter { .. }
            | Self::BackDated { .. }
            | Self::PayloadAbsent { .. }
            | Self::PayloadAltered { .. }
            | Self::PayloadUnasked { .. }
            | Self::EndsEarly { .. }
            | Self::AcknowledgedOther { .. }
            | Self::CosignedOther { .. }
            | Self::AcknowledgedUnknown { .. }
            | Self::AccusesUnknown { .. } => Severity::Unchecked,
            Self::PayloadWithheld { .. }
            | Self::NewerKind { .. }
            | Self::ClockBack { .. }
            | Self::ClockJump { .. }
            | Self::ClockAhead { .. }
            | Self::BeyondEnd { .. }
            | Self::Superseded { .. }
            | Self::Silent { .. }
            | Self::ForeignCard { .. } => Severity::Note,
        }
    }
}
