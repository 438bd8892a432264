//! The redb engine: one file, `store.redb`, one redb table for each of ours.
//!
//! Every commit is one write transaction with immediate durability: an fsync before it returns.
//! The file is locked by redb against every other opener. A file that was not closed is checked
//! and mended by redb when it is opened; [`Engine::verify`] checks every page.
//!
//! *Invariants.* No redb type leaves this file, errors included. The directory entry of a new file
//! is durable before the store is used.
//!
//! *Source*: redb 4.5 documentation of `Durability` and `check_integrity`.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use ::redb::{
    CommitError, Database, DatabaseError, Durability, ReadableDatabase, ReadableTableMetadata,
    StorageError, TableDefinition, TableError, TransactionError,
};

use super::{Durable, Engine, KeyRange, Op, Order, Row, Size, StoreError, Table, Verified};

const FILE: &str = "store.redb";
/// redb's own default is 1 GiB, which a small machine does not have.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

const fn definition(table: Table) -> Definition {
    TableDefinition::new(table.name())
}

/// An open redb store.
#[derive(Debug)]
pub(super) struct Redb {
    file: PathBuf,
    /// Locked for writing by `verify` alone, which redb allows only with nothing else under way.
    database: RwLock<Database>,
}

impl Redb {
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let failed = Failed { doing: "opening the store", path: directory };
        create_directory(directory).map_err(|error| failed.io(error))?;
        let file = directory.join(FILE);
        let create = || Database::builder().set_cache_size(CACHE_BYTES).create(&file);
        // redb says that a file altered by others may make it panic instead of failing.
        let database = catch_unwind(AssertUnwindSafe(create))
            .map_err(|_| StoreError::Panicked { doing: "opening the store" })?
            .map_err(|error| failed.database(error))?;
        let store = Self { file, database: RwLock::new(database) };
        store.create_tables()?;
        sync_directory(directory).map_err(|error| failed.io(error))?;
        Ok(store)
    }

    /// So that a read never meets a table that is not there yet.
    fn create_tables(&self) -> Result<(), StoreError> {
        let failed = self.failed("creating tables");
        let database = self.shared();
        let transaction = database.begin_write().map_err(|error| failed.transaction(error))?;
        for &table in Table::ALL {
            transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
        }
        transaction.commit().map_err(|error| failed.commit(error))
    }

    fn shared(&self) -> RwLockReadGuard<'_, Database> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, doing: &'static str) -> Failed<'_> {
        Failed { doing, path: &self.file }
    }
}

impl Engine for Redb {
    fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        let failed = self.failed("committing");
        let database = self.shared();
        let mut transaction = database.begin_write().map_err(|error| failed.transaction(error))?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(|error| failed.damaged(Box::new(error)))?;
        // Ops of one table are taken together: their order within it is kept, and across tables
        // it means nothing.
        for &table in Table::ALL {
            let mut of_table = ops.iter().filter(|op| op.table == table).peekable();
            if of_table.peek().is_none() {
                continue;
            }
            let mut rows =
                transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
            for op in of_table {
                match &op.value {
                    Some(value) => rows.insert(op.key.as_slice(), value.as_slice()),
                    None => rows.remove(op.key.as_slice()),
                }
                .map_err(|error| failed.storage(error))?;
            }
        }
        transaction.commit().map_err(|error| failed.commit(error))?;
        Ok(Durable(()))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let failed = self.failed("reading");
        let database = self.shared();
        let transaction = database.begin_read().map_err(|error| failed.transaction(error))?;
        let rows =
            transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
        let found = rows.get(key).map_err(|error| failed.storage(error))?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        let failed = self.failed("scanning");
        let database = self.shared();
        let transaction = database.begin_read().map_err(|error| failed.transaction(error))?;
        let rows =
            transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
        let mut found =
            rows.range::<&[u8]>(range.bounds()).map_err(|error| failed.storage(error))?;
        let mut pairs = Vec::new();
        while pairs.len() < limit {
            let next = match order {
                Order::Ascending => found.next(),
                Order::Descending => found.next_back(),
            };
            let Some(row) = next else { break };
            let (key, value) = row.map_err(|error| failed.storage(error))?;
            pairs.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(pairs)
    }

    fn verify(&self) -> Result<Verified, StoreError> {
        let failed = self.failed("verifying");
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        match database.check_integrity().map_err(|error| failed.database(error))? {
            true => Ok(Verified::Sound),
            false => Ok(Verified::Mended),
        }
    }

    fn size(&self) -> Result<Size, StoreError> {
        let failed = self.failed("measuring");
        let database = self.shared();
        let transaction = database.begin_read().map_err(|error| failed.transaction(error))?;
        let mut size = Size::default();
        for &table in Table::ALL {
            let rows =
                transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
            size.entries += rows.len().map_err(|error| failed.storage(error))?;
        }
        size.disk_bytes = fs::metadata(&self.file).map_err(|error| failed.io(error))?.len();
        Ok(size)
    }
}

/// Creates `directory`, for its owner alone, and makes its entry in its parent durable.
fn create_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
        Some(_) | None => Ok(()),
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Where an error arose; turns redb's errors into ours.
struct Failed<'a> {
    doing: &'static str,
    path: &'a Path,
}

impl Failed<'_> {
    fn io(&self, source: io::Error) -> StoreError {
        let (doing, path) = (self.doing, self.path.to_path_buf());
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StoreError::DiskFull { path, doing }
            }
            _ => StoreError::Io { path, doing, source },
        }
    }

    fn damaged(&self, source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
        StoreError::Damaged { path: self.path.to_path_buf(), doing: self.doing, source }
    }

    fn storage(&self, error: StorageError) -> StoreError {
        match error {
            StorageError::Io(source) => self.io(source),
            StorageError::PreviousIo | StorageError::DatabaseClosed => {
                StoreError::Stopped { path: self.path.to_path_buf(), doing: self.doing }
            }
            other => self.damaged(Box::new(other)),
        }
    }

    fn database(&self, error: DatabaseError) -> StoreError {
        match error {
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
                StoreError::Locked { path: self.path.to_path_buf() }
            }
            DatabaseError::Storage(error) => self.storage(error),
            other => self.damaged(Box::new(other)),
        }
    }

    fn transaction(&self, error: TransactionError) -> StoreError {
        match error {
            TransactionError::Storage(error) => self.storage(error),
            other => self.damaged(Box::new(other)),
        }
    }

    fn table(&self, error: TableError) -> StoreError {
        match error {
            TableError::Storage(error) => self.storage(error),
            other => self.damaged(Box::new(other)),
        }
    }

    fn commit(&self, error: CommitError) -> StoreError {
        match error {
            CommitError::Storage(error) => self.storage(error),
            other => self.damaged(Box::new(other)),
        }
    }
}
