//! The redb engine: one file, `store.redb`, one redb table for each of ours and one for the ledger.
//!
//! Every commit is one write transaction with immediate durability: an fsync before it returns.
//! The file is locked by redb against every other opener. A file that was not closed is checked
//! and mended by redb when it is opened; [`Engine::check`] checks every page.
//!
//! *Invariants.* No redb type leaves this file, errors included. The directory entry of a new file
//! is durable before the store is used.
//!
//! *Source*: redb 4.5 documentation of `Durability` and `check_integrity`.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use ::redb::{
    CommitError, Database, DatabaseError, Durability, ReadableDatabase, StorageError,
    TableDefinition, TableError, TransactionError,
};

use super::{
    Changes, Durable, Engine, KeyRange, Order, Row, StoreError, Table, Verified,
    place::sync_directory,
};

/// The file, in the directory of the store.
pub(super) const FILE: &str = "store.redb";
/// redb's own default is 1 GiB, which a small machine does not have.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

const LEDGER: TableDefinition<'static, (), &'static [u8]> = TableDefinition::new("ledger");

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
        for table in Table::all() {
            transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
        }
        transaction.open_table(LEDGER).map_err(|error| failed.table(error))?;
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
    fn commit(&self, changes: &Changes, ledger: &[u8]) -> Result<Durable, StoreError> {
        let failed = self.failed("committing");
        let database = self.shared();
        let mut transaction = database.begin_write().map_err(|error| failed.transaction(error))?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(|error| failed.damaged(Box::new(error)))?;
        for table in Table::all() {
            // The first place of a table is the one with the empty key.
            let of_table = changes.range((table, Vec::new())..);
            let mut of_table = of_table.take_while(|((of, _), _)| *of == table).peekable();
            if of_table.peek().is_none() {
                continue;
            }
            let mut rows =
                transaction.open_table(definition(table)).map_err(|error| failed.table(error))?;
            for ((_, key), change) in of_table {
                match &change.after {
                    Some(row) => rows.insert(key.as_slice(), row.as_slice()),
                    None => rows.remove(key.as_slice()),
                }
                .map_err(|error| failed.storage(error))?;
            }
        }
        let mut table = transaction.open_table(LEDGER).map_err(|error| failed.table(error))?;
        table.insert((), ledger).map_err(|error| failed.storage(error))?;
        drop(table);
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

    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let failed = self.failed("reading the ledger");
        let database = self.shared();
        let transaction = database.begin_read().map_err(|error| failed.transaction(error))?;
        let table = transaction.open_table(LEDGER).map_err(|error| failed.table(error))?;
        let found = table.get(()).map_err(|error| failed.storage(error))?;
        Ok(found.map(|ledger| ledger.value().to_vec()))
    }

    fn check(&self) -> Result<Verified, StoreError> {
        let failed = self.failed("verifying");
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        match database.check_integrity().map_err(|error| failed.database(error))? {
            true => Ok(Verified::Sound),
            false => Ok(Verified::Mended),
        }
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        let failed = self.failed("measuring");
        Ok(fs::metadata(&self.file).map_err(|error| failed.io(error))?.len())
    }

    fn path(&self) -> &Path {
        &self.file
    }
}

/// Where an error arose; turns redb's errors into ours.
struct Failed<'a> {
    doing: &'static str,
    path: &'a Path,
}

impl Failed<'_> {
    fn io(&self, source: io::Error) -> StoreError {
        StoreError::io(self.doing, self.path, source)
    }

    fn damaged(&self, source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
        StoreError::damaged(self.doing, self.path, source)
    }

    fn storage(&self, error: StorageError) -> StoreError {
        match error {
            // What redb itself says of a file that is not one of its own, or too short for one.
            StorageError::Io(source)
                if matches!(
                    source.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                self.damaged(Box::new(source))
            }
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
