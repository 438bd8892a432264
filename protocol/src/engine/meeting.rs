//! Meetings: one conversation with one peer, from the first frame to the last.
//!
//! Every frame is counted, every request is numbered and remembered until it is answered, and a
//! peer that does not keep to the rules is told why and let go. What is said is for `sync.rs`,
//! `want.rs`, `serve.rs`, `accept.rs` and `fork.rs`.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt::Display;

use super::{
    Engine, Step,
    accept::Arrival,
    io::{Effect, Report},
    serve::FRAMES_PER_WANT,
    state::{Asked, Knowledge, Meeting, Onto, Request, Serving, text},
};
use crate::{
    hash::{BoardId, FeedId, NodeKey},
    sync::{BadFrame, Goodbye, HaveItem, Lane, Message, Overrun, Point, to_wire},
};

impl Engine {
    pub(super) fn connected(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(known) = self.peers.get_mut(&peer).filter(|peer| peer.org.is_some()) else {
            step.effects.push(Effect::Disconnect { peer });
            return;
        };
        known.meeting = Some(Meeting::default());
        for knowledge in known.boards.values_mut() {
            knowledge.unexplained = None;
            knowledge.opening_answered = false;
            knowledge.open = false;
            knowledge.tried = BTreeMap::new();
        }
        self.greet(step, peer);
    }

    pub(super) fn disconnected(&mut self, peer: NodeKey) {
        let Some(meeting) = self.peers.get_mut(&peer).and_then(|peer| peer.meeting.take()) else {
            return;
        };
        let asked: Vec<Asked> =
            meeting.session.into_requests().map(|request| request.what).collect();
        for asked in asked {
            self.forget_asked(&peer, &asked);
        }
    }

    pub(super) fn received(&mut self, step: &mut Step<'_>, peer: NodeKey, frame: &[u8]) {
        let message = match Message::from_frame(frame) {
            Ok(message) => message,
            Err(why @ BadFrame::Malformed(_)) => {
                return self.drop_peer(step, peer, "malformed", &why);
            }
            Err(why @ BadFrame::Incompatible { .. }) => {
                return self.drop_peer(step, peer, "incompatible", &why);
            }
        };
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        if let Message::Credit(frames) = message {
            if let Err(why) = meeting.session.credited(frames) {
                self.drop_overrun(step, peer, why);
            }
            return;
        }
        match meeting.session.received() {
            Ok(Some(credit)) => push_frame(step, peer, credit),
            Ok(None) => {}
            Err(why) => return self.drop_overrun(step, peer, why),
        }
        self.dispatch(step, peer, message, frame.len());
    }

    fn dispatch(&mut self, step: &mut Step<'_>, peer: NodeKey, message: Message, bytes: usize) {
        let greeted = self.meeting_mut(&peer).is_some_and(|meeting| meeting.greeted);
        match message {
            Message::Hello { versions, card, boards, now } => {
                self.hello(step, peer, &versions, &card, boards);
                // Of one that was let go meanwhile, too: its clock is as good as any.
                self.hear_clock(step, &peer, now);
            }
            Message::Goodbye(Goodbye { code, sentence }) => {
                let (code, sentence) = (printable(&code), printable(&sentence));
                step.report(Report::ToldToGo { peer, code, sentence });
                step.effects.push(Effect::Disconnect { peer });
                self.disconnected(peer);
            }
            Message::Credit(_)
            | Message::Have { .. }
            | Message::Ask(_)
            | Message::Want { .. }
            | Message::Run { .. }
            | Message::Nothing { .. }
            | Message::Compare { .. }
            | Message::Side { .. }
            | Message::WantPayload { .. }
            | Message::Payload { .. }
            | Message::NoPayload { .. }
                if !greeted =>
            {
                self.drop_peer(step, peer, "no-hello", &"the meeting did not begin with a hello");
            }
            Message::Have { board, digest, items } => self.have(step, peer, (board, digest), items),
            Message::Ask(board) => self.asked_for_all(peer, board),
            Message::Want { request, feed, from, before, target } => {
                self.serve_entries(step, peer, request, feed, (from, before, target));
            }
            Message::WantPayload { request, feed, at, offset } => {
                self.serve_payload(step, peer, request, (feed, at, offset));
            }
            Message::Side { feed, index, side } => {
                self.accept_side(step, peer, (feed, index), side)
            }
            Message::Credit(_)
            | Message::Run { .. }
            | Message::Nothing { .. }
            | Message::Compare { .. }
            | Message::Payload { .. }
            | Message::NoPayload { .. } => self.take_answer(step, peer, message, bytes),
        }
    }

    /// Takes what may answer a request of ours.
    fn take_answer(&mut self, step: &mut Step<'_>, peer: NodeKey, message: Message, bytes: usize) {
        match message {
            Message::Run { request, last, run } => {
                self.accept_run(step, peer, Arrival { request, last, bytes }, run);
            }
            Message::Nothing { request } => self.nothing(step, peer, request),
            Message::Compare { request, feed, head, points } => {
                self.nothing(step, peer, request);
                self.compare(step, peer, feed, (head, points));
            }
            Message::Payload { request, offset, total, piece } => {
                self.accept_piece(step, peer, request, (offset, total, &piece));
            }
            Message::NoPayload { request, why } => self.accept_no_payload(step, peer, request, why),
            Message::Hello { .. }
            | Message::Credit(_)
            | Message::Have { .. }
            | Message::Ask(_)
            | Message::Want { .. }
            | Message::Side { .. }
            | Message::WantPayload { .. }
            | Message::Goodbye(_) => {}
        }
    }

    /// Works on meetings: tells, asks and answers as far as credit goes. On the one with `peer`, or
    /// on all of them.
    pub(super) fn work_on_meetings(&mut self, step: &mut Step<'_>, peer: Option<NodeKey>) {
        let is_due = |key: &NodeKey| peer.is_none_or(|peer| peer == *key);
        let meeting = self.peers.iter().filter(|(key, peer)| is_due(key) && peer.meeting.is_some());
        let keys: Vec<NodeKey> = meeting.map(|(key, _)| *key).collect();
        for peer in keys {
            self.tell_what_moved(step, peer);
            self.compare_what_differs(step, peer);
            self.ask_for_entries(step, peer);
            self.ask_for_payloads(step, peer);
            self.work_on_answers(step, peer);
            self.flush(step, peer);
        }
    }

    /// Puts a message in line for a peer.
    pub(super) fn send(&mut self, step: &mut Step<'_>, peer: NodeKey, message: Option<Message>) {
        let Some(message) = message else { return };
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        match meeting.session.queue(message) {
            Ok(()) => self.flush(step, peer),
            Err(why) => self.drop_overrun(step, peer, why),
        }
    }

    pub(super) fn flush(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        while let Some(message) = meeting.session.next_queued() {
            push_frame(step, peer, message);
        }
    }

    pub(super) fn ask(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        what: Asked,
        message: impl FnOnce(u64) -> Message,
    ) {
        let asked_at = step.uptime;
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        let number =
            meeting.session.open_request(Request { asked_at, frames: FRAMES_PER_WANT, what });
        self.send(step, peer, Some(message(number)));
    }

    /// Which entries of a feed were asked for under a number, if they were.
    pub(super) fn entries_asked(
        &mut self,
        peer: &NodeKey,
        request: u64,
        of: &FeedId,
    ) -> Option<(Onto, Option<Point>)> {
        match &self.meeting_mut(peer)?.session.request_mut(request)?.what {
            Asked::Entries { feed, onto, target, .. } if feed == of => Some((*onto, *target)),
            Asked::Entries { .. } | Asked::Payload { .. } => None,
        }
    }

    /// Gives a request more time after an answer that brought something. Says whether one more
    /// frame may answer it.
    pub(super) fn renew_request(&mut self, step: &Step<'_>, peer: &NodeKey, request: u64) -> bool {
        let meeting = self.meeting_mut(peer);
        let Some(request) = meeting.and_then(|meeting| meeting.session.request_mut(request)) else {
            return false;
        };
        request.asked_at = step.uptime;
        request.frames = request.frames.saturating_sub(1);
        request.frames > 0
    }

    /// Closes an answered request and gives what was asked.
    pub(super) fn close_request(&mut self, peer: &NodeKey, request: u64) -> Option<Asked> {
        let asked = self.meeting_mut(peer)?.session.close_request(request)?.what;
        self.forget_asked(peer, &asked);
        Some(asked)
    }

    pub(super) fn forget_asked(&mut self, peer: &NodeKey, asked: &Asked) {
        match asked {
            Asked::Entries { board, feed, .. } => {
                if let Some(feed) =
                    self.feed_mut(board, feed).filter(|feed| feed.asking == Some(*peer))
                {
                    feed.asking = None;
                }
            }
            Asked::Payload { board, feed, branch, at, .. } => {
                if let Some(feed) = self.feed_mut(board, feed) {
                    feed.fetching.remove(&(*branch, at.0));
                }
            }
        }
    }

    pub(super) fn serve(&mut self, step: &mut Step<'_>, peer: NodeKey, answer: Serving) {
        let Some(meeting) = self.meeting_mut(&peer) else {
            return;
        };
        if let Err(why) = meeting.session.serve(answer) {
            self.drop_overrun(step, peer, why);
        }
    }

    pub(super) fn drop_overrun(&mut self, step: &mut Step<'_>, peer: NodeKey, why: Overrun) {
        self.drop_peer(step, peer, "overrun", &why);
    }

    /// Ends a meeting, tells the peer why, and reports it.
    pub(super) fn drop_peer(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        code: &'static str,
        why: &dyn Display,
    ) {
        let goodbye = Message::Goodbye(Goodbye { code: code.into(), sentence: text(why) });
        push_frame(step, peer, goodbye);
        step.effects.push(Effect::Disconnect { peer });
        step.report(Report::Dropped { peer, code, sentence: text(why) });
        self.disconnected(peer);
    }

    pub(super) fn meeting_mut(&mut self, peer: &NodeKey) -> Option<&mut Meeting> {
        self.peers.get_mut(peer)?.meeting.as_mut()
    }

    pub(super) fn knowledge_mut(
        &mut self,
        peer: &NodeKey,
        board: &BoardId,
    ) -> Option<&mut Knowledge> {
        self.peers.get_mut(peer)?.boards.get_mut(board)
    }

    /// Whether a board is shared with a peer in this meeting.
    pub(super) fn shares(&self, peer: &NodeKey, board: &BoardId) -> bool {
        let meeting = self.peers.get(peer).and_then(|peer| peer.meeting.as_ref());
        meeting.is_some_and(|meeting| meeting.shared.contains(board))
    }

    /// What a peer told or showed that it holds.
    pub(super) fn note_theirs(
        &mut self,
        board: &BoardId,
        peer: &NodeKey,
        id: FeedId,
        point: Point,
    ) {
        let Some(knowledge) = self.knowledge_mut(peer, board) else {
            return;
        };
        let item = HaveItem(id, point.0, point.1, Vec::new());
        let is_news = knowledge.theirs.get(&id).is_none_or(|known| known.1 <= point.0);
        knowledge.told.insert(id, item.clone());
        if is_news {
            knowledge.theirs.insert(id, item);
        }
    }
}

fn push_frame(step: &mut Step<'_>, peer: NodeKey, message: Message) {
    let (lane, frame): (Lane, Vec<u8>) = to_wire(message);
    step.effects.push(Effect::Send { peer, lane, frame });
}

/// Text of a peer as one printable line of bounded length.
fn printable(text: &str) -> String {
    const CHARS_MAX: usize = 200;
    text.chars().take(CHARS_MAX).collect::<String>().escape_debug().collect()
}
