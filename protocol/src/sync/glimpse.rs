//! What a frame is about, without taking its content: for whoever keeps account of what went where.
//!
//! *Invariants.* No payload is copied. A frame that a glimpse understands may still be refused when it is
//! read in full.

use alloc::vec::Vec;

use serde::{Deserialize, de::IgnoredAny};

use crate::{
    codec,
    hash::FeedId,
    limits::{FRAME_BYTES_MAX, PAYLOAD_CHUNK_BYTES},
};

/// A frame that carries entries or payloads, or asks for a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glimpse {
    /// Entries `from` up to and without `end`.
    Run {
        /// The feed.
        feed: FeedId,
        /// The first entry.
        from: u64,
        /// The first entry that is not in it.
        end: u64,
    },
    /// Asks for a piece of a payload.
    WantPayload {
        /// The number of the request.
        request: u64,
        /// The feed.
        feed: FeedId,
        /// The entry.
        seq: u64,
    },
    /// Answers such a request.
    PayloadAnswer {
        /// The number of the request.
        request: u64,
        /// Whether the payload is whole with this piece.
        is_last_piece: bool,
    },
}

#[derive(Deserialize)]
struct RunFrame(IgnoredAny, IgnoredAny, RunBody);
#[derive(Deserialize)]
struct RunBody(FeedId, u64, IgnoredAny, IgnoredAny, Vec<IgnoredAny>, IgnoredAny);
#[derive(Deserialize)]
struct WantPayloadFrame(u64, FeedId, u64, IgnoredAny, IgnoredAny);
#[derive(Deserialize)]
struct PayloadFrame(u64, u64, u64, IgnoredAny);
#[derive(Deserialize)]
struct NoPayloadFrame(u64, IgnoredAny, IgnoredAny);

impl Glimpse {
    /// What this frame is about, if it is about entries or payloads at all.
    #[must_use]
    pub fn of(frame: &[u8]) -> Option<Self> {
        let (tag, body) = frame.split_first()?;
        let what = "frame";
        match tag {
            6 => {
                let RunFrame(_, _, RunBody(feed, from, _, _, entries, _)) =
                    codec::peek(body, what, FRAME_BYTES_MAX).ok()?;
                Some(Self::Run { feed, from, end: from.checked_add(entries.len() as u64)? })
            }
            10 => {
                let WantPayloadFrame(request, feed, seq, _, _) =
                    codec::peek(body, what, FRAME_BYTES_MAX).ok()?;
                Some(Self::WantPayload { request, feed, seq })
            }
            11 => {
                let PayloadFrame(request, offset, total, _) =
                    codec::peek(body, what, FRAME_BYTES_MAX).ok()?;
                let left = total.checked_sub(offset)?;
                let is_last_piece = left <= PAYLOAD_CHUNK_BYTES as u64;
                Some(Self::PayloadAnswer { request, is_last_piece })
            }
            12 => {
                let NoPayloadFrame(request, _, _) =
                    codec::peek(body, what, FRAME_BYTES_MAX).ok()?;
                Some(Self::PayloadAnswer { request, is_last_piece: false })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{
        codec::Fixed,
        feed::{Body, CompactEntry, Kind, Run},
        hash::{CharterHash, EntryId},
        sync::{Message, NoPayload, Point},
        time::TimeMs,
    };

    #[test]
    fn a_glimpse_tells_what_is_in_a_frame() {
        let feed = FeedId::from_bytes([7; 32]);
        let entry = CompactEntry {
            charter: CharterHash::from_bytes([1; 32]),
            t: TimeMs(5),
            kind: Kind::NOTE,
            artefact: None,
            refs: vec![],
            body: Body::Named {
                payload_hash: Fixed([2; 32]),
                payload_len: 9,
                attribution_hash: None,
            },
        };
        let run = Run {
            feed,
            from: 40,
            before: EntryId::from_bytes([3; 32]),
            entries: vec![entry.clone(), entry],
            heads: vec![],
        };
        let frame = Message::Run { request: 3, last: true, run }.to_frame();
        assert_eq!(Glimpse::of(&frame), Some(Glimpse::Run { feed, from: 40, end: 42 }));
        let at = Point(9, EntryId::from_bytes([4; 32]));
        let frame = Message::WantPayload { request: 8, feed, at, offset: 0 }.to_frame();
        assert_eq!(Glimpse::of(&frame), Some(Glimpse::WantPayload { request: 8, feed, seq: 9 }));

        let answer = |offset, total| {
            let piece = vec![0; 4];
            Glimpse::of(&Message::Payload { request: 8, offset, total, piece }.to_frame())
        };
        let told = |is_last_piece| Some(Glimpse::PayloadAnswer { request: 8, is_last_piece });
        let chunk = PAYLOAD_CHUNK_BYTES as u64;
        assert_eq!(answer(0, chunk + 1), told(false));
        assert_eq!(answer(chunk, chunk + 1), told(true));
        assert_eq!(answer(2, 1), None);
        let refused = Message::NoPayload { request: 8, why: NoPayload::NotHere }.to_frame();
        assert_eq!(Glimpse::of(&refused), told(false));

        assert_eq!(Glimpse::of(&Message::Credit(3).to_frame()), None);
        assert_eq!(Glimpse::of(&frame[..5]), None);
        assert_eq!(Glimpse::of(&[]), None);
    }
}
