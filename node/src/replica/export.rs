//! Export: a board as a bundle, with all that this node durably holds of it.
//!
//! ```text
//!   founding · for each feed: runs from entry 0, then each other chain from where it leaves
//!            · the members' cards · end             payloads that do not fit a run stand after it
//! ```
//!
//! Read from a snapshot and the store, so the node goes on meanwhile; what comes in later is not in it.
//!
//! *Invariants.* The file is whole and durable, or not there. One run is held at a time.
//!
//! *Source*: ours; `protocol/SPEC.md`, section "Bundle".

use std::{
    fs::{self, File, OpenOptions},
    io::{BufWriter, Write},
    path::Path,
};

use concordat_protocol::{
    audit::bundle::{LoosePayload, Writer},
    codec::Malformed,
    engine::{BoardView, BranchNo, Table, place_key},
    feed::{CompactEntry, Header, Run, Sealed, SignedHead},
    hash::{EntryId, FeedId},
    limits::{FRAME_BYTES_MAX, KIB, PAYLOAD_INLINE_BYTES_MAX, RUN_BYTES_MAX, RUN_HEADERS_MAX},
};

use super::{
    Snapshot,
    chains::{ChainView, chains},
};
use crate::{
    home::FileError,
    store::{KeyRange, Order, Reader, Row, StoreError},
};

/// Why a board could not be exported.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExportError {
    /// The file is there already, or the operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored does not read back.
    #[error("the store is damaged at entry {seq} of {feed}: {source}")]
    Damaged {
        /// Which feed.
        feed: FeedId,
        /// From which entry on.
        seq: u64,
        /// What does not decode.
        source: Malformed,
    },
    /// Entries are there that no kept signature covers.
    #[error("the store is damaged: nothing signed covers entry {seq} of {feed}")]
    Uncovered {
        /// Which feed.
        feed: FeedId,
        /// From which entry on.
        seq: u64,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Exported {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

/// Writes the bundle of a board to a file that must not exist yet.
pub(super) fn export(
    snapshot: &Snapshot,
    board: &BoardView,
    path: &Path,
) -> Result<Exported, ExportError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.map_err(FileError::at("creating", path))?;
    let written = Bundle::new(file, path).and_then(|bundle| bundle.write(snapshot, board));
    if written.is_err() {
        // Half a bundle helps nobody; what was wrong is told.
        let _removed = fs::remove_file(path);
    }
    written
}

struct Bundle<'a> {
    path: &'a Path,
    file: BufWriter<File>,
    writer: Writer,
    done: Exported,
}

impl<'a> Bundle<'a> {
    fn new(file: File, path: &'a Path) -> Result<Self, ExportError> {
        let (writer, magic) = Writer::new();
        let file = BufWriter::new(file);
        let mut bundle = Self { path, file, writer, done: Exported::default() };
        bundle.put(magic)?;
        Ok(bundle)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.done.bytes += bytes.len() as u64;
        Ok(self.file.write_all(bytes).map_err(FileError::at("writing", self.path))?)
    }

    fn write(mut self, snapshot: &Snapshot, board: &BoardView) -> Result<Exported, ExportError> {
        if let Some(founding) = snapshot.foundings.get(&board.board) {
            let record = self.writer.founding(founding);
            self.put(&record)?;
        }
        // An epoch is opened after the one that it goes on from.
        let mut feeds: Vec<_> = board.feeds.iter().collect();
        feeds.sort_by_key(|(_, feed)| (feed.descriptor.epoch, feed.descriptor.org));
        let chains = chains(&snapshot.reader, &board.board)?;
        for (id, _) in feeds {
            for chain in chains.get(id).into_iter().flatten() {
                self.chain(&snapshot.reader, *id, chain)?;
            }
        }
        let charter = snapshot.foundings.get(&board.board).map(|founding| founding.charter());
        let own = snapshot.organisation.paper().card().clone();
        for card in snapshot.cards()? {
            let org = card.card().org;
            let is_member = charter.is_some_and(|charter| charter.member(&org).is_some());
            if is_member && org != own.card().org {
                let record = self.writer.card(&card);
                self.put(&record)?;
            }
        }
        let record = self.writer.card(&own);
        self.put(&record)?;
        let end = std::mem::take(&mut self.writer).end();
        self.put(&end)?;
        self.close()?;
        Ok(self.done)
    }

    fn close(&mut self) -> Result<(), FileError> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(FileError::at("writing", self.path))
    }

    /// Every run of one chain.
    fn chain(
        &mut self,
        reader: &Reader,
        feed: FeedId,
        chain: &ChainView,
    ) -> Result<(), ExportError> {
        let chain = Chain { reader, feed, chain };
        let mut from = chain.chain.start;
        while from < chain.chain.head.head.size {
            let (run, loose) = chain.run(from)?;
            from = run.end();
            self.done.entries += run.entries.len() as u64;
            let record = self.writer.run(&run);
            self.put(&record)?;
            for seq in loose {
                if let Some(payload) = chain.loose(seq)? {
                    let record = self.writer.payload(&payload);
                    self.put(&record)?;
                }
            }
        }
        Ok(())
    }
}

/// One chain of a feed, as it is stored.
struct Chain<'a> {
    reader: &'a Reader,
    feed: FeedId,
    chain: &'a ChainView,
}

impl Chain<'_> {
    /// The longest run from `from` on, and the entries whose payload does not travel with it.
    fn run(&self, from: u64) -> Result<(Run, Vec<u64>), ExportError> {
        let uncovered = ExportError::Uncovered { feed: self.feed, seq: from };
        let newest = self.chain.head;
        let limit = from.saturating_add(RUN_HEADERS_MAX as u64).min(newest.head.size);
        let mut headers = self.rows(Table::Headers, from, limit)?;
        let mut heads = Vec::new();
        for (_, bytes) in self.rows(Table::Heads, from + 1, limit + 1)? {
            heads.push(SignedHead::from_bytes(&bytes).map_err(self.damaged(from))?);
        }
        if newest.head.size == limit && heads.last() != Some(&newest) {
            heads.push(newest);
        }
        let mut bytes = 0;
        let fits = headers.iter().take_while(|(_, header)| {
            bytes += header.len();
            bytes <= RUN_BYTES_MAX
        });
        let reach = from + fits.count() as u64;
        heads.retain(|signed| signed.head.size <= reach);
        let Some(end) = heads.last().map(|signed| signed.head.size) else {
            return Err(uncovered);
        };
        headers.truncate(usize::try_from(end - from).unwrap_or(usize::MAX));
        let (entries, loose) = self.entries(from, headers, heads.len())?;
        let before = self.before(from)?;
        Ok((Run { feed: self.feed, from, before, entries, heads }, loose))
    }

    /// Entries of these headers, carrying their payloads while there is space in a frame.
    fn entries(
        &self,
        from: u64,
        headers: Vec<Row>,
        heads: usize,
    ) -> Result<(Vec<CompactEntry>, Vec<u64>), ExportError> {
        let taken: usize = headers.iter().map(|(_, header)| header.len()).sum();
        let mut space = FRAME_BYTES_MAX.saturating_sub(taken + heads * SignedHead::BYTES_MAX + KIB);
        let (mut entries, mut loose) = (Vec::new(), Vec::new());
        for (seq, (_, bytes)) in (from..).zip(headers) {
            let header = Header::from_bytes(&bytes).map_err(self.damaged(seq))?;
            let len = usize::try_from(header.payload_len).unwrap_or(usize::MAX).saturating_add(KIB);
            let is_small = header.payload_len <= PAYLOAD_INLINE_BYTES_MAX as u64 && len <= space;
            let sealed = if is_small { self.sealed(seq)? } else { None };
            match &sealed {
                Some(_) => space -= len,
                None => loose.push(seq),
            }
            entries.push(CompactEntry::of(header, sealed));
        }
        Ok((entries, loose))
    }

    fn loose(&self, seq: u64) -> Result<Option<LoosePayload>, ExportError> {
        let sealed = self.sealed(seq)?;
        let id = self.id(self.chain.branch, seq)?;
        Ok(sealed.zip(id).map(|(sealed, id)| LoosePayload { feed: self.feed, seq, id, sealed }))
    }

    fn sealed(&self, seq: u64) -> Result<Option<Sealed>, ExportError> {
        let key = place_key(&self.feed, self.chain.branch, seq);
        let bytes = self.reader.get(Table::Payloads, &key)?;
        bytes.map(|bytes| Sealed::from_bytes(&bytes).map_err(self.damaged(seq))).transpose()
    }

    /// The entry before; below its start a chain is one with the first.
    fn before(&self, from: u64) -> Result<EntryId, ExportError> {
        let Some(seq) = from.checked_sub(1) else {
            return Ok(EntryId::NONE);
        };
        let branch = if seq >= self.chain.start { self.chain.branch } else { 0 };
        let uncovered = ExportError::Uncovered { feed: self.feed, seq };
        self.id(branch, seq)?.ok_or(uncovered)
    }

    fn id(&self, branch: BranchNo, seq: u64) -> Result<Option<EntryId>, ExportError> {
        let header = self.reader.get(Table::Headers, &place_key(&self.feed, branch, seq))?;
        Ok(header.map(|bytes| Header::id_of(&bytes)))
    }

    fn rows(&self, table: Table, from: u64, end: u64) -> Result<Vec<Row>, StoreError> {
        let key = |place| place_key(&self.feed, self.chain.branch, place);
        let range = KeyRange::between(key(from), key(end));
        self.reader.scan(table, &range, RUN_HEADERS_MAX, Order::Ascending)
    }

    fn damaged(&self, seq: u64) -> impl FnOnce(Malformed) -> ExportError {
        let feed = self.feed;
        move |source| ExportError::Damaged { feed, seq, source }
    }
}
