//! From a damaged store to a new one: private records are taken from their write-ahead log, which is whole
//! whatever became of the engine; what else partners cannot give again is carried over as far as it can still be
//! read, and everything else is left to them.
//!
//! The high-water file stays, so the new store is known to be behind.
//!
//! *Invariants.* Nothing of the damaged store is deleted. A row is carried over only if it agrees with
//! its checksum.
//!
//! *Source*: ours.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    Engine, EngineKind, KeyRange, Op, Order, Store, StoreError, Table,
    ledger::{self, Ledger},
    migrate::{DIRECTORY, remove, rename},
    open_engine,
    place::{Place, create_directory, free_name},
    wal::{self, Wal},
};

/// Rows of one commit: of the longest values, 128 MiB.
const COMMIT_ROWS: usize = 64;

/// What setting a store aside did.
#[derive(Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where the damaged store is kept.
    pub kept: PathBuf,
    /// How many rows were carried over, of each table.
    pub rows: BTreeMap<Table, u64>,
    /// Whether the write-ahead log was whole, and so every private record is there.
    pub has_all_records: bool,
}

/// Puts a new store in the place of the one in `directory`, with all private records and what can be read of
/// some other tables.
///
/// # Errors
/// - [`StoreError::Locked`]: a daemon or a command has it open.
/// - [`StoreError::NothingToSetAside`]: there is no store of this engine.
/// - any other: the disk said no; no store is lost.
pub fn set_aside(
    directory: &Path,
    kind: EngineKind,
    tables: &[Table],
) -> Result<SetAside, StoreError> {
    let place = Place::lock(directory)?;
    place.expect(kind)?;
    let nothing = || StoreError::NothingToSetAside { path: directory.to_path_buf(), kind };
    let old = place.of(kind).filter(|path| path.exists()).ok_or_else(nothing)?;
    let failed = |error| StoreError::io("setting the store aside", directory, error);
    let building = directory.join(DIRECTORY);
    remove(&building).and_then(|()| create_directory(&building)).map_err(failed)?;
    let new = Store::over_engine(open_engine(&building, kind)?)?;
    let engine = open_engine(directory, kind).inspect_err(|error| {
        tracing::warn!(code = "store-damaged", %error, "nothing of the store can be read");
    });
    let has_all_records = recall(directory, &new, last_with_records(engine.as_deref().ok()))?;
    let recalled = new.reader().size()?.entries;
    // If a part of the log cannot be read, rows that the engine still has are newer.
    let is_done = |table: &Table| *table == wal::TABLE && has_all_records && recalled > 0;
    let left: Vec<_> = tables.iter().copied().filter(|table| !is_done(table)).collect();
    let mut rows = carry_over(engine.as_deref().ok(), &left, &new)?;
    *rows.entry(wal::TABLE).or_default() += recalled;
    drop((new, engine));
    let kept = free_name(&old, "damaged");
    rename(&old, &kept).map_err(failed)?;
    let built = building.join(old.file_name().unwrap_or_default());
    rename(&built, &old).and_then(|()| remove(&building)).map_err(failed)?;
    let log = wal::file(directory);
    if !has_all_records && log.exists() {
        // It would be played over rows that are newer; the next start begins one from the new store.
        rename(&log, &free_name(&log, "damaged")).map_err(failed)?;
    }
    Ok(SetAside { kept, rows, has_all_records })
}

/// Copies what of these tables can still be read, up to where it cannot.
fn carry_over(
    old: Option<&dyn Engine>,
    tables: &[Table],
    new: &Store,
) -> Result<BTreeMap<Table, u64>, StoreError> {
    let mut carried = BTreeMap::new();
    for table in tables {
        let before = new.reader().size()?.entries;
        if let Some(engine) = old {
            fill(new, &mut Readable { engine, table: *table, range: KeyRange::all() })?;
        }
        carried.insert(*table, new.reader().size()?.entries - before);
    }
    Ok(carried)
}

/// The last commit that had private records, as far as the engine can tell.
fn last_with_records(old: Option<&dyn Engine>) -> u64 {
    let ledger = old.and_then(|engine| engine.ledger().ok().flatten());
    let ledger = ledger.and_then(|bytes| Ledger::from_bytes(&bytes).ok());
    ledger.map_or(0, |ledger| ledger.records)
}

/// Fills the table of the write-ahead log from it, as far as it can be read; whether it had all up to `needed`.
fn recall(directory: &Path, new: &Store, needed: u64) -> Result<bool, StoreError> {
    let path = wal::file(directory);
    if !path.exists() {
        return Ok(false);
    }
    let wal = Wal::open(&path)?;
    let last = wal::told(directory)?;
    let replayed = wal::replay(wal.frames()?, (0, last), |rows| new.fill(rows).map(drop))?;
    Ok(replayed.is_whole && replayed.last >= needed.min(last))
}

fn fill(new: &Store, rows: &mut Readable<'_>) -> Result<(), StoreError> {
    loop {
        let ops: Vec<_> = rows.take(COMMIT_ROWS).collect();
        if ops.is_empty() {
            return Ok(());
        }
        let _durable = new.fill(ops)?;
    }
}

/// The rows of a table that agree with their checksums, up to the first that cannot be read at all.
struct Readable<'a> {
    engine: &'a dyn Engine,
    table: Table,
    range: KeyRange,
}

impl Iterator for Readable<'_> {
    type Item = Op;

    fn next(&mut self) -> Option<Op> {
        loop {
            // One at a time: a row that cannot be read hides those after it, not those before.
            let rows = self.engine.scan(self.table, &self.range, 1, Order::Ascending).ok()?;
            let (key, row) = rows.into_iter().next()?;
            self.range.start = [key.as_slice(), &[0]].concat();
            let place = (self.table, key);
            if let Ok((value, _)) = ledger::unseal(&place, row) {
                return Some(Op::put(self.table, place.1, value));
            }
        }
    }
}
