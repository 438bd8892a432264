//! Payloads that come apart from their runs, by pieces.

use super::{
    Engine, Step,
    state::Asked,
    tables::{BranchNo, Table, place_key},
};
use crate::{
    feed::{Header, Sealed},
    hash::{BoardId, FeedId, NodeKey},
    limits::PAYLOAD_CHUNK_BYTES,
    sync::{Message, NoPayload, Point},
};

impl Engine {
    /// A piece of a payload came in.
    pub(super) fn accept_piece(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        request: u64,
        (offset, total, piece): (u64, u64, &[u8]),
    ) {
        let Some(Asked::Payload { board, feed, branch, at, mut got }) =
            self.close_request(&peer, request)
        else {
            return;
        };
        let before = got.len() as u64;
        got.extend_from_slice(piece);
        let len = got.len() as u64;
        let is_full = piece.len() == PAYLOAD_CHUNK_BYTES || (len == total && !piece.is_empty());
        if offset != before || !is_full || len > total || total > Sealed::BYTES_MAX as u64 {
            let sentence = alloc::format!(
                "piece at byte {offset} of {total} does not continue {before} bytes"
            );
            return self.drop_peer(step, peer, "payload-out-of-place", &sentence);
        }
        if len < total {
            if let Some(feed) = self.feed_mut(&board, &feed) {
                feed.fetching.insert((branch, at.0));
            }
            let asked = Asked::Payload { board, feed, branch, at, got };
            return self.ask(step, peer, asked, |request| Message::WantPayload {
                request,
                feed,
                at,
                offset: len,
            });
        }
        self.accept_payload(step, peer, (board, feed, branch, at), &got);
    }

    fn accept_payload(
        &mut self,
        step: &mut Step<'_>,
        peer: NodeKey,
        (board, id, no, at): (BoardId, FeedId, BranchNo, Point),
        bytes: &[u8],
    ) {
        let Some(feed) = self.feed_mut(&board, &id) else {
            return;
        };
        feed.fetching.remove(&(no, at.0));
        let Some(feed) = self.feed(&board, &id) else {
            return;
        };
        let Some(branch) = feed.branch(no) else { return };
        if !branch.missing.contains(&at.0) {
            return;
        }
        let header = self.header_at(step, feed, no, at.0);
        let Some(header) = header.and_then(|bytes| Header::from_bytes(&bytes).ok()) else {
            return;
        };
        let fitting = Sealed::from_bytes(bytes).ok().filter(|sealed| sealed.fits(&header));
        let Some(sealed) = fitting else {
            let sentence =
                alloc::format!("the payload of entry {} is not the one its header names", at.0);
            self.drop_peer(step, peer, "payload-mismatch", &sentence);
            return;
        };
        let place = place_key(&id, no, at.0);
        self.pending.put(Table::Payloads, place.clone(), sealed.to_bytes());
        self.pending.remove(Table::Missing, place);
        if let Some(artefact) = header.artefact {
            self.pending.consequences().artefacts.insert((board, artefact));
        }
        let due = self.feed_mut(&board, &id).and_then(|feed| {
            let is_sound = feed.fork.is_none() && no == 0;
            let branch = feed.branch_mut(no)?;
            branch.missing.remove(&at.0);
            let is_applied = branch.applied > at.0;
            feed.ack_due |= is_sound && header.kind.calls_for_ack();
            Some((is_applied, feed.ack_due))
        });
        let Some((is_applied, is_ack_due)) = due else {
            return;
        };
        if let Some(board) =
            self.boards.get_mut(&board).filter(|board| board.own != id && is_ack_due)
        {
            board.acks.due.get_or_insert(step.uptime);
        }
        if is_applied {
            self.apply_entry(step, (board, id, no), &header, &sealed);
        }
    }

    /// The peer does not send a payload.
    pub(super) fn accept_no_payload(
        &mut self,
        step: &Step<'_>,
        peer: NodeKey,
        request: u64,
        why: NoPayload,
    ) {
        let Some(Asked::Payload { board, feed, branch, at, .. }) =
            self.close_request(&peer, request)
        else {
            return;
        };
        // Whatever the reason, this peer is not asked again for a while; others are.
        let (NoPayload::NotYours | NoPayload::Redacted(_) | NoPayload::NotHere) = why;
        if let Some(feed) = self.feed_mut(&board, &feed) {
            feed.fetching.remove(&(branch, at.0));
        }
        if let Some(meeting) = self.meeting_mut(&peer) {
            meeting.not_given.insert((feed, branch, at.0), step.uptime);
        }
    }
}
