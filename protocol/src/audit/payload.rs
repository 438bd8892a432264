//! Payloads in an audit: that each is the one its entry vouches for, and what its kind says.
//!
//! A payload travels with its run or in a record of its own, after that run and before the next. So
//! at most one run's headers are held while payloads are due.
//!
//! Invariant: a payload is read only if it fits its header. Knows nothing of effects.

use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};

use super::{
    bundle::LoosePayload,
    finding::{FeedName, Finding},
};
use crate::{
    charter::{Candidate, CharterVote},
    checkpoint::{BadNote, Cosigned, CosignedList, Origin, SignedCheckpoint},
    codec::{Fixed, Malformed},
    feed::{Ack, BadProof, Descriptor, Evidence, ForkProof, Header, Kind, OpenFeed, VerifiedEntry},
    hash::EntryId,
    identity::{BadCard, PublicKey, SignedCard},
    payload::{
        Attachment, Changes, Close, Event, Note, Open, Proposal, Redaction, Remark, SignOff,
        Widening,
    },
};

/// Why a payload is not what its kind says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPayload {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It is evidence that proves nothing.
    #[error(transparent)]
    Proof(#[from] BadProof),
    /// It is a checkpoint that does not hold.
    #[error(transparent)]
    Note(#[from] BadNote),
    /// It is a checkpoint of something else than the entries before it.
    #[error("the checkpoint is not of the entries that stand before it")]
    OtherEntries,
    /// It cosigns a checkpoint of another board.
    #[error("it cosigns a checkpoint of {origin}, on another board")]
    OtherBoard {
        /// The feed.
        origin: Origin,
    },
    /// It is a cosignature that does not verify.
    #[error("the cosignature of {origin} does not verify under the author's witness key")]
    Cosignature {
        /// The feed.
        origin: Origin,
    },
    /// It is a card that does not hold.
    #[error(transparent)]
    Card(#[from] BadCard),
    /// It is a card of another organisation or key than the feed's.
    #[error("the card is not of the organisation and the key whose feed it stands in")]
    ForeignCard,
}

/// What an audit goes on with, of all that payloads say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Opening(OpenFeed),
    Ack(Ack),
    Fork(Box<ForkProof>),
    Cosigned(Vec<Cosigned>),
    /// Sound, or of a kind that is newer than this tool.
    Other,
}

/// Whose payload is read, and where.
#[derive(Debug)]
pub(super) struct Author<'a> {
    pub(super) feed: &'a Descriptor,
    pub(super) witness_key: Option<&'a PublicKey>,
    /// Number of entries before it, and the root over them if it is a checkpoint.
    pub(super) before: (u64, Option<Fixed<32>>),
}

/// Reads a payload as its kind says.
pub(super) fn read_payload(
    kind: Kind,
    bytes: &[u8],
    author: &Author<'_>,
) -> Result<Meaning, BadPayload> {
    match kind {
        Kind::OPEN_FEED => return Ok(Meaning::Opening(OpenFeed::from_bytes(bytes)?)),
        Kind::ACK => return Ok(Meaning::Ack(Ack::from_bytes(bytes)?)),
        Kind::EVIDENCE => {
            let Evidence::Fork(proof) = Evidence::from_bytes(bytes)?;
            return Ok(Meaning::Fork(Box::new(proof)));
        }
        Kind::OPEN => drop(Open::from_bytes(bytes)?),
        Kind::CHANGE => drop(Changes::from_bytes(bytes)?),
        Kind::EVENT => drop(Event::from_bytes(bytes)?),
        Kind::REMARK => drop(Remark::from_bytes(bytes)?),
        Kind::AUDIENCE => drop(Widening::from_bytes(bytes)?),
        Kind::PROPOSAL => drop(Proposal::from_bytes(bytes)?),
        Kind::SIGNOFF => {
            SignOff::from_bytes(bytes)?;
        }
        Kind::CLOSE => drop(Close::from_bytes(bytes)?),
        Kind::CHARTER_CANDIDATE => drop(Candidate::from_bytes(bytes)?),
        Kind::CHARTER_VOTE => drop(CharterVote::from_bytes(bytes)?),
        Kind::REDACT => {
            Redaction::from_bytes(bytes)?;
        }
        Kind::CHECKPOINT => {
            let (origin, key) = (Origin::of(author.feed), &author.feed.key);
            let signed = SignedCheckpoint::from_bytes(bytes, (&origin, key), &[])?;
            let found = signed.checkpoint();
            if (found.size, Some(found.root)) != author.before {
                return Err(BadPayload::OtherEntries);
            }
        }
        Kind::COSIGN => {
            let CosignedList { given } = CosignedList::from_bytes(bytes)?;
            given.iter().try_for_each(|one| author.expect_cosigned(one))?;
            return Ok(Meaning::Cosigned(given));
        }
        Kind::BLOB => drop(Attachment::from_bytes(bytes)?),
        Kind::NOTE => drop(Note::from_bytes(bytes)?),
        Kind::CARD => {
            let signed = SignedCard::from_bytes(bytes)?;
            let card = signed.card();
            if (card.org, card.feed_key) != (author.feed.org, author.feed.key) {
                return Err(BadPayload::ForeignCard);
            }
        }
        _ => {}
    }
    Ok(Meaning::Other)
}

impl Author<'_> {
    fn expect_cosigned(&self, one: &Cosigned) -> Result<(), BadPayload> {
        let origin = one.checkpoint.origin;
        if origin.board != self.feed.board {
            return Err(BadPayload::OtherBoard { origin });
        }
        let verified = self.witness_key.map(|key| one.verify(key));
        match verified {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) | None => Err(BadPayload::Cosignature { origin }),
        }
    }
}

/// The payloads that the last run named and did not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    of: FeedName,
    entries: BTreeMap<u64, (EntryId, Header)>,
}

impl Due {
    pub(super) fn after(of: FeedName, entries: &[VerifiedEntry]) -> Self {
        let absent = entries.iter().filter(|entry| entry.sealed.is_none());
        let entries = absent.map(|entry| (entry.header.seq, (entry.id, entry.header.clone())));
        Self { of, entries: entries.collect() }
    }

    /// The header that a payload belongs to, if one is due there.
    pub(super) fn take(&mut self, loose: &LoosePayload) -> Option<Header> {
        let (id, _) = self.entries.get(&loose.seq)?;
        if loose.feed != self.of.feed || *id != loose.id {
            return None;
        }
        self.entries.remove(&loose.seq).map(|(_, header)| header)
    }

    /// The feed whose payloads are due.
    pub(super) const fn of(&self) -> &FeedName {
        &self.of
    }

    /// What did not come.
    pub(super) fn absent(self) -> Vec<Finding> {
        let of = self.of;
        let finding = |(seq, (_, header)): (u64, (EntryId, Header))| {
            let (of, kind) = (of.clone(), header.kind);
            match kind.is_withheld() {
                true => Finding::PayloadWithheld { of, seq, kind },
                false => Finding::PayloadAbsent { of, seq, kind },
            }
        };
        self.entries.into_iter().map(finding).collect()
    }
}
