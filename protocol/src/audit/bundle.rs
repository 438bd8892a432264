//! Bundles: the file that an auditor needs, and nothing else.
//!
//! ```text
//! bundle  = "concordat-bundle/1\n" record…
//! record  = length u32 BE ‖ tag u8 ‖ body             length counts tag and body
//!
//! 1 founding  a founding file                         before anything of its board
//! 2 card      a signed node card
//! 3 run       a run                                   each feed from entry 0 on; then, for a forked
//!                                                     feed, each kept branch from where it leaves
//! 4 payload   [ feed, seq, entry id, sealed bstr ]    after the run that names it, before the next
//! 5 end       [ count ]                               last; counts the records before it
//! ```
//!
//! A bundle is what a peer would have been sent, so it proves as much and no more. Records of other
//! tags are newer than this tool and are passed over by their length.
//!
//! Invariants: a length is checked before anything is taken on its word; one record is held at a
//! time. Knows nothing of what a body says: that is for `check.rs`.
//!
//! Source: ours, `SPEC.md` section "Bundle".

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::{
    charter::Founding,
    codec::{self, Blob, Malformed},
    feed::{Run, Sealed},
    hash::{EntryId, FeedId},
    identity::SignedCard,
    limits::{KIB, SEQ_MAX},
};

/// How every bundle begins.
pub const MAGIC: &[u8] = b"concordat-bundle/1\n";

/// Longest record, in bytes: the longest payload, with its place.
pub const BUNDLE_RECORD_BYTES_MAX: usize = Sealed::BYTES_MAX + KIB;

const LENGTH_BYTES: usize = 4;
const FOUNDING: u8 = 1;
const CARD: u8 = 2;
const RUN: u8 = 3;
const PAYLOAD: u8 = 4;
const END: u8 = 5;

/// Bytes that are no bundle, or no longer the whole of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    /// The file begins otherwise.
    #[error("this is not a bundle: it does not begin with \"concordat-bundle/1\"")]
    NoMagic,
    /// A record is empty, or longer than any may be.
    #[error(
        "the record at byte {at} is said to have {len} bytes, 1 to {BUNDLE_RECORD_BYTES_MAX} are allowed"
    )]
    RecordLength {
        /// Where the record begins.
        at: u64,
        /// Its length.
        len: u64,
    },
    /// The file ends inside a record.
    #[error("the file ends inside the record at byte {at}; ask for the bundle again")]
    CutShort {
        /// Where the record begins.
        at: u64,
    },
}

/// One record, not yet read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// A founding file.
    Founding(&'a [u8]),
    /// A signed node card.
    Card(&'a [u8]),
    /// A run of entries.
    Run(&'a [u8]),
    /// A payload that did not travel with its run.
    Payload(&'a [u8]),
    /// The end.
    End(&'a [u8]),
    /// A record that is newer than this tool.
    Newer {
        /// Its tag.
        tag: u8,
    },
}

impl<'a> Record<'a> {
    const fn new(tag: u8, body: &'a [u8]) -> Self {
        match tag {
            FOUNDING => Self::Founding(body),
            CARD => Self::Card(body),
            RUN => Self::Run(body),
            PAYLOAD => Self::Payload(body),
            END => Self::End(body),
            tag => Self::Newer { tag },
        }
    }
}

/// What the next bytes of a bundle are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next<'a> {
    /// A record, and how many bytes it takes from the beginning.
    Record(Record<'a>, usize),
    /// Not enough bytes: there must be so many in all to read on.
    Needs(usize),
}

/// Reads the record that `bytes` begin with; `at` is where in the file they stand.
///
/// For a file that is read piece by piece: never is more asked for than one record.
///
/// # Errors
/// [`BadBundle::RecordLength`].
pub fn next_record(bytes: &[u8], at: u64) -> Result<Next<'_>, BadBundle> {
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(Next::Needs(LENGTH_BYTES));
    };
    let length = u32::from_be_bytes(*length);
    let bad = BadBundle::RecordLength { at, len: u64::from(length) };
    let len = usize::try_from(length).map_err(|_| bad)?;
    if len == 0 || len > BUNDLE_RECORD_BYTES_MAX {
        return Err(bad);
    }
    let whole = LENGTH_BYTES.saturating_add(len);
    Ok(match rest.get(..len).and_then(<[u8]>::split_first) {
        Some((tag, body)) => Next::Record(Record::new(*tag, body), whole),
        None => Next::Needs(whole),
    })
}

/// The records of a bundle that is in memory; ends after the first fault.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    left: &'a [u8],
    at: u64,
}

impl<'a> Records<'a> {
    /// The records of these bytes.
    ///
    /// # Errors
    /// [`BadBundle::NoMagic`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, BadBundle> {
        let left = bytes.strip_prefix(MAGIC).ok_or(BadBundle::NoMagic)?;
        Ok(Self { left, at: MAGIC.len() as u64 })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, BadBundle>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left.is_empty() {
            return None;
        }
        let (fault, at) = match next_record(self.left, self.at) {
            Ok(Next::Record(record, taken)) => {
                self.left = self.left.get(taken..).unwrap_or_default();
                self.at = self.at.saturating_add(taken as u64);
                return Some(Ok(record));
            }
            Ok(Next::Needs(_)) => (None, self.at),
            Err(fault) => (Some(fault), self.at),
        };
        self.left = &[];
        Some(Err(fault.unwrap_or(BadBundle::CutShort { at })))
    }
}

/// A payload on its own, by the place of its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoosePayload {
    /// The feed.
    pub feed: FeedId,
    /// The entry's place.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
    /// What lies beside its header.
    pub sealed: Sealed,
}

#[derive(Serialize, Deserialize)]
struct LooseWire(FeedId, u64, EntryId, Blob);

#[derive(Serialize, Deserialize)]
struct EndWire((u64,));

impl LoosePayload {
    /// The body of the record.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { feed, seq, id, sealed } = self;
        codec::encode(&LooseWire(*feed, *seq, *id, Blob::from(sealed.to_bytes())))
    }

    /// Reads the body of a record. The payload belongs to the entry only if it fits its header.
    ///
    /// # Errors
    /// The exact [`Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let LooseWire(feed, seq, id, sealed) =
            codec::decode(bytes, "bundle payload", BUNDLE_RECORD_BYTES_MAX)?;
        if seq > SEQ_MAX {
            return Err(Malformed::Range { what: "bundle payload seq", value: seq });
        }
        Ok(Self { feed, seq, id, sealed: Sealed::from_bytes(&sealed)? })
    }
}

/// Reads the body of an end record: how many records came before it.
///
/// # Errors
/// The exact [`Malformed`].
pub fn end_from_bytes(bytes: &[u8]) -> Result<u64, Malformed> {
    let EndWire((count,)) = codec::decode(bytes, "bundle end", 16)?;
    Ok(count)
}

/// Makes the records of a bundle, one after another; each result is the bytes to be written next.
#[derive(Debug, Default)]
pub struct Writer {
    count: u64,
}

impl Writer {
    /// A writer, and the bytes that begin the file.
    #[must_use]
    pub fn new() -> (Self, &'static [u8]) {
        (Self::default(), MAGIC)
    }

    /// The record of a founding file.
    pub fn founding(&mut self, founding: &Founding) -> Vec<u8> {
        self.record(FOUNDING, &founding.to_bytes())
    }

    /// The record of a node card.
    pub fn card(&mut self, card: &SignedCard) -> Vec<u8> {
        self.record(CARD, &card.to_bytes())
    }

    /// The record of a run.
    pub fn run(&mut self, run: &Run) -> Vec<u8> {
        self.record(RUN, &run.to_bytes())
    }

    /// The record of a payload that the run before it names.
    pub fn payload(&mut self, payload: &LoosePayload) -> Vec<u8> {
        self.record(PAYLOAD, &payload.to_bytes())
    }

    /// The record that ends the bundle.
    #[must_use]
    pub fn end(mut self) -> Vec<u8> {
        let body = codec::encode(&EndWire((self.count,)));
        self.record(END, &body)
    }

    fn record(&mut self, tag: u8, body: &[u8]) -> Vec<u8> {
        self.count = self.count.saturating_add(1);
        // Every body that can be made is far below the bound, see `limits.rs`.
        let length = u32::try_from(body.len().saturating_add(1)).unwrap_or(u32::MAX);
        let mut record = length.to_be_bytes().to_vec();
        record.push(tag);
        record.extend_from_slice(body);
        record
    }
}
