//! The storage seam: bytes in tables, written atomically and durably or not at all.
//!
//! ```text
//!   daemon --(batch id, ops)--> Writer (one thread) --ops of a group--> Store::commit --> disk
//!     |                              `--ids of the group, once durable--> report
//!     `------------------------> Reader: get, scan (concurrent, sees durable state only)
//! ```
//!
//! | call | does |
//! |---|---|
//! | [`open`] | opens or creates a store directory, refused while another process has it |
//! | [`Store::commit`] | writes all ops over all tables, or none; durable on return |
//! | [`Reader::get`], [`Reader::scan`] | read what was durable when the call began |
//! | [`Reader::verify`] | checks every stored page against its checksum |
//! | [`Reader::size`] | entries and bytes, for `status` |
//!
//! Tables, writes and batch ids are the protocol engine's types, and [`Reader`] is what it reads by.
//!
//! *Invariants.* `commit` is the only way to write. No type of an engine leaves this folder. The
//! store knows nothing of feeds, signatures or boards: the protocol's engine decides key bytes.
//! An engine that has failed a commit is not written to again by this process.
//!
//! *Source*: ours; the measurements that led here are of sled, redb and fjall under kill,
//! power loss, damage and full disks.

mod error;
mod memory;
mod op;
mod redb;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
};

pub use concordat_protocol::engine::{BatchId, Op, Row, Table};
pub use error::StoreError;
pub use memory::MemoryDisk;
pub use op::{KEY_BYTES_MAX, KeyRange, Order, VALUE_BYTES_MAX};
pub use writer::{Report, Writer, WriterStopped};

/// Proof that a commit has reached the disk; only an engine's `commit` gives one.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Durable(());

/// What a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// Keys over all tables.
    pub entries: u64,
    /// Bytes that the engine takes on disk, free pages included; in memory, keys and values.
    pub disk_bytes: u64,
}

/// What a check of the whole store found, when nothing was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Every page agrees with its checksum.
    Sound,
    /// Book-keeping of free space was mended; no entry was touched.
    Mended,
}

/// What an engine must do; the same tests hold all of them to it.
pub trait Engine: Send + Sync + fmt::Debug {
    /// Writes all of `ops`, in order, or none; durable on return.
    ///
    /// # Errors
    /// Any: `ops` may be durable, all or none, which only the next start can tell; the process
    /// must stop writing.
    fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError>;

    /// The value of `key`.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` pairs of `range`.
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

    /// Checks everything stored; reads and writes wait meanwhile.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: something stored does not agree with its checksum.
    fn verify(&self) -> Result<Verified, StoreError>;

    /// What the store holds.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    fn size(&self) -> Result<Size, StoreError>;
}

/// Which engine keeps the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// One file, `store.redb`.
    Redb,
    /// Nothing on disk: everything is gone when the process ends.
    Memory,
}

/// An open store with the right to write; give it to a [`Writer`].
#[derive(Debug)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

/// The right to read, shared freely between threads; outlives the writer.
#[derive(Debug, Clone)]
pub struct Reader {
    engine: Arc<dyn Engine>,
    /// The first read on behalf of the protocol's engine that failed, on any copy of this reader.
    failure: Arc<OnceLock<StoreError>>,
}

/// Opens the store in directory `path`, creating it if it is not there.
///
/// # Errors
/// - [`StoreError::Locked`]: another process, or this one, has it open.
/// - [`StoreError::Damaged`]: the file is not one of ours, or is beyond its own repair.
/// - [`StoreError::DiskFull`], [`StoreError::Io`]: the disk said no.
pub fn open(path: &Path, kind: EngineKind) -> Result<Store, StoreError> {
    match kind {
        EngineKind::Redb => Ok(Store::new(redb::Redb::open(path)?)),
        EngineKind::Memory => MemoryDisk::new().open(),
    }
}

impl Store {
    fn new(engine: impl Engine + 'static) -> Self {
        Self { engine: Arc::new(engine) }
    }

    /// Writes all of `ops` over all their tables, or none; durable on return.
    ///
    /// # Errors
    /// - [`StoreError::KeyTooLong`], [`StoreError::ValueTooLong`]: our mistake; none written.
    /// - any other: all or none of it may be on disk; the process must write no more and stop.
    pub fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        ops.iter().try_for_each(op::check_bounds)?;
        self.engine.commit(ops)
    }

    /// A view that can only read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { engine: Arc::clone(&self.engine), failure: Arc::default() }
    }
}

impl Reader {
    /// The value of `key`.
    ///
    /// # Errors
    /// As [`Engine::get`].
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.engine.get(table, key)
    }

    /// At most `limit` pairs of `range`, from the end that `order` names.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    pub fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        self.engine.scan(table, range, limit, order)
    }

    /// Checks everything stored; reads and writes wait meanwhile.
    ///
    /// # Errors
    /// As [`Engine::verify`].
    pub fn verify(&self) -> Result<Verified, StoreError> {
        self.engine.verify()
    }

    /// What the store holds.
    ///
    /// # Errors
    /// As [`Engine::size`].
    pub fn size(&self) -> Result<Size, StoreError> {
        self.engine.size()
    }

    /// Why a read for the protocol's engine failed, if one did.
    ///
    /// # Order
    /// Whoever hands this reader to the protocol's engine asks afterwards, and if there is a
    /// failure does nothing of what the engine wanted: it took what it could not read for absent.
    #[must_use]
    pub fn failure(&self) -> Option<&StoreError> {
        self.failure.get()
    }

    /// The same store, with failures kept apart from those of this reader.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self { engine: Arc::clone(&self.engine), failure: Arc::default() }
    }

    fn or_absent<T: Default>(&self, read: Result<T, StoreError>) -> T {
        read.unwrap_or_else(|error| {
            // Only the first is kept: it says where the trouble began.
            let _later = self.failure.set(error);
            T::default()
        })
    }
}

/// What the protocol's engine reads by; it knows of no errors, so they are kept aside.
impl concordat_protocol::engine::Reader for Reader {
    fn get(&self, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.or_absent(Self::get(self, table, key))
    }

    fn scan(&self, table: Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        let range = KeyRange::between(from.to_vec(), to.to_vec());
        self.or_absent(Self::scan(self, table, &range, limit, Order::Ascending))
    }
}
