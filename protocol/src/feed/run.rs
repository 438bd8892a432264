//! Runs: consecutive entries of one feed, as they travel.
//!
//! ```text
//! run     = [ feed bstr32, from, before bstr32, ids [bstr32…], entries [compact…], heads [[size, id, root, sig]…] ]
//! compact = [ charter#, t_ms, kind, artefact [] or [#], refs [#…], carried, named ]       # = index into ids
//! carried = [] or [[ [salt, payload], [] or [[salt, attribution]] ]]
//! named   = [] or [[ p_hash, p_len, [] or [a_hash] ]]                    exactly one of carried, named
//! ```
//!
//! What the receiver can derive is left out: feed id, seq, prev, the hashes of what is carried,
//! and every 32-byte id but its first occurrence. The receiver, who holds everything before
//! `from`, rebuilds the full headers; that they are the author's shows when the signed heads fit.
//!
//! Invariant: `ids` are in order of first use, each used, none twice, so a run has one encoding.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{Header, Kind, Sealed, SignedHead, entry::Salted, head::SignedHeadWire};
use crate::{
    codec::{self, Fixed, Malformed, Opt},
    hash::{ArtefactId, CharterHash, EntryId, FeedId, Tag},
    limits::{
        ATTRIBUTION_BYTES_MAX, FRAME_BYTES_MAX, PAYLOAD_BYTES_MAX, REFS_MAX, RUN_HEADERS_MAX,
        SEQ_MAX,
    },
    time::TimeMs,
};

/// Consecutive entries of one feed, not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The feed.
    pub feed: FeedId,
    /// The seq of the first entry.
    pub from: u64,
    /// The id of the entry before the first.
    pub before: EntryId,
    /// The entries.
    pub entries: Vec<CompactEntry>,
    /// Signed heads inside the span, ascending in size; the last covers the last entry.
    pub heads: Vec<SignedHead>,
}

/// An entry without what its place in the run already says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactEntry {
    /// The charter version that the author acts under.
    pub charter: CharterHash,
    /// The author's clock: a claim.
    pub t: TimeMs,
    /// How to treat the entry.
    pub kind: Kind,
    /// The artefact it concerns, if any.
    pub artefact: Option<ArtefactId>,
    /// Entries it relies on.
    pub refs: Vec<EntryId>,
    /// The payload and attribution, or their hashes.
    pub body: Body,
}

/// Payload and attribution: carried along, or named by hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// They travel with the run.
    Carried(Sealed),
    /// They travel apart, or not at all.
    Named {
        /// The salted hash of the payload.
        payload_hash: Fixed<32>,
        /// The payload's length in bytes.
        payload_len: u64,
        /// The salted hash of the attribution.
        attribution_hash: Option<Fixed<32>>,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct RunWire(
    FeedId,
    u64,
    EntryId,
    Vec<Fixed<32>>,
    Vec<CompactWire>,
    Vec<SignedHeadWire>,
);

#[derive(Serialize, Deserialize)]
struct CompactWire(u64, TimeMs, Kind, Opt<u64>, Vec<u64>, Opt<CarriedWire>, Opt<NamedWire>);

#[derive(Serialize, Deserialize)]
struct CarriedWire(Salted, Opt<Salted>);

#[derive(Serialize, Deserialize)]
struct NamedWire(Fixed<32>, u64, Opt<Fixed<32>>);

impl CompactEntry {
    /// The entry of `header`, carrying `sealed` when it is given.
    #[must_use]
    pub fn of(header: Header, sealed: Option<Sealed>) -> Self {
        let body = match sealed {
            Some(sealed) => Body::Carried(sealed),
            None => Body::Named {
                payload_hash: header.payload_hash,
                payload_len: header.payload_len,
                attribution_hash: header.attribution_hash,
            },
        };
        Self {
            charter: header.charter,
            t: header.t,
            kind: header.kind,
            artefact: header.artefact,
            refs: header.refs,
            body,
        }
    }

    /// The same by its hashes alone: the header is no other, and what it carried stays behind.
    #[must_use]
    pub fn withheld(self) -> Self {
        let body = match self.body {
            Body::Carried(Sealed { payload, attribution }) => Body::Named {
                payload_hash: payload.hash(Tag::Payload),
                payload_len: payload.bytes().len() as u64,
                attribution_hash: attribution.map(|salted| salted.hash(Tag::Attribution)),
            },
            named @ Body::Named { .. } => named,
        };
        Self { body, ..self }
    }

    /// The full header at `seq` of `feed` behind `prev`, and what the entry carried.
    pub(super) fn into_header(
        self,
        feed: FeedId,
        seq: u64,
        prev: EntryId,
    ) -> (Header, Option<Sealed>) {
        let (payload_hash, payload_len, attribution_hash, sealed) = match self.body {
            Body::Carried(sealed) => (
                sealed.payload.hash(Tag::Payload),
                sealed.payload.bytes().len() as u64,
                sealed.attribution.as_ref().map(|salted| salted.hash(Tag::Attribution)),
                Some(sealed),
            ),
            Body::Named { payload_hash, payload_len, attribution_hash } => {
                (payload_hash, payload_len, attribution_hash, None)
            }
        };
        let header = Header {
            feed,
            seq,
            prev,
            charter: self.charter,
            t: self.t,
            kind: self.kind,
            artefact: self.artefact,
            refs: self.refs,
            payload_hash,
            payload_len,
            attribution_hash,
        };
        (header, sealed)
    }
}

impl Run {
    /// The seq after the last entry.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.from.saturating_add(self.entries.len() as u64)
    }

    /// The bytes of the run.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(&self.clone().into_wire())
    }

    /// Reads a run, without verifying it.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_wire(codec::decode(bytes, "run", FRAME_BYTES_MAX)?)
    }

    pub(crate) fn into_wire(self) -> RunWire {
        let mut ids = IdTable::default();
        let entries = self.entries.into_iter().map(|entry| entry.into_wire(&mut ids)).collect();
        let heads = self.heads.iter().map(|head| head.to_wire()).collect();
        RunWire(self.feed, self.from, self.before, ids.list, entries, heads)
    }

    pub(crate) fn from_wire(wire: RunWire) -> Result<Self, Malformed> {
        let RunWire(feed, from, before, ids, entries, heads) = wire;
        codec::expect_count("run entries", entries.len(), 1, RUN_HEADERS_MAX)?;
        codec::expect_count("run heads", heads.len(), 1, RUN_HEADERS_MAX)?;
        if from >= SEQ_MAX {
            return Err(Malformed::Range { what: "run from", value: from });
        }
        let mut ids = IdReader { list: &ids, used: 0 };
        let entries = entries
            .into_iter()
            .map(|wire| CompactEntry::from_wire(wire, &mut ids))
            .collect::<Result<_, _>>()?;
        ids.finish()?;
        let heads = heads.into_iter().map(SignedHead::from_wire).collect::<Result<_, _>>()?;
        Ok(Self { feed, from, before, entries, heads })
    }
}

impl CompactEntry {
    fn into_wire(self, ids: &mut IdTable) -> CompactWire {
        let charter = ids.index_of(self.charter.0);
        let artefact = self.artefact.map(|id| ids.index_of(id.0));
        let refs = self.refs.iter().map(|id| ids.index_of(id.0)).collect();
        let (carried, named) = match self.body {
            Body::Carried(sealed) => {
                (Some(CarriedWire(sealed.payload, Opt(sealed.attribution))), None)
            }
            Body::Named { payload_hash, payload_len, attribution_hash } => {
                (None, Some(NamedWire(payload_hash, payload_len, Opt(attribution_hash))))
            }
        };
        CompactWire(charter, self.t, self.kind, Opt(artefact), refs, Opt(carried), Opt(named))
    }

    fn from_wire(wire: CompactWire, ids: &mut IdReader<'_>) -> Result<Self, Malformed> {
        let CompactWire(charter, t, kind, Opt(artefact), refs, Opt(carried), Opt(named)) = wire;
        codec::expect_count("header refs", refs.len(), 0, REFS_MAX)?;
        let body = match (carried, named) {
            (Some(CarriedWire(payload, Opt(attribution))), None) => {
                codec::expect_len("payload", payload.bytes().len(), PAYLOAD_BYTES_MAX)?;
                let len = attribution.as_ref().map_or(0, |salted| salted.bytes().len());
                codec::expect_len("attribution", len, ATTRIBUTION_BYTES_MAX)?;
                Body::Carried(Sealed { payload, attribution })
            }
            (None, Some(NamedWire(payload_hash, payload_len, Opt(attribution_hash)))) => {
                Body::Named { payload_hash, payload_len, attribution_hash }
            }
            (Some(_), Some(_)) | (None, None) => {
                return Err(Malformed::Shape { what: "run entry" });
            }
        };
        Ok(Self {
            charter: CharterHash(ids.get(charter)?),
            t,
            kind,
            artefact: artefact.map(|index| ids.get(index)).transpose()?.map(ArtefactId),
            refs: refs
                .into_iter()
                .map(|index| ids.get(index).map(EntryId))
                .collect::<Result<_, _>>()?,
            body,
        })
    }
}

/// Collects 32-byte ids in order of first use.
#[derive(Default)]
struct IdTable {
    list: Vec<Fixed<32>>,
    places: BTreeMap<Fixed<32>, u64>,
}

impl IdTable {
    fn index_of(&mut self, id: Fixed<32>) -> u64 {
        let next = self.list.len() as u64;
        *self.places.entry(id).or_insert_with(|| {
            self.list.push(id);
            next
        })
    }
}

/// Gives ids by index, and sees to it that they are listed in order of first use.
struct IdReader<'a> {
    list: &'a [Fixed<32>],
    used: u64,
}

impl IdReader<'_> {
    const WHAT: &'static str = "run ids";

    fn get(&mut self, index: u64) -> Result<Fixed<32>, Malformed> {
        let out_of_range = Malformed::Range { what: Self::WHAT, value: index };
        if index > self.used {
            return Err(out_of_range);
        }
        if index == self.used {
            self.used = self.used.saturating_add(1);
        }
        let at = usize::try_from(index).map_err(|_| out_of_range.clone())?;
        self.list.get(at).copied().ok_or(out_of_range)
    }

    fn finish(self) -> Result<(), Malformed> {
        let distinct: alloc::collections::BTreeSet<_> = self.list.iter().collect();
        let used = usize::try_from(self.used).unwrap_or(usize::MAX);
        if used == self.list.len() && distinct.len() == self.list.len() {
            Ok(())
        } else {
            Err(Malformed::Shape { what: Self::WHAT })
        }
    }
}
