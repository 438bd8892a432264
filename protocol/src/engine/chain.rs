//! Chains as they are stored: what a node serves to peers and exports to files.
//!
//! A feed has one chain, and more only when it is forked. Reads what is durable and nothing else,
//! so it needs no engine: a snapshot of the store is enough.

use alloc::vec::Vec;

use super::{
    io::Damaged,
    record::FeedRecord,
    state::text,
    tables::{BranchNo, Reader, Row, Table, after_prefix, board_key, place_key},
};
use crate::{
    feed::{CompactEntry, Header, Run, Sealed, SignedHead},
    hash::{BoardId, EntryId, FeedId},
    limits::{FRAME_BYTES_MAX, KIB, PAYLOAD_INLINE_BYTES_MAX, RUN_BYTES_MAX, RUN_HEADERS_MAX},
};

/// One chain of a feed, as far as it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// The feed.
    pub feed: FeedId,
    /// Under which number it is stored; 0 is the chain seen first.
    pub branch: BranchNo,
    /// The first entry that is stored under that number; those below are the first chain's.
    pub start: u64,
    /// The newest signed head whose entries are durable.
    pub head: SignedHead,
}

impl Chain {
    /// Every chain of a board that has an entry, by feed, the one seen first before the others.
    ///
    /// # Errors
    /// [`Damaged`] when a record does not read back.
    pub fn all(reader: &dyn Reader, board: &BoardId) -> Result<Vec<Self>, Damaged> {
        let prefix = board_key(board);
        let end = after_prefix(&prefix).unwrap_or_default();
        let rows = reader.scan(Table::Feeds, &prefix, &end, usize::MAX);
        let chains = rows.iter().map(|(key, bytes)| {
            let record = FeedRecord::from_bytes(bytes);
            let record = record.map_err(|why| Damaged { what: text(why) })?;
            let branch = key.last_chunk().map_or(0, |bytes| BranchNo::from_be_bytes(*bytes));
            let feed = record.tip.feed();
            Ok(record.head.map(|head| Self { feed, branch, start: record.start, head }))
        });
        chains.filter_map(Result::transpose).collect()
    }

    /// The first entry that the first chain of the feed does not have: what a chain shares with it is stored
    /// again where a fork came to be known at a lower place than where this one parts.
    #[must_use]
    pub fn parts_at(&self, reader: &dyn Reader) -> u64 {
        let header = |branch, seq| reader.get(Table::Headers, &place_key(&self.feed, branch, seq));
        let size = self.head.head.size;
        let is_shared = |seq: &u64| header(0, *seq) == header(self.branch, *seq);
        match self.branch {
            0 => self.start,
            _ => (self.start..size).find(|seq| !is_shared(seq)).unwrap_or(size),
        }
    }

    /// The run from `from` on, as far as one frame and the signed heads go; `None` when nothing
    /// follows there. Payloads that do not fit, or that `may_give` holds back, are named; see
    /// [`Chain::payload`].
    #[must_use]
    pub fn run(
        &self,
        reader: &dyn Reader,
        from: u64,
        may_give: &dyn Fn(&Header) -> bool,
    ) -> Option<Run> {
        let newest = Some(self.head).filter(|newest| newest.head.size > from)?;
        let limit = from.saturating_add(RUN_HEADERS_MAX as u64).min(newest.head.size);
        let mut headers = self.headers(reader, (from, limit))?;
        let mut heads = self.kept_heads(reader, (from, limit));
        if newest.head.size == limit && heads.last() != Some(&newest) {
            heads.push(newest);
        }
        let sums = headers.iter().scan(0usize, |sum, header| {
            *sum = sum.saturating_add(header.len());
            Some(*sum)
        });
        let within = sums.take_while(|sum| *sum <= RUN_BYTES_MAX).count() as u64;
        heads.retain(|signed| signed.head.size.saturating_sub(from) <= within);
        let reached = heads.last()?.head.size.saturating_sub(from);
        headers.truncate(usize::try_from(reached).ok()?);
        let header_bytes: usize = headers.iter().map(Vec::len).sum();
        let head_bytes = heads.len().saturating_mul(SignedHead::BYTES_MAX);
        let space = FRAME_BYTES_MAX.checked_sub(header_bytes)?.checked_sub(head_bytes)?;
        let before = self.id_before(reader, from)?;
        let space = space.saturating_sub(KIB);
        let entries = self.compact(reader, headers, space, may_give)?;
        Some(Run { feed: self.feed, from, before, entries, heads })
    }

    /// The payload and attribution of an entry, as they are stored and sent by pieces.
    #[must_use]
    pub fn payload(&self, reader: &dyn Reader, seq: u64) -> Option<Vec<u8>> {
        let owner = if seq < self.start { 0 } else { self.branch };
        let is_durable = seq < self.head.head.size;
        reader.get(Table::Payloads, &place_key(&self.feed, owner, seq)).filter(|_| is_durable)
    }

    fn id_before(&self, reader: &dyn Reader, seq: u64) -> Option<EntryId> {
        let Some(before) = seq.checked_sub(1) else { return Some(EntryId::NONE) };
        let headers = self.headers(reader, (before, seq))?;
        headers.first().map(|header| Header::id_of(header))
    }

    /// The headers from `from` to below `end`.
    fn headers(&self, reader: &dyn Reader, (from, end): (u64, u64)) -> Option<Vec<Vec<u8>>> {
        let rows = self.rows(reader, Table::Headers, (from, end));
        let headers: Vec<_> = rows.into_iter().map(|(_, bytes)| bytes).collect();
        (headers.len() as u64 == end.saturating_sub(from)).then_some(headers)
    }

    /// The kept heads above `from` up to `limit`.
    fn kept_heads(&self, reader: &dyn Reader, (from, limit): (u64, u64)) -> Vec<SignedHead> {
        let places = (from.saturating_add(1), limit.saturating_add(1));
        let rows = self.rows(reader, Table::Heads, places);
        rows.iter().filter_map(|(_, bytes)| SignedHead::from_bytes(bytes).ok()).collect()
    }

    /// Rows about the places `from..end`: what is shared with the first chain, and one's own.
    fn rows(&self, reader: &dyn Reader, table: Table, (from, end): (u64, u64)) -> Vec<Row> {
        // A head at the size where the chain begins covers the first chain alone.
        let own_from = self.start.saturating_add(u64::from(table == Table::Heads));
        let parts = [(0, from, end.min(own_from)), (self.branch, from.max(own_from), end)];
        let parts = parts.into_iter().filter(|(_, from, end)| from < end);
        let rows = parts.flat_map(|(owner, from, end)| {
            let begin = place_key(&self.feed, owner, from);
            let end = place_key(&self.feed, owner, end);
            reader.scan(table, &begin, &end, RUN_HEADERS_MAX)
        });
        rows.collect()
    }

    /// The entries of these headers, carrying payloads while there is space.
    fn compact(
        &self,
        reader: &dyn Reader,
        headers: Vec<Vec<u8>>,
        mut space: usize,
        may_give: &dyn Fn(&Header) -> bool,
    ) -> Option<Vec<CompactEntry>> {
        let mut entries = Vec::with_capacity(headers.len());
        for bytes in headers {
            let header = Header::from_bytes(&bytes).ok()?;
            let is_small = header.payload_len <= PAYLOAD_INLINE_BYTES_MAX as u64
                && header.payload_len < space as u64
                && may_give(&header);
            let bytes = if is_small { self.payload(reader, header.seq) } else { None };
            let bytes = bytes.filter(|bytes| bytes.len() < space);
            let sealed = bytes.as_ref().and_then(|bytes| Sealed::from_bytes(bytes).ok());
            if sealed.is_some() {
                space = space.saturating_sub(bytes.map_or(0, |bytes| bytes.len()));
            }
            entries.push(CompactEntry::of(header, sealed));
        }
        Some(entries)
    }
}
