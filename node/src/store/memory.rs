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
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Durable, Engine, KeyRange, Op, Order, Row, Size, Store, StoreError, Table, Verified};

type Tables = BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>;

/// What a memory store keeps, apart from the store, so that it can be opened again.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk {
    tables: Arc<RwLock<Tables>>,
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
        Ok(Store::new(Memory { disk: self.clone() }))
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
    fn commit(&self, ops: Vec<Op>) -> Result<Durable, StoreError> {
        let mut tables = self.disk.tables.write().unwrap_or_else(PoisonError::into_inner);
        for op in ops {
            let table = tables.entry(op.table).or_default();
            match op.value {
                Some(value) => table.insert(op.key, value),
                None => table.remove(&op.key),
            };
        }
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

    fn verify(&self) -> Result<Verified, StoreError> {
        Ok(Verified::Sound)
    }

    fn size(&self) -> Result<Size, StoreError> {
        let tables = self.disk.tables.read().unwrap_or_else(PoisonError::into_inner);
        let mut size = Size::default();
        for (key, value) in tables.values().flatten() {
            size.entries += 1;
            size.disk_bytes += (key.len() + value.len()) as u64;
        }
        Ok(size)
    }
}
