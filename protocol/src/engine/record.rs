//! What the engine remembers of a feed between starts, as bytes in its tables.
//!
//! ```text
//! feed record     = [ descriptor bstr, start, tip bstr, [] or [signed head bstr], received_at ms, applied ]
//! told row        = [ epoch, number ] of our own card
//! ack row         = [ entries held with payloads, place of the acknowledgement ]
//! cosign row      = [ newest checkpoint seen, newest cosigned ], sizes; 0 for none
//! evidence row    = [ fork proof bstr, [] or [[carrying feed, seq]] ]
//! ```
//!
//! Private to one node: never signed, never sent.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    codec::{self, Blob, Malformed, Opt},
    feed::{Descriptor, ForkProof, SignedHead, Tip},
    hash::FeedId,
    identity::{Card, PublicKey},
    limits::{FORK_PROOF_BYTES_MAX, HEADER_BYTES_MAX, KIB},
    time::TimeMs,
};

/// Where one branch of a feed ends.
#[derive(Debug, Clone)]
pub(super) struct FeedRecord {
    pub(super) descriptor: Descriptor,
    /// The first seq stored under this branch.
    pub(super) start: u64,
    pub(super) tip: Tip,
    /// The newest signed head; none before entry 0.
    pub(super) head: Option<SignedHead>,
    pub(super) received_at: TimeMs,
    /// Entries below this seq have been applied.
    pub(super) applied: u64,
}

#[derive(Serialize, Deserialize)]
struct FeedWire(Blob, u64, Blob, Opt<Blob>, TimeMs, u64);

impl FeedRecord {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&FeedWire(
            Blob::from(self.descriptor.to_bytes()),
            self.start,
            Blob::from(self.tip.to_bytes()),
            Opt(self.head.map(|head| Blob::from(head.to_bytes()))),
            self.received_at,
            self.applied,
        ))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let FeedWire(descriptor, start, tip, Opt(head), received_at, applied) =
            codec::decode(bytes, "feed record", HEADER_BYTES_MAX + KIB)?;
        Ok(Self {
            descriptor: Descriptor::from_bytes(&descriptor)?,
            start,
            tip: Tip::from_bytes(&tip)?,
            head: head.map(|head| SignedHead::from_bytes(&head)).transpose()?,
            received_at,
            applied,
        })
    }
}

/// Which of our cards a board was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ToldRow {
    /// Epoch and number.
    order: (u64, u64),
    /// Two cards of one order differ in it where the epoch was opened twice, and then taken back.
    feed_key: PublicKey,
}

impl ToldRow {
    pub(super) fn of(card: &Card) -> Self {
        Self { order: card.order(), feed_key: card.feed_key }
    }

    /// Whether a card of ours is one that the board does not know from us.
    pub(super) fn is_behind(&self, card: &Card) -> bool {
        card.feed_key != self.feed_key || card.order() > self.order
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        codec::encode(&(self.order, self.feed_key))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (order, feed_key) = codec::decode(bytes, "told row", KIB)?;
        Ok(Self { order, feed_key })
    }
}

/// One acknowledgement of one feed by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AckRow {
    /// How many entries, from the first, are held with the payloads due.
    pub(super) complete: u64,
    /// The seq of the acknowledging entry, in its feed.
    pub(super) place: u64,
}

impl AckRow {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        codec::encode(&(self.complete, self.place))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (complete, place) = codec::decode(bytes, "ack row", KIB)?;
        Ok(Self { complete, place })
    }
}

/// How far the checkpoints of a feed were seen, and cosigned by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CosignRow {
    /// Size of the newest checkpoint that repeats a head which we verified.
    pub(super) seen: u64,
    /// Size of the newest that we cosigned.
    pub(super) given: u64,
}

impl CosignRow {
    /// Whether a checkpoint waits to be cosigned.
    pub(super) const fn is_due(&self) -> bool {
        self.seen > self.given
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        codec::encode(&(self.seen, self.given))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (seen, given) = codec::decode(bytes, "cosign row", KIB)?;
        Ok(Self { seen, given })
    }
}

/// A fork that is proven.
#[derive(Debug, Clone)]
pub(super) struct EvidenceRow {
    pub(super) proof: ForkProof,
    /// The entry that carries the evidence to everybody.
    pub(super) carrier: Option<(FeedId, u64)>,
}

/// In place of the seq of a carrying entry that is drafted and not signed yet: entry 0 opens the
/// feed and never carries evidence.
pub(super) const DRAFTED: u64 = 0;

impl EvidenceRow {
    /// Whether a signed entry carries the proof.
    pub(super) fn is_carried(&self) -> bool {
        self.carrier.is_some_and(|(_, seq)| seq != DRAFTED)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&(Blob::from(self.proof.to_bytes()), Opt(self.carrier)))
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let what = "evidence row";
        let (proof, Opt(carrier)): (Blob, Opt<(FeedId, u64)>) =
            codec::decode(bytes, what, FORK_PROOF_BYTES_MAX + KIB)?;
        let proof = ForkProof::from_bytes(&proof).map_err(|_| Malformed::Shape { what })?;
        Ok(Self { proof, carrier })
    }
}
