//! Stage 3 of 8: append. From `feed::entry`; to `sync::session`.
//!
//! The end of a chain: all that is needed to append the next entry and to know when a signed head
//! is due.
//!
//! A head is **mandatory** at size s when
//! 1. entry s-1 is of a governance kind, or
//! 2. 256 entries have come since the last mandatory size, or
//! 3. the headers since then have more than 252 KiB, so that one more might pass 256 KiB.
//!
//! Each depends on entries below s alone, so every node sees the same sizes as mandatory.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Frontier, Head, Header, Kind, merkle::leaf_hash};
use crate::{
    codec::{self, Fixed, Malformed},
    hash::{EntryId, FeedId},
    limits::{HEADER_BYTES_MAX, MANDATORY_EVERY, RUN_BYTES_MAX},
};

/// The end of a feed: where the next entry goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    feed: FeedId,
    id: EntryId,
    frontier: Frontier,
    entries_since_mandatory: u64,
    bytes_since_mandatory: u64,
}

#[derive(Serialize, Deserialize)]
struct TipWire(FeedId, u64, EntryId, Vec<Fixed<32>>, u64, u64);

impl Tip {
    /// The end of an empty feed.
    #[must_use]
    pub fn empty(feed: FeedId) -> Self {
        Self {
            feed,
            id: EntryId::NONE,
            frontier: Frontier::default(),
            entries_since_mandatory: 0,
            bytes_since_mandatory: 0,
        }
    }

    /// The feed.
    #[must_use]
    pub const fn feed(&self) -> FeedId {
        self.feed
    }

    /// Number of entries: the seq that the next one takes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The id of the last entry; [`EntryId::NONE`] when there is none.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        self.id
    }

    /// The head to sign for what is here.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { feed: self.feed, size: self.size(), id: self.id, root: self.frontier.root() }
    }

    /// The root over what is here; that of an empty tree at size 0.
    #[must_use]
    pub fn root(&self) -> Fixed<32> {
        self.frontier.root()
    }

    /// Appends a header, given as its bytes, its id and its kind. Whether it fits is the caller's
    /// to have checked, see `verify.rs`.
    pub(super) fn append(&mut self, header: &[u8], id: EntryId, kind: Kind) {
        if self.is_mandatory() {
            self.entries_since_mandatory = 0;
            self.bytes_since_mandatory = 0;
        }
        self.frontier.append(leaf_hash(header));
        self.id = id;
        self.entries_since_mandatory = match kind.is_governance() {
            true => MANDATORY_EVERY,
            false => self.entries_since_mandatory.saturating_add(1),
        };
        self.bytes_since_mandatory = self.bytes_since_mandatory.saturating_add(header.len() as u64);
    }

    /// Appends a header of our own, made for this place.
    pub(crate) fn push(&mut self, header: &Header) {
        let bytes = header.to_bytes();
        self.append(&bytes, Header::id_of(&bytes), header.kind);
    }

    /// Appends the header `bytes` when they stand at the next place, as for a feed that was
    /// verified when it was stored.
    ///
    /// # Errors
    /// The exact [`Malformed`]; [`Malformed::Range`] naming the seq when the header is of another
    /// feed or place.
    pub fn replay(&mut self, bytes: &[u8]) -> Result<Header, Malformed> {
        let header = Header::from_bytes(bytes)?;
        if header.feed != self.feed || header.seq != self.size() || header.prev != self.id {
            return Err(Malformed::Range { what: "place of a stored header", value: header.seq });
        }
        self.append(bytes, Header::id_of(bytes), header.kind);
        Ok(header)
    }

    /// Whether a signed head must exist at this size.
    #[must_use]
    pub const fn is_mandatory(&self) -> bool {
        const BYTES: u64 = (RUN_BYTES_MAX - HEADER_BYTES_MAX) as u64;
        self.entries_since_mandatory >= MANDATORY_EVERY || self.bytes_since_mandatory > BYTES
    }

    /// The bytes by which a node remembers the end of a feed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&TipWire(
            self.feed,
            self.size(),
            self.id,
            self.frontier.peaks().to_vec(),
            self.entries_since_mandatory,
            self.bytes_since_mandatory,
        ))
    }

    /// Reads a remembered end.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let TipWire(feed, size, id, peaks, entries_since_mandatory, bytes_since_mandatory) =
            codec::decode(bytes, "remembered end of a feed", HEADER_BYTES_MAX)?;
        let frontier = Frontier::from_parts(size, peaks)?;
        Ok(Self { feed, id, frontier, entries_since_mandatory, bytes_since_mandatory })
    }
}
