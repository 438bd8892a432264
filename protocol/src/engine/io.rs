//! Everything that enters the engine, and everything that leaves it.
//!
//! Inputs and effects print as one line each: log, trace and test expectation are the same text.

use alloc::{boxed::Box, string::String, vec::Vec};
use core::fmt;

use super::{clock::ClockCheck, tables::Op};
use crate::{
    charter::Founding,
    codec::hex,
    feed::{Draft, Kind, Misbehaved},
    hash::{ArtefactId, BoardId, EntryId, FeedId, NodeKey, OrgId},
    identity::{BadCard, SignedCard},
    limits::REFS_MAX,
    sync::Lane,
    time::TimeMs,
};

/// When an input is handled, and fresh randomness for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The node's clock.
    pub now: TimeMs,
    /// 32 random bytes, never used before. Salts and nonces come from them.
    pub entropy: [u8; 32],
}

/// Names one group of writes; they become durable in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId(pub u64);

/// Names one wish of the staff, so that its answer finds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What enters.
#[derive(Debug, Clone)]
pub enum Input {
    /// A meeting with a peer that the allow list knows has begun.
    Connected {
        /// The peer.
        peer: NodeKey,
    },
    /// The meeting is over, for whatever reason.
    Disconnected {
        /// The peer.
        peer: NodeKey,
    },
    /// A frame came in.
    Received {
        /// From whom.
        peer: NodeKey,
        /// Its bytes, at most [`crate::limits::FRAME_BYTES_MAX`].
        frame: Vec<u8>,
    },
    /// A batch, and all before it, are durable.
    Persisted {
        /// The batch.
        batch: BatchId,
    },
    /// A second has passed, or more.
    Tick,
    /// Take part in a board.
    Join {
        /// Its charter and everybody's acceptance, verified.
        founding: Box<Founding>,
    },
    /// Know an organisation's node.
    Learn {
        /// Its card, which a person or a charter vouches for.
        card: Box<SignedCard>,
    },
    /// Staff want an entry written.
    Write {
        /// Names the wish.
        ticket: Ticket,
        /// On which board.
        board: BoardId,
        /// What is to be written.
        draft: Draft,
    },
}

/// What leaves. Do effects in order; [`Effect::Persist`] may be done later than the others, but
/// in its own order, and [`Input::Persisted`] only once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write all of these, atomically, durably.
    Persist {
        /// Names the batch.
        batch: BatchId,
        /// The writes, in order.
        ops: Vec<Op>,
    },
    /// Send a frame.
    Send {
        /// To whom.
        peer: NodeKey,
        /// On which stream.
        lane: Lane,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// End the meeting.
    Disconnect {
        /// With whom.
        peer: NodeKey,
    },
    /// Let this peer in, and dial it at these addresses.
    Admit {
        /// The peer.
        peer: NodeKey,
        /// Its addresses; none when it only dials out.
        addresses: Vec<String>,
    },
    /// Let this peer in no longer.
    Dismiss {
        /// The peer.
        peer: NodeKey,
    },
    /// Something has come about an artefact: what was made of its entries is out of date.
    Materialise {
        /// Its board.
        board: BoardId,
        /// The artefact.
        artefact: ArtefactId,
    },
    /// The entry asked for is durable.
    Written {
        /// Names the wish.
        ticket: Ticket,
        /// The entry's id.
        id: EntryId,
        /// Its place.
        seq: u64,
    },
    /// The entry asked for was not written.
    Refused {
        /// Names the wish.
        ticket: Ticket,
        /// Why not.
        why: Refused,
    },
    /// Something that people should know.
    Report(Report),
}

/// Why this node does not do what its own staff asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The node takes no part in the board.
    #[error("this node takes no part in {board}; join it with its founding file first")]
    UnknownBoard {
        /// The board.
        board: BoardId,
    },
    /// The kind is not for observers.
    #[error("an observer may not write entries of this kind on the board")]
    Observer,
    /// The kind is written by the engine alone.
    #[error("entries of kind {kind} are written by the node itself")]
    NotForStaff {
        /// The kind.
        kind: Kind,
    },
    /// The artefact is not known here, or what is known of it leaves this organisation out.
    #[error("{artefact} is not known here, or this organisation is not in its audience")]
    NotInAudience {
        /// The artefact.
        artefact: ArtefactId,
    },
    /// An opening names another artefact than the one that it makes.
    #[error("the opening makes {made}, but the entry is about another artefact or none")]
    OtherArtefact {
        /// The artefact that the opening makes.
        made: ArtefactId,
    },
    /// The entry relies on too many others.
    #[error("the entry relies on {count} others, at most {REFS_MAX} are allowed")]
    TooManyRefs {
        /// How many.
        count: usize,
    },
    /// What was signed did not verify: a fault of this node or its clock.
    #[error("the entry could not be signed: {why}; check this node's clock")]
    NotSigned {
        /// Why not.
        why: Misbehaved,
    },
    /// The payload is too long.
    #[error("the text has {len} bytes, at most {max} are allowed; shorten it or attach a file")]
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// The bound.
        max: usize,
    },
    /// The node's own feed is forked.
    #[error(
        "this organisation's feed is forked at entry {index}: two nodes signed with one key, or an old copy was restored; stop the node and open a new epoch with `concordat keys rotate`, or with `concordat keys recover` if somebody else has the key"
    )]
    Forked {
        /// The first index that differs.
        index: u64,
    },
    /// Another feed of the organisation has taken the place of the node's own.
    #[error(
        "this organisation opened another feed in place of the one in epoch {epoch} that this node signs; use the node that holds the new key, or if it is a thief's, stop this node and run `concordat keys recover`"
    )]
    Replaced {
        /// The epoch of the feed that this node signs.
        epoch: u64,
    },
    /// Too many drafts wait.
    #[error(
        "{waiting} entries wait to be signed already; the node first has to hear from its partners how far its own feed had come"
    )]
    Waiting {
        /// How many wait.
        waiting: usize,
    },
}

impl Refused {
    /// The stable code of the refusal.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownBoard { .. } => "unknown-board",
            Self::Observer => "observer",
            Self::NotForStaff { .. } => "not-for-staff",
            Self::NotInAudience { .. } => "not-in-audience",
            Self::OtherArtefact { .. } => "other-artefact",
            Self::TooManyRefs { .. } => "too-many-refs",
            Self::NotSigned { .. } => "not-signed",
            Self::TooLong { .. } => "too-long",
            Self::Forked { .. } => "own-feed-forked",
            Self::Replaced { .. } => "own-feed-replaced",
            Self::Waiting { .. } => "too-many-drafts",
        }
    }
}

/// Something stored does not read back: stop, and restore from partners or a backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store is damaged: {what}; stop the node, keep a copy of its store, and restore it")]
pub struct Damaged {
    /// What could not be read.
    pub what: String,
}

/// Why a card that stands in a feed has no effect.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoredCard {
    /// It does not read, or nobody signed it.
    #[error(transparent)]
    Unreadable(BadCard),
    /// It is of another organisation than the feed.
    #[error("it is of another organisation than the feed")]
    Foreign,
    /// It names another key than the feed's.
    #[error("it names another feed key than the one that signs the feed")]
    OtherKey,
    /// It is of another epoch than the feed.
    #[error("it is of another epoch than the feed")]
    OtherEpoch,
    /// Its node key is another organisation's.
    #[error("it names the node of another organisation as its own")]
    NodeTaken,
}

/// What people should know of. Each is one line in the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Report {
    /// A peer was told to go, with the reason.
    #[error("{peer:?} was disconnected: {code}: {sentence}")]
    Dropped {
        /// The peer.
        peer: NodeKey,
        /// The stable code.
        code: &'static str,
        /// The reason, with its numbers.
        sentence: String,
    },
    /// A peer ended the meeting and said why.
    #[error("{peer:?} ended the meeting: {code}: {sentence}")]
    ToldToGo {
        /// The peer.
        peer: NodeKey,
        /// The peer's code.
        code: String,
        /// The peer's sentence.
        sentence: String,
    },
    /// A run was refused.
    #[error("a run of {feed:?} from {peer:?} was refused: {}: {why}", why.code())]
    RunRefused {
        /// Who passed it on.
        peer: NodeKey,
        /// The feed.
        feed: FeedId,
        /// Why.
        why: Misbehaved,
    },
    /// An opening was refused.
    #[error("the opening of {feed:?} by {org:?} was refused: {why}")]
    OpeningRefused {
        /// The organisation that it names.
        org: OrgId,
        /// The feed.
        feed: FeedId,
        /// Why.
        why: crate::feed::BadOpening,
    },
    /// A card in a feed was given no effect.
    #[error("the card at entry {seq} of {feed:?} by {org:?} was ignored: {why}")]
    CardIgnored {
        /// Whose feed it is.
        org: OrgId,
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
        /// Why.
        why: IgnoredCard,
    },
    /// An organisation was proven to have signed two histories.
    #[error("{org:?} signed two histories of {feed:?}: they differ from entry {index}")]
    Forked {
        /// The organisation.
        org: OrgId,
        /// Its feed.
        feed: FeedId,
        /// The first index known to differ.
        index: u64,
    },
    /// Our clock has come to be off, or is no longer.
    #[error("{check}")]
    Clock {
        /// Ours beside those of peers.
        check: ClockCheck,
    },
    /// The times that a feed claims went back; told once a feed.
    #[error("the clock of {org:?} went back at entry {seq} of {feed:?}: from {before} to {after}")]
    TimeBack {
        /// The organisation.
        org: OrgId,
        /// Its feed.
        feed: FeedId,
        /// The first such entry.
        seq: u64,
        /// The time that the entry before claims.
        before: TimeMs,
        /// The time that it claims.
        after: TimeMs,
    },
    /// A feed claims a time that has not come yet; told once a feed.
    #[error(
        "entry {seq} of {feed:?} by {org:?} claims a time {ahead_ms} ms ahead of this node's clock"
    )]
    TimeAhead {
        /// The organisation.
        org: OrgId,
        /// Its feed.
        feed: FeedId,
        /// The first such entry.
        seq: u64,
        /// By how much.
        ahead_ms: u64,
    },
    /// The node waits for partners before it signs.
    #[error(
        "not signing on {board:?} yet: {heard} of {due} partners told how far this organisation's feed had come"
    )]
    Restoring {
        /// The board.
        board: BoardId,
        /// How many told.
        heard: usize,
        /// How many must.
        due: usize,
    },
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected { peer } => write!(f, "connected {peer:?}"),
            Self::Disconnected { peer } => write!(f, "disconnected {peer:?}"),
            Self::Received { peer, frame } => {
                write!(f, "received {peer:?} {} B {}", frame.len(), digest(frame))
            }
            Self::Persisted { batch } => write!(f, "persisted {}", batch.0),
            Self::Tick => write!(f, "tick"),
            Self::Join { founding } => write!(f, "join {:?}", founding.board()),
            Self::Learn { card } => {
                write!(f, "learn {:?} {:?}", card.card().org, card.card().order())
            }
            Self::Write { ticket, board, draft } => {
                write!(f, "write {} {board:?} {} {} B", ticket.0, draft.kind, draft.payload.len())
            }
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Persist { batch, ops } => {
                write!(f, "persist {} {} writes {}", batch.0, ops.len(), Op::digest(ops))
            }
            Self::Send { peer, lane, frame } => {
                write!(f, "send {peer:?} {lane:?} {} B {}", frame.len(), digest(frame))
            }
            Self::Disconnect { peer } => write!(f, "disconnect {peer:?}"),
            Self::Admit { peer, addresses } => write!(f, "admit {peer:?} {addresses:?}"),
            Self::Dismiss { peer } => write!(f, "dismiss {peer:?}"),
            Self::Materialise { board, artefact } => {
                write!(f, "materialise {board:?} {artefact:?}")
            }
            Self::Written { ticket, id, seq } => write!(f, "written {} {seq} {id:?}", ticket.0),
            Self::Refused { ticket, why } => write!(f, "refused {} {}", ticket.0, why.code()),
            Self::Report(report) => write!(f, "report {report}"),
        }
    }
}

/// The first bytes of the SHA-256 of `bytes`: enough to tell two runs apart.
fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(Sha256::digest(bytes).get(..4).unwrap_or_default())
}
