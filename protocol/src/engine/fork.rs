//! Forks: two histories of one feed.
//!
//! 1. *Find.* Two nodes whose copies differ compare ids at places between the last equal and the
//!    first different one, until they are neighbours ([`Message::Compare`]). Until then nobody is
//!    accused.
//! 2. *Prove.* Each sends its signed head with the inclusion path of the first entry that differs
//!    ([`Message::Side`]); two such halves are a fork proof.
//! 3. *Tell.* A last acknowledgement of the chain we hold, then an evidence entry, unless a sound
//!    entry carries the proof already. From then on we acknowledge no more of that feed.
//! 4. *Keep.* Every chain that another organisation acknowledged is fetched from whoever holds it.
//!
//! The last acknowledgement matters: whatever of the forked feed had an effect here thereby reaches
//! everybody, so that all come to the same result.

use alloc::{collections::BTreeSet, vec::Vec};

use super::{
    Engine, Step,
    io::Report,
    record::{DRAFTED, EvidenceRow},
    state::{Feed, Onto},
    tables::{BranchNo, Table},
};
use crate::{
    feed::{
        Ack, Draft, Evidence, ForkProof, ForkSide, Kind, SignedHead, inclusion_path, leaf_hash,
    },
    hash::{BoardId, EntryId, FeedId, NodeKey},
    limits::COMPARE_POINTS_MAX,
    sync::{Message, Point},
};

/// Most tips of a forked feed that are told.
pub(super) const TIPS_MAX: usize = COMPARE_POINTS_MAX;
/// Least time between two halves of proofs that we make.
const SIDE_MS: u64 = 1_000;
/// How long a comparison may take before another is begun with the same peer.
const COMPARE_MS: u64 = 10_000;

impl Engine {
    /// Tells a peer our newest signed head and ids at some places, so that it finds where our
    /// copies part.
    pub(super) fn start_compare(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        board: BoardId,
        id: FeedId,
    ) {
        let Some(limit) = self.feed(&board, &id).map(Feed::compared_below) else { return };
        let now = step.uptime;
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        let is_under_way =
            meeting.comparing.get(&id).is_some_and(|since| now.ms_since(*since) < COMPARE_MS);
        if limit == 0 || is_under_way {
            return;
        }
        meeting.comparing.insert(id, now);
        let message = self.comparison(step, &board, &id, 0, (0, limit.saturating_sub(1)));
        self.send(step, peer, message);
    }

    /// Our newest head, and ids at up to 32 places in `from..=to`, both ends included.
    pub(super) fn comparison(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        request: u64,
        (from, to): (u64, u64),
    ) -> Option<Message> {
        let feed = self.feed(board, id)?;
        let head = feed.trunk.durable?;
        let last = head.head.size.saturating_sub(1).min(to);
        let span = last.saturating_sub(from);
        let steps = (COMPARE_POINTS_MAX as u64).saturating_sub(1);
        let places: BTreeSet<u64> = (0..=steps)
            .map(|i| from.saturating_add(span.saturating_mul(i).checked_div(steps).unwrap_or(0)))
            .collect();
        let point = |seq| self.id_at(step, feed, 0, seq).map(|id| Point(seq, id));
        let points = places.into_iter().filter(|seq| *seq <= last).filter_map(point).collect();
        Some(Message::Compare { request, feed: *id, head, points })
    }

    /// A peer's copy differs from ours: narrow down where, or send our half of the proof.
    pub(super) fn compare(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        id: FeedId,
        (head, mut points): (SignedHead, Vec<Point>),
    ) {
        let Some(board) = self.feeds.get(&id).copied().filter(|board| self.shares(&peer, board))
        else {
            return;
        };
        let Some(feed) = self.feed(&board, &id) else { return };
        if head.head.feed != id || head.verify(&feed.descriptor.key).is_err() {
            self.drop_peer(
                step,
                peer,
                "compare-bad-head",
                &"the head it compares by is not signed by the feed's key",
            );
            return;
        }
        points.push(Point(head.head.size.saturating_sub(1), head.head.id));
        let durable = feed.trunk.durable_size();
        let ours = |seq| self.id_at(step, feed, 0, seq).filter(|_| seq < durable);
        let differs = |point: &&Point| ours(point.0).is_some_and(|id| id != point.1);
        let first = points.iter().filter(differs).map(|point| point.0).min();
        let Some(first) = first.filter(|first| *first < feed.compared_below()) else { return };
        let equal = points.iter().filter(|point| point.0 < first && ours(point.0) == Some(point.1));
        let below = equal.map(|point| point.0).max();
        let gap = below.map_or(first, |below| first.saturating_sub(below).saturating_sub(1));
        let from = below.unwrap_or(0);
        let message = match gap {
            0 if self.may_make_side(step) => self
                .our_side(step, &board, &id, first)
                .map(|side| Message::Side { feed: id, index: first, side }),
            0 => None,
            _ => self.comparison(step, &board, &id, 0, (from, first)),
        };
        self.send(step, peer, message);
    }

    /// Whether our half of a proof may be made now: it reads the whole feed, so not too often, and
    /// not at a peer's will.
    fn may_make_side(&mut self, step: &Step<'_>) -> bool {
        let is_due = |last| step.uptime.ms_since(last) >= SIDE_MS;
        let may = self.last_side.is_none_or(is_due);
        if may {
            self.last_side = Some(step.uptime);
        }
        may
    }

    /// Our signed head over the entry at `index`, with the path that shows it.
    fn our_side(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
        index: u64,
    ) -> Option<ForkSide> {
        let feed = self.feed(board, id)?;
        let head = feed.trunk.durable.filter(|signed| index < signed.head.size)?;
        let leaves = (0..head.head.size)
            .map(|seq| self.header_at(step, feed, 0, seq).map(|bytes| leaf_hash(&bytes)))
            .collect::<Option<Vec<_>>>()?;
        let at = usize::try_from(index).ok()?;
        let leaf = *leaves.get(at)?;
        Some(ForkSide { head, leaf, path: inclusion_path(&leaves, at)? })
    }

    /// The other half of a proof came in.
    pub(super) fn accept_side(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (id, index): (FeedId, u64),
        theirs: ForkSide,
    ) {
        let Some(board) = self.feeds.get(&id).copied().filter(|board| self.shares(&peer, board))
        else {
            return;
        };
        let news = |feed: &&Feed| index < feed.compared_below();
        let Some(feed) = self.feed(&board, &id).filter(news) else { return };
        let descriptor = feed.descriptor;
        if let Err(why) = theirs.check(&descriptor, index) {
            self.drop_peer(step, peer, "false-accusation", &why);
            return;
        }
        let ours = self.feed(&board, &id).and_then(|feed| self.header_at(step, feed, 0, index));
        if ours.is_some_and(|header| leaf_hash(&header) == theirs.leaf) {
            let sentence =
                alloc::format!("it says that entry {index} differs, and shows the one we hold");
            return self.drop_peer(step, peer, "false-accusation", &sentence);
        }
        let Some(ours) = self.our_side(step, &board, &id, index) else {
            return;
        };
        let reply = Message::Side { feed: id, index, side: ours.clone() };
        if let Ok(proof) = ForkProof::new(descriptor, index, ours, theirs) {
            self.send(step, peer, Some(reply));
            self.learn_fork(step, proof, None);
        }
    }

    /// Takes in a verified proof; `carrier` is the entry that brought it, if one did.
    pub(super) fn learn_fork(
        &mut self,
        step: &mut Step<'_>,
        proof: ForkProof,
        carrier: Option<(FeedId, u64)>,
    ) {
        let (board, id, index) =
            (proof.descriptor().board, proof.descriptor().feed_id(), proof.index());
        let org = proof.descriptor().org;
        let Some(feed) = self.feed(&board, &id) else {
            return self.keep_evidence_of_unknown(step, EvidenceRow { proof, carrier });
        };
        let was_forked = feed.fork.is_some();
        let is_better = feed.fork.as_ref().is_none_or(|known| is_before(&proof, &known.proof));
        let is_same = feed.fork.as_ref().is_some_and(|known| known.proof == proof);
        if is_better {
            step.report(Report::Forked { org, feed: id, index });
            if !was_forked {
                self.acknowledge_for_the_last_time(step, &board, &id);
            }
            self.put_evidence(&board, &id, EvidenceRow { proof, carrier });
            if index == 0 {
                self.end_epochs(step, &board, &org);
            }
        } else if let Some(known) = feed.fork.clone().filter(|known| is_same && !known.is_carried())
        {
            self.put_evidence(
                &board,
                &id,
                EvidenceRow { carrier: carrier.or(known.carrier), ..known },
            );
        }
        self.carry_evidence(step, &board);
        let numbers: Vec<BranchNo> = self
            .feed(&board, &id)
            .map(|feed| feed.branches().map(|(no, _)| no).collect())
            .unwrap_or_default();
        for no in numbers {
            self.apply_stored(step, (board, id, no));
        }
    }

    /// Keeps evidence about a feed that has not come yet.
    fn keep_evidence_of_unknown(&mut self, step: &Step<'_>, row: EvidenceRow) {
        let descriptor = row.proof.descriptor();
        let board = self.boards.get(&descriptor.board);
        if board.and_then(|board| board.status(&descriptor.org)).is_none() {
            return;
        }
        let key = place_of_evidence(&descriptor.feed_id(), row.proof.index());
        let known = self.pending.get(step.reader, Table::Evidence, &key);
        let known = known.and_then(|bytes| EvidenceRow::from_bytes(&bytes).ok());
        if known.is_none_or(|known| is_before(&row.proof, &known.proof)) {
            self.pending.put(Table::Evidence, key, row.to_bytes());
        }
    }

    fn put_evidence(&mut self, board: &BoardId, id: &FeedId, row: EvidenceRow) {
        self.pending.put(Table::Evidence, place_of_evidence(id, row.proof.index()), row.to_bytes());
        self.pending.consequences().feeds.push((*board, *id));
        if let Some(feed) = self.feed_mut(board, id) {
            feed.fork = Some(row);
            feed.ack_due = false;
        }
    }

    /// Says that we hold the chain we hold, so that others come to hold it too.
    pub(super) fn acknowledge_for_the_last_time(
        &mut self,
        step: &Step<'_>,
        board: &BoardId,
        id: &FeedId,
    ) {
        let Some(feed) = self.feed(board, id).filter(|feed| feed.descriptor.org != self.me.org)
        else {
            return;
        };
        let is_news = feed.acked_size < feed.trunk.applied;
        let point = self.last_below(step, feed, feed.trunk.applied).filter(|_| is_news);
        let Some((feed, point)) = self.feed_mut(board, id).zip(point) else { return };
        let ack = Ack(Vec::from([feed.acknowledge(point)]));
        if let Some(board) = self.boards.get_mut(board) {
            board.drafts.push_back((None, Draft::of(Kind::ACK, ack.to_bytes())));
        }
    }

    /// Drafts an evidence entry for each proof that no sound entry carries.
    pub(super) fn carry_evidence(&mut self, step: &Step<'_>, board_id: &BoardId) {
        let Some(board) = self.boards.get(board_id) else {
            return;
        };
        let is_sound = |(by, seq): (FeedId, u64)| {
            by == board.own && !board.may_sign()
                || board.feeds.get(&by).is_some_and(|feed| seq < self.counts_alone(step, feed, 0))
        };
        let bare = |row: &EvidenceRow| row.carrier.is_none_or(|carrier| !is_sound(carrier));
        let forks = board.feeds.values().filter_map(|feed| feed.fork.clone());
        let bare: Vec<EvidenceRow> = forks.filter(bare).collect();
        let own = board.own;
        for mut row in bare {
            let id = row.proof.descriptor().feed_id();
            let payload = Evidence::Fork(row.proof.clone()).to_bytes();
            row.carrier = Some((own, DRAFTED));
            if let Some(feed) = self.feed_mut(board_id, &id) {
                feed.fork = Some(row);
            }
            if let Some(board) = self.boards.get_mut(board_id) {
                board.drafts.push_back((None, Draft::of(Kind::EVIDENCE, payload)));
            }
        }
    }

    /// Asks a peer for acknowledged entries of forked feeds that it holds and we do not.
    pub(super) fn want_tips(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        board: BoardId,
        id: FeedId,
    ) {
        let Some(feed) = self.feed(&board, &id) else {
            return;
        };
        let Some(index) = feed.fork_index() else {
            return;
        };
        let meeting = self.peers.get(&peer).and_then(|peer| peer.meeting.as_ref());
        let may_ask = meeting.is_some_and(|meeting| meeting.session.may_request());
        if feed.asking.is_some() || feed.trunk.tip.size() < index || !may_ask {
            return;
        }
        let Some(knowledge) = self.peers.get(&peer).and_then(|peer| peer.boards.get(&board)) else {
            return;
        };
        let Some(item) = knowledge.theirs.get(&id) else {
            return;
        };
        let holds = |tip: &Point| {
            feed.branches().any(|(no, _)| self.id_at(step, feed, no, tip.0) == Some(tip.1))
        };
        let lacking = item.3.iter().copied();
        let lacking = lacking.filter(|tip| !holds(tip) && self.is_acknowledged(step, &id, *tip));
        let mut attempts = lacking.flat_map(|tip| {
            let known = feed.branches().filter(move |(_, branch)| {
                branch.tip.size() >= index && branch.tip.size() <= tip.0
            });
            known.map(|(no, _)| Some(no)).chain([None]).map(move |no| (tip, no))
        });
        let is_new = |(tip, no): &(Point, Option<BranchNo>)| {
            knowledge.tried.get(&(id, *tip)).is_none_or(|tried| !tried.contains(no))
        };
        let Some((tip, no)) = attempts.find(is_new) else {
            return;
        };
        let from = no.map_or(Some(index), |no| feed.branch(no).map(|branch| branch.tip.size()));
        let Some(from) = from else { return };
        let Some(before) = self.id_before(step, feed, no.unwrap_or(0), from) else {
            return;
        };
        drop(attempts);
        if let Some(knowledge) =
            self.peers.get_mut(&peer).and_then(|peer| peer.boards.get_mut(&board))
        {
            knowledge.tried.entry((id, tip)).or_default().insert(no);
        }
        let onto = no.map_or(Onto::New, Onto::Branch);
        self.want(step, peer, (board, id), onto, (from, before, Some(tip)));
    }

    /// The branch that holds an acknowledged entry, if the entry before `from` is `before` there.
    pub(super) fn branch_to(
        &self,
        step: &Step<'_>,
        (board, id): (&BoardId, &FeedId),
        target: Point,
        (from, before): (u64, EntryId),
    ) -> Option<BranchNo> {
        let feed = self.feed(board, id)?;
        let holds = |no| {
            self.id_at(step, feed, no, target.0) == Some(target.1)
                && self.id_before(step, feed, no, from) == Some(before)
        };
        feed.branches().map(|(no, _)| no).find(|no| holds(*no))
    }

    /// An answer towards an acknowledged entry brought something: go on from there.
    pub(super) fn reached_more(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (board, id): (BoardId, FeedId),
        target: Point,
    ) {
        if let Some(knowledge) = self.knowledge_mut(&peer, &board) {
            knowledge.tried.remove(&(id, target));
        }
        self.want_tips(step, peer, board, id);
    }
}

/// Whether a proof counts before another: lower index, then smaller bytes.
fn is_before(one: &ForkProof, other: &ForkProof) -> bool {
    (one.index(), one.to_bytes()) < (other.index(), other.to_bytes())
}

fn place_of_evidence(id: &FeedId, index: u64) -> Vec<u8> {
    let mut key = id.as_bytes().to_vec();
    key.extend_from_slice(&index.to_be_bytes());
    key
}
