//! Stage 2 of 8: sign. From `engine::edit`; to `engine::append`.
//!
//! An entry: a header that is chained and signed for, and a payload and an attribution beside it
//! that can be withheld or redacted.
//!
//! ```text
//! header = [ 1, feed bstr32, seq, prev bstr32, charter bstr32, t_ms, kind, artefact [] or [bstr32],
//!            refs [bstr32…], p_hash bstr32, p_len, a_hash [] or [bstr32] ]
//! p_hash = H(payload, salt bstr16 ‖ payload)        a_hash = [H(attribution, salt bstr16 ‖ attribution)]
//! id     = H(entry, header)
//! ```
//!
//! Knows nothing of chains: whether `seq` and `prev` fit is for `chain.rs` and `verify.rs`.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::{
    codec::{self, Blob, Fixed, Malformed, Opt},
    hash::{ArtefactId, CharterHash, EntryId, FeedId, Tag, hash},
    limits::{
        ATTRIBUTION_BYTES_MAX, HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX, REFS_MAX, SEQ_MAX, TIME_MS_MAX,
    },
    time::TimeMs,
};

/// What is hashed, chained and signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The feed.
    pub feed: FeedId,
    /// The entry's place, from 0.
    pub seq: u64,
    /// The id of the entry before; [`EntryId::NONE`] at seq 0.
    pub prev: EntryId,
    /// The charter version that the author acts under.
    pub charter: CharterHash,
    /// The author's clock: a claim.
    pub t: TimeMs,
    /// How to treat the entry.
    pub kind: Kind,
    /// The artefact it concerns, if any.
    pub artefact: Option<ArtefactId>,
    /// Entries of the same board that this one relies on.
    pub refs: Vec<EntryId>,
    /// The salted hash of the payload.
    pub payload_hash: Fixed<32>,
    /// The payload's length in bytes, without the salt.
    pub payload_len: u64,
    /// The salted hash of the attribution, if there is one.
    pub attribution_hash: Option<Fixed<32>>,
}

#[derive(Serialize, Deserialize)]
struct HeaderWire(
    u64,
    FeedId,
    u64,
    EntryId,
    CharterHash,
    TimeMs,
    Kind,
    Opt<ArtefactId>,
    Vec<EntryId>,
    Fixed<32>,
    u64,
    Opt<Fixed<32>>,
);

/// The same fields, borrowed: what a run encodes by the thousand.
#[derive(Serialize)]
struct HeaderRef<'a>(
    u64,
    FeedId,
    u64,
    EntryId,
    CharterHash,
    TimeMs,
    Kind,
    Opt<ArtefactId>,
    &'a [EntryId],
    Fixed<32>,
    u64,
    Opt<Fixed<32>>,
);

impl Header {
    /// The bytes of the header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&HeaderRef(
            1,
            self.feed,
            self.seq,
            self.prev,
            self.charter,
            self.t,
            self.kind,
            Opt(self.artefact),
            &self.refs,
            self.payload_hash,
            self.payload_len,
            Opt(self.attribution_hash),
        ))
    }

    /// Reads a header.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let HeaderWire(
            version,
            feed,
            seq,
            prev,
            charter,
            t,
            kind,
            Opt(artefact),
            refs,
            payload_hash,
            payload_len,
            Opt(attribution_hash),
        ) = codec::decode(bytes, "header", HEADER_BYTES_MAX)?;
        codec::expect_version("header", version, 1)?;
        let header = Self {
            feed,
            seq,
            prev,
            charter,
            t,
            kind,
            artefact,
            refs,
            payload_hash,
            payload_len,
            attribution_hash,
        };
        header.check_bounds()?;
        Ok(header)
    }

    /// Checks the bounds that every header must keep.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub(super) fn check_bounds(&self) -> Result<(), Malformed> {
        let range = |what, value, max| {
            if value > max { Err(Malformed::Range { what, value }) } else { Ok(()) }
        };
        range("header seq", self.seq, SEQ_MAX)?;
        range("header time", self.t.0, TIME_MS_MAX)?;
        range("payload length", self.payload_len, PAYLOAD_BYTES_MAX as u64)?;
        codec::expect_count("header refs", self.refs.len(), 0, REFS_MAX)
    }

    /// The entry id of these header bytes.
    #[must_use]
    pub fn id_of(header: &[u8]) -> EntryId {
        EntryId::from_bytes(hash(Tag::Entry, &[header]))
    }
}

/// A payload or an attribution with the salt that keeps its hash from being guessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salted(Fixed<16>, Blob);

impl Salted {
    /// Salts `bytes`.
    #[must_use]
    pub fn new(salt: Fixed<16>, bytes: Vec<u8>) -> Self {
        Self(salt, Blob::from(bytes))
    }

    /// The bytes without the salt.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.1
    }

    /// The salt.
    #[must_use]
    pub const fn salt(&self) -> Fixed<16> {
        self.0
    }

    /// The salted hash, for `tag` payload or attribution.
    #[must_use]
    pub fn hash(&self, tag: Tag) -> Fixed<32> {
        Fixed(hash(tag, &[&self.0.0, &self.1]))
    }

    /// Whether this is the payload that `header` names.
    #[must_use]
    pub fn is_payload_of(&self, header: &Header) -> bool {
        self.1.len() as u64 == header.payload_len && self.hash(Tag::Payload) == header.payload_hash
    }

    /// Whether this is the attribution that `header` names.
    #[must_use]
    pub fn is_attribution_of(&self, header: &Header) -> bool {
        self.1.len() <= ATTRIBUTION_BYTES_MAX
            && Some(self.hash(Tag::Attribution)) == header.attribution_hash
    }
}

/// What travels beside a header and may be absent: the payload, and the attribution with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The payload.
    pub payload: Salted,
    /// Who in the organisation acted, in its own words.
    pub attribution: Option<Salted>,
}

#[derive(Serialize, Deserialize)]
struct SealedWire(Salted, Opt<Salted>);

impl Sealed {
    /// The bytes of the pair, as they are stored and sent by pieces:
    /// `[[salt, payload], [] or [[salt, attribution]]]`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&SealedWire(self.payload.clone(), Opt(self.attribution.clone())))
    }

    /// The longest that [`Sealed::to_bytes`] can be.
    pub const BYTES_MAX: usize = PAYLOAD_BYTES_MAX + ATTRIBUTION_BYTES_MAX + 64;

    /// Reads the pair. It belongs to an entry only if [`Sealed::fits`] says so.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let SealedWire(payload, Opt(attribution)) =
            codec::decode(bytes, "payload", Self::BYTES_MAX)?;
        Ok(Self { payload, attribution })
    }

    /// Whether both parts are the ones that `header` names.
    #[must_use]
    pub fn fits(&self, header: &Header) -> bool {
        self.payload.is_payload_of(header)
            && match &self.attribution {
                Some(attribution) => attribution.is_attribution_of(header),
                None => header.attribution_hash.is_none(),
            }
    }
}

/// An entry as its author means it, before it has a place in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// How to treat the entry.
    pub kind: Kind,
    /// The artefact it concerns, if any.
    pub artefact: Option<ArtefactId>,
    /// Entries of the same board that it relies on.
    pub refs: Vec<EntryId>,
    /// The payload.
    pub payload: Vec<u8>,
    /// Who in the organisation acted.
    pub attribution: Option<Vec<u8>>,
}
