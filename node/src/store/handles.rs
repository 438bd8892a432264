//! The store and its readers: what the rest of the node holds, whichever engine is behind.
//!
//! ```text
//!   commit:  ops ─▶ see `shared` ─▶ high-water file ─▶ durable
//! ```
//!
//! *Invariants.* One commit at a time. A row is given out only if it agrees with its checksum.
//!
//! *Source*: ours.

use std::sync::{Arc, Mutex, OnceLock};

use concordat_protocol::engine;

use super::{
    Copied, Durable, Engine, Kept, KeyRange, Op, Order, Row, Size, StoreError, Table, Verified,
    high_water::HighWater,
    op,
    place::Place,
    shared::{Shared, lock},
    wal::Wal,
};

/// An open store with the right to write; give it to a [`Writer`](super::Writer).
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// Held throughout a commit. The file is opened by the first: whoever opens the store may look
    /// at it before, and write that it is an older copy.
    high_water: Mutex<Option<HighWater>>,
}

/// The right to read, shared freely between threads; outlives the writer.
#[derive(Debug, Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    /// The first read on behalf of the protocol's engine that failed, on any copy of this reader.
    failure: Arc<OnceLock<StoreError>>,
}

impl Store {
    /// Without a directory, and so without a high-water file.
    pub(super) fn over_engine(engine: Box<dyn Engine>) -> Result<Self, StoreError> {
        Self::over(None, engine, None)
    }

    pub(super) fn at(
        place: Place,
        engine: Box<dyn Engine>,
        wal: Option<Wal>,
    ) -> Result<Self, StoreError> {
        Self::over(Some(place), engine, wal)
    }

    fn over(
        place: Option<Place>,
        engine: Box<dyn Engine>,
        wal: Option<Wal>,
    ) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::new(place, engine, wal)?);
        shared.recover()?;
        Ok(Self { shared, high_water: Mutex::default() })
    }

    /// Writes all of `ops` over all their tables, or none; durable on return.
    ///
    /// # Errors
    /// As [`Store::commit_marked`].
    pub fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        self.commit_marked(ops, None)
    }

    /// Writes all of `ops`, then `lines` in place of those of the high-water file; without `lines`
    /// they stay. Durable on return.
    ///
    /// # Errors
    /// - [`StoreError::KeyTooLong`], [`StoreError::ValueTooLong`]: our mistake; none written.
    /// - any other: all or none of it may be on disk; the process must write no more and stop.
    pub fn commit_marked(
        &self,
        ops: Vec<Op>,
        lines: Option<String>,
    ) -> Result<Durable, StoreError> {
        ops.iter().try_for_each(op::check_bounds)?;
        let mut high_water = lock(&self.high_water);
        let file = self.open_high_water(&mut high_water)?;
        let kept = file.as_ref().map_or_else(Kept::default, |file| file.kept().clone());
        let commits = self.shared.begun().max(kept.commits).saturating_add(1);
        let durable = self.shared.commit(ops, commits)?;
        if let Some(file) = file {
            file.swap(Kept { commits, lines: lines.unwrap_or(kept.lines) })?;
        }
        Ok(durable)
    }

    /// Writes rows of a store that is being made of another one. All of them count as its first commit,
    /// however many these are: it is known to be behind the store that it takes the place of.
    ///
    /// # Errors
    /// As [`Store::commit_marked`].
    pub(super) fn fill(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        self.shared.commit(ops, 1)
    }

    fn open_high_water<'a>(
        &self,
        file: &'a mut Option<HighWater>,
    ) -> Result<Option<&'a mut HighWater>, StoreError> {
        if let (None, Some(path)) = (&file, self.shared.high_water_file()) {
            *file = Some(HighWater::open(&path)?);
        }
        Ok(file.as_mut())
    }

    /// A view that can only read.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { shared: Arc::clone(&self.shared), failure: Arc::default() }
    }
}

impl Reader {
    /// The value of `key`.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    pub fn get(&self, table: impl Into<Table>, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let table = table.into();
        let Some(row) = self.shared.engine.get(table, key)? else { return Ok(None) };
        let (value, _) = self.shared.unseal("reading", &(table, key.to_vec()), row)?;
        Ok(Some(value))
    }

    /// At most `limit` pairs of `range`, from the end that `order` names.
    ///
    /// # Errors
    /// - [`StoreError::Io`], [`StoreError::Damaged`]: the disk or what it holds.
    pub fn scan(
        &self,
        table: impl Into<Table>,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        let table = table.into();
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let rows = self.shared.engine.scan(table, range, limit, order)?;
        let rows = rows.into_iter().map(|(key, row)| {
            let place = (table, key);
            let (value, _) = self.shared.unseal("scanning", &place, row)?;
            Ok((place.1, value))
        });
        rows.collect()
    }

    /// Checks everything stored, the engine's own book-keeping too; reads and writes may wait meanwhile.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    pub fn verify(&self) -> Result<Verified, StoreError> {
        match (self.shared.engine.check()?, self.scrub()?) {
            (Verified::Sound, Verified::Sound) => Ok(Verified::Sound),
            (Verified::Mended, _) | (_, Verified::Mended) => Ok(Verified::Mended),
        }
    }

    /// Checks every row against its checksum and all of them against the ledger, a few at a time, then the
    /// write-ahead log; reads and writes go on.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    pub fn scrub(&self) -> Result<Verified, StoreError> {
        self.shared.scrub()?;
        self.shared.check_wal()
    }

    /// Begins the write-ahead log anew, without what was replaced or removed since. To be called once a backup was
    /// read back, and at no other time: the log is what private records are taken from if the engine fails.
    ///
    /// # Errors
    /// - [`StoreError::DiskFull`], [`StoreError::Io`]: the old one stands, or the next commit fails.
    pub fn renew_wal(&self) -> Result<(), StoreError> {
        self.shared.renew_wal()
    }

    /// Gives all rows as they are at one commit, in the order of tables and keys, while commits go on; one copy
    /// or scrub at a time.
    ///
    /// # Errors
    /// - [`StoreError::Damaged`]: what is stored is not what was written.
    /// - [`StoreError::Overrun`]: it changes faster than it is copied.
    /// - whatever `see` says.
    pub fn copy<E: From<StoreError>>(
        &self,
        see: &mut dyn FnMut(Table, Row) -> Result<(), E>,
    ) -> Result<Copied, E> {
        self.shared.copy(see)
    }

    /// What the high-water file says; `None` if there is no file, as for a store in memory.
    ///
    /// # Errors
    /// - [`StoreError`]: it could not be read.
    pub fn kept(&self) -> Result<Option<Kept>, StoreError> {
        self.shared.high_water_file().map_or(Ok(None), |path| Kept::load(&path))
    }

    /// Number of the last commit that the store holds; 0 if there was none.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits()
    }

    /// What the store holds.
    ///
    /// # Errors
    /// - [`StoreError::Io`]: the disk.
    pub fn size(&self) -> Result<Size, StoreError> {
        let entries = self.shared.rows();
        let logged = lock(&self.shared.wal).as_ref().map_or(0, Wal::len_bytes);
        Ok(Size { entries, disk_bytes: self.shared.engine.disk_bytes()? + logged })
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
        Self { shared: Arc::clone(&self.shared), failure: Arc::default() }
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
impl engine::Reader for Reader {
    fn get(&self, table: engine::Table, key: &[u8]) -> Option<Vec<u8>> {
        self.or_absent(Self::get(self, table, key))
    }

    fn scan(&self, table: engine::Table, from: &[u8], to: &[u8], limit: usize) -> Vec<Row> {
        let range = KeyRange::between(from.to_vec(), to.to_vec());
        self.or_absent(Self::scan(self, table, &range, limit, Order::Ascending))
    }
}
