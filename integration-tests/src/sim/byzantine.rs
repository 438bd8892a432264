//! What Byzantine organisations do to the frames that their engine sends, and what they forge.
//!
//! A Byzantine node is a real engine whose shell lies. Twins and careless restores need no lie in
//! the shell: there, two engines sign with one key (`faults.rs`).
//!
//! ```text
//! withhold   runs and payloads to some peers vanish
//! replay     a frame goes out twice, after the next one, or again in a later meeting
//! garbage    frames with changed bytes, cut short, random, or longer than any frame may be
//! lie        a `have` names other sizes, ids, tips or another digest
//! false ack  an entry signed with its own key acknowledges entries that do not exist
//! ```
//!
//! *Invariants.* Signs with its own keys alone. Draws from a stream of its own, so honest nodes'
//! luck does not depend on it.
//!
//! *Source*: ours.

use std::collections::{BTreeMap, BTreeSet};

use concordat_protocol::{
    codec::Fixed,
    feed::{Ack, AckItem, CompactEntry, Header, Kind, Run, Salted, Sealed, Tip},
    hash::{CharterHash, EntryId, FeedId, NodeKey, Tag},
    identity::Signer,
    limits::FRAME_BYTES_MAX,
    sync::{HaveItem, Lane, Message, Point},
    time::TimeMs,
};

use super::{disk::Disk, plan::Malice, rng::Rng};
use crate::trace::{Counts, Group};

/// Frames remembered for replay.
const ARCHIVE_MAX: usize = 48;

/// A frame with its lane.
pub type Outgoing = (Lane, Vec<u8>);

/// The shell of one Byzantine node.
#[derive(Debug)]
pub struct Liar {
    rng: Rng,
    malice: BTreeSet<Malice>,
    victims: BTreeSet<NodeKey>,
    /// Frames sent before, with the number of their meeting.
    archive: Vec<(u64, Outgoing)>,
    /// A frame kept back to come after the next one, by peer.
    kept_back: BTreeMap<NodeKey, Outgoing>,
    /// After healing it only withholds.
    pub is_quiet: bool,
}

impl Liar {
    /// A shell that does these things, to victims among `peers`.
    #[must_use]
    pub fn new(mut rng: Rng, malice: BTreeSet<Malice>, peers: &[NodeKey]) -> Self {
        let victims = peers.iter().copied().filter(|_| rng.chance(50)).collect();
        Self {
            rng,
            malice,
            victims,
            archive: Vec::new(),
            kept_back: BTreeMap::new(),
            is_quiet: false,
        }
    }

    /// Whether the shell does this.
    #[must_use]
    pub fn does(&self, malice: Malice) -> bool {
        self.malice.contains(&malice)
    }

    /// What goes out instead of a frame.
    pub fn distort(
        &mut self,
        (peer, conn): (&NodeKey, u64),
        frame: Outgoing,
        counts: &mut Counts,
    ) -> Vec<Outgoing> {
        let message = Message::from_frame(&frame.1).ok();
        let carries = matches!(message, Some(Message::Run { .. } | Message::Payload { .. }));
        if self.does(Malice::Withhold) && carries && self.victims.contains(peer) {
            counts.one(Group::Fault, "withheld frame");
            return Vec::new();
        }
        if self.is_quiet {
            return vec![frame];
        }
        let mut out = vec![self.lie(frame, message, counts)];
        if self.does(Malice::Replay) {
            self.replay((peer, conn), &mut out, counts);
        }
        if self.does(Malice::Garbage) && self.rng.chance(3) {
            let garbage = self.garbage(&out, counts);
            out.push(garbage);
        }
        out
    }

    fn lie(&mut self, frame: Outgoing, message: Option<Message>, counts: &mut Counts) -> Outgoing {
        let Some(Message::Have { board, mut digest, mut items }) = message else { return frame };
        if !self.does(Malice::Lie) || !self.rng.chance(25) {
            return frame;
        }
        counts.one(Group::Fault, "lie in have");
        let at = self.rng.place(items.len());
        let id = EntryId::from_bytes(self.rng.bytes32());
        let grow = self.rng.between(1, 20);
        if let Some(HaveItem(_, size, last, tips)) = items.get_mut(at) {
            match self.rng.below(4) {
                0 => *size += grow,
                1 => *size = size.saturating_sub(grow),
                2 => *last = id,
                _ => tips.push(Point(*size + grow, id)),
            }
            tips.sort_unstable();
        } else {
            digest = Fixed(self.rng.bytes32());
        }
        (frame.0, Message::Have { board, digest, items }.to_frame())
    }

    fn replay(
        &mut self,
        (peer, conn): (&NodeKey, u64),
        out: &mut Vec<Outgoing>,
        counts: &mut Counts,
    ) {
        if let Some(frame) = out.first().cloned() {
            if self.archive.len() == ARCHIVE_MAX {
                let at = self.rng.place(ARCHIVE_MAX);
                self.archive.swap_remove(at);
            }
            self.archive.push((conn, frame));
        }
        if self.rng.chance(4)
            && let Some(frame) = out.first().cloned()
        {
            counts.one(Group::Fault, "doubled frame");
            out.push(frame);
        }
        if self.rng.chance(4)
            && let Some((meeting, old)) = self.rng.pick(&self.archive).cloned()
        {
            let name = if meeting == conn { "old frame" } else { "frame of another meeting" };
            counts.one(Group::Fault, name);
            out.push(old);
        }
        match self.kept_back.remove(peer) {
            Some(late) => out.push(late),
            None if self.rng.chance(4) => {
                counts.one(Group::Fault, "swapped frames");
                self.kept_back.extend(out.pop().map(|frame| (*peer, frame)));
            }
            None => {}
        }
    }

    fn garbage(&mut self, out: &[Outgoing], counts: &mut Counts) -> Outgoing {
        let (lane, mut bytes) = out.first().cloned().unwrap_or((Lane::Control, vec![1]));
        let name = match self.rng.below(4) {
            0 => {
                for _ in 0..self.rng.between(1, 6) {
                    let at = self.rng.place(bytes.len());
                    let bit = 1u8 << self.rng.below(8);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= bit;
                    }
                }
                "changed bytes"
            }
            1 => {
                bytes.truncate(self.rng.place(bytes.len()));
                "frame cut short"
            }
            2 => {
                let len = self.rng.place(300);
                bytes = self.rng.bytes(len);
                "random frame"
            }
            _ => {
                bytes.resize(FRAME_BYTES_MAX + 1, 0);
                "oversized frame"
            }
        };
        counts.one(Group::Fault, name);
        (lane, bytes)
    }

    /// A pushed run with one entry more than the node's own engine wrote: it acknowledges, in the
    /// feeds of others, entries that do not exist. `None` while there is nothing to go on from.
    pub fn false_ack(
        &mut self,
        (own, signer): (FeedId, &dyn Signer),
        others: &[FeedId],
        disk: &Disk,
        charter: CharterHash,
    ) -> Option<Outgoing> {
        let mut tip = Tip::empty(own);
        let mut seq = 0;
        while let Some(header) = disk.header(&own, seq) {
            tip.replay(header).ok()?;
            seq += 1;
        }
        let before = tip.clone();
        let mut feeds = others.to_vec();
        feeds.sort_unstable();
        let items = feeds.iter().map(|feed| self.false_item(*feed, disk)).collect();
        let payload = Salted::new(Fixed([7; 16]), Ack(items).to_bytes());
        let header = Header {
            feed: own,
            seq,
            prev: before.id(),
            charter,
            t: TimeMs(0),
            kind: Kind::ACK,
            artefact: None,
            refs: Vec::new(),
            payload_hash: payload.hash(Tag::Payload),
            payload_len: payload.bytes().len() as u64,
            attribution_hash: None,
        };
        tip.replay(&header.to_bytes()).ok()?;
        let run = Run {
            feed: own,
            from: before.size(),
            before: before.id(),
            entries: vec![CompactEntry::of(header, Some(Sealed { payload, attribution: None }))],
            heads: vec![tip.head().sign(signer)],
        };
        (seq > 0).then(|| (Lane::Control, Message::Run { request: 0, last: true, run }.to_frame()))
    }

    fn false_item(&mut self, feed: FeedId, disk: &Disk) -> AckItem {
        let size = (0..).find(|seq| disk.header(&feed, *seq).is_none()).unwrap_or(0);
        let seq = size + self.rng.below(4);
        AckItem {
            feed,
            seq,
            id: EntryId::from_bytes(self.rng.bytes32()),
            payloads_through: seq,
            missing: Vec::new(),
            received_at: TimeMs(0),
        }
    }
}
