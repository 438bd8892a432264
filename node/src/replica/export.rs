//! Export: boards as a bundle, with all that a store durably holds of them.
//!
//! ```text
//!   founding · for each feed: runs from entry 0, then each other chain from where it leaves
//!            · the members' cards · end             payloads that do not fit a run stand after it
//! ```
//!
//! Read from the store alone, so a node goes on meanwhile, and a store without a node can be exported too; what
//! comes in later is not in it.
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
    charter::Founding,
    codec::Malformed,
    engine::{Chain, Damaged, Table, place_key},
    feed::{Body, Header, OpenFeed, Run, Sealed},
    hash::FeedId,
    identity::SignedCard,
};

use crate::{
    home::FileError,
    store::{KeyRange, Order, Reader, Store, StoreError},
};

/// Why a board could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file is there already, or the operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A read that the protocol asked for failed.
    #[error("{why}")]
    Unreadable {
        /// What the store said.
        why: String,
    },
    /// Where a feed ends does not read back.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A payload does not read back.
    #[error("the store is damaged at entry {seq} of {feed}: {source}; restore it")]
    Payload {
        /// Which feed.
        feed: FeedId,
        /// Which entry.
        seq: u64,
        /// What does not decode.
        source: Malformed,
    },
    /// A founding file does not read back, or there is none.
    #[error("the store holds no board that can be read; is it a copy of a node's store?")]
    NoBoard,
    /// Entries are missing, or no kept signature covers them.
    #[error("the store is damaged: no run can be made from entry {seq} of {feed} on; restore it")]
    NoRun {
        /// Which feed.
        feed: FeedId,
        /// From which entry on.
        seq: u64,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// Length of the file.
    pub bytes: u64,
    /// How many entries are in it, those of branches included.
    pub entries: u64,
}

/// Writes all boards of a store that no node has open to a file that must not exist yet.
///
/// # Errors
/// - [`ExportError`]: it holds no board, cannot be read, or the file cannot be written.
pub fn export_store(store: &Store, path: &Path) -> Result<Exported, ExportError> {
    let reader = store.reader();
    let boards = reader.scan(Table::Boards, &KeyRange::all(), usize::MAX, Order::Ascending)?;
    let foundings: Vec<Founding> =
        boards.iter().filter_map(|(_, bytes)| Founding::from_bytes(bytes).ok()).collect();
    if foundings.is_empty() || foundings.len() < boards.len() {
        return Err(ExportError::NoBoard);
    }
    let foundings: Vec<&Founding> = foundings.iter().collect();
    export(&reader, &foundings, &cards(&reader)?, path)
}

/// The cards of all organisations that a store knows.
pub(super) fn cards(reader: &Reader) -> Result<Vec<SignedCard>, StoreError> {
    let rows = reader.scan(Table::Cards, &KeyRange::all(), usize::MAX, Order::Ascending)?;
    Ok(rows.iter().filter_map(|(_, bytes)| SignedCard::from_bytes(bytes).ok()).collect())
}

/// Writes the bundle of some boards, with the cards of their members, to a file that must not exist yet.
pub(super) fn export(
    reader: &Reader,
    foundings: &[&Founding],
    cards: &[SignedCard],
    path: &Path,
) -> Result<Exported, ExportError> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let file = file.map_err(FileError::at("creating", path))?;
    let written = Bundle::new(file, path).and_then(|bundle| bundle.write(reader, foundings, cards));
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

    fn write(
        mut self,
        reader: &Reader,
        foundings: &[&Founding],
        cards: &[SignedCard],
    ) -> Result<Exported, ExportError> {
        for founding in foundings {
            self.board(reader, founding)?;
        }
        let is_member = |card: &&SignedCard| {
            let org = card.card().org;
            foundings.iter().any(|founding| founding.charter().member(&org).is_some())
        };
        for card in cards.iter().filter(is_member) {
            let record = self.writer.card(card);
            self.put(&record)?;
        }
        let end = std::mem::take(&mut self.writer).end();
        self.put(&end)?;
        self.close()?;
        Ok(self.done)
    }

    fn board(&mut self, reader: &Reader, founding: &Founding) -> Result<(), ExportError> {
        let record = self.writer.founding(founding);
        self.put(&record)?;
        let reader = reader.apart();
        // All at one moment, so that no feed is older than what another says of it.
        let mut chains = Chain::all(&reader, &founding.board())?;
        // An epoch is opened after the one that it goes on from.
        chains.sort_by_cached_key(|chain| (epoch(&reader, chain), chain.feed, chain.branch));
        let written = chains.iter().try_for_each(|chain| self.chain(&reader, chain));
        if let Some(error) = reader.failure() {
            return Err(ExportError::Unreadable { why: error.to_string() });
        }
        written
    }

    /// Every run of one chain, and the payloads that do not travel with it.
    fn chain(&mut self, reader: &Reader, chain: &Chain) -> Result<(), ExportError> {
        let mut from = chain.parts_at(reader);
        while from < chain.head.head.size {
            let no_run = ExportError::NoRun { feed: chain.feed, seq: from };
            let run = chain.run(reader, from, &|_| true).ok_or(no_run)?;
            let record = self.writer.run(&run);
            self.put(&record)?;
            for seq in named(&run) {
                self.payload(reader, chain, seq)?;
            }
            self.done.entries += run.entries.len() as u64;
            from = run.end();
        }
        Ok(())
    }

    /// A payload on its own; none if this node does not hold it.
    fn payload(&mut self, reader: &Reader, chain: &Chain, seq: u64) -> Result<(), ExportError> {
        let feed = chain.feed;
        let header = reader.get(Table::Headers, &place_key(&feed, chain.branch, seq))?;
        let (Some(bytes), Some(header)) = (chain.payload(reader, seq), header) else {
            return Ok(());
        };
        let id = Header::id_of(&header);
        let sealed = Sealed::from_bytes(&bytes);
        let sealed = sealed.map_err(|source| ExportError::Payload { feed, seq, source })?;
        let record = self.writer.payload(&LoosePayload { feed, seq, id, sealed });
        self.put(&record)
    }

    fn close(&mut self) -> Result<(), FileError> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(FileError::at("writing", self.path))
    }
}

/// The epoch that a feed says it is; the first, if it does not say so.
fn epoch(reader: &Reader, chain: &Chain) -> u64 {
    let sealed = chain.payload(reader, 0).and_then(|bytes| Sealed::from_bytes(&bytes).ok());
    let opening = sealed.and_then(|sealed| OpenFeed::from_bytes(sealed.payload.bytes()).ok());
    opening.map_or(0, |opening| opening.descriptor.epoch)
}

/// The entries of a run whose payload is only named.
fn named(run: &Run) -> Vec<u64> {
    let entries = (run.from..).zip(&run.entries);
    let named = entries.filter(|(_, entry)| matches!(entry.body, Body::Named { .. }));
    named.map(|(seq, _)| seq).collect()
}
