//! The storage seam: bytes in tables, written atomically and durably or not at all.
//!
//! ```text
//!   daemon --(batch id, ops, mark)--> Writer (one thread) --a group--> Store::commit --> log of private records,
//!     |                                    |                                  engine, then high-water file
//!     |                                    `--ids of the group, once durable--> report
//!     `------------------------> Reader: get, scan (concurrent, sees durable state only)
//! ```
//!
//! | call | does |
//! |---|---|
//! | [`open`] | opens or creates a store directory, refused while another process has it |
//! | [`Store::commit`] | writes all ops over all tables, or none; durable on return |
//! | [`Reader::get`], [`Reader::scan`] | read what was durable when the call began |
//! | [`Reader::verify`], [`Reader::scrub`] | check every row against its checksum, and all of them against the ledger |
//! | [`Reader::copy`] | all rows as they are at one commit, while others go on |
//! | [`Reader::size`] | entries and bytes, for `status` |
//! | [`migrate()`] | moves a store to another engine |
//! | [`set_aside()`] | puts a new store in the place of a damaged one |
//!
//! | file | what |
//! |---|---|
//! | `mod` | what an engine must do, and which engines there are |
//! | `handles` | the store and its readers: what the rest of the node holds |
//! | `shared` | what these share: the engine, and how it is committed to |
//! | `writer` | the one thread that commits |
//! | `ledger` | checksums of rows, account of them all |
//! | `walk` | over all rows, a slice at a time, while commits go on |
//! | `scrub` | whether all rows are what was written |
//! | `copy` | all rows at one commit |
//! | `wal` | private records a second time, since nobody else has them |
//! | `high_water` | what was durable, kept outside the store |
//! | `place` | the directory, its lock, which engine's it is |
//! | `sled`, `redb`, `memory` | the engines |
//! | `migrate` | from one engine to another |
//! | `set_aside` | from a damaged store to a new one |
//! | `table` | the tables there are: the engine's, and the node's own |
//! | `op`, `error` | writes and their bounds, ranges, errors |
//!
//! What the protocol's engine wants written it names by its own tables; [`Reader`] is what it reads by.
//! Beside these stand tables of the node's own, which the engine cannot name.
//!
//! *Invariants.* `commit` is the only way to write. No type of an engine leaves this folder. The
//! store knows nothing of feeds, signatures or boards: the protocol's engine decides key bytes.
//! An engine that has failed a commit is not written to again by this process. What is read back is
//! what was committed, or an error.
//!
//! *Source*: ours; the measurements that led here are of sled, redb and fjall under kill,
//! power loss, damage and full disks.

mod copy;
mod error;
mod handles;
mod high_water;
mod ledger;
mod memory;
mod migrate;
mod op;
mod place;
mod redb;
mod scrub;
mod set_aside;
mod shared;
mod sled;
mod table;
#[cfg(test)]
mod tests;
mod wal;
mod walk;
mod writer;

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

pub use concordat_protocol::engine::{BatchId, Row};
pub use copy::Copied;
pub use error::StoreError;
pub use handles::{Reader, Store};
pub use high_water::Kept;
pub use memory::MemoryDisk;
pub use migrate::{Migrated, migrate};
pub use op::{KEY_BYTES_MAX, KeyRange, Op, Order, VALUE_BYTES_MAX};
pub use place::{LOCK, engines_in};
pub use set_aside::{SetAside, set_aside};
pub use table::{Own, Table};
use wal::Wal;
pub use writer::{CommitClock, Report, Then, UnderWay, Writer, WriterStopped};

/// Proof that a commit has reached the disk; only an engine's `commit` gives one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Durable(());

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Keys over all tables.
    pub entries: u64,
    /// Bytes on disk, the engine's free pages and the write-ahead log included; in memory, keys and values.
    pub disk_bytes: u64,
}

/// What a check of the whole store found, when nothing was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Everything agrees with its checksum.
    Sound,
    /// Book-keeping of free space, or the write-ahead log, was mended; no row was touched.
    Mended,
}

/// A row before and after a commit, as an engine holds it; `None` where there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// As it is held now.
    pub before: Option<Vec<u8>>,
    /// As it is to be held.
    pub after: Option<Vec<u8>>,
}

/// All that a commit changes.
pub type Changes = BTreeMap<(Table, Vec<u8>), Change>;

/// What an engine must do; the same tests hold all of them to it.
///
/// It holds rows, checksums included, and one ledger, and looks into neither.
pub trait Engine: Send + Sync + fmt::Debug {
    /// Writes all of `changes` and the ledger, or nothing; durable on return, and not seen before.
    ///
    /// # Errors
    /// Any: it may be durable, all or nothing, which only the next start can tell; the process
    /// must stop writing.
    fn commit(&self, changes: &Changes, ledger: &[u8]) -> Result<Durable, StoreError>;

    /// The row of `key`.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows of `range`, which is not empty.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError>;

    /// The ledger of the last commit.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Checks what the engine keeps for itself; reads and writes may wait meanwhile.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: something stored does not agree with its checksum.
    fn check(&self) -> Result<Verified, StoreError>;

    /// Bytes on disk.
    ///
    /// # Errors
    /// - [`StoreError::Io`]: the disk.
    fn disk_bytes(&self) -> Result<u64, StoreError>;

    /// What an error names.
    fn path(&self) -> &Path;
}

/// Which engine keeps the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// A directory, `sled`.
    Sled,
    /// One file, `store.redb`.
    Redb,
    /// Nothing on disk: everything is gone when the process ends.
    Memory,
}

impl EngineKind {
    /// As in the config file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sled => "sled",
            Self::Redb => "redb",
            Self::Memory => "memory",
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no engine of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the storage engines of this version are \"sled\", \"redb\" and \"memory\"")]
pub struct UnknownEngine;

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let all = [Self::Sled, Self::Redb, Self::Memory];
        all.into_iter().find(|kind| kind.name() == name).ok_or(UnknownEngine)
    }
}

/// The high-water file of the store in this directory: beside it, so that whoever puts an older
/// directory in its place leaves the file as it is.
#[must_use]
pub fn high_water_file(directory: &Path) -> std::path::PathBuf {
    directory.with_file_name("high-water")
}

/// Opens the store in `directory`, creating it if it is not there.
///
/// # Errors
/// - [`StoreError::Locked`]: another process, or this one, has it open.
/// - [`StoreError::OtherEngine`], [`StoreError::TwoStores`]: what is there is not this engine's alone.
/// - [`StoreError::Damaged`]: what is there is not one of ours, or is beyond its own repair.
/// - [`StoreError::DiskFull`], [`StoreError::Io`]: the disk said no.
pub fn open(directory: &Path, kind: EngineKind) -> Result<Store, StoreError> {
    let place = place::Place::lock(directory)?;
    place.expect(kind)?;
    let engine = open_engine(place.directory(), kind)?;
    let wal = match kind {
        EngineKind::Memory => None,
        EngineKind::Sled | EngineKind::Redb => Some(Wal::open(&wal::file(place.directory()))?),
    };
    Store::at(place, engine, wal)
}

fn open_engine(directory: &Path, kind: EngineKind) -> Result<Box<dyn Engine>, StoreError> {
    Ok(match kind {
        EngineKind::Sled => Box::new(sled::Sled::open(&directory.join(sled::DIRECTORY))?),
        EngineKind::Redb => Box::new(redb::Redb::open(directory)?),
        EngineKind::Memory => Box::new(MemoryDisk::new().into_engine()),
    })
}
