//! What the engine holds in memory: sizes that grow with members and feeds, never with entries.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet, VecDeque},
    string::String,
    vec::Vec,
};

use super::{
    chain::Chain,
    clock::Claimed,
    io::Ticket,
    record::{CosignRow, EvidenceRow, ToldRow},
    tables::BranchNo,
};
use crate::{
    charter::{Founding, Status},
    codec::Fixed,
    feed::{Descriptor, Draft, Extent, OpenFeed, Opened, SignedHead, Tip, extents},
    hash::{BoardId, FeedId, NodeKey, OrgId},
    identity::{SignedCard, Signer},
    sync::{HaveItem, Point, Session},
    time::TimeMs,
};

/// Who this node acts for.
pub struct Identity {
    /// The organisation.
    pub org: OrgId,
    /// Signs with its feed key.
    pub signer: Box<dyn Signer>,
    /// Cosigns checkpoints with its witness key.
    pub witness: Box<dyn Signer>,
    /// The card that names this node as the one that may sign.
    pub card: SignedCard,
    /// By which right the signer's key takes over, on each board where it is not the first.
    pub openings: BTreeMap<BoardId, OpenFeed>,
}

impl core::fmt::Debug for Identity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "identity of {:?}, card {:?}", self.org, self.card.card().order())
    }
}

/// Whether the node may trust that its store holds all it ever signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The store is the one this node last wrote to.
    Sure,
    /// The store may be an older copy: sign nothing before partners told how far one's own feeds
    /// had come.
    Restored,
}

/// The acknowledgement of an organisation that counts on a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    /// The feed that it stands in.
    pub(super) by: FeedId,
    /// The last entry that it acknowledges.
    pub(super) point: Point,
    /// How many entries it covers, from the first, with the payloads due.
    pub(super) complete: u64,
}

/// One chain of a feed. Branch 0 begins at 0; others at the first entry that they do not share
/// with it.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) start: u64,
    pub(super) tip: Tip,
    /// The newest head, verified; its entries may still be on their way to disk.
    pub(super) head: Option<SignedHead>,
    /// The newest head whose entries are durable: what others may be told.
    pub(super) durable: Option<SignedHead>,
    /// Entries whose payload is due and not here.
    pub(super) missing: BTreeSet<u64>,
    /// Entries below this have had their effect on acknowledgements and evidence.
    pub(super) applied: u64,
    /// For each organisation, its best acknowledgement of this chain.
    pub(super) complete: BTreeMap<OrgId, Counted>,
    /// The highest acknowledged entry on this chain, by another than its author.
    pub(super) acked: Option<Point>,
}

impl Branch {
    pub(super) const fn new(start: u64, tip: Tip) -> Self {
        Self {
            start,
            tip,
            head: None,
            durable: None,
            missing: BTreeSet::new(),
            applied: start,
            complete: BTreeMap::new(),
            acked: None,
        }
    }

    /// Counts an acknowledgement, and gives the one that is passed by it or passes it. Two of which
    /// neither covers more, in entries and in payloads, both stay.
    pub(super) fn count(&mut self, org: OrgId, new: Counted) -> Option<Counted> {
        let old = self.complete.insert(org, new)?;
        let is_same = (old.by, old.point) == (new.by, new.point);
        if old.point.0 <= new.point.0 && old.complete <= new.complete {
            return Some(old).filter(|_| !is_same);
        }
        if old.complete >= new.complete {
            self.complete.insert(org, old);
        }
        let is_passed = new.point.0 <= old.point.0 && new.complete <= old.complete;
        Some(new).filter(|_| is_passed && !is_same)
    }

    /// Number of entries that are durable.
    pub(super) fn durable_size(&self) -> u64 {
        self.durable.map_or(0, |signed| signed.head.size)
    }
}

/// One feed, with all the chains of it that must be kept.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) descriptor: Descriptor,
    pub(super) trunk: Branch,
    pub(super) others: Vec<Branch>,
    pub(super) fork: Option<EvidenceRow>,
    /// The end of the trunk at the fork, once it was needed.
    pub(super) fork_tip: Option<Tip>,
    /// By which right it was opened.
    pub(super) opened: Opened,
    /// How much of it counts by itself, by the openings that are known.
    pub(super) extent: Extent,
    /// How many entries we acknowledged ourselves.
    pub(super) acked_size: u64,
    /// Something other than an acknowledgement has come since.
    pub(super) ack_due: bool,
    pub(super) received_at: TimeMs,
    /// What its entries claim of time.
    pub(super) claimed: Claimed,
    /// Whom we are asking for its next entries.
    pub(super) asking: Option<NodeKey>,
    /// Who did not give what it told that it holds, and when.
    pub(super) failed: BTreeMap<NodeKey, TimeMs>,
    /// Payloads that we are asking somebody for.
    pub(super) fetching: BTreeSet<(BranchNo, u64)>,
}

impl Feed {
    pub(super) fn new(descriptor: Descriptor, opened: Opened, trunk: Branch) -> Self {
        Self {
            descriptor,
            trunk,
            others: Vec::new(),
            fork: None,
            fork_tip: None,
            opened,
            extent: Extent::Open,
            acked_size: 0,
            ack_due: false,
            received_at: TimeMs(0),
            claimed: Claimed::default(),
            asking: None,
            failed: BTreeMap::new(),
            fetching: BTreeSet::new(),
        }
    }

    pub(super) fn branch(&self, no: BranchNo) -> Option<&Branch> {
        match usize::from(no).checked_sub(1) {
            None => Some(&self.trunk),
            Some(at) => self.others.get(at),
        }
    }

    pub(super) fn branch_mut(&mut self, no: BranchNo) -> Option<&mut Branch> {
        match usize::from(no).checked_sub(1) {
            None => Some(&mut self.trunk),
            Some(at) => self.others.get_mut(at),
        }
    }

    /// A branch as far as it is durable, for what is served from it.
    pub(super) fn chain(&self, no: BranchNo) -> Option<Chain> {
        let branch = self.branch(no)?;
        let (feed, start) = (self.trunk.tip.feed(), branch.start);
        branch.durable.map(|head| Chain { feed, branch: no, start, head })
    }

    /// Every branch with its number.
    pub(super) fn branches(&self) -> impl Iterator<Item = (BranchNo, &Branch)> {
        (0..).zip(core::iter::once(&self.trunk).chain(&self.others))
    }

    /// The branch under which the entry at `seq` of branch `no` is stored.
    pub(super) fn stored_under(&self, no: BranchNo, seq: u64) -> BranchNo {
        match self.branch(no) {
            Some(branch) if seq >= branch.start => no,
            _ => 0,
        }
    }

    /// Whether its opening is part of the board.
    fn is_begun(&self) -> bool {
        self.descriptor.epoch == 0 || self.trunk.tip.size() > 0
    }

    /// Below which place a difference between two copies would be news.
    pub(super) fn compared_below(&self) -> u64 {
        self.fork_index().unwrap_or(u64::MAX)
    }

    /// How it was opened, as far as that is known: a fork at entry 0 is another opening of it.
    pub(super) fn as_opened(&self) -> Opened {
        let is_forked = self.descriptor.epoch > 0 && self.fork_index() == Some(0);
        Opened { is_forked, ..self.opened }
    }

    /// Whether nothing of the feed counts by itself: another took its place, or contests it.
    pub(super) const fn is_void(&self) -> bool {
        matches!(self.extent, Extent::Contested | Extent::Superseded)
    }

    /// Whether not all of the feed counts by itself: it is forked, ended, contested or superseded.
    pub(super) fn is_limited(&self) -> bool {
        self.fork.is_some() || !self.extent.is_open()
    }

    /// The first index known to differ, if the feed is forked.
    pub(super) fn fork_index(&self) -> Option<u64> {
        self.fork.as_ref().map(|row| row.proof.index())
    }
}

/// What partners told of how far our own feed had come.
#[derive(Debug, Default)]
pub(super) struct Restoring {
    pub(super) told: BTreeMap<OrgId, Told>,
    /// The number of partners that was last reported.
    pub(super) reported: Option<usize>,
}

/// What one partner told of our own feed.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) size: u64,
    /// How often it did not give what it told.
    pub(super) failures: u32,
}

impl Told {
    /// How often a partner may fail to give what it told before it is taken for mistaken: else one
    /// that lies could keep us from signing for ever.
    const FAILURES_MAX: u32 = 3;

    /// Whether we hold what it told, or it could not show it.
    pub(super) const fn is_met(&self, size: u64) -> bool {
        self.size <= size || self.failures >= Self::FAILURES_MAX
    }
}

/// When the next acknowledgement is due.
#[derive(Debug, Default)]
pub(super) struct AckClock {
    pub(super) last: Option<TimeMs>,
    /// Since when something waits to be acknowledged.
    pub(super) due: Option<TimeMs>,
    /// Since when something of a governance kind waits.
    pub(super) urgent: Option<TimeMs>,
}

/// One board.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) founding: Founding,
    pub(super) own: FeedId,
    pub(super) feeds: BTreeMap<FeedId, Feed>,
    pub(super) drafts: VecDeque<(Option<Ticket>, Draft)>,
    pub(super) acks: AckClock,
    /// Which of our cards the board was told last.
    pub(super) told: Option<ToldRow>,
    /// How far the checkpoints of each feed, by organisation and epoch, were seen and cosigned.
    pub(super) cosigned: BTreeMap<(OrgId, u64), CosignRow>,
    pub(super) restoring: Option<Restoring>,
    /// What we may tell of each feed, kept up as batches become durable.
    pub(super) items: BTreeMap<FeedId, HaveItem>,
    /// Counts the changes of `items`.
    pub(super) version: u64,
    /// The digest over `items`, until they change.
    pub(super) digest: Option<Fixed<32>>,
}

impl Board {
    pub(super) fn id(&self) -> BoardId {
        self.founding.board()
    }

    /// Our own feed, in the epoch that our key signs.
    #[cfg(test)]
    pub(super) fn own_feed(&self) -> &Feed {
        &self.feeds[&self.own]
    }

    /// Works out how much of each feed of an organisation counts by itself, and gives those of which
    /// that has changed.
    pub(super) fn rank_feeds(&mut self, org: &OrgId) -> Vec<FeedId> {
        let of_org = || self.feeds.iter().filter(|(_, feed)| feed.descriptor.org == *org);
        let all: Vec<Opened> = of_org().map(|(_, feed)| feed.as_opened()).collect();
        let taken_in = of_org().filter(|(id, feed)| **id != self.own || feed.is_begun());
        let taken_in: Vec<Opened> = taken_in.map(|(_, feed)| feed.as_opened()).collect();
        // What we are about to open has no effect on other feeds before it is part of the board, but
        // they have an effect on it.
        let mut ranked = extents(&all);
        ranked.retain(|id, _| *id == self.own);
        ranked.extend(extents(&taken_in));
        let mut changed = Vec::new();
        for (id, extent) in ranked {
            if let Some(feed) = self.feeds.get_mut(&id).filter(|feed| feed.extent != extent) {
                feed.extent = extent;
                changed.push(id);
            }
        }
        changed
    }

    /// Whether we may sign: our feed has one history, and no other has taken its place.
    pub(super) fn may_sign(&self) -> bool {
        self.feeds.get(&self.own).is_some_and(|feed| !feed.is_limited())
    }

    /// The organisation's status, if it is a member.
    pub(super) fn status(&self, org: &OrgId) -> Option<Status> {
        self.founding.charter().member(org).map(|member| member.status)
    }

    /// Whether the organisation has a vote, now or once its suspension ends.
    pub(super) fn is_voting(&self, org: &OrgId) -> bool {
        self.status(org).is_some_and(Status::has_seat)
    }

    /// The voting members other than `org`.
    pub(super) fn voting_others(&self, org: &OrgId) -> usize {
        let members = &self.founding.charter().members;
        members.iter().filter(|member| member.org != *org && member.status.has_seat()).count()
    }
}

/// What we asked a peer for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) asked_at: TimeMs,
    /// How many frames may still answer it.
    pub(super) frames: u32,
    pub(super) what: Asked,
}

/// See [`Request`].
#[derive(Debug)]
pub(super) enum Asked {
    /// The next entries of a feed.
    Entries {
        board: BoardId,
        feed: FeedId,
        onto: Onto,
        /// The acknowledged entry that we want to reach on a forked feed.
        target: Option<Point>,
    },
    /// A payload, by pieces.
    Payload { board: BoardId, feed: FeedId, branch: BranchNo, at: Point, got: Vec<u8> },
}

impl Asked {
    /// Whether entries of this feed were asked for.
    pub(super) fn is_entries_of(&self, of: &FeedId) -> bool {
        matches!(self, Self::Entries { feed, .. } if feed == of)
    }
}

/// Which chain the entries that we asked for should continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onto {
    /// A chain that we hold.
    Branch(BranchNo),
    /// A new chain from the fork on.
    New,
}

/// An answer in the making.
#[derive(Debug)]
pub(super) enum Serving {
    /// Entries of a branch, run by run.
    Entries { request: u64, board: BoardId, feed: FeedId, branch: BranchNo, next: u64, frames: u32 },
    /// One piece of a payload.
    Payload { request: u64, board: BoardId, feed: FeedId, at: Point, offset: u64 },
}

/// What we know of a peer's copy of a board, and it of ours.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// What we told it.
    pub(super) told: BTreeMap<FeedId, HaveItem>,
    /// The version of our items at which there was nothing more to tell.
    pub(super) told_at: Option<u64>,
    /// What it told us.
    pub(super) theirs: BTreeMap<FeedId, HaveItem>,
    /// Feeds of which it holds more than we do.
    pub(super) behind: BTreeSet<FeedId>,
    /// Since when its digest differs from what it told us.
    pub(super) unexplained: Option<TimeMs>,
    /// Feeds of which its copy seems to differ from ours.
    pub(super) differing: BTreeSet<FeedId>,
    /// The digest alone is due, to open the meeting on this board.
    pub(super) open: bool,
    /// The `have` that opened this meeting was answered.
    pub(super) opening_answered: bool,
    /// When it was last told our digest.
    pub(super) digest_told: TimeMs,
    /// A `have` is due even when there are no items to tell.
    pub(super) tell: bool,
    /// It answered that it does not hold these acknowledged entries on these chains.
    pub(super) tried: BTreeMap<(FeedId, Point), BTreeSet<Option<BranchNo>>>,
}

/// One meeting.
#[derive(Debug, Default)]
pub(super) struct Meeting {
    pub(super) session: Session<Request, Serving>,
    pub(super) greeted: bool,
    /// Boards on which it says that we are a member.
    pub(super) claimed: BTreeSet<BoardId>,
    /// Boards on which both are members.
    pub(super) shared: BTreeSet<BoardId>,
    /// Feeds that are being compared, since when.
    pub(super) comparing: BTreeMap<FeedId, TimeMs>,
    /// Payloads that the peer did not give, and when.
    pub(super) not_given: BTreeMap<(FeedId, BranchNo, u64), TimeMs>,
}

/// One peer: another organisation's node.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) org: Option<OrgId>,
    pub(super) meeting: Option<Meeting>,
    pub(super) boards: BTreeMap<BoardId, Knowledge>,
    /// By how much our clock was ahead of its clock when it last told it.
    pub(super) ahead_ms: Option<i64>,
}

/// Text for a report, from anything that can be shown.
pub(super) fn text(shown: impl core::fmt::Display) -> String {
    alloc::format!("{shown}")
}
