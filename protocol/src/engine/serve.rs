//! Answers: entries run by run and payloads piece by piece, each made when it can be sent.
//!
//! Nothing is served that is not durable, and nothing to a peer that is not a member of the board.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    state::{Feed, Serving},
    tables::{BranchNo, Table, place_key},
};
use crate::{
    feed::{CompactEntry, Header, Run, Sealed, SignedHead},
    hash::{BoardId, EntryId, FeedId, NodeKey},
    limits::{
        FRAME_BYTES_MAX, KIB, PAYLOAD_CHUNK_BYTES, PAYLOAD_INLINE_BYTES_MAX, PUSH_BYTES_MAX,
        RUN_BYTES_MAX, RUN_HEADERS_MAX,
    },
    sync::{Message, NoPayload, Point},
};

/// Runs that answer one request; who wants more asks again.
const FRAMES_PER_WANT: u32 = 16;

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
                    let message = self.piece(step, request, (board, feed, at), offset);
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
        let Some(run) = self.build_run(step, &board, id, (branch, next)) else {
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

    /// The run from `from` on, as far as one frame and the signed heads go.
    fn build_run(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: FeedId,
        (no, from): (BranchNo, u64),
    ) -> Option<Run> {
        let feed = self.feed(board, &id)?;
        let (end, heads) = self.heads_from(step, feed, (no, from), RUN_HEADERS_MAX as u64)?;
        let headers = self.headers_between(step, feed, no, (from, end))?;
        let header_bytes: usize = headers.iter().map(Vec::len).sum();
        let head_bytes = heads.len().saturating_mul(SignedHead::BYTES_MAX);
        let room = FRAME_BYTES_MAX
            .saturating_sub(header_bytes)
            .saturating_sub(head_bytes)
            .saturating_sub(KIB);
        let before = self.id_before(step, feed, no, from)?;
        let entries = self.compact(step, feed, no, headers, room)?;
        Some(Run { feed: id, from, before, entries, heads })
    }

    /// The whole of what follows `from`, if it is one run small enough to push.
    pub(super) fn build_small_run(
        &self,
        step: &Step<'_>,
        board: &BoardId,
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
        let run = self.build_run(step, board, id, (0, from))?;
        let is_whole = run.end() == feed.trunk.durable_size();
        (is_whole && run.to_bytes().len() <= PUSH_BYTES_MAX).then_some(run)
    }

    /// The signed heads above `from` within reach, and the size of the last.
    fn heads_from(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        (no, from): (BranchNo, u64),
        reach: u64,
    ) -> Option<(u64, Vec<SignedHead>)> {
        let newest = feed.branch(no)?.durable?;
        let id = feed.trunk.tip.feed();
        let limit = from.saturating_add(reach).min(newest.head.size);
        let mut heads: Vec<SignedHead> = Vec::new();
        let mut owners = Vec::from([feed.stored_under(no, from), no]);
        owners.dedup();
        for owner in owners {
            let begin = place_key(&id, owner, from.saturating_add(1));
            let end = place_key(&id, owner, limit.saturating_add(1));
            let rows =
                self.pending.scan(step.reader, Table::Heads, (&begin, &end), RUN_HEADERS_MAX);
            let kept = rows.iter().filter_map(|(_, bytes)| SignedHead::from_bytes(bytes).ok());
            let start = feed.branch(no).map_or(0, |branch| branch.start);
            heads.extend(kept.filter(|signed| owner == no || signed.head.size <= start));
        }
        if newest.head.size == limit && heads.last() != Some(&newest) {
            heads.push(newest);
        }
        let mut bytes = 0usize;
        let mut reached = None;
        for (at, signed) in heads.iter().enumerate() {
            let before =
                at.checked_sub(1).and_then(|at| heads.get(at)).map_or(from, |head| head.head.size);
            let headers = self.headers_between(step, feed, no, (before, signed.head.size))?;
            bytes = bytes.saturating_add(headers.iter().map(Vec::len).sum());
            if bytes > RUN_BYTES_MAX && reached.is_some() {
                break;
            }
            reached = Some(at);
        }
        heads.truncate(reached?.saturating_add(1));
        Some((heads.last()?.head.size, heads))
    }

    fn headers_between(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        no: BranchNo,
        (from, end): (u64, u64),
    ) -> Option<Vec<Vec<u8>>> {
        let id = feed.trunk.tip.feed();
        let owner = feed.stored_under(no, from);
        if owner == feed.stored_under(no, end.saturating_sub(1)) {
            let (begin, end_key) = (place_key(&id, owner, from), place_key(&id, owner, end));
            let rows =
                self.pending.scan(step.reader, Table::Headers, (&begin, &end_key), RUN_HEADERS_MAX);
            let headers: Vec<_> = rows.into_iter().map(|(_, bytes)| bytes).collect();
            return (headers.len() as u64 == end.saturating_sub(from)).then_some(headers);
        }
        (from..end).map(|seq| self.header_at(step, feed, no, seq)).collect()
    }

    /// The entries of these headers, carrying payloads while there is room for them.
    fn compact(
        &self,
        step: &Step<'_>,
        feed: &Feed,
        no: BranchNo,
        headers: Vec<Vec<u8>>,
        mut room: usize,
    ) -> Option<Vec<CompactEntry>> {
        let mut entries = Vec::with_capacity(headers.len());
        for bytes in headers {
            let header = Header::from_bytes(&bytes).ok()?;
            let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX).saturating_add(KIB);
            let fits = header.payload_len <= PAYLOAD_INLINE_BYTES_MAX as u64 && len <= room;
            let sealed = if fits { self.sealed_at(step, feed, no, header.seq) } else { None };
            if sealed.is_some() {
                room = room.saturating_sub(len);
            }
            entries.push(CompactEntry::of(header, sealed));
        }
        Some(entries)
    }

    fn sealed_at(&self, step: &Step<'_>, feed: &Feed, no: BranchNo, seq: u64) -> Option<Sealed> {
        let key = place_key(&feed.trunk.tip.feed(), feed.stored_under(no, seq), seq);
        let bytes = self.pending.get(step.reader, Table::Payloads, &key)?;
        Sealed::from_bytes(&bytes).ok()
    }

    fn piece(
        &self,
        step: &Step<'_>,
        request: u64,
        (board, id, at): (BoardId, FeedId, Point),
        offset: u64,
    ) -> Message {
        let not_here = Message::NoPayload { request, why: NoPayload::NotHere };
        let Some(feed) = self.feed(&board, &id) else {
            return not_here;
        };
        let holds = |no| self.id_at(step, feed, no, at.0) == Some(at.1);
        let Some((no, branch)) = feed.branches().find(|(no, _)| holds(*no)) else {
            return not_here;
        };
        let key = place_key(&id, feed.stored_under(no, at.0), at.0);
        let durable = branch.durable_size() > at.0;
        let bytes = self.pending.get(step.reader, Table::Payloads, &key).filter(|_| durable);
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
