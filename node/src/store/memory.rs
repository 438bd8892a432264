//! The memory engine: ordered maps, for tests and simulations.
//!
//! A [`MemoryDisk`] stands for the disk: it outlives the stores opened on it, so a simulated crash
//! is to drop the store and open the same disk again. Every commit is "durable" at once.
//!
//! *Invariants.* One store at a time on one disk, as with a lock file. Knows nothing of files.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Changes, Durable, Engine, KeyRange, Order, Row, Store, StoreError, Table, Verified};

type Tables = BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>;

/// What a memory store keeps, apart from the store, so that it can be opened again.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    tables: Arc<RwLock<Tables>>,
    ledger: Arc<RwLock<Option<Vec<u8>>>>,
    is_open: Arc<AtomicBool>,
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the store on this disk.
    ///
    /// # Errors
    /// - [`StoreError::Locked`]: a store is open on it.
    pub fn open(&self) -> Result<Store, StoreError> {
        if self.is_open.swap(true, Ordering::AcqRel) {
            return Err(StoreError::Locked { path: PathBuf::from("memory") });
        }
        Store::over_engine(Box::new(Memory { disk: self.clone() }))
    }

    /// For a store that has a directory, and in it nothing but its lock.
    pub(super) fn into_engine(self) -> impl Engine {
        Memory { disk: self }
    }
}

#[derive(Debug)]
struct Memory {
    disk: MemoryDisk,
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.disk.is_open.store(false, Ordering::Release);
    }
}

impl Engine for Memory {
    fn commit(&self, changes: &Changes, ledger: &[u8]) -> Result<Durable, StoreError> {
        let mut tables = self.disk.tables.write().unwrap_or_else(PoisonError::into_inner);
        for ((table, key), change) in changes {
            let table = tables.entry(*table).or_default();
            match &change.after {
                Some(row) => table.insert(key.clone(), row.clone()),
                None => table.remove(key),
            };
        }
        *self.disk.ledger.write().unwrap_or_else(PoisonError::into_inner) = Some(ledger.to_vec());
        Ok(Durable(()))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = self.disk.tables.read().unwrap_or_else(PoisonError::into_inner);
        Ok(tables.get(&table).and_then(|rows| rows.get(key)).cloned())
    }

    fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        limit: usize,
        order: Order,
    ) -> Result<Vec<Row>, StoreError> {
        let tables = self.disk.tables.read().unwrap_or_else(PoisonError::into_inner);
        let Some(rows) = tables.get(&table) else {
            return Ok(Vec::new());
        };
        let found = rows.range::<[u8], _>(range.bounds());
        let copy = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => found.take(limit).map(copy).collect(),
            Order::Descending => found.rev().take(limit).map(copy).collect(),
        })
    }

    fn ledger(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.disk.ledger.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn check(&self) -> Result<Verified, StoreError> {
        Ok(Verified::Sound)
    }

    fn disk_bytes(&self) -> Result<u64, StoreError> {
        let tables = self.disk.tables.read().unwrap_or_else(PoisonError::into_inner);
        let rows = tables.values().flatten();
        Ok(rows.map(|(key, row)| (key.len() + row.len()) as u64).sum())
    }

    fn path(&self) -> &Path {
        Path::new("memory")
    }
}
