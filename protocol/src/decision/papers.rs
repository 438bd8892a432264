//! Papers: everything that a decision rests on, as the caller has it from feeds and charters.
//!
//! ```text
//! charters     the proposal's, and every later one that is adopted, in order
//! audience     of the artefact, as the proposal's past has it
//! proposal     and the earlier ones that it replaces, nearest first
//! sign-offs    on any of these       closings    of the proposal
//! shut         organisations of which nothing can come in time any more (`timing`)
//! contested    sign-offs of which that is told in two ways
//! ```
//!
//! What is said of an entry is the same for everybody who holds the same entries: whether it is
//! settled, forked or void follows from feeds, acknowledgements and charters, never from arrival.
//!
//! # Order
//! Sign-offs and closings of a feed are given only as far as all of that feed's sign-offs and
//! closings before them are, and those of a later epoch only once the earlier feed is read to its
//! end. Otherwise a second answer could be taken for the first.

use alloc::{collections::BTreeSet, vec::Vec};

use crate::{
    charter::Charter,
    hash::{CharterHash, EntryId, OrgId},
    payload::{Audience, Close, Proposal, SignOff},
    time::TimeMs,
};

/// What is known of an entry but for its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The entry.
    pub entry: EntryId,
    /// Whose feed it stands in.
    pub org: OrgId,
    /// The epoch of the feed.
    pub epoch: u64,
    /// Its place in the feed.
    pub seq: u64,
    /// The author's clock: a claim.
    pub at: TimeMs,
    /// The charter that it names.
    pub charter: CharterHash,
    /// Whether it is settled. Once it is, it stays so.
    pub settled: bool,
    /// Whether it stands.
    pub standing: Standing,
}

/// Whether an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against it.
    Stands,
    /// Its feed is proven to be forked, and it stands at or above the first contradicting index:
    /// it is held unless it is settled.
    Forked {
        /// The entry of its history at that index, which tells the branches apart.
        branch: EntryId,
    },
    /// It lies beyond the end of its epoch or its member's cutoff: it never has any effect.
    Void,
}

impl Written {
    /// Whether its feed is forked below it and its branch is not settled.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        matches!(self.standing, Standing::Forked { .. }) && !self.settled
    }

    /// Whether it has effect, or will have once it is settled.
    #[must_use]
    pub const fn may_count(&self) -> bool {
        !self.is_held() && !matches!(self.standing, Standing::Void)
    }

    /// The branch of a forked feed that it stands on.
    #[must_use]
    pub const fn branch(&self) -> Option<EntryId> {
        match self.standing {
            Standing::Forked { branch } => Some(branch),
            Standing::Stands | Standing::Void => None,
        }
    }

    /// What orders the entries of one organisation.
    pub(super) const fn place(&self) -> (u64, u64, EntryId) {
        (self.epoch, self.seq, self.entry)
    }
}

/// A proposal as it stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalEntry {
    /// Its entry.
    pub by: Written,
    /// Its payload.
    pub says: Proposal,
}

/// A sign-off as it stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignOffEntry {
    /// Its entry.
    pub by: Written,
    /// Its payload.
    pub says: SignOff,
    /// Whether it is in time ([`super::Bounds`]); while there is no closing, whether it is settled.
    pub in_time: bool,
}

/// A closing as it stands in a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseEntry {
    /// Its entry.
    pub by: Written,
    /// Its payload.
    pub says: Close,
    /// Those of the entries it lists that this reader has not read.
    pub unread: BTreeSet<EntryId>,
}

/// Everything that a decision rests on.
#[derive(Debug, Clone)]
pub struct Papers<'a> {
    /// The charter that the proposal names, and every later one that this reader knows, in order.
    pub charters: &'a [(CharterHash, &'a Charter)],
    /// Who receives the artefact, as the past of the proposal has it.
    pub audience: &'a Audience,
    /// The proposal.
    pub proposal: &'a ProposalEntry,
    /// The proposals that it replaces: the one it names, the one that one names, and so on.
    pub earlier: &'a [ProposalEntry],
    /// The sign-offs on any of these proposals, in any order.
    pub sign_offs: &'a [SignOffEntry],
    /// The closings of the proposal, in any order.
    pub closings: &'a [CloseEntry],
    /// Organisations of whose feeds nothing can come in time any more ([`super::Bounds`]) and which
    /// this reader has read as far as anything still could; of every sign-off of theirs it knows
    /// whether it is in time.
    pub shut: &'a BTreeSet<OrgId>,
    /// Sign-offs that are in time by one history of a member's forked feed, and late by another.
    pub contested: &'a BTreeSet<EntryId>,
}

impl Papers<'_> {
    /// The charter that the proposal names, if this reader knows it.
    #[must_use]
    pub fn charter(&self) -> Option<&Charter> {
        let (hash, charter) = self.charters.first()?;
        (*hash == self.proposal.by.charter).then_some(*charter)
    }

    /// The sign-offs on a proposal, in the order of organisations and of their feeds.
    pub(super) fn on(&self, proposal: &EntryId) -> Vec<&SignOffEntry> {
        let mut found: Vec<_> =
            self.sign_offs.iter().filter(|one| one.says.proposal == *proposal).collect();
        found.sort_by_key(|one| (one.by.org, one.by.place()));
        found.dedup_by_key(|one| one.by.entry);
        found
    }
}

/// Two proposals of one artefact by organisations that did not know of each other's: both texts are
/// frozen, and people have to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rivals(pub EntryId, pub EntryId);

/// Pairs of proposals of one artefact of which neither stands in the past of the other, smaller id
/// first, ascending. With each proposal comes what its past holds of the others.
#[must_use]
pub fn rivals(proposals: &[(&Written, &BTreeSet<EntryId>)]) -> Vec<Rivals> {
    let mut pairs = BTreeSet::new();
    for (one, knew) in proposals {
        for (other, other_knew) in proposals {
            let is_known = knew.contains(&other.entry) || other_knew.contains(&one.entry);
            let both_may_count = one.may_count() && other.may_count();
            if one.entry < other.entry && !is_known && both_may_count {
                pairs.insert(Rivals(one.entry, other.entry));
            }
        }
    }
    pairs.into_iter().collect()
}
