//! What a node stores, as tables of bytes, and how the engine reads them.
//!
//! ```text
//! table     key                                        value
//! Boards    board 32                                   founding file
//! Cards     org 32                                     signed card
//! Told      board 32                                   which of our cards the board was told
//! Feeds     board 32 ‖ feed 32 ‖ branch u16            feed record (see `record.rs`)
//! Headers   feed 32 ‖ branch u16 ‖ seq u64             header
//! Payloads  feed 32 ‖ branch u16 ‖ seq u64             payload and attribution with their salts
//! Heads     feed 32 ‖ branch u16 ‖ size u64            signed head that must be kept
//! Missing   feed 32 ‖ branch u16 ‖ seq u64             empty: a payload that is due and not here
//! Acks      feed 32 ‖ seq u64 ‖ entry 32 ‖ by feed 32   [entries held with payloads, place]
//! AckPlaces feed 32 ‖ branch u16 ‖ seq u64             empty: an acknowledgement that counts stands here
//! Evidence  feed 32 ‖ index u64                        fork proof
//! Cosigned  board 32 ‖ org 32 ‖ epoch u64              checkpoints of a feed: newest seen, newest cosigned
//! Artefacts board 32 ‖ artefact 32                     artefact record (see `audience.rs`)
//! Placed    artefact 32 ‖ feed 32 ‖ branch u16 ‖ seq u64   empty: an entry about the artefact
//! ```
//!
//! Integers are big-endian, so keys sort as numbers do. Branch 0 is the chain seen first; others
//! hold what differs from a fork on.

use alloc::{string::String, vec::Vec};

use sha2::{Digest, Sha256};

use crate::{
    codec::hex,
    hash::{ArtefactId, BoardId, EntryId, FeedId, OrgId},
};

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Founding files.
    Boards,
    /// Node cards.
    Cards,
    /// Which of our own cards each board was told.
    Told,
    /// Where each feed ends.
    Feeds,
    /// Headers.
    Headers,
    /// Payloads and attributions.
    Payloads,
    /// Signed heads that must be kept.
    Heads,
    /// Payloads that are due and not here.
    Missing,
    /// Acknowledgements by the feed that they are about.
    Acks,
    /// Places of acknowledgements that count here.
    AckPlaces,
    /// Fork proofs.
    Evidence,
    /// How far each feed's checkpoints were seen and cosigned.
    Cosigned,
    /// What is known of artefacts.
    Artefacts,
    /// Where the entries about an artefact stand.
    Placed,
}

impl Table {
    /// Every table.
    pub const ALL: &'static [Self] = &[
        Self::Boards,
        Self::Cards,
        Self::Told,
        Self::Feeds,
        Self::Headers,
        Self::Payloads,
        Self::Heads,
        Self::Missing,
        Self::Acks,
        Self::AckPlaces,
        Self::Evidence,
        Self::Cosigned,
        Self::Artefacts,
        Self::Placed,
    ];

    /// The table's name on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boards => "boards",
            Self::Cards => "cards",
            Self::Told => "told",
            Self::Feeds => "feeds",
            Self::Headers => "headers",
            Self::Payloads => "payloads",
            Self::Heads => "heads",
            Self::Missing => "missing",
            Self::Acks => "acks",
            Self::AckPlaces => "ack_places",
            Self::Evidence => "evidence",
            Self::Cosigned => "cosigned",
            Self::Artefacts => "artefacts",
            Self::Placed => "placed",
        }
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// Where.
    pub table: Table,
    /// Under which key.
    pub key: Vec<u8>,
    /// The new value; `None` removes the key.
    pub value: Option<Vec<u8>>,
}

impl Op {
    /// The first bytes of a hash over writes: enough to tell two runs apart.
    #[must_use]
    pub fn digest(ops: &[Self]) -> String {
        let mut digest = Sha256::new();
        for op in ops {
            digest.update(op.table.name());
            digest.update((op.key.len() as u64).to_be_bytes());
            digest.update(&op.key);
            digest.update(
                op.value.as_ref().map_or(u64::MAX, |value| value.len() as u64).to_be_bytes(),
            );
            digest.update(op.value.as_deref().unwrap_or_default());
        }
        hex(digest.finalize().get(..4).unwrap_or_default())
    }
}

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// What is durable. The engine reads; only [`super::Effect::Persist`] writes.
pub trait Reader {
    /// The value under a key.
    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>>;

    /// At most `limit` rows with `from <= key < to`, ascending.
    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row>;
}

/// Which chain of a feed: 0 is the one seen first.
pub type BranchNo = u16;

/// The key of a row about one branch of a feed.
#[must_use]
pub fn feed_key(board: &BoardId, feed: &FeedId, branch: BranchNo) -> Vec<u8> {
    [board.as_bytes(), feed.as_bytes(), &branch.to_be_bytes()[..]].concat()
}

/// The key of a row about one place of a branch.
#[must_use]
pub fn place_key(feed: &FeedId, branch: BranchNo, place: u64) -> Vec<u8> {
    [feed.as_bytes(), &branch.to_be_bytes()[..], &place.to_be_bytes()].concat()
}

/// The key of an acknowledgement of `entry`, at `seq` of `feed`, by another feed.
#[must_use]
pub(super) fn ack_key(feed: &FeedId, (seq, entry): (u64, &EntryId), by: &FeedId) -> Vec<u8> {
    [feed.as_bytes(), &seq.to_be_bytes()[..], entry.as_bytes(), by.as_bytes()].concat()
}

/// Where the acknowledgements of `feed` at `seq` and above begin.
#[must_use]
pub(super) fn acks_from(feed: &FeedId, seq: u64) -> Vec<u8> {
    [feed.as_bytes(), &seq.to_be_bytes()[..]].concat()
}

/// Takes the key of an acknowledgement apart: the seq, the entry, and by which feed.
#[must_use]
pub(super) fn read_ack_key(key: &[u8]) -> Option<(u64, EntryId, FeedId)> {
    let (_, rest) = key.split_first_chunk::<32>()?;
    let (seq, rest) = rest.split_first_chunk::<8>()?;
    let (entry, rest) = rest.split_first_chunk::<32>()?;
    let by: &[u8; 32] = rest.try_into().ok()?;
    Some((u64::from_be_bytes(*seq), EntryId::from_bytes(*entry), FeedId::from_bytes(*by)))
}

/// The key of what we know of the checkpoints of an organisation's feed in an epoch.
#[must_use]
pub(super) fn cosign_key(board: &BoardId, (org, epoch): (OrgId, u64)) -> Vec<u8> {
    [&board.as_bytes()[..], org.as_bytes(), &epoch.to_be_bytes()].concat()
}

/// Takes the key of a row about checkpoints apart.
#[must_use]
pub(super) fn read_cosign_key(key: &[u8]) -> Option<(OrgId, u64)> {
    let (_, rest) = key.split_first_chunk::<32>()?;
    let (org, rest) = rest.split_first_chunk::<32>()?;
    let epoch: &[u8; 8] = rest.try_into().ok()?;
    Some((OrgId::from_bytes(*org), u64::from_be_bytes(*epoch)))
}

/// The key of an artefact's record.
#[must_use]
pub(super) fn artefact_key(board: &BoardId, artefact: &ArtefactId) -> Vec<u8> {
    [&board.as_bytes()[..], artefact.as_bytes()].concat()
}

/// The key that says that an entry is about an artefact.
#[must_use]
pub(super) fn placed_key(
    artefact: &ArtefactId,
    feed: &FeedId,
    branch: BranchNo,
    seq: u64,
) -> Vec<u8> {
    [artefact.as_bytes(), &place_key(feed, branch, seq)[..]].concat()
}

/// Takes the key of an entry about an artefact apart: the feed, the branch, the seq.
#[must_use]
pub(super) fn read_placed_key(key: &[u8]) -> Option<(FeedId, BranchNo, u64)> {
    let (_, rest) = key.split_first_chunk::<32>()?;
    let (feed, rest) = rest.split_first_chunk::<32>()?;
    let (branch, rest) = rest.split_first_chunk::<2>()?;
    let seq: &[u8; 8] = rest.try_into().ok()?;
    let branch = BranchNo::from_be_bytes(*branch);
    Some((FeedId::from_bytes(*feed), branch, u64::from_be_bytes(*seq)))
}

/// The key of a board's founding file.
#[must_use]
pub fn board_key(board: &BoardId) -> Vec<u8> {
    board.as_bytes().to_vec()
}

/// The key of an organisation's card.
#[must_use]
pub fn card_key(org: &OrgId) -> Vec<u8> {
    org.as_bytes().to_vec()
}

/// The key after all that begin with `prefix`; `None` when there is none.
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut key = prefix.to_vec();
    while let Some(last) = key.pop() {
        if let Some(next) = last.checked_add(1) {
            key.push(next);
            return Some(key);
        }
    }
    None
}
