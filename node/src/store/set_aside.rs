//! From a damaged store to a new one: what partners cannot give again is carried over as far as it can
//! still be read, everything else is left to them.
//!
//! The high-water file stays, so the new store is known to be behind.
//!
//! *Invariants.* Nothing of the damaged store is deleted. A row is carried over only if it agrees with
//! its checksum.
//!
//! *Source*: ours.

use std::path::{Path, PathBuf};

use super::{
    Engine, EngineKind, KeyRange, Op, Order, Store, StoreError, Table, ledger,
    migrate::{DIRECTORY, remove, rename},
    open_engine,
    place::{Place, create_directory, free_name},
};

/// Rows that are carried over of one table at most.
const ROWS_MAX: usize = 1 << 16;

/// What setting a store aside did.
#[derive(Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Where the damaged store is kept.
    pub kept: PathBuf,
    /// What was carried over.
    pub rows: Vec<Op>,
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
    let rows = readable(directory, kind, tables);
    let building = directory.join(DIRECTORY);
    remove(&building).and_then(|()| create_directory(&building)).map_err(failed)?;
    let new = Store::over_engine(open_engine(&building, kind)?)?;
    let _durable = new.commit(rows.clone())?;
    drop(new);
    let kept = free_name(&old, "damaged");
    rename(&old, &kept).map_err(failed)?;
    let built = building.join(old.file_name().unwrap_or_default());
    rename(&built, &old).and_then(|()| remove(&building)).map_err(failed)?;
    Ok(SetAside { kept, rows })
}

/// What of these tables can still be read, up to where it cannot.
fn readable(directory: &Path, kind: EngineKind, tables: &[Table]) -> Vec<Op> {
    let engine = match open_engine(directory, kind) {
        Ok(engine) => engine,
        Err(error) => {
            tracing::warn!(code = "store-damaged", %error, "nothing of the store can be read");
            return Vec::new();
        }
    };
    tables.iter().flat_map(|table| readable_of(&*engine, *table)).collect()
}

fn readable_of(engine: &dyn Engine, table: Table) -> Vec<Op> {
    let mut range = KeyRange::all();
    let mut found = Vec::new();
    while found.len() < ROWS_MAX {
        // One at a time: a row that cannot be read hides those after it, not those before.
        let Ok(rows) = engine.scan(table, &range, 1, Order::Ascending) else { break };
        let Some((key, row)) = rows.into_iter().next() else { break };
        range.start = [key.as_slice(), &[0]].concat();
        let place = (table, key);
        if let Ok((value, _)) = ledger::unseal(&place, row) {
            found.push(Op { table, key: place.1, value: Some(value) });
        }
    }
    found
}
