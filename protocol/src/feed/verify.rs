//! Stage 5 of 8: verify. From `engine::accept`; to `engine::apply`.
//!
//! Decides whether a run is what its author signed, all or nothing:
//! 1. it continues the chain we hold (`from`, `before`);
//! 2. each rebuilt header keeps its bounds;
//! 3. at each signed head, id and root are those of the rebuilt chain, and the signature verifies;
//! 4. every mandatory head is there, and the last head covers the last entry;
//! 5. entry 0, and no other, opens the feed.
//!
//! Only after 3 can anything be laid at the author's door: before, whoever passed the run on may
//! have changed it.
//!
//! Invariant: the only constructor of [`VerifiedRun`]. Absent: reads no store, knows no charter.
//! Source: ours; signatures per RFC 8032, roots per RFC 6962.

use alloc::vec::Vec;

use super::{Descriptor, Header, Kind, Run, Sealed, SignedHead, Tip};
use crate::{
    codec::Malformed,
    hash::{EntryId, FeedId},
    limits::HEADER_BYTES_MAX,
};

/// Why a run was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misbehaved {
    /// The run is of another feed.
    #[error("the run is of {found}, expected {expected}")]
    OtherFeed {
        /// The feed asked for.
        expected: FeedId,
        /// The feed of the run.
        found: FeedId,
    },
    /// The run leaves entries out, or repeats some.
    #[error("the run begins at entry {found}, the next one due is {expected}")]
    WrongSeq {
        /// The seq that is due.
        expected: u64,
        /// The seq that the run begins with.
        found: u64,
    },
    /// The run continues another chain than the one we hold.
    #[error("the run continues {found} before entry {seq}, we hold {expected} there")]
    WrongPrev {
        /// The seq that is due.
        seq: u64,
        /// The id we hold before it.
        expected: EntryId,
        /// The id that the run continues.
        found: EntryId,
    },
    /// A rebuilt header breaks a bound.
    #[error("entry {seq}: {fault}")]
    Header {
        /// The entry.
        seq: u64,
        /// What is wrong.
        fault: Malformed,
    },
    /// The entries are not the ones that the head signs for.
    #[error("the head at size {size} is not over the entries that came with it")]
    OtherEntries {
        /// The head's size.
        size: u64,
    },
    /// The head's signature is not by the feed's key.
    #[error("the head at size {size} is not signed by the feed's key")]
    BadSignature {
        /// The head's size.
        size: u64,
    },
    /// A signed head that must exist did not come along.
    #[error("the signed head that is due at size {size} is missing")]
    MissingMandatoryHead {
        /// The size at which it is due.
        size: u64,
    },
    /// A head outside the run, or out of order.
    #[error("the head at size {size} does not belong into a run from entry {from} to size {end}")]
    StrayHead {
        /// The head's size.
        size: u64,
        /// The run's first seq.
        from: u64,
        /// The size after the run.
        end: u64,
    },
    /// The last entries are not covered by a signed head.
    #[error("the entries from {from} to size {end} come without a signed head")]
    Uncovered {
        /// The first seq without a head.
        from: u64,
        /// The size after the run.
        end: u64,
    },
    /// The author signed a feed that does not begin by opening itself.
    #[error("entry 0 is of kind {kind}, a feed begins with open_feed")]
    NotOpened {
        /// The kind of entry 0.
        kind: Kind,
    },
    /// The author signed a second opening inside a feed.
    #[error("entry {seq} opens the feed again")]
    OpenedAgain {
        /// The entry.
        seq: u64,
    },
}

impl Misbehaved {
    /// The stable code of the fault, for logs, tests and people who ask for help.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherFeed { .. } => "run-other-feed",
            Self::WrongSeq { .. } => "run-wrong-seq",
            Self::WrongPrev { .. } => "run-wrong-prev",
            Self::Header { .. } => "run-bad-header",
            Self::OtherEntries { .. } => "run-other-entries",
            Self::BadSignature { .. } => "run-bad-signature",
            Self::MissingMandatoryHead { .. } => "run-missing-head",
            Self::StrayHead { .. } => "run-stray-head",
            Self::Uncovered { .. } => "run-uncovered",
            Self::NotOpened { .. } => "feed-not-opened",
            Self::OpenedAgain { .. } => "feed-opened-again",
        }
    }

    /// Whether the author signed what is wrong here; otherwise it is whoever passed it on.
    #[must_use]
    pub const fn is_by_author(&self) -> bool {
        matches!(self, Self::NotOpened { .. } | Self::OpenedAgain { .. })
    }
}

/// One verified entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    /// The header.
    pub header: Header,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its id.
    pub id: EntryId,
    /// What it carried.
    pub sealed: Option<Sealed>,
}

/// Entries that their author signed for, in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedRun {
    entries: Vec<VerifiedEntry>,
    mandatory: Vec<SignedHead>,
    newest: SignedHead,
    tip: Tip,
}

impl VerifiedRun {
    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[VerifiedEntry] {
        &self.entries
    }

    /// The heads among those of the run that must be kept and sent for ever.
    #[must_use]
    pub fn mandatory_heads(&self) -> &[SignedHead] {
        &self.mandatory
    }

    /// The head over the last entry.
    #[must_use]
    pub const fn newest_head(&self) -> &SignedHead {
        &self.newest
    }

    /// The end of the feed after the run.
    #[must_use]
    pub const fn tip(&self) -> &Tip {
        &self.tip
    }
}

/// Verifies `run` as the continuation of `tip`.
///
/// # Errors
/// The first fault in the order of the module's list.
pub fn verify_run(tip: &Tip, descriptor: &Descriptor, run: Run) -> Result<VerifiedRun, Misbehaved> {
    expect_continuation(tip, &run)?;
    let (from, end) = (run.from, run.end());
    let mut tip = tip.clone();
    let mut entries = Vec::with_capacity(run.entries.len());
    let mut mandatory = Vec::new();
    let mut newest = None;
    let mut heads = run.heads.into_iter().peekable();
    for compact in run.entries {
        let entry = rebuild(&tip, compact)?;
        tip.append(&entry.bytes, entry.id, entry.header.kind);
        entries.push(entry);
        let head = heads.next_if(|signed| signed.head.size == tip.size());
        if let Some(signed) = head {
            expect_signed(&tip, descriptor, &signed)?;
            newest = Some(signed);
        }
        match (tip.is_mandatory(), head) {
            (true, Some(signed)) => mandatory.push(signed),
            (true, None) => return Err(Misbehaved::MissingMandatoryHead { size: tip.size() }),
            (false, _) => {}
        }
    }
    if let Some(stray) = heads.next() {
        return Err(Misbehaved::StrayHead { size: stray.head.size, from, end });
    }
    let covered = newest.filter(|signed| signed.head.size == end);
    let uncovered_from = newest.map_or(from, |signed| signed.head.size);
    let newest = covered.ok_or(Misbehaved::Uncovered { from: uncovered_from, end })?;
    expect_opening(&entries)?;
    Ok(VerifiedRun { entries, mandatory, newest, tip })
}

fn expect_continuation(tip: &Tip, run: &Run) -> Result<(), Misbehaved> {
    if run.feed != tip.feed() {
        return Err(Misbehaved::OtherFeed { expected: tip.feed(), found: run.feed });
    }
    if run.from != tip.size() {
        return Err(Misbehaved::WrongSeq { expected: tip.size(), found: run.from });
    }
    if run.before != tip.id() {
        return Err(Misbehaved::WrongPrev { seq: run.from, expected: tip.id(), found: run.before });
    }
    Ok(())
}

fn rebuild(tip: &Tip, compact: super::CompactEntry) -> Result<VerifiedEntry, Misbehaved> {
    let seq = tip.size();
    let (header, sealed) = compact.into_header(tip.feed(), seq, tip.id());
    header.check_bounds().map_err(|fault| Misbehaved::Header { seq, fault })?;
    let bytes = header.to_bytes();
    if bytes.len() > HEADER_BYTES_MAX {
        let fault = Malformed::TooLong { what: "header", len: bytes.len(), max: HEADER_BYTES_MAX };
        return Err(Misbehaved::Header { seq, fault });
    }
    let id = Header::id_of(&bytes);
    Ok(VerifiedEntry { header, bytes, id, sealed })
}

fn expect_signed(
    tip: &Tip,
    descriptor: &Descriptor,
    signed: &SignedHead,
) -> Result<(), Misbehaved> {
    let size = tip.size();
    if signed.head != tip.head() {
        return Err(Misbehaved::OtherEntries { size });
    }
    signed.verify(&descriptor.key).map_err(|_| Misbehaved::BadSignature { size })
}

fn expect_opening(entries: &[VerifiedEntry]) -> Result<(), Misbehaved> {
    for entry in entries {
        match (entry.header.seq, entry.header.kind) {
            (0, Kind::OPEN_FEED) => {}
            (0, kind) => return Err(Misbehaved::NotOpened { kind }),
            (seq, Kind::OPEN_FEED) => return Err(Misbehaved::OpenedAgain { seq }),
            (_, _) => {}
        }
    }
    Ok(())
}
