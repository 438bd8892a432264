//! Answers: entries run by run and payloads piece by piece, each made when it can be sent.
//!
//! Read from what is durable, past the writes under way; nothing goes to a peer that is not a
//! member of the board.

use alloc::vec::Vec;

use super::{
    Engine, Step,
    state::{Feed, Serving},
    tables::{BranchNo, Row, Table, place_key},
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

    /// The run from `from` on, as far as one frame and the signed heads go; `None` when nothing
    /// follows there.
    fn build_run(
        &self,
        step: &Step<'_>,
        board: &BoardId,
        id: FeedId,
        (no, from): (BranchNo, u64),
    ) -> Option<Run> {
        let feed = self.feed(board, &id)?;
        let newest = feed.branch(no)?.durable.filter(|newest| newest.head.size > from)?;
        let limit = from.saturating_add(RUN_HEADERS_MAX as u64).min(newest.head.size);
        let mut headers = stored_headers(step, feed, no, (from, limit))?;
        let mut heads = stored_heads(step, feed, no, (from, limit));
        if newest.head.size == limit && heads.last() != Some(&newest) {
            heads.push(newest);
        }
        let mut bytes = headers.iter().scan(0usize, |sum, header| {
            *sum = sum.saturating_add(header.len());
            Some(*sum)
        });
        let within = bytes.by_ref().take_while(|sum| *sum <= RUN_BYTES_MAX).count() as u64;
        heads.retain(|signed| signed.head.size.saturating_sub(from) <= within);
        let reached = heads.last()?.head.size.saturating_sub(from);
        headers.truncate(usize::try_from(reached).ok()?);
        let header_bytes: usize = headers.iter().map(Vec::len).sum();
        let head_bytes = heads.len().saturating_mul(SignedHead::BYTES_MAX);
        let space = FRAME_BYTES_MAX.checked_sub(header_bytes)?.checked_sub(head_bytes)?;
        let before = self.id_before(step, feed, no, from)?;
        let entries = compact(step, feed, no, headers, space.saturating_sub(KIB))?;
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
        let is_durable = branch.durable_size() > at.0;
        let bytes = stored_payload(step, feed, no, at.0).filter(|_| is_durable);
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

/// The headers of a branch from `from` to below `end`, as they are durable.
fn stored_headers(
    step: &Step<'_>,
    feed: &Feed,
    no: BranchNo,
    (from, end): (u64, u64),
) -> Option<Vec<Vec<u8>>> {
    let rows = stored_rows(step, feed, no, Table::Headers, (from, end));
    let headers: Vec<_> = rows.into_iter().map(|(_, bytes)| bytes).collect();
    (headers.len() as u64 == end.saturating_sub(from)).then_some(headers)
}

/// The kept heads of a branch above `from` up to `limit`.
fn stored_heads(
    step: &Step<'_>,
    feed: &Feed,
    no: BranchNo,
    (from, limit): (u64, u64),
) -> Vec<SignedHead> {
    let places = (from.saturating_add(1), limit.saturating_add(1));
    let rows = stored_rows(step, feed, no, Table::Heads, places);
    rows.iter().filter_map(|(_, bytes)| SignedHead::from_bytes(bytes).ok()).collect()
}

/// Rows about the places `from..end` of a branch: what it shares with the trunk, and its own.
fn stored_rows(
    step: &Step<'_>,
    feed: &Feed,
    no: BranchNo,
    table: Table,
    (from, end): (u64, u64),
) -> Vec<Row> {
    let id = feed.trunk.tip.feed();
    // A head at the size where a branch begins covers the trunk alone.
    let after = u64::from(table == Table::Heads);
    let own_from = feed.branch(no).map_or(0, |branch| branch.start.saturating_add(after));
    let parts = [(0, from, end.min(own_from)), (no, from.max(own_from), end)];
    let parts = parts.into_iter().filter(|(_, from, end)| from < end);
    let rows = parts.flat_map(|(owner, from, end)| {
        let (begin, end) = (place_key(&id, owner, from), place_key(&id, owner, end));
        step.reader.scan(table, &begin, &end, RUN_HEADERS_MAX)
    });
    rows.collect()
}

/// The entries of these headers, carrying payloads while there is space.
fn compact(
    step: &Step<'_>,
    feed: &Feed,
    no: BranchNo,
    headers: Vec<Vec<u8>>,
    mut space: usize,
) -> Option<Vec<CompactEntry>> {
    let mut entries = Vec::with_capacity(headers.len());
    for bytes in headers {
        let header = Header::from_bytes(&bytes).ok()?;
        let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX).saturating_add(KIB);
        let fits = header.payload_len <= PAYLOAD_INLINE_BYTES_MAX as u64 && len <= space;
        let sealed = if fits { stored_payload(step, feed, no, header.seq) } else { None };
        let sealed = sealed.and_then(|bytes| Sealed::from_bytes(&bytes).ok());
        if sealed.is_some() {
            space = space.saturating_sub(len);
        }
        entries.push(CompactEntry::of(header, sealed));
    }
    Some(entries)
}

/// The payload at a place of a branch, as it is durable.
fn stored_payload(step: &Step<'_>, feed: &Feed, no: BranchNo, seq: u64) -> Option<Vec<u8>> {
    let key = place_key(&feed.trunk.tip.feed(), feed.stored_under(no, seq), seq);
    step.reader.get(Table::Payloads, &key)
}
