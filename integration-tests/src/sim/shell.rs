//! The shell of every node: what `node/` does with real disks and sockets, done here with simulated ones.
//!
//! ```text
//! Persist     ──▶ the disk's queue ──flushed──▶ Input::Persisted
//! Send        ──▶ checkers ──▶ a liar's shell, if it is one ──▶ the network
//! Disconnect  ──▶ the connection closes; both ends hear Input::Disconnected
//! Admit       ──▶ the allow list; the network dials where both ends admit each other
//! ```
//!
//! *Invariants.* Effects are done in order. An honest shell changes nothing that it carries, but
//! where a test broke it on purpose.
//!
//! *Source*: ours.

use concordat_protocol::{
    engine::{BatchId, BoardView, Effect, Input, Op, Report, Table, Ticket},
    feed::{Draft, SignedHead},
    hash::NodeKey,
    limits::FRAME_BYTES_MAX,
    sync::{Lane, Message},
};

use super::{
    Event, Sim,
    checkers::{Checker, Seen, Verdict, Violation, artefacts::Names, ends},
    network::{Delivery, Due, NodeIx},
    plan::Sabotage,
};
use crate::trace::Group;

fn crashed(sentence: String) -> Violation {
    Violation { checker: Checker::Crash, sentence }
}

impl Sim {
    /// Opens a node's engine over its disk and lets in whom it knows.
    pub(super) fn start(&mut self, node: NodeIx) -> Verdict {
        let standing = self.nodes[node].standing;
        self.trace_line(node, "in", &format!("open {standing:?}"));
        self.nodes[node].panics = node == 0 && self.is_broken(Sabotage::Panic);
        self.nodes[node].signs_else = node == 0 && self.is_broken(Sabotage::SignElse);
        let admissions = self.nodes[node]
            .start()
            .map_err(|report| crashed(format!("node {node} does not open: {report}")))?;
        self.carry_out(node, Vec::new(), admissions)?;
        let start = self.nodes[node].start;
        let phase = 1 + self.disk_rng.below(1_000);
        self.due(phase, Event::Tick { node, start });
        let joins = self.disk_rng.between(1, 3_000);
        self.due(joins, Event::Join { node });
        Ok(())
    }

    /// A node stops without a word. What its disk had been asked for may still reach the platter.
    pub(super) fn crash(&mut self, node: NodeIx) -> Verdict {
        self.trace_line(node, "in", "crash");
        let waiting = self.nodes[node].disk.waiting().count();
        let lucky = if self.disk_rng.chance(50) { self.disk_rng.place(waiting + 1) } else { 0 };
        for _ in 0..lucky {
            self.flush_one(node)?;
        }
        self.nodes[node].crash();
        let due = self.network.drop_node(self.now, node);
        self.deliver(due);
        if self.is_honest(node) {
            self.checkers.restarted(node);
        }
        Ok(())
    }

    /// Gives an input to a node's engine and does what it says.
    pub(super) fn handle(&mut self, node: NodeIx, input: Input) -> Verdict {
        if !self.nodes[node].is_on() {
            return Ok(());
        }
        self.trace_line(node, "in", &input.to_string());
        if let Input::Received { peer, frame } = &input {
            self.trace.aside(|| format!("    from {peer:?}: {:.300?}", Message::from_frame(frame)));
            self.note_received(node, peer, frame);
        }
        let handled = self.nodes[node].handle(self.now, input);
        let handled = handled.map_err(|said| crashed(format!("node {node} panicked: {said}")))?;
        handled.map_or(Ok(()), |handled| self.carry_out(node, handled.signed, handled.effects))
    }

    /// Only requests for payloads matter to a checker; they have tag 10.
    fn note_received(&mut self, node: NodeIx, peer: &NodeKey, frame: &[u8]) {
        if self.is_honest(node)
            && frame.first() == Some(&10)
            && let Ok(message) = Message::from_frame(frame)
        {
            self.checkers.received(node, peer, &message);
        }
    }

    fn carry_out(
        &mut self,
        node: NodeIx,
        signed: Vec<SignedHead>,
        effects: Vec<Effect>,
    ) -> Verdict {
        if self.is_honest(node) {
            self.checkers.handled(node, &signed, &effects);
        }
        for effect in effects {
            self.trace_line(node, "out", &effect.to_string());
            match effect {
                Effect::Persist { batch, ops } => self.persist(node, batch, ops),
                Effect::Send { peer, lane, frame } => self.send(node, peer, (lane, frame))?,
                Effect::Disconnect { peer } => {
                    let due = self.network.close(self.now, node, &peer);
                    self.deliver(due);
                }
                Effect::Admit { peer, .. } => {
                    self.nodes[node].admitted.insert(peer);
                }
                Effect::Dismiss { peer } => {
                    self.nodes[node].admitted.remove(&peer);
                }
                Effect::Written { id, seq, .. } => {
                    self.counts.one(Group::Answer, "written");
                    let feed = self.checkers.facts().orgs[self.nodes[node].org].feed;
                    if self.is_honest(node) && !self.nodes[node].disk.holds(&feed, seq, &id) {
                        return Err(Violation {
                            checker: Checker::Durability,
                            sentence: format!(
                                "node {node} told its staff of entry {seq} too early"
                            ),
                        });
                    }
                }
                Effect::Refused { why, .. } => self.counts.one(Group::Answer, why.code()),
                Effect::Materialise { .. } => {}
                Effect::Report(report) => self.note_report(node, &report)?,
            }
        }
        Ok(())
    }

    fn note_report(&mut self, node: NodeIx, report: &Report) -> Verdict {
        if let (true, Report::Dropped { peer, code, sentence }) = (self.is_honest(node), report) {
            let met = self.network.conn_of(node, peer).map(|(_, peer)| peer);
            if let Some(peer) = met.filter(|peer| self.is_honest(*peer)) {
                let sentence = format!("node {node} sends node {peer} away: {code}: {sentence}");
                return Err(Violation { checker: Checker::Courtesy, sentence });
            }
        }
        let name = match report {
            Report::Dropped { code, .. } => format!("dropped: {code}"),
            Report::ToldToGo { code, .. } if self.is_honest(node) => format!("told to go: {code}"),
            Report::ToldToGo { .. } => "told to go".into(),
            Report::RunRefused { why, .. } => format!("run refused: {}", why.code()),
            Report::OpeningRefused { .. } => "opening refused".into(),
            Report::CardIgnored { .. } => "card ignored".into(),
            Report::Forked { .. } => "forked".into(),
            Report::Restoring { .. } => "restoring".into(),
            Report::Clock { .. } => "clock".into(),
            Report::TimeBack { .. } => "time back".into(),
            Report::TimeAhead { .. } => "time ahead".into(),
        };
        if self.is_honest(node) {
            self.counts.one(Group::Report, &name);
        }
        Ok(())
    }

    fn persist(&mut self, node: NodeIx, batch: BatchId, mut ops: Vec<Op>) {
        if node == 0 && self.is_broken(Sabotage::KeepFirstCards) {
            let disk = &self.nodes[node].disk;
            ops.retain(|op| op.table != Table::Cards || disk.row(op.table, &op.key).is_none());
        }
        let slow = self.slow_disks.get(&node).is_some_and(|until| self.now < *until);
        let most = if slow { 4_000 } else { 25 };
        let mut latency_ms = self.disk_rng.between(0, most);
        let start = self.nodes[node].start;
        if node == 0 && self.is_broken(Sabotage::ConfirmBeforeFlush) {
            latency_ms = 5_000;
            self.due(0, Event::Confirm { node, start, batch });
        }
        let grouped = self.nodes[node].is_grouping && self.nodes[node].disk.waiting().count() > 0;
        let at = self.nodes[node].disk.queue(self.now, latency_ms, batch, ops);
        if !grouped {
            self.due(at.0 - self.now.0, Event::Flush { node, start });
        }
    }

    /// The disk is done with the oldest batch, or with all that wait.
    pub(super) fn flush(&mut self, node: NodeIx) -> Verdict {
        let many = if self.nodes[node].is_grouping { usize::MAX } else { 1 };
        let mut last = None;
        for _ in 0..many.min(self.nodes[node].disk.waiting().count()) {
            last = self.flush_one(node)?;
        }
        match last {
            Some(batch) if node != 0 || !self.is_broken(Sabotage::ConfirmBeforeFlush) => {
                self.handle(node, Input::Persisted { batch })
            }
            _ => Ok(()),
        }
    }

    fn flush_one(&mut self, node: NodeIx) -> Result<Option<BatchId>, Violation> {
        let honest = self.is_honest(node);
        if let Some(waiting) = self.nodes[node].disk.flush_next() {
            self.note_flushing(node, &waiting.ops)?;
            if honest {
                self.checkers.flushing(node, &waiting.ops)?;
            }
            return Ok(Some(waiting.batch));
        }
        Ok(None)
    }

    /// Audiences are known from what is flushed anywhere.
    pub(super) fn note_flushing(&mut self, node: NodeIx, ops: &[Op]) -> Verdict {
        let is_honest = self.is_honest(node);
        let orgs: Vec<_> = self.partnership.organisations.iter().map(|one| one.org).collect();
        let facts = self.checkers.facts().clone();
        let names = Names { board: facts.board, orgs: &orgs, feeds: &facts.feeds };
        let at = (node, self.nodes[node].organisation().org);
        self.checkers.artefacts.flushing(names, at, ops, is_honest)
    }

    fn send(&mut self, node: NodeIx, peer: NodeKey, frame: (Lane, Vec<u8>)) -> Verdict {
        let tag = usize::from(frame.1.first().copied().unwrap_or(0));
        let name = tag.checked_sub(1).and_then(|at| Message::NAMES.get(at)).unwrap_or(&"unknown");
        self.counts.one(Group::Message, name);
        self.trace.aside(|| format!("    to {peer:?}: {:.300?}", Message::from_frame(&frame.1)));
        if self.is_honest(node) {
            self.check_sent(node, &peer, &frame)?;
        }
        let conn = self.network.conn_of(node, &peer).map_or(0, |(conn, _)| conn);
        let babbles = node == 0 && self.is_broken(Sabotage::Babble);
        let frames = match self.liars.get_mut(&node) {
            Some(liar) => liar.distort((&peer, conn), frame, &mut self.counts),
            None if babbles => vec![frame.clone(), frame],
            None => vec![frame],
        };
        for frame in frames {
            let due = self.network.send(self.now, node, &peer, frame);
            self.deliver(due);
        }
        Ok(())
    }

    fn check_sent(
        &mut self,
        node: NodeIx,
        peer: &NodeKey,
        (lane, frame): &(Lane, Vec<u8>),
    ) -> Verdict {
        let message = Message::from_frame(frame)
            .map_err(|fault| crashed(format!("node {node} sends what no node reads: {fault}")))?;
        if frame.len() > FRAME_BYTES_MAX || message.lane() != *lane {
            let len = frame.len();
            return Err(crashed(format!(
                "node {node} sends {len} bytes of {} on {lane:?}",
                message.name()
            )));
        }
        let disk = &self.nodes[node].disk;
        self.checkers.sending(Seen { node, disk, views: &[] }, peer, &message)?;
        let met = self.nodes.iter().find(|one| one.organisation().node_key == *peer);
        let Some(to) = met.map(|one| one.organisation().org) else { return Ok(()) };
        self.checkers.artefacts.sending(node, (peer, &to), &message)
    }

    /// Puts what the network does in the queue.
    pub(super) fn deliver(&mut self, due: Due) {
        for (at, delivery) in due {
            self.due(at.0.saturating_sub(self.now.0), Event::Net(delivery));
        }
    }

    /// Something arrives at a node, or a connection comes or goes.
    pub(super) fn arrive(&mut self, delivery: Delivery) -> Verdict {
        match delivery {
            Delivery::Up { conn, a, b } => {
                let Some(stale) = self.network.bring_up(conn, a, b) else { return Ok(()) };
                for (node, peer, stale) in [(a, b, stale[0]), (b, a, stale[1])] {
                    let peer = self.key(peer);
                    if stale {
                        self.handle(node, Input::Disconnected { peer })?;
                    }
                    self.handle(node, Input::Connected { peer })?;
                }
                Ok(())
            }
            Delivery::Down { conn, node, peer } => {
                let heard = self.network.take_down(conn, node, peer);
                let peer = self.key(peer);
                if heard { self.handle(node, Input::Disconnected { peer }) } else { Ok(()) }
            }
            Delivery::Frame { conn, from, to, frame } => {
                if !self.network.arrives(conn, from, to) || self.is_kept_out(to, &frame) {
                    return Ok(());
                }
                if frame.len() > FRAME_BYTES_MAX {
                    let due = self.network.cut(self.now, from, to);
                    self.deliver(due);
                    return Ok(());
                }
                let peer = self.key(from);
                self.handle(to, Input::Received { peer, frame })
            }
        }
    }

    /// Whether a shell that is broken on purpose throws a frame away: 6 run, 8 compare, 9 side.
    fn is_kept_out(&self, to: NodeIx, frame: &[u8]) -> bool {
        let tag = frame.first().copied().unwrap_or(0);
        match self.profile.sabotage {
            Some(Sabotage::HideForks) => self.is_honest(to) && matches!(tag, 8 | 9),
            Some(Sabotage::StarveNode) => to == 0 && tag == 6,
            _ => false,
        }
    }

    /// Staff of a node's organisation write something.
    pub(super) fn write(&mut self, node: NodeIx, draft: Draft) -> Verdict {
        self.tickets += 1;
        let (ticket, board) = (Ticket(self.tickets), self.checkers.facts().board);
        self.handle(node, Input::Write { ticket, board, draft })
    }

    /// What a node shows, as its shell passes it on.
    pub(super) fn views(&self, node: NodeIx) -> Vec<BoardView> {
        let mut views = self.nodes[node].views();
        if self.is_broken(Sabotage::IgnoreEnds) {
            let wrong = ends::extents(self.checkers.facts(), &self.nodes[node].disk, false);
            for (id, feed) in views.iter_mut().flat_map(|view| &mut view.feeds) {
                let Some(wrong) = wrong.get(id) else { continue };
                (feed.settled, feed.effective) = (wrong.settled, wrong.effective);
            }
        }
        let late = self.now.0 > self.plan.safety_ms * 2 / 3;
        for feed in views.iter_mut().flat_map(|view| view.feeds.values_mut()).filter(|_| node == 0)
        {
            match self.profile.sabotage {
                Some(Sabotage::IgnoreAcks) => feed.settled = 0,
                Some(Sabotage::ForgetSettlement) if late => feed.settled /= 2,
                _ => {}
            }
        }
        views
    }
}
