//! Stage 4 of 8: sync. From `engine::append`; to `feed::verify` at the other node.
//!
//! Answers: entries run by run and payloads piece by piece, each made when it can be sent.
//!
//! Read from what is durable, past the writes under way; nothing goes to a peer that is not a
//! member of the board, and no payload to one outside its audience.

use super::{Engine, Step, state::Serving, tables::BranchNo};
use crate::{
    feed::{Header, Run},
    hash::{BoardId, EntryId, FeedId, NodeKey, OrgId},
    limits::{PAYLOAD_CHUNK_BYTES, PUSH_BYTES_MAX},
    sync::{Message, NoPayload, Point},
};

/// Runs that answer one request; who wants more asks again.
pub(super) const FRAMES_PER_WANT: u32 = 16;

impl Engine {
    /// A peer wants entries.
    pub(super) fn serve_entries(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        request: u64,
        id: FeedId,
        (from, before, target): (u64, EntryId, Option<Point>),
    ) {
        let board = self.feeds.get(&id).copied().filter(|board| self.shares(&peer, board));
        let held = board.and_then(|board| self.feed(&board, &id).map(|feed| (board, feed)));
        let Some((board, feed)) = held else {
            return self.send(step, peer, Some(Message::Nothing { request }));
        };
        let branch = match target {
            Some(target) => self.branch_to(step, (&board, &id), target, (from, before)),
            None => Some(0).filter(|_| self.id_before(step, feed, 0, from) == Some(before)),
        };
        let Some(branch) = branch else {
            let comparison = match target {
                None if from > 0 && feed.fork.is_none() => {
                    self.comparison(step, &board, &id, request, (0, u64::MAX))
                }
                _ => None,
            };
            return self.send(step, peer, comparison.or(Some(Message::Nothing { request })));
        };
        let serving = Serving::Entries {
            request,
            board,
            feed: id,
            branch,
            next: from,
            frames: FRAMES_PER_WANT,
        };
        self.serve(step, peer, serving);
    }

    /// A peer wants a piece of a payload.
    pub(super) fn serve_payload(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        request: u64,
        (feed, at, offset): (FeedId, Point, u64),
    ) {
        let board = self.feeds.get(&feed).copied().filter(|board| self.shares(&peer, board));
        let Some(board) = board else {
            return self.send(
                step,
                peer,
                Some(Message::NoPayload { request, why: NoPayload::NotHere }),
            );
        };
        self.serve(step, peer, Serving::Payload { request, board, feed, at, offset });
    }

    /// Makes the frames of answers for which there is credit.
    pub(super) fn work_on_answers(&mut self, step: &mut Step<'_>, peer: NodeKey) {
        while let Some(answer) =
            self.meeting_mut(&peer).and_then(|meeting| meeting.session.next_serving())
        {
            match answer {
                Serving::Entries { request, board, feed, branch, next, frames } => {
                    self.send_run(step, peer, (request, frames), (board, feed, branch, next));
                }
                Serving::Payload { request, board, feed, at, offset } => {
                    let message = self.piece(step, (&peer, request), (board, feed, at), offset);
                    self.send(step, peer, Some(message));
                }
            }
        }
    }

    fn send_run(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (request, frames): (u64, u32),
        (board, id, branch, next): (BoardId, FeedId, BranchNo, u64),
    ) {
        let chain = self.feed(&board, &id).and_then(|feed| feed.chain(branch));
        let to = self.peers.get(&peer).and_then(|peer| peer.org);
        let may_give =
            |header: &Header| to.is_some_and(|to| self.may_give(step, &board, &to, header));
        let Some(run) = chain.and_then(|chain| chain.run(step.reader, next, &may_give)) else {
            return self.send(step, peer, Some(Message::Nothing { request }));
        };
        let end = run.end();
        let durable = self.feed(&board, &id).and_then(|feed| feed.branch(branch));
        let last = frames <= 1 || durable.is_none_or(|branch| end >= branch.durable_size());
        if let Some(head) = run.heads.last().filter(|_| branch == 0) {
            self.note_theirs(&board, &peer, id, Point(head.head.size, head.head.id));
        }
        self.send(step, peer, Some(Message::Run { request, last, run }));
        if let Some(meeting) = self.meeting_mut(&peer).filter(|_| !last) {
            let frames = frames.saturating_sub(1);
            meeting.session.resume(Serving::Entries {
                request,
                board,
                feed: id,
                branch,
                next: end,
                frames,
            });
        }
    }

    /// The whole of what follows `from`, if it is one run small enough to push.
    pub(super) fn build_small_run(
        &self,
        step: &Step<'_>,
        (board, to): (&BoardId, &OrgId),
        id: FeedId,
        from: u64,
    ) -> Option<Run> {
        // No header is shorter than this, so more of them would not be small.
        const HEADER_BYTES_MIN: u64 = 150;
        let most = (PUSH_BYTES_MAX as u64) / HEADER_BYTES_MIN;
        let feed = self.feed(board, &id)?;
        if feed.trunk.durable_size().saturating_sub(from) > most {
            return None;
        }
        let run = feed
            .chain(0)?
            .run(step.reader, from, &|header| self.may_give(step, board, to, header))?;
        let is_whole = run.end() == feed.trunk.durable_size();
        (is_whole && run.to_bytes().len() <= PUSH_BYTES_MAX).then_some(run)
    }

    fn piece(
        &self,
        step: &Step<'_>,
        (peer, request): (&NodeKey, u64),
        (board, id, at): (BoardId, FeedId, Point),
        offset: u64,
    ) -> Message {
        let not_here = Message::NoPayload { request, why: NoPayload::NotHere };
        let Some(feed) = self.feed(&board, &id) else {
            return not_here;
        };
        let holds = |no| self.id_at(step, feed, no, at.0) == Some(at.1);
        let mut chains = feed.branches().filter(|(no, _)| holds(*no));
        let Some((no, _)) = chains.next() else { return not_here };
        let header = self.header_at(step, feed, no, at.0);
        let header = header.and_then(|bytes| Header::from_bytes(&bytes).ok());
        let to = self.peers.get(peer).and_then(|peer| peer.org);
        let may_give =
            header.zip(to).is_some_and(|(header, to)| self.may_give(step, &board, &to, &header));
        if !may_give {
            return Message::NoPayload { request, why: NoPayload::NotYours };
        }
        let chain = feed.chain(no);
        let bytes = chain.and_then(|chain| chain.payload(step.reader, at.0));
        let Some(bytes) = bytes else { return not_here };
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let piece = bytes.get(from..).map(|rest| rest.get(..PAYLOAD_CHUNK_BYTES).unwrap_or(rest));
        match piece {
            Some(piece) if !piece.is_empty() => Message::Payload {
                request,
                offset,
                total: bytes.len() as u64,
                piece: piece.to_vec(),
            },
            _ => not_here,
        }
    }
}
