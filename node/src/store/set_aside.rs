//! From a damaged store to a new one: what partners cannot give again is carried over as far as it can
//! still be read, everything else is left to them.
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
    Engine, EngineKind, KeyRange, Op, Order, Store, StoreError, Table, ledger,
    migrate::{DIRECTORY, remove, rename},
    open_engine,
    place::{Place, create_directory, free_name},
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
}

/// Puts a new store in the place of the one in `directory`, with what can be read of some tables.
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
    let rows = carry_over(directory, kind, tables, &new)?;
    drop(new);
    let kept = free_name(&old, "damaged");
    rename(&old, &kept).map_err(failed)?;
    let built = building.join(old.file_name().unwrap_or_default());
    rename(&built, &old).and_then(|()| remove(&building)).map_err(failed)?;
    Ok(SetAside { kept, rows })
}

/// Copies what of these tables can still be read, up to where it cannot.
fn carry_over(
    directory: &Path,
    kind: EngineKind,
    tables: &[Table],
    new: &Store,
) -> Result<BTreeMap<Table, u64>, StoreError> {
    let mut carried: BTreeMap<_, _> = tables.iter().map(|table| (*table, 0)).collect();
    let old = match open_engine(directory, kind) {
        Ok(old) => old,
        Err(error) => {
            tracing::warn!(code = "store-damaged", %error, "nothing of the store can be read");
            return Ok(carried);
        }
    };
    for (table, count) in &mut carried {
        let mut rows = Readable { engine: &*old, table: *table, range: KeyRange::all() };
        loop {
            let ops: Vec<_> = rows.by_ref().take(COMMIT_ROWS).collect();
            if ops.is_empty() {
                break;
            }
            *count += ops.len() as u64;
            let _durable = new.fill(ops)?;
        }
    }
    Ok(carried)
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
