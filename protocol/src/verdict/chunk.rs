//! One change as bytes: its envelope and its header.
//!
//! ```text
//! chunk  = 85 6f 4a 83 ‖ checksum 4 ‖ type 1 ‖ ULEB length ‖ body
//! hash   = SHA-256(type ‖ length ‖ body)                    checksum = its first 4 bytes
//! body   = ULEB n, n × dependency 32, ascending
//!          ULEB 32, actor 32 ‖ ULEB seq ‖ ULEB start_op ‖ SLEB time ‖ ULEB length, message
//!          ULEB n, n × (ULEB 32, other actor 32), ascending
//!          ULEB n, n × (ULEB column, ULEB length) ‖ the columns' bytes
//! ```
//!
//! *Invariants.* What comes out has every bound of a header and a column kept, and is written in
//! the one way in which Automerge writes it: a save and a load give the same bytes. Memory is at
//! most what 64 dependencies and the actors present need.
//!
//! *Source*: the Automerge binary format, "Chunks" and "Change chunks".

use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use super::{columns::Columns, reader::Reader, rule::Rule};
use crate::{
    codec::hex,
    hash::{FeedId, Tag, hash},
    limits::{CHANGE_BYTES_MAX, CHANGE_MESSAGE_BYTES_MAX, CHANGE_TIME_MAX, DEPENDENCIES_MAX},
};

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of an uncompressed change.
const CHANGE: u8 = 1;
/// Bytes before the type: magic and checksum.
const HASHED_FROM: usize = 8;
/// Bytes of an actor id, and of the ULEB of its length with it.
const ACTOR_BYTES: u64 = 32;
const ACTOR_BYTES_WITH_LENGTH: u64 = 33;

/// The hash of a change, as Automerge has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeHash(pub [u8; 32]);

impl fmt::Display for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change-{}", hex(self.0.get(..4).unwrap_or_default()))
    }
}

/// Who made a change: 16 bytes of the feed, 16 fresh ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(pub [u8; 32]);

impl Actor {
    /// The actor of every skeleton, and of nothing else.
    pub const SKELETON: Self = Self([0; 32]);

    /// The actor of a feed with these fresh bytes.
    #[must_use]
    pub fn of(feed: ActorPrefix, fresh: [u8; 16]) -> Self {
        let mut bytes = [0; 32];
        let (front, back) = bytes.split_at_mut(16);
        front.copy_from_slice(&feed.0);
        back.copy_from_slice(&fresh);
        Self(bytes)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "actor-{}", hex(self.0.get(14..18).unwrap_or_default()))
    }
}

/// The first half of every actor of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActorPrefix(pub [u8; 16]);

impl ActorPrefix {
    /// The prefix of a feed: the first 16 bytes of `H(actor, feed_id)`.
    #[must_use]
    pub fn of(feed: &FeedId) -> Self {
        let digest = hash(Tag::Actor, &[feed.as_bytes()]);
        Self(digest.first_chunk().copied().unwrap_or_default())
    }
}

/// A change whose bytes are in order; whether it fits what it depends on is not known yet.
#[derive(Debug, Clone)]
pub struct Chunk<'a> {
    /// Its hash.
    pub hash: ChangeHash,
    /// What it depends on, ascending.
    pub dependencies: Vec<ChangeHash>,
    /// Who made it.
    pub actor: Actor,
    /// Its place among the changes of its actor, from 1.
    pub seq: u64,
    /// The counter of its first operation.
    pub start_op: u64,
    /// Its bytes.
    pub len: usize,
    pub(super) others: Vec<Actor>,
    pub(super) columns: Columns<'a>,
}

impl<'a> Chunk<'a> {
    /// Reads a change and tests all rules that need nothing but its bytes.
    ///
    /// # Errors
    /// The first [`Rule`] that it breaks.
    pub fn from_bytes(raw: &'a [u8]) -> Result<Self, Rule> {
        let (hash, mut body) = envelope(raw)?;
        let dependencies = dependencies(&mut body)?;
        let actor = actor(&mut body)?;
        let seq = body.unsigned()?;
        let start_op = body.unsigned()?;
        time_and_message(&mut body)?;
        let others = others(&mut body, actor)?;
        let mut columns = Columns::read(&mut body)?;
        if !body.is_done() {
            return Err(Rule::ExtraBytes { len: body.left() });
        }
        expect_columns(&mut columns, others.len() as u64)?;
        Ok(Self { hash, dependencies, actor, seq, start_op, len: raw.len(), others, columns })
    }

    /// How many operations it has.
    #[must_use]
    pub const fn operations(&self) -> u32 {
        self.columns.operations()
    }

    /// Whether its actor belongs to the feed.
    pub(super) fn expect_actor_of(&self, feed: ActorPrefix) -> Result<(), Rule> {
        let is_of_feed = self.actor.0.first_chunk() == Some(&feed.0);
        if is_of_feed { Ok(()) } else { Err(Rule::ActorFeed) }
    }
}

fn envelope(raw: &[u8]) -> Result<(ChangeHash, Reader<'_>), Rule> {
    if raw.len() > CHANGE_BYTES_MAX {
        return Err(Rule::Size { len: raw.len() });
    }
    let mut reader = Reader::new(raw);
    if reader.array()? != MAGIC {
        return Err(Rule::Magic);
    }
    let checksum: [u8; 4] = reader.array()?;
    let found = reader.byte()?;
    if found != CHANGE {
        return Err(Rule::ChunkType { found });
    }
    let stated = reader.unsigned()?;
    if stated != reader.left() as u64 {
        return Err(Rule::ChunkLength { stated, found: reader.left() });
    }
    let hashed = raw.get(HASHED_FROM..).unwrap_or_default();
    let hash: [u8; 32] = Sha256::digest(hashed).into();
    if hash.first_chunk() != Some(&checksum) {
        return Err(Rule::Checksum);
    }
    Ok((ChangeHash(hash), reader))
}

fn dependencies(body: &mut Reader<'_>) -> Result<Vec<ChangeHash>, Rule> {
    let count = body.unsigned()?;
    if count > DEPENDENCIES_MAX {
        return Err(Rule::DependencyCount { count });
    }
    let mut all: Vec<ChangeHash> = Vec::new();
    for at in 0..count {
        let hash = ChangeHash(body.array()?);
        if all.last().is_some_and(|before| *before >= hash) {
            return Err(Rule::DependencyOrder { at });
        }
        all.push(hash);
    }
    Ok(all)
}

fn actor(body: &mut Reader<'_>) -> Result<Actor, Rule> {
    let len = body.unsigned()?;
    if len != ACTOR_BYTES {
        return Err(Rule::ActorLength { len });
    }
    Ok(Actor(body.array()?))
}

fn time_and_message(body: &mut Reader<'_>) -> Result<(), Rule> {
    let found = body.signed()?;
    if !(0..=CHANGE_TIME_MAX).contains(&found) {
        return Err(Rule::Time { found });
    }
    let mut ahead = *body;
    let len = ahead.unsigned()?;
    if len > CHANGE_MESSAGE_BYTES_MAX {
        return Err(Rule::Message { len });
    }
    body.text()?;
    Ok(())
}

fn others(body: &mut Reader<'_>, own: Actor) -> Result<Vec<Actor>, Rule> {
    let count = body.unsigned()?;
    let most = body.left() as u64 / ACTOR_BYTES_WITH_LENGTH;
    let mut all = Vec::with_capacity(usize::try_from(count.min(most)).unwrap_or(0));
    for at in 0..count {
        let other = actor(body)?;
        if other == own || all.last().is_some_and(|before| *before >= other) {
            return Err(Rule::ActorOrder { at });
        }
        all.push(other);
    }
    Ok(all)
}

/// Tests what each column says by itself, and that every other actor is used.
fn expect_columns(columns: &mut Columns<'_>, others: u64) -> Result<(), Rule> {
    let used = columns.check_each(others.saturating_add(1))?;
    let unused = (0..others).find(|at| !used.contains(&(at + 1)));
    unused.map_or(Ok(()), |at| Err(Rule::ActorUnused { at }))
}
