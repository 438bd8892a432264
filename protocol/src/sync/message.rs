//! What two nodes say to each other.
//!
//! ```text
//! frame = tag (1 byte) ‖ body (CBOR)                                             at most 512 KiB
//!
//!  1 hello         [ versions […], signed card bstr, boards [bstr32…], now ms ]  first, once, both ways
//!  2 credit        [ frames ]                                                    not counted itself
//!  3 have          [ board, digest bstr32, items [[feed, size, id, tips [[seq, id]…]]…] ]
//!  4 ask           [ board ]                                                     "send me all items"
//!  5 want          [ request, feed, from, before, target [] or [[seq, id]] ]     answered by run, compare or nothing
//!  6 run           [ request or 0 if pushed, last 0|1, run ]
//!  7 nothing       [ request ]
//!  8 compare       [ request or 0, feed, signed head bstr, points [[seq, id]…] ]
//!  9 side          [ feed, index, [signed head, leaf, path] ]
//! 10 want_payload  [ request, feed, seq, id, offset ]                            answered by payload or no_payload
//! 11 payload       [ request, offset, total, piece bstr ]
//! 12 no_payload    [ request, 0 not-yours | 1 redacted | 2 not-here, [] or [entry] ]
//! 13 goodbye       [ code text, sentence text ]
//! ```
//!
//! `digest = H(have, [board, items])` over all items of the board, feeds ascending.
//! Unknown tags are `Incompatible`: the peer is newer than we are.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    codec::{self, Blob, Fixed, Malformed, Opt},
    feed::{ForkSide, Run, RunWire, SideWire, SignedHead},
    hash::{BoardId, EntryId, FeedId, Tag, hash},
    limits::{
        BOARDS_MAX, CARD_BYTES_MAX, COMPARE_POINTS_MAX, FRAME_BYTES_MAX, HAVE_ITEMS_MAX, KIB,
        NAME_BYTES_MAX, PAYLOAD_CHUNK_BYTES, SEQ_MAX, TIME_MS_MAX,
    },
    time::TimeMs,
};

/// The one version of the meeting that this node speaks.
pub const VERSION: u64 = 1;

/// On which stream a frame travels. Bulk never delays control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Small and urgent.
    Control,
    /// Runs that were asked for, and payloads by pieces.
    Bulk,
}

/// An entry by its place and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Point(pub u64, pub EntryId);

/// What a node holds of one feed.
///
/// A sound feed has its size, its last id and no tips. A forked feed has the size and last id below
/// the fork, and as tips the highest acknowledged entries above it that the node holds, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaveItem(pub FeedId, pub u64, pub EntryId, pub Vec<Point>);

impl HaveItem {
    /// An upper bound of the item's length on the wire, in bytes.
    #[must_use]
    pub const fn bytes_max(&self) -> usize {
        96usize.saturating_add(self.3.len().saturating_mul(46))
    }
}

/// Why a payload is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPayload {
    /// The asking organisation is not in the audience.
    NotYours,
    /// The author redacted it, by this entry.
    Redacted(EntryId),
    /// The node does not hold it.
    NotHere,
}

/// Why a node ends a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goodbye {
    /// The stable code of the fault.
    pub code: String,
    /// One sentence for a person.
    pub sentence: String,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Who I am, and on which boards I know you are a member.
    Hello {
        /// Versions of the meeting that I speak.
        versions: Vec<u64>,
        /// My signed node card.
        card: Vec<u8>,
        /// Boards that we share, as far as I know.
        boards: Vec<BoardId>,
        /// My clock: a claim.
        now: TimeMs,
    },
    /// You may send so many frames more.
    Credit(u64),
    /// What I hold of a board.
    Have {
        /// The board.
        board: BoardId,
        /// The digest over all items.
        digest: Fixed<32>,
        /// The items that I have not told you yet.
        items: Vec<HaveItem>,
    },
    /// Tell me all items of a board.
    Ask(BoardId),
    /// Send me what follows in a feed.
    Want {
        /// My number for this request.
        request: u64,
        /// The feed.
        feed: FeedId,
        /// The first seq that I lack.
        from: u64,
        /// The id that I hold before it.
        before: EntryId,
        /// On a forked feed: the acknowledged entry that I want to reach.
        target: Option<Point>,
    },
    /// Entries that follow.
    Run {
        /// The request answered; 0 when pushed.
        request: u64,
        /// Whether this ends the answer.
        last: bool,
        /// The entries.
        run: Run,
    },
    /// I hold nothing that answers the request.
    Nothing {
        /// The request answered.
        request: u64,
    },
    /// Our copies differ: here is my newest signed head, and ids at some places.
    Compare {
        /// The request answered; 0 when unasked.
        request: u64,
        /// The feed.
        feed: FeedId,
        /// My newest signed head.
        head: SignedHead,
        /// Ids of mine, ascending.
        points: Vec<Point>,
    },
    /// My half of a fork proof.
    Side {
        /// The feed.
        feed: FeedId,
        /// Where our copies first differ.
        index: u64,
        /// My signed head, leaf and path.
        side: ForkSide,
    },
    /// Send me a piece of a payload.
    WantPayload {
        /// My number for this request.
        request: u64,
        /// The feed.
        feed: FeedId,
        /// The entry.
        at: Point,
        /// The first byte that I lack.
        offset: u64,
    },
    /// A piece of a payload with its salt and attribution, as they are stored.
    Payload {
        /// The request answered.
        request: u64,
        /// Where the piece begins.
        offset: u64,
        /// Length of the whole in bytes.
        total: u64,
        /// The piece.
        piece: Vec<u8>,
    },
    /// I do not send the payload.
    NoPayload {
        /// The request answered.
        request: u64,
        /// Why.
        why: NoPayload,
    },
    /// I end the meeting.
    Goodbye(Goodbye),
}

#[derive(Serialize, Deserialize)]
struct HelloWire(Vec<u64>, Blob, Vec<BoardId>, TimeMs);
#[derive(Serialize, Deserialize)]
struct OneWire(Vec<u64>);
#[derive(Serialize, Deserialize)]
struct HaveWire(BoardId, Fixed<32>, Vec<HaveItem>);
#[derive(Serialize, Deserialize)]
struct AskWire((BoardId,));
#[derive(Serialize, Deserialize)]
struct WantWire(u64, FeedId, u64, EntryId, Opt<Point>);
#[derive(Serialize, Deserialize)]
struct RunMessageWire(u64, u64, RunWire);
#[derive(Serialize, Deserialize)]
struct CompareWire(u64, FeedId, Blob, Vec<Point>);
#[derive(Serialize, Deserialize)]
struct SideMessageWire(FeedId, u64, SideWire);
#[derive(Serialize, Deserialize)]
struct WantPayloadWire(u64, FeedId, u64, EntryId, u64);
#[derive(Serialize, Deserialize)]
struct PayloadWire(u64, u64, u64, Blob);
#[derive(Serialize, Deserialize)]
struct NoPayloadWire(u64, u64, Opt<EntryId>);
#[derive(Serialize, Deserialize)]
struct GoodbyeWire(String, String);

/// Why a frame was not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// It does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its tag is not known: the peer is newer than we are.
    #[error("frame tag {tag} is newer than this node knows; upgrade this node to meet that peer")]
    Incompatible {
        /// The tag.
        tag: u8,
    },
}

/// The digest of what a node holds of a board; `items` in ascending order of feed.
#[must_use]
pub fn have_digest(board: &BoardId, items: &[HaveItem]) -> Fixed<32> {
    Fixed(hash(Tag::Have, &[&codec::encode(&(board, items))]))
}

impl Message {
    /// The message's name, in logs and counts.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello { .. } => "hello",
            Self::Credit(_) => "credit",
            Self::Have { .. } => "have",
            Self::Ask(_) => "ask",
            Self::Want { .. } => "want",
            Self::Run { .. } => "run",
            Self::Nothing { .. } => "nothing",
            Self::Compare { .. } => "compare",
            Self::Side { .. } => "side",
            Self::WantPayload { .. } => "want_payload",
            Self::Payload { .. } => "payload",
            Self::NoPayload { .. } => "no_payload",
            Self::Goodbye(_) => "goodbye",
        }
    }

    /// Every name, in the order of the tags.
    pub const NAMES: &'static [&'static str] = &[
        "hello",
        "credit",
        "have",
        "ask",
        "want",
        "run",
        "nothing",
        "compare",
        "side",
        "want_payload",
        "payload",
        "no_payload",
        "goodbye",
    ];

    /// On which stream the message travels.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Run { request, .. } if *request != 0 => Lane::Bulk,
            Self::Payload { .. } => Lane::Bulk,
            Self::Run { .. }
            | Self::Hello { .. }
            | Self::Credit(_)
            | Self::Have { .. }
            | Self::Ask(_)
            | Self::Want { .. }
            | Self::Nothing { .. }
            | Self::Compare { .. }
            | Self::Side { .. }
            | Self::WantPayload { .. }
            | Self::NoPayload { .. }
            | Self::Goodbye(_) => Lane::Control,
        }
    }

    /// The bytes of the frame.
    #[must_use]
    pub fn to_frame(self) -> Vec<u8> {
        match self {
            Self::Hello { versions, card, boards, now } => {
                frame(1, &HelloWire(versions, Blob::from(card), boards, now))
            }
            Self::Credit(frames) => frame(2, &OneWire(Vec::from([frames]))),
            Self::Have { board, digest, items } => frame(3, &HaveWire(board, digest, items)),
            Self::Ask(board) => frame(4, &AskWire((board,))),
            Self::Want { request, feed, from, before, target } => {
                frame(5, &WantWire(request, feed, from, before, Opt(target)))
            }
            Self::Run { request, last, run } => {
                frame(6, &RunMessageWire(request, u64::from(last), run.into_wire()))
            }
            Self::Nothing { request } => frame(7, &OneWire(Vec::from([request]))),
            Self::Compare { request, feed, head, points } => {
                frame(8, &CompareWire(request, feed, Blob::from(head.to_bytes()), points))
            }
            Self::Side { feed, index, side } => {
                frame(9, &SideMessageWire(feed, index, side.to_wire()))
            }
            Self::WantPayload { request, feed, at: Point(seq, id), offset } => {
                frame(10, &WantPayloadWire(request, feed, seq, id, offset))
            }
            Self::Payload { request, offset, total, piece } => {
                frame(11, &PayloadWire(request, offset, total, Blob::from(piece)))
            }
            Self::NoPayload { request, why } => {
                let (number, entry) = match why {
                    NoPayload::NotYours => (0, None),
                    NoPayload::Redacted(entry) => (1, Some(entry)),
                    NoPayload::NotHere => (2, None),
                };
                frame(12, &NoPayloadWire(request, number, Opt(entry)))
            }
            Self::Goodbye(Goodbye { code, sentence }) => frame(13, &GoodbyeWire(code, sentence)),
        }
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`BadFrame`]; the peer that sent it is at fault, or newer.
    pub fn from_frame(bytes: &[u8]) -> Result<Self, BadFrame> {
        let (tag, body) =
            bytes.split_first().ok_or(Malformed::CutShort { what: "frame", at: 0 })?;
        Ok(match tag {
            1 => read_hello(body)?,
            2 => Self::Credit(read_one(body, "credit")?),
            3 => read_have(body)?,
            4 => {
                let AskWire((board,)) = small(body, "ask")?;
                Self::Ask(board)
            }
            5 => {
                let WantWire(request, feed, from, before, Opt(target)) = small(body, "want")?;
                expect_seq("want from", from)?;
                Self::Want { request, feed, from, before, target }
            }
            6 => read_run(body)?,
            7 => Self::Nothing { request: read_one(body, "nothing")? },
            8 => read_compare(body)?,
            9 => {
                let SideMessageWire(feed, index, side) = codec::decode(body, "side", 4 * KIB)?;
                Self::Side { feed, index, side: ForkSide::from_wire(side)? }
            }
            10 => {
                let WantPayloadWire(request, feed, seq, id, offset) = small(body, "want_payload")?;
                expect_seq("want_payload seq", seq)?;
                Self::WantPayload { request, feed, at: Point(seq, id), offset }
            }
            11 => {
                let PayloadWire(request, offset, total, piece) =
                    codec::decode(body, "payload piece", FRAME_BYTES_MAX)?;
                codec::expect_len("payload piece", piece.len(), PAYLOAD_CHUNK_BYTES)?;
                Self::Payload { request, offset, total, piece: piece.into_vec() }
            }
            12 => read_no_payload(body)?,
            13 => {
                let GoodbyeWire(code, sentence) = codec::decode(body, "goodbye", 2 * KIB)?;
                codec::expect_len("goodbye code", code.len(), NAME_BYTES_MAX)?;
                Self::Goodbye(Goodbye { code, sentence })
            }
            tag => return Err(BadFrame::Incompatible { tag: *tag }),
        })
    }
}

fn frame<T: Serialize>(tag: u8, body: &T) -> Vec<u8> {
    let mut bytes = codec::encode(body);
    bytes.insert(0, tag);
    bytes
}

fn small<T: Serialize + DeserializeOwned>(body: &[u8], what: &'static str) -> Result<T, Malformed> {
    codec::decode(body, what, KIB)
}

fn read_one(body: &[u8], what: &'static str) -> Result<u64, Malformed> {
    let OneWire(list) = small(body, what)?;
    codec::expect_count(what, list.len(), 1, 1)?;
    list.first().copied().ok_or(Malformed::Shape { what })
}

fn expect_seq(what: &'static str, value: u64) -> Result<(), Malformed> {
    if value > SEQ_MAX { Err(Malformed::Range { what, value }) } else { Ok(()) }
}

fn read_hello(body: &[u8]) -> Result<Message, Malformed> {
    let HelloWire(versions, card, boards, now) =
        codec::decode(body, "hello", BOARDS_MAX * 34 + 8 * KIB)?;
    codec::expect_count("hello versions", versions.len(), 1, 16)?;
    codec::expect_len("hello card", card.len(), CARD_BYTES_MAX)?;
    codec::expect_count("hello boards", boards.len(), 0, BOARDS_MAX)?;
    codec::expect_ascending("hello boards", &boards)?;
    if now.0 > TIME_MS_MAX {
        return Err(Malformed::Range { what: "hello now", value: now.0 });
    }
    Ok(Message::Hello { versions, card: card.into_vec(), boards, now })
}

fn read_have(body: &[u8]) -> Result<Message, Malformed> {
    let HaveWire(board, digest, items) = codec::decode(body, "have", FRAME_BYTES_MAX)?;
    codec::expect_count("have items", items.len(), 0, HAVE_ITEMS_MAX)?;
    let feeds: Vec<_> = items.iter().map(|item| item.0).collect();
    codec::expect_ascending("have items", &feeds)?;
    for HaveItem(_, size, _, tips) in &items {
        expect_seq("have size", *size)?;
        codec::expect_count("have tips", tips.len(), 0, COMPARE_POINTS_MAX)?;
        codec::expect_ascending("have tips", tips)?;
    }
    Ok(Message::Have { board, digest, items })
}

fn read_run(body: &[u8]) -> Result<Message, Malformed> {
    let RunMessageWire(request, last, run) = codec::decode(body, "run", FRAME_BYTES_MAX)?;
    let last = match last {
        0 => false,
        1 => true,
        value => {
            return Err(Malformed::Range { what: "run last", value });
        }
    };
    Ok(Message::Run { request, last, run: Run::from_wire(run)? })
}

fn read_compare(body: &[u8]) -> Result<Message, Malformed> {
    let CompareWire(request, feed, head, points) = codec::decode(body, "compare", 4 * KIB)?;
    codec::expect_count("compare points", points.len(), 0, COMPARE_POINTS_MAX)?;
    codec::expect_ascending("compare points", &points)?;
    if let Some(Point(seq, _)) = points.last() {
        expect_seq("compare point", *seq)?;
    }
    Ok(Message::Compare { request, feed, head: SignedHead::from_bytes(&head)?, points })
}

fn read_no_payload(body: &[u8]) -> Result<Message, Malformed> {
    let NoPayloadWire(request, number, Opt(entry)) = small(body, "no_payload")?;
    let why = match (number, entry) {
        (0, None) => NoPayload::NotYours,
        (1, Some(entry)) => NoPayload::Redacted(entry),
        (2, None) => NoPayload::NotHere,
        (value, _) => {
            return Err(Malformed::Range { what: "no_payload reason", value });
        }
    };
    Ok(Message::NoPayload { request, why })
}
